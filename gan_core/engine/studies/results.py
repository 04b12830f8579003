"""A study as Python hands it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gan_core.engine.studies.computing import findings_of, rows_of
from gan_core.engine.studies.findings import Findings
from gan_core.engine.studies.taken import flat_rows
from gan_core.store import RunStore

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StudyResult:
    """``table`` has a row for each cell that was computed, ``findings`` is what they carry: sentences, tables, charts."""

    study: str
    protocol: str
    status: str
    settings: dict[str, Any]
    table: pd.DataFrame
    findings: Findings
    message: str = ""

    @property
    def sentences(self) -> list[str]:
        """What may be said, the headline first."""
        head = [self.findings.headline] if self.findings.headline else []
        return [sentence.text for sentence in (*head, *self.findings.sentences)]


def read_study_result(store: RunStore, study_id: str) -> StudyResult:
    """What a stored study has found until now. Raises StudyNotFound, ConfigError for settings of another version."""
    import pandas as pd

    study = store.studies.read(study_id)
    rows = pd.DataFrame(flat_rows(rows_of(store, study)))
    findings = findings_of(store, study)
    return StudyResult(study.id, study.protocol, study.status, study.settings, rows, findings, study.message)

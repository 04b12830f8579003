"""Studies: what a GAN is good for, measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gan_core.api.stores import open_store
from gan_core.engine.studies import computing
from gan_core.engine.studies.results import StudyResult, read_study_result


def study(
    protocol: str,
    settings: Mapping[str, Any] | None = None,
    *,
    store: Path | str | None = None,
    name: str = "",
    progress: Callable[[float, str], None] | None = None,
) -> StudyResult:
    """Compute a study in this process and return what it found: ``study("augmentation", {"sizes": [5, 20]})``, with settings as
    in `gan_core.config.studies`. ``progress(share, sentence)`` is called now and then. Ctrl-C keeps what was computed.

    Raises ConfigError for settings that the protocol does not have, DataError and RunNotFound for what cannot be asked.
    """
    with open_store(store) as opened:
        begun = computing.begin(opened, {**(settings or {}), "protocol": protocol}, name=name)
        computing.compute_here(opened, begun.id, progress or (lambda share, sentence: None))
        return read_study_result(opened, begun.id)


def resume_study(
    study_id: str, *, store: Path | str | None = None, progress: Callable[[float, str], None] | None = None
) -> StudyResult:
    """Go on with a study that did not finish, where it was. Raises RunNotFound, StoreError while it is computed elsewhere."""
    with open_store(store) as opened:
        computing.go_on(opened, study_id, progress or (lambda share, sentence: None))
        return read_study_result(opened, study_id)


def read_study(study_id: str, *, store: Path | str | None = None) -> StudyResult:
    """What a stored study has found until now. Raises RunNotFound."""
    with open_store(store) as opened:
        return read_study_result(opened, study_id)

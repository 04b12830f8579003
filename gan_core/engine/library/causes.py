"""What was measured of one cause at a time, see ``benchmarks/causes.py``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MEASURED = Path(__file__).resolve().parents[3] / "docs" / "results" / "causes.json"


@dataclass(frozen=True)
class Trial:
    """How a run with one value ended: ``modes`` held of 8, whether it had ``collapsed``, the share of high ``quality``."""

    cause: str
    value: str
    seed: int
    modes: float
    collapsed: bool
    quality: float


@cache
def measured(cause: str) -> dict[str, tuple[Trial, ...]]:
    """The trials of a cause by value, in the order of the slider; none where nothing was measured."""
    rows = json.loads(MEASURED.read_text()) if MEASURED.exists() else []
    trials = [Trial(**row | {"collapsed": bool(row["collapsed"])}) for row in rows if row["cause"] == cause]
    return {
        value: tuple(trial for trial in trials if trial.value == value)
        for value in dict.fromkeys(t.value for t in trials)
    }

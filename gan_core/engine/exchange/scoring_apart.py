"""Scoring a stored run in a process of its own (`scorer`) that gives way to training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gan_core.engine.exchange.apart import told_by
from gan_core.intake.errors import DataError

Progress = Callable[[float, str], None]
Cancel = Callable[[], bool]


def score_apart(
    what: str, root: Path, run_id: str, at: int | None, progress: Progress, cancel: Cancel
) -> dict[str, Any]:
    """What ``SCORES[what]`` of `scorer` finds of a run at the round of a checkpoint, None the newest.

    Raises DataError, a sentence, where it cannot be done; Cancelled.
    """
    asked = [what, str(root), run_id, "" if at is None else str(at)]
    for told in told_by("gan_core.engine.exchange.scorer", *asked, cancel=cancel):
        if "found" in told:
            found: dict[str, Any] = told["found"]
            return found
        if "refused" in told:
            raise DataError(told["refused"])
        progress(*told["progress"])
    raise DataError("The process that scored this run ended before it was done; try again.")

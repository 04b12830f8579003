"""Scoring a stored run in a process of its own (`scorer`) that gives way to training."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gan_core.intake.errors import Cancelled, DataError

Progress = Callable[[float, str], None]
Cancel = Callable[[], bool]

POLL_SECONDS = 0.2


def score_apart(
    what: str, root: Path, run_id: str, at: int | None, progress: Progress, cancel: Cancel
) -> dict[str, Any]:
    """What ``SCORES[what]`` of `scorer` finds of a run at the round of a checkpoint, None the newest.

    Raises DataError, a sentence, where it cannot be done; Cancelled.
    """
    asked = [what, str(root), run_id, "" if at is None else str(at)]
    command = [sys.executable, "-m", "gan_core.lifeline", "gan_core.engine.exchange.scorer", *asked]
    home = Path(__file__).resolve().parents[3]
    with subprocess.Popen(command, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            for told in _words(process, cancel):
                if "found" in told:
                    found: dict[str, Any] = told["found"]
                    return found
                if "refused" in told:
                    raise DataError(told["refused"])
                progress(*told["progress"])
        finally:
            process.kill()
    raise DataError("The process that scored this run ended before it was done; try again.")


def _words(process: subprocess.Popen[bytes], cancel: Cancel) -> Iterator[dict[str, Any]]:
    """What it says, line by line, until it is gone."""
    assert process.stdout is not None
    ready, rest = select.poll(), b""
    ready.register(process.stdout)
    while True:
        if cancel():
            raise Cancelled("Cancelled.")
        if not ready.poll(1000 * POLL_SECONDS):
            continue
        came = process.stdout.read1()  # type: ignore[attr-defined]
        *lines, rest = (rest + came).split(b"\n")
        yield from map(json.loads, lines)
        if not came:
            return

"""Runs that are held at a round until a test lets them go on, in this process and in those that it starts."""

from __future__ import annotations

import os
from pathlib import Path

from gan_core.failpoints import VARIABLE


class Hold:
    """``hold.at(30)``: every run plays to round 30 and waits there, obeying commands, until ``hold.at(60)`` or ``let_go()``."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "round"
        self._waits = folder / "round.waits"
        before = os.environ.get(VARIABLE)
        self.wish = f"round=hold:{self._file}"
        self.variable = f"{before}, {self.wish}" if before else self.wish

    def at(self, round: int) -> None:
        self._waits.unlink(missing_ok=True)
        written = self._file.with_suffix(".new")
        written.write_text(str(round))
        written.replace(self._file)

    def waits(self) -> bool:
        """Whether a run has come to the round, saved what it saves there, and waits."""
        return self._waits.exists()

    def let_go(self) -> None:
        self._file.unlink(missing_ok=True)

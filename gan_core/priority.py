"""Processes that compute for a long time go after those that a person waits for."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_SESSION = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Raise the niceness of this process by ``niceness``, and that of its session where the session is its own.

    Linux deals equal shares to sessions (``autogroup``, see sched(7)): within its own session a process may be as nice as it
    likes, and still takes half of a core from a browser.
    """
    own = os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # another system, or one without such groups
            _SESSION.write_text(str(own))

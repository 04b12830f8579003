"""The worker processes that are children of a process, or of its fork server."""

from __future__ import annotations

from contextlib import suppress

import psutil

MODULE = "gan_core.engine.running.worker"


def words(process: psutil.Process) -> list[str]:
    """Its command, or the title that it gave itself, whose rest is empty."""
    return " ".join(process.cmdline()).split()


def workers(pid: int | None = None) -> set[psutil.Process]:
    """Those that a process, this one or that of the given number, has begun and that are left."""
    found = set()
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if MODULE in words(child):
                found.add(child)
    return found

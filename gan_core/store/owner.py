"""Who owns a run: a process, told apart from every later process that is given the same number."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

START_TOLERANCE = 1.5  # seconds: Linux reports the time of boot in whole seconds, and it may wobble by one


def this_process() -> dict[str, Any]:
    """``pid``, ``started`` (seconds from boot to the process's start) and ``boot`` (id of this boot, "" if unknown)."""
    return {"pid": os.getpid(), "started": _started(psutil.Process()), "boot": _boot_id()}


def is_alive(owner: Mapping[str, Any]) -> bool:
    """Whether this very process still runs. An owner that cannot be understood is not alive."""
    try:
        if owner["boot"] != _boot_id():
            return False
        process = psutil.Process(owner["pid"])
        # A killed process stays a zombie until its parent looks; it will never write again.
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(_started(process) - owner["started"]) < START_TOLERANCE
    except psutil.AccessDenied:
        return True  # it exists, and belongs to another user
    except (psutil.NoSuchProcess, KeyError, TypeError, ValueError, OverflowError):
        return False


def _started(process: psutil.Process) -> float:
    # Counted from boot, because the wall clock may be set while a run is going.
    return process.create_time() - psutil.boot_time()


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""

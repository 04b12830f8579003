"""Who owns a run: a process, told apart from every later process that is given the same number."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from gan_core.store.records import StoreError

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
START_TOLERANCE = 1.5  # seconds: Linux reports the time of boot in whole seconds, and it may wobble by one


class Life(Enum):
    """Whether a process still runs. What cannot be told is an answer of its own: nothing is ever done because of it."""

    ALIVE = "alive"
    GONE = "gone"
    UNKNOWN = "cannot tell"


def this_process() -> dict[str, Any]:
    """``pid``, ``started`` (seconds from boot to the process's start) and ``boot`` (id of this boot, "" if there is none).

    StoreError where the system cannot say: with no file handle left, /proc cannot be read. Read once, so a store that
    is open knows it whatever runs out later.
    """
    try:
        return dict(_this_process(os.getpid()))
    except (OSError, psutil.Error) as error:
        raise StoreError(f"The system does not say which process this is: {error}.") from error


def life_of(owner: Mapping[str, Any]) -> Life:
    """Whether this very process still runs. An owner that cannot be understood is gone."""
    try:
        pid, started, boot = owner["pid"], float(owner["started"]), owner["boot"]
        this = _this_process(os.getpid())
        if boot and this["boot"] and boot != this["boot"]:
            return Life.GONE
        if pid == this["pid"]:
            return Life.ALIVE if abs(started - this["started"]) < START_TOLERANCE else Life.GONE
        return _life(pid, started)
    except (KeyError, TypeError, ValueError, OverflowError):
        return Life.GONE
    except (OSError, psutil.Error, RuntimeError, MemoryError):
        return Life.UNKNOWN


def _life(pid: int, started: float) -> Life:
    try:
        process = psutil.Process(pid)
        # A killed process stays a zombie until its parent looks; it will never write again.
        if process.status() == psutil.STATUS_ZOMBIE:
            return Life.GONE
        return Life.ALIVE if abs(_started(process) - started) < START_TOLERANCE else Life.GONE
    except psutil.ZombieProcess:
        return Life.GONE
    except psutil.NoSuchProcess:
        # A system may hide the processes of others; a signal still finds them.
        return Life.UNKNOWN if psutil.pid_exists(pid) else Life.GONE


@lru_cache(maxsize=1)
def _this_process(pid: int) -> Mapping[str, Any]:
    return {"pid": pid, "started": _started(psutil.Process(pid)), "boot": _boot_id()}


def _started(process: psutil.Process) -> float:
    # Counted from boot, because the wall clock may be set while a run is going.
    return float(process.create_time() - psutil.boot_time())


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # a system that has none, or tells nobody
        return ""

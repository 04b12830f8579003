"""Named places at which a test makes the program fail. Nothing ever happens there unless somebody asked for it.

``GANSCOPE_FAILPOINTS="save.before_rename=exit@2, forward=raise"`` says what happens where. An action is one of

``exit``      the process is gone at once, as after ``kill -9``
``raise``     a RuntimeError
``memory``    an error as torch raises it when memory has run out
``broken``    an error as torch raises it when the accelerator has failed for good
``enospc``    an OSError: no space left on the device; so ``eio``, ``emfile``, ``eacces``, ``enomem``
``interrupt`` as after Ctrl-C: the main thread is interrupted, and this goes on
``sleep:3``   three seconds pass
``half``      half of what is being written is written, then as ``exit``
``hold:FILE`` a run that asks (``held``) waits there, and obeys commands, once it has come to the number in FILE;
              without FILE nobody waits

``@2`` lets it happen from the second time on, ``x3`` three times only (else for ever).
"""

from __future__ import annotations

import errno
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "GANSCOPE_FAILPOINTS"
ERRORS = {name: getattr(errno, name.upper()) for name in ("enospc", "eio", "emfile", "eacces", "enomem")}
ACTIONS = ("exit", "raise", "memory", "broken", *ERRORS, "interrupt", "sleep", "half", "hold")
EXIT_STATUS = 9
_WISH = re.compile(
    r"(?P<name>[a-z_.]+)=(?:hold:(?P<file>[^,]+)|(?P<action>[a-z]+)(?::(?P<seconds>[\d.]+))?"
    r"(?:@(?P<first>\d+))?(?:x(?P<times>\d+))?)"
)


@dataclass
class _Wish:
    action: str
    seconds: float
    first: int
    last: float
    file: Path | None = None
    reached: int = 0


_wishes: dict[str, _Wish] = {}
_lock = threading.Lock()


def failpoint(name: str, half: Callable[[], object] | None = None) -> None:
    """Fail here, if that was asked for. ``half`` writes the first half of what is about to be written."""
    if _wishes and (wish := _wishes.get(name)) is not None:
        _fail(name, wish, half)


def held(name: str, count: int) -> bool:
    """Whether a test holds a run here that has come to ``count``: to be asked again and again, until it says no.

    A file of the same name that ends in ``.waits`` is there once a run was told to wait.
    """
    if not _wishes or (wish := _wishes.get(name)) is None or wish.file is None:
        return False
    try:
        waits = count >= int(wish.file.read_text())
    except FileNotFoundError:
        return False
    if waits:
        wish.file.with_suffix(".waits").touch()
    return waits


@contextmanager
def armed(wishes: str) -> Iterator[None]:
    """For tests in this process: what the variable would ask for, for as long as this lasts."""
    before = dict(_wishes)
    _arm(wishes)
    try:
        yield
    finally:
        _wishes.clear()
        _wishes.update(before)


def _arm(wishes: str) -> None:
    """ValueError for what is not understood: a test that asks for nothing would pass for nothing."""
    for wish in filter(None, map(str.strip, wishes.split(","))):
        match = _WISH.fullmatch(wish)
        if match is None or (match["file"] is None and match["action"] not in ACTIONS[:-1]):
            raise ValueError(f"{VARIABLE}: {wish!r} is not understood; name=action, with one of {', '.join(ACTIONS)}")
        first = int(match["first"] or 1)
        last = first + int(match["times"]) - 1 if match["times"] else float("inf")
        file = Path(match["file"]) if match["file"] else None
        _wishes[match["name"]] = _Wish(match["action"] or "hold", float(match["seconds"] or 0), first, last, file)


def _fail(name: str, wish: _Wish, half: Callable[[], object] | None) -> None:
    with _lock:
        wish.reached += 1
        if not wish.first <= wish.reached <= wish.last:
            return
    match wish.action:
        case "raise":
            raise RuntimeError(f"failpoint {name}")
        case "memory":
            raise RuntimeError(
                "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: failpoint"
            )
        case "broken":
            raise RuntimeError("CUDA error: device-side assert triggered\nCompile with TORCH_USE_CUDA_DSA.")
        case action if action in ERRORS:
            raise OSError(ERRORS[action], os.strerror(ERRORS[action]))
        case "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        case "sleep":
            time.sleep(wish.seconds)
        case "hold":
            raise ValueError(f"nobody asks whether to wait at {name}")
        case "half" if half is None:
            raise ValueError(f"nothing is written at {name}")
        case _:
            if half is not None and wish.action == "half":
                half()
            os._exit(EXIT_STATUS)


def arm_as_the_environment_says() -> None:
    """Once more, in a process whose environment is another than when this module was imported."""
    _wishes.clear()
    _arm(os.environ.get(VARIABLE, ""))


arm_as_the_environment_says()

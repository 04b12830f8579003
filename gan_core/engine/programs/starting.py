"""Starts modules of the engine as programs: forked by a process that has imported what they import, else as interpreters.

An interpreter takes seconds of computing to import torch, a fork a few milliseconds. A fork is made on Linux alone: elsewhere
system libraries do not survive one.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from gan_core.engine.programs.forked import ForkServer

ROOT = Path(__file__).resolve().parents[3]
FORKS = sys.platform == "linux" and hasattr(os, "pidfd_open")
SEARCH_PATH = "PYTHONPATH"  # what an interpreter imports from: that of the fork server cannot be changed later


class Program(Protocol):
    """A program that was started: a part of ``subprocess.Popen``."""

    @property
    def stdin(self) -> IO[bytes] | None: ...

    @property
    def stdout(self) -> IO[bytes] | None: ...

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int, /) -> None: ...

    def kill(self) -> None: ...


_lock = threading.Lock()
_server: ForkServer | None = None


def forks() -> bool:
    """Whether programs are forked on this machine."""
    return FORKS


def prepare() -> None:
    """Have the fork server import, so that the first program begins at once. Raises OSError."""
    if forks():
        _ready()


def start(module: str, *arguments: str, errors: IO[bytes] | None = None) -> Program:
    """Run a module, which hands its arguments to its ``main``, in a session of its own.

    Its standard input and output are pipes; it ends at once when the first one is closed. Standard error is ``errors``, or
    that of this process. Raises OSError.
    """
    if forks() and (server := _ready()).search_path == os.environ.get(SEARCH_PATH):
        with suppress(BrokenPipeError):  # it has just ended
            return server.fork(module, arguments, errors)
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get(SEARCH_PATH)]))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "gan_core.lifeline", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, SEARCH_PATH: path},
        start_new_session=True,  # Ctrl-C in a terminal is for this process alone
    )


def let_go(program: Program) -> None:
    """Kill it if it lives, and close its pipes."""
    program.kill()
    program.wait()
    for pipe in (program.stdout, program.stdin):
        assert pipe is not None
        with suppress(OSError):  # what it did not hear is still in the pipe
            pipe.close()


def _ready() -> ForkServer:
    """The fork server of this process, begun if there is none that lives."""
    global _server
    with _lock:
        if _server is None or not _server.lives:
            if _server is not None:
                _server.close()
            _server = ForkServer(ROOT, os.environ.get(SEARCH_PATH))
            atexit.register(_server.close)
        return _server

"""The fork server, and the programs that it forked, seen from the process that asked for them."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

MODULE = "gan_core.engine.programs.fork_server"
SIZE = struct.Struct(">I")  # bytes of a request
NUMBER = struct.Struct(">i")  # a process id, then an exit status
END_SECONDS = 2.0  # for a fork server that closes its sockets to be gone
LOST_SECONDS = 0.2  # between two looks at a program whose fork server is gone
# Libraries make their pools of threads when they are loaded; a process that forks must have one thread.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class ForkServer:
    """A process that imports what programs import and forks one for each request. ``search_path`` is its PYTHONPATH.

    Raises OSError.
    """

    def __init__(self, root: Path, search_path: str | None) -> None:
        self.search_path = search_path
        self._lock = threading.Lock()
        self._requests, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "gan_core.lifeline", MODULE],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={
                        **os.environ,
                        **ONE_THREAD,
                        "PYTHONPATH": os.pathsep.join(filter(None, [str(root), search_path])),
                    },
                    start_new_session=True,  # Ctrl-C in a terminal is for whoever started it
                )
        except OSError:
            self._requests.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def last_status(self) -> int:
        """The exit status of one whose sockets are closed: it is told a moment later."""
        try:
            return self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL

    def fork(self, module: str, arguments: Sequence[str], errors: IO[bytes] | None = None) -> Forked:
        """Ask for a program, which gets the environment of this process as it is now. Raises OSError."""
        request = {
            "module": module,
            "arguments": list(arguments),
            "cwd": os.getcwd(),
            "environment": dict(os.environ),
        }
        text = json.dumps(request).encode()
        news, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ends: list[int] = []
        try:
            ends += os.pipe()
            ends += os.pipe()
            reads, stdin, stdout, writes = ends
            given = [reads, writes, 2 if errors is None else errors.fileno(), theirs.fileno()]
            with self._lock:
                socket.send_fds(self._requests, [SIZE.pack(len(text))], given)
                self._requests.sendall(text)
            for end in (reads, writes):
                ends.remove(end)
                os.close(end)
            theirs.close()
        except OSError:
            for end in ends:
                os.close(end)
            news.close()
            theirs.close()
            raise
        return Forked(self, news, os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"))

    def close(self) -> None:
        """End it; programs that it forked live on."""
        self._requests.close()
        self._process.kill()
        self._process.wait()


class Forked:
    """A program that a fork server was asked for, as ``subprocess.Popen`` is one: may be used by several threads.

    What has not begun yet can be spoken to already, and ends at once when it is killed.
    """

    def __init__(self, server: ForkServer, news: socket.socket, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.stdin, self.stdout = stdin, stdout
        self.returncode: int | None = None
        news.setblocking(False)
        self._server, self._news = server, news
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._handle: int | None = None  # a pidfd: names this process, also when its number is another's
        self._lost = False  # nobody is left who could tell its exit status

    @property
    def pid(self) -> int:
        """Waited for, if it has not begun. Raises ProcessLookupError if it never will."""
        while True:
            status = self.poll()
            if self._pid is not None:
                return self._pid
            if status is not None:
                raise ProcessLookupError
            self._await(None)

    def poll(self) -> int | None:
        """The exit status, negative where a signal ended it; None while it lives."""
        with self._lock:
            while self.returncode is None and not self._lost:
                try:
                    said, handles, *_ = socket.recv_fds(self._news, NUMBER.size, 1)
                except BlockingIOError:
                    break
                except OSError:
                    said, handles = b"", []
                if not said:
                    self._lost = True
                elif self._pid is None:
                    (self._pid,), (self._handle,) = NUMBER.unpack(said), handles
                else:
                    self._end(*NUMBER.unpack(said))
            if self._lost and self.returncode is None and not self._may_live():
                self._end(self._server.last_status() if self._handle is None else -signal.SIGKILL)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired(MODULE, timeout or 0.0)
            self._await(left)
        return status

    def send_signal(self, sig: int) -> None:
        """Nothing happens to one that is gone, or has not begun and is not to be ended."""
        if self.poll() is not None:
            return
        with self._lock:
            if self._handle is not None:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._handle, sig)
            elif sig in (signal.SIGKILL, signal.SIGTERM) and self.returncode is None:
                self._end(-sig)  # the fork server finds nobody there, and forks none

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _await(self, seconds: float | None) -> None:
        """Until there is news, or these seconds have passed."""
        if self._lost:
            time.sleep(min(LOST_SECONDS, LOST_SECONDS if seconds is None else seconds))
            return
        news = select.poll()
        with suppress(OSError, ValueError):  # another thread has heard the end meanwhile
            news.register(self._news, select.POLLIN)
            news.poll(None if seconds is None else 1000 * seconds)

    def _may_live(self) -> bool:
        if self._handle is None:
            return False
        gone = select.poll()
        gone.register(self._handle, select.POLLIN)
        return not gone.poll(0)

    def _end(self, status: int) -> None:
        self.returncode = status
        with suppress(OSError):
            self._news.shutdown(socket.SHUT_RDWR)  # whoever waits for news in another thread wakes
        self._news.close()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

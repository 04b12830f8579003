"""The server's end of the bridge to a Ray cluster: starts that process, again where it ends, and hears what it says."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from gan_core.cluster import frames
from gan_core.cluster.handshake import PACKAGE

log = logging.getLogger(__name__)

AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # between two attempts to connect
CLOSE_SECONDS = 4.0  # for the runs that end to be off their nodes
LAST_WORDS = 4_000
BRIDGE = ("gan_core.lifeline", "gan_core.cluster.bridge")  # the program at the other end


class Line(Protocol):
    """A run on the cluster, to which belongs what the bridge says of it."""

    run: str
    lease: int

    def hear(self, word: dict[str, Any], blob: bytes) -> None: ...
    def connected(self) -> None:
        """There is a bridge (again), which does not know this run yet."""
        ...

    def disconnected(self, why: str) -> None: ...
    def refused(self, why: str) -> None:
        """There has never been a connection, and there is none now."""
        ...


@dataclass
class Seen:
    """What is known of the cluster at ``address``: its nodes, as the bridge tells of them, and why there is no contact.

    ``bridge`` is the number of the process that is connected, None while there is none.
    """

    address: str
    nodes: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    lost: int = 0  # runs whose node or worker was lost
    returned: int = 0  # of these, how many train again
    places: dict[str, str] = field(default_factory=dict)  # the node of each run that trains
    bridge: int | None = None


class Connection:
    """To the cluster of which ``seen`` is kept up to date. ``found`` is called with the runs that go on there by themselves.

    Safe to use from any thread.
    """

    def __init__(self, seen: Seen, namespace: str, found: Callable[[list[str]], None]) -> None:
        self.seen, self._namespace, self._found = seen, namespace, found
        self._lines: dict[str, Line] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()  # who speaks; never held while waiting for an answer
        self._ready = self._closed = self._ever = self._looked = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._stay_connected, name="cluster", daemon=True)
        self._thread.start()

    def add(self, line: Line) -> None:
        """From now on this line hears of its run; it is told at once whether there is a connection."""
        with self._lock:
            self._lines[line.run] = line
            ready, problem = self._ready, self.seen.problem
        if ready:
            line.connected()
        elif problem and not self._ever:
            line.refused(problem)
        self._wake.set()

    def drop(self, line: Line) -> None:
        """Nothing more is to be heard of this run, which ends wherever it is."""
        with self._lock:
            if self._lines.get(line.run) is line:
                del self._lines[line.run]
        self.say({"do": "end", "run": line.run, "lease": line.lease})

    def say(self, word: dict[str, Any], blob: bytes = b"") -> None:
        """Tell the bridge; nothing where there is none: who has something to say again will be told of the next one."""
        with self._lock:
            process = self._process
            if process is None or process.stdin is None or not self._ready:
                return
            with suppress(OSError, ValueError):
                process.stdin.write(frames.pack(word, blob))
                process.stdin.flush()

    def close(self) -> None:
        """End the bridge. Runs that were not ended go on, for the next server."""
        self.say({"do": "bye"})
        with self._lock:
            self._closed = True
            process = self._process
        self._wake.set()
        if process is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(CLOSE_SECONDS)
            process.kill()
        self._thread.join(CLOSE_SECONDS)

    def _stay_connected(self) -> None:
        attempt = 0
        while not self._closed:
            was_ready = False
            try:
                was_ready = self._live_once()
            except OSError as error:
                self._out(f"the bridge could not be started: {error}")
            except Exception:
                log.exception("the bridge said what could not be understood")
                self._out("the bridge said what could not be understood")
            attempt = 0 if was_ready else attempt + 1
            self._wake.clear()
            if not self._closed:
                self._wake.wait(AGAIN_SECONDS[min(attempt, len(AGAIN_SECONDS) - 1)])

    def _live_once(self) -> bool:
        """One bridge from its start to its end; returns whether it was connected."""
        path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
        program = [*BRIDGE, self.seen.address, self._namespace]
        with subprocess.Popen(
            [sys.executable, "-P", "-m", *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        ) as process:
            words = _LastWords(process.stderr)
            try:
                with self._lock:
                    self._process = process
                    if self._closed:
                        process.kill()
                assert process.stdout is not None
                self._hear(process.stdout)
            finally:
                process.kill()
                with self._lock:
                    was_ready, self._ready, self._process = self._ready, False, None
                    self.seen.bridge = None
                with suppress(OSError):  # what it did not hear is still in the pipe
                    assert process.stdin is not None
                    process.stdin.close()
        if was_ready and not self._closed:
            log.warning("the bridge to the cluster ended: %s", words.text)
            self._out("the bridge to the cluster ended")
        elif not self.seen.problem and not self._closed:
            self._out(f"the bridge to the cluster did not start: {words.text[-300:]}")
        return was_ready

    def _hear(self, stream: IO[bytes]) -> None:
        while True:
            try:
                word, blob = frames.read(stream)
            except (EOFError, OSError):
                return
            match word["say"]:
                case "refused":
                    self._out(word["why"])
                case "connected":
                    with self._lock:
                        self._ready = self._ever = True
                        self.seen.problem = ""
                        self.seen.bridge = self._process.pid if self._process is not None else None
                        lines = list(self._lines.values())
                    for line in lines:
                        line.connected()
                case "nodes":
                    self.seen.nodes = word["nodes"]
                    if not self._looked:
                        self._looked = True
                        self._found([run for run in word["living"] if run not in self._lines])
                case _:
                    known = self._lines.get(word["run"])
                    if known is not None and known.lease == word["lease"]:
                        known.hear(word, blob)

    def _out(self, why: str) -> None:
        with self._lock:
            self.seen.problem = why
            lines = list(self._lines.values())
        for line in lines:
            if self._ever:
                line.disconnected(why)
            else:
                line.refused(why)


class _LastWords:
    """The end of what a process writes on standard error."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self.text = ""
        self._stream = stream
        threading.Thread(target=self._read, name="bridge-errors", daemon=True).start()

    def _read(self) -> None:
        assert self._stream is not None
        with suppress(OSError, ValueError):
            while data := os.read(self._stream.fileno(), LAST_WORDS):
                self.text = (self.text + data.decode(errors="replace"))[-LAST_WORDS:]

"""A run on a node: a Ray actor around a worker process (`engine/running/worker`), with a log of all that was said.

The worker is the one that trains on the server's own machine, and is spoken to by the same frames. What it saves lies on
this node until the server has it, so a log entry with the file stands before the entry that tells of it. Every call names
the lease of the run; one with another lease is not answered.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from gan_core.checkpoints import FILE, TEMPORARY
from gan_core.cluster import frames
from gan_core.cluster.handshake import PACKAGE, compared, here
from gan_core.cluster.log import Log

POLL_SECONDS = 1.0  # an answer waits this long for something to tell
TELLS_OF_FILES = ("Note", "State", "Ended")  # what is in the folder is sent before these words
ALONE_SECONDS = 12 * 3600.0  # without a server: then the run saves and ends
LOCK = ".in-use"
DATA = "GANSCOPE_DATA"  # the folder of published sets on this node, where it has one
ERRORS_BYTES = 16_000  # of standard error, in one entry


THREADS = {"hear": 1, "speak": 2}  # of an actor, for the methods of each group


Method = TypeVar("Method", bound=Callable[..., Any])


def _group(name: str) -> Callable[[Method], Method]:
    """As ``ray.method(concurrency_group=name)``, for a class that is also read where there is no Ray."""

    def mark(method: Method) -> Method:
        method.__ray_concurrency_group__ = name  # type: ignore[attr-defined]
        return method

    return mark


class StaleLease(RuntimeError):
    """Another start of this run holds the lease."""


class Trainer:
    """One run. ``begins_at`` is the round of the checkpoint that it goes on from, −1 for none; ``env`` is set for its worker.

    The methods may be called from several threads of the actor, ``tell`` from one.
    """

    def __init__(self, run: str, lease: int, namespace: str, begins_at: int, env: dict[str, str]) -> None:
        os.umask(0o077)
        self.run, self.lease = run, lease
        self.home = _home(namespace)
        self._in_use = settle_at(self.home)
        self.folder = self.home / "runs" / run / str(lease)
        (self.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        self._env = env
        self._log = Log(begins={begins_at: 0})
        self._told: dict[str, tuple[int, int, int]] = {}  # files in the folder of which the server knows
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0  # of the last word that was obeyed
        self._state: dict[str, Any] | None = None
        self._asked_at = time.monotonic()
        threading.Thread(target=self._mind, name="alone", daemon=True).start()

    # Asked by the bridge

    def greet(self, sets: list[str], files: list[dict[str, str]]) -> dict[str, Any]:
        """What this node is, which of these data sets it lacks, which files of published ones, and which are others here."""
        lacking = [name for name in sets if not (self.home / "datasets" / name).is_dir()]
        told = {"versions": here(), "node": _name_of_node(), "lacking": lacking, "absent": [], "taken": False}
        if own := os.environ.get(DATA):
            absent, others = compared(files, Path(own).expanduser())
            if not absent:
                return {**told, "others": others}
            self._env = {**self._env, DATA: ""}  # then of nothing: the worker reads what was sent
        absent, others = compared(files, self.home / "data")
        return {**told, "absent": [*absent, *others], "others": []}

    @_group("hear")
    def take_over(self, lease: int, round: int) -> dict[str, Any] | None:
        """Belong to a later start of this run, which goes on from the checkpoint of ``round``; None where that cannot be.

        All that was said since that checkpoint will be told again.
        """
        reach = self._log.reaches_back_to(round)
        if lease <= self.lease or reach is None:
            return None
        self.lease, self._number = lease, 0
        self._asked_at = time.monotonic()
        begin, heard = reach
        return {
            "versions": here(),
            "node": _name_of_node(),
            "lacking": [],
            "absent": [],
            "taken": True,
            "begin": begin,
            "had": heard,
            "state": self._state if begin else None,
        }

    @_group("speak")
    def poll(self, lease: int, after: int, heard: int) -> dict[str, Any]:
        """What was said since entry ``after``; the server has all up to ``heard``."""
        self._check(lease)
        self._asked_at = time.monotonic()
        self._log.heard(heard)
        entries = self._log.after(after, POLL_SECONDS)
        return {"entries": entries, "number": self._number, "now": time.time()}

    @_group("hear")
    def tell(self, lease: int, number: int, what: str, data: dict[str, Any], blob: bytes) -> None:
        """A word to the run; one that came before is not obeyed again, one that comes too early not yet."""
        self._check(lease)
        if number != self._number + 1:
            return
        self._number = number
        match what:
            case "file":
                self._receive(data, blob)
            case "settle":  # a data set is whole
                with suppress(OSError):  # another run has brought it meanwhile
                    os.rename(self.home / data["from"], self.home / data["to"])
            case "frame":
                self._speak(blob)
            case "signal" if self._process is not None:
                self._process.send_signal(data["number"])

    @_group("hear")
    def leave(self) -> None:
        """End the worker, and remove what lies here of the run: the server has all that counts."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _check(self, lease: int) -> None:
        if lease != self.lease:
            raise StaleLease(f"lease {lease} of run {self.run} is over; {self.lease} holds")

    # To the worker

    def _receive(self, data: dict[str, Any], blob: bytes) -> None:
        path = (self.home / data["path"]).resolve()
        if not path.is_relative_to(self.home):
            raise ValueError(f"{data['path']} lies elsewhere")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{self.run}.{self.lease}{TEMPORARY}")
        with open(part, "r+b" if data["offset"] else "wb") as file:
            file.seek(data["offset"])
            file.write(blob)
        if data["offset"] + len(blob) < data["total"]:
            return
        if _digest(part) != data["sha256"]:
            part.unlink()
            raise ValueError(f"{path.name} did not arrive as it was sent")
        os.replace(part, path)
        if path.parent == self.folder / "checkpoints":
            self._told[path.name] = _look(path)  # the server has it

    def _speak(self, blob: bytes) -> None:
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended, which the log says
            self._process.stdin.write(blob)
            self._process.stdin.flush()

    def _start(self) -> None:
        path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
        worker = ["gan_core.lifeline", "gan_core.engine.running.worker", self.run]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", *worker],
            cwd=self.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, **self._env},
            start_new_session=True,
        )
        for target in (self._hear, self._hear_errors):
            threading.Thread(target=target, name=target.__name__, daemon=True).start()

    # From the worker

    def _hear(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        while True:
            try:
                header, text, blob = frames.read_raw(process.stdout)
            except (EOFError, OSError, ValueError):
                break
            word = json.loads(text)[1]
            kind = word.get("=") if isinstance(word, dict) else None
            checkpoint = None
            if kind in TELLS_OF_FILES:
                self._send_files()
                if kind == "State":
                    self._state = {"state": word["state"], "round": word["round"], "why": word["why"]}
                if kind == "Note" and word["kind"] == "checkpoint":
                    checkpoint = word["round"]
            self._log.append({"what": "frame", "kind": kind}, header + text + blob, checkpoint)
        process.kill()
        self._send_files()
        self._log.append({"what": "exit", "code": process.wait()})

    def _hear_errors(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        while data := os.read(self._process.stderr.fileno(), ERRORS_BYTES):
            self._log.append({"what": "errors"}, data)

    def _send_files(self) -> None:
        """All that is new in the folder of checkpoints, tensors before the JSON that seals them, and the names of all."""
        folder = self.folder / "checkpoints"
        with suppress(FileNotFoundError):
            names = [name for name in os.listdir(folder) if FILE.fullmatch(name)]
            order = {"safetensors": 0, "json": 1}
            changed = False
            for name in sorted(names, key=lambda name: (order.get(name.rsplit(".", 1)[1], 2), name)):
                with suppress(FileNotFoundError):
                    seen = _look(folder / name)
                    if self._told.get(name) != seen:
                        digest = _digest(folder / name)
                        self._log.append_file({"what": "file", "name": name, "sha256": digest}, str(folder / name))
                        self._told[name], changed = seen, True
            if changed or self._told.keys() - set(names):
                self._told = {name: seen for name, seen in self._told.items() if name in names}
                self._log.append({"what": "names", "names": sorted(self._told)})

    def _mind(self) -> None:
        """A run that no server asks for saves and ends by itself, and so does its actor, much later."""
        while time.monotonic() - self._asked_at < ALONE_SECONDS:
            time.sleep(5.0)
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
        while time.monotonic() - self._asked_at < 2 * ALONE_SECONDS:
            time.sleep(5.0)
        self.leave()
        os._exit(0)


def settle_at(home: Path) -> IO[bytes]:
    """Make the folder of this node, which is in use until the file that is returned is closed, as it is when this process
    ends; and remove those of nodes that are gone, which nobody uses any more.
    """
    root = home.parent.parent
    home.mkdir(parents=True, exist_ok=True)
    with open(root / LOCK, "ab") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        home.mkdir(parents=True, exist_ok=True)  # another may have removed it just now
        mine = open(home / LOCK, "ab")  # noqa: SIM115
        fcntl.flock(mine, fcntl.LOCK_SH)
        for other in root.glob("*/*/"):
            if other == home:
                continue
            with suppress(OSError), open(other / LOCK, "ab") as theirs:
                fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(other, ignore_errors=True)
                other.parent.rmdir()  # fails where there are more
    return mine


def _home(namespace: str) -> Path:
    """Where this node keeps what it was sent, for this user alone."""
    import ray

    node = ray.get_runtime_context().get_node_id()[:12]
    return Path(tempfile.gettempdir()).resolve() / f"ganscope-{os.getuid()}" / namespace / node


def _name_of_node() -> str:
    import ray

    return f"{socket.gethostname()} ({ray.util.get_node_ip_address()}, {ray.get_runtime_context().get_node_id()[:6]})"


def _look(path: Path) -> tuple[int, int, int]:
    """What tells a file from one that took its name."""
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

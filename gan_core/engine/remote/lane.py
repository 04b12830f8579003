"""A run on the cluster in the guise of a worker process: what is written to it goes to its node, what it says is read here.

The files that it saves there are put into the store here before what it says of them is heard.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from gan_core import checkpoints
from gan_core.checkpoints import FILE, round_of, tensors_of
from gan_core.cluster.handshake import of_file
from gan_core.config import RunConfig, flatten
from gan_core.data.places import data_root
from gan_core.data.published import PUBLISHED
from gan_core.data.shelf import NAME
from gan_core.engine.messages import Ended, EndState, Job, Note, Rows, State
from gan_core.engine.remote.connection import Connection
from gan_core.engine.running import wire
from gan_core.engine.running.worker import GPU_SHARE
from gan_core.failpoints import VARIABLE

log = logging.getLogger(__name__)

CHUNK_BYTES = 8 * 2**20
AGAIN_SECONDS = 1.0  # between two attempts to put a file into a store that cannot take it
ROWS_SECONDS = 5.0  # for rows to be on record; where the store cannot take them a checkpoint is worth more than a gap
KILLED = -9  # how a process ends of which nothing else is known
LAST_WORDS = 8_000


class Lane:
    """One start of one run. ``lease`` is its number. ``lost`` is asked, when it was lost, whether it goes on elsewhere, and
    ``recorded`` to which round there are rows of a run in the store.

    It has what `processes` asks of a worker and of its process: pipes, ``kill``, ``wait``, ``send_signal``.
    """

    def __init__(
        self,
        job: Job,
        lease: int,
        connection: Connection,
        store: Path,
        needs: dict[str, float],
        lost: Callable[[Lane], bool],
        recorded: Callable[[str], int],
    ) -> None:
        self.job, self.run, self.lease = job, job.run_id, lease
        self.stdin, self.stdout = _Mouth(self._speak), _Ear()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = self
        self.returncode: int | None = None
        self.where = ""  # the node
        self.waits = "looking for room on the cluster"
        self.round = 0 if job.resume_from is None else round_of(job.resume_from)
        self._connection, self._store, self._needs, self._lost, self._recorded = (
            connection,
            store,
            needs,
            lost,
            recorded,
        )
        self.begins_at = -1 if job.resume_from is None else self.round
        self._lock = threading.Lock()
        self._begun = self._greeted = self._dead = False
        self._held: list[tuple[str, dict[str, Any], bytes]] = []  # until the node is known
        self._unheard: deque[tuple[int, str, dict[str, Any], bytes]] = deque()
        self._number = 0  # of the last word to the run
        self._passed = 0  # the last entry that came
        self._names: set[str] = set()  # of checkpoint files that the node has
        self._file: list[bytes] = []
        self._replayed = 0  # entries up to this one an earlier server had
        connection.add(self)

    # As a process

    def kill(self) -> None:
        with self._lock:
            first, self._dead = not self._dead, True
            if self.returncode is None:
                self.returncode = KILLED
        if first:
            self._connection.drop(self)
            self.stdout.end()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.run, timeout or 0.0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        self._send("signal", {"number": int(number)})

    def last_words(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")[-LAST_WORDS:]

    def reap(self) -> None:
        self.kill()

    def close(self) -> None:
        self.kill()
        self.errors.close()

    # From the connection

    def connected(self) -> None:
        """Begin the run; where it has begun, go on hearing it."""
        with self._lock:
            if self._dead:
                return
            begun, self._begun = self._begun, True
            again = list(self._unheard)
            greeted = self._greeted
        if begun and greeted:
            self.waits = ""
            self._connection.say({"do": "attach", "run": self.run, "lease": self.lease, "after": self._passed})
            for number, what, data, blob in again:
                self._tell(number, what, data, blob)
            return
        env = {VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}
        if 0 < self._needs["gpus"] < 1:
            env[GPU_SHARE] = str(self._needs["gpus"])
        try:
            files = _files_of(self.job.config)
        except OSError as error:
            self._end("failed", f"The data cannot be read: {error.strerror}.")
            return
        begin = {"begins_at": self.begins_at, "sets": self._sets(), "files": files, "needs": self._needs, "env": env}
        self._connection.say({"do": "begin", "run": self.run, "lease": self.lease, **begin})

    def disconnected(self, why: str) -> None:
        self.waits = f"no contact with the cluster: {why}"

    def refused(self, why: str) -> None:
        mark = "" if why.endswith("?") else "."
        self._end("failed", f"The cluster at {self._connection.seen.address} cannot be used: {why}{mark}")

    def hear(self, word: dict[str, Any], blob: bytes) -> None:
        """What the bridge says of this run, in order."""
        match word["say"]:
            case "waits":
                self.waits = word["why"]
            case "silent":
                self.waits = f"no contact with its node for {word['seconds']:.0f} s"
            case "contact":
                self.waits = ""
            case "greeted":
                self._greet(word)
            case "entries":
                self._passed = word["entries"][-1]["seq"]
                with self._lock:
                    while self._unheard and self._unheard[0][0] <= word["number"]:
                        self._unheard.popleft()
                self._take_all(word["entries"], blob)
            case "lost" if word["kind"] == "refused":
                self._end("failed", f"{word['why'][:1].upper()}{word['why'][1:]}")
            case "lost" if word["kind"] == "memory":
                self._end("failed", f"Out of memory: {word['why']}. A smaller batch or narrower networks need less.")
            case "lost":
                log.warning("run %s was lost: %s", self.run, word["why"])
                self._gone(f"Its node {self.where} was lost" if self.where else "It was lost on the cluster")

    def _greet(self, word: dict[str, Any]) -> None:
        self.where, self.waits = word["node"], ""
        self._connection.seen.places[self.run] = self.where
        if word["taken"]:
            self._passed, self._replayed = word["begin"], word["had"]
            if (state := word["state"]) is not None:
                self.stdout.feed(_framed(wire.PROCESS, wire.Ready()))
                self.stdout.feed(_framed(self.run, State(state["state"], self.round, state["why"])))
        else:
            for name in word["absent"]:
                self.send_file(data_root() / name, f"data/{name}")
            self._send_files(word["lacking"])
        with self._lock:
            held, self._held, self._greeted = self._held, [], True
        for what, data, blob in held:
            if not (word["taken"] and data["kind"] in ("Setup", "Job")):
                self._send(what, data, blob)

    def _take_all(self, entries: list[dict[str, Any]], blobs: bytes) -> None:
        """What the thread that hears the run reads and does is put to it at once, the end of the run behind all the rest."""
        told: list[bytes | Callable[[], None]] = []
        place = 0
        for entry in entries:
            blob, place = blobs[place : place + entry["bytes"]], place + entry["bytes"]
            told += self._take(entry, blob)
        heard = {"do": "heard", "run": self.run, "lease": self.lease, "seq": entries[-1]["seq"]}
        self.stdout.feed(*told, lambda: self._connection.say(heard))
        if entries[-1]["what"] == "exit":
            self._exit(entries[-1]["code"])

    def _take(self, entry: dict[str, Any], blob: bytes) -> Iterator[bytes | Callable[[], None]]:
        match entry["what"]:
            case "frame":
                if not self._was_heard(entry, blob):
                    yield blob
            case "file":
                yield lambda: self._put(entry, blob)
            case "names":
                yield lambda: self._forget_others(set(entry["names"]))
            case "errors":
                self.errors.seek(0, io.SEEK_END)
                self.errors.write(blob)
                self.errors.flush()

    def _was_heard(self, entry: dict[str, Any], blob: bytes) -> bool:
        """Whether this is on record although it is told again: what happened at the round of the checkpoint, after it."""
        if entry["seq"] > self._replayed or entry["kind"] not in ("Note", "Rows"):
            return False
        _, word = wire.read(io.BytesIO(blob))
        if isinstance(word, Rows):
            measured = self.job.measured_at
            return word.track == "diagnostics" and measured is not None and int(word.rounds[-1]) <= measured
        return isinstance(word, Note) and word.round <= self.begins_at

    def _exit(self, code: int) -> None:
        if code in (-9, -15):  # nobody here asked for that, or the lane would be dead
            self._gone("The process of the run was ended from outside")
            return
        self.returncode = code
        self.stdout.end()

    def _gone(self, what: str) -> None:
        if self._lost(self):
            self._end("interrupted", f"{what}; it goes on from its last checkpoint.")
        else:
            again = "that happened again and again from the same checkpoint, so it does not go on by itself"
            self._end("interrupted", f"{what}; {again}. Resume goes on with it once the reason is known.")

    def _end(self, state: EndState, message: str) -> None:
        self.stdout.feed(_framed(self.run, Ended(state, self._last_round(), message)))

    def _last_round(self) -> int:
        try:
            saved = checkpoints.checkpoints(self.job.checkpoint_dir)
        except OSError:
            saved = []
        return max([self.round, *map(round_of, saved)])

    # To the run

    def _speak(self, frame: bytes) -> None:
        """A frame from the lab; of places that it names, the node has its own."""
        run, word = wire.read(io.BytesIO(frame))
        home = Path("runs") / self.run / str(self.lease)
        match word:
            case wire.Setup():
                frame = _framed(run, wire.Setup(Path("."), Path("cache")))
            case Job():
                source = word.resume_from and home / "checkpoints" / word.resume_from.name
                frame = _framed(run, replace(word, checkpoint_dir=home / "checkpoints", resume_from=source))
        self._send("frame", {"kind": type(word).__name__}, frame)

    def _send(self, what: str, data: dict[str, Any], blob: bytes = b"") -> None:
        with self._lock:
            if self._dead:
                return
            if not self._greeted:
                self._held.append((what, data, blob))
                return
            self._number += 1
            number = self._number
            self._unheard.append((number, what, data, blob))
            self._tell(number, what, data, blob)

    def _tell(self, number: int, what: str, data: dict[str, Any], blob: bytes) -> None:
        told = {"do": "tell", "run": self.run, "lease": self.lease, "number": number, "what": what, "data": data}
        self._connection.say(told, blob)

    def _send_now(self, what: str, data: dict[str, Any], blob: bytes = b"") -> None:
        """Before all that is held."""
        with self._lock:
            self._number += 1
            self._unheard.append((self._number, what, data, blob))
            self._tell(self._number, what, data, blob)

    def send_file(self, path: Path, to: str) -> None:
        """Put a file of the store onto the node, below its home."""
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        for offset in range(0, max(len(content), 1), CHUNK_BYTES):
            data = {"path": to, "offset": offset, "total": len(content), "sha256": digest}
            self._send_now("file", data, content[offset : offset + CHUNK_BYTES])

    def _send_files(self, lacking: Iterable[str]) -> None:
        """The data sets that the node lacks, and all checkpoints, with the tensors of the one to go on from and of the best."""
        for name in lacking:
            part = f"datasets/.{name}.{self.run}.{self.lease}"
            for path in sorted((self._store / "datasets" / name).iterdir()):
                self.send_file(path, f"{part}/{path.name}")
            self._send_now("settle", {"from": part, "to": f"datasets/{name}"})
        start = self.job.resume_from
        if start is None:
            return
        folder, to = self.job.checkpoint_dir, f"runs/{self.run}/{self.lease}/checkpoints"
        best = {tensors_of(checkpoints.path_of(folder, round)) for round in checkpoints.marks(folder, "best")}
        wanted = {tensors_of(start), *best}
        told = [path for path in sorted(folder.iterdir()) if FILE.fullmatch(path.name)] if folder.is_dir() else []
        for path in dict.fromkeys([tensors_of(start), start, *told]):
            if path.is_file() and (path.suffix != ".safetensors" or path in wanted):
                self.send_file(path, f"{to}/{path.name}")
                if path.parent == folder:
                    self._names.add(path.name)

    def _sets(self) -> list[str]:
        """The folders of the data sets of one's own that the run learns from."""
        named = {match[2] for word in _words_of(self.job.config) if (match := NAME.search(word))}
        return sorted(name for name in named if (self._store / "datasets" / name).is_dir())

    # Files from the run, in the thread that hears it

    def _put(self, entry: dict[str, Any], blob: bytes) -> None:
        if not FILE.fullmatch(entry["name"]):
            raise ValueError(f"{entry['name'][:80]!r} is no file of a checkpoint")
        if not entry["offset"]:
            self._file = []
        self._file.append(blob)
        if entry["offset"] + len(blob) < entry["total"]:
            return
        content, self._file = b"".join(self._file), []
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            log.warning("%s of run %s did not arrive as it was sent", entry["name"], self.run)
            return
        if entry["name"].endswith(".json"):
            self._wait_for_rows(round_of(Path(entry["name"])))
        while not self._dead:
            try:
                self.job.checkpoint_dir.mkdir(parents=True, exist_ok=True)
                checkpoints.put(self.job.checkpoint_dir / entry["name"], content)
                self.waits = ""
                return
            except OSError as error:  # a full disk: what the run says waits here, and it goes on meanwhile
                self.waits = f"the store cannot take its checkpoint: {error.strerror}"
                time.sleep(AGAIN_SECONDS)

    def _wait_for_rows(self, round: int) -> None:
        """Until the rows up to a checkpoint are on record, which were heard before it: whoever goes on from it lacks none."""
        deadline = time.monotonic() + ROWS_SECONDS
        while not self._dead and time.monotonic() < deadline and self._recorded(self.run) < round:
            time.sleep(0.05)

    def _forget_others(self, names: set[str]) -> None:
        """What the node has dropped goes here too, but for what somebody pinned here."""
        folder = self.job.checkpoint_dir
        for name in sorted(self._names - names, key=lambda name: not name.endswith(".json")):
            if not (folder / name).with_suffix(".pinned").is_file():
                (folder / name).unlink(missing_ok=True)
        self._names = names


def _words_of(config: RunConfig) -> set[str]:
    """All that is said in words in a config, names of data sets among them, whichever game has the settings."""
    return {value for value in flatten(config.to_dict()).values() if isinstance(value, str)}


def _files_of(config: RunConfig) -> list[dict[str, str]]:
    """The files of the published sets that a run learns from, as far as they are here. Raises OSError."""
    named = _words_of(config) & PUBLISHED.keys()
    files = dict.fromkeys(
        file for name in sorted(named) for file in [*PUBLISHED[name].files, *PUBLISHED[name].archives]
    )
    root = data_root()
    return [of_file(root / file, file) for file in files if (root / file).is_file()]


class _Mouth(io.RawIOBase):
    """Where `wire` writes; each flush hands over whole frames."""

    def __init__(self, speak: Callable[[bytes], None]) -> None:
        super().__init__()
        self._speak, self._buffer = speak, bytearray()

    def write(self, data: Any) -> int:
        self._buffer += data
        return len(data)

    def flush(self) -> None:
        stream = io.BytesIO(bytes(self._buffer))
        self._buffer.clear()
        size = len(stream.getbuffer())
        while (start := stream.tell()) < size:
            wire.read(stream)
            self._speak(stream.getbuffer()[start : stream.tell()].tobytes())


class _Ear(io.RawIOBase):
    """Where `wire` reads: bytes that come, and what is to be done when these have been read."""

    def __init__(self) -> None:
        super().__init__()
        self._items: SimpleQueue[Sequence[bytes | Callable[[], None] | None]] = SimpleQueue()
        self._next: deque[bytes | Callable[[], None] | None] = deque()
        self._buffer = b""
        self._over = False

    def feed(self, *items: bytes | Callable[[], None]) -> None:
        self._items.put(items)

    def end(self) -> None:
        self._items.put((None,))

    def read(self, size: int = -1) -> bytes:
        """So many bytes, waiting for them; fewer at the end."""
        while len(self._buffer) < size and not self._over:
            if not self._next:
                self._next.extend(self._items.get())
                continue
            match self._next.popleft():
                case None:
                    self._over = True
                case bytes() as data:
                    self._buffer += data
                case work:
                    work()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data


def _framed(run: str, word: Any) -> bytes:
    stream = io.BytesIO()
    wire.write(stream, run, word)
    return stream.getvalue()

"""A run on a cluster as the server sees it, with the bridge's words said by the test."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_core.checkpoints import checkpoints, path_of, pin, write
from gan_core.engine.messages import Ended, Job, Note, Rows, State
from gan_core.engine.remote.connection import Seen
from gan_core.engine.remote.lane import Lane
from gan_core.engine.running import wire


class Bridge:
    """In place of the connection: remembers what it was told."""

    def __init__(self) -> None:
        self.seen = Seen("head:6379")
        self.told: list[tuple[dict[str, Any], bytes]] = []

    def add(self, line: Lane) -> None:
        line.connected()

    def drop(self, line: Lane) -> None:
        self.told.append(({"do": "end"}, b""))

    def say(self, word: dict[str, Any], blob: bytes = b"") -> None:
        self.told.append((word, blob))

    def words(self, what: str) -> list[dict[str, Any]]:
        return [word for word, _ in self.told if word["do"] == what]


class Node:
    """The other end of a lane, numbering its entries."""

    def __init__(self, lane: Lane, begin: int = 0) -> None:
        self.lane, self.seq = lane, begin
        self.gathered: list[tuple[dict[str, Any], bytes]] | None = None

    def greet(self, **taken: Any) -> None:
        self.lane.hear({"say": "greeted", "node": "box", "lacking": [], "absent": [], "taken": False, **taken}, b"")

    def say(self, what: str, blob: bytes = b"", **data: Any) -> None:
        self.seq += 1
        told = {"seq": self.seq, "bytes": len(blob), "what": what, **data}, blob
        if self.gathered is None:
            self._pass([told])
        else:
            self.gathered.append(told)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is said meanwhile comes as the entries of one answer."""
        self.gathered = []
        yield
        told, self.gathered = self.gathered, None
        self._pass(told)

    def _pass(self, told: list[tuple[dict[str, Any], bytes]]) -> None:
        entries = [entry for entry, _ in told]
        self.lane.hear({"say": "entries", "number": 0, "entries": entries}, b"".join(blob for _, blob in told))

    def word(self, word: Any) -> None:
        stream = io.BytesIO()
        wire.write(stream, self.lane.run, word)
        self.say("frame", stream.getvalue(), kind=type(word).__name__)

    def file(self, name: str, content: bytes, piece: int = 1000, sha256: str = "") -> None:
        digest = sha256 or hashlib.sha256(content).hexdigest()
        for offset in range(0, len(content), piece):
            part = content[offset : offset + piece]
            self.say("file", part, name=name, sha256=digest, offset=offset, total=len(content))


@pytest.fixture
def bridge() -> Bridge:
    return Bridge()


@pytest.fixture
def lane(bridge: Bridge, tmp_path: Path, small: Callable) -> Callable[..., Lane]:
    def make(**details: Any) -> Lane:
        job = Job("a-run", small(), tmp_path / "checkpoints", **details)
        connection: Any = bridge
        return Lane(job, 7, connection, tmp_path, {"cpus": 1.0, "gpus": 0.0}, lambda lane: True, lambda run: 10**9)

    return make


def heard(lane: Lane) -> list[Any]:
    """What the lab hears of the run, when there is no more."""
    lane.stdout.end()
    words = []
    while True:
        try:
            words.append(wire.read(lane.stdout)[1])  # type: ignore[arg-type]
        except EOFError:
            return words


def saved(tmp_path: Path, *rounds: int) -> Path:
    folder = tmp_path / "elsewhere"
    for round in rounds:
        write(folder, round, b"tensors of %d" % round * 500, {})
    return folder


def send(node: Node, folder: Path) -> None:
    for path in sorted(folder.iterdir(), key=lambda path: (path.suffix == ".json", path)):
        node.file(path.name, path.read_bytes())
    node.say("names", names=[path.name for path in folder.iterdir()])


def test_a_checkpoint_is_in_the_store_before_it_is_told(lane: Callable, tmp_path: Path) -> None:
    run = lane()
    node = Node(run)
    node.greet()
    send(node, saved(tmp_path, 5))
    node.word(Note(5, "checkpoint", {}))
    assert checkpoints(run.job.checkpoint_dir) == []
    (_, word) = wire.read(run.stdout)
    assert word == Note(5, "checkpoint", {})
    assert checkpoints(run.job.checkpoint_dir) == [path_of(run.job.checkpoint_dir, 5)]
    assert run.job.checkpoint_dir.joinpath("round-000000005.safetensors").read_bytes() == b"tensors of 5" * 500


def test_what_did_not_arrive_whole_or_is_no_checkpoint_is_not_put(lane: Callable, tmp_path: Path) -> None:
    run = lane()
    node = Node(run)
    node.greet()
    node.file("round-000000005.json", b"{}", sha256="0" * 64)
    assert heard(run) == []
    assert not list(tmp_path.rglob("round-*"))
    wrong = lane()
    Node(wrong).file("../../index.sqlite", b"{}")
    with pytest.raises(ValueError, match="no file of a checkpoint"):
        heard(wrong)


def test_what_the_node_drops_goes_here_too_but_for_pins(lane: Callable, tmp_path: Path) -> None:
    run = lane()
    node = Node(run)
    node.greet()
    folder = saved(tmp_path, 5, 6, 7)
    send(node, folder)
    node.say("frame", kind="Beat")  # nothing, and all before it is done
    node.word(State("running", 7))
    wire.read(run.stdout)
    pin(run.job.checkpoint_dir, 5)
    node.say("names", names=[path.name for path in folder.iterdir() if "7" in path.name])
    heard(run)
    assert [path.name for path in checkpoints(run.job.checkpoint_dir)] == [
        "round-000000005.json",
        "round-000000007.json",
    ]


def test_what_is_told_again_to_the_next_server_is_on_record_once(lane: Callable, tmp_path: Path) -> None:
    saved(tmp_path, 20).rename(tmp_path / "checkpoints")
    run = lane(resume_from=path_of(tmp_path / "checkpoints", 20), measured_at=20)
    wire.write(run.stdin, wire.PROCESS, wire.Setup(tmp_path, tmp_path))  # type: ignore[arg-type]
    wire.write(run.stdin, "a-run", run.job)  # type: ignore[arg-type]
    wire.write(run.stdin, "a-run", "sample")  # type: ignore[arg-type]
    run.stdin.flush()
    node = Node(run, begin=40)
    node.greet(taken=True, begin=40, had=44, state={"state": "paused", "round": 25, "why": ""})
    node.word(Rows("diagnostics", ("a",), np.array([20]), np.zeros((1, 1), np.float32)))
    node.word(Note(20, "kept", {}))
    node.word(Rows("turns", ("D.loss",), np.array([21, 22]), np.zeros((2, 1), np.float32)))
    node.word(Note(22, "knob", {}))
    node.word(Note(20, "late", {}))
    told = heard(run)
    assert told[:2] == [wire.Ready(), State("paused", 20)]
    assert [word.track if isinstance(word, Rows) else word.kind for word in told[2:]] == ["turns", "knob", "late"]
    bridge: Any = run._connection
    assert [word["data"]["kind"] for word in bridge.words("tell")] == ["str"], "it has its job, and obeys"


def test_what_comes_at_once_is_read_in_order_and_acknowledged_once(
    lane: Callable, bridge: Bridge, tmp_path: Path
) -> None:
    run = lane()
    node = Node(run)
    node.greet()
    with node.at_once():
        node.word(State("running", 5))
        send(node, saved(tmp_path, 5))
        node.word(Note(5, "checkpoint", {}))
        node.say("exit", code=0)
    assert run.poll() == 0, "its process has ended"
    assert wire.read(run.stdout)[1] == State("running", 5)
    assert checkpoints(run.job.checkpoint_dir) == [], "what lies behind it is not done yet"
    assert heard(run) == [Note(5, "checkpoint", {})]
    assert checkpoints(run.job.checkpoint_dir) == [path_of(run.job.checkpoint_dir, 5)]
    assert [word["seq"] for word in bridge.words("heard")] == [node.seq]


def test_the_next_bridge_is_told_what_the_run_has_not_heard(lane: Callable, bridge: Bridge) -> None:
    run = lane()
    node = Node(run)
    node.greet()
    for command in ("pause", "resume", "sample"):
        wire.write(run.stdin, "a-run", command)  # type: ignore[arg-type]
        run.stdin.flush()
    entry = {"seq": 3, "bytes": 0, "what": "frame", "kind": "Beat"}
    run.hear({"say": "entries", "number": 1, "entries": [entry]}, b"")
    bridge.told.clear()
    run.disconnected("the bridge ended")
    assert run.waits == "no contact with the cluster: the bridge ended"
    run.connected()
    assert bridge.words("attach") == [{"do": "attach", "run": "a-run", "lease": 7, "after": 3}]
    assert [word["number"] for word in bridge.words("tell")] == [2, 3]


@pytest.mark.parametrize(
    ("kind", "why", "state", "message"),
    [
        ("lost", "its node died", "interrupted", "Its node box was lost; it goes on from its last checkpoint."),
        (
            "memory",
            "the memory of its node ran out, and Ray ended it",
            "failed",
            "Out of memory: the memory of its node",
        ),
        ("refused", "the node box cannot train", "failed", "The node box cannot train"),
    ],
)
def test_how_a_run_ends_that_ray_gave_up(kind: str, why: str, state: str, message: str, lane: Callable) -> None:
    run = lane()
    Node(run).greet()
    run.hear({"say": "lost", "kind": kind, "why": why}, b"")
    (end,) = heard(run)
    assert isinstance(end, Ended)
    assert (end.state, end.message.startswith(message)) == (state, True)

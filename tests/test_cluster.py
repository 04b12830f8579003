"""What lives on a cluster, without one: the log of a run, the comparison of versions, what the bridge refuses at once."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gan_core import failpoints
from gan_core.cluster import bridge, log, trainer
from gan_core.cluster.handshake import differences, here, of_file, other_data
from gan_core.cluster.log import Log
from gan_core.config import ConfigError
from gan_core.engine.messages import Job
from gan_core.engine.remote.executor import needs_of, where_to_train
from gan_core.engine.remote.lane import Lane
from gan_core.engine.running import worker
from gan_core.engine.running.executors import setting_of


def told(kept: Log, seq: int = 0) -> list[bytes]:
    return [blob for _, _, blob in kept.after(seq, 0.0)]


def test_a_log_tells_everything_once_and_in_order(tmp_path: Path) -> None:
    kept = Log()
    (tmp_path / "file").write_bytes(b"tensors")
    kept.append({"what": "frame"}, b"one")
    kept.append_file({"what": "file"}, str(tmp_path / "file"))
    (tmp_path / "file").unlink()
    kept.append({"what": "frame"}, b"two")
    assert told(kept) == [b"one", b"tensors", b"two"], "a file that lost its name is still told"
    assert told(kept, 2) == [b"two"]
    assert [seq for seq, _, _ in kept.after(0, 0.0)] == [1, 2, 3]


def test_a_large_file_comes_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "CHUNK_BYTES", 4)
    monkeypatch.setattr(log, "BATCH_BYTES", 8)
    (tmp_path / "file").write_bytes(b"0123456789")
    kept = Log()
    kept.append_file({"what": "file"}, str(tmp_path / "file"))
    first = kept.after(0, 0.0)
    assert [(data["offset"], data["total"], blob) for _, data, blob in first] == [(0, 10, b"0123"), (4, 10, b"4567")]
    assert told(kept, first[-1][0]) == [b"89"]


def test_a_log_reaches_back_to_the_servers_second_newest_checkpoint() -> None:
    kept = Log(begins={-1: 0})
    for round in (10, 20, 30):
        kept.append({"what": "frame"}, b"rows")
        kept.append({"what": "frame"}, b"saved", checkpoint=round)
    assert kept.reaches_back_to(-1) == (0, 0)
    kept.heard(4)  # the checkpoint of round 20
    assert kept.reaches_back_to(-1) is None
    assert kept.reaches_back_to(10) == (2, 4)
    kept.heard(6)
    assert kept.reaches_back_to(10) is None
    assert kept.reaches_back_to(20) == (4, 6)
    assert told(kept, 4) == [b"rows", b"saved"]


def test_a_log_that_nobody_hears_loses_pictures_and_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_BYTES", 100)
    kept = Log()
    for _ in range(20):
        kept.append({"what": "frame", "kind": "Rows"}, b"r")
        kept.append({"what": "frame", "kind": "Sight"}, b"s" * 30)
    said = told(kept)
    assert said.count(b"r") == 20
    assert 0 < sum(blob.startswith(b"s") for blob in said) <= 3
    assert sum(map(len, said)) <= 100


def test_a_node_that_differs_is_refused_by_a_sentence() -> None:
    assert differences(here(), here(), "n1") == ""
    said = differences(here(), here() | {"torch": "1.13.1"}, "n1")
    assert said.startswith("The node n1 cannot train for this server: torch 1.13.1 there and ")
    assert here()["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def answering() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_the_bridge_refuses_at_once_what_cannot_work(
    answering: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    token = tmp_path / "token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    assert bridge.refusal(answering).startswith("there is no token for the cluster")
    token.write_text("secret")
    token.chmod(0o644)
    assert bridge.refusal(answering) == f"others can read the token of the cluster: chmod 600 {token}"
    token.chmod(0o600)
    assert bridge.refusal(answering) == bridge.refusal(f"ray://{answering}") == ""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert bridge.refusal(f"127.0.0.1:{port}").startswith(f"nothing answers at 127.0.0.1:{port} (")
    assert "it should be host:port" in bridge.refusal("lab")


def test_one_option_chooses_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANSCOPE_RAY", raising=False)
    assert setting_of(None, "head:6379") == "ray"
    with pytest.raises(ConfigError, match="ray needs the address of a cluster"):
        where_to_train("ray", None)
    monkeypatch.setenv("GANSCOPE_RAY", "head:6379")
    assert setting_of(None) == "ray"
    assert setting_of("thread") == "thread", "what is asked for now comes first"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install -r requirements-ray\.txt"):
        where_to_train(None, None)


def test_what_a_run_takes_of_its_node_can_be_said(tiny: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("a-run", tiny("mlp"), Path("checkpoints"))
    assert needs_of(job, {}) == {"cpus": 1.0, "gpus": 0.0}
    monkeypatch.setenv("GANSCOPE_RAY_CPUS", "0.5")
    monkeypatch.setenv("GANSCOPE_RAY_GPUS", "2")
    assert needs_of(job, {}) == {"cpus": 0.5, "gpus": 0.0}, "a run on a CPU takes no GPU"
    on_a_gpu = replace(job, config=job.config.model_copy(update={"device": "cuda"}))
    assert needs_of(on_a_gpu, {})["gpus"] == 2.0
    assert needs_of(on_a_gpu, {"gpus": 0.25}) == {"cpus": 0.5, "gpus": 0.25}, "what is said of this run comes first"
    for wrong in ("1.5", "-1", "many", "nan"):
        monkeypatch.setenv("GANSCOPE_RAY_CPUS", wrong)
        with pytest.raises(ConfigError, match="GANSCOPE_RAY_CPUS is '"):
            where_to_train("ray", "head:6379")


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a node, with nothing in it, and no data elsewhere on its machine."""
    home = tmp_path / "ganscope-1000" / "lab" / "node"
    monkeypatch.setattr(trainer, "_home", lambda namespace: home)
    monkeypatch.setattr(trainer, "_name_of_node", lambda: "n1")
    monkeypatch.delenv("GANSCOPE_DATA", raising=False)
    return home


def test_a_node_says_which_published_files_it_lacks_or_has_others_of(
    node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    files = [of_file(tmp_path / name, name) for name in ("a", "b")]
    run = trainer.Trainer("a-run", 1, "lab", -1, {})
    assert run.greet([], files)["absent"] == ["a", "b"]
    monkeypatch.setenv("GANSCOPE_DATA", str(tmp_path))
    assert (run.greet([], files)["absent"], run.greet([], files)["others"]) == ([], [])
    (tmp_path / "b").write_text("another")
    told = run.greet([], files)
    assert (told["absent"], told["others"]) == ([], ["b"])
    assert other_data(told["others"], "n1").startswith("The node n1 has other data than this server: b there")
    (tmp_path / "b").unlink()
    told = run.greet([], files)
    assert (told["absent"], told["others"]) == (["a", "b"], []), (
        "what is not whole there is sent, and read from elsewhere"
    )
    assert run._env == {"GANSCOPE_DATA": ""}
    (node / "data").mkdir()
    (node / "data" / "a").write_text("a")
    assert run.greet([], files)["absent"] == ["b"], "what was sent once is there"


def test_a_node_removes_what_nodes_that_are_gone_have_left(node: Path) -> None:
    gone, lives = node.with_name("gone"), node.parent.with_name("other") / "lives"
    for other in (gone, lives):
        (other / "runs").mkdir(parents=True)
    held = trainer.settle_at(lives)
    (gone / "runs").mkdir(parents=True)
    trainer.Trainer("a-run", 1, "lab", -1, {})
    assert not gone.exists()
    assert lives.is_dir(), "somebody uses it"
    held.close()
    trainer.settle_at(node).close()
    assert not lives.parent.exists()
    assert node.is_dir()


class _Bridge:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def add(self, line: Any) -> None:
        line.connected()

    def say(self, word: dict[str, Any], blob: bytes = b"") -> None:
        self.told.append(word)


def test_of_a_gpu_that_is_shared_a_process_takes_its_share_of_the_memory(
    tiny: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job("a-run", tiny("mlp"), tmp_path)
    monkeypatch.delenv(failpoints.VARIABLE, raising=False)  # which a process takes along too
    for share, env in ((0.25, {"GANSCOPE_GPU_SHARE": "0.25"}), (1.0, {}), (2.0, {})):
        bridge_told: Any = _Bridge()
        Lane(job, 1, bridge_told, tmp_path, {"cpus": 1.0, "gpus": share}, lambda lane: False, lambda run: 0)
        assert bridge_told.told[0]["env"] == env
    asked: list[float] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", asked.append)
    worker.keep_to_its_share()
    monkeypatch.setenv("GANSCOPE_GPU_SHARE", "0.25")
    worker.keep_to_its_share()
    assert asked == [0.25]


class _Slow:
    """A run that answers from the attempt ``answers_at`` on; of a bridge that had no core for a while."""

    def __init__(self, answers_at: int) -> None:
        self.attempts, self.answers_at = 0, answers_at
        self.poll = self.tell = self

    async def remote(self, *_: object) -> dict[str, Any]:
        self.attempts += 1
        if self.attempts < self.answers_at:
            await asyncio.Event().wait()
        return {"entries": [(1, {"what": "exit", "code": 0, "at": 0.0}, b"")], "number": 0, "now": 0.0}


@pytest.mark.parametrize("answers_at", [bridge.ATTEMPTS, bridge.ATTEMPTS + 1])
def test_a_run_is_given_up_only_after_several_calls_without_an_answer(
    answers_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(bridge, "CONTACT_SECONDS", 0.0)
    asks = bridge.Bridge.__new__(bridge.Bridge)
    asks._ray = SimpleNamespace(exceptions=SimpleNamespace(ActorUnavailableError=ConnectionError))
    asks._lanes, said = {}, []
    monkeypatch.setattr(asks, "say", lambda word, blob=b"", **data: said.append(word))
    lane = bridge.Lane("a-run", 1, actor=_Slow(answers_at))
    with pytest.raises(TimeoutError) if answers_at > bridge.ATTEMPTS else nullcontext():
        asyncio.run(asks._listen(lane))
    assert said.count("silent") == bridge.ATTEMPTS - 1
    assert ("entries" in said) == (answers_at <= bridge.ATTEMPTS)


class OutOfMemoryError(Exception):
    """As Ray calls it."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OutOfMemoryError("the node was low on memory"), "memory"),
        (RuntimeError("The actor died: Task was killed due to the node running low on memory."), "memory"),
        (RuntimeError("ModuleNotFoundError: No module named 'gan_core'"), "refused"),
        (RuntimeError("The actor died unexpectedly before finishing this task.\n\tclass_name: Trainer"), "lost"),
    ],
)
def test_what_ray_says_is_told_apart(error: Exception, kind: str) -> None:
    assert bridge._why(error)[1] == kind

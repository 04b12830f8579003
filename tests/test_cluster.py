"""What lives on a cluster, without one: the log of a run, the comparison of versions, what the bridge refuses at once."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gan_core.cluster import bridge, log
from gan_core.cluster.handshake import differences, here
from gan_core.cluster.log import Log
from gan_core.config import ConfigError
from gan_core.engine.messages import Job
from gan_core.engine.remote.executor import needs_of, where_to_train
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
    assert needs_of(job) == {"cpus": 1.0, "gpus": 0.0}
    monkeypatch.setenv("GANSCOPE_RAY_CPUS", "0.5")
    monkeypatch.setenv("GANSCOPE_RAY_GPUS", "2")
    assert needs_of(job) == {"cpus": 0.5, "gpus": 0.0}, "a run on a CPU takes no GPU"
    assert needs_of(replace(job, config=job.config.model_copy(update={"device": "cuda"})))["gpus"] == 2.0
    for wrong in ("1.5", "-1", "many", "nan"):
        monkeypatch.setenv("GANSCOPE_RAY_CPUS", wrong)
        with pytest.raises(ConfigError, match="GANSCOPE_RAY_CPUS is '"):
            where_to_train("ray", "head:6379")


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

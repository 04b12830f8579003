"""What is lost on a cluster comes back: the same rows, each once, and the same bits at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest
from ports import free_port
from ray_cluster import LocalCluster

from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.engine.remote import executor
from gan_core.store import RunRecord
from gan_core.training import build, capture, load_source, play, state_hash

ROUNDS = 4000
SAVING = {"schedule.rounds": ROUNDS, "schedule.checkpoint_seconds": 1.0, "diagnostics.every": 500}


@pytest.fixture
def lab(cluster: LocalCluster, tmp_path: Path) -> Iterator[Lab]:
    with Lab(tmp_path / "runs", tick=0.05, ray=cluster.address) as opened:
        yield opened


@pytest.fixture(scope="session")
def config(small: Callable) -> RunConfig:
    return small(SAVING)


@pytest.fixture(scope="session")
def whole(config: RunConfig) -> str:
    """The hash after all rounds of a run that nothing happened to."""
    game = build(config, load_source(config))
    for turn in play(game):
        if turn.ends_round and turn.round == ROUNDS:
            break
    return state_hash(capture(game, ROUNDS))


def is_whole(lab: Lab, run: RunRecord, hash: str) -> None:
    """Every round is on record once, and the end is that of a run that was left alone."""
    assert (run.status, run.rounds) == ("finished", ROUNDS), run.message
    assert lab.store.track(run.id, "turns", []).rounds.tolist() == list(range(1, ROUNDS + 1))
    measured = lab.store.track(run.id, "diagnostics", []).rounds.tolist()
    assert measured == sorted(set(measured))
    assert [frame.round for frame in lab.store.frames(run.id)] == measured
    assert run.summary["state_hash"] == hash


def worker_of(run: str) -> psutil.Process:
    (found,) = [
        process
        for process in psutil.process_iter(["cmdline"])
        if (process.info["cmdline"] or [])[-2:] == ["gan_core.engine.running.worker", run]
    ]
    return found


def plays(lab: Lab, run: str) -> bool:
    """Whether it trains just now, and has said so; not whether it did before it was lost."""
    status = lab.view(run).status
    return status["state"] == "running" and status["rounds_per_second"] > 0 and "node" in status


def saved(lab: Lab, run: str) -> bool:
    return bool(lab.kept_rounds(run)) and lab.view(run).status["round"] > max(lab.kept_rounds(run))


def test_a_run_whose_process_is_killed_goes_on(lab: Lab, config: RunConfig, whole: str, until: Callable) -> None:
    run = lab.submit(config)
    until(lambda: saved(lab, run), "there is a checkpoint to go on from", 120)
    worker_of(run).kill()
    is_whole(lab, lab.wait(run, 120), whole)
    assert lab.cluster is not None
    assert (lab.cluster.lost, lab.cluster.returned) == (1, 1)


def node_of(lab: Lab, cluster: LocalCluster, run: str) -> str:
    assert lab.cluster is not None
    return next(node for node in cluster.nodes() if node in lab.cluster.places.get(run, ""))


def test_a_run_whose_node_is_lost_goes_on_elsewhere_unnoticed_by_others(
    lab: Lab, cluster: LocalCluster, config: RunConfig, whole: str, until: Callable
) -> None:
    assert lab.cluster is not None
    runs = [lab.submit(config) for _ in range(2)]
    until(lambda: all(saved(lab, run) for run in runs), "there are checkpoints to go on from", 120)
    lost = node_of(lab, cluster, runs[0])
    on_it = [run for run in runs if node_of(lab, cluster, run) == lost]
    cluster.add_node(cpus=8)
    cluster.kill_node(lost)
    for run in runs:
        is_whole(lab, lab.wait(run, 120), whole)
    assert lab.cluster.lost == lab.cluster.returned == len(on_it)


def test_a_node_that_comes_back_is_not_heard_any_more(
    lab: Lab, cluster: LocalCluster, config: RunConfig, whole: str, until: Callable
) -> None:
    assert lab.cluster is not None
    run = lab.submit(config)
    until(lambda: saved(lab, run), "there is a checkpoint to go on from", 120)
    node = node_of(lab, cluster, run)
    cluster.add_node(cpus=8)
    held = cluster.stopped(node)
    until(lambda: lab.cluster.returned == 1, "it goes on elsewhere", 120)
    for process in held:
        with suppress(psutil.NoSuchProcess):
            process.resume()
    is_whole(lab, lab.wait(run, 120), whole)
    cluster.kill_node(node)


def test_a_run_that_is_lost_again_and_again_stays(
    lab: Lab, small: Callable, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "AGAIN_SECONDS", (0.0, 0.0))
    assert lab.cluster is not None
    run = lab.submit(small({"schedule.rounds": 100_000_000, "diagnostics.every": 1_000_000}))
    for times in range(3):
        until(lambda: plays(lab, run), "it plays", 120)
        worker_of(run).kill()
        seen = times + 1, min(times + 1, 2)
        until(lambda seen=seen: (lab.cluster.lost, lab.cluster.returned) == seen, "that is noticed, and it goes on", 60)
    ended = lab.wait(run, 60)
    assert ended.status == "interrupted"
    assert "again and again from the same checkpoint" in ended.message


def test_runs_do_not_notice_that_the_bridge_was_killed(
    lab: Lab, config: RunConfig, whole: str, until: Callable
) -> None:
    assert lab.cluster is not None
    run = lab.submit(config)
    until(lambda: lab.view(run).status["round"] > 200, "it plays", 120)
    bridge = lab.cluster.bridge
    assert bridge is not None
    os.kill(bridge, signal.SIGKILL)
    until(lambda: lab.cluster.bridge not in (None, bridge), "there is another bridge", 60)
    lab.command(run, "pause")
    until(lambda: lab.view(run).status["state"] == "paused", "it obeys", 60)
    lab.command(run, "resume")
    is_whole(lab, lab.wait(run, 120), whole)
    assert lab.cluster.lost == 0


SERVER = """
import sys
from pathlib import Path
from gan_core.config import RunConfig
from gan_core.engine import Lab
lab = Lab(sys.argv[1], tick=0.05, ray=sys.argv[2], serving=True)
print(lab.submit(RunConfig.from_json(sys.stdin.readline())), flush=True)
sys.stdin.readline()
"""


def test_runs_go_on_while_there_is_no_server(
    cluster: LocalCluster, tmp_path: Path, config: RunConfig, whole: str, until: Callable
) -> None:
    root = tmp_path / "runs"
    command = [sys.executable, "-c", SERVER, str(root), cluster.address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(config.to_dict()) + "\n")
        server.stdin.flush()
        run = server.stdout.readline().strip()
        until(lambda: [*root.rglob("round-*.json")], "there is a checkpoint", 120)
        server.kill()
    worker = worker_of(run)
    with Lab(root, tick=0.05, ray=cluster.address, serving=True) as lab:
        until(lambda: lab.is_active(run), "it is taken over", 60)
        assert worker_of(run) == worker, "the very process went on"
        is_whole(lab, lab.wait(run, 120), whole)


def test_a_cluster_without_its_head_is_waited_for(
    tmp_path: Path, config: RunConfig, whole: str, until: Callable, cluster: LocalCluster
) -> None:
    port, token = free_port(), cluster.environment["RAY_AUTH_TOKEN"]
    with ExitStack() as stack:
        first = stack.enter_context(LocalCluster(1, port=port, token=token))
        lab = stack.enter_context(Lab(tmp_path / "runs", tick=0.05, ray=first.address))
        assert lab.cluster is not None
        run = lab.submit(config)
        until(lambda: saved(lab, run), "there is a checkpoint to go on from", 120)
        first.close()
        until(lambda: "no contact" in lab.view(run).status["preparing"], "the page says so", 60)
        stack.enter_context(LocalCluster(1, port=port, token=token))
        is_whole(lab, lab.wait(run, 200), whole)

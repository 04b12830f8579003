"""What cannot train on a cluster is refused by a sentence, and what has no room says what it waits for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ports import free_port
from ray_cluster import LocalCluster

from gan_core.engine import Lab
from gan_core.engine.remote import executor

LONG = {"schedule.rounds": 100_000_000, "diagnostics.every": 1_000_000}


def test_a_run_that_fits_nowhere_waits_and_says_for_what(
    cluster: LocalCluster, tmp_path: Path, small: Callable, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Lab(tmp_path / "runs", tick=0.05, ray=cluster.address) as lab:
        monkeypatch.setattr(executor, "needs_of", lambda job, takes: {**takes, "gpus": 1.0})
        run = lab.submit(small(LONG), takes={"cpus": 100.0})
        until(lambda: "the cluster has none" in lab.view(run).status["preparing"], "it says so", 60)
        assert lab.view(run).status["preparing"] == "waiting for a node with 100 CPUs and 1 GPU: the cluster has none"
        assert lab.view(run).status["state"] == "queued"
        lab.command(run, "stop")
        assert lab.wait(run, 60).status == "stopped"


def test_a_node_with_another_torch_is_refused(tmp_path: Path, small: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other" / "torch-1.13.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.13.1\n")
    with LocalCluster(1, first=other.parent) as strange:
        for name, value in strange.environment.items():
            monkeypatch.setenv(name, value)
        with Lab(tmp_path / "runs", tick=0.05, ray=strange.address) as lab:
            ended = lab.wait(lab.submit(small(LONG)), 60)
    assert ended.status == "failed"
    assert ended.message.startswith("The node ")
    assert "torch 1.13.1 there and " in ended.message


@pytest.mark.parametrize("trouble", ["nobody", "token"])
def test_a_cluster_that_cannot_be_used_fails_the_run_with_the_reason(
    trouble: str, cluster: LocalCluster, tmp_path: Path, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = cluster.address if trouble == "token" else f"127.0.0.1:{free_port()}"
    if trouble == "token":
        monkeypatch.setenv("RAY_AUTH_TOKEN", "f" * len(os.environ["RAY_AUTH_TOKEN"]))
    with Lab(tmp_path / "runs", tick=0.05, ray=address) as lab:
        ended = lab.wait(lab.submit(small(LONG)), 100)
    assert ended.status == "failed"
    assert ended.message.startswith(f"The cluster at {address} cannot be used: ")
    assert ("nothing answers" if trouble == "nobody" else "token") in ended.message.lower()


def test_a_run_that_is_ended_for_want_of_memory_is_not_started_again(
    tmp_path: Path, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_memory_usage_threshold", "0.01")  # so whatever is used is too much: Ray ends what trains
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "500")
    with LocalCluster(1) as full:
        for name, value in full.environment.items():
            monkeypatch.setenv(name, value)
        with Lab(tmp_path / "runs", tick=0.05, ray=full.address) as lab:
            ended = lab.wait(lab.submit(small(LONG)), 100)
            assert lab.cluster is not None
            assert lab.cluster.lost == 0
    assert ended.status == "failed"
    assert ended.message.startswith("Out of memory: the memory of its node ran out, and Ray ended it.")

"""Runs on a Ray cluster of several nodes on this machine: how many in an hour, what a killed node costs, how late a point is.

    make test-ray                                       # once: makes the environment that has Ray
    .venv-ray/bin/python benchmarks/ray.py              # about fifteen minutes; writes docs/results/ray.md
    .venv-ray/bin/python benchmarks/ray.py --kills 2 --runs 2 --out /tmp/quick.md

Each node is told that it has one CPU, and its processes are bound to one core, as far as there are cores. A node is killed
as a power cut would. What is compared after a kill is every round on record, and the hash of the whole state at the end.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple, TypeVar

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from ray_cluster import LocalCluster

from benchmarks.sections import command_line
from gan_core.config import RunConfig, preset_config
from gan_core.engine import Lab
from gan_core.engine.showing.live import LiveView
from gan_core.training import build, capture, load_source, play, resolve, state_hash

NODES = (1, 2, 4)
ROUNDS = 4000
SEEDS = 5  # of the runs whose nodes are killed, in turn
WATCHED_SECONDS = 20.0
SETTINGS = {
    "schedule.rounds": ROUNDS,
    "schedule.checkpoint_seconds": 1.0,
    "diagnostics.every": 500,
    "diagnostics.samples": 64,
    "data.batch_size": 8,
    "model.generator.widths": [8],
    "model.discriminator.widths": [8],
    "device": "cpu",
}


T = TypeVar("T")


class Throughput(NamedTuple):
    """Runs that ended in an hour, had it gone on like that."""

    where: str
    per_hour: float


class Kills(NamedTuple):
    """What came of killing the node of a run: how many times, and of these how many were whole and equal at the end."""

    kills: int
    lost: int
    whole: int
    equal: int
    back: list[float]  # seconds from the kill to the first new round


def config(seed: int = 0, **changes: object) -> RunConfig:
    return resolve(preset_config("ring-mlp", {**SETTINGS, "seed": seed, **changes}))


@cache
def expected(seed: int) -> str:
    """The hash at the end of a run that nothing happened to."""
    wanted = config(seed)
    game = build(wanted, load_source(wanted))
    for turn in play(game):
        if turn.ends_round and turn.round == wanted.schedule.rounds:
            break
    return state_hash(capture(game, wanted.schedule.rounds))


@contextmanager
def cluster_of(nodes: int) -> Iterator[LocalCluster]:
    """So many nodes of one CPU each, every one bound to a core."""
    with LocalCluster(nodes, cpus=1) as cluster:
        os.environ |= cluster.environment
        cores = sorted(os.sched_getaffinity(0))
        for index, node in enumerate(cluster.nodes()):
            bind(cluster, node, cores[index % len(cores)])
        yield cluster


def bind(cluster: LocalCluster, node: str, core: int) -> None:
    raylet = cluster.raylet(node)
    for process in (raylet, *raylet.children(recursive=True)):
        with suppress(OSError, psutil.Error):  # a thread that is just ending
            for thread in process.threads():
                os.sched_setaffinity(thread.id, {core})


def throughput(folder: Path, runs: int) -> list[Throughput]:
    """As many runs at once as there are nodes; in processes, as many as there are nodes too."""
    found = []
    for nodes in NODES:
        with ExitStack() as stack:
            address = stack.enter_context(cluster_of(nodes)).address
            lab = stack.enter_context(Lab(folder / f"ray-{nodes}", ray=address))
            found.append(Throughput(f"Ray, nodes of one core: {nodes}", per_hour(lab, runs * nodes)))
        with Lab(folder / f"process-{nodes}", executor="process", capacity=nodes) as lab:
            found.append(Throughput(f"processes at once: {nodes}", per_hour(lab, runs * nodes)))
    return found


def per_hour(lab: Lab, runs: int) -> float:
    lab.wait(lab.submit(config(99)))  # what is loaded and found for the first time
    began = time.perf_counter()
    ids = [lab.submit(config(seed)) for seed in range(runs)]
    ended = [lab.wait(run) for run in ids]
    assert {run.status for run in ended} == {"finished"}, [run.message for run in ended]
    return 3600 * runs / (time.perf_counter() - began)


def kill_nodes(folder: Path, kills: int) -> Kills:
    """One run after another; the node of each is killed at some moment after its first checkpoint, and another is started."""
    lost = whole = equal = 0
    back: list[float] = []
    with ExitStack() as stack:
        cluster = stack.enter_context(cluster_of(2))
        lab = stack.enter_context(Lab(folder / "kills", tick=0.05, ray=cluster.address))
        assert lab.cluster is not None
        for seed in range(kills):
            run = lab.submit(config(seed % SEEDS))
            _until(lambda run=run: bool(lab.kept_rounds(run)))
            later = max(lab.kept_rounds(run)) + 37 * seed % 700
            _until(lambda run=run, later=later: _round(lab, run) >= later)
            node = next((one for one in cluster.nodes() if one in lab.cluster.places.get(run, "")), None)
            before = lab.cluster.lost
            if node is not None:  # else it has ended already
                view, at = lab.view(run), time.perf_counter()
                cluster.kill_node(node)
                _until(lambda run=run, view=view: not lab.is_active(run) or _plays_anew(lab, run, view))
                back.append(time.perf_counter() - at)
                bind(cluster, cluster.add_node(cpus=1), sorted(os.sched_getaffinity(0))[0])
            ended = lab.wait(run)
            lost += lab.cluster.lost - before
            rounds = lab.store.track(run, "turns", []).rounds.tolist()
            whole += ended.status == "finished" and rounds == list(range(1, ROUNDS + 1))
            equal += ended.summary.get("state_hash") == expected(seed % SEEDS)
    return Kills(kills, lost, whole, equal, back)


def _round(lab: Lab, run: str) -> int:
    return int(lab.view(run).status["round"]) if lab.is_active(run) else ROUNDS


def _plays_anew(lab: Lab, run: str, before: LiveView) -> bool:
    view = lab.view(run)
    return view is not before and view.status["state"] == "running" and bool(view.status["rounds_per_second"])


def _until(condition: object, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come to that")
        time.sleep(0.02)


def ages(folder: Path, executor: str) -> list[float]:
    """Seconds between two growths of the curves that a page gets, while a run trains: how old the newest point becomes."""
    with ExitStack() as stack:
        where = {"ray": stack.enter_context(cluster_of(1)).address} if executor == "ray" else {"executor": executor}
        lab = stack.enter_context(Lab(folder / f"ages-{executor}", **where))
        run = lab.submit(config(**{"schedule.rounds": 10_000_000, "diagnostics.every": 100_000}))
        _until(lambda: _round(lab, run) > 0)
        found, last, grown = [], _round(lab, run), time.perf_counter()
        ending = time.perf_counter() + WATCHED_SECONDS
        while time.perf_counter() < ending:
            if (now := _round(lab, run)) != last:
                found.append(time.perf_counter() - grown)
                last, grown = now, time.perf_counter()
            time.sleep(0.005)
        return found


def memory(folder: Path) -> dict[str, float]:
    """Proportional set size in MB, of a cluster of one node at rest, of the bridge, and of what a run adds on its node."""
    with ExitStack() as stack:
        cluster = stack.enter_context(cluster_of(1))
        nodes = psutil.Process(cluster.pid)
        time.sleep(5.0)
        rest = pss(nodes)
        lab = stack.enter_context(Lab(folder / "memory", ray=cluster.address))
        assert lab.cluster is not None
        run = lab.submit(config(**{"schedule.rounds": 10_000_000}))
        _until(lambda: _round(lab, run) > 500)
        bridge = lab.cluster.bridge
        assert bridge is not None
        worker = next(one for one in nodes.children(recursive=True) if one.cmdline()[-1:] == [run])
        whole, trains = pss(nodes), pss(worker)
        return {
            "a head and a node at rest": rest,
            "the bridge": pss(psutil.Process(bridge)),
            "a run: what trains": trains,
            "a run: what Ray adds": whole - rest - trains,
        }


def pss(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return sum(one.memory_full_info().pss for one in family if one.is_running()) / 2**20


def _told(found: T) -> T:
    """What a part has found, also on standard error: the whole takes long."""
    print(found, file=sys.stderr, flush=True)
    return found


def page(options: argparse.Namespace) -> str:
    """All of it, as docs/results/ray.md."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        killed = _told(kill_nodes(folder, options.kills))
        waits = {executor: ages(folder, executor) for executor in ("process", "ray")}
        sizes = _told(memory(folder))
        rates = _told(throughput(folder, options.runs))
    cores = len(os.sched_getaffinity(0))
    lines = [
        "# Runs on a Ray cluster",
        "",
        f"`{command_line()}` on {cores} cores; all nodes on this machine, each with one CPU as far as Ray is told, its "
        "processes bound to one core. A GAN on eight Gaussians with networks of eight units, "
        f"{ROUNDS:,} rounds, a checkpoint every second.",
        "",
        "## A node is killed",
        "",
        f"{killed.kills} runs, one after another, each on the node that was killed (`SIGKILL`, all of its processes) at some "
        f"moment after its first checkpoint; {killed.lost} were lost with it, the others had just ended. "
        f"{killed.whole} have every round on record once, and {killed.equal} end with the very state, bit for bit, of a run "
        "that nothing happened to. From the kill to the first new round: "
        f"median {median(killed.back):.1f} s, at most {max(killed.back):.1f} s.",
        "",
        "## How old the newest point of a page becomes",
        "",
        "| runs in | median | p95 | longest |",
        "|---|---|---|---|",
        *(
            f"| {executor} | {median(found):.2f} s | {quantiles(found, n=20)[-1]:.2f} s | {max(found):.2f} s |"
            for executor, found in waits.items()
        ),
        "",
        "## Memory",
        "",
        "| proportional set size | MB |",
        "|---|---|",
        *(f"| {what} | {size:,.0f} |" for what, size in sizes.items()),
        "",
        "## Runs in an hour",
        "",
        f"{options.runs} runs for each node or process, from the first start to the last end.",
        "",
        "| where | runs an hour |",
        "|---|---|",
        *(f"| {rate.where} | {rate.per_hour:,.0f} |" for rate in rates),
        "",
        f"More nodes than cores ({cores} here) share them: what four machines would do cannot be seen on this one.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--runs", type=int, default=6, help="for each node or process")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "ray.md")
    options = parser.parse_args()
    options.out.write_text(page(options))


if __name__ == "__main__":
    main()

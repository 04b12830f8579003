"""Runs on a Ray cluster of several nodes on this machine: what a killed node costs, how late a point is, runs an hour.

    make test-ray                                       # once: makes the environment that has Ray
    .venv-ray/bin/python benchmarks/ray.py              # about half an hour; writes docs/results/ray.md
    .venv-ray/bin/python benchmarks/ray.py --parts kills --anew
    .venv-ray/bin/python benchmarks/ray.py --parts kills --kills 2 --out /tmp/quick.md

Each part can be measured by itself; what was measured is a line of ``ray.jsonl`` beside the document and is not measured again,
unless ``--anew`` says so. Each node is told that it has one CPU, and its processes are bound to one core, as far as there are
cores. A node is killed as a power cut would. What is compared after a kill is every round on record, and the hash of the
whole state at the end.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from ray_cluster import LocalCluster

from benchmarks.ledger import Ledger, Row
from benchmarks.ray_crowd import at_once
from benchmarks.ray_page import page
from benchmarks.ray_schedule import played
from benchmarks.serving import machine
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
ENDLESS = {"schedule.rounds": 10_000_000, "diagnostics.every": 100_000}
Measured = Iterator[tuple[str, Row]]


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


def rates(folder: Path, options: argparse.Namespace) -> Measured:
    """Runs that would end in an hour: as many at once as there are nodes; in processes, as many as there are nodes too."""
    for nodes in NODES:
        with ExitStack() as stack:
            address = stack.enter_context(cluster_of(nodes)).address
            lab = stack.enter_context(Lab(folder / f"ray-{nodes}", ray=address))
            yield f"rates/ray/{nodes}", {"per_hour": per_hour(lab, options.runs * nodes), "runs": options.runs * nodes}
        with Lab(folder / f"process-{nodes}", executor="process", capacity=nodes) as lab:
            found = {"per_hour": per_hour(lab, options.runs * nodes), "runs": options.runs * nodes}
            yield f"rates/process/{nodes}", found


def per_hour(lab: Lab, runs: int) -> float:
    lab.wait(lab.submit(config(99)))  # what is loaded and found for the first time
    began = time.perf_counter()
    ids = [lab.submit(config(seed)) for seed in range(runs)]
    ended = [lab.wait(run) for run in ids]
    assert {run.status for run in ended} == {"finished"}, [run.message for run in ended]
    return 3600 * runs / (time.perf_counter() - began)


def kills(folder: Path, options: argparse.Namespace) -> Measured:
    """One run after another; the node of each is killed at some moment after its first checkpoint, and another is started."""
    todo = [number for number in range(options.kills) if options.missing(f"kills/{number}")]
    if not todo:
        return
    with ExitStack() as stack:
        cluster = stack.enter_context(cluster_of(2))
        lab = stack.enter_context(Lab(folder / "kills", tick=0.05, ray=cluster.address))
        for number in todo:
            yield f"kills/{number}", kill(cluster, lab, number)


def kill(cluster: LocalCluster, lab: Lab, number: int) -> Row:
    """What came of killing the node of one run, and after how many seconds it was noticed, had a node again, and played."""
    assert lab.cluster is not None
    seen = lab.cluster
    run = lab.submit(config(number % SEEDS))
    _until(lambda: bool(lab.kept_rounds(run)))
    later = max(lab.kept_rounds(run)) + 37 * number % 700
    _until(lambda: _round(lab, run) >= later)
    node = next((one for one in cluster.nodes() if one in seen.places.get(run, "")), None)
    before, found = seen.lost, Row()
    if node is not None:  # else it has ended already
        view, at = lab.view(run), time.perf_counter()
        cluster.kill_node(node)
        for name, is_so in (
            ("noticed", lambda: seen.lost > before),
            ("placed", lambda: node not in seen.places.get(run, node)),
            ("back", lambda: _plays_anew(lab, run, view)),
        ):
            _until(lambda is_so=is_so: is_so() or run not in _active_or_returning(lab, run))
            found[name] = time.perf_counter() - at
        bind(cluster, cluster.add_node(cpus=1), sorted(os.sched_getaffinity(0))[0])
    ended = lab.wait(run)
    rounds = lab.store.track(run, "turns", []).rounds.tolist()
    return found | {
        "lost": seen.lost - before,
        "whole": ended.status == "finished" and rounds == list(range(1, ROUNDS + 1)),
        "equal": ended.summary.get("state_hash") == expected(number % SEEDS),
    }


def _active_or_returning(lab: Lab, run: str) -> tuple[str, ...]:
    return (run,) if lab.store.run(run).status != "finished" else ()


def _round(lab: Lab, run: str) -> int:
    return int(lab.view(run).status["round"]) if lab.is_active(run) else ROUNDS


def _plays_anew(lab: Lab, run: str, before: LiveView) -> bool:
    view = lab.view(run)
    return view is not before and view.status["state"] == "running" and bool(view.status["rounds_per_second"])


def _until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come to that")
        time.sleep(0.02)


def ages(folder: Path, options: argparse.Namespace) -> Measured:
    """Seconds between two growths of the curves that a page gets, while a run trains: how old the newest point becomes."""
    for executor in ("process", "ray"):
        with ExitStack() as stack:
            ray = {"ray": stack.enter_context(cluster_of(1)).address} if executor == "ray" else {"executor": executor}
            lab = stack.enter_context(Lab(folder / f"ages-{executor}", **ray))
            run = lab.submit(config(**ENDLESS))
            _until(lambda lab=lab, run=run: _round(lab, run) > 0)
            found, last, grown = [], _round(lab, run), time.perf_counter()
            ending = time.perf_counter() + WATCHED_SECONDS
            while time.perf_counter() < ending:
                if (now := _round(lab, run)) != last:
                    found.append(round(time.perf_counter() - grown, 3))
                    last, grown = now, time.perf_counter()
                time.sleep(0.005)
            yield f"ages/{executor}", {"seconds": found}


def memory(folder: Path, options: argparse.Namespace) -> Measured:
    """Proportional set size in MB, of a cluster of one node at rest, of the bridge, and of what a run adds on its node; and
    the CPU seconds that the start of a run takes there."""
    with ExitStack() as stack:
        cluster = stack.enter_context(cluster_of(1))
        nodes = psutil.Process(cluster.pid)
        time.sleep(5.0)
        rest, spent = pss(nodes), cpu_seconds(nodes)
        lab = stack.enter_context(Lab(folder / "memory", ray=cluster.address))
        assert lab.cluster is not None
        run = lab.submit(config(**ENDLESS))
        _until(lambda: _round(lab, run) > 0)
        begun = cpu_seconds(nodes) - spent
        _until(lambda: _round(lab, run) > 500)
        bridge = lab.cluster.bridge
        assert bridge is not None
        worker = next(one for one in nodes.children(recursive=True) if one.cmdline()[-1:] == [run])
        whole, trains = pss(nodes), pss(worker)
        found = {
            "a head and a node at rest": rest,
            "the bridge": pss(psutil.Process(bridge)),
            "a run: what trains": trains,
            "a run: what Ray adds": whole - rest - trains,
            "seconds to start": begun,
        }
        yield "memory", found


def pss(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return sum(one.memory_full_info().pss for one in family if one.is_running()) / 2**20


def cpu_seconds(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in family if one.is_running())


PARTS: dict[str, Callable[[Path, argparse.Namespace], Measured]] = {
    "kills": kills,
    "ages": ages,
    "memory": memory,
    "rates": rates,
    "crowd": at_once,
    "schedule": played,
}


def main() -> None:
    """Measure what is asked for and not on record, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS), help=f'of {", ".join(PARTS)}; "" only writes the page')
    parser.add_argument("--anew", action="store_true", help="measure these parts again")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--runs", type=int, default=6, help="for each node or process")
    parser.add_argument("--actors", type=int, default=200, help="runs at once")
    parser.add_argument("--train", type=int, default=6, help="of these at most; and as many as there is memory for")
    parser.add_argument("--pages", type=int, default=20, help="that watch these")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "ray.md")
    options = parser.parse_args()
    ledger = Ledger(options.out.with_suffix(".jsonl"))
    for part in filter(None, options.parts.split(",")):
        _measure(part, ledger, options)
    options.out.write_text(page(ledger.rows))


def _measure(part: str, ledger: Ledger, options: argparse.Namespace) -> None:
    there = [key for key in ledger.rows if key.partition("/")[0] == part]
    options.missing = lambda key: options.anew or key not in there
    options.rows = ledger.rows
    if part != "kills" and there and not options.anew:
        return
    load = os.getloadavg()
    with tempfile.TemporaryDirectory() as name:
        for key, row in PARTS[part](Path(name), options):
            ledger.add(key, {**row, "machine": machine([load, os.getloadavg()])})
            print(key, row, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

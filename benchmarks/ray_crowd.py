"""Many runs on a cluster at once, and pages that watch them: how old the newest point is, and whether the store is whole.

As a program it is the server of the bench `ray.py`, which calls it.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks.crowd import Crowd, Viewer
from benchmarks.ledger import Row
from benchmarks.serving import Dashboard, parse_or_serve, serve

SPARED = 3 * 2**30  # bytes of memory that are left free
MB_OF_A_RUN = 440.0  # what a run takes, until that was measured
LIMIT_SECONDS = 900.0  # for all to begin
WATCHED_SECONDS = 60.0
LOOKS_PER_SECOND = 10
PAGES = ("", "runs", "watch", "cluster")  # that are opened while all train
TINY = {
    "schedule.rounds": 10_000_000,
    "schedule.checkpoint_seconds": 10.0,
    "diagnostics.every": 500,
    "diagnostics.samples": 64,
    "data.batch_size": 8,
    "model.generator.widths": [8],
    "model.discriminator.widths": [8],
    "device": "cpu",
}


# -- in the server's process

_marks: dict[str, list[tuple[float, int]]] = {}
_told = {"Rows": 0, "Sight": 0}


def carry_out(do: str, **details: Any) -> dict[str, Any]:
    """What the bench asks of the server: ``begin`` so many runs, say how many ``play``, and ``when`` a node told what."""
    from gan_core.engine import open_lab

    lab = open_lab()
    match do:
        case "begin":
            return {"runs": _begin(lab, details["runs"])}
        case "play":
            views = [lab.view(run) for run in details["runs"]]
            return {"play": sum(view.status["round"] > 0 for view in views)}
        case "when":
            return {"marks": {run: _marks.get(run, []) for run in details["runs"]}}
        case _:
            assert lab.cluster is not None
            return {
                "told": _told,
                "bridge": lab.cluster.bridge,
                "problem": lab.cluster.problem,
                "lost": lab.cluster.lost,
            }


def _begin(lab: Any, runs: int) -> list[str]:
    from gan_core.config import preset_config
    from gan_core.engine.running import scheduler
    from gan_core.training import resolve

    scheduler.MAX_WAITING = runs
    _mark_what_comes()
    return [lab.submit(resolve(preset_config("ring-mlp", {**TINY, "seed": seed}))) for seed in range(runs)]


def _mark_what_comes() -> None:
    """From now on remember when its node heard of each round of a run, by the clock of this machine, which is that of all."""
    from gan_core.engine.messages import Rows
    from gan_core.engine.remote.lane import Lane
    from gan_core.engine.running import wire

    take = Lane._take

    def marked(lane: Lane, entry: dict[str, Any], blob: bytes) -> Any:
        if entry["what"] == "frame" and entry["kind"] in _told:
            _told[entry["kind"]] += 1
        if entry["what"] == "frame" and entry["kind"] == "Rows":
            word = wire.read(io.BytesIO(blob))[1]
            if isinstance(word, Rows) and word.track == "turns":
                _marks.setdefault(lane.run, []).append((entry["at"], int(word.rounds[-1])))
        return take(lane, entry, blob)

    Lane._take = marked  # type: ignore[method-assign]


def serve_with_players(root: Path, port: int) -> None:
    """The application, whose bridge tells what there is no memory to train."""
    from gan_core.engine.remote import connection

    connection.BRIDGE = ("benchmarks.ray_players",)  # type: ignore[assignment]
    serve(root, port, carry_out)


# -- in the bench


def at_once(folder: Path, options: argparse.Namespace) -> Iterator[tuple[str, Row]]:
    """``options.actors`` runs at once and ``options.pages`` pages that watch some of them, evenly spread."""
    from ray_cluster import LocalCluster

    known = options.rows.get("memory", {})
    each = sum(known.get(key, MB_OF_A_RUN / 2) for key in ("a run: what trains", "a run: what Ray adds"))
    room = int((psutil.virtual_memory().available - SPARED) / 2**20 / each)
    trained = max(1, min(options.actors, options.train, room))
    with LocalCluster(2, cpus=math.ceil(trained / 2)) as cluster:
        os.environ |= cluster.environment
        os.environ |= {"GANSCOPE_RAY": cluster.address, "GANSCOPE_CLASS": "1", "GANSCOPE_BROWSERS_PER_ADDRESS": "500"}
        os.environ |= {"GANSCOPE_BENCH_TRAINED": str(trained), "PYTHONPATH": str(ROOT)}
        dashboard = Dashboard(folder, __file__)
        try:
            found = _watched(dashboard, folder, options)
        finally:
            with suppress(subprocess.TimeoutExpired):  # runs that are told do not end when they are asked to
                dashboard.close()
            with suppress(psutil.NoSuchProcess):
                psutil.Process(dashboard.pid).kill()
            del os.environ["GANSCOPE_RAY"]
    yield "crowd", {"runs": options.actors, "trained": trained, "room": room, **found, **_of_the_store(folder, trained)}


def _watched(dashboard: Dashboard, folder: Path, options: argparse.Namespace) -> Row:
    from gan_core.server.tickets import open_tickets

    began = time.monotonic()
    runs = dashboard.ask("begin", runs=options.actors)["runs"]
    while (plays := dashboard.ask("play", runs=runs)["play"]) < len(runs):
        if time.monotonic() - began > LIMIT_SECONDS:
            raise TimeoutError(f"{plays} of {len(runs)} runs play after {LIMIT_SECONDS:.0f} s")
        print(plays, "play", file=sys.stderr, flush=True)
        time.sleep(5.0)
    print("all play", file=sys.stderr, flush=True)
    begun = time.monotonic() - began
    seen = runs[:: max(1, len(runs) // options.pages)][: options.pages]
    tickets, server = open_tickets(folder), f"localhost:{dashboard.port}"
    crowd = Crowd([Viewer(server, run, tickets.mint(run)) for run in seen])
    try:
        crowd.until_all_are_there(120.0)
        before = dashboard.ask("state")
        processes = {"server": dashboard.pid, "bridge": before["bridge"]}
        cpu = {name: _cpu(pid) for name, pid in processes.items()}
        looks = _look(crowd, seen)
        used = {name: (_cpu(pid) - cpu[name]) / WATCHED_SECONDS for name, pid in processes.items()}
        state = dashboard.ask("state")
        told = {kind: (state["told"][kind] - count) / WATCHED_SECONDS for kind, count in before["told"].items()}
        opened = {
            page or "home": _seconds_to_open(crowd, server, seen[0], tickets.mint(seen[0]), page) for page in PAGES
        }
        marks = dashboard.ask("when", runs=seen)["marks"]
        faults = crowd.faults
    finally:
        crowd.close()
    return {
        "begun": begun,
        "pages": len(seen),
        "ages": _percentiles(_ages(looks, marks)),
        "cpu": used,
        "told": told,
        "opened": opened,
        "faults": faults,
        "lost": state["lost"],
    }


def _look(crowd: Crowd, seen: list[str]) -> list[tuple[str, float, int]]:
    looks = []
    ending = time.monotonic() + WATCHED_SECONDS
    while time.monotonic() < ending:
        looks += [(viewer.run, time.time(), viewer.last[0]) for viewer in crowd.viewers[: len(seen)]]
        time.sleep(1 / LOOKS_PER_SECOND)
    return looks


def _ages(looks: list[tuple[str, float, int]], marks: dict[str, Any]) -> np.ndarray:
    """Seconds since the newest round that a page had was told on its node, at each look."""
    found = []
    for run, at, shown in looks:
        rounds = np.array([mark[1] for mark in marks[run]])
        place = int(np.searchsorted(rounds, shown))
        if shown >= 0 and place < len(rounds):
            found.append(at - marks[run][place][0])
    return np.array(found)


def _percentiles(values: np.ndarray) -> Row:
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": float(p50), "p95": float(p95), "longest": float(values.max()), "looks": len(values)}


def _seconds_to_open(crowd: Crowd, server: str, run: str, ticket: str, page: str) -> float:
    began = time.monotonic()
    viewer = Viewer(server, run if page == "watch" else "", ticket, pages=(page,))
    crowd.admit(viewer)
    while not viewer.drawn:
        if time.monotonic() - began > 60:
            raise TimeoutError(f"the page {page!r} was not drawn; {crowd.faults}")
        time.sleep(0.01)
    return time.monotonic() - began


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _of_the_store(folder: Path, trained: int) -> Row:
    """What the check of the store finds, and how many runs lack a row or have one twice."""
    from gan_core.store import RunStore
    from gan_core.store.fsck import fsck

    with RunStore(folder) as store:
        store.interrupt_orphans()  # as the next server would: this one may have been killed
        broken = rounds = 0
        for run in store.runs():
            played = store.track(run.id, "turns", []).rounds
            rounds += len(played)
            broken += not np.array_equal(played, np.arange(1, len(played) + 1))
    return {"fsck": [fault.sentence for fault in fsck(folder)], "broken": broken, "rows": rounds}


if __name__ == "__main__":
    parse_or_serve(argparse.ArgumentParser(), serve_with_players)

"""A simulation of thousands of runs on a cluster of a hundred nodes, from what was measured on one machine: what is full first.

Events in order of time. Bridge and server are one core each, first come first served; the bridge writes to the server through a
pipe, so it stands still while the server has not read. A run trains on whatever core is free, is asked by the bridge as often
as the bridge allows itself, and its core is free again once the server has heard of its end. What is not measured is an
argument of `Plan` and stands in the table.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.ledger import Row
from gan_core.cluster.bridge import CALLS_PER_SECOND
from gan_core.engine.lab import CLUSTER_CAPACITY
from gan_core.engine.running.runner import ROWS_EVERY_SECONDS

RUNS, NODES, CORES = 10_000, 100, 8
RUN_SECONDS = (60.0, 600.0)  # of training, of each run
LOSSES_PER_HOUR = 4.0  # of nodes, of the whole cluster
SAVED_EVERY = 30.0  # seconds between two checkpoints: the schedule's default
BACK_SECONDS = 10.0  # from the loss of a node to the first new round, where that was not measured
USUAL = {"bridge": 0.0015, "server": 0.003, "start": 4.5}  # where nothing was measured: `ray.md` says which were


@dataclass
class Costs:
    """Seconds of one core: of the ``bridge`` for each call to a run, of the ``server`` for each piece of a run that is heard
    (``ROWS_EVERY_SECONDS`` of it), of a node for the ``start`` of a run. ``back`` is from the loss of a node to the first
    new round.
    """

    bridge: float
    server: float
    start: float
    back: float = BACK_SECONDS


@dataclass
class Plan:
    """What is asked of the cluster."""

    runs: int = RUNS
    nodes: int = NODES
    cores: int = CORES
    seconds: float = 600.0
    losses_per_hour: float = LOSSES_PER_HOUR
    most: int = CLUSTER_CAPACITY


@dataclass
class Run:
    """One that trains: on which node, until when, and what of it has been heard."""

    node: int
    begun: float
    ends: float
    heard: float = 0.0  # said before this moment, and shown
    lost: bool = False


@dataclass
class Simulation:
    """``play`` it, then read what came of it."""

    plan: Plan
    costs: Costs
    ages: list[float] = field(default_factory=list)  # of the newest point of a run, just before the next one came
    played_again: float = 0.0  # seconds of training
    ends: float = 0.0
    busy: dict[str, float] = field(default_factory=lambda: {"bridge": 0.0, "server": 0.0, "cores": 0.0})

    def play(self) -> Simulation:
        chance = random.Random(0)
        plan, self._free = self.plan, deque(node for _ in range(self.plan.cores) for node in range(self.plan.nodes))
        self._events: list[tuple[float, int, str, object]] = []
        self._count = 0
        self._bridge = self._server = 0.0
        self._training: set[int] = set()
        self._runs: dict[int, Run] = {}
        self._waiting = deque((number, plan.seconds) for number in range(plan.runs))
        self._left = plan.runs
        if plan.losses_per_hour:
            self._at(chance.expovariate(plan.losses_per_hour / 3600), "loss", None)
        self._begin(0.0)
        while self._left:
            now, _, kind, what = heapq.heappop(self._events)
            if kind == "ask":
                self._ask(now, what)  # type: ignore[arg-type]
            elif kind == "begin":
                self._waiting.extendleft([what] if what else [])  # type: ignore[list-item]
                self._begin(now)
            else:
                self._lose(now, chance.randrange(plan.nodes))
                self._at(now + chance.expovariate(plan.losses_per_hour / 3600), "loss", None)
        return self

    def _at(self, when: float, kind: str, what: object) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, kind, what))

    def _begin(self, now: float) -> None:
        """Start what there is room for; a start takes seconds of its core before the first round."""
        while self._waiting and self._free and len(self._training) < self.plan.most:
            number, left = self._waiting.popleft()
            self._bridge = max(now, self._bridge) + self.costs.bridge
            begun = self._bridge + self.costs.start
            self._runs[number] = Run(self._free.popleft(), begun, begun + left, heard=begun)
            self._training.add(number)
            self._at(begun, "ask", (number, begun))

    def _ask(self, now: float, what: tuple[int, float]) -> None:
        """One call: what the run has said since the last one goes through the bridge to the server."""
        number, begun = what
        run = self._runs[number]
        if run.lost or run.begun != begun:
            return
        said = min(now, run.ends)
        pieces = max(1.0, (said - run.heard) / ROWS_EVERY_SECONDS)
        taken = max(now, self._bridge) + self.costs.bridge
        begins = max(taken, self._server)  # until then the bridge writes
        shown = begins + pieces * self.costs.server
        self.busy["bridge"] += self.costs.bridge
        self.busy["server"] += pieces * self.costs.server
        self._bridge, self._server = begins, shown
        self.ages.append(shown - run.heard)
        run.heard = said
        if said < run.ends:
            pause = max(0.01, len(self._training) / CALLS_PER_SECOND)
            self._at(max(begins + pause, said + ROWS_EVERY_SECONDS), "ask", what)
            return
        self._over(shown, number, run)
        self._left -= 1

    def _over(self, now: float, number: int, run: Run) -> None:
        self._training.discard(number)
        self._free.append(run.node)
        self.busy["cores"] += now - run.begun + self.costs.start
        self.ends = max(self.ends, now)
        self._at(now, "begin", None)

    def _lose(self, now: float, node: int) -> None:
        """A node is gone, and another takes its place: its runs go on from their last checkpoints."""
        for number in [number for number in self._training if self._runs[number].node == node]:
            run = self._runs[number]
            run.lost = True
            played = max(0.0, min(now, run.ends) - run.begun)
            kept = played // SAVED_EVERY * SAVED_EVERY
            self.played_again += played - kept
            self._over(now, number, run)
            left = (number, run.ends - run.begun - kept)
            self._at(now + max(0.0, self.costs.back - self.costs.start), "begin", left)


def costs_of(rows: dict[str, Row]) -> Costs:
    """What was measured, where it was; each cost of bridge and server is what a run took of them in the crowd."""
    crowd = rows.get("crowd")
    back = sorted(row["back"] for key, row in rows.items() if key.startswith("kills/") and "back" in row)
    costs = Costs(USUAL["bridge"], USUAL["server"], rows.get("memory", {}).get("seconds to start", USUAL["start"]))
    if back:
        costs.back = back[len(back) // 2]
    if crowd is not None:
        calls = min(CALLS_PER_SECOND, crowd["runs"] / ROWS_EVERY_SECONDS)  # in a second
        costs.bridge = crowd["cpu"]["bridge"] / calls
        costs.server = crowd["cpu"]["server"] / (crowd["runs"] / ROWS_EVERY_SECONDS)
    return costs


def played(folder: Path, options: argparse.Namespace) -> Iterator[tuple[str, Row]]:
    """The plan of 10,000 runs on 100 nodes, and fewer nodes, of short runs and of long ones."""
    costs = costs_of(options.rows)
    for seconds in RUN_SECONDS:
        for nodes in (NODES // 10, NODES // 2, NODES):
            plan = Plan(runs=RUNS * nodes // NODES, nodes=nodes, seconds=seconds)
            yield f"schedule/{seconds:.0f}/{nodes}", outcome(plan, costs)


def outcome(plan: Plan, costs: Costs) -> Row:
    """What came of a plan: hours, beside those of cores alone, ages, and the share of its time that each part is busy."""
    found = Simulation(plan, costs).play()
    cores = plan.nodes * plan.cores
    ages = sorted(found.ages)
    return {
        "runs": plan.runs,
        "hours": found.ends / 3600,
        "ideal": plan.runs * plan.seconds / cores / 3600,
        "age": ages[len(ages) * 95 // 100],
        "bridge": found.busy["bridge"] / found.ends,
        "server": found.busy["server"] / found.ends,
        "cores": found.busy["cores"] / found.ends / cores,
        "again": found.played_again / 3600,
        "costs": vars(costs),
    }

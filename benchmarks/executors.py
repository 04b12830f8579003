"""Rounds per second of runs that train at the same time, in threads and in processes; and what a process costs to start.

    python benchmarks/executors.py                     # about ten minutes; writes docs/results/executors.md
    python benchmarks/executors.py --seconds 2 --cycles 1 --out /tmp/quick.md

Machines are noisy, so everything happens in one run, in slices that take turns: all runs of both kinds are there the whole
time, paused but for those whose slice it is. Ratios compare slices of the same cycle. Rounds are counted between two
pauses, so that none is missed, and the time that measuring and recording take is in them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.sections import command_line
from benchmarks.serving import cpu_seconds, signed
from gan_core.config import Comparison, RunConfig, preset_config
from gan_core.engine import Lab, prepare_classifier
from gan_core.engine.running.wire import WAITING
from gan_core.training import resolve

NETWORKS = {"MLP on the ring": "ring-mlp", "MLP on MNIST-5k": "digits-mlp"}
SETTINGS = {"objective": "ns_gan", "schedule.n_critic": 1, "schedule.rounds": 10_000_000, "device": "cpu"}
KINDS = ("thread", "process")
AT_ONCE = (1, 2, 4)
MEMBERS = 4  # runs of the comparison
WARM_UP_ROUNDS = 20

Slice = tuple[str, str]  # network, what ran


class Rate(NamedTuple):
    """Rounds per second of the wall clock, and of the CPU time that this process and its children got meanwhile."""

    wall: float
    cpu: float


class Side:
    """The runs of one kind with one network: some that are free of each other, and a comparison, all paused."""

    def __init__(self, kind: str, preset: str, folder: Path, stack: ExitStack) -> None:
        config = resolve(preset_config(preset, SETTINGS))
        self.free = stack.enter_context(Lab(folder / f"{preset}-{kind}", executor=kind, capacity=max(AT_ONCE)))
        self.together = stack.enter_context(Lab(folder / f"{preset}-{kind}-together", executor=kind))
        for lab in (self.free, self.together):
            prepare_classifier(lab, config)
        self.runs = [self.free.submit(config.replace({"seed": seed})) for seed in range(max(AT_ONCE))]
        self.comparison = self.together.compare(
            Comparison.load(
                {
                    "base": config.to_dict(),
                    "variants": [{"name": "it", "changes": {}}, {"name": "as it is", "changes": {}}],
                    "seeds": list(range(MEMBERS // 2)),
                }
            )
        )
        self.members = [member.run for member in self.together.store.comparison(self.comparison).members]
        for lab, runs in ((self.free, self.runs), (self.together, self.members)):
            until(lambda lab=lab, runs=runs: all(lab.view(run).status["round"] >= WARM_UP_ROUNDS for run in runs))
            pause(lab, runs)

    def rate(self, at_once: int | None, seconds: float) -> Rate:
        """Of so many free runs, or of the comparison, in all."""
        lab, runs = (self.together, self.members) if at_once is None else (self.free, self.runs[:at_once])
        before, cpu = played(lab, runs), cpu_seconds()
        started = time.perf_counter()
        for run in runs:
            lab.command(run, "resume")
        time.sleep(seconds)
        passed = time.perf_counter() - started
        pause(lab, runs)
        rounds = played(lab, runs) - before
        return Rate(rounds / passed, rounds / (cpu_seconds() - cpu))


def until(condition: Callable[[], bool], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("a run does not get on")
        time.sleep(0.01)


def pause(lab: Lab, runs: list[str]) -> None:
    for run in runs:
        lab.command(run, "pause")
    until(lambda: all(lab.view(run).status["state"] == "paused" for run in runs))


def played(lab: Lab, runs: list[str]) -> int:
    return sum(lab.view(run).status["round"] for run in runs)


def start_up(lab: Lab, config: RunConfig) -> tuple[float, float]:
    """Seconds from the start of a run to its first rounds, and CPU seconds of its process until then (NaN: it has none)."""
    before = workers()
    started = time.perf_counter()
    run = lab.submit(config)
    until(lambda: lab.view(run).status["round"] > 0)
    passed = time.perf_counter() - started
    times = [process.cpu_times() for process in workers() - before]
    cpu = sum(time.user + time.system for time in times) if times else float("nan")
    lab.command(run, "stop")
    lab.wait(run)
    return passed, cpu


def with_spare(lab: Lab) -> None:
    """Have the fork server import, and wait until it does nothing else."""
    lab.keep_spare()
    spent = -1.0
    while (now := sum(sum(child.cpu_times()[:2]) for child in psutil.Process().children())) > spent:
        spent = now
        time.sleep(1.0)


def workers() -> set[psutil.Process]:
    """The processes of runs, which a fork server began."""
    return {child for child in psutil.Process().children(recursive=True) if child.ppid() != os.getpid()}


class Found:
    """What was measured, a value per cycle."""

    def __init__(self) -> None:
        self.rates: dict[Slice, dict[str, list[Rate]]] = defaultdict(lambda: defaultdict(list))
        self.starts: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.memory: list[float] = []  # MiB of one process that no other shares

    def ratio(self, which: Slice, clock: str = "wall") -> float:
        pairs = zip(self.rates[which]["thread"], self.rates[which]["process"], strict=True)
        return median(getattr(process, clock) / getattr(thread, clock) for thread, process in pairs)

    def delay(self, runs: int) -> float:
        """Seconds that so many runs wait longer for their processes, started at once, than for threads."""
        waited = {kind: median(seconds for seconds, _ in starts) for kind, starts in self.starts.items()}
        return (waited["process"] - waited["thread"]) * max(1.0, runs / psutil.cpu_count())


def measure(cycles: int, seconds: float, folder: Path) -> Found:
    found = Found()
    with ExitStack() as stack:
        sides = {
            (network, kind): Side(kind, preset, folder, stack) for network, preset in NETWORKS.items() for kind in KINDS
        }
        fresh = {kind: stack.enter_context(Lab(folder / f"fresh-{kind}", executor=kind)) for kind in KINDS}
        small = resolve(preset_config("ring-mlp", SETTINGS))
        for cycle in range(cycles):
            order = KINDS if cycle % 2 == 0 else KINDS[::-1]
            for kind in order:
                found.starts[kind].append(start_up(fresh[kind], small))
            with Lab(folder / f"ready-{cycle}", executor="process") as ready:
                with_spare(ready)
                found.starts[WAITING].append(start_up(ready, small))
            for network in NETWORKS:
                for at_once in (*AT_ONCE, None):
                    which = (network, named(at_once))
                    for kind in order:
                        found.rates[which][kind].append(sides[network, kind].rate(at_once, seconds))
                    shown = ", ".join(f"{kind} {found.rates[which][kind][-1].wall:.1f}" for kind in KINDS)
                    print(f"  {cycle + 1}/{cycles} {network}, {which[1]}: {shown}", file=sys.stderr, flush=True)
        found.memory = [process.memory_full_info().uss / 2**20 for process in workers()]
    return found


def named(at_once: int | None) -> str:
    if at_once is None:
        return f"a comparison of {MEMBERS}, two at a time in step"
    return "1 run" if at_once == 1 else f"{at_once} runs"


def report(found: Found, command: str, load: list[tuple[float, float, float]]) -> str:
    lines = [
        "# Threads or processes",
        "",
        "Rounds per second, all runs taken together, of runs that train at the same time: each in a thread of the server, or",
        "each in a process of its own. Medians over the cycles; brackets hold the least and the greatest.",
        "",
        "| network | at once | threads | processes | processes ÷ threads | the same per CPU second |",
        "|---|---|---|---|---|---|",
    ]
    for which, rates in found.rates.items():
        cells = [spread(rate.wall for rate in rates[kind]) for kind in KINDS]
        ratios = f"**{found.ratio(which):.2f}** | {found.ratio(which, 'cpu'):.2f}"
        lines.append(f"| {' | '.join([*which, *cells])} | {ratios} |")
    lines += [
        "",
        "Ratios are medians over the cycles of slices of the same cycle. Where other work shares the machine, several",
        "processes also get a larger part of it than the threads of one, of which one computes at a time: beside a load well",
        "above the number of cores the ratio of the wall clock is larger than on an idle machine.",
        "",
        "What a start costs, from the submission of a run to its first rounds (the ring):",
        "",
        "| | seconds | CPU seconds of its process | memory of its own, MiB |",
        "|---|---|---|---|",
        f"| thread | {spread(one for one, _ in found.starts['thread'])} | – | – |",
        f"| process | {spread(one for one, _ in found.starts['process'])} "
        f"| {spread(cpu for _, cpu in found.starts['process'])} | {spread(found.memory)} |",
        f"| process forked by a server that waited | {spread(one for one, _ in found.starts[WAITING])} | – | the same |",
        "",
        "## What follows",
        "",
        *conclusions(found),
        "",
        "## Machine and command",
        *signed(command, load),
    ]
    return "\n".join(lines)


def conclusions(found: Found) -> Iterator[str]:
    """After how long processes have made up for their start, and the default that was chosen for it."""
    for at_once in (*AT_ONCE, None):
        for network in NETWORKS:
            which = (network, named(at_once))
            ratio = found.ratio(which)
            if ratio > 1:
                seconds = found.delay(MEMBERS if at_once is None else at_once) / (1 - 1 / ratio)
                yield f"* {', '.join(which)}: {ratio:.2f} × as fast in processes, which pays after {seconds:.0f} s."
            else:
                yield f"* {', '.join(which)}: no faster in processes ({ratio:.2f} ×)."
    yield from (
        "",
        "So `auto` gives a run alone a thread, which begins at once, in a terminal; in the server a process that has waited",
        "for it, which begins at once too and does not share an interpreter with the pages (see throughput.md).",
        "The runs of a comparison compete for one interpreter and train for minutes, so they get processes: however many runs,",
        "as many as may compute at once (the lab's capacity, and no more than there are cores), each with the memory above.",
    )


def spread(values: Iterable[float]) -> str:
    values = list(values)
    return f"{median(values):.1f} ({min(values):.1f}–{max(values):.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=6, help="how often all take their turn (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of a slice (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "executors.md")
    options = parser.parse_args()
    load = [os.getloadavg()]
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.cycles, options.seconds, Path(folder))
    load.append(os.getloadavg())
    command = command_line()
    text = report(found, command, load)
    options.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()

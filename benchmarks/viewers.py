"""What watching costs: real Streamlit sessions with live sockets, and real Chromium pages, against a server that trains.

    python benchmarks/viewers.py                              # about twenty minutes; writes docs/results/viewers.md
    python benchmarks/viewers.py --viewers 0,2 --runs 1 --seconds 3 --cycles 1 --out /tmp/quick.md

Each cell (so many viewers, so many runs) is measured beside a slice without viewers just before it, on the same server and
the same runs, so that ratios compare slices of the same minute. Runs train in processes of their own, several of them as a
comparison, in lock-step; so the server's own CPU time is what serving, recording and watching take.

The server is a class's. A viewer is a Streamlit session that opens the Watch page, reruns its fragments when the server has
asked for it, and holds the live socket of the run and that of the class, as a browser does; the
first ``--pages`` of them are headless Chromium pages, which really draw.
The age of the newest point is the time since the round that a page shows last was played, looked at ten times a second.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.crowd import Crowd, Viewer
from benchmarks.serving import Dashboard, WatchPage, open_browser, serve
from benchmarks.throughput import SETTLE_SECONDS, bare_loop, measure
from gan_core.config import Comparison, preset_config
from gan_core.server.tickets import open_tickets
from gan_core.training import load_source, resolve

PRESET = "digits-mlp"
SETTINGS = {"schedule.rounds": 10_000_000, "device": "cpu"}
LOOKS_PER_SECOND = 10
BEGIN_SECONDS = 180.0
Marks = list[tuple[float, int]]


# -- in the server's process


def carry_out(do: str, **details: Any) -> dict[str, Any]:
    """What the bench asks of the lab: begin so many runs, or say how far they come in so many seconds."""
    from gan_core.engine import open_lab
    from gan_core.engine.lab import prepare_classifier

    lab = open_lab()
    if do == "begin":
        base = resolve(preset_config(PRESET, SETTINGS))
        prepare_classifier(lab, base)
        if details["runs"] == 1:
            return {"runs": [lab.submit(base)]}
        variants = [{"name": f"lr {lr}", "changes": {"optimizers.generator.lr": lr}} for lr in (0.0002, 0.0003)]
        seeds = list(range(details["runs"] // 2))
        comparison = Comparison.load({"base": base, "variants": variants, "seeds": seeds})
        return {"runs": list(lab.members(lab.compare(comparison)))}
    if do == "end":
        for run in details["runs"]:
            lab.command(run, "stop")
            lab.wait(run, timeout=30)
        return {}
    return _sample(lab, details["runs"], details["seconds"])


def _sample(lab: Any, runs: Sequence[str], seconds: float) -> dict[str, Any]:
    """Marks (time, round) of each run at every tick of its view, and what the server's own process used."""
    marks: dict[str, Marks] = {run: [] for run in runs}

    def watch(run: str) -> Any:
        view = lab.view(run)
        return view.subscribe(lambda: marks[run].append((time.time(), int(view.status["round"]))))

    ends = [watch(run) for run in runs]
    process = psutil.Process()
    cpu = sum(process.cpu_times()[:2])
    time.sleep(seconds)
    cpu = sum(process.cpu_times()[:2]) - cpu
    for end in ends:
        end()
    return {"marks": marks, "cpu": cpu / seconds, "memory": process.memory_info().rss}


@dataclass
class Looks:
    """When somebody looked at a page, and which round it showed last: ``(run, time, round)``."""

    seen: list[tuple[str, float, int]] = field(default_factory=list)

    def ages(self, marks: dict[str, Marks]) -> np.ndarray:
        """Seconds since the round that was shown had been played, at each look that the marks cover."""
        found = []
        for run, at, shown in self.seen:
            clock, rounds = (np.array(column, dtype=float) for column in zip(*marks[run], strict=True))
            if rounds[0] <= shown and clock[0] <= at <= clock[-1]:
                found.append(at - float(np.interp(shown, rounds, clock)))
        return np.array(found)


# -- one cell


@dataclass
class Cell:
    """What one slice measured: rounds/s of all runs together, CPU seconds of the server's process per second, bytes."""

    rate: float
    cpu: float
    memory: int
    bytes: float = 0.0
    ages: np.ndarray = field(default_factory=lambda: np.array([]))
    page_ages: np.ndarray = field(default_factory=lambda: np.array([]))


def until_all_play(dashboard: Dashboard, runs: Sequence[str]) -> None:
    """Wait until every run has been seen to move: a process takes seconds to begin."""
    deadline = time.monotonic() + BEGIN_SECONDS
    while time.monotonic() < deadline:
        told = dashboard.ask("sample", runs=list(runs), seconds=SETTLE_SECONDS)["marks"]
        if all(marks and marks[-1][1] > max(0, marks[0][1]) for marks in told.values()):
            return
    raise RuntimeError("the runs did not all begin")


def sampled(dashboard: Dashboard, runs: Sequence[str], seconds: float) -> tuple[Cell, dict[str, Marks]]:
    told = dashboard.ask("sample", runs=list(runs), seconds=seconds)
    rate = 0.0
    for marks in told["marks"].values():
        clock, rounds = (np.array(column, dtype=float) for column in zip(*marks, strict=True))
        rate += float(np.polyfit(clock - clock[0], rounds, 1)[0])
    return Cell(rate, told["cpu"], told["memory"]), told["marks"]


def watched(
    dashboard: Dashboard, folder: Path, runs: Sequence[str], viewers: int, pages: int, browser: Any, seconds: float
) -> Cell:
    """A slice with so many viewers, spread over the runs."""
    server, tickets = f"localhost:{dashboard.port}", open_tickets(folder)
    places = [run for run, _ in zip(_round_robin(runs), range(viewers), strict=False)]
    crowd = Crowd([Viewer(server, run, tickets.mint(run)) for run in places[pages:]])
    shown = [(run, WatchPage(browser, f"http://{server}/watch?run={run}")) for run in places[:pages]]
    for _, page in shown:
        page.open()
    time.sleep(SETTLE_SECONDS)
    looks, page_looks = Looks(), Looks()
    answer: list[tuple[Cell, dict[str, Marks]]] = []
    measuring = threading.Thread(target=lambda: answer.append(sampled(dashboard, runs, seconds)))
    before = sum(viewer.bytes for viewer in crowd.viewers)
    measuring.start()
    while measuring.is_alive():
        looks.seen += [(viewer.run, time.time(), viewer.last_round) for viewer in crowd.viewers]
        page_looks.seen += [(run, time.time(), page.last_round_drawn()) for run, page in shown]
        time.sleep(1 / LOOKS_PER_SECOND)
    measuring.join()
    (cell, marks) = answer[0]
    cell.bytes = (sum(viewer.bytes for viewer in crowd.viewers) - before) / seconds / max(1, len(crowd.viewers))
    cell.ages, cell.page_ages = looks.ages(marks), page_looks.ages(marks)
    faults = [fault for viewer in crowd.viewers for fault in viewer.faults]
    crowd.close()
    for _, page in shown:
        page.close()
    if faults:
        raise RuntimeError(f"{len(faults)} viewers were dropped; the first: {faults[0]}")
    return cell


def _round_robin(runs: Sequence[str]) -> Any:
    return (runs[number % len(runs)] for number in count())


# -- all of it


@dataclass
class Row:
    runs: int
    viewers: int
    alone: list[Cell] = field(default_factory=list)
    watched: list[Cell] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    @property
    def kept(self) -> float:
        """Throughput with viewers over without, the median of the cycles."""
        return median(one.rate / other.rate for one, other in zip(self.watched, self.alone, strict=True))

    @property
    def of_bare(self) -> float:
        """Throughput of all runs together over one bare loop."""
        return median(one.rate / bare for one, bare in zip(self.watched, self.bare, strict=True))

    @property
    def cpu_per_viewer(self) -> float:
        """Seconds of the server's CPU per viewer and second."""
        pairs = zip(self.watched, self.alone, strict=True)
        return median((one.cpu - other.cpu) / self.viewers for one, other in pairs)


def compare(options: argparse.Namespace, folder: Path, browser: Any) -> list[Row]:
    rows = [Row(runs, viewers) for runs in options.runs for viewers in options.viewers if viewers]
    config = resolve(preset_config(PRESET, SETTINGS))
    bare = bare_loop(config, load_source(config))
    os.environ |= {"GANSCOPE_EXECUTOR": "process", "GANSCOPE_CLASS": "1"}
    dashboard = Dashboard(folder, __file__)
    try:
        for runs in options.runs:
            started = dashboard.ask("begin", runs=runs)["runs"]
            until_all_play(dashboard, started)
            for cycle in range(options.cycles):
                for row in (row for row in rows if row.runs == runs):
                    row.alone.append(sampled(dashboard, started, options.seconds)[0])
                    pages = min(options.pages, row.viewers)
                    seen = watched(dashboard, folder, started, row.viewers, pages, browser, options.seconds)
                    row.watched.append(seen)
                    told = f"{runs} runs, {row.viewers} viewers: {seen.rate:.1f} of {row.alone[-1].rate:.1f} rounds/s"
                    print(f"cycle {cycle + 1}: {told}", file=sys.stderr, flush=True)
            dashboard.ask("end", runs=started)
            for row in (row for row in rows if row.runs == runs):
                row.bare = [measure(bare, options.seconds)[0] for _ in range(options.cycles)]
    finally:
        dashboard.close()
    return rows


def report(rows: Sequence[Row], command: str, options: argparse.Namespace, load: Sequence[tuple[float, ...]]) -> str:
    """The table as Markdown."""
    lines = [
        "# What watching costs",
        "",
        "Training with viewers against the same runs without, on one server. Medians over the cycles; ages over all looks.",
        "",
        "| runs | viewers | of 0 viewers | of the bare loop | server CPU per viewer and second | kB per viewer and second "
        "| age of the newest point, p50 / p95 | on a Chromium page, p50 / p95 | server memory |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ages, pages = (np.concatenate([getattr(c, name) for c in row.watched]) for name in ("ages", "page_ages"))
        lines.append(
            f"| {row.runs} | {row.viewers} | {row.kept:.2f} | {row.of_bare:.2f} | {1000 * row.cpu_per_viewer:.2f} ms "
            f"| {median(c.bytes for c in row.watched) / 1000:.1f} | {_quantiles(ages)} | {_quantiles(pages)} "
            f"| {max(c.memory for c in row.watched) / 2**20:.0f} MB |"
        )
    lines += [
        "",
        "Aims: 0.95 of the throughput with none for one run and 0.90 for four, at most 1 ms of CPU per viewer and second, and",
        "a newest point at most 1.2 s old at p95, all with 30 viewers.",
        "",
        f"* The runs are `{PRESET}`, each in a process of its own; four of them are a comparison and advance in lock-step.",
        "* CPU and memory are of the server's own process, not of its runs; the CPU of a slice without viewers is taken off.",
        "* Bytes are counted by the sessions without a browser: Streamlit's socket, the live one and the class's.",
        f"* {options.cycles} cycles of {options.seconds:g} s; up to {options.pages} of the viewers are Chromium pages on the "
        f"same machine. {os.cpu_count()} cores, load {load[0][0]:.1f} before and {load[-1][0]:.1f} after.",
        "",
        f"Made by `{command}`.",
        "",
    ]
    return "\n".join(lines)


def _quantiles(ages: np.ndarray) -> str:
    return f"{np.quantile(ages, 0.5):.2f} / {np.quantile(ages, 0.95):.2f} s" if len(ages) else "–"


def _whole_numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=_whole_numbers, default=[1, 5, 15, 30], help="(default: 1,5,15,30)")
    parser.add_argument("--runs", type=_whole_numbers, default=[1, 4], help="(default: 1,4)")
    parser.add_argument("--pages", type=int, default=1, help="viewers that are Chromium pages (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each slice (default: %(default)s)")
    parser.add_argument("--cycles", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "viewers.md")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve, options.port, carry_out)
        return
    load = [os.getloadavg()]
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        rows = compare(options, Path(folder), browser)
    load.append(os.getloadavg())
    command = " ".join(["python", "benchmarks/viewers.py", *sys.argv[1:]])
    options.out.write_text(report(rows, command, options, load))
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()

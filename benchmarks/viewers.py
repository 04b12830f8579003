"""What watching costs: real Streamlit sessions with live sockets, and real Chromium pages, against a server that trains.

    python benchmarks/viewers.py                              # about half an hour; writes docs/results/viewers.md
    python benchmarks/viewers.py --viewers 0,2 --runs 1 --seconds 3 --cycles 1 --out /tmp/quick.md
    python benchmarks/viewers.py --endure 30                  # half an hour; writes docs/results/endurance.md

Slices without viewers stand before and after every slice with some, on the same server and the same runs, and each is compared
with the mean of its two neighbours; in every cycle the runs are paused for a slice of the bare loop. So what else the machine
does cancels as far as it can. Runs train in processes of their own, several of them as a comparison, in lock-step; so the
server's own CPU time is what serving, recording and watching take.

The server is a class's. A browser would take the processor from the training that it shows, as the browsers of a class do not:
so Chromium pages draw in slices of their own, which say how old the newest point on a page is and nothing else.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.crowd import CURVE, Crowd, Viewer
from benchmarks.sections import command_line
from benchmarks.serving import Dashboard, WatchPage, open_browser, parse_or_serve, serve, signed
from benchmarks.throughput import SETTLE_SECONDS, bare_loop, measure
from gan_core.config import Comparison, preset_config
from gan_core.engine.running.runner import ROWS_EVERY_SECONDS
from gan_core.server.tickets import open_tickets
from gan_core.training import load_source, resolve

PRESET = "digits-mlp"
SETTINGS = {"schedule.rounds": 10_000_000, "device": "cpu"}
Marks = list[tuple[float, int]]
"""When the server knew that a run had come to a round: ``(time, round)``."""

THOROUGH = 4  # slices in a cycle of the rows that decide
LOOKS_PER_SECOND = 10
BEGIN_SECONDS = 180.0
MINUTE = 60.0
ENDURING_VIEWERS, ENDURING_PAGES = 30, 2


# -- in the server's process


def carry_out(do: str, **details: Any) -> dict[str, Any]:
    """What the bench asks of the lab: ``begin`` so many runs, ``pause``, ``resume`` or ``stop`` them, ``sample`` how they come
    on for so many seconds, or tell the ``last`` point of each that is stored."""
    from gan_core.engine import open_lab

    lab = open_lab()
    if do == "begin":
        return {"runs": _begin(lab, details["runs"])}
    runs = details["runs"]
    if do == "sample":
        return _sample(lab, runs, details["seconds"])
    if do == "last":
        return {"last": {run: _last(lab.store, run) for run in runs}}
    for run in runs:
        lab.command(run, do)  # type: ignore[arg-type]
    if do == "stop":
        for run in runs:
            lab.wait(run, timeout=30)
    return {}


def _begin(lab: Any, runs: int) -> list[str]:
    """One run, or a comparison of so many, in lock-step."""
    from gan_core.engine.lab import prepare_classifier

    base = resolve(preset_config(PRESET, SETTINGS))
    prepare_classifier(lab, base)
    if runs == 1:
        return [lab.submit(base)]
    variants = [{"name": f"lr {lr}", "changes": {"optimizers.generator.lr": lr}} for lr in (0.0002, 0.0003)]
    asked = {"base": base, "variants": variants, "seeds": list(range(runs // 2))}
    return list(lab.members(lab.compare(Comparison.load(asked))))


def _sample(lab: Any, runs: Sequence[str], seconds: float) -> dict[str, Any]:
    """Marks of each run at every tick of its view, and what the server's own process used."""
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


def _last(store: Any, run: str) -> tuple[int, float]:
    track = store.track(run, "turns", columns=[CURVE])
    return int(track.rounds[-1]), float(track.values[-1, 0])


@dataclass
class Looks:
    """When somebody looked at a page, and which round it showed last: ``(run, time, round)``."""

    seen: list[tuple[str, float, int]] = field(default_factory=list)

    def ages(self, marks: dict[str, Marks]) -> np.ndarray:
        """Seconds since the round that was shown had been played, at each look while there were marks.

        A round from before the first mark is placed by the mean pace. The server knows of a round up to ``ROWS_EVERY_SECONDS``
        after it was played: that is counted in full.
        """
        found = []
        for run, at, shown in self.seen:
            clock, rounds = (np.array(column, dtype=float) for column in zip(*marks[run], strict=True))
            if shown >= 0 and clock[0] <= at <= clock[-1]:
                before = (rounds[0] - shown) * (clock[-1] - clock[0]) / (rounds[-1] - rounds[0])
                played = np.interp(shown, rounds, clock) - max(0.0, before)
                found.append(at - float(played) + ROWS_EVERY_SECONDS)
        return np.array(found)


# -- one server


@dataclass
class Cell:
    """What one slice measured: rounds/s of all runs together, CPU seconds of the server's process per second, its memory,
    bytes per viewer and second, and how old the newest point was for a viewer, in seconds."""

    rate: float
    cpu: float
    memory: int
    bytes: float = 0.0
    ages: np.ndarray = field(default_factory=lambda: np.array([]))


class Stage:
    """A class's server with runs that train."""

    def __init__(self, folder: Path, browser: Any, seconds: float) -> None:
        os.environ |= {"GANSCOPE_EXECUTOR": "process", "GANSCOPE_CLASS": "1", "GANSCOPE_BROWSERS_PER_ADDRESS": "500"}
        self.seconds = seconds
        self._browser = browser
        self._dashboard = Dashboard(folder, __file__)
        self._tickets = open_tickets(folder)
        self.runs: list[str] = []

    def begin(self, runs: int) -> None:
        self.runs = self._dashboard.ask("begin", runs=runs)["runs"]
        self.until_all_play()

    def ask(self, do: str, **details: Any) -> dict[str, Any]:
        return self._dashboard.ask(do, runs=self.runs, **details)

    def until_all_play(self) -> None:
        """Wait until every run has been seen to move: a process takes seconds to begin."""
        deadline = time.monotonic() + BEGIN_SECONDS
        while time.monotonic() < deadline:
            told = self.ask("sample", seconds=SETTLE_SECONDS)["marks"]
            if all(marks and marks[-1][1] > max(0, marks[0][1]) for marks in told.values()):
                return
        raise RuntimeError("the runs did not all play")

    @contextmanager
    def crowd(self, viewers: int) -> Iterator[Crowd]:
        """So many viewers, spread over the runs. Raises RuntimeError if one of them was dropped."""
        server = f"localhost:{self._dashboard.port}"
        places = islice(cycle(self.runs), viewers)
        crowd = Crowd([Viewer(server, run, self._tickets.mint(run)) for run in places])
        try:
            crowd.until_all_are_there(BEGIN_SECONDS)  # opening thirty pages takes seconds, and is none of the slice's
            time.sleep(SETTLE_SECONDS)
            yield crowd
            if crowd.faults:
                raise RuntimeError(f"{len(crowd.faults)} viewers were dropped; the first: {crowd.faults[0]}")
        finally:
            crowd.close()

    @contextmanager
    def pages(self, count: int) -> Iterator[list[tuple[str, WatchPage]]]:
        """So many Chromium pages, spread over the runs, which draw."""
        places = islice(cycle(self.runs), count)
        address = f"http://localhost:{self._dashboard.port}/watch?run="
        shown = [(run, WatchPage(self._browser, f"{address}{run}")) for run in places]
        for _, page in shown:
            page.open()
        yield shown
        for _, page in shown:
            page.close()

    def alone(self) -> Cell:
        """A slice in which nobody looks."""
        return self._sampled()[0]

    def watched(self, viewers: int) -> Cell:
        """A slice with so many viewers."""
        with self.crowd(viewers) as crowd:
            cell = self.beside(crowd)
        time.sleep(SETTLE_SECONDS)  # their sessions end before the next slice
        return cell

    def beside(self, crowd: Crowd) -> Cell:
        """A slice beside viewers that are there."""
        before, looks = crowd.bytes, Looks()
        cell, marks = self._sampled(
            lambda: looks.seen.extend((one.run, time.time(), one.last[0]) for one in crowd.viewers)
        )
        cell.bytes = (crowd.bytes - before) / self.seconds / len(crowd.viewers)
        cell.ages = looks.ages(marks)
        return cell

    def drawn(self, viewers: int, pages: int) -> np.ndarray:
        """How old the newest point on so many pages is, beside viewers that make up the number; seconds, at each look."""
        pages = min(pages, viewers)
        with self.crowd(viewers - pages), self.pages(pages) as shown:
            time.sleep(SETTLE_SECONDS)
            looks = Looks()
            _, marks = self._sampled(lambda: looks.seen.extend((run, *page.look()) for run, page in shown))
        return looks.ages(marks)

    def _sampled(self, look: Any = lambda: None) -> tuple[Cell, dict[str, Marks]]:
        """One slice, with a look around ten times a second meanwhile."""
        answer: list[dict[str, Any]] = []
        measuring = threading.Thread(target=lambda: answer.append(self.ask("sample", seconds=self.seconds)))
        measuring.start()
        while measuring.is_alive():
            look()
            time.sleep(1 / LOOKS_PER_SECOND)
        (told,) = answer
        rate = 0.0
        for marks in told["marks"].values():
            clock, rounds = (np.array(column, dtype=float) for column in zip(*marks, strict=True))
            rate += float(np.polyfit(clock - clock[0], rounds, 1)[0])
        return Cell(rate, told["cpu"], told["memory"]), told["marks"]

    def close(self) -> None:
        self._dashboard.close()


# -- what watching costs


@dataclass
class Row:
    """So many viewers of so many runs: a slice per cycle, and the mean of the slices without viewers beside each."""

    runs: int
    viewers: int
    watched: list[Cell] = field(default_factory=list)
    alone_rate: list[float] = field(default_factory=list)
    alone_cpu: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    page_ages: list[np.ndarray] = field(default_factory=list)

    def add(self, before: Cell, cell: Cell, after: Cell) -> None:
        self.watched.append(cell)
        self.alone_rate.append(mean((before.rate, after.rate)))
        self.alone_cpu.append(mean((before.cpu, after.cpu)))

    @property
    def kept(self) -> list[float]:
        """Throughput with viewers over without, slice by slice."""
        return [one.rate / alone for one, alone in zip(self.watched, self.alone_rate, strict=True)]

    @property
    def of_bare(self) -> float:
        """Throughput of all runs together over one bare loop."""
        return median(one.rate / bare for one, bare in zip(self.watched, self.bare, strict=True))

    @property
    def cpu_per_viewer(self) -> float:
        """Seconds of the server's CPU per viewer and second."""
        pairs = zip(self.watched, self.alone_cpu, strict=True)
        return median((one.cpu - alone) / max(1, self.viewers) for one, alone in pairs)


def slices_of(row: Row, viewers: Sequence[int]) -> int:
    """In a cycle: the aims are for the most viewers, and what nobody costs tells the noise."""
    return THOROUGH if row.viewers in (0, max(viewers)) else 1


def compare(options: argparse.Namespace, folder: Path, browser: Any) -> list[Row]:
    rows = [Row(runs, viewers) for runs in options.runs for viewers in options.viewers]
    config = resolve(preset_config(PRESET, SETTINGS))
    bare = bare_loop(config, load_source(config))
    stage = Stage(folder, browser, options.seconds)
    try:
        for runs in options.runs:
            stage.begin(runs)
            here = [row for row in rows if row.runs == runs]
            for number in range(options.cycles):
                stage.ask("pause")
                bare_rate = measure(bare, options.seconds)[0]
                stage.ask("resume")
                stage.until_all_play()
                before = stage.alone()
                for row in [one for one in here for _ in range(slices_of(one, options.viewers))]:
                    cell = stage.watched(row.viewers) if row.viewers else stage.alone()
                    after = stage.alone()
                    row.add(before, cell, after)
                    row.bare.append(bare_rate)
                    before = after
                    told = f"{runs} runs, {row.viewers} viewers: {cell.rate:.1f} of {row.alone_rate[-1]:.1f} rounds/s"
                    print(f"cycle {number + 1}: {told}", file=sys.stderr, flush=True)
            for row in here:
                if row.viewers:
                    row.page_ages.append(stage.drawn(row.viewers, options.pages))
            stage.ask("stop")
    finally:
        stage.close()
    return rows


def report(
    rows: Sequence[Row], command: str, options: argparse.Namespace, load: list[tuple[float, float, float]]
) -> str:
    """The table as Markdown."""
    lines = [
        "# What watching costs",
        "",
        "Training with viewers against the same runs without, on one server. Medians over the slices, quartiles in",
        "brackets; ages over all looks.",
        "",
        "| runs | viewers | rounds/s | of 0 viewers | of the bare loop | server CPU per viewer and second "
        "| kB per viewer and second | age of the newest point, p50 / p95 | on a Chromium page, p50 / p95 | server memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cpu = f"{1000 * row.cpu_per_viewer:.2f} ms" if row.viewers else "–"
        lines.append(
            f"| {row.runs} | {row.viewers} | {median(c.rate for c in row.watched):.0f} | {_middle(row.kept)} "
            f"| {row.of_bare:.2f} | {cpu} "
            f"| {median(c.bytes for c in row.watched) / 1000:.1f} | {_quantiles([c.ages for c in row.watched])} "
            f"| {_quantiles(row.page_ages)} | {max(c.memory for c in row.watched) / 2**20:.0f} MB |"
        )
    lines += [
        "",
        "Aims: 0.95 of the throughput with none for one run and 0.90 for four, at most 1 ms of CPU per viewer and second, and",
        "a newest point at most 1.2 s old at p95, all with 30 viewers.",
        "",
        f"* The runs are `{PRESET}`, each in a process of its own; four of them are a comparison and advance in lock-step.",
        "* A row of 0 viewers is a slice like its neighbours: how far it is from 1 is the noise of the machine.",
        "* CPU and memory are of the server's own process, not of its runs; what slices without viewers take is taken off.",
        "* Bytes are those of Streamlit's socket, the live one and the class's.",
        "* A point's age counts from when its round was played to when somebody looks, ten times a second.",
        "* Viewers and browser share the cores with server and runs; in a class every browser has a machine of its own. So the "
        "viewers have the least priority here, and pages are older than there, most of all beside four runs.",
        f"* {options.cycles} cycles of slices of {options.seconds:g} s, each beside one without viewers before and after: "
        f"{THOROUGH} in a cycle with nobody and with the most viewers, one with any other number.",
        "* A viewer that was dropped would end the bench.",
        f"* Pages were drawn in a slice of their own, up to {options.pages} of the viewers.",
        *signed(command, load),
    ]
    return "\n".join(lines)


def _middle(ratios: Sequence[float]) -> str:
    """The median, and the quartiles of as many slices as have some."""
    told = f"{median(ratios):.2f}"
    return told if len(ratios) < 4 else f"**{told}** ({np.quantile(ratios, 0.25):.2f}–{np.quantile(ratios, 0.75):.2f})"


def _quantiles(ages: Sequence[np.ndarray]) -> str:
    found = np.concatenate([np.array([]), *ages])
    return f"{np.quantile(found, 0.5):.2f} / {np.quantile(found, 0.95):.2f} s" if len(found) else "–"


# -- a whole lesson


@dataclass
class Endured:
    """A slice per minute; then how many pages were loaded anew, and the last point of the store and of everybody."""

    minutes: list[Cell]
    reloads: int
    stored: tuple[int, float]
    heard: list[tuple[int, float]]
    drawn: list[int]

    @property
    def equal(self) -> int:
        """Viewers whose last point is the store's; of a page its round is looked at."""
        round, value = self.stored
        heard = sum(at == round and math.isclose(told, value, rel_tol=1e-4) for at, told in self.heard)
        return heard + self.drawn.count(round)


def endure(minutes: int, folder: Path, browser: Any) -> Endured:
    """Viewers and pages that watch one run for so long, and do not come again."""
    stage, cells = Stage(folder, browser, MINUTE), []
    try:
        stage.begin(1)
        with stage.pages(ENDURING_PAGES) as shown, stage.crowd(ENDURING_VIEWERS - ENDURING_PAGES) as crowd:
            loaded = [page.loaded_at() for _, page in shown]
            time.sleep(SETTLE_SECONDS)
            for minute in range(minutes):
                cells.append(stage.beside(crowd))
                print(f"minute {minute + 1}: {cells[-1].memory / 2**20:.0f} MB", file=sys.stderr, flush=True)
            stage.ask("stop")
            time.sleep(2 * SETTLE_SECONDS)
            (stored,) = stage.ask("last")["last"].values()
            return Endured(
                cells,
                reloads=sum(page.loaded_at() != at for at, (_, page) in zip(loaded, shown, strict=True)),
                stored=tuple(stored),
                heard=[viewer.last for viewer in crowd.viewers],
                drawn=[page.last_round_drawn() for _, page in shown],
            )
    finally:
        stage.close()


def report_endured(found: Endured, command: str, load: list[tuple[float, float, float]]) -> str:
    """The table as Markdown, a row for every few minutes."""
    viewers = len(found.heard) + len(found.drawn)
    minutes = len(found.minutes)
    lines = [
        "# A whole lesson",
        "",
        f"{viewers} viewers, {len(found.drawn)} of them Chromium pages, watch one run of `{PRESET}` for {minutes} minutes.",
        "",
        f"* Viewers whose connection was lost: 0 (one would end the bench); pages that were loaded again: {found.reloads}.",
        f"* Viewers whose last point is the store's, round {found.stored[0]:,}: **{found.equal} of {viewers}**.",
        f"* The server's memory went from {_megabytes(found.minutes[0])} after the first minute to "
        f"{_megabytes(found.minutes[-1])} after the last.",
        "",
        "| minute | server memory | rounds/s | server CPU per second | kB per viewer and second "
        "| age of the newest point, p50 / p95 |",
        "|---|---|---|---|---|---|",
    ]
    step = max(1, minutes // 10)
    for minute in [1, *range(step, minutes + 1, step)] if step > 1 else range(1, minutes + 1):
        cell = found.minutes[minute - 1]
        lines.append(
            f"| {minute} | {_megabytes(cell)} | {cell.rate:.0f} | {1000 * cell.cpu:.0f} ms "
            f"| {cell.bytes / 1000:.1f} | {_quantiles([cell.ages])} |"
        )
    lines += ["", "Memory and CPU are of the server's own process.", *signed(command, load)]
    return "\n".join(lines)


def _megabytes(cell: Cell) -> str:
    return f"{cell.memory / 2**20:.0f} MB"


def _whole_numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=_whole_numbers, default=[0, 1, 5, 15, 30], help="(default: 0,1,5,15,30)")
    parser.add_argument("--runs", type=_whole_numbers, default=[1, 4], help="(default: 1,4)")
    parser.add_argument("--pages", type=int, default=2, help="Chromium pages, at most (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each slice (default: %(default)s)")
    parser.add_argument("--cycles", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--endure", type=int, metavar="MINUTES", help="one run and thirty viewers for so long instead")
    parser.add_argument("--out", type=Path, help="(default: docs/results/viewers.md, or endurance.md)")
    options = parse_or_serve(parser, partial(serve, carry_out=carry_out))
    command = command_line()
    out = options.out or ROOT / "docs" / "results" / ("endurance.md" if options.endure else "viewers.md")
    load = [os.getloadavg()]
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        if options.endure:
            endured = endure(options.endure, Path(folder), browser)
            load.append(os.getloadavg())
            text = report_endured(endured, command, load)
        else:
            rows = compare(options, Path(folder), browser)
            load.append(os.getloadavg())
            text = report(rows, command, options, load)
    out.write_text(text)
    print(f"written: {out}")


if __name__ == "__main__":
    main()

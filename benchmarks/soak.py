"""Visitors come and go, and short runs start and end, for two hours: memory, threads, file handles and sockets must stay flat.

    make soak                                                    # two hours; its section of docs/results/reliability.md
    python benchmarks/soak.py --minutes 3 --sessions 20 --runs 4 --out /tmp/quick.md

The server is `app.py` in a process of its own, a class's, as the public opens it. A visitor is a Streamlit session with the
sockets that a page holds; it opens one to four pages and leaves. A few are real Chromium pages. Runs train as
the server trains them, in processes of their own; some are stopped, some deleted once they have ended.

The first quarter of the time is warm-up. Of the rest the medians of its first and its last quarter are compared: what leaks
has grown by then, and what is only busy at a moment has not.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.crowd import Crowd, Viewer
from benchmarks.sections import command_line, write_section
from benchmarks.serving import Dashboard, machine, open_browser, parse_or_serve, serve
from gan_core.config import preset_config
from gan_core.server.tickets import open_tickets
from gan_core.training import resolve

TITLE = "Two hours of visitors"
PRESETS = ("ring-mlp", "gaussian-1d", "digits-mlp", "grid-collapse")
RUN = {"schedule.rounds": 300, "device": "cpu"}
PAGES = ("", "train", "watch", "compare", "runs", "data", "library", "collapse", "theory", "lessons", "classroom")
STAY = (3.0, 12.0)  # seconds on a page
MOST_PAGES = 4
LEAST_BYTES = 5_000  # of a page that was shown
LOOK_SECONDS = 3.0
WARM_UP = 0.25  # share of the time
GROWTH = 0.10  # what still counts as flat
AFTERWARDS = 150.0  # Streamlit remembers a session that has gone for two minutes


# -- in the server's process


def carry_out(do: str, **details: Any) -> dict[str, Any]:
    """What the bench asks of the lab."""
    from gan_core.engine import open_lab

    lab = open_lab()
    if do == "start":
        config = resolve(preset_config(details["preset"], RUN | {"seed": details["seed"]}))
        return {"run": lab.submit(config)}
    if do == "delete":
        lab.delete(details["run"])
    else:
        lab.command(details["run"], "stop")
    return {}


# -- what is watched


@dataclass(frozen=True)
class Usage:
    """What the server holds at a moment; ``at`` in seconds since the start, memory in MB.

    Of its processes the memory of each, NaN while it has none: how many there are depends on how busy the machine is.
    """

    at: float
    memory: float
    memory_of_a_process: float
    threads: int
    files: int
    sockets: int


WHAT = {
    "memory": "memory of the server, MB",
    "memory_of_a_process": "memory of each of its processes, MB",
    "threads": "threads of the server",
    "files": "file handles of the server",
    "sockets": "open sockets of the server",
}


def usage(server: psutil.Process, at: float) -> Usage:
    memory = []
    for process in server.children(recursive=True):
        with suppress(psutil.Error):  # a run may end while it is looked at
            memory.append(process.memory_info().rss / 2**20)
    each = sum(memory) / len(memory) if memory else math.nan
    with server.oneshot():
        held = server.num_threads(), server.num_fds(), len(server.net_connections())
        return Usage(at, server.memory_info().rss / 2**20, each, *held)


class Meter:
    """Looks at a server again and again, in a thread."""

    def __init__(self, pid: int, out: Path | None) -> None:
        self.seen: list[Usage] = []
        self._server = psutil.Process(pid)
        self._out = out
        self._over = threading.Event()
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    @property
    def now(self) -> float:
        return time.monotonic() - self._started

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.seen.append(usage(self._server, self.now))
            if self._out is not None:
                fresh = not self._out.exists()
                with self._out.open("a", newline="") as file:
                    writer = csv.DictWriter(file, [field.name for field in fields(Usage)])
                    if fresh:
                        writer.writeheader()
                    writer.writerow(asdict(self.seen[-1]))

    def close(self) -> None:
        self._over.set()
        self._thread.join()


def quarters(seen: Iterable[tuple[float, float]], until: float) -> tuple[list[float], list[float]]:
    """What was seen at some time, in the first and in the last quarter of the time between the warm-up and ``until``."""
    quarter = (1 - WARM_UP) * until / 4
    after = [(at, value) for at, value in seen if WARM_UP * until <= at <= until]
    first = [value for at, value in after if at < WARM_UP * until + quarter]
    last = [value for at, value in after if at > until - quarter]
    return first, last


def growth(seen: Sequence[Usage], name: str, until: float) -> tuple[float, float]:
    """The medians of a measure in the first and in the last quarter of the time between the warm-up and ``until``."""
    values = [(one.at, float(getattr(one, name))) for one in seen]
    first, last = quarters([(at, value) for at, value in values if not math.isnan(value)], until)
    return median(first), median(last)


# -- who comes


@dataclass(frozen=True)
class Visit:
    at: float
    pages: tuple[str, ...]
    stay: float
    drawn: bool

    @property
    def seconds(self) -> float:
        return self.stay * len(self.pages)


def visits(sessions: int, seconds: float, drawn: int, rng: random.Random) -> list[Visit]:
    """Evenly spread, so that no quarter of the time is busier than another; every so many is a real browser."""
    every = sessions // drawn if drawn else sessions + 1
    return [
        Visit(
            (number + rng.random()) * seconds / sessions,
            tuple(rng.choices(PAGES, k=rng.randint(1, MOST_PAGES))),
            rng.uniform(*STAY),
            number % every == every // 2,
        )
        for number in range(sessions)
    ]


class Soak:
    """One server, its visitors and its runs."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        os.environ |= {"GANSCOPE_CLASS": "1", "GANSCOPE_BROWSERS_PER_ADDRESS": "500"}
        os.environ.pop("GANSCOPE_EXECUTOR", None)  # as the server decides by itself
        self.options = options
        self.folder = folder
        self.seconds = 60.0 * options.minutes
        self.rng = random.Random(options.seed)
        self.dashboard = Dashboard(folder, __file__)
        self.meter = Meter(self.dashboard.pid, options.samples)
        self.crowd = Crowd()
        self.runs: list[str] = []
        self.deleted = 0
        self.faults: list[str] = []

    def play(self) -> None:
        coming = visits(self.options.sessions, self.seconds, self.options.drawn, self.rng)
        starts = [(number + 0.5) * self.seconds / self.options.runs for number in range(self.options.runs)]
        here: list[tuple[float, Viewer]] = []  # with the time at which it leaves
        presets = itertools.cycle(PRESETS)
        while (now := self.meter.now) < self.seconds:
            for leaving in [one for one in here if one[0] <= now]:
                here.remove(leaving)
                self._dismiss(leaving[1])
            while starts and starts[0] <= now:
                starts.pop(0)
                self._start(next(presets))
            while coming and coming[0].at <= now:
                visit = coming.pop(0)
                if visit.drawn:
                    self._draw(visit)
                else:
                    viewer = self._viewer(visit)
                    self.crowd.admit(viewer)
                    # Whoever came late, because a browser was being looked at, stays as long as anybody.
                    here.append((self.meter.now + visit.seconds, viewer))
            self._tell(len(coming), len(here))
            time.sleep(0.2)
        for _, viewer in here:
            self._dismiss(viewer)
        self.crowd.close()

    def _start(self, preset: str) -> None:
        """Another run; the one before last is ended if it has not, and every third of them is deleted."""
        if len(self.runs) > 1:
            with suppress(RuntimeError):  # it has ended by itself
                self.dashboard.ask("stop", run=self.runs[-2])
        if len(self.runs) % 3 == 2:
            with suppress(RuntimeError):  # it is still ending
                self.dashboard.ask("delete", run=self.runs[-2])
                del self.runs[-2]
                self.deleted += 1
        self.runs.append(self.dashboard.ask("start", preset=preset, seed=len(self.runs))["run"])

    def _viewer(self, visit: Visit) -> Viewer:
        run = self.rng.choice(self.runs[-5:]) if self.runs and "watch" in visit.pages else ""
        ticket = open_tickets(self.folder).mint(run) if run else ""
        return Viewer(f"localhost:{self.dashboard.port}", run, ticket, visit.pages, visit.stay)

    def _dismiss(self, viewer: Viewer) -> None:
        self.crowd.dismiss(viewer)
        for fault in viewer.faults:
            self._fault(fault)
        if viewer.bytes < LEAST_BYTES * len(viewer.pages):
            self._fault(f"a visitor of {', '.join(viewer.pages)} got {viewer.bytes} bytes")

    def _fault(self, what: str) -> None:
        """Told at once: two hours are long for whoever looks for the cause."""
        self.faults.append(what)
        print(f"minute {self.meter.now / 60:.1f}: {what}", file=sys.stderr, flush=True)

    def _draw(self, visit: Visit) -> None:
        """A browser of its own, which sees each page for as long."""
        with open_browser() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            for name in visit.pages:
                run = f"?run={self.runs[-1]}" if name == "watch" and self.runs else ""
                try:
                    page.goto(f"http://localhost:{self.dashboard.port}/{name}{run}")
                    page.wait_for_timeout(1000 * visit.stay)
                except Exception as error:
                    self._fault(f"a browser on {name!r}: {str(error)[:200]}")

    def _tell(self, coming: int, here: int) -> None:
        if sys.stderr.isatty() and self.meter.seen:
            last = self.meter.seen[-1]
            print(
                f"\r{last.at / 60:.1f} min, {coming} to come, {here} here, {len(self.runs)} runs: "
                f"{last.memory:.0f} MB, {last.threads} threads, {last.files} files, {last.sockets} sockets  ",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def close(self) -> None:
        self.meter.close()
        self.dashboard.close()


def report(soak: Soak, command: str, load: list[tuple[float, float, float]]) -> tuple[str, bool]:
    """The section, and whether all stayed flat."""
    seen, options = soak.meter.seen, soak.options
    rows, flat = [], True
    at_rest = seen[-1]
    for name, what in WHAT.items():
        first, last = growth(seen, name, soak.seconds)
        grown = last / first - 1
        flat &= grown <= GROWTH
        rows.append(f"| {what} | {first:.0f} | {last:.0f} | {grown:+.1%} | {float(getattr(at_rest, name)):.0f} |")
    problems = [*dict.fromkeys(soak.faults)]
    lines = [
        f"`{command}`: in {options.minutes:g} minutes {options.sessions} visitors came and went, {options.drawn} of them in",
        f"Chromium, and {options.runs} runs were started, {soak.deleted} of them deleted. Medians of the first and the last",
        f"quarter of the time after a warm-up of {WARM_UP:.0%}; a growth of at most {GROWTH:.0%} is flat. The last column is",
        f"what is held {AFTERWARDS:g} s after the last visitor has gone.",
        "",
        "| | first quarter | last quarter | growth | nobody there |",
        "|---|---:|---:|---:|---:|",
        *rows,
        "",
        f"Visitors to whom something failed: {len(soak.faults)}.",
        *(f"* {line}" for line in problems[:10]),
        "",
        f"Measured on {machine(load)}",
    ]
    return "\n".join(lines), flat and not problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120.0, help="(default: %(default)s)")
    parser.add_argument("--sessions", type=int, default=500, help="visitors (default: %(default)s)")
    parser.add_argument("--drawn", type=int, default=5, help="of them in Chromium (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=100, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "reliability.md")
    parser.add_argument("--samples", type=Path, help="a CSV file that gets every look while it lasts")
    options = parse_or_serve(parser, partial(serve, carry_out=carry_out))
    load = [os.getloadavg()]
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(options, Path(folder))
        try:
            soak.play()
            time.sleep(AFTERWARDS)
        finally:
            soak.close()
        log = (Path(folder) / "server.log").read_text(errors="replace")
        soak.faults += [f"server: {line[:200]}" for line in log.splitlines() if "Error" in line or "Traceback" in line]
    load.append(os.getloadavg())
    text, flat = report(soak, command_line(), load)
    write_section(options.out, TITLE, text)
    print(text)
    return int(not flat)


if __name__ == "__main__":
    sys.exit(main())

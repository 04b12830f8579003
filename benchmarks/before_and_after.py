"""Do training, a refresh and the start of a page cost more than at a commit? Alternates its code with the working tree.

    python benchmarks/before_and_after.py COMMIT     # ten to fifteen minutes; writes docs/results/before_and_after.md

In a sitting each code has a new process that waits while the other one plays. A slice of one is followed by the same slice
of the other, the first of them in turn, and ratios are of such pairs. What is compared are CPU seconds of the process, which
other work on the machine lengthens less than it lengthens the time on the wall. Two processes of one code differ by a few
per cent from their begin to their end, so that one sitting, however long, cannot tell 2 %: there are several, each counts
once, by its median, and the interval is Student's over these. ``HEAD`` in a clean tree shows what the measurement itself
finds between equal codes.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.commits import checked_out, environment_of
from benchmarks.sections import command_line
from benchmarks.serving import signed
from gan_core.metrics.seeds import Interval, student_interval

NETWORKS = {"MLP": "digits-mlp", "DCGAN": "digits-dcgan"}
BARE_ROUNDS = {"MLP": 150, "DCGAN": 25}
LAB_ROUNDS = {"MLP": 1500, "DCGAN": 300}
FEW_ROUNDS = 5  # of a run before the first pair of a sitting
BARE_PAIRS = 4  # of slices, in a sitting
TOLERANCE = 1.02
# Only names that codes of different ages have in common. `time.process_time` counts all threads of the process.
RUNS = """
import sys, time
from statistics import median

import torch
torch.set_num_threads(1)
from gan_core.config import preset_config
from gan_core.engine import open_lab
from gan_core.engine.lab import prepare_classifier
from gan_core.training import build, load_source, play, resolve

CHANGES = {"objective": "ns_gan", "schedule.n_critic": 1, "device": "cpu"}
lab, turns = open_lab(sys.argv[1]), {}

def bare(preset, rounds):
    if preset not in turns:
        config = resolve(preset_config(preset, {**CHANGES, "schedule.rounds": 100_000_000}))
        turns[preset] = play(build(config, load_source(config)))
        list(zip(range(10), (turn for turn in turns[preset] if turn.ends_round)))
    cpu, left = time.process_time(), rounds
    while left:
        left -= next(turns[preset]).ends_round
    return {"cpu": (time.process_time() - cpu) / rounds}

def recorded(preset, rounds):
    config = preset_config(preset, {**CHANGES, "schedule.rounds": rounds})
    prepare_classifier(lab, config)
    cpu, cursor = time.process_time(), [0]
    run = lab.submit(config)
    view = lab.view(run)
    def take():
        view.delta(cursor[0])
        cursor[0] = view.cursor
    end = view.subscribe(take)
    record = lab.wait(run, 300)
    spent = (time.process_time() - cpu) / rounds
    end()
    assert record.status == "finished", record
    snapshots = []
    for _ in range(21):
        cpu = time.process_time()
        sent = lab.view(run).snapshot()
        snapshots.append(time.process_time() - cpu)
    return {"cpu": spent, "snapshot": median(snapshots), "bytes": len(sent)}

"""
PAGE = """
import sys, time
from statistics import median

began = time.perf_counter()
import streamlit
import app as server  # what `streamlit run app.py` imports
import torch
from gan_core.engine import open_lab
from streamlit.testing.v1 import AppTest

torch.set_num_threads(1)
lab = open_lab(sys.argv[1])

def page():
    app = AppTest.from_file("pages/router.py", default_timeout=300).run()
    assert not app.exception, app.exception
    first, wall, again = time.process_time(), time.perf_counter() - began, []
    for _ in range(7):
        cpu = time.process_time()
        app.run()
        again.append(time.process_time() - cpu)
    return {"first": first, "wall": wall, "again": median(again)}
"""
ANSWERS = """
import json

for line in sys.stdin:
    asked = json.loads(line)
    answer = globals()[asked.pop("do")](**asked)
    print("@@" + json.dumps(answer), flush=True)
lab.close()
"""


class Player:
    """A code in a process of its own, which does what it is asked and else waits. The first question starts the process, so
    that two do not start at once."""

    def __init__(self, program: str, code: Path, store: Path) -> None:
        self._command = [sys.executable, "-c", program + ANSWERS, str(store)]
        self._code = code
        self._environment = {**environment_of(code), "GANSCOPE_EXECUTOR": "thread", "GANSCOPE_STORE": str(store)}

    @cached_property
    def _process(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command,
            cwd=self._code,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **details: Any) -> dict[str, float]:
        questions, answers = self._process.stdin, self._process.stdout
        assert questions is not None
        assert answers is not None
        questions.write(json.dumps({"do": do, **details}) + "\n")
        questions.flush()
        for line in answers:
            if line.startswith("@@"):
                answer: dict[str, float] = json.loads(line[2:])
                return answer
        raise RuntimeError(f"the process could not do {do}; its error stands above")

    def close(self) -> None:
        if "_process" in vars(self):
            self._process.communicate(timeout=60)


@dataclass
class Pairs:
    """One number, measured of both codes in turn, in each sitting."""

    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    sitting: list[int] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """after ÷ before, the median of each sitting."""
        of_sitting: dict[int, list[float]] = defaultdict(list)
        for sitting, old, new in zip(self.sitting, self.before, self.after, strict=True):
            of_sitting[sitting].append(new / old)
        return [median(ratios) for ratios in of_sitting.values()]

    @property
    def interval(self) -> Interval:
        return student_interval(np.array(self.ratios))


Measured = dict[str, Pairs]


def in_turn(players: list[Player], turn: int, do: str, **details: Any) -> list[dict[str, float]]:
    """The answers of both, in the order of ``players``; which of them is first changes from turn to turn."""
    order = (0, 1) if turn % 2 == 0 else (1, 0)
    answers = {place: players[place].ask(do, **details) for place in order}
    return [answers[0], answers[1]]


@dataclass
class Sitting:
    """A new process of each code, and where their answers are put down."""

    number: int
    players: list[Player]
    measured: Measured

    def pair(self, turn: int, names: dict[str, str], do: str, **details: Any) -> None:
        """Ask both, and put down their answers by the names that the values have in the table."""
        old, new = in_turn(self.players, turn, do, **details)
        for key, name in names.items():
            pairs = self.measured[name]
            pairs.before.append(old[key])
            pairs.after.append(new[key])
            pairs.sitting.append(self.number)
        shown = "  ".join(f"{name} {new[key] / old[key]:.3f}" for key, name in names.items())
        print(f"    sitting {self.number + 1}: {shown}", file=sys.stderr, flush=True)

    def close(self) -> None:
        for player in self.players:
            player.close()


def measure(codes: list[Path], folder: Path, sittings: int, recorded: int, pages: int) -> Measured:
    """So many sittings; the first ``recorded`` of them play runs in the lab too, and the first ``pages`` have a page."""
    measured: Measured = defaultdict(Pairs)

    def sit(number: int, program: str, stores: str) -> Sitting:
        players = [Player(program, code, folder / f"{stores}{place}") for place, code in enumerate(codes)]
        return Sitting(number, players, measured)

    for number in range(pages):
        with closing(sit(number, PAGE, f"page{number}-")) as sitting:
            sitting.pair(number, {"first": "home, first", "wall": "home, wall", "again": "home, again"}, "page")
    for number in range(sittings):
        # The stores are those of the sittings before: what a store gets once, such as a classifier, is in no pair.
        with closing(sit(number, RUNS, "runs")) as sitting:
            for name, preset in NETWORKS.items():
                for turn in range(BARE_PAIRS):
                    rounds = BARE_ROUNDS[name]
                    sitting.pair(number + turn, {"cpu": f"b {name}"}, "bare", preset=preset, rounds=rounds)
            for name, preset in NETWORKS.items() if number < recorded else ():
                in_turn(sitting.players, 0, "recorded", preset=preset, rounds=FEW_ROUNDS)
                names = {"cpu": f"c {name}", "snapshot": f"snapshot {name}", "bytes": f"bytes {name}"}
                sitting.pair(number, names, "recorded", preset=preset, rounds=LAB_ROUNDS[name])
    return measured


ROWS = {
    **{f"b {name}": f"b, {name}: our loop alone, CPU ms a round" for name in NETWORKS},
    **{f"c {name}": f"c, {name}: in the lab, CPU ms a round" for name in NETWORKS},
    **{f"snapshot {name}": f"refresh, {name}: a snapshot, CPU ms" for name in NETWORKS},
    **{f"bytes {name}": f"refresh, {name}: a snapshot, thousand bytes" for name in NETWORKS},
    "home, first": "Home in a new process, CPU ms",
    "home, wall": "Home in a new process, ms on the wall",
    "home, again": "Home drawn again, CPU ms",
}


def report(measured: Measured, commit: str, load: list[tuple[float, float, float]]) -> str:
    lines = [
        "# Before and after",
        "",
        f"What training, a refresh and the start of a page cost at the commit {commit} (before) and in the",
        "working tree (after), played in turns. In each sitting both codes have a new process. Medians; the ratio is the",
        "mean over sittings of the sitting's median of after ÷ before, with the 95 % interval of that mean (Student), and",
        "beside it the least and the greatest sitting.",
        "",
        "| what | before | after | after ÷ before (95 %) | least – greatest | sittings |",
        "|---|---:|---:|---|---|---:|",
    ]
    looked_at = [row for row in ROWS if measured[row].ratios]
    for row in looked_at:
        pairs = measured[row]
        scale = 1e-3 if row.startswith("bytes") else 1e3
        interval, ratios = pairs.interval, pairs.ratios
        ratio = f"**{interval.mean:.3f}** ({interval.low:.3f} – {interval.high:.3f}) | {min(ratios):.3f} – {max(ratios):.3f}"
        told = (f"{median(values) * scale:.2f}" for values in (pairs.before, pairs.after))
        lines.append(f"| {ROWS[row]} | {' | '.join(told)} | {ratio} | {len(ratios)} |")
    lines += ["", f"Aim: at most {TOLERANCE:g} for b and c, and no more for a refresh and a page than before."]
    over = [row for row in looked_at if row != "home, wall" and measured[row].interval.mean > TOLERANCE]
    surely = [row for row in over if measured[row].interval.low > TOLERANCE]
    for said, rows in ((f"Above {TOLERANCE:g}", over), ("With its whole interval", surely)):
        lines.append(f"{said}: {'; '.join(ROWS[row] for row in rows) or 'none'}.")
    lines += ["", "## What each row is", ""]
    lines += [
        f"* **b** `build` and `play`, {BARE_PAIRS} pairs of slices of {_told(BARE_ROUNDS)} rounds of one game that goes on.",
        f"* **c** whole runs of {_told(LAB_ROUNDS)} rounds in a lab whose runs train in threads, from submission to",
        "  end, with recorder, store, diagnostics as they come, and a viewer that takes every delta; no browser.",
        "* **refresh** the snapshot of that run, as a page that is opened gets it.",
        "* **Home** the script of the page, drawn by Streamlit's `AppTest` over an empty store: from the start of the",
        "  interpreter, what the server imports and the lab included, and then again in the same process.",
        "",
        "Objective `ns_gan` with one step of D per round, one thread of torch. The two codes differ by all that was added",
        "to GANscope between them, games, pages and measures included.",
    ]
    return "\n".join([*lines, *signed(command_line(), load)])


def _told(rounds: dict[str, int]) -> str:
    return " and ".join(f"{count} ({name})" for name, count in rounds.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="whose code is before")
    parser.add_argument("--sittings", type=int, default=24, help="with new processes (default: %(default)s)")
    parser.add_argument("--recorded", type=int, default=8, help="sittings with runs in the lab (default: %(default)s)")
    parser.add_argument("--pages", type=int, default=8, help="sittings with a first page (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "before_and_after.md")
    options = parser.parse_args()
    load = [os.getloadavg()]
    with tempfile.TemporaryDirectory() as folder, checked_out(options.commit) as then:
        for code in (then, ROOT):  # else the one that was just checked out would be compiled in each of its processes
            compileall.compile_dir(code / "gan_core", quiet=1)
        measured = measure([then, ROOT], Path(folder), options.sittings, options.recorded, options.pages)
    load.append(os.getloadavg())
    options.out.write_text(report(measured, options.commit, load))
    print(options.out.read_text())


if __name__ == "__main__":
    main()

"""Do training, a refresh and the start of a page cost more than at a commit? Alternates its code with the working tree.

    python benchmarks/before_and_after.py COMMIT     # under six CPU minutes; writes docs/results/before_and_after.md

Each code has a process of its own that waits while the other one plays. A slice of one is followed by the same slice of the
other, the first of them in turn, and ratios are of such pairs. What is compared are CPU seconds of the process, which other
work on the machine lengthens less than it lengthens the time on the wall.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.commits import checked_out, environment_of
from benchmarks.sections import command_line
from benchmarks.serving import signed

NETWORKS = {"MLP": "digits-mlp", "DCGAN": "digits-dcgan"}
BARE_ROUNDS = {"MLP": 150, "DCGAN": 25}
LAB_ROUNDS = {"MLP": 1500, "DCGAN": 300}
FEW_ROUNDS = 5  # of a run before the first pair
TOLERANCE = 1.02
# Only names that codes of different ages have in common. `time.process_time` counts all threads of the process.
PLAYER = """
import json, sys, time
from statistics import median

began = time.perf_counter()
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

def page():
    from streamlit.testing.v1 import AppTest
    app = AppTest.from_file("pages/router.py", default_timeout=300).run()
    assert not app.exception, app.exception
    first, wall, again = time.process_time(), time.perf_counter() - began, []
    for _ in range(7):
        cpu = time.process_time()
        app.run()
        again.append(time.process_time() - cpu)
    return {"first": first, "wall": wall, "again": median(again)}

for line in sys.stdin:
    asked = json.loads(line)
    answer = globals()[asked.pop("do")](**asked)
    print("@@" + json.dumps(answer), flush=True)
lab.close()
"""


class Player:
    """A code in a process of its own, which does what it is asked and else waits."""

    def __init__(self, code: Path, store: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PLAYER, str(store)],
            cwd=code,
            env={**environment_of(code), "GANSCOPE_EXECUTOR": "thread", "GANSCOPE_STORE": str(store)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **details: Any) -> dict[str, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **details}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("@@"):
                answer: dict[str, float] = json.loads(line[2:])
                return answer
        raise RuntimeError(f"the process could not do {do}; its error stands above")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


@dataclass
class Pairs:
    """One number, measured of both codes in turn."""

    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [new / old for old, new in zip(self.before, self.after, strict=True)]


Measured = dict[str, Pairs]


def note(measured: Measured, number: int, answers: list[dict[str, float]], names: dict[str, str]) -> None:
    """Put down a pair of answers, by the names that their values have in the table."""
    for key, name in names.items():
        measured[name].before.append(answers[0][key])
        measured[name].after.append(answers[1][key])
    shown = "  ".join(f"{name} {measured[name].ratios[-1]:.3f}" for name in names.values())
    print(f"    pair {number + 1}: {shown}", file=sys.stderr, flush=True)


def in_turn(players: list[Player], number: int, do: str, **details: Any) -> list[dict[str, float]]:
    """The answers of both, in the order of ``players``; which of them is first changes from pair to pair."""
    order = (0, 1) if number % 2 == 0 else (1, 0)
    answers = {place: players[place].ask(do, **details) for place in order}
    return [answers[0], answers[1]]


def measure(codes: list[Path], folder: Path, bare: int, recorded: int, pages: int) -> Measured:
    measured: Measured = defaultdict(Pairs)
    for number in range(pages):
        opened = [Player(code, folder / f"page{number}-{place}") for place, code in enumerate(codes)]
        try:
            names = {"first": "home, first", "wall": "home, wall", "again": "home, again"}
            note(measured, number, in_turn(opened, number, "page"), names)
        finally:
            for player in opened:
                player.close()
    players = [Player(code, folder / f"runs{place}") for place, code in enumerate(codes)]
    try:
        for name, preset in NETWORKS.items():
            for number in range(bare):
                answers = in_turn(players, number, "bare", preset=preset, rounds=BARE_ROUNDS[name])
                note(measured, number, answers, {"cpu": f"b {name}"})
            for player in players:  # what a process does once, such as training the classifier, is in no pair
                player.ask("recorded", preset=preset, rounds=FEW_ROUNDS)
            for number in range(recorded):
                answers = in_turn(players, number, "recorded", preset=preset, rounds=LAB_ROUNDS[name])
                names = {"cpu": f"c {name}", "snapshot": f"snapshot {name}", "bytes": f"bytes {name}"}
                note(measured, number, answers, names)
    finally:
        for player in players:
            player.close()
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
        "working tree (after), played in turns in one run. Medians; the ratio is the median of after ÷ before over the",
        "pairs, and brackets hold the least and the greatest of these.",
        "",
        "| what | before | after | after ÷ before | pairs |",
        "|---|---|---|---|---|",
    ]
    looked_at = [row for row in ROWS if measured[row].ratios]
    for row in looked_at:
        pairs = measured[row]
        scale = 1e-3 if row.startswith("bytes") else 1e3
        ratio = f"**{median(pairs.ratios):.3f}** ({min(pairs.ratios):.3f}–{max(pairs.ratios):.3f})"
        told = (f"{median(values) * scale:.2f}" for values in (pairs.before, pairs.after))
        lines.append(f"| {ROWS[row]} | {' | '.join(told)} | {ratio} | {len(pairs.ratios)} |")
    lines += ["", f"Aim: at most {TOLERANCE:g} for b and c, and no more for a refresh and a page than before."]
    over = [row for row in looked_at if row != "home, wall" and median(measured[row].ratios) > TOLERANCE]
    lines += [f"Above {TOLERANCE:g}: {'; '.join(ROWS[row] for row in over) or 'none'}.", "", "## What each row is", ""]
    lines += [
        f"* **b** `build` and `play`, slices of {_told(BARE_ROUNDS)} rounds of one game that goes on.",
        f"* **c** whole runs of {_told(LAB_ROUNDS)} rounds in a lab whose runs train in threads, from submission to",
        "  end, with recorder, store, diagnostics as they come, and a viewer that takes every delta; no browser.",
        "* **refresh** the snapshot of that run, as a page that is opened gets it.",
        "* **Home** the script of the page, drawn by Streamlit's `AppTest` over an empty store: from the start of the",
        "  interpreter, imports and the lab included, and then again in the same process.",
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
    parser.add_argument("--bare", type=int, default=9, help="pairs of slices of the loop alone (default: %(default)s)")
    parser.add_argument("--recorded", type=int, default=5, help="pairs of runs in the lab (default: %(default)s)")
    parser.add_argument("--pages", type=int, default=3, help="pairs of first pages (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "before_and_after.md")
    options = parser.parse_args()
    load = [os.getloadavg()]
    with tempfile.TemporaryDirectory() as folder, checked_out(options.commit) as then:
        measured = measure([then, ROOT], Path(folder), options.bare, options.recorded, options.pages)
    load.append(os.getloadavg())
    options.out.write_text(report(measured, options.commit, load))
    print(options.out.read_text())


if __name__ == "__main__":
    main()

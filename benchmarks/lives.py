"""Plays any order of start, pause, resume, fork, stop, delete, kill and restart for so many steps, and says what it found.

    make lives                                               # 10,000 steps; its section of docs/results/reliability.md
    python benchmarks/lives.py --steps 200 --out /tmp/quick.md

The state machine is that of the tests (`tests/engine/test_lives.py`).
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["OMP_NUM_THREADS"] = "1"

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from benchmarks.sections import command_line, write_section
from benchmarks.serving import machine
from tests.engine.test_lives import Lives

TITLE = "Any order of commands"
PER_LIFE = 50


class Counted(Lives):
    """Counts its steps and its lives."""

    steps = lives = 0

    def check_invariants(self, *arguments: Any, **options: Any) -> None:
        super().check_invariants(*arguments, **options)
        Counted.steps += 1

    def teardown(self) -> None:
        super().teardown()
        Counted.lives += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "reliability.md")
    options = parser.parse_args()
    load, started, found = [os.getloadavg()], time.monotonic(), "nothing"
    while Counted.steps < options.steps and found == "nothing":
        lives = math.ceil((options.steps - Counted.steps) / PER_LIFE)
        try:
            run_state_machine_as_test(
                Counted,
                settings=settings(
                    max_examples=lives,
                    stateful_step_count=PER_LIFE,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
            notes = getattr(error, "__notes__", [])
            print(found, *notes, sep="\n", file=sys.stderr)
    load.append(os.getloadavg())
    command = command_line()
    text = "\n".join(
        [
            f"`{command}` played {Counted.steps:,} steps in {Counted.lives:,} stores: start, pause, resume, turn a knob, fork,",
            "stop, delete, take back, kill and restart in any order. After every step every run is listed in a legal state,",
            f"after every restart nothing trains, and at the end `fsck` has nothing to say. Found: {found}.",
            "",
            f"{(time.monotonic() - started) / 60:.0f} minutes. {machine(load)}",
        ]
    )
    write_section(options.out, TITLE, text)
    print(text)
    return int(found != "nothing")


if __name__ == "__main__":
    sys.exit(main())

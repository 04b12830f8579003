"""Plays any order of start, pause, resume, fork, stop, delete, kill and restart for so many steps, and says what it found.

    make lives                                               # 20,000 steps; its section of docs/results/reliability.md
    python benchmarks/lives.py --steps 200 --out /tmp/quick.md

The state machine is that of the tests (`tests/engine/test_lives.py`). What fails once and not again is a finding like any
other: each is printed with its traceback and the steps of its life, and stands in the section.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["OMP_NUM_THREADS"] = "1"

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from benchmarks.sections import command_line, write_section
from benchmarks.serving import machine
from tests.engine.test_lives import Lives

TITLE = "Any order of commands"
PER_LIFE = 50


@dataclass
class Played:
    """What was played, and what went wrong: every exception alone, those in groups too."""

    steps: int = 0
    lives: int = 0
    found: tuple[BaseException, ...] = ()


def play(machine: type[RuleBasedStateMachine], steps: int) -> Played:
    """Let the machine live until it has played so many steps, or something was found."""
    played = Played()

    class Counted(machine):  # type: ignore[misc,valid-type]
        def check_invariants(self, *arguments: Any, **options: Any) -> None:
            super().check_invariants(*arguments, **options)
            played.steps += 1

        def teardown(self) -> None:
            super().teardown()
            played.lives += 1

    while played.steps < steps and not played.found:
        try:
            run_state_machine_as_test(
                Counted,
                settings=settings(
                    max_examples=math.ceil((steps - played.steps) / PER_LIFE),
                    stateful_step_count=PER_LIFE,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception as error:
            traceback.print_exception(error)
            played.found = tuple(alone(error))
    return played


def alone(error: BaseException) -> Iterator[BaseException]:
    """The exceptions in a group, in a group of groups; an exception by itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from alone(inner)
    else:
        yield error


def told(played: Played, command: str) -> str:
    """What was played and what of it held, in words that agree with what was found."""
    promise = (
        "after every step every run is listed in a legal state,\n"
        "after every restart nothing trains, and at the end `fsck` has nothing to say"
    )
    began = (
        f"`{command}` played {played.steps:,} steps in {played.lives:,} stores: start, pause, resume,\n"
        "turn a knob, fork, stop, delete, take back, kill and restart in any order. "
    )
    if not played.found:
        return f"{began}Found nothing: {promise}."
    findings = [f"* {line}" for error in played.found for line in _lines(error)]
    return "\n".join([f"{began}It is promised that {promise}.", f"**Found: {len(played.found)}.**", "", *findings])


def _lines(error: BaseException) -> Iterator[str]:
    first = next(iter(str(error).splitlines()), "")
    steps = [line for note in getattr(error, "__notes__", []) for line in note.splitlines()[1:] if "(" in line]
    yield f"`{type(error).__name__}: {first[:200]}`" + (
        f" after {', '.join(f'`{step}`' for step in steps)}" if steps else ""
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "reliability.md")
    options = parser.parse_args()
    load, started = [os.getloadavg()], time.monotonic()
    played = play(Lives, options.steps)
    load.append(os.getloadavg())
    said = told(played, command_line("--out", str(options.out)))
    text = f"{said}\n\n{(time.monotonic() - started) / 60:.0f} minutes. {machine(load)}"
    write_section(options.out, TITLE, text)
    print(text)
    return int(bool(played.found))


if __name__ == "__main__":
    sys.exit(main())

"""Thousands of bad inputs, made from a seed, for every entry: each must be taken, or refused in a sentence, at once.

    make bad-inputs                                              # a few minutes; its section of docs/results/reliability.md
    python benchmarks/bad_inputs.py --each 20 --out /tmp/quick.md
    python benchmarks/bad_inputs.py --only packs --seed 7 --each 500 --out /tmp/quick.md

All entries are driven in this process, around a store with one run that has ended. What is counted: a *crash* is any exception
that the entry does not say it raises; a *hang* takes more than two seconds; *no sentence* is a refusal that is empty, has a
traceback or a path of this machine in it, or goes on for ever; a *file outside* is one beside the store.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.entries import Entry, Workplace, entries
from benchmarks.sections import command_line, write_section
from benchmarks.serving import machine

TITLE = "Bad input"
HANG_SECONDS, DEAD_SECONDS = 2.0, 60.0  # of the processor; on the wall, where other work may share the machine
LONGEST = 2000  # characters of an answer


@dataclass
class Count:
    inputs: int = 0
    taken: int = 0
    slowest: float = 0.0
    megabytes: float = 0.0
    crashes: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    no_sentence: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    @property
    def bad(self) -> list[str]:
        return self.crashes + self.hangs + self.no_sentence + self.outside


# -- counting


def count(entry: Entry, number: int, seed: int, place: Workplace) -> Count:
    """Hand in so many inputs."""
    tally = Count()
    rng = random.Random(f"{seed} {entry.name}")
    before = place.outside()
    for _ in range(max(1, round(entry.share * number))):
        given = entry.make(rng)
        held = _megabytes_from_here_on()
        started, worked = time.monotonic(), time.process_time()
        with _quiet():
            try:
                said = entry.deliver(given)
            except entry.known as error:
                said = str(error) or "\0"
            except Exception as error:
                (*_, last) = traceback.extract_tb(error.__traceback__)
                tally.crashes.append(
                    f"{type(error).__name__} in {Path(last.filename).name}: {error!s:.150} for {given!r:.200}"
                )
                said = "A crash."
        seconds = time.process_time() - worked
        tally.inputs += 1
        tally.taken += said == ""
        tally.slowest = max(tally.slowest, seconds)
        tally.megabytes = max(tally.megabytes, _peak() - held)
        if seconds > HANG_SECONDS or time.monotonic() - started > DEAD_SECONDS:
            tally.hangs.append(f"{seconds:.1f} s for {given!r:.200}")
        if said and not _is_said_well(said, place, entry):
            tally.no_sentence.append(f"{said!r:.300} for {given!r:.200}")
    tally.outside = sorted(place.outside() - before)
    return tally


def _is_said_well(said: str, place: Workplace, entry: Entry) -> bool:
    told = [
        word
        for word in ("Traceback", 'File "', *([] if entry.local else [str(place.folder), str(ROOT)]))
        if word in said
    ]
    return not told and any(map(str.isalpha, said)) and len(said) <= LONGEST


def _megabytes_from_here_on() -> float:
    """MB that this process holds now, the input among them; from here on `_peak` counts anew, where the system can do that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # then what was held at most before is not seen again
        return _peak()
    return psutil.Process().memory_info().rss / 2**20


def _peak() -> float:
    """MB that this process has held at most."""
    try:
        said = Path("/proc/self/status").read_text()
        return int(said.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What libraries write about bad files is not for this terminal."""
    import logging

    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def report(tallies: dict[str, Count], command: str) -> str:
    names = ("inputs", "taken", "crashes", "hangs", "no_sentence", "outside")

    def numbers(tally: Count) -> list[float]:
        counted = (getattr(tally, name) for name in names)
        return [*(value if isinstance(value, int) else len(value) for value in counted), tally.slowest, tally.megabytes]

    def row(name: str, values: list[float]) -> str:
        *whole, seconds, megabytes = values
        return f"| {name} | {' | '.join(f'{value:.0f}' for value in whole)} | {seconds:.2f} | {megabytes:.0f} |"

    columns = list(zip(*map(numbers, tallies.values()), strict=True))
    together = [*(sum(column) for column in columns[:-2]), max(columns[-2]), max(columns[-1])]
    found = [f"* {name}: {line}" for name, tally in tallies.items() for line in tally.bad[:5]]
    return "\n".join(
        [
            f"`{command}` makes them from a seed: what is right with alterations, and what is made to do harm.",
            f"A hang takes more than {HANG_SECONDS:g} s of the processor. *No sentence* is an answer without words, with a",
            "traceback or a path of the machine in it, or without end. Memory is how much more than before",
            "it was given an input the process held at most.",
            "",
            "| entry | inputs | of them taken | crashes | hangs | no sentence | files outside | slowest, s | memory, MB |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
            *(row(name, numbers(tally)) for name, tally in tallies.items()),
            row("**all**", together),
            "",
            *found,
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--each", type=int, default=300, help="inputs for an entry; costly ones get a share (default: %(default)s)"
    )
    parser.add_argument("--only", default="", help="the entries whose name has this in it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "reliability.md")
    options = parser.parse_args()
    out, load = options.out.resolve(), [os.getloadavg()]
    tallies = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Path(folder).resolve())
        with place.lab:
            for entry in entries(place):
                if options.only in entry.name:
                    tallies[entry.name] = count(entry, options.each, options.seed, place)
                    tally = tallies[entry.name]
                    told = f"{entry.name}: {tally.inputs} inputs, {tally.taken} taken, {len(tally.bad)} faults"
                    print(told, *tally.bad[:5], sep="\n  ", file=sys.stderr, flush=True)
        os.chdir(ROOT)
    load.append(os.getloadavg())
    command = command_line()
    write_section(out, TITLE, report(tallies, command) + f"\n\nMeasured on {machine(load)}")
    return int(any(tally.bad for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())

"""The gate many times over: `make test` in its own order and in a shuffled one, half of them beside a job that keeps all
cores busy. A test that depends on a moment fails in some of them.

    make gates                                               # ten, about three hours; docs/results/gate.md
    python benchmarks/gates.py --times 1 --turns slow        # every turn of every run takes 20 ms longer
    python benchmarks/gates.py --times 1 --turns quick       # every network is four units wide: turns take no time
    python benchmarks/gates.py --times 1 --turns looks       # every measurement takes 50 ms longer: few keep to their share

A finished gate is a line of ``gate.jsonl`` beside the document; ``--anew`` forgets those of before. What a failed gate
printed, and what its failed tests left (`build/failures`), stays in `build/gates`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ledger import Ledger, Row
from benchmarks.sections import command_line
from benchmarks.serving import processor
from benchmarks.tally import FILE

KEPT = ROOT / "build" / "gates"
FAILURES = ROOT / "build" / "failures"
TURNS = {
    "as they are": {},
    "slow": {"GANSCOPE_FAILPOINTS": "turn=sleep:0.02"},
    "quick": {"PYTHONPATH": str(ROOT / "tests" / "narrow")},
    "looks": {"GANSCOPE_FAILPOINTS": "sample=sleep:0.05"},
}
"""What makes turns take longer, or no time, on any machine: the environment of the gate. Where networks are narrow, tests that
ask for what wider ones compute are left out (`tests/narrow/left_out.py`)."""
BUSY = [sys.executable, "-c", "while True: pass"]


@contextmanager
def all_cores_busy(busy: bool) -> Iterator[None]:
    """As many processes as there are cores that compute all the time, or none."""
    others = [subprocess.Popen(BUSY) for _ in range(os.cpu_count() or 1)] if busy else []
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def gate(seed: int | None, busy: bool, turns: str, log: Path) -> Row:
    """One ``make test``, shuffled where there is a seed: what it took, and which tests failed."""
    tally = log.with_suffix(".json")
    shuffled = [] if seed is None else ["-p", "randomly", f"--randomly-seed={seed}"]
    leaves_out = ["-p", "left_out"] if turns == "quick" else []
    options = ["-p", "benchmarks.tally", "-o", "faulthandler_timeout=240", *shuffled, *leaves_out]
    began, load = time.monotonic(), os.getloadavg()[0]
    with all_cores_busy(busy), log.open("wb") as out:
        before = os.times()
        status = subprocess.run(
            ["make", "test"],
            cwd=ROOT,
            env=os.environ | TURNS[turns] | {"PYTEST_ADDOPTS": " ".join(options), FILE: str(tally)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        ).returncode
        after = os.times()
    passed, failed = tallied(tally)
    if status == 0 and not failed:
        log.unlink()
    return {
        "status": status,
        "seconds": round(time.monotonic() - began),
        "cpu_seconds": round(sum(after[2:4]) - sum(before[2:4])),
        "load_before": round(load, 1),
        "passed": passed,
        "failed": failed,
    }


def tallied(tally: Path) -> tuple[int, list[str]]:
    """How many tests passed, and the names of those that did not; (0, []) where pytest did not come to its end."""
    if not tally.exists():
        return 0, []
    told = json.loads(tally.read_text("utf-8"))
    return told["passed"], told["failed"]


def commit() -> str:
    """The commit that is checked out, and whether the tree differs from it."""
    short = _git("rev-parse", "--short", "HEAD")
    return f"{short} with changes" if _git("status", "--porcelain", "--", ".", ":!docs/results") else short


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def document(rows: list[Row]) -> str:
    """The rows as a page of Markdown: the verdict, the gates, the failures by test."""
    red = [row for row in rows if row["status"] or row["failed"]]
    in_a_row = next((count for count, row in enumerate(reversed(rows)) if row in red), len(rows))
    machines = sorted({row["machine"] for row in rows})
    lines = [
        "# The gate, many times",
        "",
        f"Written by `{command_line('--anew')}` (`make gates N={len(rows)}`). Each line is one `make test`: linters, types and",
        "the quick lane, a few tests at a time. *Shuffled* is a random order of modules and of the tests in each; *busy* is",
        "beside a loop per core that computes all the time, or beside what is named. Turns are *slow* where each takes 20 ms",
        "longer, *quick* where every network is at most four units wide, *looks* where each measurement takes 50 ms longer, so",
        "that few are made. CPU seconds are those of the gate alone.",
        "",
        f"**{len(rows) - len(red)} of {len(rows)} green, the last {in_a_row} in a row.** Machine: {'; '.join(machines)}.",
        "",
        "| date (UTC) | commit | order | machine | turns | seconds | CPU s | load before | passed | failed |",
        "|---|---|---|---|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        said = ", ".join(f"`{name}`" for name in row["failed"]) or (
            f"exit status {row['status']}" if row["status"] else "none"
        )
        lines.append(
            f"| {row['date']} | {row['commit']} | {row['order']} | {beside(row)} "
            f"| {row.get('turns', 'as they are')} | {row['seconds']} "
            f"| {row['cpu_seconds']} | {row['load_before']} | {row['passed']:,} | {said} |"
        )
    failures = Counter(name for row in rows for name in row["failed"])
    if failures:
        lines += ["", "| test | gates in which it failed |", "|---|---:|"]
        lines += [f"| `{name}` | {count} |" for name, count in failures.most_common()]
    return "\n".join(lines) + "\n"


def beside(row: Row) -> str:
    """What else the machine did."""
    return f"busy: {row.get('beside') or 'a loop per core'}" if row["busy"] else "free"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--anew", action="store_true", help="forget the gates of before")
    parser.add_argument(
        "--first", type=int, default=0, help="begin with this one of the four kinds, to go on (default: 0)"
    )
    parser.add_argument(
        "--beside", help="what keeps all cores busy already: no loops are started, and all gates are busy"
    )
    parser.add_argument("--turns", choices=TURNS, default="as they are", help="how long turns take")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "gate.md")
    options = parser.parse_args()
    kept = options.out.with_suffix(".jsonl")
    if options.anew:
        kept.unlink(missing_ok=True)
    ledger = Ledger(kept)
    KEPT.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.first + options.times):
        seed, busy = number if number // 2 % 2 else None, number % 2 == 1 or bool(options.beside)
        date = datetime.now(UTC)
        name = f"{date:%Y%m%d-%H%M%S}"
        shutil.rmtree(FAILURES, ignore_errors=True)
        row = gate(seed, busy and not options.beside, options.turns, KEPT / f"{name}.log")
        if FAILURES.exists():
            shutil.copytree(FAILURES, KEPT / f"{name}-failures")
        row |= {
            "date": f"{date:%Y-%m-%d %H:%M}",
            "commit": commit(),
            "order": "its own" if seed is None else f"shuffled by {seed}",
            "busy": busy,
            "beside": options.beside or ("a loop per core" if busy else ""),
            "turns": options.turns,
            "machine": f"{os.cpu_count()} cores, {processor()}",
        }
        ledger.add(name, row)
        options.out.write_text(document(list(ledger.rows.values())))
        print(f"gate {number}: {row['passed']:,} passed, failed: {row['failed']}, {row['seconds']} s")
    sys.exit(any(row["status"] for row in ledger.rows.values()))


if __name__ == "__main__":
    main()

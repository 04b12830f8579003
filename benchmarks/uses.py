"""What GANs are good for, by the studies of the laboratory: every table of docs/results/uses.md.

    nice -n 19 python benchmarks/uses.py                             # all cases; writes docs/results/uses.md
    python benchmarks/uses.py --cases augmentation --seeds 0-2       # some seeds of some cases
    python benchmarks/uses.py --render                               # only the tables, of what has been computed

A case is a study with settings; each of its cells is computed once, on one torch thread, and is a line of
``docs/results/uses.jsonl``: so the command can be stopped and goes on from there. A new protocol is a line in ``CASES``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.codes import machine
from benchmarks.ledger import Ledger
from benchmarks.sections import write_section
from gan_core.config import parse_seeds
from gan_core.config.studies import StudySettings, load_study
from gan_core.engine.environment import compute_on_one_thread
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.findings import Cell, Findings, Row, Table
from gan_core.engine.studies.protocols import PROTOCOLS
from gan_core.store import RunStore

RESULTS = ROOT / "docs" / "results"
CASES: dict[str, dict[str, Any]] = {
    "augmentation": {"protocol": "augmentation", "sizes": [5, 10, 20, 50, 100], "seeds": list(range(10))},
}
"""Settings by the title of their section."""


def key_of(settings: StudySettings, cell: Cell) -> str:
    """The key of a cell: all that its numbers depend on, which is neither how many seeds nor how many sizes there are."""
    said = {name: value for name, value in settings.to_dict().items() if name not in ("seeds", "sizes")}
    return hashlib.sha256(json.dumps([said, cell.key], sort_keys=True).encode()).hexdigest()[:16]


def compute(case: str, settings: StudySettings, ledger: Ledger) -> None:
    """The cells that are missing, in the order of the study."""
    protocol = PROTOCOLS[settings.protocol]
    missing = [cell for cell in protocol.cells(settings) if key_of(settings, cell) not in ledger.rows]
    with tempfile.TemporaryDirectory() as folder, RunStore(folder) as store:
        bench = Bench(store, "bench", settings)
        for cell in missing:
            before = time.process_time()
            values = protocol.compute(settings, cell, bench)
            told = {
                "case": case,
                "cell": cell.key,
                "values": dict(values),
                "cpu": round(time.process_time() - before, 2),
            }
            ledger.add(key_of(settings, cell), {**told, "machine": machine()})
            print(f"{case} {cell.key} {values}", flush=True)


def render(case: str, settings: StudySettings, ledger: Ledger, document: Path) -> None:
    """The section of a case, of the cells that are there."""
    protocol = PROTOCOLS[settings.protocol]
    known = [(cell, ledger.rows.get(key_of(settings, cell))) for cell in protocol.cells(settings)]
    rows = [Row(cell, row["values"]) for cell, row in known if row is not None]
    if not rows:
        return
    cpu = sum(row["cpu"] for _, row in known if row is not None)
    on = next(row["machine"] for _, row in known if row is not None)
    seeds = sorted({row.cell.seed for row in rows})
    parts = [
        f"{protocol.title} {len(rows)} of {len(known)} cells, seeds {', '.join(map(str, seeds))}; {cpu / 60:.1f} CPU minutes "
        f"on {on}, one thread.",
        *_said(protocol.findings(settings, rows)),
        *(f"* {note}" for note in protocol.notes),
    ]
    write_section(document, case, "\n\n".join(parts))


def _said(found: Findings) -> list[str]:
    parts = [f"**{found.headline.text}**"] if found.headline else []
    parts += [_table(table) for table in found.tables]
    parts += ["\n".join(f"* {sentence.text}" for sentence in found.sentences)]
    if found.comparisons:
        parts.append(f"{found.comparisons} differences were judged, each at 95 %: one of twenty is called falsely.")
    return parts


def _table(table: Table) -> str:
    def cell(name: str, value: Any) -> str:
        if value is None:
            return ""
        return format(value, table.forms[name]) if name in table.forms and not isinstance(value, str) else str(value)

    lines = [f"| {' | '.join(table.columns)} |", "|" + "---|" * len(table.columns)]
    lines += [
        f"| {' | '.join(cell(name, value) for name, value in zip(table.columns, row, strict=True))} |"
        for row in table.rows
    ]
    return f"{table.title}:\n\n" + "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--seeds", type=parse_seeds, help="instead of those of each case, e.g. 0-4")
    parser.add_argument("--render", action="store_true", help="only the tables, of what has been computed")
    parser.add_argument("--out", type=Path, default=RESULTS / "uses.md")
    options = parser.parse_args()
    compute_on_one_thread()
    ledger = Ledger(options.out.with_suffix(".jsonl"))
    if not options.out.exists():
        options.out.write_text(f"# What GANs are good for\n\nMade by `python benchmarks/{Path(__file__).name}`.\n\n")
    for case in options.cases:
        settings = load_study(CASES[case])
        if not options.render:
            some = settings if options.seeds is None else settings.model_copy(update={"seeds": options.seeds})
            compute(case, some, ledger)
        render(case, settings, ledger, options.out)


if __name__ == "__main__":
    main()

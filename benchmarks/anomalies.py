"""Anomalies in all ten digits by every score, beside published tables; its cases are studies as those of ``uses.py``.

    nice -n 19 python benchmarks/anomalies.py                        # all cases; writes docs/results/anomalies.md
    python benchmarks/anomalies.py --cases damaged --seeds 0         # one seed of one of them
    python benchmarks/anomalies.py --render                          # only the tables, of what has been computed

A case is a study of the laboratory. Each of its cells is computed once, on one torch thread, and is a line of
``docs/results/anomalies.jsonl``: so the command can be stopped and goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.codes import machine
from benchmarks.ledger import Ledger
from benchmarks.sections import write_section
from gan_core.config import parse_seeds
from gan_core.config.studies import AnomalySettings
from gan_core.engine.environment import compute_on_one_thread
from gan_core.engine.studies import anomaly
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.findings import Cell, Findings, Row, Table
from gan_core.store import RunStore

RESULTS = ROOT / "docs" / "results"
EVERY = {
    "families": ["outliers", "autoencoder", "vae", "bigan", "gan"],
    "seeds": [0, 1, 2, 3, 4],
    "rounds": 1000,
    "search_steps": 100,
}
CASES: dict[str, dict[str, Any]] = {
    "Anomalies: one digit left out": {"protocol": "anomaly", **EVERY},
    "Anomalies: one digit is normal": {"protocol": "anomaly", "question": "one_class", **EVERY},
    "Anomalies: damaged digits": {"protocol": "anomaly", "question": "damaged", **EVERY},
}
"""Settings by the title of their section."""

DIGITS = tuple(map(str, range(10)))
PUBLISHED: dict[str, tuple[tuple[str, tuple[float, ...], str], ...]] = {
    "Anomalies: one digit left out": (
        (
            "VAE, 2 numbers (Tonnaer, thesis, table 3.3)",
            (0.96, 0.73, 0.97, 0.94, 0.73, 0.92, 0.95, 0.77, 0.92, 0.66),
            "full MNIST",
        ),
        (
            "VAE, 32 numbers (Tonnaer, thesis, table 3.4)",
            (0.81, 0.09, 0.92, 0.87, 0.78, 0.86, 0.87, 0.51, 0.89, 0.58),
            "full MNIST",
        ),
    ),
    "Anomalies: one digit is normal": (
        (
            "Deep SVDD (Ruff et al. 2018, table 1)",
            (0.980, 0.997, 0.917, 0.919, 0.949, 0.885, 0.983, 0.946, 0.939, 0.965),
            "full MNIST, one class",
        ),
    ),
}
"""AUROC by digit as papers print it, by the title of a section; of other networks, numbers of pictures and rounds."""
BESIDE = (
    "Published, of other networks and more pictures; to be read beside the rows above, not against them. Škvára et al. (2018): "
    "“in practical scenarios none of the deep generative models systematically outperforms the kNN”."
)


def published(case: str) -> str:
    """The published rows of a section as Markdown; nothing where there are none."""
    rows = PUBLISHED.get(case, ())
    if not rows:
        return ""
    lines = [f"| AUROC | {' | '.join(DIGITS)} | mean | worst | data |", "|" + "---|" * 14]
    for name, areas, data in rows:
        worst = min(range(10), key=areas.__getitem__)
        cells = [f"{area:.2f}" for area in areas] + [f"{sum(areas) / 10:.3f}", f"{worst}: {areas[worst]:.2f}", data]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return f"{BESIDE}\n\n" + "\n".join(lines)


def key_of(settings: AnomalySettings, cell: Cell) -> str:
    """The key of a cell: all that its numbers depend on, which is neither how many seeds nor how many cases there are."""
    told = settings.to_dict().items()
    said = {name: value for name, value in told if name not in ("seeds", "classes", "damages", "families")}
    return hashlib.sha256(json.dumps([said, cell.arm, cell.seed], sort_keys=True).encode()).hexdigest()[:16]


def compute(case: str, settings: AnomalySettings, ledger: Ledger) -> None:
    """The cells that are missing, in the order of the study."""
    with tempfile.TemporaryDirectory() as folder, RunStore(folder) as store:
        bench = Bench(store, "bench", settings)
        for cell in anomaly.cells(settings):
            if key_of(settings, cell) in ledger.rows:
                continue
            before = time.process_time()
            values = {
                name: value for name, value in anomaly.compute(settings, cell, bench).items() if _is_number(value)
            }
            cpu = round(time.process_time() - before, 2)
            ledger.add(
                key_of(settings, cell),
                {"case": case, "cell": cell.key, "values": values, "cpu": cpu, "machine": machine()},
            )
            print(f"{case} {cell.title}, seed {cell.seed}: {cpu} CPU s", flush=True)


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int)


def render(case: str, settings: AnomalySettings, ledger: Ledger, document: Path) -> None:
    """The section of a case, of the cells that are there."""
    known = [(cell, ledger.rows.get(key_of(settings, cell))) for cell in anomaly.cells(settings)]
    there = [(cell, row) for cell, row in known if row is not None]
    if not there:
        return
    rows = [Row(cell, row["values"]) for cell, row in there]
    cpu = sum(row["cpu"] for _, row in there)
    seeds = ", ".join(map(str, sorted({cell.seed for cell, _ in there})))
    head = (
        f"{len(there)} of {len(known)} cells, seeds {seeds}, {settings.rounds} rounds of each network; {cpu / 60:.1f} CPU "
        f"minutes on {there[0][1]['machine']}, one thread."
    )
    found = anomaly.findings(settings, rows)
    parts = [head, *said(found), published(case), "\n".join(f"* {note}" for note in anomaly.NOTES)]
    write_section(document, case, "\n\n".join(part for part in parts if part))


def said(found: Findings) -> list[str]:
    """What a study has found as paragraphs of Markdown."""
    parts = [f"**{found.headline.text}**"] if found.headline else []
    parts += [f"{table.title}. {table.note}\n\n{markdown(table)}" for table in found.tables]
    parts.append("\n".join(f"* {sentence.text}" for sentence in found.sentences))
    if found.comparisons:
        parts.append(f"{found.comparisons} differences were judged, each at 95 %: one of twenty is called falsely.")
    return parts


def markdown(table: Table) -> str:
    def cell(name: str, value: Any) -> str:
        return "" if value is None else format(value, table.forms.get(name, "")) if _is_number(value) else str(value)

    lines: list[Sequence[str]] = [table.columns, ["---"] * len(table.columns)]
    lines += [[cell(name, value) for name, value in zip(table.columns, row, strict=True)] for row in table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = dict(zip(("left-out", "one-class", "damaged"), CASES, strict=True))
    parser.add_argument("--cases", nargs="*", default=list(names), choices=list(names))
    parser.add_argument("--seeds", type=parse_seeds, help="instead of 0-4")
    parser.add_argument("--render", action="store_true", help="only the tables, of what has been computed")
    parser.add_argument("--out", type=Path, default=RESULTS / "anomalies.md")
    options = parser.parse_args()
    compute_on_one_thread()
    ledger = Ledger(options.out.with_suffix(".jsonl"))
    if not options.out.exists():
        options.out.write_text(f"# Anomalies\n\nMade by `python benchmarks/{Path(__file__).name}`.\n\n")
    for case in (names[name] for name in options.cases):
        settings = AnomalySettings(**CASES[case])
        if not options.render:
            some = settings if options.seeds is None else settings.model_copy(update={"seeds": tuple(options.seeds)})
            compute(case, some, ledger)
        render(case, settings, ledger, options.out)


if __name__ == "__main__":
    main()

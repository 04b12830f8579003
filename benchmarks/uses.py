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
from gan_core.data import coloured, shelf
from gan_core.data.images import shaped
from gan_core.data.places import use_store
from gan_core.engine.environment import compute_on_one_thread
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.findings import Cell, Findings, Row, Table
from gan_core.engine.studies.protocols import PROTOCOLS
from gan_core.intake.pictures import Images
from gan_core.store import RunStore

RESULTS = ROOT / "docs" / "results"
OWN = "own:coloured-digits-dcf3ab272fc88b59"
"""Digits of MNIST-5k, each in red, green or blue, at 32×32 and brought without their classes, as somebody's own pictures are:
real handwriting in made colours, no photographs. 4,000 of them can be drawn for training, 1,000 are held out."""
EVERY_SCORE = {
    "protocol": "anomaly",
    "families": ["outliers", "autoencoder", "vae", "bigan", "gan"],
    "seeds": [0, 1, 2, 3, 4],
}
CASES: dict[str, dict[str, Any]] = {
    "augmentation": {"protocol": "augmentation", "sizes": [5, 10, 20, 50, 100], "seeds": list(range(10))},
    "left-out": EVERY_SCORE,
    "one-class": {**EVERY_SCORE, "question": "one_class"},
    "damaged": {**EVERY_SCORE, "question": "damaged"},
    "own-pictures": {"protocol": "few", "data": OWN, "sizes": [50, 200, 1_000], "seeds": [0, 1, 2, 3, 4]},
}
"""Settings by the title of their section; what stands nowhere is as a study has it by default."""
SIDE = 32  # pixels of somebody's own pictures
MANY = ("seeds", "sizes", "families")
"""Settings that say how many cells there are, and change none of them."""
DIGITS = tuple(map(str, range(10)))
PUBLISHED: dict[str, tuple[tuple[str, tuple[float, ...], str], ...]] = {
    "left-out": (
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
    "one-class": (
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


def key_of(settings: StudySettings, cell: Cell) -> str:
    """The key of a cell: all that its numbers depend on, which is not how many seeds, sizes or scores there are beside it."""
    said = {name: value for name, value in settings.to_dict().items() if name not in MANY}
    return hashlib.sha256(json.dumps([said, cell.key], sort_keys=True).encode()).hexdigest()[:16]


def compute(case: str, settings: StudySettings, ledger: Ledger) -> None:
    """The cells that are missing, in the order of the study."""
    protocol = PROTOCOLS[settings.protocol]
    missing = [cell for cell in protocol.cells(settings) if key_of(settings, cell) not in ledger.rows]
    with tempfile.TemporaryDirectory() as folder, RunStore(folder) as store:
        if settings.data == OWN:
            bring(store)
        bench = Bench(store, "bench", settings)
        for cell in missing:
            before = time.process_time()
            values = {
                name: value for name, value in protocol.compute(settings, cell, bench).items() if _is_number(value)
            }
            told = {
                "case": case,
                "cell": cell.key,
                "values": values,
                "cpu": round(time.process_time() - before, 2),
            }
            ledger.add(key_of(settings, cell), {**told, "machine": machine()})
            print(f"{case}: {cell.title}, seed {cell.seed}: {told['cpu']} CPU s", flush=True)


def bring(store: RunStore) -> None:
    """Put `OWN` on the shelf of a store; its name is the hash of its content."""
    use_store(store.root)
    card = shelf.keep("coloured digits", Images(shaped(coloured().x.numpy(), SIDE), None, (), ()), "a folder")
    assert card.name == OWN, f"these are other pictures: {card.name}"


def _is_number(value: Any) -> bool:
    """Pictures are gone with the folder they were kept in."""
    return isinstance(value, float | int)


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
        f"{protocol.title} {len(rows)} of {len(known)} cells, seeds {', '.join(map(str, seeds))}, "
        f"{settings.to_dict()['rounds']:,} rounds of each game; {cpu / 60:.1f} CPU minutes "
        f"on {on}, one thread.",
        *_said(protocol.findings(settings, rows)),
        published(case),
        *(f"* {note}" for note in protocol.notes),
    ]
    write_section(document, case, "\n\n".join(part for part in parts if part))


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
    head = f"{table.title}. {table.note}" if table.note else f"{table.title}:"
    return f"{head}\n\n" + "\n".join(lines)


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

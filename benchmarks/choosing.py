"""Which GAN the study of augmentation trains, chosen on a part of the training half that no study is counted on.

    nice -n 19 python benchmarks/choosing.py             # every candidate; writes a section of docs/results/uses.md
    python benchmarks/choosing.py --render               # only the table, of what has been computed

A fifth of the training half takes the place of the held-out one: each candidate is trained on a few labelled digits of the
others, and a classifier that sees its samples alone is counted on that fifth. The best mean is the GAN of the study. Seeds are
none of those that are counted. Each training is a line of ``docs/results/uses.jsonl``, and is computed once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.codes import machine
from benchmarks.ledger import Ledger
from benchmarks.sections import write_section
from gan_core.config.studies import AugmentationSettings
from gan_core.data import ImageSource
from gan_core.engine.environment import compute_on_one_thread
from gan_core.engine.studies.augmentation import generated_samples
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.classified import arm_accuracy, real_samples
from gan_core.store import RunStore
from gan_core.training.streams import Streams

RESULTS = ROOT / "docs" / "results" / "uses.md"
SECTION = "The GAN of augmentation, chosen"
SIZES, SEEDS = (5, 100), (100, 101)
APART = 0.2  # of the training half
RATES = ("optimizers.generator.lr", "optimizers.discriminator.lr")
CANDIDATES: dict[str, dict[str, Any]] = {
    "AC-GAN, 2e-3": {},
    "AC-GAN, 1e-3": dict.fromkeys(RATES, 1e-3),
    "AC-GAN, 5e-4": dict.fromkeys(RATES, 5e-4),
    "AC-GAN, 4e-3": dict.fromkeys(RATES, 4e-3),
    "projection, 2e-3": {"model.condition": "projection"},
    "projection, 5e-4": {"model.condition": "projection", **dict.fromkeys(RATES, 5e-4)},
}
"""Changes to the GAN of the study, which is the first, by what they are called: how D is told the class, and both rates."""


def split(source: ImageSource) -> ImageSource:
    """The same with a fifth of the training half in place of the held-out one, which nothing here sees."""
    known = source.train_index
    order = torch.randperm(len(known), generator=Streams(0).generator("choosing"))
    apart = round(APART * len(known))
    return replace(
        source, train_index=known[order[apart:]].sort().values, heldout_index=known[order[:apart]].sort().values
    )


def key_of(changes: dict[str, Any], size: int, seed: int) -> str:
    told = [AugmentationSettings().to_dict() | {"seeds": [], "sizes": []}, changes, size, seed, "choosing"]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def compute(ledger: Ledger) -> None:
    """What is missing: size after size, so that an interrupted choice is one of fewer sizes."""
    settings = AugmentationSettings(sizes=SIZES, seeds=SEEDS)
    with tempfile.TemporaryDirectory() as folder, RunStore(folder) as store:
        bench = Bench(store, "bench", settings)
        bench.__dict__["source"] = split(bench.source)
        for size in SIZES:
            for name, changes in CANDIDATES.items():
                for seed in SEEDS:
                    if key_of(changes, size, seed) in ledger.rows:
                        continue
                    began = time.process_time()
                    real = real_samples(bench, size, seed)
                    made = generated_samples(settings, bench, real, seed, changes)
                    reached = arm_accuracy(settings, bench, "generated", seed, real, made)
                    told = {"case": "choosing", "cell": f"{name}-{size}-{seed}", "values": {"accuracy": reached}}
                    spent = round(time.process_time() - began, 2)
                    ledger.add(key_of(changes, size, seed), {**told, "cpu": spent, "machine": machine()})
                    print(f"{name}, {size} of each class, seed {seed}: {reached:.3f}, {spent} CPU s", flush=True)


def render(ledger: Ledger, document: Path) -> None:
    """The table, the best candidate first, of those that have every number."""
    found: dict[str, list[float]] = {}
    for name, changes in CANDIDATES.items():
        rows = [ledger.rows.get(key_of(changes, size, seed)) for size in SIZES for seed in SEEDS]
        if all(row is not None for row in rows):
            found[name] = [row["values"]["accuracy"] for row in rows if row is not None]
    if not found:
        return
    order = sorted(found, key=lambda name: -float(np.mean(found[name])))
    columns = [f"n = {size}, seed {seed}" for size in SIZES for seed in SEEDS]
    lines = [f"| D is told the class by, rates | {' | '.join(columns)} | mean |", "|" + "---|" * (len(columns) + 2)]
    lines += [
        f"| {name} | {' | '.join(f'{100 * value:.1f}' for value in found[name])} | {100 * np.mean(found[name]):.1f} |"
        for name in order
    ]
    used = next(iter(CANDIDATES))
    verdict = "It is the one that the study trains." if order[0] == used else f"The study trains {used}."
    text = (
        "Made by `python benchmarks/choosing.py`. A classifier that sees samples of a GAN alone, in % of a fifth of the "
        "training half, which no study is counted on; seeds are none of those that are counted.\n\n"
        + "\n".join(lines)
        + f"\n\nThe best mean is that of {order[0]}. {verdict}"
    )
    write_section(document, SECTION, text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--render", action="store_true", help="only the table, of what has been computed")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    compute_on_one_thread()
    ledger = Ledger(options.out.with_suffix(".jsonl"))
    if not options.render:
        compute(ledger)
    render(ledger, options.out)


if __name__ == "__main__":
    main()

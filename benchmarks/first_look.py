"""How long a start card takes until its digits can be recognised, in seconds of one core.

    python benchmarks/first_look.py     # about four minutes; writes docs/results/first-look.json and first-look.md

The loop of the laboratory, looked at every 25 rounds off its clock. *Recognisable*: the frozen classifier is sure of half of
the samples. *Good*: of seven in ten. *All ten*: no digit has less than a third of its share. A time is the CPU time that
training took until then, so a machine that does something else meanwhile changes it little; measuring and drawing,
4 % of it in the application, are not in it. The cards say these numbers, and a test holds them to the file.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.recipes import Series, train
from benchmarks.sections import command_line
from gan_core.config import PRESETS, preset_config
from gan_core.engine.executors import compute_on_one_thread
from gan_core.training import load_source, resolve
from gan_core.training.classifier import classifier_for

CARDS = ("digits-dcgan", "digits-mlp", "digits-healthy")
SEEDS = (100, 101)
MOST_SECONDS = 100.0
TARGET = ROOT / "docs" / "results" / "first-look.json"


def reached(series: Series) -> dict[str, float | None]:
    """Seconds of training until each is so for the first time; None where it is not yet."""
    sure, modes = 1 - series.diagnostics["unsure_share"], series.diagnostics["modes_covered"]
    met = {"recognisable": sure >= 0.5, "good": sure >= 0.7, "all ten": (modes >= 10) & (sure >= 0.5)}
    return {what: float(series.seconds[np.argmax(when)]) if when.any() else None for what, when in met.items()}


def over(series: Series) -> bool:
    return bool(series.seconds[-1] > MOST_SECONDS) or all(seconds is not None for seconds in reached(series).values())


def main() -> None:
    compute_on_one_thread()
    told: dict[str, dict[str, list[float | None]]] = {}
    for card in CARDS:
        for seed in SEEDS:
            config = resolve(preset_config(card, {"seed": seed, "device": "cpu"}))
            classifier = classifier_for(load_source(config).judged, ROOT / "runs" / "cache")
            series, _ = train(config, config.schedule.rounds, classifier, until=over)
            for what, seconds in reached(series).items():
                told.setdefault(card, {}).setdefault(what, []).append(None if seconds is None else round(seconds, 1))
            print(card, seed, reached(series), file=sys.stderr, flush=True)
    TARGET.write_text(json.dumps({"seeds": SEEDS, "seconds": told}, indent=1) + "\n")
    TARGET.with_suffix(".md").write_text(page(told))


def page(told: dict[str, dict[str, list[float | None]]]) -> str:
    head = ("recognisable", "good", "all ten")
    rows = [
        f"| {PRESETS[card].title} (`{card}`) | " + " | ".join(map(_cell, (times[what] for what in head))) + " |"
        for card, times in told.items()
    ]
    said = (__doc__ or "").split("\n\n")[2].replace("\n", " ")
    table = "\n".join([f"| card | {' | '.join(head)} |", "|---|---|---|---|", *rows])
    how = f"Seconds of one core, median of the seeds {SEEDS}."
    return f"# The first look at digits\n\n{said}\n\n{how}\n\n{table}\n\n`{command_line()}`\n"


def _cell(seconds: list[float | None]) -> str:
    known = [value for value in seconds if value is not None]
    return f"{statistics.median(known):.0f} s" if len(known) == len(seconds) else f"not within {MOST_SECONDS:.0f} s"


if __name__ == "__main__":
    main()

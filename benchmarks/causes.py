"""What one setting does to a game that goes well: every value of every cause, over seeds. Writes the map of the page.

    nice -n 19 python benchmarks/causes.py            # about twenty minutes; writes docs/results/causes.json and causes.md
    python benchmarks/causes.py --only beta1 --seeds 0-1 --out /tmp/tried

One process and one thread. Each run is written to ``build/causes`` as it ends: what is there is not trained again.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import fmean, median

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ledger import Ledger, key_of
from benchmarks.outcomes import FEW, has_few, modes_held
from benchmarks.recipes import train
from benchmarks.sections import command_line
from gan_core.config import CAUSES, RunConfig, parse_seeds
from gan_core.config.gan.causes import ROUNDS
from gan_core.engine.environment import compute_on_one_thread
from gan_core.training import resolve

LAST = 12  # measurements that the end of a run is judged by


def trial(config: RunConfig) -> dict[str, float]:
    """Modes held, in the mean of the last measurements; whether there were few in most of them; the share of high quality."""
    series, _ = train(config, config.schedule.rounds, None)
    if not len(series.rounds) or series.diverged:
        return {"modes": 0.0, "collapsed": 1.0, "quality": 0.0}
    counts = series.counts[-LAST:]
    return {
        "modes": float(modes_held(series)[-LAST:].mean()),
        "collapsed": float(has_few(series)[-LAST:].mean() > 0.5),
        "quality": float(counts[:, :-1].sum() / counts.sum()),
    }


def table(trials: list[dict[str, float | str | int]]) -> list[str]:
    lines = []
    for name, cause in CAUSES.items():
        lines += [
            "",
            f"## {cause.title}",
            "",
            f"| {cause.slider} | seeds | modes held of 8 | collapsed | high quality |",
        ]
        lines.append("|---|---|---|---|---|")
        for value in cause.values:
            here = [trial for trial in trials if (trial["cause"], trial["value"]) == (name, value)]
            if not here:
                continue
            modes = [float(trial["modes"]) for trial in here]
            usual = " (usual)" if value == cause.usual else ""
            lines.append(
                f"| {value}{usual} | {len(here)} | {median(modes):.1f} ({min(modes):.1f}–{max(modes):.1f}) | "
                f"{sum(int(trial['collapsed']) for trial in here)} of {len(here)} | "
                f"{fmean(float(trial['quality']) for trial in here):.0%} |"
            )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], choices=CAUSES, help="a cause; may be given again")
    parser.add_argument("--seeds", default="0-4", help="as in 0-4 (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "causes")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "causes", help="without .json and .md")
    options = parser.parse_args()
    compute_on_one_thread()
    ledger = Ledger(options.folder / "runs.jsonl")
    trials = []
    for seed in parse_seeds(options.seeds):
        for name in options.only or CAUSES:
            for value in CAUSES[name].values:
                config = resolve(CAUSES[name].config(value, seed).replace({"device": "cpu"}))
                key = key_of(config)
                if key not in ledger.rows:
                    ledger.add(key, trial(config))
                    print(name, value, seed, json.dumps(ledger.rows[key]), flush=True)
                trials.append({"cause": name, "value": value, "seed": seed, **ledger.rows[key]})
    order = {
        (name, value): place for place, (name, value) in enumerate((n, v) for n in CAUSES for v in CAUSES[n].values)
    }
    trials.sort(key=lambda trial: (order[trial["cause"], trial["value"]], trial["seed"]))
    options.out.with_suffix(".json").write_text("[\n" + ",\n".join(json.dumps(trial) for trial in trials) + "\n]\n")
    command = command_line()
    lines = [
        "# One cause at a time",
        "",
        f"A plain game on the ring of eight (`gan_core/config/gan/causes.py`), {ROUNDS:,} rounds, with one setting turned.",
        f"Judged by the last {LAST} measurements of 1,000 samples each, 25 rounds apart: a mode is *held* that a sixth of its",
        "share of the samples is nearest to (median over seeds, with the least and the greatest), a run has *collapsed* that",
        f"held at most {8 * FEW:.0f} of the 8 in most of them, *high quality* are samples within 3 standard deviations of a",
        "mode (mean over seeds).",
        *table(trials),
        "",
        f"`{command}`, torch {torch.__version__}, NumPy {np.__version__}, one thread.",
        "",
    ]
    options.out.with_suffix(".md").write_text("\n".join(lines))
    print(f"written: {options.out}.json and .md")


if __name__ == "__main__":
    main()

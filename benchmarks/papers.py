"""Our figures beside the published ones: VEEGAN's and PacGAN's ring and grid, Metz's rotating ring with and without unrolling.

    nice -n 19 python benchmarks/papers.py                    # the scaled-down protocol; writes docs/results/papers.md
    python benchmarks/papers.py --full --out /tmp/papers.md   # networks, rates and lengths of the papers: hours on a GPU
    python benchmarks/papers.py --render                      # only the tables, of what has been run

One process and one thread; others may make other tables beside it. Each trial is written beside the tables as it ends, in
``docs/results/papers.jsonl``, so the command can be stopped and goes on from there, on another machine too.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import psutil
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ledger import Ledger, key_of
from benchmarks.sections import command_line
from gan_core.config import RunConfig, preset_config
from gan_core.data import MixtureSource
from gan_core.engine.environment import compute_on_one_thread
from gan_core.metrics.divergences import kl_to_real
from gan_core.metrics.modes import high_quality_share, mode_counts, modes_captured, nearest_mode
from gan_core.training import build, load_source, play, resolve
from gan_core.training.latent import Latent
from gan_core.training.streams import Streams

SAMPLES = 2_500
LOOKS = 40  # times that the fullest mode is looked up in a run of Metz's ring
HELD = 0.02  # of the samples: a mode that as many are nearest to, whatever their quality
EQUILIBRIUM = 2 * math.log(2)

Changes = dict[str, Any]
Row = dict[str, float]


@dataclass(frozen=True)
class Method:
    """A row of a table: a config of ours at the scale that a laptop bears, and the paper's own; each with its rounds."""

    title: str
    scaled: RunConfig
    full: RunConfig
    published: tuple[str, ...] = ()


def _packed(preset: str, data: Changes, packing: int) -> tuple[RunConfig, RunConfig]:
    """The collapsing recipe at a quarter of its rate with packs; PacGAN's networks (with leaky ReLU for its maxout)."""
    rates = {f"optimizers.{player}.lr": 1e-3 for player in ("generator", "discriminator")}
    packs = {"model.discriminator.packing": packing}
    rounds = 1_500 if preset == "ring-collapse" else 2_000
    scaled = {**rates, **packs, "data.batch_size": 64 * packing, "schedule.rounds": rounds, "device": "cpu"}
    scaled["data.options"] = {"std": 0.1}  # whatever the recipe's modes measure: the text of the table says so
    adam = {"name": "adam", "lr": 1e-4, "beta1": 0.8}
    full = RunConfig.load(
        {
            "data": {**data, "batch_size": 100 * packing},
            "objective": "ns_gan",
            "model": {
                "latent_dim": 2,
                "generator": {"widths": [400] * 4, "activation": "relu", "normalization": "batch"},
                "discriminator": {"widths": [200] * 3, "packing": packing},
            },
            "optimizers": {"generator": adam, "discriminator": adam},
            "schedule": {"rounds": 400_000},
        }
    )
    return RunConfig.load(preset_config(preset, scaled).to_dict()), full


def _packing(preset: str, data: Changes, published: Sequence[tuple[str, ...]]) -> list[Method]:
    return [
        Method("GAN" if packing == 1 else f"PacGAN{packing}", *_packed(preset, data, packing), figures)
        for packing, figures in enumerate(published, start=1)
    ]


def _metz(unrolled: int) -> tuple[RunConfig, RunConfig]:
    """Section 3.1 of the paper; scaled down are the batch and the rounds alone."""
    adam = {"name": "adam", "lr": 1e-4, "beta1": 0.5}
    full = RunConfig.load(
        {
            "data": {"name": "ring", "batch_size": 512, "options": {"std": 0.02}},
            "objective": "mm_gan",
            "tricks": {"unrolled_steps": unrolled},
            "model": {
                "latent_dim": 256,
                "initialization": "orthogonal",
                "generator": {"widths": [128, 128], "activation": "relu"},
                "discriminator": {"widths": [128], "activation": "relu"},
            },
            "optimizers": {"generator": adam, "discriminator": adam},
            "schedule": {"rounds": 25_000},
        }
    )
    return full.replace({"data.batch_size": 128, "schedule.rounds": 2_500 if unrolled else 10_000}), full


# Lin et al. 2018, table 1: modes, share of high quality, reverse KL; mean ± standard error of ten trials.
TABLES: dict[str, list[Method]] = {
    "ring": _packing(
        "ring-collapse",
        {"name": "ring", "options": {"radius": 1.0, "std": 0.01}},
        [
            ("6.3 ± .5", "98.2 ± .2 %", ".45 ± .09"),
            ("7.9 ± .1", "95.6 ± 2.0 %", ".07 ± .03"),
            ("7.8 ± .1", "97.7 ± .3 %", ".10 ± .02"),
            ("7.8 ± .1", "95.9 ± 1.4 %", ".07 ± .02"),
        ],
    ),
    "grid": _packing(
        "grid-collapse",
        {"name": "grid", "options": {"std": 0.05}},
        [
            ("17.3 ± .8", "94.8 ± .7 %", ".70 ± .07"),
            ("23.8 ± .7", "91.3 ± .8 %", ".13 ± .04"),
            ("24.6 ± .4", "94.2 ± .6 %", ".06 ± .02"),
            ("24.8 ± .2", "93.6 ± .6 %", ".04 ± .01"),
        ],
    ),
    "unrolling": [Method("no unrolling", *_metz(0)), Method("10 unrolled steps", *_metz(10))],
}


# Training and measuring


def trial(config: RunConfig) -> Row:
    """Train to the last round; the figures of the last generator, and how the fullest mode moved on the way."""
    source = load_source(config)
    assert isinstance(source, MixtureSource)
    game = build(config, source)
    latent = Latent(config.model.latent_dim, config.model.latent)
    z = latent(SAMPLES, Streams(config.seed).generator("benchmark")).to(config.device)
    every = max(1, config.schedule.rounds // LOOKS)
    fullest: list[int] = []
    d_losses: list[torch.Tensor] = []
    began = time.process_time()
    for turn in play(game):
        if turn.player.name == "D":
            d_losses.append(turn.values["loss"])
        if turn.ends_round and turn.round % every == 0:
            fullest.append(int(nearest(sampled(game, z, source), source).argmax()))
        if turn.ends_round and turn.round == config.schedule.rounds:
            break
    seconds = time.process_time() - began
    later = fullest[len(fullest) // 4 :]
    points = sampled(game, z, source)
    return {
        **measure(points, source),
        "held": float((nearest(points, source) >= HELD * SAMPLES).sum()),
        "moves": fmean([a != b for a, b in pairwise(later)]),
        "d_loss": float(torch.stack(d_losses[-len(d_losses) // 4 :]).mean()),
        "seconds": seconds,
    }


def sampled(game: Any, z: torch.Tensor, source: MixtureSource) -> np.ndarray:
    """What G makes of noise (n, latent_dim): points (n, 2) in the units of the data."""
    return source.to_data(game.sample(z).cpu().numpy())


def nearest(points: np.ndarray, source: MixtureSource) -> np.ndarray:
    """How many points (K,) each mode is the nearest to."""
    return np.bincount(nearest_mode(points, source.centers)[0], minlength=len(source.centers))


def measure(points: np.ndarray, source: MixtureSource) -> Row:
    """VEEGAN's and PacGAN's figures of points (n, 2): modes captured, share of high quality, reverse KL in nats."""
    counts = mode_counts(points, source.centers, source.std)
    k = len(source.centers)
    return {
        "modes": float(modes_captured(counts)),
        "high_quality": high_quality_share(counts),
        "reverse_kl": kl_to_real(counts, np.full(k, 1 / k)),
    }


def floor(source: MixtureSource) -> Row:
    """The same of real points."""
    x = source.sample(SAMPLES, Streams(0).generator("benchmark"))
    return measure(source.to_data(x.numpy()), source)


# All of it


def wanted(tables: Sequence[str], trials: int, full: bool) -> Iterator[tuple[str, Method, RunConfig]]:
    """The first trial of everything before the second of anything."""
    for seed in range(trials):
        for table in tables:
            for method in TABLES[table]:
                config = method.full if full else method.scaled
                yield table, method, config.replace({"seed": 1_000 + seed})


def ledger_beside(out: Path) -> Ledger:
    return Ledger(out.with_suffix(".jsonl"))


def mean_and_error(values: Sequence[float], digits: int, scale: float = 1.0, unit: str = "") -> str:
    """``mean ± standard error``; one value has no error."""
    values = [scale * value for value in values]
    error = f" ± {stdev(values) / math.sqrt(len(values)):.{digits}f}" if len(values) > 1 else ""
    return f"{fmean(values):.{digits}f}{error}{unit}"


def report(rows: Mapping[str, Row], tables: Sequence[str], trials: int, full: bool, command: str) -> str:
    made: dict[tuple[str, str], list[Row]] = {}
    for table, method, config in wanted(tables, trials, full):
        if (key := key_of(config)) in rows:
            made.setdefault((table, method.title), []).append(rows[key])
    text = [INTRODUCTION.format(trials=trials)]
    for table in tables:
        here = {method: made.get((table, method.title), []) for method in TABLES[table]}
        text.append(f"## {TITLES[table]}\n\n{NOTES[table]}")
        text.append(_unrolling(here) if table == "unrolling" else _coverage(here, full))
    spent = sum(row["seconds"] for entries in made.values() for row in entries)
    text.append(
        f"## Machine and command\n\n`{command}`\n\n{psutil.cpu_count()} cores, one of them used, beside other work; "
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}, one thread; {spent / 60:.0f} CPU "
        f"minutes of training in all. With `--full` the command takes the papers' networks, rates, batches and lengths."
    )
    return "\n\n".join(text) + "\n"


def _coverage(here: dict[Method, list[Row]], full: bool) -> str:
    config = next(iter(here)).full if full else next(iter(here)).scaled
    source = load_source(resolve(config))
    assert isinstance(source, MixtureSource)
    real = floor(source)
    k = len(source.centers)
    lines = [
        f"| method | trials | modes of {k} | high quality | reverse KL | paper: modes | high quality | reverse KL |",
        "|---|---|---|---|---|---|---|---|",
        f"| *real against real* | | {real['modes']:.0f} | {100 * real['high_quality']:.1f} % | "
        f"{real['reverse_kl']:.3f} | | | |",
    ]
    for method, rows in here.items():
        if rows:
            modes = mean_and_error([row["modes"] for row in rows], 1)
            quality = mean_and_error([row["high_quality"] for row in rows], 1, 100, " %")
            kl = mean_and_error([row["reverse_kl"] for row in rows], 2)
            lines.append(
                f"| {method.title} | {len(rows)} | {modes} | {quality} | {kl} | {' | '.join(method.published)} |"
            )
    return "\n".join(lines)


def _unrolling(here: dict[Method, list[Row]]) -> str:
    lines = [
        "| method | trials | modes held | modes captured | high quality | fullest mode another at the next look | D's loss |",
        "|---|---|---|---|---|---|---|",
    ]
    for method, rows in here.items():
        if rows:
            cells = [
                mean_and_error([row["held"] for row in rows], 1),
                mean_and_error([row["modes"] for row in rows], 1),
                mean_and_error([row["high_quality"] for row in rows], 1, 100, " %"),
                mean_and_error([row["moves"] for row in rows], 0, 100, " %"),
                mean_and_error([row["d_loss"] for row in rows], 3),
            ]
            lines.append(f"| {method.title} | {len(rows)} | {' | '.join(cells)} |")
    return "\n".join(lines)


INTRODUCTION = f"""# Beside the papers

Figures of published tables, measured by the published definitions: {SAMPLES:,} samples of the last generator; a sample is of
*high quality* if it lies within 3 standard deviations of its nearest mode; a mode is *captured* if it is the nearest to at
least one such sample (Srivastava et al. 2017); *reverse KL* is the divergence of the captured samples' modes from the even
mix, in nats (Lin et al. 2018). Mean ± standard error over the trials of a row, {{trials}} where all are made; each stands in
`papers.jsonl` beside this file.

The papers' own runs take hours each, so most of what follows is scaled down. What can be expected to agree is the order
of the methods, not the figures."""

TITLES = {
    "ring": "Packing, ring of eight (VEEGAN, PacGAN)",
    "grid": "Packing, grid of twenty-five (VEEGAN, PacGAN)",
    "unrolling": "Unrolling, the rotating ring (Metz et al. 2017)",
}
_SCALED_PACKING = (
    "three layers of 64 units, no normalisation, five D steps per round and Adam with 0.001 and β₁ = 0.9, {rounds:,} rounds, "
    "batches of 64 packs. PacGAN: G of four layers of 400 units with batch norm, D of three maxout layers of 200, one D "
    "step, Adam with 0.0001 and β₁ = 0.8, 400,000 rounds, batches of 100 packs. Our runs are a {share} as long, so samples "
    "are less sharp, and their game is harsher, so that the GAN alone loses more modes."
)
NOTES = {
    "ring": "Our runs: modes with a standard deviation of a twentieth of the radius, "
    + _SCALED_PACKING.format(rounds=1_500, share="two hundred and sixtieth")
    + " VEEGAN's table has other figures for the same ring: GAN 1 mode and 99.3 %, unrolled GAN 7.6 and 35.6 %, "
    "VEEGAN 8 and 52.9 %.",
    "grid": "Our runs: modes with a standard deviation of 0.1 at a spacing of 2, "
    + _SCALED_PACKING.format(rounds=2_000, share="two hundredth")
    + " VEEGAN's table: GAN 3.3 modes and 0.5 %, unrolled GAN 23.6 and 16 %, VEEGAN 24.6 and 40 %.",
    "unrolling": "The paper's networks, loss and rates: G of two layers of 128 units, D of one, z of 256 numbers, minimax, "
    "Adam with 0.0001 and β₁ = 0.5 for both. Batches of 128 in place of 512; 10,000 rounds without unrolling and 2,500 with "
    "it in place of 25,000. The paper prints pictures and no figures: without unrolling G hops from mode to mode for ever, "
    f"with ten steps it spreads to all eight. A mode is *held* if {100 * HELD:.0f} % of the samples are nearest to it, "
    f"whatever their quality; the fullest mode is looked up {LOOKS} times in a run, of which the last three quarters count. At "
    f"equilibrium D's loss would be 2 log 2 = {EQUILIBRIUM:.3f}, which it is while G hops.",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--full", action="store_true", help="the papers' networks, rates and lengths")
    parser.add_argument("--render", action="store_true", help="train nothing, write the tables of what is there")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "papers.md")
    options = parser.parse_args()
    compute_on_one_thread()
    ledger = ledger_beside(options.out)
    for table, method, config in () if options.render else wanted(options.tables, options.trials, options.full):
        if (key := key_of(config)) in ledger.rows:
            continue
        row = trial(resolve(config))
        ledger.add(key, {"trial": f"{table}/{method.title}/{config.seed}", **row})
        print(table, method.title, config.seed, json.dumps(row), flush=True)
    command = command_line("--render")
    rows = ledger_beside(options.out).rows
    options.out.write_text(report(rows, options.tables, options.trials, options.full, command))
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()

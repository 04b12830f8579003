"""Every objective on a ring of eight Gaussians and on 5,000 digits, over seeds, in numbers that do not depend on the loss.

    python benchmarks/objectives.py             # about an hour of one core; goes on where it was stopped
    python benchmarks/objectives.py --render    # only writes docs/results/objectives.md from the runs that there are

Each run is trained by ``gan_core.train`` with the objective's own recipe on the same two small networks; where the recipe
was changed for them, ``ADAPTED`` says so and the table repeats it. All get the same number of optimiser steps: an objective
with five D steps per G step plays a third of the rounds. A finished run is a line of ``runs.jsonl`` in the build folder,
under the hash of its configuration: what is there is not trained again, what was changed is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ledger import Ledger, Row, key_of
from gan_core import RunConfig, train
from gan_core.config import OBJECTIVES, diff
from gan_core.data import ImageSource, MixtureSource, to_uint8
from gan_core.metrics.distances import frechet_distance, sliced_wasserstein
from gan_core.metrics.divergences import kl_to_real
from gan_core.metrics.histograms import class_histogram, modes_covered, unsure_share
from gan_core.metrics.modes import high_quality_share, mode_counts
from gan_core.store import RunStore
from gan_core.training import Streams, build, checkpoints, load_checkpoint, load_networks, load_source, resolve
from gan_core.training.classifier import FrozenClassifier, classifier_for
from gan_core.training.latent import Latent

Changes = dict[str, Any]
Numbers = dict[str, float]
RING_SAMPLES = 2_500
DIGITS_SAMPLES = 1_000
PICTURED = 12
ADAM = ("optimizers.generator", "optimizers.discriminator")


@dataclass(frozen=True)
class Place:
    """One data set with its networks. ``steps`` is the number of optimiser steps of a run, D's and G's together."""

    title: str
    settings: Changes
    steps: int


PLACES: dict[str, Place] = {
    "ring": Place(
        "Ring of eight Gaussians",
        {
            "data": {"name": "ring", "batch_size": 64, "options": {"std": 0.1}},
            "model": {
                "latent_dim": 64,
                "generator": {"architecture": "mlp", "widths": [128, 128]},
                "discriminator": {"architecture": "mlp", "widths": [128, 128]},
            },
        },
        6_000,
    ),
    "digits": Place(
        "MNIST-5k",
        {
            "data": {"name": "mnist5k", "batch_size": 64},
            "model": {
                "latent_dim": 64,
                "generator": {"architecture": "mlp", "widths": [128, 256]},
                "discriminator": {"architecture": "mlp", "widths": [256, 128]},
            },
        },
        3_000,
    ),
}


def _both(**values: Any) -> Changes:
    """The same settings for both optimisers."""
    return {f"{player}.{name}": value for player in ADAM for name, value in values.items()}


_FEW_D_STEPS = {"schedule.n_critic": 3}

ADAPTED: dict[str, dict[str, Changes]] = {
    "ring": {
        "ns_gan": _both(lr=1e-3),
        "mm_gan": _both(lr=1e-3),
        "ls_gan": _both(lr=1e-3),
        "wgan": {**_both(lr=1e-3), **_FEW_D_STEPS, "objective.clip_value": 0.1},
        "wgan_gp": {**_both(lr=1e-3, beta1=0.5), **_FEW_D_STEPS, "objective.penalties.gradient_penalty": 0.1},
        "dragan": {**_both(lr=1e-3), "objective.penalties.dragan": 0.1},
        "began": {**_both(lr=1e-3), "model.discriminator.code_dim": 1},
        "hinge": {**_both(lr=1e-3), **_FEW_D_STEPS, "model.discriminator.spectral_gain": 2.0},
        "ragan": _both(lr=1e-3),
        "rals_gan": _both(lr=1e-3),
        "r1_gan": {**_both(lr=1e-3), "objective.penalties.r1": 0.1},
        "r3gan": {**_both(lr=1e-3), "objective.penalties": {"r1": 0.1, "r2": 0.1}},
        "ebgan": {**_both(lr=1e-3), "model.discriminator.code_dim": 1, "objective.options.margin": 0.2},
    },
    "digits": {
        "ns_gan": _both(lr=5e-4),
        "mm_gan": _both(lr=5e-4),
        "ls_gan": _both(lr=5e-4),
        "wgan": {**_both(lr=1e-3), **_FEW_D_STEPS, "objective.clip_value": 0.05},
        "wgan_gp": {**_both(lr=1e-3, beta1=0.5), **_FEW_D_STEPS},
        "dragan": {**_both(lr=5e-4), "objective.loss": "non_saturating"},
        "began": {**_both(lr=5e-4), "objective.options.gamma": 0.75},
        "hinge": {**_both(lr=5e-4), **_FEW_D_STEPS},
        "ragan": _both(lr=5e-4),
        "r1_gan": _both(lr=5e-4),
        "r3gan": _both(lr=5e-4),
        "ebgan": {**_both(lr=5e-4), "objective.options.margin": 0.5},
    },
}


def config_of(place: str, objective: str, seed: int) -> RunConfig:
    """The recipe on the place's networks with what was adapted for them."""
    recipe = RunConfig.load({**PLACES[place].settings, "objective": objective, "seed": seed, "device": "cpu"})
    config = recipe.replace(ADAPTED[place].get(objective, {}))
    rounds = max(1, PLACES[place].steps // (config.schedule.n_critic + config.schedule.generator_steps))
    # One measurement at the end: what is reported is measured below, on samples of its own.
    return config.replace({"schedule.rounds": rounds, "diagnostics.every": rounds})


def changed_from_recipe(place: str, objective: str) -> dict[str, tuple[Any, Any]]:
    """What ``ADAPTED`` changes: field, the paper's value, ours."""
    recipe = RunConfig.load({**PLACES[place].settings, "objective": objective})
    return diff(recipe, recipe.replace(ADAPTED[place].get(objective, {})))


# Training and measuring


def trained(config: RunConfig, folder: Path) -> tuple[Row, Tensor]:
    """Train one run; its status, rounds and CPU seconds, and samples of its last generator."""
    began = time.process_time()
    result = train(config, store=folder)
    row: Row = {"status": result.status, "rounds": result.rounds, "cpu_seconds": time.process_time() - began}
    resolved = resolve(config)
    game = build(resolved, load_source(resolved))
    with RunStore(folder) as store:
        saved = store.checkpoint_dir(result.run)
    state = load_checkpoint(checkpoints(saved)[-1])
    load_networks(game, state)
    shutil.rmtree(saved)  # ten megabytes a run, and a finished run does not go on
    n = RING_SAMPLES if config.data.name == "ring" else DIGITS_SAMPLES
    latent = Latent(config.model.latent_dim, config.model.latent)
    z = latent(n, Streams(config.seed).generator("benchmark"))
    return row, game.sample(z)


class RingMeasure:
    """Points against the known mixture."""

    def __init__(self, source: MixtureSource, folder: Path) -> None:
        self.source = source
        self.real_share = mode_counts(self._real(0, 40_000), source.centers, source.std) / 40_000
        self.reference = self._real(1, RING_SAMPLES)

    def of_samples(self, x: Tensor) -> Numbers:
        return self.measure(self.source.to_data(x.numpy()))

    def measure(self, points: np.ndarray) -> Numbers:
        counts = mode_counts(points, self.source.centers, self.source.std)
        finite = bool(np.isfinite(points).all())
        return {
            "modes": float(modes_covered(counts)),
            "high_quality": high_quality_share(counts),
            "kl": kl_to_real(counts, self.real_share[:-1]),
            "distance": sliced_wasserstein(self.reference, points, np.random.default_rng(0)) if finite else np.nan,
        }

    def floor(self) -> Numbers:
        return mean_of([self.measure(self._real(seed, RING_SAMPLES)) for seed in range(2, 7)])

    def picture(self, x: Tensor) -> np.ndarray:
        points = self.source.to_data(x.numpy())
        return scatter(points, self.source.extent())

    def _real(self, seed: int, n: int) -> np.ndarray:
        return self.source.to_data(self.source.sample(n, Streams(seed).generator("benchmark")).numpy())


class DigitsMeasure:
    """Images through the frozen classifier, against the held-out digits."""

    def __init__(self, source: ImageSource, folder: Path) -> None:
        self.source = source
        self.classifier: FrozenClassifier = classifier_for(source, folder / "cache")
        heldout = source.x[source.heldout_index]
        self.features = self.classifier.features(heldout)
        self.real_share = class_histogram(self.classifier.probabilities(heldout)) / len(heldout)

    def of_samples(self, x: Tensor) -> Numbers:
        return self.measure(to_uint8(x))

    def measure(self, x: Tensor) -> Numbers:
        counts = class_histogram(self.classifier.probabilities(x))
        return {
            "modes": float(modes_covered(counts)),
            "high_quality": 1 - unsure_share(counts),
            "kl": kl_to_real(counts, self.real_share[:-1]),
            "distance": frechet_distance(self.features, self.classifier.features(x)),
        }

    def floor(self) -> Numbers:
        """Real training digits in the place of generated ones, as many of them."""
        index = self.source.train_index
        draws = [np.random.default_rng(seed).permutation(len(index))[:DIGITS_SAMPLES] for seed in range(5)]
        return mean_of([self.measure(self.source.x[index[torch.from_numpy(draw)]]) for draw in draws])

    def picture(self, x: Tensor) -> np.ndarray:
        return np.concatenate(list(to_uint8(x[:PICTURED])[:, 0].numpy()), axis=1)


MEASURES: dict[str, Callable[..., RingMeasure | DigitsMeasure]] = {"ring": RingMeasure, "digits": DigitsMeasure}


def measure_for(place: str, folder: Path) -> RingMeasure | DigitsMeasure:
    config = resolve(config_of(place, "ns_gan", 0))
    return MEASURES[place](load_source(config), folder)


def mean_of(rows: list[Numbers]) -> Numbers:
    return {name: fmean(row[name] for row in rows) for name in rows[0]}


# The sweep


def wanted(places: list[str], objectives: list[str], seeds: list[int]) -> Iterator[tuple[str, str, int]]:
    """The first seed of everything before the second of anything: what is broken shows early."""
    for seed in seeds:
        for place in places:
            for objective in objectives:
                yield place, objective, seed


def sweep(folder: Path, places: list[str], objectives: list[str], seeds: list[int]) -> None:
    ledger = ledger_in(folder)
    measures: dict[str, RingMeasure | DigitsMeasure] = {}
    for place, objective, seed in wanted(places, objectives, seeds):
        config = config_of(place, objective, seed)
        key = key_of(config_of(place, objective, seed))
        if key in ledger.rows:
            continue
        if place not in measures:
            measures[place] = measure_for(place, folder)
        row, x = trained(config, folder)
        numbers = measures[place].of_samples(x)
        Image.fromarray(measures[place].picture(x)).save(folder / f"{key}.png")
        line = {"place": place, "objective": objective, "seed": seed, **row, **numbers}
        ledger.add(key, line)
        print(json.dumps(line), flush=True)


def ledger_in(folder: Path) -> Ledger:
    return Ledger(folder / "runs.jsonl")


# The document


COLUMNS: dict[str, dict[str, tuple[str, str]]] = {
    "ring": {
        "modes": ("modes of 8", ".1f"),
        "high_quality": ("high quality", ".0%"),
        "kl": ("KL to real", ".3f"),
        "distance": ("sliced W₁", ".3f"),
    },
    "digits": {
        "modes": ("classes of 10", ".1f"),
        "high_quality": ("sure", ".0%"),
        "kl": ("KL to real", ".3f"),
        "distance": ("Fréchet", ".0f"),
    },
}
# Where figures are weak: why, and what the papers say of it.
REMARKS: dict[str, dict[str, str]] = {
    "ring": {
        "ls_gan": "loses a mode or two: nothing bounds D's slope. `r1_gan`, on the same networks with as many "
        "steps, keeps all.",
        "wgan": "finds every mode but stays blurred. Its authors (section 3): clipping is “a clearly terrible way to enforce a "
        "Lipschitz constraint”; with a large bound the critic takes long, with a small one gradients vanish. "
        "With the bound 0.05 "
        "and half the learning rate five of the eight modes were found.",
        "began": "collapses. Its authors (section 3.3): lower values of γ lead to lower image diversity, "
        "because D attends more "
        "to real images. An autoencoder whose code is one number rebuilds one mode best, and G goes where rebuilding is easy; "
        "γ = 0.75 with λ_k = 0.1 reached two modes.",
        "hinge": "is slow: under spectral normalisation D is nearly flat on data in [−1, 1], even with a gain of 2 per layer.",
        "ebgan": "collapses for the reason of BEGAN. Its paper has a term against it, which pushes the codes of a batch apart "
        "(section 2.4, EBGAN-PT); the recipe is the plain EBGAN.",
    },
    "digits": {
        "ns_gan": "like all whose D has no bounded slope it is not ready after so few rounds: the classifier is "
        "sure of a fifth "
        "to a half of its images. `wgan_gp`, `hinge`, `r1_gan` and `r3gan`, which bound or flatten D, have all ten classes.",
        "mm_gan": "Goodfellow et al. 2014 (section 3): early in learning D can reject samples with high confidence, and then "
        "log(1 − D) saturates.",
        "wgan": "learns slowly under its clipping, as on the ring.",
        "dragan": "with the minimax loss of Lucic et al., Table 1, G never left the start (no class, Fréchet 893): D wins and "
        "log(1 − D) is flat. Common implementations give G the non-saturating loss, and so does this table.",
        "began": "ends at the digit one, which is the easiest to rebuild: sharp images, all alike. λ_k = 0.1 changed nothing.",
        "ragan": "is as unready as `ns_gan`, and more so. Its author (abstract) sets it beside WGAN GP with a gradient penalty "
        "of its own, which this recipe does not have; with one, as in `r3gan`, the pairing has all ten classes.",
        "rals_gan": "is the objective that needs normalisation or a small learning rate most: with 5e-4 one class was left.",
        "ebgan": "holds seven or eight digits, blurred: D's code of 64 numbers rebuilds much, so that its error says little of "
        "a picture. Its paper chooses sizes and margin by a long grid search (section 4.1).",
    },
}


def render(folder: Path, places: list[str], objectives: list[str], seeds: list[int], command: str) -> str:
    """The document, from the runs that there are."""
    known = ledger_in(folder).rows
    text = [INTRODUCTION]
    for place in places:
        floor = measure_for(place, folder).floor()
        rows = {
            objective: [known[key] for seed in seeds if (key := key_of(config_of(place, objective, seed))) in known]
            for objective in objectives
        }
        text += [f"## {PLACES[place].title}", networks_of(place), table(place, rows, floor)]
        text.append("\n".join(f"* **{OBJECTIVES[name].about.title}**: {said}" for name, said in REMARKS[place].items()))
        picture = ROOT / "docs" / "images" / f"objectives-{place}.png"
        if sheet(folder, place, objectives, picture):
            text.append(f"![{PLACES[place].title}: samples of every objective](../images/{picture.name})")
    runs = [
        known[key]
        for place, name, seed in wanted(places, objectives, seeds)
        if (key := key_of(config_of(place, name, seed))) in known
    ]
    text += [machine(runs, command)]
    return "\n\n".join(text) + "\n"


def table(place: str, rows: dict[str, list[Row]], floor: Numbers) -> str:
    columns = COLUMNS[place]
    head = [
        "objective",
        *(title for title, _ in columns.values()),
        "seeds",
        "rounds",
        "CPU s",
        "changed from the recipe",
    ]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    real = [f"{floor[name]:{form}}" for name, (_, form) in columns.items()]
    lines.append("| *real against real* | " + " | ".join(real) + " | | | | |")
    for objective, runs in rows.items():
        cells = [spread([run[name] for run in runs], form) for name, (_, form) in columns.items()]
        rounds = f"{runs[0]['rounds']:,}" if runs else ""
        seconds = f"{fmean(run['cpu_seconds'] for run in runs):.0f}" if runs else ""
        changed = changes_in_words(changed_from_recipe(place, objective))
        lines.append(f"| `{objective}` | " + " | ".join([*cells, str(len(runs)), rounds, seconds, changed]) + " |")
    return "\n".join(lines)


def spread(values: list[float], form: str) -> str:
    """The mean, and the least and the greatest where they differ."""
    if not values:
        return "–"
    mean, least, most = (f"{value:{form}}" for value in (fmean(values), min(values), max(values)))
    return mean if least == most else f"{mean} ({least}–{most})"


def changes_in_words(changed: dict[str, tuple[Any, Any]]) -> str:
    """One entry per setting; the same one of both optimisers is said once."""
    words: dict[str, str] = {}
    for field, (paper, ours) in changed.items():
        name = field.removeprefix("optimizers.generator.").removeprefix("optimizers.discriminator.")
        name = name.removeprefix("objective.").removeprefix("penalties.").removeprefix("options.")
        name = name.removeprefix("model.").removeprefix("schedule.").replace("discriminator.", "D ")
        words[name] = f"{name} {number(paper)} → {number(ours)}" if paper is not None else f"{name} {number(ours)}"
    return ", ".join(words.values()) or "nothing"


def number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def networks_of(place: str) -> str:
    config = config_of(place, "ns_gan", 0)
    G, D = config.model.generator, config.model.discriminator
    return (
        f"MLPs, G {config.model.latent_dim} → {list(G.widths)}, D {list(D.widths)}, leaky ReLU, no normalisation, batch "
        f"{config.data.batch_size}; {PLACES[place].steps:,} optimiser steps a run, of D and G together."
    )


def sheet(folder: Path, place: str, objectives: list[str], path: Path) -> bool:
    """One picture with the samples of the first seed of every objective; False while some are missing."""
    files = {name: folder / f"{key_of(config_of(place, name, 0))}.png" for name in objectives}
    if not all(file.exists() for file in files.values()):
        return False
    pictures = {name: Image.open(file).convert("RGB") for name, file in files.items()}
    width, height = next(iter(pictures.values())).size
    columns = 5 if place == "ring" else 2
    label, gap = 16, 8
    rows = -(-len(files) // columns)
    page = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + label + gap) - gap), "white")
    draw = ImageDraw.Draw(page)
    for index, (name, picture) in enumerate(pictures.items()):
        x, y = index % columns * (width + gap), index // columns * (height + label + gap)
        draw.text((x, y + 2), name, fill="black")
        page.paste(picture, (x, y + label))
    path.parent.mkdir(parents=True, exist_ok=True)
    page.save(path, optimize=True)
    return True


def scatter(points: np.ndarray, extent: tuple[tuple[float, float], ...], side: int = 160) -> np.ndarray:
    """Points as dark dots on white, (side, side, 3) uint8."""
    (x0, x1), (y0, y1) = extent
    picture = np.full((side, side, 3), 255, np.uint8)
    inside = np.isfinite(points).all(axis=1)
    columns = ((points[inside, 0] - x0) / (x1 - x0) * side).astype(int)
    rows = ((y1 - points[inside, 1]) / (y1 - y0) * side).astype(int)
    seen = (columns >= 0) & (columns < side) & (rows >= 0) & (rows < side)
    picture[rows[seen], columns[seen]] = (213, 94, 0)
    return picture


INTRODUCTION = """# Every objective, on the same two small networks

Each of the named objectives trains the same networks with the optimiser, the steps per player and the weights of its
recipe; what had to be changed for networks this small is in the last column. The figures are of the generator as it
stands after the last step and do not know the loss: they can be compared down a column. Each is the mean over the
seeds, in brackets the least and the greatest; the first row is what real samples read in the place of generated ones.

The budget is small on purpose (a laptop's minute at most), and the same for all: this page shows that no objective is
broken and how each behaves when little is spent on it, not which one is best.

* **modes**, **classes**: those that hold at least 1 % of the samples; on the ring only points within 3 standard
  deviations of a mode count (**high quality**), of the digits only those of which the frozen classifier is **sure**.
* **KL to real**: from the mix of modes or classes among those samples to the real mix, in nats.
* **sliced W₁**: mean Wasserstein distance of 50 projections to 2,500 real points, in data units.
* **Fréchet**: distance of Gaussians fitted to 64 features of the frozen classifier, 1,000 samples against the 1,000
  held-out digits. Not the FID."""


def machine(runs: list[Row], command: str) -> str:
    total = sum(run["cpu_seconds"] for run in runs) / 60
    return (
        f"## Command\n\n`{command}`\n\n{len(runs)} runs, {total:.0f} minutes of CPU time, one thread; "
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}. "
        "CPU seconds are of the whole process: training, measuring and writing."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", nargs="+", choices=list(PLACES), default=list(PLACES))
    parser.add_argument("--objectives", nargs="+", choices=list(OBJECTIVES), default=list(OBJECTIVES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "objectives")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "objectives.md")
    parser.add_argument("--render", action="store_true", help="train nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.render:
        sweep(options.folder, options.places, options.objectives, options.seeds)
    command = "python benchmarks/objectives.py"
    text = render(options.folder, options.places, options.objectives, options.seeds, command)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text)
    print(f"wrote {options.out}", file=sys.stderr)


if __name__ == "__main__":
    main()

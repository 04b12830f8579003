"""How often the test for copies calls machines of which it is known whether they copy: ``python benchmarks/copying.py``.

Writes docs/results/copying.md. Real digits of MNIST-5k stand in for a generator: pictures that are neither training nor held
out are honest, training pictures are copies. Beside the verdict stand tests that take samples as independent: the share of
neighbours as coin flips, and the three-sample test of Meehan et al. (2020). About two minutes of one core.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from scipy.stats import norm, rankdata

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from gan_core.data import mnist5k
from gan_core.metrics.copying import ALARM, Copying, copying, squared_distances

WHERE = ROOT / "docs" / "results" / "copying.md"
TRIALS, SAMPLES = 300, 1_000
Draw = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]


def honest(draw: np.random.Generator, training: np.ndarray, new: np.ndarray) -> np.ndarray:
    return draw.choice(new, SAMPLES)


def copies(share: float) -> Draw:
    def drawn(draw: np.random.Generator, training: np.ndarray, new: np.ndarray) -> np.ndarray:
        copied = round(share * SAMPLES)
        return np.concatenate([draw.choice(training, copied), draw.choice(new, SAMPLES - copied)])

    return drawn


def collapsed(pictures: int) -> Draw:
    return lambda draw, training, new: draw.choice(draw.choice(new, pictures, replace=False), SAMPLES)


def of_few(pictures: int) -> Draw:
    return lambda draw, training, new: draw.choice(draw.choice(training, pictures, replace=False), SAMPLES)


MACHINES: dict[str, Draw] = {
    "honest": honest,
    "honest, collapsed to 1 picture": collapsed(1),
    "honest, collapsed to 5 pictures": collapsed(5),
    "honest, collapsed to 30 pictures": collapsed(30),
    "10 % copies": copies(0.1),
    "25 % copies": copies(0.25),
    "50 % copies": copies(0.5),
    "copies only": copies(1.0),
    "copies of 5 pictures only": of_few(5),
}
SIZES = ((50, 50), (100, 100), (300, 300), (80, 20))


@dataclass(frozen=True)
class Row:
    """Over all trials: shares of each verdict, and of alarms of the two other tests."""

    machine: str
    training: int
    held_out: int
    near: tuple[float, float]
    z: tuple[float, float]
    copies: int
    none: int
    coins: int
    meehan: int


def meehan(to_training: np.ndarray, between: np.ndarray) -> float:
    """z of the Mann-Whitney test of distances to the nearest training picture: of samples (m,) below those of held-out ones."""
    m, n = len(to_training), len(between)
    ranks = rankdata(np.concatenate([to_training, between]))[:m].sum()
    return float((ranks - m * (m + n + 1) / 2) / sqrt(m * n * (m + n + 1) / 12))


def coins(found: Copying) -> float:
    return (found.near - found.chance) / sqrt(found.chance * (1 - found.chance) / found.samples)


def measured(name: str, n: int, held: int, distances: np.ndarray) -> Row:
    everything: list[tuple[Copying, float]] = []
    for trial in range(TRIALS):
        draw = np.random.default_rng((trial, n, held))
        order = draw.permutation(len(distances))
        training, held_out, new = np.split(order, [n, n + held])
        q = MACHINES[name](draw, training, new)
        to_training, to_held_out = distances[np.ix_(q, training)], distances[np.ix_(q, held_out)]
        beside = meehan(to_training.min(1), distances[np.ix_(held_out, training)].min(1))
        everything.append((copying(to_training, to_held_out), beside))
    found = [one for one, _ in everything]
    return Row(
        name,
        n,
        held,
        _both([one.near for one in found]),
        _both([one.z for one in found]),
        sum(one.verdict == "copies" for one in found),
        sum(one.verdict == "no sign of copying" for one in found),
        sum(coins(one) > ALARM for one in found),
        sum(z < -ALARM for _, z in everything),
    )


def _both(values: list[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values))


def main() -> None:
    pictures = mnist5k().x.numpy()
    distances = squared_distances(pictures, pictures)
    rows = [measured(name, *size, distances) for size in SIZES for name in MACHINES]
    WHERE.write_text(page(rows), encoding="utf-8")
    print(WHERE.read_text(encoding="utf-8"))


def page(rows: list[Row]) -> str:
    lines = [
        "# Copies: what the test calls them",
        "",
        f"`python benchmarks/copying.py`: {TRIALS} trials of {SAMPLES:,} samples each, distances of pixels. Pictures of "
        "MNIST-5k stand in for a generator: it is known which are training pictures. An alarm is the verdict *copies*; of the "
        f"tests beside it, which take samples as independent, as far out: z > {ALARM:g} of as many coins, z < −{ALARM:g} of "
        f"Meehan et al. (2020). A trial by chance alone reads z > {ALARM:g} in {norm.sf(ALARM):.2%} of all cases.",
        "",
        "| machine | training, held out | near | z | copies | no sign | cannot be told | coins | Meehan |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.machine} | {row.training}, {row.held_out} | {row.near[0]:.3f} ± {row.near[1]:.3f} | "
        f"{row.z[0]:+.1f} ± {row.z[1]:.1f} | **{_share(row.copies)}** | {_share(row.none)} | "
        f"{_share(TRIALS - row.copies - row.none)} | {_share(row.coins)} | {_share(row.meehan)} |"
        for row in rows
    ]
    honest_ones = [row for row in rows if row.machine.startswith("honest")]
    alarms, trials = sum(row.copies for row in honest_ones), TRIALS * len(honest_ones)
    lines += [
        "",
        f"Of {trials:,} trials of honest machines, collapsed or not, {alarms} were called copies; coins called "
        f"{sum(row.coins for row in honest_ones):,}, Meehan's test {sum(row.meehan for row in honest_ones):,}.",
        "",
        "± is the standard deviation over trials. A machine of which a tenth are copies is mostly not found at these sizes, "
        "and where nothing is found the sentence says from which share on it would be. With fewer held-out than training "
        "pictures chance is n / (n + n'); the verdict stays as strict, and less is found.",
        "",
    ]
    return "\n".join(lines)


def _share(count: int) -> str:
    return f"{count / TRIALS:.1%}"


if __name__ == "__main__":
    main()

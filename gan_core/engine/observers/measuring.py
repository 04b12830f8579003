"""Generated samples beside real ones, without labels: what sees a collapse best, and what each number reads on real data.

The sets are small on purpose, and always of the same size: most of these numbers cost with the square of it, and all of
them depend on it. The sizes travel with the floors, and are written beside the numbers. What a set is too small for is left
out, of the numbers and of the floors.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.spatial.distance import pdist

from gan_core.metrics.codes import LAPLACIAN_PIXELS, grey_share, laplacian_variance
from gan_core.metrics.distances import frechet_distance, frechet_floor, mmd2, sliced_wasserstein, wasserstein_1d
from gan_core.metrics.diversity import ALIKE, alike_distance, birthday, vendi_score
from gan_core.metrics.moments import center, main_axes, std_ratio
from gan_core.metrics.neighbors import NEIGHBOURS, precision_recall_density_coverage
from gan_core.metrics.random_cards import COVERAGE, FRECHET, PRECISION, RECALL

Numbers = dict[str, float]

KERNEL_POINTS = 200  # of each side, for the Vendi score and MMD
NEIGHBOUR_POINTS = 300  # of each side, for precision, recall, density and coverage
SLICED_POINTS = 500
SHARP_IMAGES = 500
RANDOM_POINTS = 500  # of each side, in random features
RANDOM_FIT = 1_000  # pictures that their space is fitted on
FEWEST_RANDOM = 30  # of each side: fewer say more of themselves than of the data
RANDOM_DIMS = ((500, 32), (160, 16), (0, 8))
"""From so many pictures on a side, so many dimensions: about a tenth as many, or the covariance is that of the few."""
DEAD = 1e-6  # of the largest deviation: an axis along which nothing varies
NEAR = ("precision", "recall", "density", "coverage")
RANDOM_NEAR = {PRECISION: "precision", RECALL: "recall", COVERAGE: "coverage"}
FEWEST = {"frechet_distance": 2, "mmd2": 2} | dict.fromkeys(NEAR, NEIGHBOURS + 1)
"""Real samples without which a measure cannot be computed."""
FEWEST_HELD_OUT = 10
"""Held-out samples without which a floor would say more of the few than of real ones."""
TOO_FEW, TOO_FEW_OF_A_CLASS = "too few held-out pictures", "too few pictures of a class"
BIRTHDAY_POINTS = 1_500  # about a million pairs
# Kernel widths in units of the real spread per axis: those that told collapsed rings from whole ones best.
VENDI_WIDTH, MMD_WIDTH = 0.42, 0.63


OF_SAMPLES = "sample_"
"""Before the names of `sharpness` where it is of samples and not of reconstructions."""


def sharpness(x: np.ndarray, of: str = "") -> Numbers:
    """Grey pixels and edges of images (n, C, H, W) in network units; of images without inner pixels no edges."""
    white = (x + 1) / 2
    numbers = {f"{of}grey_share": grey_share(white)}
    if min(x.shape[2:]) >= LAPLACIAN_PIXELS:
        numbers[f"{of}laplacian_variance"] = laplacian_variance(white)
    return numbers


def sharpness_of_samples(x: np.ndarray) -> Numbers:
    """The same of the first of many samples."""
    return sharpness(x[:SHARP_IMAGES], OF_SAMPLES)


class PointComparison:
    """Points (n, d) on a line or a plane, in data units, beside the real ones ``x_real``."""

    def __init__(self, x_real: np.ndarray) -> None:
        self._real = x_real
        self._axes = main_axes(x_real)
        self._spread = float(np.sqrt(x_real.var(axis=0).mean())) or 1.0
        flat = x_real.shape[1] > 1
        self.sizes = dict.fromkeys(("vendi_score", "mmd2"), min(KERNEL_POINTS, len(x_real)))
        if flat:
            self.sizes["sliced_wasserstein"] = min(SLICED_POINTS, len(x_real))
            self.sizes |= dict.fromkeys(NEAR, min(NEIGHBOUR_POINTS, len(x_real)))

    def measure(self, x_fake: np.ndarray) -> Numbers:
        real, few = self._real, slice(KERNEL_POINTS)
        numbers = {
            "std_ratio": std_ratio(real, x_fake),
            "vendi_score": vendi_score(x_fake[few], VENDI_WIDTH * self._spread),
            "mmd2": mmd2(real[few], x_fake[few], MMD_WIDTH * self._spread),
            **centers(center(x_fake, self._axes)),
        }
        if real.shape[1] == 1:
            return numbers | {"wasserstein": wasserstein_1d(real, x_fake)}
        some = slice(SLICED_POINTS)
        distance = sliced_wasserstein(real[some], x_fake[some], np.random.default_rng(0))
        return numbers | {"sliced_wasserstein": distance} | neighbours(real, x_fake)

    def birthday(self, x_fake: np.ndarray) -> dict[str, float]:
        return birthdays(self._real, x_fake)


class FeatureComparison:
    """Features (n, 64) of images, as the frozen classifier gives them, beside those of real images."""

    def __init__(self, real: np.ndarray) -> None:
        self._real = real
        self._width = float(np.median(pdist(real[:KERNEL_POINTS]))) or 1.0 if len(real) > 1 else 1.0
        few, near = min(KERNEL_POINTS, len(real)), min(NEIGHBOUR_POINTS, len(real))
        self.sizes = {"mmd2": few} | dict.fromkeys(NEAR, near)

    def measure(self, fake: np.ndarray) -> Numbers:
        few, n = slice(KERNEL_POINTS), min(len(self._real), len(fake))
        numbers = {"vendi_score": vendi_score(fake)}
        if n >= FEWEST["frechet_distance"]:
            numbers["frechet_distance"] = frechet_distance(self._real, fake)
        if n >= FEWEST["mmd2"]:
            numbers["mmd2"] = mmd2(self._real[few], fake[few], self._width)
        return numbers | (neighbours(self._real, fake) if n >= FEWEST["precision"] else {})

    def birthday(self, fake: np.ndarray) -> dict[str, float]:
        return birthdays(self._real, fake)


class RandomComparison:
    """Pictures without a judge in features of a network that nobody trained, beside real ones.

    The space, whitened main axes of the features, is fitted on real pictures that are in neither of the compared sets: those it
    is fitted on spread out, and new ones would look far from them. So half of a small set is for the space. ``fit`` and
    ``real`` are features (n, 576).
    """

    def __init__(self, fit: np.ndarray, real: np.ndarray) -> None:
        few = min(len(fit), len(real))
        dims = next(dims for least, dims in RANDOM_DIMS if few >= least)
        axes = main_axes(fit, dims)
        self._axes = axes.directions / np.where(axes.std > DEAD * axes.std[0], axes.std, np.inf)
        self._mean, self._real = axes.mean, self._in_space(axes.mean, real)
        self.sizes = {FRECHET: len(real)} | dict.fromkeys(RANDOM_NEAR, min(NEIGHBOUR_POINTS, len(real)))
        self.floor = {FRECHET: frechet_floor(dims, len(real), len(real))}

    def measure(self, fake: np.ndarray) -> Numbers:
        made = self._in_space(self._mean, fake[: len(self._real)])
        numbers = {FRECHET: frechet_distance(self._real[: len(made)], made)}
        if len(made) > NEIGHBOURS:
            near = neighbours(self._real[: len(made)], made)
            numbers |= {name: near[short] for name, short in RANDOM_NEAR.items()}
        return numbers

    def _in_space(self, mean: np.ndarray, features: np.ndarray) -> np.ndarray:
        along: np.ndarray = (features - mean) @ self._axes
        return along


class PixelComparison:
    """Images without a judge: their pixels (n, d) beside those of real images."""

    def __init__(self, x_real: np.ndarray) -> None:
        self._real = x_real
        self._axes = main_axes(x_real)

    def measure(self, x_fake: np.ndarray) -> Numbers:
        return {"std_ratio": std_ratio(self._real, x_fake), **centers(center(x_fake, self._axes))}

    def birthday(self, x_fake: np.ndarray) -> dict[str, float]:
        return birthdays(self._real, x_fake)


def centers(along: np.ndarray) -> Numbers:
    """The columns of where the middle lies along the main axes."""
    return {f"center_{axis}": float(value) for axis, value in enumerate(along, start=1)}


def neighbours(real: np.ndarray, fake: np.ndarray) -> Numbers:
    near = precision_recall_density_coverage(real[:NEIGHBOUR_POINTS], fake[:NEIGHBOUR_POINTS])
    return near._asdict()


def birthdays(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """The birthday test of generated samples; infinite where no two of so many were alike."""
    n = min(BIRTHDAY_POINTS, len(fake), len(real))
    distinct, batch = birthday(fake[:n], alike_distance(real[:n]))
    return {"distinct": distinct, "batch": batch, "samples": n, "real": 1 / ALIKE}


def floors(measured: Iterable[Numbers]) -> Numbers:
    """What each number reads on average over real sets; one that no set has is left out."""
    table: dict[str, list[float]] = {}
    for numbers in measured:
        for name, value in numbers.items():
            table.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in table.items() if np.isfinite(values).all()}

"""Scores of strangeness that no network learns: principal components, the nearest neighbour, an isolation forest, the ink.

Each is fitted to training samples (n, d), flattened, a pixel from 0 to 1, and then gives a number for each of any samples
(m, d), larger for stranger ones. A number depends on its sample alone, not on those beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gan_core.about import About

Array = NDArray[np.float64]
Scorer = Callable[[ArrayLike], Array]
"""Samples (m, d) to scores (m,)."""
Again = Callable[[ArrayLike], Array]
"""Samples (m, d) to what a model makes of each, (m, d)."""

COMPONENTS, TREES = 30, 100
RANK = 1e-10  # of the largest variance: what varies less is rounding
AT_ONCE = 500  # samples compared with all of training


@dataclass(frozen=True)
class Outliers:
    """``fit(train, seed)`` gives the scorer; ``again(train)`` what a sample is compared with, where it is a sample."""

    about: About
    fit: Callable[[Array, int], Scorer]
    again: Callable[[Array], Again] | None = None


def squared_residual(x: ArrayLike, x_hat: ArrayLike) -> Array:
    """The mean squared difference of each sample (n, …) to what was made of it, (n,)."""
    a, b = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"both need one shape, got {a.shape} and {b.shape}")
    return np.asarray(((a - b) ** 2).reshape(len(a), -1).mean(axis=1))


def ink(x: ArrayLike) -> Array:
    """The mean of a sample: of a light digit on black how much ink there is."""
    return np.asarray(np.asarray(x, np.float64).reshape(len(np.asarray(x)), -1).mean(axis=1))


def principal(train: Array) -> Again:
    """The projection to the mean and the first components of ``train`` (n, d) that vary: at most 30, and n / 2."""
    mean = train.mean(axis=0)
    values, vectors = np.linalg.eigh((train - mean).T @ (train - mean))
    axes = vectors[:, ::-1][:, : max(1, min(COMPONENTS, len(train) // 2))]
    axes = axes[:, values[::-1][: axes.shape[1]] > RANK * values[-1]]

    def again(x: ArrayLike) -> Array:
        return np.asarray((np.asarray(x, np.float64) - mean) @ axes @ axes.T + mean)

    return again


def nearest(train: Array) -> Again:
    """The nearest sample of ``train`` (n, d)."""

    def again(x: ArrayLike) -> Array:
        values = np.asarray(x, np.float64)
        parts = np.split(values, range(AT_ONCE, len(values), AT_ONCE))
        return np.concatenate([train[_squares(part, train).argmin(axis=1)] for part in parts])

    return again


def _by_residual(make: Callable[[Array], Again]) -> Callable[[Array, int], Scorer]:
    def fit(train: Array, seed: int) -> Scorer:
        again = make(train)
        return lambda x: squared_residual(x, again(x))

    return fit


def _by_forest(train: Array, seed: int) -> Scorer:
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=TREES, random_state=seed).fit(train)
    return lambda x: np.asarray(-forest.score_samples(np.asarray(x, np.float64)))


def _by_ink(train: Array, seed: int) -> Scorer:
    return ink


def _squares(x: Array, train: Array) -> Array:
    """‖a − b‖² of all pairs, (m, n)."""
    return np.asarray(np.maximum((x**2).sum(axis=1)[:, None] + (train**2).sum(axis=1) - 2 * x @ train.T, 0.0))


OUTLIERS: dict[str, Outliers] = {
    "ink": Outliers(
        About(
            title="Ink",
            paper="No learning at all",
            year=2026,
            formula=r"s(x) = \tfrac1d \textstyle\sum_i x_i",
            idea="The mean brightness of the picture. It knows nothing of what is normal, and stands here so that every other "
            "row can be read beside it.",
            watch_for="Rows that go up and down with this one: a residual grows with the number of bright pixels, whatever was "
            "learnt.",
        ),
        _by_ink,
    ),
    "pca": Outliers(
        About(
            title="Principal components",
            paper="Shyu et al., A Novel Anomaly Detection Scheme Based on Principal Component Classifier",
            year=2003,
            formula=r"s(x) = \tfrac1d \lVert x - \mu - V V^\top (x - \mu) \rVert^2",
            idea="What 30 principal components of the normal pictures leave over of a picture.",
            watch_for="Anomalies with little ink: there is little of them to be left over.",
        ),
        _by_residual(principal),
        principal,
    ),
    "nearest": Outliers(
        About(
            title="Nearest neighbour",
            paper="Ramaswamy et al., Efficient Algorithms for Mining Outliers from Large Data Sets",
            year=2000,
            formula=r"s(x) = \min_i \tfrac1d \lVert x - x_i \rVert^2",
            idea="The distance, in pixels, to the nearest normal picture of training.",
            watch_for="How far it comes without a network: a learnt score that is below it has learnt nothing that helps here.",
        ),
        _by_residual(nearest),
        nearest,
    ),
    "forest": Outliers(
        About(
            title="Isolation forest",
            paper="Liu, Ting, Zhou, Isolation Forest",
            year=2008,
            formula=r"s(x) = 2^{-\mathbb{E}\,h(x) / c(n)}",
            idea="How few random cuts of single pixels separate a picture from the normal ones, over a hundred trees.",
            watch_for="Pictures in which every single pixel is usual and only their combination is not.",
        ),
        _by_forest,
    ),
}

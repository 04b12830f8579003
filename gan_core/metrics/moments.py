"""Moments: what one can say of samples without knowing their modes."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gan_core.metrics.samples import as_pair, as_samples


class Moments(NamedTuple):
    """Mean and standard deviation in data units, skewness and excess kurtosis (a Gaussian has 0 and 0) without unit."""

    mean: float
    std: float
    skew: float
    kurtosis: float


def moments(x: ArrayLike) -> Moments:
    """Return four moments of samples of the real line, (n,) or (n, 1), by the biased estimators (divide by n).

    Samples that are all equal have skewness and kurtosis 0. Floor: standard errors std / sqrt(n), std / sqrt(2n),
    sqrt(6/n) and sqrt(24/n) for a Gaussian. Raises ValueError for more than one dimension and as `as_samples`.
    """
    samples = as_samples(x)
    if samples.shape[1] != 1:
        raise ValueError(f"moments need samples of dimension 1, got {samples.shape[1]}")
    mean = samples.mean()
    if np.ptp(samples) == 0:
        return Moments(float(mean), 0.0, 0.0, 0.0)
    std = samples.std()
    z = (samples - mean) / std
    return Moments(float(mean), float(std), float((z**3).mean()), float((z**4).mean()) - 3.0)


class Axes(NamedTuple):
    """The one or two main axes of real data: ``mean`` (d,), ``directions`` (d, k), ``std`` (k,) along them."""

    mean: NDArray[np.float64]
    directions: NDArray[np.float64]
    std: NDArray[np.float64]


def main_axes(x_real: ArrayLike, most: int = 2) -> Axes:
    """Return the principal axes of real samples (n, d) along which they vary most, at most ``most`` of them.

    The sign of each is fixed (its largest entry is positive), so that the same data gives the same axes.
    """
    real = as_samples(x_real)
    mean = real.mean(axis=0)
    _, singular, rows = np.linalg.svd(real - mean, full_matrices=False)
    rows = rows[:most]
    rows = rows * np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])[:, None]
    return Axes(mean, rows.T, singular[:most] / np.sqrt(len(real)))


def center(x_fake: ArrayLike, axes: Axes) -> NDArray[np.float64]:
    """Return where the middle of generated samples lies along the real data's main axes (k,), in real std.

    Real data reads 0, give or take 1 / sqrt(n). A generator that hops from mode to mode is seen by how far this moves
    between two looks, without any label.
    """
    shift = (as_samples(x_fake).mean(axis=0) - axes.mean) @ axes.directions
    return np.divide(shift, axes.std, out=np.zeros_like(shift), where=axes.std > 0)


def std_ratio(x_real: ArrayLike, x_fake: ArrayLike) -> float:
    """Return the standard deviation of the generated over that of the real samples, all dimensions pooled.

    sqrt(tr cov(fake) / tr cov(real)): 0 for a single point, 1 for real data, give or take 1 / sqrt(n d) on two sets of
    n Gaussian samples in d dimensions. Blind to a collapse onto two opposite modes. If the real samples do not vary it
    is 1 when the fake ones do not either, else infinite. Raises ValueError as `as_pair`.
    """
    real, fake = as_pair(x_real, x_fake)
    spread_real, spread_fake = (float(np.sqrt(x.var(axis=0).sum())) for x in (real, fake))
    if spread_real == 0:
        return 1.0 if spread_fake == 0 else inf
    return spread_fake / spread_real

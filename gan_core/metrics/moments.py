"""Moments: what one can say of samples without knowing their modes."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

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

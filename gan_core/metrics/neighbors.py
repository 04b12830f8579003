"""Precision and recall, density and coverage: fidelity and diversity by k nearest neighbours in a feature space."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

from gan_core.metrics.samples import as_pair

NEIGHBOURS = 5
"""k, as Naeem et al. take it."""


class Neighborhood(NamedTuple):
    """Shares from 0 to 1, but for density, which has no upper bound and is 1 for real data."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall_density_coverage(x_real: ArrayLike, x_fake: ArrayLike, k: int = NEIGHBOURS) -> Neighborhood:
    """Compare (n, d) real with (m, d) fake samples, each set's manifold the balls that reach each k-th neighbour.

    precision: share of fakes inside a real ball; recall: share of reals inside a fake ball (Kynkäänniemi et al. 2019);
    density: mean number of real balls around a fake, over k; coverage: share of reals whose ball holds a fake
    (Naeem et al. 2020, who take k = 5; the first pair is often reported at k = 3).
    Floor of two real sets: density 1, coverage 1 - prod_{i=1..k} (n - i) / (n + m - i), about 1 - 2^-k = .969 for
    n = m, precision and recall close to 1. Read them together: a collapse onto one good image has precision 1.
    Raises ValueError unless both sets have more than k samples, and as `as_pair`.
    """
    real, fake = as_pair(x_real, x_fake)
    if not 1 <= k < min(len(real), len(fake)):
        raise ValueError(f"k = {k} neighbours need at least {k + 1} samples on each side")
    # Row and column 0 of a sorted self-distance is the sample itself, so index k is the k-th other sample.
    radius_real = np.partition(cdist(real, real), k, axis=1)[:, k]
    radius_fake = np.partition(cdist(fake, fake), k, axis=1)[:, k]
    distance = cdist(real, fake)
    in_real_ball = distance <= radius_real[:, None]
    return Neighborhood(
        precision=float(in_real_ball.any(axis=0).mean()),
        recall=float((distance <= radius_fake[None, :]).any(axis=1).mean()),
        density=float(in_real_ball.sum(axis=0).mean() / k),
        coverage=float(in_real_ball.any(axis=1).mean()),
    )

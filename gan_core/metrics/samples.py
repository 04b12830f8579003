"""The one gate through which samples enter a metric."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_samples(x: ArrayLike) -> NDArray[np.float64]:
    """Return ``x`` as float64 of shape (n, d): one row per sample, trailing axes flattened, a vector as one column.

    Raises ValueError for no samples and for values that are not finite: a distance to a diverged sample has no meaning.
    """
    samples = np.asarray(x, dtype=np.float64)
    if samples.ndim == 0 or samples.size == 0:
        raise ValueError(f"a metric needs at least one sample, got an array of shape {samples.shape}")
    samples = samples.reshape(len(samples), -1)
    if not np.isfinite(samples).all():
        raise ValueError("samples hold values that are not finite")
    return samples


def as_pair(x_real: ArrayLike, x_fake: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both sets as (n, d) and (m, d) float64. Raises ValueError if the dimensions differ, or as `as_samples`."""
    real, fake = as_samples(x_real), as_samples(x_fake)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"real samples have dimension {real.shape[1]}, fake samples {fake.shape[1]}")
    return real, fake

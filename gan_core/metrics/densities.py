"""Densities on a line: the best possible discriminator of two of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

NOWHERE = 1e-3  # of the highest density: below it neither distribution can be said to be there


def optimal_discriminator(real_density: ArrayLike, fake_density: ArrayLike) -> NDArray[np.float64]:
    """Return D*(x) = p(x) / (p(x) + q(x)) at points where both densities are known (Goodfellow et al. 2014, prop. 1).

    Shapes alike. One half where both agree; NaN where neither has mass, for there D is asked nothing.
    Raises ValueError for shapes that differ and for negative densities.
    """
    p, q = np.asarray(real_density, dtype=np.float64), np.asarray(fake_density, dtype=np.float64)
    if p.shape != q.shape or (p < 0).any() or (q < 0).any():
        raise ValueError(f"densities are at least 0 and of one shape, got {p.shape} and {q.shape}")
    both = p + q
    somewhere = both > NOWHERE * both.max(initial=0.0)
    return np.divide(p, both, out=np.full(p.shape, np.nan), where=somewhere)


def smoothed_counts(density: ArrayLike) -> NDArray[np.float64]:
    """Return a histogram (bins,) smoothed by weights 1/4, 1/2, 1/4, its sum kept: counts scatter, densities do not."""
    inner = np.asarray(density, dtype=np.float64)
    padded = np.concatenate([inner[:1], inner, inner[-1:]])
    smooth: NDArray[np.float64] = padded[:-2] / 4 + padded[1:-1] / 2 + padded[2:] / 4
    return smooth

"""Maps between two kinds of data and back: samples in, one number out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gan_core.metrics.modes import nearest_mode
from gan_core.metrics.translation import absolute_error

WITHIN_STD = 3.0


def cycle_error(x: ArrayLike, again: ArrayLike) -> float:
    """Return how far what came back is: of pictures (n, C, H, W), black 0 and white 1, the mean absolute error of a pixel, of
    points (n, d) their mean distance. Its floor is 0, which doing nothing reads. Raises ValueError for unequal shapes."""
    a, b = np.asarray(x, np.float64), np.asarray(again, np.float64)
    if a.ndim == 4:
        return absolute_error(a, b)
    if a.shape != b.shape:
        raise ValueError(f"both need one shape, not {a.shape} and {b.shape}")
    return float(np.linalg.norm(a - b, axis=1).mean())


def modes_right(origin: ArrayLike, points: ArrayLike, centers: ArrayLike, std: ArrayLike) -> float:
    """Return of how many modes more than half of the points come within three standard deviations of the center of their own.

    ``origin`` (n,) is the mode that each of the ``points`` (n, d) was of. Of a bijection at random 1 on average.
    """
    start, spread = np.asarray(origin), np.asarray(std, np.float64)
    nearest, distance = nearest_mode(points, centers)
    at_home = (nearest == start) & (distance <= WITHIN_STD * spread[nearest])
    return float(sum(at_home[start == mode].mean() > 0.5 for mode in np.unique(start)))


def share_right(origin: ArrayLike, points: ArrayLike, centers: ArrayLike) -> float:
    """Return the share of points (n, d) that are nearest to the center of the mode that they were of, ``origin`` (n,)."""
    return float((nearest_mode(points, centers)[0] == np.asarray(origin)).mean())

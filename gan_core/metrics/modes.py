"""Mixtures whose modes are known: which mode a point belongs to, and whether it is good enough to count for it.

Definitions of VEEGAN (Srivastava et al. 2017) and PacGAN (Lin et al. 2018): a point is of *high quality* if it lies
within 3 standard deviations of its nearest mode; a mode is *captured* if it is the nearest to at least one such point.
Both papers draw 2,500 points. `mode_counts` returns a histogram with one last bin for the other points, so that
`modes_covered`, `entropy` and `kl_to_real` read it as they read the histogram of a classifier.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from gan_core.metrics.histograms import class_shares, unsure_share


def nearest_mode(points: ArrayLike, centers: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the index (n,) of the nearest center and the Euclidean distance (n,) to it.

    ``points`` (n, d) or (n,) for d = 1; ``centers`` (K, d) or (K,). A point that is not finite gets an infinite or NaN
    distance. Raises ValueError if there are no centers or the dimensions differ.
    """
    p, c = _columns(points), _columns(centers)
    if len(c) == 0 or p.shape[1] != c.shape[1]:
        raise ValueError(f"points {p.shape} and centers {c.shape} must share their dimension, with at least one center")
    distances = cdist(p, c)
    index = distances.argmin(axis=1)
    return index, distances[np.arange(len(p)), index]


def mode_counts(points: ArrayLike, centers: ArrayLike, std: ArrayLike, sigmas: float = 3.0) -> NDArray[np.int64]:
    """Count high-quality points per mode: (n, d) points, (K, d) centers -> counts (K + 1,), the last of low quality.

    ``std`` is the standard deviation of the modes per axis, one number or (K,). Points that are not finite count as low
    quality. Floor: a d-dimensional Gaussian keeps P(chi2_d < sigmas^2) of its points, for 3 sigmas .9973 in 1-D and
    1 - e^-4.5 = .9889 in 2-D.
    """
    return np.bincount(mode_of(points, centers, std, sigmas), minlength=len(_columns(centers)) + 1)


def mode_of(points: ArrayLike, centers: ArrayLike, std: ArrayLike, sigmas: float = 3.0) -> NDArray[np.int64]:
    """Return the mode (n,) that each point counts for, K for a point of low quality; arguments as of `mode_counts`."""
    index, distance = nearest_mode(points, centers)
    num_modes = len(_columns(centers))
    radius = sigmas * np.broadcast_to(np.asarray(std, dtype=np.float64), (num_modes,))
    return np.where(distance <= radius[index], index, num_modes)


def modes_captured(counts: ArrayLike) -> int:
    """Return how many modes hold a high-quality point (VEEGAN); `modes_covered` is stricter. Real data: K."""
    return int((np.asarray(counts)[:-1] > 0).sum())


def high_quality_share(counts: ArrayLike) -> float:
    """Return the share of all points within 3 standard deviations of a mode. Floor: see `mode_counts`."""
    return 1.0 - unsure_share(counts)


def largest_share(counts: ArrayLike) -> tuple[int, float]:
    """Return the fullest mode of a histogram (K + 1,) and its share of the samples that count for a mode.

    The last bin is left out; (0, 0.0) if all samples are in it. Real data: near 1/K.
    """
    shares = class_shares(counts)
    mode = int(shares.argmax())
    return mode, float(shares[mode])


def _columns(x: ArrayLike) -> NDArray[np.float64]:
    a = np.asarray(x, dtype=np.float64)
    return a[:, None] if a.ndim == 1 else a

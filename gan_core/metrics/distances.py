"""Distances between real and generated samples: (n, d) and (m, d) in, one number out, 0 for two equal sets.

On two finite real sets none of them is 0 but at a floor that falls as the sets grow. Compare at equal sizes, and draw
the value of two real sets beside the curve. All raise ValueError as `gan_core.metrics.samples.as_pair` does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from gan_core.metrics.samples import as_pair


def wasserstein_1d(x_real: ArrayLike, x_fake: ArrayLike) -> float:
    """Return the exact Wasserstein-1 distance of two samples of the real line, in data units; sizes may differ.

    It is the area between the two empirical distribution functions. Floor: about 2 std / sqrt(n) for two Gaussian
    sets of n. Raises ValueError for more than one dimension.
    """
    real, fake = as_pair(x_real, x_fake)
    if real.shape[1] != 1:
        raise ValueError(f"wasserstein_1d needs samples of dimension 1, got {real.shape[1]}; use sliced_wasserstein")
    return _wasserstein(real[:, 0], fake[:, 0])


def sliced_wasserstein(x_real: ArrayLike, x_fake: ArrayLike, rng: np.random.Generator, directions: int = 50) -> float:
    """Return the mean Wasserstein-1 distance of the projections on random unit vectors, in data units.

    Equal to |shift| E|u_1| for two sets that differ by a shift: .637 |shift| in 2-D (Rabin et al. 2011; Bonneel et al.
    2015). ``rng`` chooses the directions: pass one of equal state to compare two values exactly.
    """
    real, fake = as_pair(x_real, x_fake)
    axes = rng.standard_normal((real.shape[1], directions))
    axes /= np.linalg.norm(axes, axis=0)
    return float(np.mean([_wasserstein(a, b) for a, b in zip((real @ axes).T, (fake @ axes).T, strict=True)]))


def mmd2(x_real: ArrayLike, x_fake: ArrayLike, bandwidth: float) -> float:
    """Return the squared maximum mean discrepancy with a Gaussian kernel, at least 0 (Gretton et al. 2012).

    Kernel exp(-|x - y|^2 / (2 bandwidth^2)); the biased estimate, pairs of a sample with itself included.
    ``bandwidth`` in data units, about the gap between modes (.3 on data in [-1, 1]); ValueError unless positive.
    Floor: (1/n + 1/m) (1 - E k(x, x')), so below 1/n + 1/m.
    """
    if not bandwidth > 0:
        raise ValueError(f"the bandwidth must be positive, got {bandwidth}")
    real, fake = as_pair(x_real, x_fake)
    value = _rbf(real, real, bandwidth).mean() + _rbf(fake, fake, bandwidth).mean()
    return max(0.0, float(value - 2 * _rbf(real, fake, bandwidth).mean()))


def frechet_distance(x_real: ArrayLike, x_fake: ArrayLike) -> float:
    """Return the squared Fréchet distance of the Gaussians fitted to two sets of features (Heusel et al. 2017).

    |mu_1 - mu_2|^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)). Not the "FID": that is this on Inception features and 50,000
    samples. Floor: positive, falling like 1/n. Raises ValueError for fewer than two samples on a side.
    """
    real, fake = as_pair(x_real, x_fake)
    if min(len(real), len(fake)) < 2:
        raise ValueError("a covariance needs at least two samples")
    return frechet_of_gaussians(real.mean(axis=0), _covariance(real), fake.mean(axis=0), _covariance(fake))


def frechet_floor(d: int, n: int, m: int) -> float:
    """Return what `frechet_distance` reads of two honest sets of n and m in d whitened dimensions, to second order in 1/n.

    (1/n + 1/m) (d + d (d + 1) / 4), so 2d/n + d (d + 1)/(2n) for equal sets of Gaussians with Σ = I: the first part is of the
    means, the second of the covariances. Raises ValueError for fewer than two samples on a side.
    """
    if min(n, m) < 2:
        raise ValueError("a covariance needs at least two samples")
    return (1 / n + 1 / m) * (d + d * (d + 1) / 4)


def frechet_of_gaussians(mean_1: ArrayLike, cov_1: ArrayLike, mean_2: ArrayLike, cov_2: ArrayLike) -> float:
    """Return the squared Fréchet (Wasserstein-2) distance of two Gaussians: means (d,), covariances (d, d).

    tr (S_1 S_2)^(1/2) is the sum of the roots of the eigenvalues of S_1^(1/2) S_2 S_1^(1/2), which is symmetric: unlike
    a general matrix root it stays real, and needs no small diagonal added, when a covariance is singular.
    """
    s_1, s_2 = np.asarray(cov_1, dtype=np.float64), np.asarray(cov_2, dtype=np.float64)
    shift = np.asarray(mean_1, dtype=np.float64) - np.asarray(mean_2, dtype=np.float64)
    values, vectors = np.linalg.eigh(s_1)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ s_2 @ root).clip(0)).sum()
    return max(0.0, float(shift @ shift + np.trace(s_1) + np.trace(s_2) - 2 * cross))


def _wasserstein(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    a, b = np.sort(a), np.sort(b)
    if len(a) == len(b):
        return float(np.abs(a - b).mean())
    support = np.sort(np.concatenate([a, b]))
    below_a = np.searchsorted(a, support[:-1], side="right") / len(a)
    below_b = np.searchsorted(b, support[:-1], side="right") / len(b)
    return float((np.abs(below_a - below_b) * np.diff(support)).sum())


def _rbf(x: NDArray[np.float64], y: NDArray[np.float64], bandwidth: float) -> NDArray[np.float64]:
    return np.exp(-cdist(x, y, "sqeuclidean") / (2 * bandwidth**2))


def _covariance(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.atleast_2d(np.cov(x, rowvar=False))

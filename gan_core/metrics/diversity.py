"""Diversity of one set of generated samples on its own; to be read beside the value of a real set of the same size."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from scipy.special import entr, rel_entr

from gan_core.metrics.samples import as_samples


def vendi_score(x: ArrayLike, bandwidth: float | None = None) -> float:
    """Return the effective number of different samples, from 1 (all alike) to n (Friedman & Dieng 2023).

    exp(-sum l log l) over the eigenvalues l of K / n. With no ``bandwidth`` K is the cosine similarity, for features of
    images (n, 64); with one it is exp(-|x - y|^2 / (2 bandwidth^2)), for points, in data units. Floor: that of the real
    data, 9.8 on a ring of 8 modes (bandwidth .2), about 6 on features of digits; it grows a little with n.
    Raises ValueError as `as_samples` and for a bandwidth that is not positive.
    """
    samples = as_samples(x)
    if bandwidth is None:
        kernel = _cosine_dual(samples)
    elif bandwidth > 0:
        kernel = np.exp(-cdist(samples, samples, "sqeuclidean") / (2 * bandwidth**2))
    else:
        raise ValueError(f"the bandwidth must be positive, got {bandwidth}")
    eigenvalues = np.linalg.eigvalsh(kernel / len(samples)).clip(0, 1)
    return float(np.exp(entr(eigenvalues).sum()))


def classifier_score(probabilities: ArrayLike) -> float:
    """Return exp E KL(p(y|x) || p(y)), from 1 to K, for class probabilities (n, K) (Salimans et al. 2016).

    High if each sample is surely of one class and all classes occur. Not the "Inception score": the judge is this data
    set's own classifier. 1 for a collapse onto one class; real data of K equal classes come close to K. Few samples
    bias it downwards. Raises ValueError unless each row is a distribution.
    """
    p = as_samples(probabilities)
    if not ((p >= 0).all() and np.allclose(p.sum(axis=1), 1.0, atol=1e-4)):
        raise ValueError("class probabilities must be at least 0 and sum to 1 in every row")
    return float(np.exp(rel_entr(p, p.mean(axis=0)).sum(axis=1).mean()))


def _cosine_dual(samples: np.ndarray) -> np.ndarray:
    """The (d + 1, d + 1) matrix with the non-zero eigenvalues of the (n, n) cosine similarity.

    A zero vector has no direction; the last axis is theirs, so that they resemble each other and nothing else.
    """
    norm = np.linalg.norm(samples, axis=1, keepdims=True)
    directions = np.hstack([samples / np.where(norm > 0, norm, 1.0), norm == 0])
    return directions.T @ directions

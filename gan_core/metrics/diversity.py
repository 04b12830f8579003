"""Diversity of one set of generated samples on its own; to be read beside the value of a real set of the same size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist, pdist
from scipy.special import entr, rel_entr

from gan_core.metrics.samples import as_samples

ALIKE = 0.001
"""Two samples are alike if they are closer than this share of the pairs of real samples is."""
FEWEST_OF_A_CLASS = 5  # samples, for a spread of theirs to mean something


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


def class_spreads(x: ArrayLike, labels: ArrayLike, num_classes: int) -> NDArray[np.float64]:
    """Return the spread of the samples of each class, (K,): sqrt(tr cov), in data units.

    ``labels`` (n,) below K; others, such as the unsure ones at K, are left out. NaN for a class of fewer than five.
    """
    samples, classes = as_samples(x), np.asarray(labels)
    spreads = np.full(num_classes, np.nan)
    for index in range(num_classes):
        members = samples[classes == index]
        if len(members) >= FEWEST_OF_A_CLASS:
            spreads[index] = np.sqrt(members.var(axis=0).sum())
    return spreads


def class_diversity(x_fake: ArrayLike, labels: ArrayLike, real_spreads: ArrayLike) -> float:
    """Return the spread inside the classes, generated over real, averaged over the classes that are generated.

    ``labels`` (n,) as in `class_spreads`, ``real_spreads`` (K,) from there or in closed form. 0 if each class is one
    picture, however many classes there are: "ten digits, one picture each"; also if no class has five samples. Floor:
    about 1. Weights classes equally, so that it says nothing of the class mix.
    """
    real = np.asarray(real_spreads, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = class_spreads(x_fake, labels, len(real)) / real
    ratios = ratios[np.isfinite(ratios)]
    return float(ratios.mean()) if len(ratios) else 0.0


class Birthday(NamedTuple):
    """``distinct`` samples, and the ``batch`` in which two alike are as likely as not; infinite if none were alike."""

    distinct: float
    batch: float


def birthday(x: ArrayLike, closer_than: float) -> Birthday:
    """Estimate how many different samples there are, from how often two are alike (Arora & Zhang 2017).

    Two of N equally likely samples are the same with probability 1/N, so that N is one over the share of pairs that lie
    within ``closer_than`` (`alike_distance` of real data), and a batch of s holds two alike with probability one half
    at s (s - 1) / 2 = N log 2, about 1.18 sqrt(N): 23 people for 365 birthdays. All pairs of the n samples are counted,
    which reads up to about n^2 / 2. Floor: real data reads one over ALIKE, by the choice of the distance.
    Raises ValueError for fewer than two samples and as `as_samples`.
    """
    samples = as_samples(x)
    if len(samples) < 2:
        raise ValueError("a birthday needs at least two samples")
    alike = float((pdist(samples) <= closer_than).mean())
    distinct = 1 / alike if alike else float("inf")
    return Birthday(distinct, 0.5 + float(np.sqrt(0.25 + 2 * np.log(2) * distinct)))


def alike_distance(x_real: ArrayLike, share: float = ALIKE) -> float:
    """Return the distance, in data units, below which ``share`` of the pairs of real samples (n, d) lie."""
    return float(np.quantile(pdist(as_samples(x_real)), share))


def _cosine_dual(samples: np.ndarray) -> np.ndarray:
    """The (d + 1, d + 1) matrix with the non-zero eigenvalues of the (n, n) cosine similarity.

    A zero vector has no direction; the last axis is theirs, so that they resemble each other and nothing else.
    """
    norm = np.linalg.norm(samples, axis=1, keepdims=True)
    directions = np.hstack([samples / np.where(norm > 0, norm, 1.0), norm == 0])
    return directions.T @ directions

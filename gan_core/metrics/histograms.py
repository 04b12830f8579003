"""Histograms over K classes and one last bin for the samples that belong to none, and what can be read off them.

Every histogram of this package has K + 1 bins. The last one holds the samples that count for no class: images of which
the classifier is unsure, or points of a mixture far from every mode (`gan_core.metrics.modes`). So one set of functions
reads both kinds of data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrik, entr

UNSURE_BELOW = 0.6
"""Smallest top probability at which a sample counts for a class. Above one half no second class can come near the
first; a 50:50 blend of two digits, the typical image between two modes, stays below."""


def class_histogram(probabilities: ArrayLike, threshold: float = UNSURE_BELOW) -> NDArray[np.int64]:
    """Count samples per most probable class: ``probabilities`` (n, K) -> counts (K + 1,), the last bin unsure.

    A sample whose largest probability is below ``threshold`` is unsure; so is one with a NaN, as a diverged generator
    makes. Counts sum to n. Floor: real images give the real class mix and the classifier's own share of unsure images.
    Raises ValueError unless ``probabilities`` has two axes.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 2:
        raise ValueError(f"class probabilities have shape (n, K), got {p.shape}")
    num_classes = p.shape[1]
    sure = p.max(axis=1) >= threshold  # False for NaN
    labels = np.where(sure, p.argmax(axis=1), num_classes)
    return np.bincount(labels, minlength=num_classes + 1)


def label_accuracy(probabilities: ArrayLike, y: ArrayLike) -> float:
    """Return the share of samples whose most probable class is the one asked for: ``probabilities`` (n, K), ``y`` (n,).

    A sample with a NaN is wrong. Floor: the accuracy of the classifier on real images. Raises ValueError for other shapes
    or no samples.
    """
    p, labels = np.asarray(probabilities, dtype=np.float64), np.asarray(y)
    if p.ndim != 2 or labels.shape != (len(p),) or not len(p):
        raise ValueError(f"class probabilities (n, K) and labels (n,) are needed, got {p.shape} and {labels.shape}")
    return float(((p.argmax(axis=1) == labels) & np.isfinite(p).all(axis=1)).mean())


def sampling_band(share: ArrayLike, n: int, level: float = 0.95) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the counts (low, high), each shaped as ``share``, between which a bin of n real samples falls.

    The bin's count is Binomial(n, share) and lies in [low, high] with probability at least ``level`` (equal tails,
    exact quantiles). The band holds per bin: of 11 bins of a perfect generator one leaves a 95 % band in about two
    charts of five. ``share`` is taken as exact; estimated from m real samples it moves by itself by sqrt(p(1-p)/m).
    Raises ValueError unless the shares are a distribution and 0 < level < 1.
    """
    p = np.asarray(share, dtype=np.float64)
    if not ((p >= 0).all() and np.isclose(p.sum(), 1.0)):
        raise ValueError("shares must be at least 0 and sum to 1")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    tail = (1 - level) / 2
    p = p.clip(0, 1)
    return _binomial_quantile(tail, n, p), _binomial_quantile(1 - tail, n, p)


def _binomial_quantile(q: float, n: int, p: NDArray[np.float64]) -> NDArray[np.int64]:
    """The least k with P(X ≤ k) ≥ q. That of scipy.stats is the same, and costs a second of every process's start."""
    k = np.ceil(bdtrik(q, n, p)).clip(0, n)
    k -= (k > 0) & (bdtr(k - 1, n, p) >= q)
    return np.where(p == 0, 0, np.where(p == 1, n, k)).astype(np.int64)


def class_shares(counts: ArrayLike) -> NDArray[np.float64]:
    """Return the class mix (K,) of a histogram (K + 1,), its last bin left out. Sums to 1; all zeros if all is unsure.

    Raises ValueError for a histogram that is empty or not a vector of counts.
    """
    h = _histogram(counts)
    return h[:-1] / max(h[:-1].sum(), 1.0)


def unsure_share(counts: ArrayLike) -> float:
    """Return the share of all samples in the last bin. Floor: the share of real samples that the judge cannot place."""
    h = _histogram(counts)
    return float(h[-1] / h.sum())


def covered(counts: ArrayLike, share: float | None = None) -> NDArray[np.bool_]:
    """Return which of the K classes hold at least ``share`` of all n samples, (K,), the unsure ones included in n.

    This is what a page calls a mode that is there. ``share`` is 1 %, or a tenth of 1/K where that is smaller, so that a
    fair mix of 1,000 modes covers them all. Because unsure samples count in n, a few lucky images of an untrained generator
    cover nothing.
    """
    h = _histogram(counts)
    if share is None:
        share = min(0.01, 0.1 / (len(h) - 1))
    held: NDArray[np.bool_] = h[:-1] >= share * h.sum() * (
        1 - 1e-12
    )  # 7 of 700 is 1 %, though 700 * 0.01 > 7 in floats
    return held


def modes_covered(counts: ArrayLike, share: float | None = None) -> int:
    """Return how many classes are `covered`. Real data: K."""
    return int(covered(counts, share).sum())


def entropy(counts: ArrayLike) -> float:
    """Return H = -sum p log p of the class mix in nats, between 0 and log K; 0 if every sample is unsure.

    Floor: n real samples of a uniform mix read about (K - 1) / (2n) below log K.
    """
    return float(entr(class_shares(counts)).sum())


def effective_modes(counts: ArrayLike) -> float:
    """Return e^H, the number of equally likely classes of the same entropy: 1 to K, or 0 if every sample is unsure."""
    shares = class_shares(counts)
    return float(np.exp(entr(shares).sum())) if shares.any() else 0.0


def _histogram(counts: ArrayLike) -> NDArray[np.float64]:
    h = np.asarray(counts, dtype=np.float64)
    if h.ndim != 1 or len(h) < 2 or not (h >= 0).all() or not np.isfinite(h).all() or h.sum() < 1:
        raise ValueError(
            "a histogram is a vector of K + 1 counts, the last for unsure samples, with at least one sample"
        )
    return h

"""How well a score tells what is anomalous from what is normal: areas, a threshold of held-out normals, and their errors.

A score is a number per sample, larger for stranger ones. Nothing here depends on its unit: every number but the threshold
stays what it was under any strictly increasing map of the score, and under any order of the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

ALARMS = 0.05
"""Share of normal samples that are called anomalous, as the threshold is set."""
BANDS = 20  # of samples that are alike in something else


class Threshold(NamedTuple):
    """What a sample has to exceed to be called anomalous: infinite where ``n`` held-out normals are too few for ``rate``."""

    value: float
    rate: float
    n: int


class Curve(NamedTuple):
    """The receiver operating characteristic: shares of normals and of anomalies that exceed each ``threshold``, (k,) each."""

    false_alarms: Array
    found: Array
    thresholds: Array


def auroc(scores: ArrayLike, anomalous: ArrayLike) -> float:
    """P(score of an anomaly > score of a normal sample), ties counted as halves (Hanley and McNeil 1982): ½ for a constant.

    ``scores`` and ``anomalous`` (true for anomalies) are (n,). NaN where there are no anomalies, or nothing else; ValueError
    for scores that are not finite, or other shapes.
    """
    values, is_anomaly = _both(scores, anomalous)
    count = int(is_anomaly.sum())
    if count in (0, len(values)):
        return float("nan")
    below = _ranks(values)[is_anomaly].sum() - count * (count + 1) / 2
    return float(below / (count * (len(values) - count)))


def average_precision(scores: ArrayLike, anomalous: ArrayLike) -> float:
    """Σ (Rₖ − Rₖ₋₁) Pₖ over the distinct scores, the greatest first: precision averaged over recall, without interpolation.

    Its floor is the share of anomalies (`floor`), which a constant has exactly. NaN and ValueError as `auroc`.
    """
    values, is_anomaly = _both(scores, anomalous)
    if is_anomaly.all() or not is_anomaly.any():
        return float("nan")
    _, right, called = _cumulated(values, is_anomaly)
    steps = np.diff(right, prepend=0) / right[-1]
    return float((steps * right / called).sum())


def floor(anomalous: ArrayLike) -> float:
    """What a score that tells nothing has as average precision: the share of anomalies."""
    return float(np.asarray(anomalous, bool).mean())


def roc(scores: ArrayLike, anomalous: ArrayLike) -> Curve:
    """The curve from (0, 0) to (1, 1), with a point for each distinct score; its area by trapezes is `auroc`.

    ValueError as `auroc`, and where there are no anomalies, or nothing else.
    """
    values, is_anomaly = _both(scores, anomalous)
    if is_anomaly.all() or not is_anomaly.any():
        raise ValueError("a curve needs anomalies and normal samples")
    thresholds, right, called = _cumulated(values, is_anomaly)
    wrong = called - right
    return Curve(
        np.concatenate([[0.0], wrong / wrong[-1]]),
        np.concatenate([[0.0], right / right[-1]]),
        np.concatenate([[np.inf], thresholds]),
    )


def threshold(normal: ArrayLike, rate: float = ALARMS) -> Threshold:
    """The score that at most a share ``rate`` of new normal samples exceeds, from those of held-out normal ones (n,).

    The ⌈(n + 1)(1 − rate)⌉-th smallest, as in conformal prediction (Vovk et al. 2005): whatever the scores are like, the chance
    that the next normal sample exceeds it is at most ``rate``. With n < 1/rate − 1 no score of theirs can promise that.
    Anomalies have no part in it. ValueError for scores that are not finite, or a rate outside of (0, 1).
    """
    values = _finite(normal)
    if not 0 < rate < 1:
        raise ValueError(f"a rate lies between 0 and 1, got {rate}")
    place = ceil(round((len(values) + 1) * (1 - rate), 9))
    return Threshold(float(np.sort(values)[place - 1]) if place <= len(values) else float("inf"), rate, len(values))


def at_rates(scores: ArrayLike, anomalous: ArrayLike, normal: ArrayLike, rates: Sequence[float]) -> Array:
    """What a threshold for each of ``rates`` does, (k, 3): the rate, how many normal samples exceed it, how many anomalies.

    Thresholds are those of held-out ``normal`` scores (m,); a rate that these are too few to promise has no row. ValueError as
    `auroc` and `threshold`.
    """
    values, is_anomaly = _both(scores, anomalous)
    limits = [limit for limit in (threshold(normal, rate) for rate in rates) if np.isfinite(limit.value)]
    called = [values > limit.value for limit in limits]
    table = [
        (limit.rate, (c & ~is_anomaly).sum(), (c & is_anomaly).sum()) for limit, c in zip(limits, called, strict=True)
    ]
    return np.array(table, np.float64).reshape(-1, 3)


def exceeding(scores: ArrayLike, limit: Threshold) -> float:
    """The share of ``scores`` (n,) that are above the threshold; NaN of none."""
    values = _finite(scores)
    return float((values > limit.value).mean()) if len(values) else float("nan")


def stranger_than(normal: ArrayLike, scores: ArrayLike) -> Array:
    """For each of ``scores`` (n,), the share of held-out normal scores (m,) that are smaller, ties counted as halves."""
    known, values = np.sort(_finite(normal)), _finite(scores)
    return np.asarray(
        (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / (2 * max(1, len(known)))
    )


def auroc_among_alike(scores: ArrayLike, anomalous: ArrayLike, other: ArrayLike, bands: int = BANDS) -> float:
    """`auroc` by those pairs alone that are alike in ``other`` (n,), such as the ink of a picture.

    Alike are those in one of ``bands`` bands of as many samples each. ½ for a score that is a function of the band, NaN where
    no band has both kinds.
    """
    values, is_anomaly = _both(scores, anomalous)
    band = ((_ranks(_finite(other)) - 0.5) / len(values) * bands).astype(int)
    areas, weights = [], []
    for one in np.unique(band):
        inside = band == one
        pairs = int(is_anomaly[inside].sum()) * int((~is_anomaly[inside]).sum())
        if pairs:
            areas.append(auroc(values[inside], is_anomaly[inside]))
            weights.append(pairs)
    return float(np.average(areas, weights=weights)) if weights else float("nan")


def disagreement(scores: ArrayLike) -> Array:
    """How far k scores (k, n) of the same samples differ: the standard deviation of the ranks of each, as shares, (n,)."""
    table = np.asarray(scores, np.float64)
    ranks = np.stack([_ranks(row) for row in table]) / table.shape[1]
    return np.asarray(ranks.std(axis=0))


def _ranks(values: Array) -> Array:
    """1 for the smallest of (n,); equal ones share the mean of their ranks. `scipy.stats` takes half a second to load."""
    ordered = np.sort(values)
    return np.asarray((np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1) / 2)


def _cumulated(values: Array, is_anomaly: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """The distinct scores, the greatest first, and how many anomalies and how many samples are as great or greater."""
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    right = np.cumsum(is_anomaly[order], dtype=np.float64)[last]
    return ordered[last], right, (last + 1).astype(np.float64)


def _both(scores: ArrayLike, anomalous: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    values, is_anomaly = _finite(scores), np.asarray(anomalous, bool)
    if values.shape != is_anomaly.shape:
        raise ValueError(f"there are scores {values.shape} for samples {is_anomaly.shape}")
    return values, is_anomaly


def _finite(scores: ArrayLike) -> Array:
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError("scores are a list of finite numbers")
    return values

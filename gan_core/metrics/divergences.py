"""Divergences between distributions over finitely many outcomes, in nats, with 0 log 0 = 0 and never NaN.

Generated samples come first: KL(generated || real) is the "reverse KL" that VEEGAN and PacGAN report. It stays finite
when modes are missing and is what their tables let one compare with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr

from gan_core.metrics.histograms import class_shares
from gan_core.metrics.samples import as_samples


def kl(p: ArrayLike, q: ArrayLike) -> float:
    """Return KL(p || q) = sum p log(p / q), at least 0; infinite where p has mass that q has not.

    ``p`` and ``q`` are weights over the same outcomes, normalised here. Raises ValueError for different shapes and for
    weights that are negative, not finite or all zero.
    """
    a, b = _distributions(p, q)
    return max(0.0, float(rel_entr(a, b).sum()))  # rounding alone can make it -1e-17


def js(p: ArrayLike, q: ArrayLike) -> float:
    """Return the Jensen-Shannon divergence KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2, from 0 to log 2."""
    a, b = _distributions(p, q)
    m = (a + b) / 2
    return max(0.0, float(rel_entr(a, m).sum() + rel_entr(b, m).sum()) / 2)


def kl_to_real(counts: ArrayLike, real_share: ArrayLike) -> float:
    """Return KL(generated || real) of the class mix: ``counts`` (K + 1,) with the unsure bin last, ``real_share`` (K,).

    Unsure samples are left out, as both papers leave out low quality. If every sample is unsure the value is that of a
    collapse onto the rarest real class, the largest that a generator of real classes can reach. Floor: n real samples
    read about (K - 1) / (2n); a collapse onto one of K equal classes reads log K.
    """
    shares, real = class_shares(counts), np.asarray(real_share, dtype=np.float64)
    if not shares.any():
        _, real = _distributions(real, real)
        return float(-np.log(real[real > 0].min()))
    return kl(shares, real)


def js_to_real(counts: ArrayLike, real_share: ArrayLike) -> float:
    """Return the Jensen-Shannon divergence of the class mix, log 2 if every sample is unsure.

    Arguments as `kl_to_real`. Symmetric and bounded, so curves of different data compare. Floor: about (K - 1) / (8n).
    """
    shares = class_shares(counts)
    return js(shares, real_share) if shares.any() else float(np.log(2))


def kl_on_grid(points: ArrayLike, edges: Sequence[ArrayLike], probability: ArrayLike) -> float:
    """Return KL(generated || real) over the cells of a grid and one more cell for everything outside.

    ``points`` (n, d); ``edges`` one increasing vector per axis; ``probability`` the real mass of each cell, shape
    (len(edges[0]) - 1, ...), summing to at most 1: what is missing lies outside. No point is dropped. A cell that has
    points but no real mass makes the value infinite. Floor: about (cells - 1) / (2n), so keep n well above the cells.
    """
    x, inside = as_samples(points), np.asarray(probability, dtype=np.float64)
    cells, _ = np.histogramdd(x, bins=[np.asarray(e, dtype=np.float64) for e in edges])
    if cells.shape != inside.shape or inside.sum() > 1 + 1e-6:
        raise ValueError(f"cell probabilities need shape {cells.shape} and a sum of at most 1, got {inside.shape}")
    outside = len(x) - cells.sum()
    return kl(np.append(cells, outside), np.append(inside, max(0.0, 1.0 - inside.sum())))


def _distributions(p: ArrayLike, q: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"distributions over different outcomes: shapes {a.shape} and {b.shape}")
    for weights in (a, b):
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
            raise ValueError("weights of a distribution must be finite, at least 0 and not all 0")
    return a / a.sum(), b / b.sum()

"""Codes and reconstructions: samples x (n, d), what is made of them again, and codes (n, q), in; one number out.

Every function is deterministic. What a number is compared with (the mean of the data, principal components, another draw of
the prior, raw numbers of x) is a function here too, so that both sides are counted in the same way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from gan_core.metrics.samples import as_pair, as_samples

ACTIVE = 0.1
"""Nats of KL above which a dimension of a code counts as used."""
KERNEL_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
GREY = (0.25, 0.75)  # of white, between which a pixel is neither black nor white
RIDGE = 0.01  # of the number of samples: the weight of the penalty of a linear probe on standardised features
LAPLACIAN_PIXELS = 3  # of a side, below which there is no inner pixel

Array = NDArray[np.float64]


def reconstruction_error(x: ArrayLike, x_hat: ArrayLike) -> float:
    """Return the mean squared error of a number of x. Raises ValueError unless both sets are of one size."""
    return float(_squares(x, x_hat).mean())


def reconstruction_ratio(x: ArrayLike, x_hat: ArrayLike) -> float:
    """Return the root mean squared error of x̂ as x, over that as the next x of the set (Donahue et al. 2017).

    1 where reconstructions do not depend on x, 0 where x comes back. The order of the set must be random. NaN where the
    reconstructions are those of all the same x.
    """
    other = _squares(np.roll(np.asarray(x), 1, axis=0), x_hat).mean()
    return float(np.sqrt(_squares(x, x_hat).mean() / other)) if other > 0 else float("nan")


def mean_error(x_train: ArrayLike, x: ArrayLike) -> float:
    """Return the reconstruction error of the mean of ``x_train`` as every x."""
    train, held = as_pair(x_train, x)
    return float(((held - train.mean(axis=0)) ** 2).mean())


def principal_error(x_train: ArrayLike, x: ArrayLike, components: int) -> float:
    """Return the reconstruction error of so many principal components of ``x_train``: the best linear code (Baldi 1989)."""
    train, held = as_pair(x_train, x)
    middle = train.mean(axis=0)
    centred, rest = train - middle, held - middle
    n, d = centred.shape
    if components >= min(n - 1, d):
        basis = np.linalg.svd(centred, full_matrices=False)[2]
    elif d <= n:
        basis = np.linalg.eigh(centred.T @ centred)[1][:, : -components - 1 : -1].T
    else:  # the same vectors from the smaller matrix
        values, vectors = np.linalg.eigh(centred @ centred.T)
        basis = (vectors[:, -components:] / np.sqrt(np.maximum(values[-components:], 1e-300))).T @ centred
    return float(((rest - rest @ basis.T @ basis) ** 2).mean())


def class_kept(of_x: ArrayLike, of_x_hat: ArrayLike) -> float | None:
    """The share of those x that are surely of a class whose reconstruction is of the same one; None where there are none.

    Both are classes (n,), -1 where a sample is surely of none.
    """
    before, after = np.asarray(of_x), np.asarray(of_x_hat)
    sure = before >= 0
    return float((before == after)[sure].mean()) if sure.any() else None


def grey_share(x: ArrayLike) -> float:
    """Return the share of pixels, from 0 black to 1 white, that are between a quarter and three quarters."""
    white = np.asarray(x)
    return float(((white > GREY[0]) & (white < GREY[1])).mean())


def laplacian_variance(x: ArrayLike) -> float:
    """Return the variance of the Laplacian of images (n, C, H, W) over their inner pixels: low is blurred.

    Artefacts of one pixel raise it, so noise reads more than real images. Raises ValueError for images without inner pixels.
    """
    images = np.asarray(x, dtype=np.float64)
    if images.ndim != 4 or min(images.shape[2:]) < LAPLACIAN_PIXELS:
        raise ValueError(f"needs images (n, C, H, W) of 3 pixels a side at least, got {images.shape}")
    inner = images[..., 1:-1, 1:-1]
    around = images[..., :-2, 1:-1] + images[..., 2:, 1:-1] + images[..., 1:-1, :-2] + images[..., 1:-1, 2:]
    return float((around - 4 * inner).var())


def code_mmd2(codes: ArrayLike, drawn: ArrayLike, variance: float = 1.0) -> float:
    """Return the unbiased squared MMD of codes (n, q) and draws of the prior (m, q) (Tolstikhin et al. 2018).

    The kernel is Σ_s C / (C + |a − b|²) with C = 2 q s ``variance`` for s from 0.1 to 10, ``variance`` that of a number of the
    prior. Two draws of a normal prior read 0 ± .0025 at n = 1,000 and q = 2. Raises ValueError for fewer than two of either.
    """
    a, b = as_pair(codes, drawn)
    n, m = len(a), len(b)
    if min(n, m) < 2:
        raise ValueError("an unbiased estimate needs two samples on each side")
    scales = [2 * a.shape[1] * scale * variance for scale in KERNEL_SCALES]
    within = [
        (_kernel(side, side, scales).sum() - len(scales) * len(side)) / (len(side) * (len(side) - 1)) for side in (a, b)
    ]
    return float(sum(within) - 2 * _kernel(a, b, scales).mean())


def knn_accuracy(train: ArrayLike, y_train: ArrayLike, held: ArrayLike, y: ArrayLike, k: int = 5) -> float:
    """Return the share of ``held`` (m, q) whose k nearest of ``train`` (n, q) are mostly of its class."""
    known, asked = as_pair(train, held)
    labels, right = np.asarray(y_train, dtype=np.int64), np.asarray(y, dtype=np.int64)
    k = min(k, len(known))
    distance = cdist(asked, known, "sqeuclidean")
    found = np.argpartition(distance, k - 1, axis=1)[:, :k]
    near = np.take_along_axis(found, np.take_along_axis(distance, found, axis=1).argsort(axis=1), axis=1)
    votes = np.zeros((len(asked), int(max(labels.max(), right.max())) + 1))
    for place in range(k):  # a vote less a little, so that of equal classes the one with the nearer neighbour wins
        np.add.at(votes, (np.arange(len(asked)), labels[near[:, place]]), 1 - 1e-6 * place)
    return float((votes.argmax(axis=1) == right).mean())


def linear_accuracy(train: ArrayLike, y_train: ArrayLike, held: ArrayLike, y: ArrayLike) -> float:
    """Return the share of ``held`` that a ridge regression of one-hot classes on ``train``, standardised, gets right."""
    known, asked = as_pair(train, held)
    labels, right = np.asarray(y_train, dtype=np.int64), np.asarray(y, dtype=np.int64)
    middle, spread = known.mean(axis=0), known.std(axis=0)
    spread[spread == 0] = 1.0
    features, questions = (known - middle) / spread, (asked - middle) / spread
    targets = np.eye(int(max(labels.max(), right.max())) + 1)[labels]
    offset = targets.mean(axis=0)
    penalised = features.T @ features + RIDGE * len(known) * np.eye(features.shape[1])
    weights = np.linalg.solve(penalised, features.T @ (targets - offset))
    return float(((questions @ weights + offset).argmax(axis=1) == right).mean())


def code_correlation(z: ArrayLike, back: ArrayLike) -> float:
    """Return the mean over the dimensions of the correlation of z (n, q) with E(G(z)) (n, q); a constant dimension has none."""
    a, b = as_pair(z, back)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    power = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return float(np.divide((a * b).sum(axis=0), power, out=np.zeros(len(power)), where=power > 0).mean())


def variances(codes: ArrayLike) -> Array:
    """Return the variance of each dimension of codes (n, q)."""
    spread: Array = as_samples(codes).var(axis=0)
    return spread


def gaussian_kl(mean: ArrayLike, log_variance: ArrayLike) -> Array:
    """Return KL(N(μ, σ²) ‖ N(0, 1)) of each dimension in nats, (q,), averaged over the samples (n, q)."""
    middle, log_var = np.asarray(mean, np.float64), np.asarray(log_variance, np.float64)
    each: Array = (0.5 * (middle**2 + np.exp(log_var) - 1 - log_var)).mean(axis=0)
    return each


def _squares(x: ArrayLike, x_hat: ArrayLike) -> Array:
    a, b = as_pair(x, x_hat)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} samples and {len(b)} reconstructions")
    return (a - b) ** 2


def _kernel(a: Array, b: Array, scales: list[float]) -> Array:
    squares = cdist(a, b, "sqeuclidean")
    whole = np.zeros_like(squares)
    for scale in scales:
        whole += scale / (scale + squares)
    return whole

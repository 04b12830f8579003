"""Outputs beside their targets: pictures (n, C, H, W), black 0 and white 1, in; one number out, always the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import correlate1d, maximum_filter
from scipy.spatial.distance import cdist

Array = NDArray[np.float64]

WINDOW, SIGMA = 11, 1.5  # of SSIM, in pixels
C1, C2 = 0.01**2, 0.03**2  # for a range of 1
MOST_PSNR = 100.0  # dB, of pictures that are equal
AT_ONCE = 500
BLACK = 0.02  # five grey values: the hue of a darker pixel is rounding
OPEN = 0.25  # of the range, by which an input differs from a target of which it says nothing


def absolute_error(x: ArrayLike, x_hat: ArrayLike) -> float:
    """Return the mean absolute error of a pixel. Raises ValueError unless both have one shape of (n, C, H, W)."""
    a, b = _both(x, x_hat)
    return float(np.abs(a - b).mean())


def pair_ratio(a: ArrayLike, x: ArrayLike, x_hat: ArrayLike) -> float:
    """Return the absolute error over that to the target of another pair, the one before: about 1 where outputs do not depend on
    their inputs, 0 where they are their targets; NaN where all targets are one.

    Of the whole pictures, or of what was added to inputs of their shape, whichever is more: a network that copies its input and
    adds what belongs to any is near 1 by the second, one that makes one picture of all by the first. Pairs come in random
    order. Raises as `absolute_error`.
    """
    targets, outputs = _both(x, x_hat)
    given = np.asarray(a, np.float64)
    own, ratios = float(np.abs(targets - outputs).mean()), []
    for left_out in (np.zeros_like(outputs), *([given] if given.shape == targets.shape else [])):
        other = float(np.abs(np.roll(targets - left_out, 1, axis=0) - (outputs - left_out)).mean())
        ratios += [own / other] if other > 0 else []
    return max(ratios, default=float("nan"))


def open_edges(a: ArrayLike, x: ArrayLike, x_hat: ArrayLike) -> float:
    """Return the mean squared Laplacian of outputs over that of targets, where the input says nothing of the target: where both
    differ by more than a quarter, and the pixels around. 1 for the targets, towards 0 for a blur; NaN where no pixel of them
    lies inside of the picture, or inputs have another shape than targets.
    """
    given, targets, outputs = (np.asarray(values, np.float64) for values in (a, x, x_hat))
    if given.shape != targets.shape or min(targets.shape[2:]) < 3:
        return float("nan")
    differs = (np.abs(given - targets) > OPEN).any(axis=1, keepdims=True)
    around = maximum_filter(differs, size=(1, 1, 3, 3))[..., 1:-1, 1:-1]
    of_targets, of_outputs = (float((_laplacian(values) ** 2 * around).sum()) for values in (targets, outputs))
    return of_outputs / of_targets if of_targets > 0 else float("nan")


def _laplacian(x: Array) -> Array:
    """Of the inner pixels."""
    inner = x[..., 1:-1, 1:-1]
    around = x[..., :-2, 1:-1] + x[..., 2:, 1:-1] + x[..., 1:-1, :-2] + x[..., 1:-1, 2:]
    return np.asarray(around - 4 * inner)


def psnr(x: ArrayLike, x_hat: ArrayLike) -> float:
    """Return the mean over the pictures of −10 log₁₀ of their mean squared error, in dB; the range of a pixel is 1.

    Pictures of an error below 10⁻¹⁰ count 100 dB. Of the mean error of all it would be less (Jensen). Raises as
    `absolute_error`.
    """
    a, b = _both(x, x_hat)
    each = ((a - b) ** 2).mean(axis=(1, 2, 3))
    return float((-10 * np.log10(np.maximum(each, 10 ** (-MOST_PSNR / 10)))).mean())


def ssim(x: ArrayLike, x_hat: ArrayLike) -> float:
    """Return the mean structural similarity (Wang et al. 2004): 1 for equal pictures.

    A Gaussian window of 11 pixels and σ = 1.5, less on smaller pictures; the range of a pixel is 1; only windows inside of the
    picture count. Raises as `absolute_error`.
    """
    a, b = _both(x, x_hat)
    size = min(WINDOW, *(side if side % 2 else side - 1 for side in a.shape[2:]))
    places = np.arange(size) - size // 2
    weights = np.exp(-0.5 * (places / SIGMA) ** 2)
    weights /= weights.sum()
    inside = slice(size // 2, None if size == 1 else -(size // 2))

    def seen(values: Array) -> Array:
        across = correlate1d(correlate1d(values, weights, axis=2), weights, axis=3)
        return np.asarray(across[..., inside, inside])

    mean_a, mean_b = seen(a), seen(b)
    var_a, var_b = seen(a * a) - mean_a**2, seen(b * b) - mean_b**2
    both = seen(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return float((light * (2 * both + C2) / (var_a + var_b + C2)).mean())


def ink_brightness(x: ArrayLike, x_hat: ArrayLike) -> float:
    """Return the mean lightness, that of the lightest channel, of x̂ where the target x is lighter than the middle; NaN where
    nothing is. Raises as `absolute_error`.
    """
    a, b = _both(x, x_hat)
    lightness: Array = b.max(axis=1)[_ink(a)]
    return float(lightness.mean()) if len(lightness) else float("nan")


def ink_saturation(x: ArrayLike, x_hat: ArrayLike) -> float:
    """Return the mean saturation (of HSV: 1 less the darkest channel over the lightest) of x̂ where the target x is lighter
    than the middle; 0 of black, NaN where nothing is so light. Raises as `absolute_error`.
    """
    a, b = _both(x, x_hat)
    ink = _ink(a)
    lightest, darkest = b.max(axis=1)[ink], b.min(axis=1)[ink]
    seen = np.where(lightest > BLACK, 1 - darkest / np.maximum(lightest, BLACK), 0.0)
    return float(seen.mean()) if len(seen) else float("nan")


def _ink(x: Array) -> NDArray[np.bool_]:
    """(n, H, W)."""
    ink: NDArray[np.bool_] = x.max(axis=1) > 0.5
    return ink


def nearest(known: ArrayLike, asked: ArrayLike) -> NDArray[np.int64]:
    """Return for each of ``asked`` (m, …) the place of the picture in ``known`` (n, …) of the least squared error, (m,)."""
    a, b = np.asarray(known, np.float32), np.asarray(asked, np.float32)
    rows, flat = a.reshape(len(a), -1), b.reshape(len(b), -1)
    parts = [cdist(flat[at : at + AT_ONCE], rows, "sqeuclidean").argmin(axis=1) for at in range(0, len(flat), AT_ONCE)]
    return np.concatenate(parts)


def _both(x: ArrayLike, x_hat: ArrayLike) -> tuple[Array, Array]:
    a, b = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    if a.ndim != 4 or a.shape != b.shape or not len(a):
        raise ValueError(f"needs two sets of pictures (n, C, H, W) of one shape, got {a.shape} and {b.shape}")
    return a, b

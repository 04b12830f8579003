"""What few pictures bring with them: a D that knows its pictures by heart, and augmentation that leaks into samples."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

LEAK = 0.05
"""Mean |x|, of pixels from −1 to 1, below which a line or a square is taken for what augmentation fills with."""


def d_overfitting(train: ArrayLike, held_out: ArrayLike, fake: ArrayLike) -> float:
    """Return r_v = (E D(train) − E D(held out)) / (E D(train) − E D(fake)), of D's raw output (Karras et al. 2020, eq. 1).

    0 for a D that takes new real samples for what it takes those it was trained on, 1 for one that takes them for generated
    ones. Floor: 0, give or take the standard error of the two means over their distance. NaN where D does not tell training
    samples from generated ones at all. Raises ValueError for no samples.
    """
    means = []
    for x in (train, held_out, fake):
        values = np.asarray(x, np.float64)
        if not values.size:
            raise ValueError("an opinion is of at least one sample")
        means.append(float(values.mean()))
    known, new, made = means
    return (known - new) / (known - made) if known > made else float("nan")


def leaked_share(x: ArrayLike) -> float:
    """Return the share of pictures (n, C, H, W), −1 to 1, in which a border line or a square of half the side is about 0.

    0 is the middle grey with which shifts and cut-out squares are filled; floor: the same share of real pictures. Raises
    ValueError for no pictures.
    """
    pictures = np.asarray(x, np.float64)
    if pictures.ndim != 4 or not len(pictures):
        raise ValueError(f"pictures (n, C, H, W) are needed, got {pictures.shape}")
    far = np.abs(pictures).mean(axis=1)
    lines = np.stack([far[:, 0].mean(1), far[:, -1].mean(1), far[:, :, 0].mean(1), far[:, :, -1].mean(1)])
    side = (max(1, far.shape[1] // 2), max(1, far.shape[2] // 2))
    squares = sliding_window_view(far, side, axis=(1, 2)).mean(axis=(3, 4)).min(axis=(1, 2))
    return float((np.minimum(lines.min(axis=0), squares) < LEAK).mean())

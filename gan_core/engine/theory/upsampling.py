"""Why transposed convolutions draw checkerboards, and upsampling before a convolution does not (Odena et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Checkerboard:
    """What both ways make of an image of ones, away from its border, scaled to a mean of 1.

    ``kernel`` (k, k). ``overlap`` (2s, 2s) is how many inputs reach each output pixel of one layer, over two periods.
    ``transposed`` and ``upsampled`` are square, of about ``size`` pixels. The unevenness is (max − min) / mean: 0 where no
    pattern is drawn.
    """

    kernel: Array
    overlap: Array
    transposed: Array
    upsampled: Array

    @property
    def unevenness(self) -> tuple[float, float]:
        """Of the transposed convolution, and of upsampling with convolution."""
        return float(np.ptp(self.transposed)), float(np.ptp(self.upsampled))


def _ones(size: int, generator: torch.Generator) -> Tensor:
    return torch.ones(size, size, dtype=torch.float64)


def _untrained(size: int, generator: torch.Generator) -> Tensor:
    return torch.rand((size, size), dtype=torch.float64, generator=generator)


def _bilinear(size: int, generator: torch.Generator) -> Tensor:
    """A tent as wide as the kernel: with k = 2s, or 2s − 1, it makes the transposed convolution a linear interpolation."""
    reach = (size + 1) // 2
    middle = (size - 1) / 2
    tent = 1 - (torch.arange(size, dtype=torch.float64) - middle).abs() / reach
    return tent[:, None] * tent[None, :]


KERNELS: dict[str, Callable[[int, torch.Generator], Tensor]] = {
    "ones": _ones,
    "untrained": _untrained,
    "bilinear": _bilinear,
}


def checkerboard(
    kernel_size: int, stride: int, kernel: str = "ones", *, layers: int = 1, size: int = 32, seed: int = 0
) -> Checkerboard:
    """One kernel used both ways, ``layers`` times over: transposed convolution of that stride, and nearest-neighbour
    upsampling by it with a convolution. Raises KeyError for an unknown kernel, ValueError for numbers below 1.
    """
    if min(kernel_size, stride, layers, size) < 1:
        raise ValueError("kernel size, stride, layers and size must be at least 1")
    weight = KERNELS[kernel](kernel_size, torch.Generator().manual_seed(seed))[None, None]
    # How far, in input pixels, the missing neighbours of the border reach in: at most a kernel per layer.
    margin = 1 + sum(-(-(kernel_size - 1) // stride**level) for level in range(1, layers + 1))
    factor = stride**layers
    tiles = max(1, size // factor)  # the pattern repeats after ``factor`` pixels: whole periods have its true mean
    image = torch.ones((1, 1, 2 * margin + tiles, 2 * margin + tiles), dtype=torch.float64)
    crop = slice(margin * factor, (margin + tiles) * factor)
    transposed, upsampled = image, image
    for _ in range(layers):
        transposed = F.conv_transpose2d(transposed, weight, stride=stride)
        enlarged = F.interpolate(upsampled, scale_factor=stride, mode="nearest")
        upsampled = F.conv2d(F.pad(enlarged, _same(kernel_size)), weight)
    counts = F.conv_transpose2d(image, torch.ones_like(weight), stride=stride)
    two = slice(margin * stride, (margin + 2) * stride)
    return Checkerboard(
        weight[0, 0].numpy(),
        counts[0, 0, two, two].numpy(),
        _to_mean_one(transposed[0, 0, crop, crop]),
        _to_mean_one(upsampled[0, 0, crop, crop]),
    )


def _same(kernel_size: int) -> tuple[int, int, int, int]:
    before, after = (kernel_size - 1) // 2, kernel_size // 2
    return (before, after, before, after)


def _to_mean_one(image: Tensor) -> Array:
    values: Array = (image / image.mean()).numpy()
    return values

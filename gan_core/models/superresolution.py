"""Super-resolution (Ledig et al. 2017): a residual network at the coarse size, which adds to the bicubic enlargement."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from gan_core.models.blocks import Layers, Network
from gan_core.models.resnet import Residual


class OverBicubic(nn.Module):
    """A mosaic of ``factor`` × ``factor`` pixels → its bicubic enlargement, and what ``detail`` makes of it added."""

    def __init__(self, factor: int, detail: Iterable[nn.Module]) -> None:
        super().__init__()
        self.factor = factor
        self.detail = nn.Sequential(*detail)

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[2:]
        height, width = (math.ceil(side / self.factor) for side in size)
        coarse = adaptive_avg_pool2d(x, (height, width))
        smooth = interpolate(coarse, size=size, mode="bicubic")
        return smooth + interpolate(self.detail(coarse), size=size, mode="nearest")


def srresnet(shape: tuple[int, ...], layers: Layers, factor: int) -> Network:
    """A mosaic (N, C, H, W) of squares of ``factor`` pixels a side → (N, C, H, W), for pictures of any size.

    A residual block per width at the coarse size, then a doubling at a time, which halves the channels. Nothing holds outputs
    to the range of pixels. Raises ValueError unless ``factor`` is a power of 2 above 1.
    """
    doublings = factor.bit_length() - 1
    if doublings < 1 or factor != 2**doublings:
        raise ValueError(f"a size is doubled a few times, so it cannot be enlarged {factor} times")
    channels, widths = shape[0], layers.widths
    detail: list[nn.Module] = [_convolution(channels, widths[0])]
    for inputs, width in pairwise((widths[0], *widths)):
        detail.append(_block(inputs, width, layers))
    width = widths[-1]
    for _ in range(doublings):
        narrower = max(1, width // 2)
        detail += [nn.Upsample(scale_factor=2, mode="nearest"), _convolution(width, narrower)]
        detail += layers.after(narrower, spatial=True)
        width = narrower
    return Network(OverBicubic(factor, [*detail, _convolution(width, channels)]))


def _block(inputs: int, width: int, layers: Layers) -> Residual:
    main = [_convolution(inputs, width), *layers.after(width, spatial=True), _convolution(width, width)]
    return Residual(main, [] if inputs == width else [nn.Conv2d(inputs, width, kernel_size=1)], "the same size")


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)

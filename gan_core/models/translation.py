"""Networks from picture to picture (Isola et al. 2017): a U-Net, and a discriminator that judges patches."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gan_core.models.blocks import Layers, Network
from gan_core.models.conditioning import Conditional

KERNEL = 4  # of a patch discriminator, with a padding of 1


class ULevel(nn.Module):
    """Down, what lies below, and up to the very size of what came, which is put beside it: sizes need not be even."""

    def __init__(self, down: Iterable[nn.Module], below: nn.Module | None, up: Iterable[nn.Module]) -> None:
        super().__init__()
        self.down = nn.Sequential(*down)
        self.below = below
        self.up = nn.Sequential(*up)

    def forward(self, x: Tensor) -> Tensor:
        h = self.down(x)
        if self.below is not None:
            h = self.below(h)
        h = interpolate(h, size=x.shape[2:], mode="nearest")
        raised: Tensor = self.up(torch.cat([h, x], dim=1))
        return raised


class InputBeside(Conditional):
    """(N, C, H, W), the input a (N, C, H, W) → (N, 2C, H, W)."""

    num_classes = 0

    def forward(self, h: Tensor, y: Tensor | None) -> Tensor:
        return torch.cat([h, self.required(y)], dim=1)


def unet(shape: tuple[int, ...], layers: Layers, made: int | None = None) -> Network:
    """a (N, C, H, W) → (N, made, H, W) in [−1, 1], of C channels where ``made`` is None, for pictures of any size.

    One level per width, each a strided convolution down; the input itself is beside the last one (Ronneberger et al. 2015).
    Convolutions that a normalisation follows have no bias, which it would take away again.
    """
    channels, widths = shape[0], layers.widths
    level: nn.Module | None = None
    for depth in reversed(range(len(widths))):
        inputs, width = (widths[depth - 1] if depth else channels), widths[depth]
        outputs = widths[depth - 1] if depth else widths[0]
        down = _convolution(inputs, width, layers, stride=2, normalize=depth > 0)
        level = ULevel(down, level, _convolution(width + inputs, outputs, layers, stride=1, normalize=True))
    assert level is not None
    return Network(level, nn.Conv2d(widths[0], made or channels, kernel_size=3, padding=1), nn.Tanh())


def _convolution(inputs: int, outputs: int, layers: Layers, *, stride: int, normalize: bool) -> list[nn.Module]:
    normalized = normalize and layers.normalization != "none"
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=not normalized)
    return [convolution, *layers.after(outputs, spatial=True, normalize=normalized)]


def smallest_side(side: int, levels: int) -> int:
    """How many pixels a side has at the bottom of a U-Net: each level halves it, rounded up."""
    for _ in range(levels):
        side = (side + 1) // 2
    return side


def patch_discriminator(shape: tuple[int, ...], layers: Layers, *, conditional: bool = True) -> Network:
    """b (N, C, H, W), of a ``conditional`` one with a (N, C, H, W) → logits (N, 1, h, w), one for each patch.

    All widths but the last halve the map; neither the first layer nor the last has a normalisation.
    """
    channels = shape[0] * (2 if conditional else 1)
    modules: list[nn.Module] = [InputBeside()] if conditional else []
    for index, (inputs, width) in enumerate(pairwise((channels, *layers.widths))):
        stride = 2 if index < halvings(layers.widths) else 1
        modules.append(nn.Conv2d(inputs, width, kernel_size=KERNEL, stride=stride, padding=1))
        modules += layers.after(width, spatial=True, normalize=index > 0)
    return Network(*modules, nn.Conv2d(layers.widths[-1], 1, kernel_size=KERNEL, padding=1))


def halvings(widths: tuple[int, ...]) -> int:
    """How often a patch discriminator of these widths halves its map."""
    return len(widths) - 1


def receptive_field(strided: int) -> int:
    """The side in pixels of what one logit sees, after so many layers of stride 2 and two of stride 1."""
    field = 1
    for stride in (1, 1, *[2] * strided):
        field = (field - 1) * stride + KERNEL
    return field


def logits_on_a_side(side: int, strided: int) -> int:
    """How many logits there are along a side of so many pixels; below 1 where there is none."""
    for stride in (*[2] * strided, 1, 1):
        side = (side + 2 - KERNEL) // stride + 1
        if side < 1:
            return 0
    return side

"""Differentiable augmentation: what D sees of real and of generated pictures is changed by the same law (Zhao et al. 2020).

Pictures are in network units, −1 to 1, and 0 is the middle grey with which borders and squares are filled. Each picture has
draws of its own. The gradient passes through, so that in G's turn D's opinion of a changed picture teaches G.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

Uniform = Callable[[], Tensor]
"""A fresh draw of U(0, 1) for each picture, (n,)."""

SHIFT, CUT = 8, 2
"""Of the side: by an eighth at most a picture is shifted, and half of it has the square that is cut out."""
EVERY = 4
"""D's turns from one change of the adaptive share to the next, as in StyleGAN2-ADA."""

POLICIES: dict[str, tuple[str, ...]] = {
    "off": (),
    "translation": ("translation",),
    "translation+cutout": ("translation", "cutout"),
    "colour+translation+cutout": ("colour", "translation", "cutout"),
}


def augmented(x: Tensor, policy: str, generator: torch.Generator, share: float | Tensor = 1.0) -> Tensor:
    """Pictures (n, C, H, W), each changed by every transformation of the policy, or by each with probability ``share``."""

    def uniform() -> Tensor:
        return torch.rand(len(x), generator=generator, device=x.device, dtype=x.dtype)

    for name in POLICIES[policy]:
        for change in TRANSFORMATIONS[name]:
            changed = change(x, uniform)
            x = torch.where((uniform() < share)[:, None, None, None], changed, x)
    return x


def brighter(x: Tensor, uniform: Uniform) -> Tensor:
    """x + U(−½, ½)."""
    return x + _each(uniform() - 0.5)


def more_colourful(x: Tensor, uniform: Uniform) -> Tensor:
    """The colours of each pixel, U(0, 2) times as far from their mean; a grey picture stays as it is."""
    grey = x.mean(1, keepdim=True)
    return (x - grey) * _each(2 * uniform()) + grey


def more_contrast(x: Tensor, uniform: Uniform) -> Tensor:
    """All values, U(½, 3/2) times as far from the mean of the picture."""
    middle = x.mean((1, 2, 3), keepdim=True)
    return (x - middle) * _each(uniform() + 0.5) + middle


def shifted(x: Tensor, uniform: Uniform) -> Tensor:
    """Moved by whole pixels, up to an eighth of the side each way; what comes in is 0."""
    n, _, height, width = x.shape
    rows, columns = (_places(size, _whole(uniform(), 2 * reach + 1) - reach) for size, reach in _reaches(height, width))
    framed = pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    picture = torch.arange(n, device=x.device)[:, None, None]
    return framed[picture, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cut_out(x: Tensor, uniform: Uniform) -> Tensor:
    """A square of half the side set to 0, its middle anywhere from one border to the other."""
    height, width = x.shape[2:]
    rows, columns = (_inside(size, _whole(uniform(), size + 1), size // CUT) for size in (height, width))
    return x * ~(rows[:, None, :, None] & columns[:, None, None, :])


TRANSFORMATIONS: dict[str, tuple[Callable[[Tensor, Uniform], Tensor], ...]] = {
    "colour": (brighter, more_colourful, more_contrast),
    "translation": (shifted,),
    "cutout": (cut_out,),
}


def next_share(share: Tensor, sign: Tensor, target: float, images: int, batch: int) -> Tensor:
    """p ← p + sign(r_t − target) · images since the last change / images from 0 to 1, within [0, 1] (Karras et al. 2020).

    ``sign`` is r_t = E sign(D(x) − boundary) over the last `EVERY` turns of ``batch`` images.
    """
    return (share + torch.sign(sign - target) * EVERY * batch / images).clamp(0, 1)


def _each(value: Tensor) -> Tensor:
    return value[:, None, None, None]


def _whole(share: Tensor, count: int) -> Tensor:
    """0 to count − 1, each as often, of U(0, 1)."""
    return (share * count).long().clamp(max=count - 1)


def _reaches(height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of each axis its size, and how far it may be shifted: rounded half up, as published."""
    rows, columns = ((size, int(size / SHIFT + 0.5)) for size in (height, width))
    return rows, columns


def _places(size: int, shift: Tensor) -> Tensor:
    """Where in a picture with a frame of one zero each row comes from, (n, size); beyond the picture from that frame."""
    return (torch.arange(size, device=shift.device) - shift[:, None] + 1).clamp(0, size + 1)


def _inside(size: int, middle: Tensor, side: int) -> Tensor:
    """Which rows a square of ``side`` around ``middle`` has, (n, size)."""
    at = torch.arange(size, device=middle.device) - middle[:, None] + side // 2
    return (at >= 0) & (at < side)

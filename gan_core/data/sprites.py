"""Sprites: a shape of known size, angle and place, every combination once, drawn as they are asked for.

After dSprites (Matthey et al. 2017), with shapes that no rotation brings onto themselves: of a square or an ellipse the angle
could not be told, and every score of disentanglement would punish a perfect code.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gan_core.data.images import labelled_source
from gan_core.data.sources import Factors, ImageSource

SIDE = 28
SHAPES = ("L", "half disc", "triangle")
SCALES = (3.2, 4.3, 5.4, 6.5)  # pixels
ANGLES, PLACES = 8, 8
FIRST, LAST = 9.0, 19.0  # centres along each axis, pixels

_LOADING = threading.Lock()


def sprites() -> ImageSource:
    """6,144 images 1×28×28, the product grid of shape 3, size 4, angle 8, x 8 and y 8; ``y`` is the shape."""
    with _LOADING:
        return _sprites()


@lru_cache(maxsize=1)
def _sprites() -> ImageSource:
    sizes = (len(SHAPES), len(SCALES), ANGLES, PLACES, PLACES)
    table = torch.cartesian_prod(*(torch.arange(size) for size in sizes))
    x = drawn(table).mul(255).round().to(torch.uint8).numpy()
    source = labelled_source("sprites", x, table[:, 0].numpy(), SHAPES)
    names = ("shape", "size", "angle", "x", "y")
    return replace(source, factors=Factors(names, sizes, ("kind", "ordered", "round", "ordered", "ordered"), table))


def drawn(factors: Tensor) -> Tensor:
    """Images (n, 1, 28, 28) from 0 to 1 for rows of factors (n, 5): white where the signed distance is below −½ pixel."""
    shape, size, angle, column, row = factors.unbind(1)
    scale = torch.tensor(SCALES)[size][:, None, None]
    turn = angle[:, None, None] * (2 * np.pi / ANGLES)
    places = torch.linspace(FIRST, LAST, PLACES)
    pixel = torch.arange(SIDE, dtype=torch.float32)
    x = pixel[None, None, :] - places[column][:, None, None]
    y = pixel[None, :, None] - places[row][:, None, None]
    across, down = (turn.cos() * x + turn.sin() * y) / scale, (turn.cos() * y - turn.sin() * x) / scale
    distance = torch.empty_like(across)
    for index, of_shape in enumerate((_of_l, _of_half_disc, _of_triangle)):
        here = shape == index
        distance[here] = of_shape(across[here], down[here])
    return (0.5 - scale * distance).clamp(0, 1)[:, None]


def _of_l(x: Tensor, y: Tensor) -> Tensor:
    stem, foot = _box(x + 0.6, y, 0.4, 1.0), _box(x, y - 0.6, 1.0, 0.4)
    return torch.minimum(stem, foot)


def _box(x: Tensor, y: Tensor, half_width: float, half_height: float) -> Tensor:
    return torch.maximum(x.abs() - half_width, y.abs() - half_height)


def _of_half_disc(x: Tensor, y: Tensor) -> Tensor:
    moved = y - 0.5
    return torch.maximum((x.square() + moved.square()).sqrt() - 1.2, moved)


def _of_triangle(x: Tensor, y: Tensor) -> Tensor:
    """With the corners (0, −1.3) and (±1.1, 0.9)."""
    length = (2.2**2 + 1.1**2) ** 0.5
    sides = (2.2 * x.abs() - 1.1 * (y + 1.3)) / length
    return torch.maximum(sides, y - 0.9)

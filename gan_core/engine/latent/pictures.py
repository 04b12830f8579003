"""A picture that somebody brings or draws, as the data of a run would have it."""

from __future__ import annotations

import base64
import binascii

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_core.data import to_unit
from gan_core.engine.latent.recipes import MOST_PICTURE, Wrong
from gan_core.intake.decode import Refusal, Shape, decode

BOX = 20 / 28
"""The share of the side that a drawing fills, as in MNIST."""
DRAWN = 140  # pixels a side at which a drawing is read


def as_mnist(drawing: np.ndarray, side: int) -> np.ndarray:
    """A bright drawing on black (h, w) uint8 as MNIST has it (LeCun et al. 1998): cropped, its longer side 20 of 28 pixels, its
    centre of mass in the middle of (side, side). Raises Wrong for an empty one.
    """
    rows, columns = np.nonzero(drawing > 32)
    if not len(rows):
        raise Wrong("Nothing is drawn yet.")
    cut = drawing[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    box = max(1, round(BOX * side))
    scale = box / max(cut.shape)
    size = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
    small = np.asarray(
        Image.fromarray(cut).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
    )
    mass = small.astype(np.float64)
    total = max(mass.sum(), 1e-9)
    middle = [(mass.sum(1 - axis) * np.arange(mass.shape[axis])).sum() / total for axis in (0, 1)]
    top, left = (
        int(np.clip(round((side - 1) / 2 - at), 0, side - length))
        for at, length in zip(middle, small.shape, strict=True)
    )
    made = np.zeros((side, side), np.uint8)
    made[top : top + small.shape[0], left : left + small.shape[1]] = small
    return made


def picture_of(content: str, shape: tuple[int, ...], *, drawn: bool) -> Tensor:
    """A picture file in base64 as (1, *shape) in network units; one that was ``drawn`` is put where MNIST would have it."""
    if len(content) > MOST_PICTURE:
        raise Wrong("This picture is too large.")
    channels, height, width = shape
    try:
        data = base64.b64decode(content, validate=True)
        found = decode(
            data, Shape(max(height, width) if not drawn else DRAWN, 1 if drawn else channels, background="black")
        )
    except (binascii.Error, Refusal) as error:
        raise Wrong(f"This picture cannot be read: {error}.") from error
    if drawn:
        found = np.repeat(as_mnist(found[0], min(height, width))[None], channels, 0)
    if found.shape != shape:
        top, left = ((have - want) // 2 for have, want in zip(found.shape[1:], (height, width), strict=True))
        room = np.zeros((channels, max(height, found.shape[1]), max(width, found.shape[2])), np.uint8)
        room[:, : found.shape[1], : found.shape[2]] = found
        found = room[:, max(0, top) : max(0, top) + height, max(0, left) : max(0, left) + width]
    return to_unit(torch.as_tensor(np.ascontiguousarray(found))[None])

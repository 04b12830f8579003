"""Pictures of generated samples, as files that a browser shows."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

GAP = 2


def tile(x: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Images (n > 0, C, H, W) uint8 as one picture, row by row, with a gap of 2 pixels: (height, width) or (…, 3).

    ``columns`` is the square root of n if it is not given. What is left of the last row is black.
    """
    n, channels, height, width = x.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    padded = np.zeros((rows * columns, height + GAP, width + GAP, channels), np.uint8)
    padded[:n, :height, :width] = x.transpose(0, 2, 3, 1)
    cells = padded.reshape(rows, columns, height + GAP, width + GAP, channels).swapaxes(1, 2)
    picture = cells.reshape(rows * (height + GAP), columns * (width + GAP), channels)[:-GAP, :-GAP]
    return picture[..., 0] if channels == 1 else picture


def png(picture: np.ndarray) -> bytes:
    """A uint8 picture as PNG bytes; fast rather than small (1.8 ms for a grid of 64 digits)."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()

"""One picture from bytes that someone brought: decoded within bounds, or refused with a reason.

The header is read first. Nothing is decoded that is too large, of a format outside the list, or has an absurd shape.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
MAX_PIXELS = 36_000_000
MIN_SIDE = 8
MAX_BYTES = 64 * 2**20

Fit = Literal["crop", "pad"]


class Refusal(ValueError):
    """A file that is no usable picture; ``str()`` is the reason, without the file's name."""


@dataclass(frozen=True)
class Shape:
    """What every picture becomes: ``size`` × ``size`` pixels, ``channels`` 1 (grey) or 3 (RGB), cropped or padded."""

    size: int
    channels: int
    fit: Fit = "crop"


def decode(content: bytes, shape: Shape) -> np.ndarray:
    """uint8 (C, size, size). The first frame of an animation, turned as its EXIF says, transparency on white."""
    if not content:
        raise Refusal("the file is empty")
    if len(content) > MAX_BYTES:
        raise Refusal(f"the file has more than {MAX_BYTES // 2**20} MB")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            _check(picture.size)
            if picture.format == "JPEG":
                # Decodes a large photograph at a half, a quarter or an eighth, never below what is wanted.
                picture.draft(None, (shape.size, shape.size))
            picture.load()
            return _finish(picture, shape)
    except Refusal:
        raise
    except UnidentifiedImageError:
        raise Refusal("not a PNG, JPEG, WebP, BMP or GIF picture") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refusal(f"more than {MAX_PIXELS // 10**6} million pixels") from None
    except MemoryError:
        raise Refusal("too large for the memory of this machine") from None
    except Exception as error:  # decoders raise whatever a damaged file makes them: SyntaxError, struct.error, …
        raise Refusal(f"damaged: {str(error).strip()[:120] or type(error).__name__}") from None


def _check(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise Refusal(f"{width:,} × {height:,} pixels, more than {MAX_PIXELS // 10**6} million")
    if min(size) < MIN_SIDE:
        raise Refusal(f"{width:,} × {height:,} pixels, less than {MIN_SIDE} a side")


def _finish(picture: Image.Image, shape: Shape) -> np.ndarray:
    upright = ImageOps.exif_transpose(picture)
    plain = _eight_bits(upright).convert("L" if shape.channels == 1 else "RGB")
    side = (shape.size, shape.size)
    method = Image.Resampling.LANCZOS
    if shape.fit == "crop":
        square = min(plain.size)
        left, top = ((plain.size[0] - square) / 2, (plain.size[1] - square) / 2)
        small = plain.resize(side, method, box=(left, top, left + square, top + square), reducing_gap=3.0)
    else:
        small = ImageOps.pad(plain, side, method, color=0)
    array = np.asarray(small, np.uint8)
    return array[None] if shape.channels == 1 else np.ascontiguousarray(array.transpose(2, 0, 1))


def _eight_bits(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        # 16-bit grey: Pillow would cut everything above 255 to white.
        values = np.asarray(picture).astype(np.float64)
        return Image.fromarray(np.clip(values / 257 + 0.5, 0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer)
    return picture

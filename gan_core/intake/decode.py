"""One picture from bytes that someone brought: decoded within bounds, or refused with a reason.

The header is read first. Nothing is decoded that is too large, of a format outside the list, or has an absurd shape.
"""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from gan_core.intake.formats import READ, kind_of, without_texts

FORMATS = (*READ, "TIFF", *(("AVIF",) if features.check("avif") else ()))
MAX_PIXELS = 36_000_000  # of a picture in a pack
MAX_OPENED = 64_000_000
MAX_PHOTOGRAPH = 200_000_000  # of a JPEG, which is decoded at a part of its size
MIN_SIDE = 8
MAX_BYTES = 64 * 2**20
DEEPEST = 65_535
HALF_DEEP = 2**15  # a largest value from here on needs all 16 bits

# The bounds above are the ones that hold: they are looked at before anything is decoded, as Pillow's own one is.
Image.MAX_IMAGE_PIXELS = MAX_PHOTOGRAPH

Fit = Literal["crop", "pad", "pairs"]
Background = Literal["white", "black", "grey"]
FITS: tuple[Fit, ...] = get_args(Fit)
BACKGROUNDS: tuple[Background, ...] = get_args(Background)
_COLOURS: dict[Background, tuple[int, int, int]] = {"white": (255,) * 3, "black": (0,) * 3, "grey": (128,) * 3}


class Refusal(ValueError):
    """A file that is no usable picture; ``str()`` is the reason, without the file's name."""


@dataclass(frozen=True)
class Shape:
    """What every picture becomes: ``size`` × ``size`` pixels, ``channels`` 1 (grey) or 3 (RGB), cropped or padded.

    Of ``pairs`` each file is two pictures side by side, cut down the middle: ``size`` × twice ``size`` pixels.

    Transparent parts lie on the ``background``; None is white, unless next to nothing of a set would be seen on it.
    """

    size: int
    channels: int
    fit: Fit = "crop"
    background: Background | None = None


@dataclass(frozen=True)
class Picture:
    """A decoded picture, uint8 (C, size, size), and what of it depends on the set that it is in.

    ``top`` is the largest value of one with more than 8 bits, ``deep`` whether it needs all of 16; ``transparent`` whether
    the background is to be seen.
    """

    x: np.ndarray
    top: float | None = None
    deep: bool = True
    transparent: bool = False

    @property
    def flat(self) -> bool:
        """Whether there is next to nothing to see: all of it nearly of one tone."""
        return int(np.ptp(self.x, axis=(1, 2)).max()) <= 3


def decode(content: bytes, shape: Shape) -> np.ndarray:
    """uint8 (C, size, size). The first frame of an animation, turned as its EXIF says, 16 bits by their own largest value."""
    found = look(content, shape)
    return found.x if found.deep else look(content, shape, white=found.top).x


def look(content: bytes, shape: Shape, white: float | None = None) -> Picture:
    """The picture as one of a set whose largest value is ``white``, None for all of 16 bits. Raises Refusal."""
    if not content:
        raise Refusal("the file is empty")
    if len(content) > MAX_BYTES:
        raise Refusal(f"the file has more than {MAX_BYTES // 2**20} MB")
    try:
        return _look(content, shape, white)
    except UnidentifiedImageError:
        raise Refusal(kind_of(content)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refusal(f"more than {MAX_PHOTOGRAPH // 10**6} million pixels") from None
    except (Refusal, MemoryError) as error:
        raise error if isinstance(error, Refusal) else Refusal("too large for the memory of this machine") from None
    except Exception as error:  # decoders raise whatever a damaged file makes them: SyntaxError, struct.error, …
        reason = Refusal(f"damaged: {str(error).strip()[:120] or type(error).__name__}")
    bare = without_texts(content)
    if bare is not None:
        with suppress(Exception):  # it is not the texts that are wrong
            return _look(bare, shape, white)
    raise reason


def _look(content: bytes, shape: Shape, white: float | None) -> Picture:
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        pixels = _check(picture)
        if picture.format == "JPEG" or pixels > MAX_PIXELS:
            # Decodes a large photograph at a half, a quarter or an eighth, never below what is wanted.
            picture.draft(None, (shape.size * (2 if shape.fit == "pairs" else 1), shape.size))
        picture.load()
        return _finish(picture, shape, white)


def _check(picture: Image.Image) -> int:
    width, height = picture.size
    most = MAX_PHOTOGRAPH if picture.format in ("JPEG", "MPO") else MAX_OPENED
    if width * height > most:
        raise Refusal(f"{width:,} × {height:,} pixels, more than {most // 10**6} million")
    if min(width, height) < MIN_SIDE:
        raise Refusal(f"{width:,} × {height:,} pixels, less than {MIN_SIDE} a side")
    return width * height


def _finish(picture: Image.Image, shape: Shape, white: float | None) -> Picture:
    plain, top, deep, transparent = picture, None, True, False
    if picture.mode.startswith("I") or picture.mode == "F":
        top, deep = _depth(picture)
        plain = _scaled(picture, white)
    elif picture.has_transparency_data:
        layer = picture.convert("RGBA")
        transparent = bool(layer.getchannel("A").getextrema()[0] < 255)  # type: ignore[operator]
        under = Image.new("RGBA", layer.size, _COLOURS[shape.background or "white"])
        plain = Image.alpha_composite(under, layer)
    plain = _upright(picture, plain).convert("L" if shape.channels == 1 else "RGB")
    if shape.fit == "crop":
        array = _cropped(plain, shape.size)
    elif shape.fit == "pairs":
        array = np.concatenate([_cropped(half, shape.size) for half in _halves(plain)], axis=1)
    else:
        array = np.asarray(ImageOps.pad(plain, (shape.size,) * 2, Image.Resampling.LANCZOS, color=0), np.uint8)
    x = array[None].copy() if shape.channels == 1 else np.ascontiguousarray(array.transpose(2, 0, 1))
    return Picture(x, top, deep, transparent)


def _cropped(picture: Image.Image, size: int) -> np.ndarray:
    """The middle square, (size, size) or (size, size, 3)."""
    square = min(picture.size)
    left, upper = ((picture.size[0] - square) / 2, (picture.size[1] - square) / 2)
    box = (left, upper, left + square, upper + square)
    small = picture.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return np.asarray(small, np.uint8)


def _halves(picture: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The left and the right half of two pictures side by side. Raises Refusal for what is no wider than high."""
    width, height = picture.size
    if width <= height:
        raise Refusal(f"{width:,} × {height:,} pixels: no two pictures side by side")
    return picture.crop((0, 0, width // 2, height)), picture.crop((width - width // 2, 0, width, height))


def _upright(picture: Image.Image, plain: Image.Image) -> Image.Image:
    """``plain`` turned as the EXIF of ``picture`` says; as it is where that cannot be read."""
    try:
        orientation = picture.getexif().get(0x0112, 1)
        turned = Image.Exif()
        turned[0x0112] = orientation
        if orientation == 1:
            return plain
        plain.info = {"exif": turned.tobytes()}
        return ImageOps.exif_transpose(plain)
    except Exception:
        return plain


def _depth(picture: Image.Image) -> tuple[float, bool]:
    """The largest value of more than 8 bits, and whether it is one of 16 bits that needs all of them."""
    values = np.asarray(picture)
    if not np.isfinite(values).all():
        raise Refusal("it holds values that are no numbers")
    top = float(values.max())
    return top, values.dtype.kind != "f" and HALF_DEEP <= top <= DEEPEST


def _scaled(picture: Image.Image, white: float | None) -> Image.Image:
    """8 bits of more: Pillow would cut everything above 255 to white."""
    values = np.asarray(picture)
    if values.dtype == np.uint16:  # half a gigabyte of floats less for a large one
        scale = 257.0 if white is None else max(white, 1.0) / 255
        table = np.clip(np.arange(DEEPEST + 1) / scale + 0.5, 0, 255).astype(np.uint8)
        return Image.fromarray(table[values])
    scale = DEEPEST / 255 if white is None else max(white, 1e-30) / 255
    made = np.empty(values.shape, np.uint8)
    for row, line in zip(made, values, strict=True):
        row[:] = np.clip(line.astype(np.float64) / scale + 0.5, 0, 255)
    return Image.fromarray(made)

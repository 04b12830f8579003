"""What a study of anomalies shows: boards of the strangest pictures, pictures beside what was made of them, a search as a film.

Everything is drawn on one fixed scale, so that two pictures, two scores and two studies can be compared.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gan_core.data import to_uint8
from gan_core.engine.showing.pictures import png

PAPER, INK, FAINT = (255, 255, 255), (23, 32, 42), (120, 130, 140)
STRANGE = (213, 94, 0)
"""The frame of a picture that is an anomaly, where that is known."""
SIDE, GAP, LINE, LEFT = 56, 10, 16, 128  # pixels
HEAT = ((0.0, (0, 0, 4)), (0.25, (87, 16, 110)), (0.5, (188, 55, 84)), (0.75, (249, 142, 9)), (1.0, (252, 255, 164)))
"""Colours of a difference, of the range from black to white: the same ones everywhere."""
FRAMES, PAUSE, LAST = 30, 90, 1800  # of a film: at most so many steps, milliseconds


def heat(difference: np.ndarray) -> np.ndarray:
    """Differences (n, H, W) of a pixel, 0 to 1, as colours (n, H, W, 3) uint8; larger ones are as 1."""
    at = [place for place, _ in HEAT]
    values = np.clip(np.asarray(difference, np.float64), 0, 1)
    channels = [np.interp(values, at, [colour[k] for _, colour in HEAT]) for k in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def difference(x: Tensor, x_hat: Tensor) -> np.ndarray:
    """|x − x̂| of a pixel as a share of the range, the mean over the channels, (n, H, W)."""
    return np.asarray(((x - x_hat).abs() / 2).mean(1).double().numpy())


def board(x: Tensor, anomalous: np.ndarray | None, stranger: np.ndarray, order: np.ndarray, count: int = 12) -> bytes:
    """The ``count`` strangest and least strange of pictures (n, C, H, W) in network units, as PNG.

    ``order`` (n,) has their places, the strangest first; under each stands what share of held-out normal pictures it is
    stranger than, ``stranger`` (n,). A frame marks what is an anomaly.
    """
    count = min(count, len(order))
    rows = [("least normal", order[:count]), ("most normal", order[::-1][:count])]
    picture, draw = _sheet(count, [LINE + SIDE + GAP] * len(rows))
    top = 0
    for said, places in rows:
        draw.text((4, top + SIDE // 2), said, fill=INK, font=_font(13))
        for column, place in enumerate(places.tolist()):
            left = LEFT + column * (SIDE + GAP)
            picture.paste(_thumb(_pixels(x[place : place + 1])[0]), (left, top))
            if anomalous is not None and anomalous[place]:
                draw.rectangle((left - 3, top - 3, left + SIDE + 2, top + SIDE + 2), outline=STRANGE, width=3)
            share = f"{100 * stranger[place]:.0f} %"
            draw.text((left + SIDE / 2, top + SIDE + 3), share, fill=FAINT, font=_font(12), anchor="ma")
        top += LINE + SIDE + GAP
    return png(np.asarray(picture))


def unlike(x: Tensor, anomalous: np.ndarray | None, stranger: Mapping[str, np.ndarray]) -> bytes:
    """Pictures (n, C, H, W), and under each by the title of a score what share of held-out normal pictures it is stranger than,
    as PNG; the more, the darker. A frame marks what is an anomaly."""
    picture, draw = _sheet(len(x), [SIDE + GAP, *[LINE + 4] * len(stranger)])
    for column, pixels in enumerate(_pixels(x)):
        left = LEFT + column * (SIDE + GAP)
        picture.paste(_thumb(pixels), (left, 3))
        if anomalous is not None and anomalous[column]:
            draw.rectangle((left - 3, 0, left + SIDE + 2, SIDE + 5), outline=STRANGE, width=3)
    for row, (title, shares) in enumerate(stranger.items()):
        top = SIDE + GAP + row * (LINE + 4)
        draw.text((4, top + 2), title, fill=INK, font=_font(11))
        for column, share in enumerate(shares.tolist()):
            left = LEFT + column * (SIDE + GAP)
            shade = tuple(round(white + share * (dark - white)) for white, dark in zip(PAPER, STRANGE, strict=True))
            draw.rectangle((left, top, left + SIDE - 1, top + LINE + 1), fill=shade)
            draw.text((left + SIDE / 2, top + 2), f"{100 * share:.0f} %", fill=INK, font=_font(12), anchor="ma")
    return png(np.asarray(picture))


def triples(x: Tensor, x_hat: Tensor, masks: np.ndarray | None = None) -> bytes:
    """Pictures, below each what was made of it, and how far the two differ, on one scale, as PNG; masks (n, H, W) below."""
    rows: list[tuple[str, np.ndarray]] = [
        ("x", _pixels(x)),
        ("made of it", _pixels(x_hat)),
        ("|difference|", heat(difference(x, x_hat))),
    ]
    if masks is not None:
        rows.append(("damaged here", np.repeat(masks[..., None].astype(np.uint8) * 255, 3, axis=-1)))
    picture, draw = _sheet(len(x), [*[SIDE + GAP] * len(rows), LINE])
    _strips(picture, draw, rows)
    _scale(picture, draw, len(rows) * (SIDE + GAP))
    return png(np.asarray(picture))


def film(x: Tensor, steps: Iterator[tuple[int, Tensor]]) -> bytes:
    """An animated GIF of a search: pictures x, what G makes of the best z so far, and how far the two differ."""
    seen = list(steps)
    last = len(seen) - 1
    # The first steps change most.
    chosen = sorted({round(last * share**2) for share in np.linspace(0, 1, min(FRAMES, last + 1))})
    stills = []
    for place in chosen:
        step, made = seen[place]
        rows = [("x", _pixels(x)), ("G(z)", _pixels(made)), ("|difference|", heat(difference(x, made)))]
        picture, draw = _sheet(len(x), [*[SIDE + GAP] * len(rows), LINE + 4])
        _strips(picture, draw, rows)
        _scale(picture, draw, len(rows) * (SIDE + GAP))
        draw.text((4, len(rows) * (SIDE + GAP)), f"step {step} of {seen[-1][0]}", fill=INK, font=_font(13))
        stills.append(picture.quantize(128, dither=Image.Dither.NONE))
    buffer = io.BytesIO()
    pauses = [PAUSE] * (len(stills) - 1) + [LAST]
    stills[0].save(
        buffer, format="GIF", save_all=True, append_images=stills[1:], duration=pauses, loop=0, optimize=False
    )
    return buffer.getvalue()


def _strips(picture: Image.Image, draw: ImageDraw.ImageDraw, rows: Sequence[tuple[str, np.ndarray]]) -> None:
    for number, (said, pixels) in enumerate(rows):
        top = number * (SIDE + GAP)
        draw.text((4, top + SIDE // 2 - 6), said, fill=INK, font=_font(13))
        for column, one in enumerate(pixels):
            picture.paste(_thumb(one), (LEFT + column * (SIDE + GAP), top))


def _scale(picture: Image.Image, draw: ImageDraw.ImageDraw, top: int) -> None:
    """The colours of a difference, from 0 to the whole range."""
    bar = heat(np.linspace(0, 1, 120)[None, None].repeat(10, axis=1))[0]
    picture.paste(Image.fromarray(bar), (LEFT + 14, top + 2))
    draw.text((LEFT, top), "0", fill=FAINT, font=_font(12))
    draw.text((LEFT + 140, top), "1, from black to white", fill=FAINT, font=_font(12))


def _sheet(columns: int, heights: Sequence[int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    width = max(LEFT + columns * (SIDE + GAP), LEFT + 300)
    picture = Image.new("RGB", (width, sum(heights) + 4), PAPER)
    return picture, ImageDraw.Draw(picture)


def _pixels(x: Tensor) -> np.ndarray:
    """Pictures in network units as colours (n, H, W, 3) uint8."""
    pixels = to_uint8(x).permute(0, 2, 3, 1).numpy()
    return pixels if pixels.shape[-1] == 3 else np.repeat(pixels, 3, axis=-1)


def _thumb(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels)).resize((SIDE, SIDE), Image.Resampling.NEAREST)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)

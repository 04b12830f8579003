"""What a run learns from, as a small picture: real images in rows, or real points on their plane or line."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image, ImageDraw

from gan_core.config import RunConfig
from gan_core.data import ImageSource, MixtureSource
from gan_core.engine.showing.pictures import REAL, png, tile
from gan_core.training import load_source
from gan_core.training.streams import Streams

ROWS, COLUMNS = 4, 9
POINTS = 400
WIDTH, HEIGHT = 432, 192  # pixels of a plane or a line
EDGE = 0.12  # of the extent of points, around them


def preview(config: RunConfig) -> bytes:
    """A PNG of real samples of the run's data, the same each time; that of points is transparent where none is.

    Raises ConfigError where the data are not on this machine.
    """
    source = load_source(config)
    generator = Streams(0).generator("preview")
    if isinstance(source, ImageSource):
        shown = source.train_index[torch.randperm(len(source.train_index), generator=generator)[: ROWS * COLUMNS]]
        return png(tile(source.x[shown].numpy(), columns=COLUMNS))
    if not isinstance(source, MixtureSource):
        x, _ = source.sample(ROWS * COLUMNS, generator)
        return png(tile(x.numpy(), columns=COLUMNS))
    points = source.to_data(source.sample(POINTS, generator).numpy())
    return _dots(points) if points.shape[1] == 2 else _bars(points[:, 0])


def _dots(points: np.ndarray) -> bytes:
    """Points (n, 2) on a plane whose axes have one scale."""
    low, high = points.min(axis=0), points.max(axis=0)
    scale = HEIGHT * (1 - 2 * EDGE) / float((high - low).max() or 1.0)
    places = (points - (low + high) / 2) * scale * [1, -1] + [WIDTH / 2, HEIGHT / 2]
    image = Image.new("RGBA", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    for x, y in places.tolist():
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=(*REAL, 190))
    return _file(image)


def _bars(values: np.ndarray) -> bytes:
    """How often values (n,) lie where, as bars."""
    counts, _ = np.histogram(values, bins=36)
    image = Image.new("RGBA", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    width = WIDTH / len(counts)
    for place, share in enumerate((counts / counts.max()).tolist()):
        top = HEIGHT * (1 - (1 - EDGE) * share)
        draw.rectangle((place * width + 1, top, (place + 1) * width - 1, HEIGHT), fill=(*REAL, 190))
    return _file(image)


def _file(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()

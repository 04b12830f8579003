"""What is taken away of a latent space: samples along a way, and files, a strip of pictures or a film of them."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_core.data import MixtureSource, to_uint8
from gan_core.engine.exchange.generator import NothingToPlay
from gan_core.engine.latent.looks import along, classes_of, corners_of, direction, point
from gan_core.engine.latent.recipes import Wrong
from gan_core.engine.latent.space import Space
from gan_core.engine.showing.pictures import GAP, png, tile

SIDE = 96  # pixels, at least, of a picture in a file
MILLISECONDS = 120
MOST_STEPS = 500


def way(space: Space, points: Sequence[str], steps: int, *, straight: bool = False, seed: int = 0) -> np.ndarray:
    """Samples (steps, …) on the way through points of the space, in the units of the data. Raises Wrong."""
    corners, y = corners_of(space, {"points": list(points), "seed": seed})
    return _samples(space, along(corners, torch.linspace(0, 1, _some(steps)), straight=straight), y)


def line(space: Space, base: str, kind: str, index: int, reach: float, steps: int, *, seed: int = 0) -> np.ndarray:
    """Samples (steps, …) of a point moved from −reach to reach along a direction. Raises Wrong."""
    z, y = point(space, base, seed)
    return _samples(space, z + torch.linspace(-reach, reach, _some(steps))[:, None] * direction(space, kind, index), y)


def _some(steps: int) -> int:
    if not 2 <= steps <= MOST_STEPS:
        raise Wrong(f"steps has to be a whole number from 2 to {MOST_STEPS}.")
    return steps


def held_out_codes(space: Space) -> tuple[np.ndarray, np.ndarray]:
    """Codes (n, d) of held-out samples and their classes (n,), −1 where there are none. Raises NothingToPlay."""
    if not space.encodes:
        raise NothingToPlay("This game has no encoder.")
    return space.codes.numpy(), space.heldout[1].numpy()


def _samples(space: Space, z: Tensor, y: int) -> np.ndarray:
    x = space.make_many(z, classes_of(space, y, len(z)))
    if isinstance(space.source, MixtureSource):
        return space.source.to_data(x.numpy())
    made: np.ndarray = to_uint8(x).numpy()
    return made


def picture_file(x: np.ndarray, end: str) -> bytes:
    """Pictures (n, C, H, W) uint8 in a row, as ``png`` or ``gif``."""
    return file_of({"sheet": base64.b64encode(png(tile(x, len(x)))).decode(), "columns": len(x)}, end)


def file_of(answer: Mapping[str, Any], end: str) -> bytes:
    """The sheet of an answer, pictures enlarged without smoothing: as ``png`` whole, as ``gif`` its columns one after
    the other, there and back. Raises Wrong where the answer is an error or has no pictures.
    """
    if "sheet" not in answer:
        raise Wrong(str(answer.get("error") or "There are no pictures to take away."))
    sheet = Image.open(io.BytesIO(base64.b64decode(answer["sheet"]))).convert("RGB")
    columns = int(answer["columns"])
    width = (sheet.width + GAP) // columns
    scale = max(1, -(-SIDE // width))
    large = sheet.resize((sheet.width * scale, sheet.height * scale), Image.Resampling.NEAREST)
    made = io.BytesIO()
    if end == "png":
        large.save(made, "PNG")
        return made.getvalue()
    cells = [
        large.crop((column * width * scale, 0, ((column + 1) * width - GAP) * scale, large.height))
        for column in range(columns)
    ]
    film = [*cells, *cells[-2:0:-1]]
    film[0].save(made, "GIF", save_all=True, append_images=film[1:], duration=MILLISECONDS, loop=0)
    return made.getvalue()

"""What can be asked of a latent space, as a few short texts that fit an address: points of it, and what is to be done there.

A point is ``12``, a sample of the grid; ``c3``, the mean z of a class, and ``s3``, that mean on the shell; ``h17``, the code of
a held-out sample; ``z…``, a z itself, as float16 in base64. One of a game with classes may end in ``.4``, the class to be made.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

Recipe = Mapping[str, Any]

POINT = re.compile(
    r"(?:(?P<sample>\d{1,2})|(?P<kind>[csh])(?P<index>\d{1,4})|z(?P<code>[A-Za-z0-9_-]{2,6000}))(?:\.(?P<y>\d{1,4}))?",
    re.ASCII,
)
LANES = {
    **dict.fromkeys(("grid", "way", "at", "sum", "move", "traverse", "plane", "near", "code"), "quick"),
    **dict.fromkeys(("about", "count", "effect", "map", "invert"), "slow"),
}
"""What can be asked for, and whether everybody waits for it or it is done in between."""
MOST_PICTURE = 400_000  # characters of a picture in base64
LARGEST = 1e4  # of a number in a recipe


class Wrong(ValueError):
    """A recipe that cannot be followed; the text is a sentence."""


def code_of(z: np.ndarray) -> str:
    """z (d,) as a point."""
    return "z" + base64.urlsafe_b64encode(np.asarray(z, "<f2").tobytes()).rstrip(b"=").decode()


def z_of(code: str, dim: int) -> np.ndarray:
    """The z (dim,) float32 in what stands after the ``z`` of a point."""
    try:
        z = np.frombuffer(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)), "<f2").astype(np.float32)
    except ValueError:
        raise Wrong("This address holds no z.") from None
    if len(z) != dim or not np.isfinite(z).all():
        raise Wrong(f"A z of this run has {dim} numbers; the one in the address does not fit.")
    return z


def text(recipe: Recipe, name: str, most: int = 8000) -> str:
    value = recipe.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise Wrong(f"{name} has to be a short text.")
    return value


def whole(recipe: Recipe, name: str, low: int, high: int, default: int = 0) -> int:
    value = recipe.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Wrong(f"{name} has to be a whole number from {low} to {high}.")
    return value


def number(value: object, name: str) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or abs(value) > LARGEST
    ):
        raise Wrong(f"{name} has to be a number.")
    return float(value)


def points(recipe: Recipe, least: int, most: int) -> list[str]:
    found = recipe.get("points")
    if not isinstance(found, list) or not least <= len(found) <= most or not all(isinstance(one, str) for one in found):
        raise Wrong(f"points has to be {least} to {most} points of the space.")
    return found

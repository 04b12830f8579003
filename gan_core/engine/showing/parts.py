"""The parts of a frame: what each is kept as, and which of them show what the game made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Part:
    """``ending`` is that of its file, "" for small JSON in the row of the frame.

    A part that ``stands`` for the run is what films, figures, reports and results show of it, a ``small`` one what fits a card;
    of several the first in `PARTS` is taken.
    """

    ending: Literal["png", "json", ""]
    stands: bool = False
    small: bool = False


PARTS: dict[str, Part] = {
    "grid": Part("png", stands=True, small=True),
    "points": Part("json", stands=True),
    "push": Part("png"),
    "histogram": Part(""),
    "perturbed": Part("png"),
    "translated": Part("png"),
    "staircase": Part("png"),
    "manifold": Part("png"),
    "codes": Part("json"),
    "thumb": Part("png", small=True),
}
STANDING = tuple(name for name, part in PARTS.items() if part.stands)
SMALL = tuple(name for name, part in PARTS.items() if part.small)


def kept_as(name: str) -> Literal["png", "json", ""]:
    """What a part is kept as; one of a version with other parts as small JSON."""
    return PARTS[name].ending if name in PARTS else ""


def first_of(names: Iterable[str], parts: Mapping[str, Any]) -> str | None:
    """The first of these names that a frame has."""
    return next((name for name in names if name in parts), None)

"""The files of what was seen at one round, made of arrays and numbers; a process that trains makes them of its own runs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from gan_core.engine.messages import ClassGrid, Made, Push, Sheet, Sight
from gan_core.engine.showing.parts import kept_as
from gan_core.engine.showing.pictures import png, sketch, tile


def made(sight: Sight) -> Sight:
    """The same, each part that is kept as a file Made, and a small picture of points beside them.

    Raises whatever is raised by parts that are not what their names promise.
    """
    parts = {name: _made(name, part) for name, part in sight.parts.items()}
    if "points" in sight.parts and not isinstance(sight.parts["points"], Made):
        parts["thumb"] = _picture(sketch(sight.parts["points"]), {})
    return replace(sight, parts=parts)


def _made(name: str, part: Any) -> Any:
    """Arrays of images become a picture, point clouds a file; what is small stays as it is."""
    match part:
        case ClassGrid():
            classes, columns = part.images.shape[:2]
            said = {"count": classes * columns, "columns": columns, "classes": list(part.classes)}
            return _tiled(part.images, said if part.rows == "class" else {**said, "rows": part.rows})
        case Sheet():
            rows, columns = part.images.shape[:2]
            said = {"count": rows * columns, "columns": columns, "heads": list(part.heads), "note": part.note}
            return _tiled(part.images, said)
        case Push():
            images = _made(name, part.images)
            return replace(images, said={**images.said, "largest": part.largest})
        case np.ndarray():
            return _picture(tile(part), {"count": len(part)})
        case Made():
            return part
    if kept_as(name) == "json":
        return Made("json", np.frombuffer(json.dumps(part, separators=(",", ":")).encode(), np.uint8))
    return part


def _tiled(images: np.ndarray, said: dict[str, Any]) -> Made:
    return _picture(tile(images.reshape(-1, *images.shape[2:]), images.shape[1]), said)


def _picture(picture: np.ndarray, said: dict[str, Any]) -> Made:
    return Made("png", np.frombuffer(png(picture), np.uint8), said)

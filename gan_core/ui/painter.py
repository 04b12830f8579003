"""A canvas on which a two-dimensional density is painted."""

from __future__ import annotations

import numpy as np

from gan_core.ui import scripts

SIDE = 64

_COMPONENT = scripts.component("painter", "painter.js", "painter.css", html="painter.html")


def painter(*, key: str) -> np.ndarray | None:
    """Show the canvas; returns what was painted (64, 64), rows from the top, in the run in which it was kept."""
    result = _COMPONENT(key=key, on_painted_change=lambda: None)
    return cells_of(getattr(result, "painted", None))


def cells_of(text: object) -> np.ndarray | None:
    """What a browser sent, two hexadecimal digits a cell; None if it is anything else."""
    if not isinstance(text, str) or len(text) != 2 * SIDE * SIDE:
        return None
    try:
        content = bytes.fromhex(text)
    except ValueError:
        return None
    return np.frombuffer(content, np.uint8).reshape(SIDE, SIDE) if len(content) == SIDE * SIDE else None

"""A canvas on which a two-dimensional density is painted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

SIDE = 64

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "ganscope_painter",
    html=(_HERE / "painter.html").read_text("utf-8"),
    js=(_HERE / "painter.js").read_text("utf-8"),
    css=(_HERE / "painter.css").read_text("utf-8"),
    isolate_styles=False,
)


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

"""What all figures share: the frame of a chart, and figures that move. Pure: no Streamlit here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from gan_core.ui import theme

Numbers = Sequence[float] | np.ndarray

REVISION = "ganscope"
"""A constant `uirevision`: zoom and hidden curves survive every redraw."""


def layout(x_title: str, y_title: str, **extra: Any) -> dict[str, Any]:
    return {
        "template": "none",  # Plotly's default template would add 7 kB to each figure
        "autosize": True,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": theme.FONT, "size": theme.FONT_SIZE},
        "margin": {"l": 8, "r": 10, "t": 8, "b": 8},
        "uirevision": REVISION,
        "hovermode": "x unified",
        "hoverlabel": {"font": {"size": 13}},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom", "font": {"size": 13}},
        "xaxis": axis(x_title),
        "yaxis": axis(y_title),
        **extra,
    }


def axis(title_text: str, **extra: Any) -> dict[str, Any]:
    return {
        "title": {"text": title_text, "font": {"size": 13}, "standoff": 6},
        "automargin": True,
        "gridcolor": theme.GRID,
        "zerolinecolor": theme.ZERO,
        "zeroline": False,
        "linecolor": theme.ZERO,
        "tickfont": {"size": 12},
        "nticks": 6,
        **extra,
    }


def floats(values: Numbers | Sequence[Numbers]) -> np.ndarray:
    """As float32: JavaScript gets a typed array of four bytes per number, not text."""
    return np.asarray(values, dtype=np.float32)


@dataclass(frozen=True)
class Moving:
    """How one trace of a film moves.

    ``frames``: ``y`` (frames, n) is its picture in every frame, over the x of the figure, or over ``x`` (frames, n).
    ``reveal``: the curve ``x``, ``y`` (frames,) as far as the frame has come. ``point``: only its point of the frame.
    """

    trace: int
    kind: Literal["frames", "reveal", "point"]
    y: np.ndarray
    x: np.ndarray | None = None


@dataclass(frozen=True)
class Film:
    """A figure that moves in the browser, without the server: one caption per frame, and what moves."""

    figure: go.Figure
    captions: tuple[str, ...]
    moving: tuple[Moving, ...]

    def __post_init__(self) -> None:
        for part in self.moving:
            if len(part.y) != len(self.captions) or (part.x is not None and len(part.x) != len(self.captions)):
                raise ValueError(f"trace {part.trace} has {len(part.y)} frames, the captions are {len(self.captions)}")


def categories(count: int) -> dict[str, Any]:
    """An axis of class names. Strict: the digits are names, not numbers. Every name is written as long as there is room."""
    every = 1 if count <= 20 else -(-count // 15)
    return {"type": "category", "autotypenumbers": "strict", "showgrid": False, "dtick": every, "nticks": 0}


def as_typed(names: Iterable[object]) -> list[str]:
    """Names of classes as they were typed: Plotly would take some of them for markup."""
    return [escape(str(name), quote=False) for name in names]

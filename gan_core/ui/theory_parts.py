"""What the figures of the board are put together from: panels, lines, points, levels. Pure: no Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gan_core.ui import theme
from gan_core.ui.figures import axis, floats, layout

LARGE = {"size": 15}
"""For what must be read from the last row."""
LARGE_TICKS = {"tickfont": {"size": 13}, "title_font": LARGE}


def axes_of(panel: int) -> dict[str, str]:
    return {} if panel == 1 else {"xaxis": f"x{panel}", "yaxis": f"y{panel}"}


def line_of(
    x: np.ndarray,
    y: np.ndarray,
    name: str,
    colour: str,
    *,
    width: float = 3,
    dash: str = "solid",
    legend: bool = True,
    panel: int = 1,
) -> go.Scatter:
    line = {"width": width, "color": colour, "dash": dash}
    return go.Scatter(
        x=floats(x),
        y=floats(y),
        mode="lines",
        name=name,
        line=line,
        showlegend=legend,
        hovertemplate="%{y:.3g}",
        **axes_of(panel),
    )


def density_of(x: np.ndarray, y: np.ndarray, name: str, colour: str) -> go.Scatter:
    return line_of(x, y, name, colour).update(fill="tozeroy", fillcolor=theme.rgba(colour, 0.18))


def point_of(colour: str, panel: int = 1) -> go.Scatter:
    mark = {"size": 13, "color": colour, "line": {"width": 2, "color": "#ffffff"}}
    return go.Scatter(x=[], y=[], mode="markers", marker=mark, showlegend=False, hoverinfo="skip", **axes_of(panel))


def held(values: np.ndarray, reach: Sequence[float]) -> np.ndarray:
    """Where a point is drawn whose curve leaves the picture: at the edge, where it can be seen; the caption has its value."""
    edge = 0.02 * (reach[1] - reach[0])
    inside: np.ndarray = np.clip(values, reach[0] + edge, reach[1] - edge)
    return inside


def level_at(
    figure: go.Figure, panel: int, value: float, text: str, *, above: bool = True, right: bool = False
) -> None:
    suffix = suffix_of(panel)
    line = {"color": theme.UNSURE, "width": 1.6, "dash": "dot"}
    figure.add_shape(
        type="line",
        xref=f"x{suffix} domain",
        yref=f"y{suffix}",
        x0=0,
        x1=1,
        y0=value,
        y1=value,
        line=line,
        layer="below",
    )
    figure.add_annotation(
        text=text,
        xref=f"x{suffix} domain",
        yref=f"y{suffix}",
        x=0.99 if right else 0.01,
        y=value,
        xanchor="right" if right else "left",
        yanchor="bottom" if above else "top",
        showarrow=False,
        font={"size": 14},
        yshift=3 if above else -3,
    )


def two_columns(rows: int, x_titles: Sequence[str], y_titles: Sequence[str], *, split: float = 0.44) -> dict[str, Any]:
    """A left column of one or two panels, from the top, and one panel at its right."""
    right = {"domain": [split + 0.15, 1.0]}
    if rows == 1:
        domains = [({"domain": [0.0, split]}, {"domain": [0.0, 1.0]}), (right, {"domain": [0.0, 1.0]})]
    else:
        left = {"domain": [0.0, split]}
        domains = [(left, {"domain": [0.57, 1.0]}), (left, {"domain": [0.0, 0.43]}), (right, {"domain": [0.0, 1.0]})]
    return layout_of(domains, x_titles, y_titles)


def layout_of(
    domains: Sequence[tuple[dict[str, Any], dict[str, Any]]], x_titles: Sequence[str], y_titles: Sequence[str]
) -> dict[str, Any]:
    made = layout("", "", legend={**layout("", "")["legend"], "font": LARGE, "y": 1.02}, hovermode="closest")
    for number, ((x_domain, y_domain), x_title, y_title) in enumerate(zip(domains, x_titles, y_titles, strict=True), 1):
        suffix = suffix_of(number)
        made[f"xaxis{suffix}"] = axis(x_title, **x_domain, **LARGE_TICKS, anchor=f"y{suffix}")
        made[f"yaxis{suffix}"] = axis(y_title, **y_domain, **LARGE_TICKS, anchor=f"x{suffix}")
    return made


def suffix_of(panel: int) -> str:
    return "" if panel == 1 else str(panel)


def in_words(value: float, digits: str = ".2g") -> str:
    return "undefined" if np.isnan(value) else f"{value:{digits}}".replace("-", "−")

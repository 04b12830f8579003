"""Charts of what a study has found, as pure functions of its findings. No Streamlit here."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from gan_core.engine.studies.findings import Chart, Curve, Handle
from gan_core.ui import theme
from gan_core.ui.figures import as_typed, layout

HEIGHT = 380  # pixels
MOST_BARS = 14  # points of a curve that has error bars, not a band
APART = 0.012  # of the axis, between the bars of curves that have the same places


def figure(chart: Chart) -> go.Figure:
    """Curves with their intervals: as bars, a little apart, where they have few points, else as bands."""
    made = go.Figure(layout=layout(chart.x_title, chart.y_title, height=HEIGHT))
    places = sorted({x for curve in chart.curves for x in curve.x})
    for index, curve in enumerate(chart.curves):
        colour = theme.VARIANTS[index % len(theme.VARIANTS)]
        bars = bool(curve.low) and len(curve.x) <= MOST_BARS
        if curve.low and not bars:
            made.add_scatter(**_band(curve, colour))
        x = _apart(curve.x, places, index - (len(chart.curves) - 1) / 2, chart.log_x) if bars else list(curve.x)
        made.add_scatter(
            x=x,
            y=list(curve.y),
            name=as_typed([curve.name])[0],
            mode="lines+markers" if len(curve.x) <= MOST_BARS else "lines",
            line={"color": colour, "width": 2.2, "dash": "dash" if curve.dashed else "solid"},
            marker={"size": 7},
            error_y=_bars(curve, colour) if bars else None,
            hovertemplate="%{y:.1f}",
        )
    for name, level in chart.levels:
        made.add_hline(
            level,
            line={"color": theme.UNSURE, "width": 1.4, "dash": "dot"},
            annotation_text=as_typed([name])[0],
            annotation_position="top left",
        )
    if chart.log_x and places:
        made.update_xaxes(
            type="log", tickmode="array", tickvals=places, ticktext=[f"{place:g}" for place in places], nticks=0
        )
        if len(places) == 1:
            made.update_xaxes(range=[float(np.log10(places[0] / 2)), float(np.log10(places[0] * 2))])
    return made


def roc(handle: Handle, rate: float) -> go.Figure:
    """The curve of a score, with the point at which a threshold for this rate of false alarms lies on it."""
    made = go.Figure(layout=layout("normal pictures called, %", "anomalies found, %", height=HEIGHT))
    made.add_scatter(
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        line={"color": theme.UNSURE, "dash": "dot"},
        name="a coin",
        hoverinfo="skip",
    )
    x, y = zip(*handle.curve, strict=True)
    made.add_scatter(
        x=[100 * value for value in x],
        y=[100 * value for value in y],
        mode="lines",
        line={"color": theme.VARIANTS[0], "width": 2.2},
        name=as_typed([handle.name])[0],
        hovertemplate="%{y:.1f}",
    )
    _, normals, anomalies = next(step for step in handle.steps if step[0] == rate)
    made.add_scatter(
        x=[100 * normals / handle.normals],
        y=[100 * anomalies / handle.anomalies],
        mode="markers",
        marker={"size": 13, "color": theme.VARIANTS[1], "line": {"width": 2, "color": "white"}},
        name="the threshold",
        hovertemplate="%{x:.1f} % called, %{y:.1f} % found",
    )
    return made


def _apart(x: tuple[float, ...], places: list[float], offset: float, log_x: bool) -> list[float]:
    """The places of a curve moved a little, so that its bars do not lie on those of another."""
    if len(places) < 2:
        return [one * (1 + APART * offset) if log_x else one + APART * offset for one in x]
    if log_x:
        return [float(one * (places[-1] / places[0]) ** (APART * offset)) for one in x]
    return [one + APART * offset * (places[-1] - places[0]) for one in x]


def _bars(curve: Curve, colour: str) -> dict[str, object]:
    low, high, y = (np.array(part) for part in (curve.low, curve.high, curve.y))
    up, down = (np.nan_to_num(part) for part in (high - y, y - low))
    return {
        "type": "data",
        "symmetric": False,
        "array": up.tolist(),
        "arrayminus": down.tolist(),
        "color": colour,
        "thickness": 1.6,
        "width": 5,
    }


def _band(curve: Curve, colour: str) -> dict[str, object]:
    return {
        "x": [*curve.x, *reversed(curve.x)],
        "y": [*curve.high, *reversed(curve.low)],
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": theme.rgba(colour, 0.16),
        "showlegend": False,
        "hoverinfo": "skip",
    }

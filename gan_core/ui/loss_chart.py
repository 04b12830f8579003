"""What a loss asks of one sample, as a picture: the price and the gradient over D's answer. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from gan_core.ui import theme
from gan_core.ui.charts import _axis, _layout

FLAT = 0.05
"""Slopes below this are drawn as flat: a twentieth of what the standard losses give at most."""

_TRACES = (
    ("G", "G, generated sample", theme.G, "solid"),
    ("D_fake", "D, generated sample", theme.D, "dash"),
    ("D_real", "D, real sample", theme.D, "solid"),
)


def loss_chart(curves: Mapping[str, np.ndarray], axis: str) -> go.Figure:
    """Left what each player pays for one sample, right the derivative; traces G, D on generated, D on real, twice.

    ``curves`` as ``engine.library.loss_curves`` gives them. Where G's slope is flat and D says "generated", a band says so:
    there G learns nothing.
    """
    x = curves["logit"]
    figure = go.Figure(layout=_panels(axis))
    for suffix, panel in (("", ""), ("_slope", "2")):
        for name, label, colour, dash in _TRACES:
            figure.add_trace(
                go.Scatter(
                    x=x.astype(np.float32),
                    y=np.asarray(curves[name + suffix], np.float32),
                    name=label,
                    legendgroup=name,
                    showlegend=not suffix,
                    mode="lines",
                    # Where two losses are the same, G's shows on both sides of D's.
                    line={"width": 5 if name == "G" else 1.8, "color": colour, "dash": dash},
                    xaxis=f"x{panel}",
                    yaxis=f"y{panel}",
                    hovertemplate="%{y:.3g}",
                )
            )
        shown = [curves[name + suffix] for name, *_ in _TRACES]
        figure.update_layout({f"yaxis{panel}": {"range": _range(shown, slope=bool(suffix))}})
    flat = starved(curves)
    if flat is not None:
        for panel in ("", "2"):
            figure.add_shape(
                type="rect",
                xref=f"x{panel}",
                yref=f"y{panel} domain",
                x0=flat[0],
                x1=flat[1],
                y0=0,
                y1=1,
                fillcolor=theme.rgba(theme.G, 0.13),
                line={"width": 0},
                layer="below",
            )
        figure.add_annotation(
            text="flat: G learns<br>nothing here",
            xref="x2",
            yref="y2 domain",
            x=(flat[0] + flat[1]) / 2,
            y=0.97,
            yanchor="top",
            showarrow=False,
            font={"size": 12, "color": theme.G},
        )
    return figure


def starved(curves: Mapping[str, np.ndarray]) -> tuple[float, float] | None:
    """The stretch at the left end, where D is sure that a sample is generated, over which G's slope is flat; or None."""
    x, slope = curves["logit"], np.abs(curves["G_slope"])
    known = np.isfinite(slope)
    x, flat = x[known], slope[known] < FLAT
    if not flat[0]:
        return None
    end = len(flat) if flat.all() else int(np.argmin(flat))
    return float(x[0]), float(x[end - 1])


def _range(shown: list[np.ndarray], *, slope: bool) -> list[float]:
    """Squares grow out of the picture: it is cut where the other curves would become lines on the axis."""
    values = np.concatenate([part[np.isfinite(part)] for part in shown])
    low, high = float(values.min()), float(values.max())
    most = 2.2 if slope else 9.0
    low, high = max(low, -most), min(high, most)
    margin = 0.08 * (high - low or 1.0)
    return [low - margin, high + margin]


def _panels(axis: str) -> dict[str, object]:
    """Two axes side by side under one legend."""
    return {
        **_layout(axis, "loss"),
        "xaxis": _axis(axis, domain=[0, 0.43], zeroline=True),
        "yaxis": _axis("loss", zeroline=True),
        "xaxis2": _axis(axis, domain=[0.6, 1.0], anchor="y2", zeroline=True),
        "yaxis2": _axis("gradient", anchor="x2", zeroline=True),
    }

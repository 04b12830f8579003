"""Figures of a comparison: one curve per variant over all its seeds. Pure functions, no Streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from gan_core.engine.standings import Band, Curve, mean_over_seeds
from gan_core.ui import charts, theme

BANDS: dict[Band, str] = {"std": "± standard deviation", "interval": "95 % interval of the mean", "none": "no band"}


def variant_colours(names: Sequence[str]) -> dict[str, str]:
    """Each variant its colour, by its place in the comparison."""
    return {name: theme.VARIANTS[index % len(theme.VARIANTS)] for index, name in enumerate(names)}


def over_seeds(
    curves: Mapping[str, Mapping[int, Curve]],
    *,
    y_title: str,
    x_title: str = "round",
    floor: float | None = None,
    band: Band = "std",
    log_y: bool = False,
) -> go.Figure:
    """One measure: per variant its mean, the band over seeds, and single seeds as ghosts; a line at the value of real data.

    Traces, per variant: the ghosts, the band (two, unless there is none), the mean.
    """
    figure = charts.curves([], y_title=y_title, x_title=x_title)
    for name, colour in variant_colours(list(curves)).items():
        by_seed = list(curves[name].values())
        if len(by_seed) > 1:
            for seed, (x, y) in curves[name].items():
                ghost = {"color": theme.rgba(colour, 0.3), "width": 1}
                figure.add_scatter(
                    x=x, y=y, mode="lines", line=ghost, name=f"{name}, seed {seed}", showlegend=False, hoverinfo="skip"
                )
        x, mean, low, high = mean_over_seeds(by_seed, band)
        if band != "none" and len(by_seed) > 1:
            edge = {"width": 0, "color": colour}
            shared = {
                "x": x,
                "mode": "lines",
                "line": edge,
                "showlegend": False,
                "hoverinfo": "skip",
                "legendgroup": name,
            }
            figure.add_scatter(y=high, **shared)
            figure.add_scatter(y=low, fill="tonexty", fillcolor=theme.rgba(colour, 0.16), **shared)
        figure.add_scatter(
            x=x,
            y=mean,
            mode="lines+markers",
            line={"color": colour, "width": 2.4},
            marker={"size": 4},
            name=name,
            legendgroup=name,
            hovertemplate="%{y:.4~g}",
        )
    if floor is not None:
        figure.add_hline(
            floor,
            line={"color": theme.REAL, "width": 1.4, "dash": "dot"},
            annotation_text="real data",
            annotation_position="top right",
        )
    if log_y:
        figure.update_yaxes(type="log")
    return figure.update_layout(height=320)

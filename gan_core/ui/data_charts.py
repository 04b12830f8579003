"""Figures of a data set: where its points lie, how its classes and pixels are spread. Pure: no Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from gan_core.ui import theme
from gan_core.ui.charts import density_1d, scatter_2d
from gan_core.ui.figures import Numbers, as_typed, categories, layout


def real_plane(
    points: np.ndarray | Sequence[Numbers],
    xs: Numbers,
    ys: Numbers,
    density: np.ndarray | Sequence[Numbers],
    centers: np.ndarray | Sequence[Numbers] = (),
    axes: Sequence[str] = (),
) -> go.Figure:
    """Real points over their own density. Traces: 0 the density, 1 the points. ``centers`` (K, 2) of modes are numbered,
    ``axes`` are the names of the two.
    """
    figure = scatter_2d(points, critic=density, xs=xs, ys=ys, extent=(xs[0], xs[-1], ys[0], ys[-1]))
    if axes:
        figure.update_layout(xaxis_title_text=axes[0], yaxis_title_text=axes[1])
    shades = [[0, theme.rgba(theme.REAL, 0.0)], [1, theme.rgba(theme.REAL, 0.55)]]
    figure.update_traces(
        colorscale=shades, hovertemplate="density %{z:.3g}<extra></extra>", selector={"type": "heatmap"}
    )
    figure.data = figure.data[:2]
    figure.update_traces(marker={"size": 3, "opacity": 0.55}, selector={"type": "scatter"})
    _number(figure, centers)
    return figure.update_layout(showlegend=False)


def _number(figure: go.Figure, centers: np.ndarray | Sequence[Numbers]) -> None:
    """The number of each mode beside it, as the live view and the histogram have them."""
    for number, (x, *y) in enumerate(centers, 1):
        figure.add_annotation(x=x, y=y[0] if y else 0, text=str(number), showarrow=False, yshift=16, font={"size": 15})


def real_density(xs: Numbers, density: Numbers, centers: np.ndarray | Sequence[Numbers] = ()) -> go.Figure:
    """The density of the data on a line. Trace 0. ``centers`` (K, 1) of modes are numbered."""
    figure = density_1d(xs, density)
    figure.data = figure.data[:1]
    _number(figure, centers)
    return figure.update_layout(showlegend=False, yaxis2={"visible": False})


def counts_per_class(names: Sequence[str], train: Numbers, total: Numbers) -> go.Figure:
    """Images per class, those held out on top of those for training. Traces: 0 for training, 1 held out."""
    labels = as_typed(names)
    figure = go.Figure(layout=layout("class", "", barmode="stack", bargap=0.25))
    held = np.asarray(total, np.int64) - np.asarray(train, np.int64)
    for values, name, colour in ((train, "for training", theme.REAL), (held, "held out", theme.rgba(theme.REAL, 0.45))):
        figure.add_trace(
            go.Bar(
                x=labels,
                y=list(values),
                name=name,
                marker={"color": colour, "line": {"width": 0}},
                hovertemplate="%{y:,d}",
            )
        )
    figure.update_xaxes(**categories(len(labels)))
    figure.update_yaxes(tickformat=",~d", rangemode="tozero")
    return figure


def pixel_values(counts: Sequence[int]) -> go.Figure:
    """How often each of the 256 pixel values occurs, on a logarithmic scale: backgrounds would hide the rest. Trace 0."""
    total = max(1, sum(counts))
    figure = go.Figure(layout=layout("pixel value, as networks see it", "", bargap=0, showlegend=False))
    figure.add_trace(
        go.Bar(
            x=np.arange(256, dtype=np.float32) / 127.5 - 1,
            y=[count / total if count else None for count in counts],
            marker={"color": theme.REAL, "line": {"width": 0}},
            hovertemplate="%{y:.2~%}<extra></extra>",
        )
    )
    figure.update_yaxes(type="log", tickformat=".4~%", nticks=5)
    figure.update_xaxes(hoverformat=".2f")
    return figure

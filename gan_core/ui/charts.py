"""Charts as pure functions: numbers in, a Plotly figure out. No Streamlit here.

The same figures are drawn by `st.plotly_chart` where nothing moves, and handed to the live component as skeletons, which it
fills from the stream. It finds traces by their role, which is their `meta`; so the roles are part of each function's contract.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gan_core.ui import theme
from gan_core.ui.figures import Numbers
from gan_core.ui.figures import as_typed as _as_typed
from gan_core.ui.figures import axis as _axis
from gan_core.ui.figures import categories as _categories
from gan_core.ui.figures import floats as _floats
from gan_core.ui.figures import layout as _layout

Lines = Sequence[tuple[float, str]]
MOST_OVER = 2  # times its real share: the heat map shows no more
LEAST_REAL = 0.005  # of the real samples: below that no class is told from chance
LOG_TICKS = ((0.7, "D1"), (3, "D2"))  # of an axis with fewer decades: at 1 to 9, and at 1, 2, 5
MOST_DECADES = 6  # with a tick, on an axis of more decades
MOST_UNLIKE = 3  # times as long may one axis be as the other, where both are drawn to one scale

STATIC = {"showSendToCloud": False, "displaylogo": False, "displayModeBar": False}
"""Plotly's configuration for charts that do not move; its default offers to upload the figure."""


def skeleton(figure: go.Figure) -> dict[str, Any]:
    """The figure as plain JSON-able data, as the live component takes it."""
    plain: dict[str, Any] = json.loads(figure.to_json())
    return plain


# -- curves over rounds -------------------------------------------------------------------------------------------


def curves(
    series: Mapping[str, tuple[Numbers, Numbers]] | Sequence[str],
    *,
    y_title: str,
    colours: Mapping[str, str] | None = None,
    of: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    lines: Mapping[str, Lines] | None = None,
    marks: Sequence[tuple[float, str]] = (),
    log_y: bool = False,
    y_range: tuple[float, float] | None = None,
    y_format: str = ".4~g",
    x_title: str = "round",
) -> go.Figure:
    """Curves by column name, one trace each, in the given order; a sequence of names makes empty ones.

    Colours are those of what columns are ``of``, or as given. ``lines`` are horizontal references by column, (value, words)
    pairs; ``marks`` vertical ones (``[(1200, "diverged")]``). Values that are not finite are gaps.
    """
    names = list(series)
    given = series if isinstance(series, Mapping) else dict.fromkeys(names, ((), ()))
    colours, labels, lines = colours or {}, labels or {}, lines or {}
    used = column_colours(names, of)
    figure = go.Figure(layout=_layout(x_title, y_title))
    for name in names:
        x, y = given[name]
        values = _floats(y)
        figure.add_trace(
            go.Scatter(
                x=_along(x) if len(x) else [],
                y=np.where(np.isfinite(values), values, np.float32("nan")) if len(x) else [],
                name=labels.get(name, name),
                meta=name,
                mode="lines",
                line={"width": 1.8, "color": colours.get(name, used[name])},
                connectgaps=False,
                hovertemplate=f"%{{y:{y_format}}}",
            )
        )
        for value, label in lines.get(name, ()):
            _reference_line(figure, value, label, colours.get(name, used[name]), log_y=log_y)
    for round_, label in marks:
        _mark(figure, round_, label)
    figure.update_xaxes(rangemode="nonnegative", hoverformat=",d", tickformat=",~d")
    if log_y:
        finite = [value for trace in figure.data for value in trace.y if np.isfinite(value) and value > 0]
        decades = float(np.log10(max(finite) / min(finite))) if finite else 1.0
        figure.update_yaxes(type="log", exponentformat="power", nticks=0, dtick=_log_ticks(decades))
    elif y_range is not None:
        figure.update_yaxes(range=list(y_range), autorange=False)
    return figure


def _along(x: Numbers) -> np.ndarray:
    """Places on an axis: rounds as integers, anything else in full."""
    places = np.asarray(x)
    return places.astype(np.int32 if places.dtype.kind in "iu" else np.float64)


def column_colours(columns: Sequence[str], of: Mapping[str, str] | None = None) -> dict[str, str]:
    """A colour per column: that of the samples it is ``of``, or of its player's function (`theme.FUNCTIONS`) if no other
    column has it, else a spare one."""
    chosen: dict[str, str] = {}
    spare = [colour for colour in theme.OKABE_ITO if colour not in (theme.D, theme.G)]
    for column in columns:
        function = (of or {}).get(column, "")
        wanted = theme.FUNCTIONS.get(function)
        if wanted is None or (wanted in chosen.values() and function not in ("real", "generated")):
            wanted = next((colour for colour in spare if colour not in chosen.values()), theme.UNSURE)
        chosen[column] = wanted
    return chosen


def _log_ticks(decades: float) -> str | int:
    """Ticks at 1 to 9, at 1, 2, 5, or at every so many powers of ten: what there is room for."""
    return next((ticks for most, ticks in LOG_TICKS if decades < most), ceil(decades / MOST_DECADES))


def _reference_line(figure: go.Figure, value: float, label: str, colour: str, *, log_y: bool) -> None:
    figure.add_shape(
        type="line", xref="paper", x0=0, x1=1, y0=value, y1=value, line={"color": colour, "width": 1.4, "dash": "dot"}
    )
    figure.add_annotation(
        text=label,
        xref="paper",
        x=1,
        y=float(np.log10(value)) if log_y else value,  # a shape takes the value, an annotation its logarithm
        xanchor="right",
        yanchor="bottom",
        showarrow=False,
        font={"size": 12, "color": colour},
    )


def _mark(figure: go.Figure, round_: float, label: str) -> None:
    figure.add_shape(
        type="line",
        yref="paper",
        x0=round_,
        x1=round_,
        y0=0,
        y1=1,
        line={"color": theme.MARK, "width": 1.6, "dash": "dash"},
    )
    figure.add_annotation(
        text=label,
        x=round_,
        yref="paper",
        y=1,
        xanchor="right",
        yanchor="top",
        textangle=-90,
        showarrow=False,
        font={"size": 12, "color": theme.MARK},
    )


# -- classes ------------------------------------------------------------------------------------------------------


def class_histogram(
    class_names: Sequence[str],
    real_share: Numbers = (),
    low: Numbers = (),
    high: Numbers = (),
    *,
    counts: Sequence[int] | None = None,
    n: int | None = None,
    unsure: bool = True,
    last: str = "unsure",
    bins: str = "class",
) -> go.Figure:
    """Share of each class among generated samples beside the real share; the ``last`` bin holds those of none.

    Traces: the ``generated`` share, the ``real`` share with the band that sampling noise alone would make.
    ``real_share``, ``low`` and ``high`` have one entry per bin, the last included. ``bins`` is what a bin is called.
    """
    names = [*_as_typed(class_names), *([last] if unsure and class_names else [])]
    total = n if n is not None else (sum(counts) if counts is not None else 0)
    shares = _floats(counts) / total if counts is not None and total else np.zeros(0, np.float32)
    colours = [theme.FAKE] * (len(names) - int(unsure)) + [theme.UNSURE] * int(unsure) if names else theme.FAKE
    figure = go.Figure(layout=_layout(bins, "share of samples", bargap=0.25))
    figure.add_trace(
        go.Bar(
            x=names,
            y=shares,
            name="generated",
            meta="generated",
            marker={"color": colours, "line": {"width": 0}},
            customdata=list(counts) if counts is not None else [],
            hovertemplate="%{y:.1%} (%{customdata:,d})",
        )
    )
    real, bottom, top = _floats(real_share), _floats(low), _floats(high)
    figure.add_trace(
        go.Scatter(
            x=names if len(real) else [],
            y=real,
            name="real, with sampling band",
            meta="real",
            mode="markers",
            marker={"symbol": "line-ew", "size": 15, "color": theme.REAL, "line": {"width": 2.5, "color": theme.REAL}},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": np.maximum(top - real, 0) if len(top) else [],
                "arrayminus": np.maximum(real - bottom, 0) if len(bottom) else [],
                "color": theme.BAND,
                "thickness": 8,
                "width": 0,
            },
            hovertemplate="%{y:.1%}",
        )
    )
    figure.update_xaxes(**_categories(len(names)))
    tallest = max([0.3, *(float(v) * 1.08 for v in (*shares, *top))])
    figure.update_yaxes(tickformat=".0%", range=[0, tallest], autorange=False)
    return figure


def class_heatmap(
    class_names: Sequence[str],
    rounds: Numbers = (),
    shares: Sequence[Numbers] | np.ndarray = (),
    real: Numbers = (),
    *,
    unsure: bool = True,
    marks: Sequence[tuple[float, str]] = (),
    bins: str = "class",
) -> go.Figure:
    """Class by round, the colour is the share of the generated samples over that of real data: 0 is lost, 1 right.

    Its trace is ``shares``.
    ``shares`` is one row per round, ``real`` as long as a row; without it all classes count as equally frequent. ``bins`` is
    what a class is called. As ``HeatmapPanel`` of ``classes.js``.
    """
    names = [*_as_typed(class_names), *(["unsure"] if unsure and class_names else [])]
    found = _floats(shares).T if len(shares) else np.zeros((0, 0), np.float32)
    wanted = _floats(real) if len(real) else np.full(len(found), 1 / max(1, len(class_names)), np.float32)
    z = np.minimum(found / np.maximum(wanted, LEAST_REAL)[:, None], MOST_OVER) if found.size else found
    figure = go.Figure(layout=_layout("round", bins, showlegend=False, hovermode="closest"))
    figure.add_trace(
        go.Heatmap(
            x=np.asarray(rounds, dtype=np.int32) if len(rounds) else [],
            y=names,
            meta="shares",
            z=z,
            customdata=found,
            zmin=0,
            zmax=MOST_OVER,
            colorscale=theme.LOST_TO_RIGHT,
            colorbar={
                "thickness": 10,
                "outlinewidth": 0,
                "tickvals": [0, 1, MOST_OVER],
                "ticktext": ["0 lost", "1 right", f"{MOST_OVER} ×"],
                "tickfont": {"size": 12},
            },
            hovertemplate=f"round %{{x:,d}}<br>{bins} %{{y}}: %{{customdata:.1%}}, %{{z:.2f}} × the real share<extra></extra>",
        )
    )
    figure.update_xaxes(showgrid=False, tickformat=",~d")
    figure.update_yaxes(autorange="reversed", **_categories(len(names)))
    for round_, label in marks:
        _mark(figure, round_, label)
    return figure


def confusion(matrix: Sequence[Numbers] | np.ndarray, names: Sequence[str]) -> go.Figure:
    """Confusion matrix: a row per true class, as shares of the row; the counts are written into the cells. Trace 0."""
    counts = np.asarray(matrix, dtype=np.int64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape, np.float32), where=totals > 0, casting="unsafe")
    labels = _as_typed(names)
    figure = go.Figure(layout=_layout("classified as", "true class", showlegend=False, hovermode="closest"))
    figure.add_trace(
        go.Heatmap(
            x=labels,
            y=labels,
            z=shares,
            zmin=0,
            zmax=1,
            colorscale=theme.SEQUENTIAL,
            showscale=False,
            text=counts,
            texttemplate="%{text}" if len(labels) <= 15 else "",
            customdata=counts,
            hovertemplate="true %{y}, classified as %{x}<br>%{customdata:,d} (%{z:.1%})<extra></extra>",
        )
    )
    figure.update_xaxes(**_categories(len(labels)))
    figure.update_yaxes(autorange="reversed", **_categories(len(labels)))
    return figure


# -- points and densities -----------------------------------------------------------------------------------------


LAYERS_OF = {"judge": "critic", "sample": "grid", "push": "push"}
"""The role of the trace of ``scatter_2d`` that shows an ability of a game."""


def scatter_2d(
    real: np.ndarray | Sequence[Numbers] = (),
    fake: np.ndarray | Sequence[Numbers] = (),
    *,
    critic: np.ndarray | Sequence[Numbers] | None = None,
    xs: Numbers = (),
    ys: Numbers = (),
    extent: Sequence[float] | None = None,
) -> go.Figure:
    """Real and generated points over what the critic thinks.

    Traces: the ``critic``, ``real``, ``generated``, the ``grid`` that G makes of straight lines of noise, and ``push``, where
    each sample is pushed; a click in the legend shows or hides one.

    ``critic`` is a table with a row per y; ``extent`` (x0, x1, y0, y1) fixes the axes, so that the picture does not jump.
    """
    figure = go.Figure(layout=_layout("x", "y", hovermode="closest"))
    figure.update_xaxes(tickangle=0)
    figure.add_trace(_critic_map(critic, xs, ys))
    for points, name, colour, size, opacity in (
        (real, "real", theme.REAL, 9, 0.4),
        (fake, "generated", theme.FAKE, 4, 0.9),
    ):
        table = np.asarray(points, np.float64).reshape(-1, 2) if len(points) else np.zeros((0, 2), np.float32)
        figure.add_trace(
            go.Scatter(
                x=table[:, 0],
                y=table[:, 1],
                name=name,
                meta=name,
                mode="markers",
                marker={"size": size, "color": colour, "opacity": opacity},
                hovertemplate="(%{x:.6~g}, %{y:.6~g})<extra>" + name + "</extra>",
            )
        )
    for role, name, colour, width in (
        ("grid", "G's grid", theme.rgba(theme.FAKE, 0.5), 1.2),
        ("push", "push on G", theme.MARK, 1.8),
    ):
        figure.add_trace(
            go.Scatter(
                x=[],
                y=[],
                name=name,
                meta=role,
                mode="lines+markers" if role == "push" else "lines",
                line={"color": colour, "width": width},
                marker={"symbol": "arrow", "angleref": "previous", "color": colour, "size": 0},
                hoverinfo="skip",
                visible="legendonly",
            )
        )
    if extent is not None:
        x0, x1, y0, y1 = extent
        figure.update_xaxes(range=[x0, x1], autorange=False)
        figure.update_yaxes(range=[y0, y1], autorange=False)
    if extent is None or _alike(extent):
        figure.update_yaxes(scaleanchor="x", scaleratio=1, constrain="domain")
        figure.update_xaxes(constrain="domain")
    return figure


def ways() -> go.Figure:
    """From where to where each mode goes under a map of the plane, for `scatter_2d`: a trace ``ways``."""
    return go.Figure(
        go.Scatter(
            x=[],
            y=[],
            name="where modes go",
            meta="ways",
            mode="lines+markers",
            line={"color": theme.MARK, "width": 2.4},
            marker={"symbol": "arrow", "angleref": "previous", "color": theme.MARK, "size": 0},
            hoverinfo="skip",
        )
    )


def _critic_map(critic: np.ndarray | Sequence[Numbers] | None, xs: Numbers, ys: Numbers) -> go.Heatmap:
    return go.Heatmap(
        x=np.asarray(xs, np.float64),  # far from 0 float32 has no steps that are small enough
        y=np.asarray(ys, np.float64),
        z=_floats(critic) if critic is not None and len(critic) else [],
        colorscale=[[0, theme.rgba(theme.D, 0.03)], [1, theme.rgba(theme.D, 0.6)]],
        zsmooth="fast",
        showscale=False,
        colorbar={
            "title": {"text": "what D says", "font": {"size": 13}, "side": "right"},
            "thickness": 12,
            "outlinewidth": 0,
            "len": 0.7,
            "nticks": 5,
            "tickfont": {"size": 12},
        },
        name="D's map",
        meta="critic",
        showlegend=True,
        hovertemplate="critic %{z:.3g}<extra></extra>",
    )


def _alike(extent: Sequence[float]) -> bool:
    """Whether both axes are drawn to one scale; of different units, each has its own. As ``alike`` of ``points.js``."""
    x0, x1, y0, y1 = extent
    return 1 / MOST_UNLIKE < (x1 - x0) / (y1 - y0) < MOST_UNLIKE


def density_1d(
    xs: Numbers = (),
    real: Numbers = (),
    fake: Numbers = (),
    critic: Numbers = (),
    optimal: Numbers = (),
    *,
    critic_title: str = "D(x)",
) -> go.Figure:
    """Densities of real and generated data, and the critic with the best possible one on an axis of their own.

    Traces: ``real``, ``generated``, the ``critic``, the ``best`` possible critic p / (p + q).
    """
    layout = _layout("x", "density")
    layout["yaxis2"] = _axis(critic_title, overlaying="y", side="right", showgrid=False, tickmode="auto")
    figure = go.Figure(layout=layout)
    for values, name, colour in ((real, "real", theme.REAL), (fake, "generated", theme.FAKE)):
        figure.add_trace(
            go.Scatter(
                x=_floats(xs) if len(values) else [],
                y=_floats(values),
                name=name,
                meta=name,
                mode="lines",
                fill="tozeroy",
                line={"width": 2.2, "color": colour},
                fillcolor=theme.rgba(colour, 0.18),
                hovertemplate="%{y:.3g}",
            )
        )
    for values, role, name, dash in (
        (critic, "critic", critic_title, "dash"),
        (optimal, "best", "best possible D", "dot"),
    ):
        figure.add_trace(
            go.Scatter(
                x=_floats(xs) if len(values) else [],
                y=_floats(values),
                name=name,
                meta=role,
                yaxis="y2",
                mode="lines",
                line={"width": 2.2, "color": theme.D, "dash": dash},
                opacity=1.0 if dash == "dash" else 0.75,
                hovertemplate="%{y:.3g}",
            )
        )
    figure.update_layout(yaxis={"rangemode": "tozero"})
    return figure

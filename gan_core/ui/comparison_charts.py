"""Figures of a comparison: one curve per variant over all its seeds. Pure functions, no Streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gan_core.engine.curves import Range, smooth
from gan_core.engine.standings import Band, Curve, mean_over_seeds
from gan_core.ui import charts, figures, theme
from gan_core.ui.charts import Lines

BANDS: dict[Band, str] = {"std": "± sd", "interval": "95 % interval", "none": "no band"}
FEW = 4  # variants whose bands can be told apart where they lie over each other
LABEL_LENGTH = 22  # of an axis among others
Places = Mapping[str, Mapping[int, np.ndarray]]


def variant_colours(names: Sequence[str]) -> dict[str, str]:
    """Each variant its colour, by its place in the comparison."""
    return {name: theme.VARIANTS[index % len(theme.VARIANTS)] for index, name in enumerate(names)}


def over_seeds(
    curves: Mapping[str, Mapping[int, Curve]],
    *,
    y_title: str,
    x_title: str = "round",
    places: Places | None = None,
    floor: float | None = None,
    band: Band = "std",
    smoothing: float = 0.0,
    log_x: bool = False,
    log_y: bool = False,
    y_range: Range | None = None,
) -> go.Figure:
    """One measure: per variant its mean, the band over seeds, and single seeds as ghosts; a line at the value of real data.

    Seeds are put together round by round; ``places`` says where those rounds stand on the axis, for each variant and seed as
    long as its curve, and the mean stands at the mean of its seeds' places. With ``smoothing`` the mean is drawn smoothed
    (`gan_core.engine.curves.smooth`) over the mean itself, which is kept faint; ghosts and band are never smoothed.
    Traces, per variant: the ghosts in one, the band unless there is none, the raw mean where it is smoothed, the mean. Each
    trace more costs a browser time at every click.
    """
    figure = charts.curves([], y_title=y_title, x_title=x_title)
    least = min(
        (float(y[y > 0].min()) for seeds in curves.values() for _, y in seeds.values() if (y > 0).any()), default=1.0
    )
    for name, colour in variant_colours(list(curves)).items():
        by_seed = curves[name]
        where = {seed: rounds for seed, (rounds, _) in by_seed.items()} if places is None else places[name]
        several = len(by_seed) > 1
        quiet: dict[str, Any] = {"showlegend": False, "hoverinfo": "skip", "legendgroup": name}
        if several:
            ghosts = [(np.append(where[seed], np.nan), np.append(y, np.nan)) for seed, (_, y) in by_seed.items()]
            figure.add_scatter(
                x=np.concatenate([x for x, _ in ghosts]),
                y=np.concatenate([y for _, y in ghosts]),
                mode="lines",
                line={"color": theme.rgba(colour, 0.3), "width": 1},
                name=f"{name}, each seed",
                **quiet,
            )
        rounds, mean, low, high = mean_over_seeds(list(by_seed.values()), band)
        x = rounds if places is None else mean_over_seeds([(c[0], where[seed]) for seed, c in by_seed.items()])[1]
        if log_y:  # what lies below the smallest value of any seed has no place on such an axis
            low = np.maximum(low, least)
        if band != "none" and several:
            figure.add_scatter(
                **_outline(x, low, high),
                mode="lines",
                line={"width": 0},
                fill="toself",
                fillcolor=theme.rgba(colour, 0.16 if len(curves) <= FEW else 0.08),
                **quiet,
            )
        if smoothing:
            figure.add_scatter(
                x=x, y=mean, mode="lines", line={"color": theme.rgba(colour, 0.45), "width": 1.2}, **quiet
            )
        figure.add_scatter(
            x=x,
            y=smooth(mean, smoothing),
            mode="lines" if smoothing else "lines+markers",
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
    _scale(figure, log_x=log_x, log_y=log_y, y_range=y_range)
    return figure.update_layout(height=360)


def _outline(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, np.ndarray]:
    """The band between ``low`` and ``high`` (n,) as closed outlines, one for each stretch in which both are known."""
    known = np.isfinite(low) & np.isfinite(high)
    gaps = np.flatnonzero(np.diff(known)) + 1
    xs, ys = [], []
    for part in np.split(np.arange(len(x)), gaps):
        if known[part].all():
            xs += [x[part], x[part][::-1], [np.nan]]
            ys += [high[part], low[part][::-1], [np.nan]]
    return {"x": np.concatenate([[], *xs]), "y": np.concatenate([[], *ys])}


def loss_chart(
    series: Mapping[str, Curve],
    *,
    labels: Mapping[str, str],
    lines: Mapping[str, Lines],
    x_title: str = "round",
    smoothing: float = 0.0,
    log_x: bool = False,
    log_y: bool = False,
    y_range: Range | None = None,
) -> go.Figure:
    """The losses of one variant with the lines at which they stand when the game is balanced. Losses of different
    objectives share no axis.

    Traces, per column: the curve as it was, faint, where it is smoothed; the curve.
    """
    drawn = {name: (x, smooth(y, smoothing)) for name, (x, y) in series.items()}
    figure = charts.curves(drawn, y_title="loss", x_title=x_title, labels=labels, lines=lines)
    if smoothing:
        for name, colour in charts.column_colours(list(series)).items():
            x, y = series[name]
            faint = {"color": theme.rgba(colour, 0.35), "width": 1}
            figure.add_scatter(x=x, y=y, mode="lines", line=faint, showlegend=False, hoverinfo="skip")
        count = len(series)
        figure.data = [*figure.data[count:], *figure.data[:count]]
    _scale(figure, log_x=log_x, log_y=log_y, y_range=y_range)
    return figure.update_layout(height=240)


def parallel(
    knobs: Mapping[str, Sequence[Any]],
    results: Mapping[str, Sequence[float]],
    variants: Sequence[str],
    *,
    text_colour: str,
) -> go.Figure:
    """Knobs and results as parallel axes, a line per run in the colour of its variant. Trace 0.

    Both are titles with a value per run. The values of a knob stand evenly apart, words and None among them; a result has
    an axis of numbers. ``variants`` names the variant of each run.
    """
    colours = variant_colours(list(dict.fromkeys(variants)))
    order = list(colours)
    steps = max(1, len(order) - 1)
    scale = [[index / steps, colour] for index, colour in enumerate(colours.values())]
    font = {"color": text_colour, "size": 13, "family": theme.FONT}
    figure = go.Figure(layout={**figures.layout("", ""), "margin": {"l": 90, "r": 70, "t": 50, "b": 24}, "height": 320})
    figure.add_trace(
        go.Parcoords(
            line={
                "color": [order.index(name) for name in variants],
                "colorscale": scale if len(order) > 1 else [[0, scale[0][1]], [1, scale[0][1]]],
                "cmin": 0,
                "cmax": steps,
            },
            dimensions=[
                *({"label": _short(title), **_evenly(values)} for title, values in knobs.items()),
                *({"label": _short(title), "values": list(values)} for title, values in results.items()),
            ],
            labelfont=font,
            tickfont={**font, "size": 12},
            rangefont={**font, "size": 1, "color": "rgba(0,0,0,0)"},
            labelangle=0,
            unselected={"line": {"opacity": 0.08}},
        )
    )
    return figure


def _short(title: str) -> str:
    """A title as an axis has room for it."""
    return title if len(title) <= LABEL_LENGTH else f"{title[: LABEL_LENGTH - 1].rstrip()}…"


def _evenly(values: Sequence[Any]) -> dict[str, Any]:
    """An axis with a tick for each value: numbers first, in order, then whatever else there is."""
    numbers = sorted({value for value in values if isinstance(value, int | float) and not isinstance(value, bool)})
    texts = [f"{value:g}" if value in numbers else str(value) for value in values]
    ticks = list(dict.fromkeys([*(f"{number:g}" for number in numbers), *texts]))
    places = list(range(len(ticks)))
    return {
        "values": [ticks.index(text) for text in texts],
        "tickvals": places,
        "ticktext": ticks,
        "range": [0, len(ticks) - 1] if len(ticks) > 1 else [-0.5, 0.5],
    }


def _scale(figure: go.Figure, *, log_x: bool, log_y: bool, y_range: Range | None) -> None:
    """Logarithmic axes, and a y axis that a few values do not decide."""
    if log_x:
        figure.update_xaxes(type="log", rangemode="normal", tickformat=None)
    if log_y:
        figure.update_yaxes(type="log", exponentformat="power", nticks=0)
    if y_range is not None:
        low, high = y_range.low, y_range.high
        if log_y:
            drawn = np.concatenate([np.asarray(trace.y, np.float64) for trace in figure.data if trace.y is not None])
            above = drawn[np.isfinite(drawn) & (drawn > 0)]
            if not len(above) or high <= 0:
                return
            low, high = float(np.log10(max(low, above.min()))), float(np.log10(high))
        figure.update_yaxes(range=[low, high], autorange=False)

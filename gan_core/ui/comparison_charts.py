"""Figures of a comparison: one curve per variant over all its seeds. Pure functions, no Streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go

from gan_core.engine.comparing.curves import Axis, Range, smooth
from gan_core.engine.comparing.standings import Band, Curve, mean_over_seeds
from gan_core.ui import charts, figures, theme
from gan_core.ui.charts import Lines

BANDS: dict[Band, str] = {"std": "± sd", "interval": "95 % interval", "none": "no band"}
FEW = 4  # variants whose bands can be told apart where they lie over each other
LABEL_LENGTH = 22  # of an axis among others
HEIGHT = 360  # pixels
FLOOR: dict[str, Any] = {
    "line": {"color": theme.REAL, "width": 1.4, "dash": "dot"},
    "annotation_text": "real data",
    "annotation_position": "top right",
}
Places = Mapping[str, Mapping[int, np.ndarray]]
Role = Literal["ghosts", "std", "interval", "raw", "mean"]


def variant_colours(names: Sequence[str]) -> dict[str, str]:
    """Each variant its colour, by its place in the comparison."""
    return {name: theme.VARIANTS[index % len(theme.VARIANTS)] for index, name in enumerate(names)}


class SeedTrace(NamedTuple):
    """One trace of a measure over seeds. ``x`` gives its places (n,) by axis, ``y`` (n,) its values, ``look`` the rest."""

    role: Role
    x: dict[Axis, np.ndarray]
    y: np.ndarray
    look: dict[str, Any]


def seed_traces(curves: Mapping[str, Mapping[int, Curve]], places: Mapping[Axis, Places]) -> list[SeedTrace]:
    """Everything that can be drawn of one measure; which of it is shown, and along which axis, is up to who draws.

    Seeds are put together round by round; ``places`` says, for each axis, variant and seed, where those rounds stand, and a
    mean stands at the mean of its seeds' places. Per variant: the single seeds as ghosts in one trace, the bands of several
    seeds, the mean as it is, faint, and the mean.
    """
    traces = []
    for name, colour in variant_colours(list(curves)).items():
        by_seed = curves[name]
        quiet: dict[str, Any] = {"mode": "lines", "showlegend": False, "hoverinfo": "skip", "legendgroup": name}
        along = {
            axis: mean_over_seeds([(rounds, of[name][seed]) for seed, (rounds, _) in by_seed.items()])[1]
            for axis, of in places.items()
        }
        if len(by_seed) > 1:
            look = {**quiet, "line": {"color": theme.rgba(colour, 0.3), "width": 1}, "name": f"{name}, each seed"}
            each = {axis: _one_line([of[name][seed] for seed in by_seed]) for axis, of in places.items()}
            traces.append(SeedTrace("ghosts", each, _one_line([y for _, y in by_seed.values()]), look))
            fill = theme.rgba(colour, 0.16 if len(curves) <= FEW else 0.08)
            for band in ("std", "interval"):
                _, _, low, high = mean_over_seeds(list(by_seed.values()), band)
                outlines = {axis: _outline(x, low, high) for axis, x in along.items()}
                y = next(iter(outlines.values()))["y"]
                look = {**quiet, "line": {"width": 0}, "fill": "toself", "fillcolor": fill}
                traces.append(SeedTrace(band, {axis: outline["x"] for axis, outline in outlines.items()}, y, look))
        mean = mean_over_seeds(list(by_seed.values()))[1]
        look = {**quiet, "line": {"color": theme.rgba(colour, 0.45), "width": 1.2}}
        traces.append(SeedTrace("raw", along, mean, look))
        look = {"mode": "lines+markers", "line": {"color": colour, "width": 2.4}, "marker": {"size": 4}, "name": name}
        traces.append(SeedTrace("mean", along, mean, {**look, "legendgroup": name, "hovertemplate": "%{y:.4~g}"}))
    return traces


def over_seeds(
    curves: Mapping[str, Mapping[int, Curve]], *, y_title: str, floor: float | None = None, band: Band = "std"
) -> go.Figure:
    """One measure by rounds: per variant its mean, the band over seeds, and single seeds as ghosts; a line at the value of
    real data."""
    figure = charts.curves([], y_title=y_title)
    rounds = {name: {seed: x for seed, (x, _) in by_seed.items()} for name, by_seed in curves.items()}
    for trace in seed_traces(curves, {"round": rounds}):
        if trace.role in ("ghosts", "mean", band):
            figure.add_scatter(x=trace.x["round"], y=trace.y, **trace.look)
    if floor is not None:
        figure.add_hline(floor, **FLOOR)
    return figure.update_layout(height=HEIGHT)


def _one_line(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Several curves as one, with a gap after each."""
    return np.concatenate([np.append(np.asarray(part, np.float64), np.nan) for part in parts])


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
    of: Mapping[str, str] | None = None,
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
    figure = charts.curves(drawn, y_title="loss", x_title=x_title, of=of, labels=labels, lines=lines)
    if smoothing:
        for name, colour in charts.column_colours(list(series), of).items():
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

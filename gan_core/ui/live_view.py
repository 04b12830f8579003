"""The live view of one run: a component that opens one WebSocket and draws all of a Watch page, without a rerun of Python.

A page says which panels it wants; the panels know their charts as skeleton figures (`gan_core.ui.charts`) and the names of the
columns that fill them. The data that the component gets stays the same between reruns, so a rerun costs it nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import plotly

from gan_core.config import ALL_CURES
from gan_core.engine.showing.pictures import GAP
from gan_core.ui import charts, scripts, theme

PLOTLY_URL = f"/assets/plotly-{plotly.__version__}.js"
"""Our own route; the server serves the file of the plotly package at this address."""

Panel = dict[str, Any]

GENERATED = "generated samples"
LEAD = "lead"
"""What the views beside it call the one that leads."""
MARKED_EVENTS = ("diverged", "knob", "paused", "resumed", "forked", "fork", "verdict")
"""Kinds of events that have a line on curves."""
BEGINNINGS = ("starting", "learning")
"""Verdicts of a run about which little can be said yet: they have no onset, and cards do not show them."""

_COMPONENT = scripts.component("live_view", "live/view.js", "live/live_view.css", "live/stage.css")

COLOURS: dict[str, Any] = {
    "real": theme.REAL,
    "fake": theme.FAKE,
    "unsure": theme.UNSURE,
    "mark": theme.MARK,
    "lighter": theme.LIGHTER,
    "darker": theme.DARKER,
    "spare": [colour for colour in theme.OKABE_ITO if colour not in (theme.D, theme.G)],
}


def live_view(
    run_id: str,
    ticket: str,
    layout: Sequence[Panel],
    *,
    key: str,
    epoch: str | int = "",
    beside: Sequence[str] = (),
    leads: bool = False,
    fits: float = 0.0,
    at: int | None = None,
    name: str = "",
    colour: str = "",
) -> None:
    """Show a run as it trains.

    ``ticket`` opens the live routes for this run; ``layout`` are panels from the functions below, in order. The view stops
    listening when a run has ended; a page that starts it again (resume) passes another ``epoch``. ``beside`` are runs whose
    views stand beside this one: the view is compact then, and a round that is chosen in one is chosen in all. A view that
    ``leads`` has the one slider of all, and is called ``LEAD`` by the others. The panels of one that ``fits`` are as high as
    the window leaves room, when what stands around their charts takes so much, in rem. ``at`` is the round that is looked at
    first, None the newest.
    ``name`` and ``colour`` head a view among others.
    """
    _COMPONENT(
        key=f"run-view:{key}",  # first.css keeps room for what is called so, and for nothing else
        data={
            "run": run_id,
            "ticket": ticket,
            "plotly": PLOTLY_URL,
            "layout": list(layout),
            "colours": COLOURS,
            "gap": GAP,
            "cures": {name: cure.title for name, cure in ALL_CURES.items()},
            "epoch": str(epoch),
            "beside": list(beside),
            "leads": leads,
            "fits": fits,
            "at": at,
            "name": name,
            "colour": colour,
        },
        on_stale_change=lambda: None,
    )


# -- panels -------------------------------------------------------------------------------------------------------


def curves_panel(
    slot: str,
    title: str,
    columns: Sequence[str] = (),
    *,
    y_title: str,
    match: Sequence[str] = (),
    track: str = "turns",
    of: Mapping[str, str] | None = None,
    log_y: bool = False,
    y_range: tuple[float, float] | None = None,
    y_format: str = ".4~g",
    note: str = "",
    reading: bool = False,
    floors: bool = False,
    levels: Sequence[tuple[float, str]] = (),
    span: int | str = 1,
) -> Panel:
    """Curves over rounds: named columns, and any column that matches a pattern like ``*.loss``. ``levels`` are lines across
    all rounds that the page adds, each with its words.

    Names in the legend come from the run's reference (``labels``). With ``reading`` the reading aid of the loss stands below;
    with ``floors`` what real data reads is a line in the colour of each curve.
    """
    figure = charts.curves(columns, y_title=y_title, of=of, log_y=log_y, y_range=y_range, y_format=y_format)
    model = charts.skeleton(charts.curves(["-"], y_title=y_title, y_format=y_format))["data"][0]
    traces = [{"column": column, "track": track} for column in columns]
    patterns = [{"match": pattern, "track": track} for pattern in match]
    return _panel(
        slot,
        "curves",
        title,
        figure=charts.skeleton(figure),
        traces=[*traces, *patterns],
        trace=model,
        note=note,
        reading=reading,
        floors=floors,
        levels=[list(level) for level in levels],
        span=span,
    )


def histogram_panel(
    slot: str = "histogram",
    title: str = "Classes of the generated samples",
    bins: str = "class",
    *,
    of: str = GENERATED,
    **extra: Any,
) -> Panel:
    """Share of each class of what is shown, from a frame's ``histogram``; the real mix and its band from the reference."""
    figure = _called(charts.skeleton(charts.class_histogram([], bins=bins)), of)
    return _panel(slot, "histogram", title, figure=figure, **extra)


def heatmap_panel(slot: str = "heatmap", title: str = "Classes over time", bins: str = "class", **extra: Any) -> Panel:
    """The histograms of all frames as one picture."""
    return _panel(slot, "heatmap", title, figure=charts.skeleton(charts.class_heatmap([], bins=bins)), **extra)


def samples_panel(slot: str = "samples", title: str = "Samples", *, of: str = GENERATED, **extra: Any) -> Panel:
    """The image grid of the selected round."""
    return _panel(slot, "grid", title, waiting="waiting for the first samples…", of=of, **extra)


def sheet_panel(slot: str, title: str, part: str, *, codes: str = "", **extra: Any) -> Panel:
    """Pictures in rows and columns, from a frame's ``part``, and beside them the points of its part ``codes``, if any."""
    return _panel(slot, "sheet", title, part=part, codes=codes, **extra)


def points_panel(
    slot: str = "points",
    title: str = "Real and generated points",
    *,
    abilities: Collection[str] = ("judge", "sample", "push"),
    of: str = GENERATED,
    **extra: Any,
) -> Panel:
    """Two-dimensional data over what the critic thinks of the plane; the legend has what a game with these abilities shows."""
    figure = _called(charts.skeleton(charts.scatter_2d()), of)
    if of != GENERATED:
        title = title.replace("and generated points", f"points and {'' if 'translate' in abilities else 'their '}{of}")
    if "translate_back" in abilities:
        figure["data"].append(charts.skeleton(charts.ways())["data"][0])
    hidden = {role for ability, role in charts.LAYERS_OF.items() if ability not in abilities}
    for trace in figure["data"]:
        if trace["meta"] in hidden:
            trace["showlegend"] = False
    return _panel(slot, "points", title, figure=figure, **extra)


def density_panel(
    slot: str = "density", title: str = "Real and generated density", *, judged: bool = True, **extra: Any
) -> Panel:
    """One-dimensional data with the critic, where the game has one, on an axis of its own."""
    figure = charts.skeleton(charts.density_1d())
    if not judged:
        for trace in figure["data"]:
            trace["showlegend"] = trace["meta"] not in ("critic", "best")
        figure["layout"]["yaxis2"]["visible"] = False
    return _panel(slot, "density", title, figure=figure, **extra)


def numbers_panel(
    numbers: Sequence[Mapping[str, Any]], slot: str = "numbers", title: str = "Measured", **extra: Any
) -> Panel:
    """What is measured: tiles of those that ``lead``, and a table of all; one without data hides.

    A number has its ``column`` of the diagnostics, ``label``, ``format`` (of `gan_core.said`), ``better`` and ``slack`` (of a
    `Metric`), the ``way`` that is good in words and a ``help``; ``counts`` says that it is of all modes, ``unless`` the
    column above or below which it says nothing, and why.
    """
    return _panel(slot, "numbers", title, numbers=[dict(number) for number in numbers], **extra)


def overlay_panel(slot: str, column: str, measure: str, runs: Mapping[str, tuple[str, str]], **extra: Any) -> Panel:
    """One measurement of several runs that are shown beside each other; ``runs`` gives each its name and its colour.

    The panel shows ``column``, titled ``measure``, unless the page has the chart over seeds; then the measure of that chart.
    """
    names = {run: name for run, (name, _) in runs.items()}
    colours = {run: colour for run, (_, colour) in runs.items()}
    figure = charts.skeleton(charts.curves(list(runs), y_title="", labels=names, colours=colours))
    title = f"{measure}, this seed"
    return _panel(slot, "overlay", title, figure=figure, runs=list(runs), column=column, measure=measure, **extra)


def board_panel(
    slot: str, title: str, rankings: Sequence[Mapping[str, Any]], runs: Mapping[str, tuple[str, str]], **extra: Any
) -> Panel:
    """Who is ahead at the round that is shown, by each of ``rankings``: a ``title``, and a measure as in `numbers_panel`."""
    known = {run: {"name": name, "colour": colour} for run, (name, colour) in runs.items()}
    return _panel(slot, "board", title, rankings=[dict(ranking) for ranking in rankings], runs=known, **extra)


def _called(figure: dict[str, Any], of: str) -> dict[str, Any]:
    """The figure with what is shown called by its name in the legend, where these are no samples of noise."""
    for trace in figure["data"]:
        if of != GENERATED and trace["meta"] == "generated":
            trace["name"] = of
    return figure


def without_legend(panel: Panel) -> Panel:
    """The same panel where the legend would take the room of the picture."""
    figure = panel["figure"]
    return {**panel, "figure": {**figure, "layout": {**figure["layout"], "showlegend": False}}}


def watch_layout(
    view: str = "images", *, classes: bool = True, numbers: Sequence[Mapping[str, Any]] = ()
) -> list[Panel]:
    """The usual panels of a run. ``view`` is what is generated: ``images``, ``points`` (2-D) or ``density`` (1-D)."""
    shown: dict[str, Callable[[], Panel]] = {
        "images": samples_panel,
        "points": points_panel,
        "density": density_panel,
    }
    seen = shown[view]()
    return [
        curves_panel("loss-chart", "Losses", match=["*.loss"], y_title="loss", reading=True),
        seen,
        *([histogram_panel(), heatmap_panel()] if classes else []),
        curves_panel("scores-chart", "Scores", match=["*.real", "*.fake"], y_title="mean"),
        curves_panel("gradients-chart", "Gradient norms", match=["*.grad_norm"], y_title="norm", log_y=True),
        *([numbers_panel(numbers, span="all")] if numbers else []),
    ]


def _panel(slot: str, kind: str, title: str, **extra: Any) -> Panel:
    return {"slot": slot, "kind": kind, "title": title, "traces": [], **extra}

"""What a comparison came to, over all its seeds: curves with bands, the table, the losses each on its own, the knobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from gan_core.config import ConfigError, Difference, RunConfig, losses_of, of_a_game
from gan_core.engine import describe, traits
from gan_core.engine.comparing import curves, standings
from gan_core.engine.comparing.curves import Axis
from gan_core.engine.comparing.headlines import headlines
from gan_core.engine.comparing.standings import METRICS, Curve, Standing
from gan_core.ui import charts, comparison_charts, seeds_chart, theme
from gan_core.ui.seeds_chart import Measure, View
from gan_core.ui.shell import as_typed, lab

AXIS_OF: dict[str, Axis] = {"rounds": "round", "images": "images", "seconds": "seconds"}
LOSS_POINTS = 400  # of a loss over all its rounds
MOST_KNOBS = 6
MOST_POINTS = 60_000  # of all measures and runs, that a browser gets at once
CHART = "compare:curves"
TOLD = ("modes_covered", "high_quality_share", "frechet_distance", "kl_to_real")  # beside the knobs, where measured


def show(
    found: Sequence[Standing],
    floors: Mapping[str, float],
    measured: Sequence[str],
    differing: Sequence[Difference],
    *,
    axis: Axis,
    active: bool,
) -> None:
    """Everything below the columns. ``axis`` is what the curves are drawn against unless somebody chooses another."""
    st.subheader("Over all seeds", anchor=False)
    if active:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("As far as they are now; it is drawn anew when all have ended.")
            st.button("Draw anew", icon=":material/refresh:", key="compare:refresh")
    _headlines(found, floors)

    default = View(measured[0], axis)
    known = tuple((s.run.id, s.run.status, s.verdict, max(map(_length, s.curves.values()), default=0)) for s in found)
    root = str(lab().store.root)

    @st.fragment
    def by_one_measure() -> None:
        view = seeds_chart.asked_for(CHART, default, measured)
        titles = {name: standings.title(name) for name in measured}
        view = seeds_chart.show(_drawn(root, known, view.metric, found, floors), view, default, titles, key=CHART)
        if st.toggle("The losses, each on its own axes", key="losses", bind="query-params"):
            _losses(found, view)
        metric = view.metric
        told = _told(root, known, metric, floors.get(metric), found)
        if told.verdicts:
            st.markdown("\n".join(f"- {as_typed(line)}" for line in told.verdicts))
        table = _coloured(told.table, told.shades)
        st.dataframe(table, hide_index=True, column_config=_columns(found, metric))

    by_one_measure()
    st.caption(
        "By the last measurement of each seed. A run that failed or diverged has no result. ± is the standard deviation over "
        "seeds, the interval Student's for the mean. A difference counts when, of the differences seed by seed, Student's "
        "interval and the bootstrap's, both at 95 %, leave out zero; of many such comparisons one in twenty errs by chance."
    )
    _parallel(found, differing)
    with st.expander("All measures", icon=":material/table:"):
        st.dataframe(all_measures(found, floors), hide_index=True)
        st.caption("Mean ± standard deviation over seeds of the last measurement; in brackets the rank.")


def _headlines(found: Sequence[Standing], floors: Mapping[str, float]) -> None:
    """Who is sharpest and who covers most, with the numbers that say so."""
    told = headlines(found, floors)
    for place, headline in zip(st.columns(len(told)) if told else (), told, strict=True):
        numbers = "".join(f"\n- {as_typed(line)}" for line in headline.numbers)
        place.markdown(f"**{headline.question}: {as_typed(headline.answer)}**{numbers}")


def _length(curve: Curve) -> int:
    return len(curve[0])


class _Told(NamedTuple):
    """What is said of one measure: a sentence for each pair worth one, and the table with a colour per row."""

    verdicts: list[str]
    table: list[dict[str, Any]]
    shades: list[str]


# `known` is the key of both caches: they are computed again when a run has more measurements.


@st.cache_data(max_entries=32, show_spinner=False)
def _told(
    root: str, known: tuple[tuple[Any, ...], ...], metric: str, floor: float | None, _found: Sequence[Standing]
) -> _Told:
    table, shades = one_measure(_found, {} if floor is None else {metric: floor}, metric)
    return _Told(standings.verdicts(_found, metric, floor), table, shades)


@st.cache_data(max_entries=16, show_spinner=False)
def _drawn(
    root: str,
    known: tuple[tuple[Any, ...], ...],
    metric: str,
    _found: Sequence[Standing],
    _floors: Mapping[str, float],
) -> dict[str, Any]:
    """The curves of all measures, by all axes; only of the one that is shown where all would be too much for a browser."""
    places = {standing.run.id: _places_of_all(standing) for standing in _found}
    measures = {name: _measure(_found, name, places, _floors.get(name)) for name in standings.measures(_found)}
    if sum(measure.size() for measure in measures.values()) > MOST_POINTS:
        measures = {metric: measures[metric]}
    return seeds_chart.contents(measures)


def _measure(
    found: Sequence[Standing], name: str, places: Mapping[str, Mapping[Axis, np.ndarray]], floor: float | None
) -> Measure:
    by_variant: dict[str, dict[int, Curve]] = {}
    along: dict[Axis, dict[str, dict[int, np.ndarray]]] = {axis: {} for axis in curves.AXES}
    for standing in found:
        if name in standing.curves:
            by_variant.setdefault(standing.variant, {})[standing.seed] = standing.curves[name]
            for axis, of in along.items():
                of.setdefault(standing.variant, {})[standing.seed] = places[standing.run.id][axis]
    return Measure(standings.title(name), by_variant, along, floor)


def _places_of_all(standing: Standing) -> dict[Axis, np.ndarray]:
    """Where the measurements of a run stand, which are all taken at the same rounds."""
    rounds = next((rounds for rounds, _ in standing.curves.values()), np.empty(0))
    return {axis: _places(standing, rounds, axis) for axis in curves.AXES}


def _places(standing: Standing, rounds: np.ndarray, axis: Axis) -> np.ndarray:
    config = _config(standing)
    return rounds if config is None else curves.places(lab().store, standing.run.id, config, rounds, axis)


def _scale(view: View, series: Mapping[str, Curve]) -> tuple[dict[str, Any], str]:
    """How a figure is to scale its axes, and a sentence on what it leaves out."""
    drawn = [y for _, y in series.values()]
    limits = curves.robust_range(drawn) if view.cut else None
    told = [
        seeds_chart.outside(limits.outside) if limits else "",
        seeds_chart.not_above_zero(np.concatenate(drawn)) if view.logy else "",
        seeds_chart.at_zero([x for x, _ in series.values()]) if view.logx else "",
    ]
    return {"log_x": view.logx, "log_y": view.logy, "y_range": limits}, " ".join(filter(None, told))


def _losses(found: Sequence[Standing], view: View) -> None:
    """One small chart per variant: the means over its seeds, with the aid to read this loss."""
    st.caption("Means over seeds. Losses of different objectives measure different things, so none shares an axis.")
    variants = standings.variants(found)
    colours = comparison_charts.variant_colours(variants)
    for start in range(0, len(variants), LOSSES_IN_A_ROW):
        for place, variant in zip(st.columns(LOSSES_IN_A_ROW), variants[start : start + LOSSES_IN_A_ROW], strict=False):
            mine = [standing for standing in found if standing.variant == variant]
            config = _config(mine[0])
            with place.container(border=True):
                st.markdown(
                    f'<span style="color:{colours[variant]}">■</span> **{as_typed(variant)}**', unsafe_allow_html=True
                )
                told = describe(config) if config is not None else {}
                series, width = loss_curves(mine)
                if not series:
                    st.caption("Nothing was recorded yet.")
                    continue
                placed = {
                    name: (_places(mine[0], rounds, view.axis), values) for name, (rounds, values) in series.items()
                }
                scale, left_out = _scale(view, placed)
                figure = comparison_charts.loss_chart(
                    placed,
                    labels=told.get("labels", {}),
                    lines=told.get("lines", {}),
                    of=traits(config).of if config is not None else {},
                    x_title=seeds_chart.TITLES[view.axis],
                    smoothing=view.smooth,
                    **scale,
                )
                st.plotly_chart(figure, config=charts.STATIC, key=f"compare:loss:{variant}")
                every = f"Each point is the mean of {width:,} rounds. " if width > 1 else ""
                st.caption(f"{told.get('reading', '')} {every}{left_out}")


LOSSES_IN_A_ROW = 2


def loss_curves(mine: Sequence[Standing]) -> tuple[dict[str, Curve], int]:
    """The losses of all players, means over the seeds of one variant, and how many rounds each point stands for."""
    names = losses_of(mine[0].run.config) if mine else []
    tracks = [lab().store.track(standing.run.id, "turns", names) for standing in mine]
    last = max((int(track.rounds[-1]) for track in tracks if len(track)), default=0)
    width = -(-last // LOSS_POINTS)
    found = {}
    for name in names:
        some = [curves.thinned(track.rounds, track.column(name), width) for track in tracks if len(track)]
        if some:
            rounds, mean, _, _ = standings.mean_over_seeds(some)
            found[name] = rounds, mean
    return found, width


def one_measure(
    found: Sequence[Standing], floors: Mapping[str, float], metric: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """The variants by one measure, the best first: its course, the mean, how sure, the rank, and what became of the seeds;
    and the colour of each row."""
    rows = standings.table(found, metric, floors.get(metric))
    first = next((row.variant for row in rows if row.rank == 1), None)
    ordered = sorted(rows, key=lambda row: (row.rank is None, row.rank or 0))
    colours = comparison_charts.variant_colours(standings.variants(found))
    table = [
        {
            "": "■",
            "variant": row.variant,
            "rank": str(row.rank or "–"),
            "course": _course(found, row.variant, metric),
            "mean": standings.spread(row.interval, metric) + (f", {row.why}" if row.why else ""),
            "interval": standings.sure(row, floors.get(metric)),
            "apart": ""
            if first is None or row.variant == first or row.why
            else _apart(found, metric, row.variant, first),
            "seeds": ", ".join(f"{count} {what}" for what, count in standings.outcomes(found, row.variant).items()),
        }
        for row in ordered
    ]
    real = dict.fromkeys(table[0], "") | {"": "■", "variant": "real data", "course": None}
    real["mean"] = standings.real(metric, floors)
    shades = [*(colours[row.variant] for row in ordered), theme.REAL]
    return [*table, real], shades


def _coloured(table: Sequence[Mapping[str, Any]], shades: Sequence[str]) -> Any:
    styled = pd.DataFrame(list(table)).style
    return styled.apply(lambda column: [f"color: {shade}" for shade in shades], subset=[""])


def _columns(found: Sequence[Standing], metric: str) -> dict[str, Any]:
    drawn = [y[np.isfinite(y)] for s in found if metric in s.curves for y in [s.curves[metric][1]]]
    values = np.concatenate([np.empty(0), *drawn])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    high = high if high > low else low + 1.0  # an axis has two ends
    config = st.column_config
    return {
        "": config.TextColumn("", width=30),
        "rank": config.TextColumn("rank", width=60),
        "course": config.LineChartColumn("course (mean over seeds)", y_min=low, y_max=high, width="medium"),
        "mean": config.TextColumn(f"{standings.title(metric)}, mean ± sd ({METRICS[metric].way})"),
        "interval": config.TextColumn("95 % interval", width="medium"),
        "apart": config.TextColumn("from the first", width="medium"),
        "seeds": config.TextColumn("what became of its seeds", width="large"),
    }


def _course(found: Sequence[Standing], variant: str, metric: str) -> list[float]:
    own = [s.curves[metric] for s in found if s.variant == variant and metric in s.curves]
    mean = standings.mean_over_seeds(own)[1] if own else np.empty(0)
    return [float(value) for value in mean[np.isfinite(mean)]]


def _apart(found: Sequence[Standing], metric: str, variant: str, first: str) -> str:
    difference = standings.paired(found, metric, variant, first)
    if difference.n < 2:
        return "too few seeds"
    mean = difference.student.mean
    told = f"{'+' if mean > 0 else ''}{standings.told(metric, mean)}"
    if not difference.distinguishable:
        return f"{told}, may be chance"
    return f"{told} ± {standings.told(metric, difference.student.half)}"


def all_measures(found: Sequence[Standing], floors: Mapping[str, float]) -> list[dict[str, str]]:
    """A row per measure, with the cell of each variant, what real data reads and which way is better."""
    return [
        {
            "measure": standings.title(metric),
            **{row.variant: standings.cell(row) for row in standings.table(found, metric, floors.get(metric))},
            "real data": standings.real(metric, floors),
            "": METRICS[metric].way,
        }
        for metric in standings.measures(found)
    ]


def knob_axes(found: Sequence[Standing], differing: Sequence[Difference]) -> dict[str, list[Any]]:
    """The settings in which the variants were meant to differ, a value per run; none where only the objective or the game
    does."""
    asked = [difference for difference in differing if difference.asked and not of_a_game(difference, differing)]
    objective = [difference for difference in asked if difference.field == "objective.name"]
    # What an objective brings is no knob beside it.
    beside = ("objective.", "diagnostics.") if objective else ("diagnostics.",)
    knobs = [d for d in asked if d.field != "game" and not d.field.startswith(beside)]
    if not knobs:
        return {}
    shown = [*objective, *knobs]
    names = [d.field.rpartition(".")[2] for d in shown]
    return {
        name if names.count(name) == 1 else ".".join(d.field.split(".")[-2:]): [d.values.get(s.variant) for s in found]
        for name, d in zip(names, shown, strict=True)
    }


def _parallel(found: Sequence[Standing], differing: Sequence[Difference]) -> None:
    whole = [standing for standing in found if standings.last_values(standing)]
    knobs = knob_axes(whole, differing)
    if not knobs or not whole:
        return
    measured = standings.measures(whole)
    told = [name for name in TOLD if name in measured][:3] or measured[:3]
    results = {standings.title(name): [standings.last_values(s).get(name, np.nan) for s in whole] for name in told}
    st.subheader("Knobs and what came of them", anchor=False)
    dark = st.context.theme.type == "dark"
    figure = comparison_charts.parallel(
        dict(list(knobs.items())[:MOST_KNOBS]),
        results,
        [standing.variant for standing in whole],
        text_colour=str(st.get_option(f"theme.{'dark' if dark else 'light'}.textColor")),
    )
    st.plotly_chart(figure, config=charts.STATIC, key="compare:parallel")
    more = f" Only {MOST_KNOBS} of the {len(knobs)} settings that differ have room." if len(knobs) > MOST_KNOBS else ""
    st.caption(f"A line is a run, in the colour of its variant. Draw along an axis to see only the runs there.{more}")


def _config(standing: Standing) -> RunConfig | None:
    try:
        return RunConfig.load(standing.run.config)
    except ConfigError:  # of a version with other names
        return None

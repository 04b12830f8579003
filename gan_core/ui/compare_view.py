"""A comparison on its page: columns that move together, curves over seeds, and who is ahead, as far as that can be told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from gan_core.config import Comparison, ConfigError, RunConfig, differences, differences_of
from gan_core.engine import standings
from gan_core.engine.standings import Standing
from gan_core.store import ACTIVE, ComparisonRecord, RunRecord, StoreError
from gan_core.ui import charts, comparison_charts, take_away, watching
from gan_core.ui.compare_form import show_differences
from gan_core.ui.live_view import LEAD, Panel, live_view, overlay_panel
from gan_core.ui.rights import pace
from gan_core.ui.shell import COMPARE, action_button, lab, said_in_a_sentence, ticket

_SHOWN = ("samples", "points", "density", "histogram", "loss-chart")
AXES = {
    "round": "round",
    "images": "images that D has seen",
    "steps": "optimiser steps",
    "seconds": "seconds of training",
}
IN_A_ROW = 4


def show(comparison: ComparisonRecord) -> None:
    """Draw the whole comparison."""
    found = standings.read_standings(lab().store, comparison.id)
    if not found:
        st.info("None of its runs is left.", icon=":material/search_off:")
        return
    active = any(_state(standing.run.id) in ACTIVE for standing in found)
    _header(comparison, found, active)
    seeds = sorted({standing.seed for standing in found})
    seed, metric = _choose(found, seeds)
    shown = {s.variant: s.run for s in found if s.seed == seed}
    _columns(comparison, shown, metric)
    _fairness(shown, seed)
    with st.expander("What differs", icon=":material/difference:", expanded=False):
        show_differences(_differences(comparison, found))
    if metric is None:
        st.info("Nothing has been measured yet.", icon=":material/hourglass_empty:")
    else:
        _results(found, metric, active)
    take_away.show(comparison.id)


def _header(comparison: ComparisonRecord, found: Sequence[Standing], active: bool) -> None:
    st.title(comparison.name, anchor=False)
    measured = bool(standings.measures(found))

    @st.fragment(run_every=pace(2.0) if active else None)
    def controls() -> None:
        states = Counter(_state(standing.run.id) for standing in found)
        ended = not any(state in ACTIVE for state in states)
        if active and (
            ended or (not measured and standings.measures(standings.read_standings(lab().store, comparison.id)))
        ):
            st.rerun()  # once: what can be looked at is known now
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(" · ".join(f"**{count}** {state}" for state, count in states.items()))
            offered = {button for state in states for button in watching.buttons_for(state)}
            for button in sorted(offered, key=lambda button: button.label):
                if button.command in ("pause", "resume", "stop") and action_button(
                    "steer", f"{button.label} all", key=f"{button.command}:all", icon=button.icon, help=button.help
                ):
                    with said_in_a_sentence():
                        lab().command_all(comparison.id, button.command)  # type: ignore[arg-type]
                    st.rerun()
            if states.keys() & {"interrupted", "stopped"} and action_button(
                "steer", "Continue all", icon=":material/play_arrow:"
            ):
                with said_in_a_sentence():
                    lab().resume_all(comparison.id)
                    st.rerun()
            if not active and action_button("edit", "Delete", icon=":material/delete:", type="tertiary"):
                with said_in_a_sentence():
                    lab().delete_comparison(comparison.id)
                    st.session_state["compare:deleted"] = comparison.id
                    st.switch_page(COMPARE)

    controls()


def _choose(found: Sequence[Standing], seeds: Sequence[int]) -> tuple[int, str | None]:
    """Which seed stands in the columns, and which measure is looked at; both are in the address."""
    left, right = st.columns([1, 3])
    seed = left.selectbox("Seed in the columns", seeds, key="seed", bind="query-params") if len(seeds) > 1 else seeds[0]
    measured = standings.measures(found)
    if not measured:
        return int(seed or seeds[0]), None
    metric = right.selectbox(
        "Measure",
        measured,
        format_func=standings.title,
        key="metric",
        bind="query-params",
        help="None of these depends on the loss; losses of different objectives cannot be compared",
    )
    return int(seed if seed is not None else seeds[0]), metric


def _columns(comparison: ComparisonRecord, shown: Mapping[str, RunRecord], metric: str | None) -> None:
    """A live view per variant, and one above them with the slider and the measure of all."""
    colours = comparison_charts.variant_colours(list(shown))
    runs = {run.id: (variant, colours[variant]) for variant, run in shown.items()}
    first = next(iter(shown.values()))
    told = standings.title(metric) if metric else ""
    overlay = [overlay_panel("overlay", f"{told}, this seed", metric, runs, y_title=told, span="all")] if metric else []
    live_view(
        first.id,
        ticket(first.id),
        overlay,
        key=f"lead:{comparison.id}",
        beside=list(runs),
        leads=True,
        epoch=_epoch(shown),
    )
    variants = list(shown)
    for start in range(0, len(variants), IN_A_ROW):
        row = variants[start : start + IN_A_ROW]
        for place, variant in zip(st.columns(min(len(variants), IN_A_ROW)), row, strict=False):
            run = shown[variant]
            with place:
                live_view(
                    run.id,
                    ticket(run.id),
                    column_panels(run),
                    key=f"column:{comparison.id}:{variant}",
                    beside=[LEAD, *(other for other in runs if other != run.id)],
                    epoch=str(run.started_at or ""),
                    name=variant,
                    colour=colours[variant],
                )


def column_panels(run: RunRecord) -> list[Panel]:
    """What is generated, how it spreads over the modes, and the losses with the aid to read them."""
    panels = {panel["slot"]: {**panel, "span": 1} for panel in watching.panels_for(run)}
    return [panels[slot] for slot in _SHOWN if slot in panels]


def _epoch(shown: Mapping[str, RunRecord]) -> str:
    return ",".join(str(run.started_at or "") for run in shown.values())


def _fairness(shown: Mapping[str, RunRecord], seed: int) -> None:
    same = begin_alike(list(shown.values()))
    if same is None:
        return
    if same:
        st.caption(
            f":material/check: At round 0 all columns show the same samples (seed {seed}): the same weights of G and the same "
            "noise. The data come in the same order too."
        )
    else:
        st.caption(
            ":material/info: At round 0 the samples differ: the generators are not the same network, or begin in another way."
        )


def begin_alike(runs: Sequence[RunRecord]) -> bool | None:
    """Whether the first samples of all these runs are equal; None where some have none yet."""
    seen = []
    for run in runs:
        frame = next(iter(lab().store.frames(run.id)), None)
        if frame is None or frame.round != 0:
            return None
        file = next((part["file"] for part in frame.parts.values() if isinstance(part, dict) and "file" in part), None)
        if file is None:
            return None
        if not file.endswith(".json"):
            seen.append(file)  # its name is the hash of what is in it
            continue
        try:  # beside the samples there is what D thinks, which is another number for each loss
            seen.append(json.dumps(json.loads(lab().store.artefact_path(run.id, file).read_text()).get("fake")))
        except (OSError, ValueError, StoreError):
            return None
    return len(set(seen)) == 1


def _differences(comparison: ComparisonRecord, found: Sequence[Standing]) -> list[Any]:
    try:
        if not comparison.collected:
            return differences_of(Comparison.load(comparison.spec))
        first = {s.variant: RunConfig.load(s.run.config) for s in reversed(found)}
        asked = [path for entry in comparison.spec.get("variants", []) for path in entry.get("changes", {})]
        return differences(dict(reversed(first.items())), asked)
    except ConfigError:  # of a version with other names
        return []


def _results(found: Sequence[Standing], metric: str, active: bool) -> None:
    floors = standings.read_floors(lab().store, found)
    st.subheader("Over all seeds", anchor=False)
    if active:
        st.caption("As far as they are now; it is drawn anew when all have ended.")
        st.button("Draw anew", icon=":material/refresh:", key="compare:refresh")
    axis_place, band_place = st.columns(2)
    axis = (
        axis_place.segmented_control("Against", list(AXES), default="round", format_func=AXES.__getitem__, key="axis")
        or "round"
    )
    band = band_place.segmented_control(
        "Band",
        list(comparison_charts.BANDS),
        default="std",
        format_func=comparison_charts.BANDS.__getitem__,
        key="band",
    )
    curves: dict[str, dict[int, standings.Curve]] = {}
    for standing in found:
        if metric in standing.curves:
            rounds, values = standing.curves[metric]
            curves.setdefault(standing.variant, {})[standing.seed] = (_places(standing, rounds, axis), values)
    st.plotly_chart(
        comparison_charts.over_seeds(
            curves,
            y_title=standings.title(metric),
            x_title=AXES[axis],
            floor=floors.get(metric),
            band=band or "none",
        ),
        config=charts.STATIC,
        key="compare:curves",
    )
    for line in standings.verdicts(found, metric, floors.get(metric)):
        st.markdown(f"- {line}")
    st.dataframe(results_table(found, floors), hide_index=True)
    st.caption(
        "Mean ± standard deviation over seeds of the last measurement; in brackets the rank. Runs that failed or diverged have "
        "no result. A difference counts when Student's interval and the bootstrap's of the paired differences leave out zero."
    )


def results_table(found: Sequence[Standing], floors: Mapping[str, float]) -> list[dict[str, str]]:
    """A row per variant, a column per measure, and what real data reads."""
    rows: dict[str, dict[str, str]] = {name: {"variant": name} for name in standings.variants(found)}
    real = {"variant": "real data"}
    for metric in standings.measures(found):
        title = standings.title(metric)
        for row in standings.table(found, metric, floors.get(metric)):
            rows[row.variant][title] = _cell(row)
        real[title] = f"{floors[metric]:.3g}" if metric in floors else ""
    return [*rows.values(), real]


def _cell(row: standings.Row) -> str:
    if not np.isfinite(row.interval.mean):
        return "–"
    spread = f" ± {row.interval.std:.2g}" if np.isfinite(row.interval.std) else ""
    return f"{row.interval.mean:.3g}{spread}" + (f" ({row.rank})" if row.rank else "")


def _places(standing: Standing, rounds: np.ndarray, axis: str) -> np.ndarray:
    """Rounds as what a run had done by then."""
    try:
        config = RunConfig.load(standing.run.config)
    except ConfigError:
        return rounds
    schedule = config.schedule
    if axis == "images":
        return rounds * schedule.n_critic * config.data.batch_size
    if axis == "steps":
        return rounds * (schedule.n_critic + schedule.generator_steps)
    if axis == "seconds":
        clock = lab().store.track(standing.run.id, "turns", ["seconds"])
        return np.interp(rounds, np.append(0, clock.rounds), np.append(0.0, clock.column("seconds")))
    return rounds


def _state(run_id: str) -> str:
    return str(lab().view(run_id).status["state"])

"""A comparison on its page: columns that move together, curves over seeds, and who is ahead, as far as that can be told."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from typing import Any

import streamlit as st

from gan_core.config import BUDGETS, Difference
from gan_core.engine.comparing import standings
from gan_core.engine.comparing.standings import Standing
from gan_core.engine.exchange.reproducing import what_differs
from gan_core.store import ACTIVE, ComparisonRecord, RunRecord, StoreError
from gan_core.ui import compare_results, comparison_charts, steering, take_away, watching
from gan_core.ui.compare_form import show_differences, what_was_brought
from gan_core.ui.live_view import LEAD, Panel, board_panel, live_view, overlay_panel, without_legend
from gan_core.ui.shell import as_typed, give_room, lab, ticket

_SIGHTS = ("samples", "points", "density")
_SHOWN = (*_SIGHTS, "histogram", "loss-chart")
RANKED: dict[str, tuple[str, ...]] = {
    "By coverage": ("modes_covered", "coverage", "recall", "vendi_score", "std_ratio"),
    "By quality": ("high_quality_share", "frechet_distance", "sliced_wasserstein", "wasserstein", "sample_grey_share"),
}
"""What the board of a wall may be sorted by; of each the first that was measured."""
IN_A_ROW = 4
STALE_SECONDS = 5.0  # that a page may be behind while runs train


def show(comparison: ComparisonRecord) -> None:
    """Draw the whole comparison."""
    states = steering.states_of(comparison)
    stand = (*states.values(), str(steering.has_measured(states)))
    found, floors = _read(str(lab().store.root), comparison.id, stand)
    if not found:
        st.info("None of its runs is left.", icon=":material/search_off:")
        return
    active = any(state in ACTIVE for state in states.values())
    give_room()
    st.title(as_typed(comparison.name), anchor=False)
    steering.show(comparison, states, measured=bool(standings.measures(found)))
    seeds = sorted({standing.seed for standing in found})
    seed = _choose_seed(seeds)
    measured = standings.measures(found)
    shown = {s.variant: s.run for s in found if s.seed == seed}
    _columns(comparison, shown, measured, {s.run.id for s in found if s.samples})
    st.caption(_colours_said(found))
    _fairness(shown, seed)
    differing = _differing(comparison.id, tuple(standing.run.id for standing in found), comparison, found)
    if brought := what_was_brought(differing):
        st.caption(f":material/balance: {as_typed(brought)}")
    with st.expander("What differs", icon=":material/difference:", expanded=False):
        show_differences(differing)
    if not measured:
        st.info("Nothing has been measured yet.", icon=":material/hourglass_empty:")
    else:
        unit = next((unit for unit in BUDGETS if comparison.spec.get(unit) is not None), "rounds")
        axis = compare_results.AXIS_OF[unit]
        compare_results.show(found, floors, measured, differing, axis=axis, active=active)
    take_away.show(comparison.id)


@st.cache_data(ttl=STALE_SECONDS, max_entries=8, show_spinner=False)
def _read(root: str, comparison_id: str, stand: tuple[str, ...]) -> tuple[list[Standing], dict[str, float]]:
    """The standings and what real data reads, shared by all who look; read again when a run begins, is measured or ends."""
    found = standings.read_standings(lab().store, comparison_id)
    return found, standings.read_floors(lab().store, found)


@st.cache_data(max_entries=32, show_spinner=False)
def _differing(
    comparison_id: str, runs: tuple[str, ...], _comparison: ComparisonRecord, _found: Sequence[Standing]
) -> list[Difference]:
    """In what its runs differ, which is settled when they are made."""
    return list(what_differs(_comparison, [(standing.variant, standing.run) for standing in _found]))


def _choose_seed(seeds: Sequence[int]) -> int:
    """Which seed stands in the columns; it is in the address."""
    if len(seeds) == 1:
        return seeds[0]
    seed = st.selectbox("Seed in the columns", seeds, key="seed", bind="query-params", width=260)
    return int(seeds[0] if seed is None else seed)


def _colours_said(found: Sequence[Standing]) -> str:
    """What is real and what is generated in the columns, and whose pictures are not samples."""
    said = "Green is real data, vermillion what is generated."
    without = list(dict.fromkeys(standing.variant for standing in found if not standing.samples))
    if not without:
        return said
    names = " and ".join(map(as_typed, without))
    return f"{said} {names}: no samples, but reconstructions of held-out data."


def _columns(
    comparison: ComparisonRecord, shown: Mapping[str, RunRecord], measured: Sequence[str], samples: Container[str]
) -> None:
    """A live view per variant, and one above them with the slider of all, who is ahead of the runs that have ``samples``, and
    the measure that is looked at, at first the first that was ``measured``."""
    colours = comparison_charts.variant_colours(list(shown))
    runs = {run.id: (variant, colours[variant]) for variant, run in shown.items()}
    first = next(iter(shown.values()))
    ranked = {run: told for run, told in runs.items() if run in samples}
    above = [board_panel("board", "Who is ahead", _rankings(measured), ranked, span="all")] if measured else []
    if measured:
        metric = measured[0]
        above.append(overlay_panel("overlay", metric, standings.title(metric), runs, span="all", folded=True))
    live_view(
        first.id,
        ticket(first.id),
        above,
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


def _rankings(measured: Sequence[str]) -> list[dict[str, Any]]:
    """What the board sorts by: the first measure of coverage and the first of quality that there is."""
    found = []
    for title, names in RANKED.items():
        for name in names:
            if name in measured:
                found.append({**watching.number_of(name), "title": title})
                break
    return found


def column_panels(run: RunRecord) -> list[Panel]:
    """What is generated, how it spreads over the modes, and the losses with the aid to read them."""
    return _panels(run, json.dumps({**run.config, "seed": 0}, sort_keys=True))


@st.cache_data(max_entries=64, show_spinner=False)
def _panels(_run: RunRecord, config: str) -> list[Panel]:
    """Figures take their time to make, and those of one variant are the same at each click."""
    run = _run
    panels = {panel["slot"]: {**panel, "span": 1} for panel in watching.panels_for(run)}
    for slot in ("points", "histogram"):
        if slot in panels:
            panels[slot] = without_legend(panels[slot])
    for slot in _SIGHTS:
        if slot in panels:
            panels[slot]["span"] = "large"
    panels["loss-chart"]["span"] = "all"
    return [panels[slot] for slot in _SHOWN if slot in panels]


def _epoch(shown: Mapping[str, RunRecord]) -> str:
    return ",".join(str(run.started_at or "") for run in shown.values())


def _fairness(shown: Mapping[str, RunRecord], seed: int) -> None:
    known: dict[tuple[str, ...], bool] = st.session_state.setdefault("compare:alike", {})
    runs = tuple(run.id for run in shown.values())
    if runs not in known:
        same = begin_alike(list(shown.values()))
        if same is None:
            return
        known[runs] = same
    same = known[runs]
    if same:
        st.caption(
            f":material/check: At round 0 all columns show the same samples (seed {seed}): the same weights of G and the same "
            "noise. The data come in the same order too. The slider shows them at its left end."
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

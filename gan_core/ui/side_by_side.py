"""Two runs on one screen, such as a collapsed run and its cure: samples, histogram and losses of both at once."""

from __future__ import annotations

import streamlit as st

from gan_core.engine.library.lessons import next_act
from gan_core.store import ACTIVE, RunRecord
from gan_core.ui import forking, watching
from gan_core.ui.live_view import Panel, live_view, without_legend
from gan_core.ui.rights import may, pace, why_not
from gan_core.ui.shell import WATCH, action_button, as_typed, lab, said_in_a_sentence, ticket

_SIGHTS = ("samples", "points", "density")
_SHOWN = (*_SIGHTS, "histogram", "loss-chart")


def compact_panels(run: RunRecord) -> list[Panel]:
    """What a run is generating, how it is spread over classes or modes, and the losses."""
    panels = {panel["slot"]: {**panel, "reading": False, "span": 1} for panel in watching.panels_for(run)}
    for slot in _SIGHTS:
        if slot in panels:
            panels[slot]["span"] = "large"
    if "histogram" in panels:
        panels["loss-chart"]["span"] = "all"
    for slot in ("points", "histogram"):  # its legend would take the room of the chart; the page of one run has it
        if slot in panels:
            panels[slot] = without_legend(panels[slot])
    return [panels[slot] for slot in _SHOWN if slot in panels]


def panels_alone(run: RunRecord) -> list[Panel]:
    """The same for one run that fits into a window: what is counted stands beside what is generated, over the losses."""
    return [{**panel, "span": 1 if panel["span"] == "all" else panel["span"]} for panel in compact_panels(run)]


def folded(panels: list[Panel]) -> list[Panel]:
    """The same with the losses folded, so that pictures have their room; one press shows them."""
    return [{**panel, "folded": True} if panel["slot"] == "loss-chart" else panel for panel in panels]


def show(left: RunRecord, right: RunRecord) -> None:
    """Draw the whole page. Choosing a round in one view chooses it in both."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.page_link(WATCH, label="One of them alone", icon=":material/arrow_back:", query_params={"run": right.id})
        _controls(left.id, right)
    for column, run, other in zip(st.columns(2), (left, right), (right, left), strict=True):
        with column:
            st.markdown(f"**{as_typed(run.name)}**", help=forking.origin(run, lab().store.events(run.id)))
            live_view(
                run.id,
                ticket(run.id),
                folded(compact_panels(run)),
                key=f"beside:{run.id}",
                epoch=str(run.started_at or ""),
                beside=[other.id],
            )


def _controls(left: str, right: RunRecord) -> None:
    pair = (left, right.id)
    active = any(_state(run_id) in ACTIVE for run_id in pair)
    act = next_act(right)

    @st.fragment(run_every=pace(2.0) if active else None)
    def buttons() -> None:
        states = {run_id: _state(run_id) for run_id in pair}
        with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
            forking.act_button(right, act)
            together = pair[1] in lab().company(pair[0])
            wanted = st.toggle(
                "keep pace",
                together,
                help=why_not("steer", *pair) or "Neither gets more than a few rounds ahead of the other",
                disabled=not may("steer", *pair),
            )
            if wanted != together:
                with said_in_a_sentence():
                    lab().side_by_side(*pair) if wanted else lab().side_by_side(pair[0])
                st.rerun()
            offered = [watching.buttons_for(state) for state in states.values()]
            for button in dict.fromkeys(button for row in offered for button in row):
                if button.command not in ("pause", "resume", "stop", "continue"):
                    continue
                label = f"{button.label} both" if all(button in row for row in offered) else button.label
                key = f"{button.command}:{'+'.join(pair)}"
                if action_button("steer", label, runs=pair, key=key, icon=button.icon, help=button.help):
                    for run_id, row in zip(pair, offered, strict=True):
                        if button in row:
                            with said_in_a_sentence():
                                watching.obey(lab(), run_id, button.command)
                    st.rerun()
        # Only now: a button that was pressed at the same time has been obeyed.
        if active and not any(state in ACTIVE for state in states.values()):
            st.rerun()

    buttons()


def _state(run_id: str) -> str:
    return str(lab().view(run_id).status["state"])

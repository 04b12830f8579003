"""Pause, stop and knobs of a comparison: of all its runs, or of those of one variant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from gan_core.store import ACTIVE, ComparisonRecord, RunNotFound, StoreError
from gan_core.ui import knobs, watching
from gan_core.ui.pressing import press
from gan_core.ui.rights import pace, why_not
from gan_core.ui.shell import COMPARE, action_button, lab, said_in_a_sentence

EVERY = "all variants"
COMMANDS = ("pause", "resume", "stop")
CONTINUED = ("interrupted", "stopped")


def states_of(comparison: ComparisonRecord) -> dict[str, str]:
    """The state of each run by its id; one that is gone or damaged is left out."""
    states = {}
    for member in comparison.members:
        try:
            active = lab().is_active(member.run)
            states[member.run] = (
                lab().view(member.run).status["state"] if active else lab().store.run(member.run).status
            )
        except (RunNotFound, StoreError):
            continue
    return states


def show(comparison: ComparisonRecord, before: Mapping[str, str], *, measured: bool) -> None:
    """The states of the runs, and the buttons that make sense now. ``before`` are the states that the page was drawn with."""
    active = any(state in ACTIVE for state in before.values())
    variants = list(dict.fromkeys(member.variant for member in comparison.members))
    left, right = st.columns([5, 1], vertical_alignment="center")

    @st.fragment(run_every=pace(2.0) if active else None)
    def controls() -> None:
        states = states_of(comparison)
        with st.container(horizontal=True, vertical_alignment="center"):
            counts = Counter(states.values())
            st.markdown(" · ".join(f"**{count}** {state}" for state, count in counts.items()), width="content")
            _buttons(comparison, variants, states)
        # Only now: a button that was pressed at the same time has been obeyed.
        ended = active and not any(state in ACTIVE for state in states.values())
        if ended or (active and not measured and has_measured(states)):
            st.rerun()  # once: what can be looked at is known now

    with left:
        controls()
    if active:
        with right:
            _knobs(comparison, variants)


def _buttons(comparison: ComparisonRecord, variants: list[str], states: Mapping[str, str]) -> None:
    variant = None
    if any(state in (*ACTIVE, *CONTINUED) for state in states.values()):
        chosen = st.selectbox(
            "Act on", [EVERY, *variants], key="steer:variant", label_visibility="collapsed", width=190
        )
        variant = None if chosen == EVERY else chosen
    mine = {states[run] for run in lab().members(comparison.id, variant) if run in states}
    offered = {button for state in mine for button in watching.buttons_for(state) if button.command in COMMANDS}
    for button in sorted(offered, key=lambda button: COMMANDS.index(button.command)):
        if action_button(
            "steer", button.label, key=f"{button.command}:{comparison.id}", icon=button.icon, help=button.help
        ):
            with said_in_a_sentence():
                asked = lab().command_all(comparison.id, button.command, variant)  # type: ignore[arg-type]
                st.toast(f"{button.label}: {asked} runs were asked.")
    goes_on = {"key": f"continue:{comparison.id}", "icon": ":material/play_arrow:"}
    if mine & set(CONTINUED) and action_button("steer", "Continue", **goes_on):
        with said_in_a_sentence():
            lab().resume_all(comparison.id, variant)
            st.rerun()
    over = not any(state in ACTIVE for state in states.values())
    if over and action_button(
        "edit", "Delete", key=f"delete:{comparison.id}", icon=":material/delete:", type="tertiary"
    ):
        with said_in_a_sentence():
            lab().delete_comparison(comparison.id)
            st.switch_page(COMPARE)


def has_measured(states: Mapping[str, str]) -> bool:
    """Whether a run that trains here has been measured."""
    training = [run for run in states if lab().is_active(run)]
    return any(lab().view(run).status["verdict"] for run in training)


@st.fragment
def _knobs(comparison: ComparisonRecord, variants: list[str]) -> None:
    """A form with the knobs that the chosen runs share; an empty field stays as it is."""
    with st.popover("Knobs", icon=":material/tune:"):
        chosen = st.selectbox("Turn the knobs of", [EVERY, *variants], key="knobs:variant")
        wanted = variants if chosen == EVERY else [chosen]
        stand = [lab().knobs(lab().members(comparison.id, variant)[0]) for variant in wanted]
        shared = [name for name in stand[0] if all(name in other for other in stand)]
        with st.form("knobs:all", border=False):
            st.caption("Acts from the next round on, on every seed. An empty field stays as it is.")
            values: dict[str, Any] = {}
            for column, some in zip(st.columns(2), (shared[::2], shared[1::2]), strict=True):
                for name in some:
                    now = {other[name] for other in stand}
                    values[name] = knobs.knob_input(column, name, now, key=f"knobs:all:{chosen}:{name}")
            reason = why_not("steer")
            pressed = press(
                st.form_submit_button,
                "Change",
                key=f"turn:{comparison.id}",
                seen=(chosen, stand),
                type="primary",
                icon=":material/check:",
                disabled=reason is not None,
                help=reason,
            )
            if pressed == "now":
                changed = {name: value for name, value in values.items() if value is not None}
                with said_in_a_sentence():
                    if changed:
                        turned = lab().turn_all(comparison.id, changed, None if chosen == EVERY else chosen)
                        st.toast(f"Changed in {turned} runs from the next round on.")

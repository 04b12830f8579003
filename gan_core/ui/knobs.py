"""Knobs on the Watch page: what may change while a run trains."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gan_core.engine.showing.knob_names import label_of
from gan_core.ui.pressing import press
from gan_core.ui.rights import why_not
from gan_core.ui.shell import lab, said_in_a_sentence


def knob_input(place: DeltaGenerator, knob: str, now: Collection[float], *, key: str) -> float | None:
    """An empty field for a knob of several runs, which shows where it stands in them; None while it is empty."""
    whole = all(isinstance(value, int) for value in now)
    stands = " or ".join(f"{value:g}" for value in sorted(now))
    value: float | None = place.number_input(
        label_of(knob),
        value=None,
        min_value=1 if whole else 0.0,
        step=1 if whole else None,
        format=None if whole else "%g",
        placeholder=f"now {stands}",
        key=key,
    )
    return value


def show(run_id: str) -> None:
    """A form with every knob of the run; what is changed acts from the next round on."""
    knobs = lab().knobs(run_id)
    with st.popover("Change while running", icon=":material/tune:"), st.form(f"knobs:{run_id}", border=False):
        st.caption("Acts from the next round on, and is marked on the time axis. What is not here takes a fork.")
        values: dict[str, float] = {}
        for column, some in zip(st.columns(2), (list(knobs)[::2], list(knobs)[1::2]), strict=True):
            for knob in some:
                whole = isinstance(knobs[knob], int)
                values[knob] = column.number_input(
                    label_of(knob),
                    value=knobs[knob],
                    min_value=1 if whole else 0.0,
                    step=1 if whole else None,
                    format=None if whole else "%g",
                    key=f"knob:{run_id}:{knob}:{knobs[knob]}",
                )
        reason = why_not("steer", run_id)
        pressed = press(
            st.form_submit_button,
            "Change",
            key=f"turn:{run_id}",
            seen=knobs,
            type="primary",
            icon=":material/check:",
            disabled=reason is not None,
            help=reason,
        )
        if pressed == "now":
            changed = {knob: value for knob, value in values.items() if value != knobs[knob]}
            with said_in_a_sentence():
                if changed:
                    lab().turn(run_id, changed)
                    st.toast("Changed from the next round on.")

"""Knobs on the Watch page: what may change while a run trains."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gan_core.config.naming import label_of
from gan_core.ui.pressing import press
from gan_core.ui.rights import why_not
from gan_core.ui.shell import lab, said_in_a_sentence

ACROSS = 6  # knobs in a row of the strip


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


def is_open(run_id: str) -> bool:
    """Whether the strip of knobs was asked for."""
    return bool(st.session_state.get(f"knobs:open:{run_id}", False))


def ask(run_id: str, shown: bool) -> None:
    """The switch that opens the strip, in a fragment of a page on which it is ``shown`` or not."""
    help = "What may change while it runs: rates, steps of D, penalties"
    if st.toggle("Knobs", key=f"knobs:open:{run_id}", help=help) != shown:
        st.rerun()


def show(run_id: str) -> None:
    """A strip with every knob of the run, and what halves and doubles each; what is changed acts from the next round on."""
    knobs = lab().knobs(run_id)
    reason = why_not("steer", run_id)
    look: dict[str, Any] = {"seen": knobs, "disabled": reason is not None, "help": reason}
    with st.form(f"knobs:{run_id}", border=True):
        values: dict[str, float] = {}
        wanted: dict[str, float] = {}
        names = list(knobs)
        for row in (names[at : at + ACROSS] for at in range(0, len(names), ACROSS)):
            for column, knob in zip(st.columns(ACROSS, gap="small"), row, strict=False):
                now = knobs[knob]
                whole = isinstance(now, int)
                values[knob] = column.number_input(
                    label_of(knob),
                    value=now,
                    min_value=1 if whole else 0.0,
                    step=1 if whole else None,
                    format=None if whole else "%g",
                    key=f"knob:{run_id}:{knob}:{now}",
                )
                with column.container(horizontal=True, gap="small"):
                    for label, factor in (("×½", 0.5), ("×2", 2.0)):
                        key = f"turn:{run_id}:{knob}:{factor}"
                        if press(st.form_submit_button, label, key=key, **look) == "now":
                            wanted[knob] = max(1, round(now * factor)) if whole else now * factor
        with st.container(horizontal=True, vertical_alignment="center"):
            change = {"type": "primary", "icon": ":material/check:"}
            if press(st.form_submit_button, "Change", key=f"turn:{run_id}", **look, **change) == "now":
                wanted = values
            st.caption("Acts from the next round on, and is marked on the time axis. What is not here takes a fork.")
    if changed := {knob: value for knob, value in wanted.items() if value != knobs[knob]}:
        with said_in_a_sentence():
            lab().turn(run_id, changed)
            st.toast("Changed from the next round on.")

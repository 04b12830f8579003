"""A section of a run's page whose answer a process of its own works out: what it asks, its progress, then what it found."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import streamlit as st

from gan_core.ui.rights import pace
from gan_core.ui.shell import lab, said_in_a_sentence

LOOK_SECONDS = 1.0

Ask = Callable[[bool], Callable[[], object] | None]
"""Draws the question, told whether it was asked before; returns what begins the work where the button was pressed."""


def section(key: str, title: str, icon: str, ask: Ask, found: Callable[[dict[str, Any]], None]) -> None:
    """The section of the chore ``key``; ``found`` shows its result."""
    with st.expander(title, icon=icon):
        chore = lab().chores.get(key)
        busy = chore is not None and chore.busy
        st.fragment(_section, run_every=pace(LOOK_SECONDS) if busy else None)(key, ask, found)


def _section(key: str, ask: Ask, found: Callable[[dict[str, Any]], None]) -> None:
    chore, waits = lab().chores.get(key), f"waits:{key}"
    if chore is not None and chore.busy:
        st.progress(*chore.progress)
        return
    if chore is not None and st.session_state.pop(waits, False):
        st.rerun()  # once more without the clock
    if (begin := ask(chore is not None)) is not None:
        with said_in_a_sentence():
            begin()
            st.session_state[waits] = True
            st.rerun()
    if chore is not None and chore.error:
        st.info(chore.error, icon=":material/info:")
    elif chore is not None and chore.result:
        found(json.loads(chore.result))

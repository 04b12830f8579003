"""The buttons of a run on its page: those that make sense now in a row, the rare ones in a menu."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from gan_core.ui import watching
from gan_core.ui.shell import TRAIN, action_button, lab, said_in_a_sentence


def show(run_id: str, state: str, players: Sequence[str]) -> None:
    """All buttons of a run in this state."""
    known = watching.buttons_for(state, players)
    _offer(run_id, [button for button in known if not button.rare])
    rare = [button for button in known if button.rare]
    if not rare:
        again(run_id)
        return
    with st.popover("More", icon=":material/more_horiz:"):
        _offer(run_id, rare)
        again(run_id)


def again(run_id: str) -> None:
    """The Train form with the settings of the run."""
    if st.button("Change and run again", key="again", icon=":material/edit:", type="tertiary"):
        st.switch_page(TRAIN, query_params={"from": run_id})


def _offer(run_id: str, buttons: Sequence[watching.Button]) -> None:
    for button in buttons:
        key = f"{button.command}:{run_id}"
        if action_button(button.action, button.label, runs=[run_id], key=key, icon=button.icon, help=button.help):
            with said_in_a_sentence():
                watching.obey(lab(), run_id, button.command)
                st.rerun()

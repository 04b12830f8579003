"""The checkpoints of a run on its page: which there are, what each is kept for, and a button that pins it."""

from __future__ import annotations

import streamlit as st

from gan_core.ui.rights import may, pace
from gan_core.ui.shell import action_button, lab, said_in_a_sentence

LOOK_SECONDS = 5.0


def show(run_id: str) -> None:
    """The section of a run, newest checkpoint first; it looks again while the run trains, for who may change something."""
    with st.expander("Checkpoints", icon=":material/save:"):
        looks_again = may("edit") and lab().is_active(run_id)
        st.fragment(_list, run_every=pace(LOOK_SECONDS) if looks_again else None)(run_id)


def _list(run_id: str) -> None:
    with said_in_a_sentence():
        saved = lab().store.checkpoints(run_id)
        st.caption(
            "The newest two stay, the best by what its samples measure, what was before a collapse, and what you pin; of a run "
            "from picture to picture also some on the way, at doubling rounds. "
            "Where checkpoints take too much room, those that are pinned go last."
            if saved
            else "None has been saved yet."
        )
        with st.container(gap=None):
            for one in reversed(saved):
                with st.container(horizontal=True, vertical_alignment="center"):
                    # As plain text: what it is kept for may have come with a pack.
                    st.text(f"Round {one.round:,}" + (f" · {one.kept_for}" if one.kept_for else ""))
                    what, icon, act = (
                        ("Unpin", ":material/keep_off:", lab().store.unpin)
                        if one.pinned
                        else ("Pin", ":material/keep:", lab().store.pin)
                    )
                    if action_button("edit", what, icon=icon, key=f"{what}:{run_id}:{one.round}", type="tertiary"):
                        act(run_id, one.round)
                        st.rerun()

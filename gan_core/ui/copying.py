"""Whether a run copies its training pictures, on its page: a button, a verdict, and the pairs that come closest."""

from __future__ import annotations

import base64
import json
from typing import Any

import streamlit as st

from gan_core.config import RunConfig
from gan_core.engine.exchange.copies import can_copy
from gan_core.ui.rights import pace
from gan_core.ui.shell import action_button, lab, said_in_a_sentence

LOOK_SECONDS = 1.0
NEWEST = "the newest"
ICONS = {
    "copies": ":material/content_copy:",
    "no sign of copying": ":material/check:",
    "cannot be told": ":material/help:",
}
READING = (
    "If G does not know which real pictures it was trained on, the words *training* and *held out* can be dealt to them anew, "
    "and the share of samples that are nearest to a training picture changes by chance alone. A G that draws one picture "
    "over and over is no copier for that: its samples have one neighbour, and nothing can be told. Distances are of pixels."
)
PAIRS = (
    "Two columns of threes: a sample, its nearest training picture, its nearest held-out picture, the closest pairs first. A "
    "ratio of distances near 1 is what an honest G has; near 0 it is a copy."
)


def show(run_id: str, config: RunConfig) -> None:
    """The section of a run that draws pictures from noise; nothing for any other."""
    if not can_copy(config):
        return
    with st.expander("Copies of training pictures", icon=":material/content_copy:"):
        chore = lab().chores.get(_key(run_id))
        st.fragment(_section, run_every=pace(LOOK_SECONDS) if chore is not None and chore.busy else None)(run_id)


def _key(run_id: str) -> str:
    return f"copying:{run_id}"


def _section(run_id: str) -> None:
    chore = lab().chores.get(_key(run_id))
    if chore is not None and chore.busy:
        st.progress(*chore.progress)
        return
    if chore is not None and st.session_state.pop(f"looking:{run_id}", False):
        st.rerun()  # once more without the clock
    st.caption(
        "Whether G draws its training pictures again, by an exact test on a thousand samples. Takes a few seconds."
    )
    saved = [one.round for one in lab().store.checkpoints(run_id)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = st.selectbox(
            "Checkpoint of round", [None, *reversed(saved)], format_func=_round, key=f"copying-at:{run_id}", width=200
        )
        label = "Look for copies" if chore is None else "Look again"
        pressed = action_button("steer", label, runs=[run_id], key=f"copies:{run_id}", icon=":material/search:")
    if pressed:
        with said_in_a_sentence():
            lab().chores.copying(run_id, at)
            st.session_state[f"looking:{run_id}"] = True
            st.rerun()
    if chore is not None and chore.error:
        st.info(chore.error, icon=":material/info:")
    elif chore is not None and chore.result:
        _found(json.loads(chore.result))


def _round(at: int | None) -> str:
    return NEWEST if at is None else f"{at:,}"


def _found(found: dict[str, Any]) -> None:
    say = st.warning if found["verdict"] == "copies" else st.info
    say(f"At round {found['round']:,}. {found['sentence']}", icon=ICONS[found["verdict"]])
    picture, table = st.columns([3, 2])
    picture.image(base64.b64decode(found["png"]), width="stretch")
    picture.caption(PAIRS)
    number = st.column_config.NumberColumn
    columns = {
        "sample": number(help="The index of the sample among the thousand"),
        "training": number("training picture", help="Its nearest one, by index among those compared"),
        "held_out": number("held-out picture", help="Its nearest one, by index among those compared"),
        "ratio": number("ratio", help="Distance to the training picture over that to the held-out one", format="%.2f"),
    }
    table.dataframe(found["pairs"], hide_index=True, column_config=columns)
    st.caption(READING)

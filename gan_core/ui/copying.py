"""Whether a run copies its training pictures, on its page: a button, a verdict, and the pairs that come closest."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from gan_core.config import RunConfig
from gan_core.engine.exchange.copies import can_copy
from gan_core.ui.scored import section
from gan_core.ui.shell import action_button, lab

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

    def ask(again: bool) -> Callable[[], object] | None:
        st.caption(
            "Whether G draws its training pictures again, by an exact test on a thousand samples. Takes a few seconds."
        )
        saved = [one.round for one in lab().store.checkpoints(run_id)]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            at = st.selectbox(
                "Checkpoint of round",
                [None, *reversed(saved)],
                format_func=_round,
                key=f"copying-at:{run_id}",
                width=200,
            )
            label = "Look again" if again else "Look for copies"
            pressed = action_button("steer", label, runs=[run_id], key=f"copies:{run_id}", icon=":material/search:")
        return partial(lab().chores.copying, run_id, at) if pressed else None

    section(f"copying:{run_id}", "Copies of training pictures", ":material/content_copy:", ask, _found)


def _round(at: int | None) -> str:
    return NEWEST if at is None else f"{at:,}"


def _found(found: dict[str, Any]) -> None:
    say = st.warning if found["verdict"] == "copies" else st.info
    say(f"At round {found['round']:,}. {found['sentence']}", icon=ICONS[found["verdict"]])
    picture, table = st.columns([3, 2])
    picture.image(base64.b64decode(found["png"]), output_format="PNG", width="stretch")
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

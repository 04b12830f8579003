"""What a cycle hides, on the page of a run: a button, a picture, and what the reconstruction is worth without the message."""

from __future__ import annotations

import streamlit as st

from gan_core.config import RunConfig
from gan_core.engine.exchange.hiding import HEADS, Hidden, can_hide, what_is_hidden
from gan_core.engine.showing.pictures import tile
from gan_core.ui.shell import action_button, lab, said_in_a_sentence

READING = (
    "Pictures of A are images of 64 numbers, so what F(b) has outside of their space no picture of A can have. Where G does "
    "worse without it, it has read it there. The last row is another question: a shrunk digit of MNIST is not one of A, so "
    "not all of its error is a message that is missing."
)


def show(run_id: str, config: RunConfig) -> None:
    """The section of a run of whose data it is known what lies outside; nothing for any other."""
    if not can_hide(config):
        return
    with st.expander("What the cycle hides", icon=":material/visibility_off:"):
        st.fragment(_section)(run_id)


def _section(run_id: str) -> None:
    kept = f"hidden:{run_id}"
    st.caption("What F writes into its outputs for G to read, from the newest checkpoint. Takes a few seconds.")
    if action_button("steer", "Look for it", runs=[run_id], key=f"hiding:{run_id}", icon=":material/search:"):
        with said_in_a_sentence(), st.spinner("Translating with and without it"):
            st.session_state[kept] = what_is_hidden(lab().store, run_id)
    if found := st.session_state.get(kept):
        _found(found)


def _found(found: Hidden) -> None:
    st.markdown(
        f"At round {found.round:,} F(b) has **{found.outside:.3f}** (root mean square, of a pixel from −1 to 1) outside of the "
        f"space of A, beside a signal of {found.signal:.3f}; real pictures of A have {found.of_real:.3f}, which is rounding."
    )
    picture, table = st.columns([2, 3])
    rows, columns, *shape = found.picture.shape
    picture.image(tile(found.picture.reshape(rows * columns, *shape), columns), output_format="PNG", width="stretch")
    picture.caption(" | ".join(HEADS))
    told = [{"given to G": row.given, "error": row.error, "class kept": row.label} for row in found.rows]
    config = {
        "given to G": st.column_config.TextColumn(width="medium"),
        "error": st.column_config.NumberColumn(help="Mean absolute error to b, of a pixel from 0 to 1", format="%.3f"),
        "class kept": st.column_config.NumberColumn(help="Read by the frozen classifier as b's class", format="%.2f"),
    }
    table.dataframe(told, hide_index=True, column_config=config)
    st.caption(READING)

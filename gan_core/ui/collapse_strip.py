"""The filmstrip of a collapse: what was seen of it, on the page of its run and at the end of a lesson, and as files."""

from __future__ import annotations

from functools import partial

import streamlit as st

from gan_core.engine.exchange.filmstrip import filmstrip, moving_filmstrip, was_called
from gan_core.engine.exchange.slides import slides
from gan_core.store import RunRecord, StoreError
from gan_core.ui.shell import lab

KEPT = 16


@st.cache_data(show_spinner=False, max_entries=KEPT)
def _drawn(run_id: str, rounds: int, dark: bool) -> bytes | None:
    """The picture of a run that has played so many rounds. None where no collapse was seen."""
    try:
        return filmstrip(lab().store, run_id, dark=dark)
    except StoreError:
        return None


def show(run: RunRecord) -> None:
    """The filmstrip and its files; nothing of a run that did not collapse."""
    store = lab().store
    frame = store.latest_frame(run.id, "histogram")
    picture = _drawn(run.id, frame.round, st.context.theme.type == "dark") if frame is not None else None
    if picture is None:
        return
    st.image(
        picture,
        caption="The collapse: what was seen, and how much of each mode was there",
        output_format="PNG",
        width="stretch",
    )
    with st.container(horizontal=True):
        for label, ending, kind, make, about in (
            ("PNG", "png", "image/png", partial(filmstrip, store, run.id), "The filmstrip as a picture"),
            ("GIF", "gif", "image/gif", partial(moving_filmstrip, store, run.id), "The same as a film"),
            ("Slides", "html", "text/html", partial(slides, store, run.id), "A slide for each scene; prints as a PDF"),
        ):
            st.download_button(
                label,
                make,
                f"{run.id}-collapse.{ending}",
                kind,
                key=f"strip:{run.id}:{ending}",
                icon=":material/download:",
                help=about,
                on_click="ignore",
            )


def offer(run: RunRecord) -> None:
    """The same behind a heading, on the page of a run that lost modes."""
    if not was_called(lab().store, run.id):
        return
    with st.expander("Filmstrip of the collapse", icon=":material/movie:", on_change="rerun") as opened:
        if opened.open:
            show(run)

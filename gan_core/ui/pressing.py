"""A press belongs to the page that was seen: where that has changed meanwhile nothing is done, and the page says so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

CHANGED = "The page changed while you pressed **{}**, so nothing was done. Look again, and press once more."
_NOTED, _OBEYED, _DRAWN = "press:noted", "press:obeyed", "press:drawn"


class PageEnds(Exception):
    """Raised by a page that has nothing more to draw; the frame around it goes on."""


def press(
    draw: Callable[..., bool], label: str, *, key: str, seen: object, **options: Any
) -> Literal["", "now", "again"]:
    """Draw a button with ``st.button`` or ``st.form_submit_button``; "now" if it was pressed on a page that showed ``seen``.

    What a browser sends names the button that it shows, so what was seen is part of that name. "again" is another press
    of a button that has been obeyed and is gone: the second half of a double click.
    """
    stamp = hashlib.sha256(repr(seen).encode()).hexdigest()[:12]
    pressed = draw(label, key=f"{key}:{stamp}", on_click=_note, args=(key, stamp, label), **options)
    noted_key, noted, said = st.session_state.get(_NOTED, ("", "", ""))
    obeyed = st.session_state.setdefault(_OBEYED, {})
    if pressed:
        st.session_state.pop(_NOTED, None)
        obeyed[key] = stamp
        return "now"
    if noted_key != key or noted == stamp:
        return ""
    del st.session_state[_NOTED]
    if obeyed.get(key) == noted:
        return "again"
    st.warning(CHANGED.format(said), icon=":material/sync_problem:")
    return ""


def _note(key: str, stamp: str, label: str) -> None:
    """Before the page is drawn anew; Streamlit calls this for a button that is gone, too."""
    st.session_state[_NOTED] = (key, stamp, label)


def end_page() -> None:
    """At the end of each page: say what was pressed and is not there any more, and mark the page as drawn.

    The mark counts the pages that a session has drawn whole; while a page is drawn, old and new stand side by side.
    """
    key, noted, label = st.session_state.pop(_NOTED, ("", "", ""))
    if label and st.session_state.get(_OBEYED, {}).get(key) != noted:
        st.warning(CHANGED.format(label), icon=":material/sync_problem:")
    drawn = st.session_state[_DRAWN] = st.session_state.get(_DRAWN, 0) + 1
    st.html(f"<style>:root {{ --drawn: {drawn} }}</style>")

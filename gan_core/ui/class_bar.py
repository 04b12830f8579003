"""The class's strip at the foot of every page; nothing on a server that has no class."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from gan_core.server.class_mode import current_classroom
from gan_core.ui import scripts, theme
from gan_core.ui.rights import visitor, voucher
from gan_core.ui.shell import HOME, TOUR

COLOURS = {"answer": theme.D, "right": theme.REAL}

_COMPONENT = scripts.component("class", "class_bar.js", "class_bar.css")


def in_class() -> bool:
    """Whether this server is open to a class."""
    return current_classroom() is not None


def class_bar() -> None:
    """Show the strip, and go where the presenter has gone if this page follows."""
    if current_classroom() is None:
        return
    data = {"role": visitor().role, "voucher": voucher(), "colours": COLOURS}
    result = _COMPONENT(key="class", data=data, on_go_change=lambda: None)
    place = page_of(getattr(result, "go", None))
    if place is not None:
        st.switch_page(place[0], query_params=place[1])


def page_of(path: object) -> tuple[str, dict[str, str]] | None:
    """The page and the query that ``/page?name=value`` means; None if there is no such page."""
    if not isinstance(path, str):
        return None
    parts = urlsplit(path)
    page = f"{parts.path.strip('/')}.py" if parts.path.strip("/") else HOME
    return (page, dict(parse_qsl(parts.query, max_num_fields=50))) if page in TOUR else None

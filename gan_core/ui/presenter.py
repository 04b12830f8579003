"""Keys for whoever stands in front of a class: they work wherever the focus is, unless somebody is typing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st


def component(name: str, *, css: bool = False, after: Sequence[str] = ()) -> Any:
    """The component of ``<name>.js`` (and ``<name>.css``), which can ask whether somebody is typing, and do what stands in
    the scripts ``after`` which it comes.
    """
    here = Path(__file__)
    return st.components.v2.component(
        f"ganscope_{name}",
        js="".join(here.with_name(f"{part}.js").read_text("utf-8") for part in ("keyboard", *after, name)),
        css=here.with_name(f"{name}.css").read_text("utf-8") if css else None,
        isolate_styles=False,
    )


_COMPONENT = component("presenter")


def presenter_key(keys: Sequence[str], *, key: str) -> str | None:
    """The key that was pressed since the last run of the page: one of ``keys``, or None.

    ``space``, ``previous`` and ``next`` are the space bar and the arrows; the others are what they type, in lower case.
    """
    result = _COMPONENT(key=key, data={"keys": list(keys)}, on_pressed_change=lambda: None)
    pressed = getattr(result, "pressed", None)
    return pressed if isinstance(pressed, str) and pressed in keys else None

"""Keys for whoever stands in front of a class: they work wherever the focus is, unless somebody is typing."""

from __future__ import annotations

from collections.abc import Sequence

from gan_core.ui import scripts

_COMPONENT = scripts.component("presenter", "presenter.js")


def presenter_key(keys: Sequence[str], *, key: str) -> str | None:
    """The key that was pressed since the last run of the page: one of ``keys``, or None.

    ``space``, ``previous`` and ``next`` are the space bar and the arrows; the others are what they type, in lower case.
    """
    result = _COMPONENT(key=key, data={"keys": list(keys)}, on_pressed_change=lambda: None)
    pressed = getattr(result, "pressed", None)
    return pressed if isinstance(pressed, str) and pressed in keys else None

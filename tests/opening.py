"""Opening a page of the application without a browser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

ROUTER = Path(__file__).resolve().parent.parent / "pages" / "router.py"


def open_page(page: str, *, unfolded: Sequence[str] = (), **query: str) -> AppTest:
    """The page of this name with ``query`` in its address and these sections unfolded, by their keys; fails where it raises."""
    app = AppTest.from_file(str(ROUTER), default_timeout=60)
    if page != "home":
        app.switch_page(f"{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    for key in unfolded:
        app.session_state[key] = True
    app.run()
    assert [error.message for error in app.exception] == []
    return app


def button(app: AppTest, key: str) -> Button:
    """The one button of this key that belongs to what the page shows; what that is stands in the key, too."""
    (found,) = [one for one in app.button if (one.key or "").rpartition(":")[0] == key]
    return found

"""Cards of the latest runs with live thumbnails; each is a link to its Watch page."""

from __future__ import annotations

from gan_core.ui import scripts

_COMPONENT = scripts.component("run_cards", "run_cards.js", "run_cards.css")


def run_cards(
    ticket: str,
    *,
    key: str,
    limit: int = 8,
    href: str = "watch",
    empty: str = "No runs yet. Start one, and it will appear here while it trains.",
) -> None:
    """Show the latest runs. ``ticket`` must be one for every run (scope ``*``); ``href`` is the Watch page's address."""
    _COMPONENT(
        key=key,
        data={"ticket": ticket, "limit": limit, "href": href, "empty": empty},
        on_stale_change=lambda: None,
    )

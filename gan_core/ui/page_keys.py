"""Keys that every page has, and the overlay that lists them: for whoever presents without a mouse."""

from __future__ import annotations

from gan_core.ui import scripts

KEYS = {
    "?": "this list, on and off",
    "+  -": "everything larger, smaller",
    "H": "high contrast, on and off",
    "[  ]": "the page before, the next page",
    ",  .": "samples: the round before, the next round",
    "L": "follow the newest round",
    "P": "pause or resume the run",
    "S": "stage: one panel fills the window; ↑ ↓ another panel, ← → a round back or on, Space plays, < > slower or faster",
    "D  G  V": "on the stage, of a plane: D's map, G's grid, the push on G",
    "1  2  3": "a paused run: the turn of its first player, of its second, to the end of the round",
    "M": "measure and show samples now",
    "N": "notes, in a class",
    "Q": "the question to the class fills the screen, and back",
    "B  C  F  Space": "Collapse Lab: break it, collapse or cure it, fix, pause or go on",
    "A  ←  →": "Lessons: the answer, a step back, a step on",
    "0 … 9  ←  →": "Collapse Lab: predict, a step back, a step on",
}
"""What each key does, as the overlay says it; `page_keys.js` does it."""

_COMPONENT = scripts.component("page_keys", "page_keys.js", "page_keys.css")


def page_keys() -> None:
    """Hear the keys of every page. A "?" at the side of the page opens the list, as the key does."""
    _COMPONENT(key="page-keys", data={"keys": list(KEYS.items())})

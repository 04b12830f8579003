"""Fixed colours and fonts. The colours are Okabe and Ito's, which people with any colour vision can tell apart.

One colour, one meaning, on every chart: blue is the discriminator, vermillion the generator and what it makes, green is real
data. All have a contrast of 3:1 or more against both the light and the dark page.
"""

from __future__ import annotations

D = "#0072B2"
G = "#D55E00"
REAL = "#009E73"
FAKE = "#D55E00"
UNSURE = "#8A8F98"
MARK = "#CC79A7"
LIGHTER = "#E69F00"
DARKER = "#56B4E9"

OKABE_ITO = (D, G, REAL, MARK, "#E69F00", "#56B4E9", "#8A8F98")
"""For curves that are neither: in this order, after the first ones are taken."""

SAMPLES = {"real": REAL, "generated": FAKE}

FUNCTIONS = {
    **SAMPLES,
    "judge": D,
    "judge of B": "#56B4E9",
    "maker": G,
    "encoder": "#E69F00",
    "coder": "#56B4E9",
}
"""The colour of a curve by what it is of: samples, or a player with a function. None of a player is that of real data."""

VARIANTS = (D, "#E69F00", REAL, MARK, "#56B4E9", G, UNSURE, "#8C6BB1")
"""The colours of what is compared, in order. On charts of several variants a colour says which one, not which player."""

SCRIPTS = {
    "real": REAL,
    "generated": FAKE,
    "unsure": UNSURE,
    "classes": (D, G, REAL, MARK, LIGHTER, DARKER, "#8C6BB1", UNSURE, "#B8860B", "#5B8C5A"),
}
"""Colours of what the scripts draw by themselves; ``classes`` are those of classes that stand beside each other, in turn."""

GRID = "rgba(128,138,150,0.28)"
ZERO = "rgba(128,138,150,0.55)"
BAND = "rgba(0,158,115,0.35)"

FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", "Segoe UI", "Helvetica Neue", Arial, sans-serif'
"""Streamlit's own font, which it serves itself, then what the machine has; nothing comes from the network."""
FONT_SIZE = 14

SEQUENTIAL = "Cividis"

LOST_TO_RIGHT = [[0, "#10243E"], [0.25, "#2F6DA3"], [0.5, "#F3EBC8"], [0.75, "#EFA35A"], [1, "#B23A00"]]
"""From a share that is lost, over the one that is right in the middle, to one that is too large."""


def rgba(colour: str, alpha: float) -> str:
    """``#rrggbb`` with an opacity, as CSS writes it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"

"""What Python decides for the scripts of the pages too; ``python -m gan_core.ui.declared`` writes it into `declared.js`."""

from __future__ import annotations

import json
from typing import Any

from gan_core.engine.comparing import curves
from gan_core.server import classroom
from gan_core.store import ACTIVE, STATES
from gan_core.ui import charts, live_view, scripts, theme

_LOG_TICKS = [{"below": below, "ticks": ticks} for below, ticks in charts.LOG_TICKS]

FILE = scripts.FOLDER / "declared.js"

DECLARED: dict[str, tuple[str, Any]] = {
    "ENDED": ("states of a run that has ended", [state for state in STATES if state not in ACTIVE]),
    "MARKED_EVENTS": ("kinds of events that have a line on curves", live_view.MARKED_EVENTS),
    "BEGINNINGS": ("verdicts of a run about which little can be said yet", live_view.BEGINNINGS),
    "LEAD": ("the view that leads others, as these call it", live_view.LEAD),
    "CUT": ("of the values at either end, that do not decide the range of an axis", curves.CUT),
    "CUT_MARGIN": ("of that range, at either end", curves.MARGIN),
    "LOG_TICKS": ("ticks of a logarithmic axis with fewer decades than this", _LOG_TICKS),
    "MOST_DECADES": ("powers of ten with a tick, on an axis of more decades", charts.MOST_DECADES),
    "LEAST_REAL": ("of the real samples: below that no class is told from chance", charts.LEAST_REAL),
    "MOST_UNLIKE": (
        "times as long may one axis of a plane be as the other, both drawn to one scale",
        charts.MOST_UNLIKE,
    ),
    "NOTE_LENGTH": ("characters of a note to the teacher", classroom.NOTE_LENGTH),
    "COLOURS": ("of real data, of what is generated, and of classes in turn", theme.SCRIPTS),
}


def script() -> str:
    """The text of the module."""
    lines = ["// @ts-check", "// What Python has decided: written by declared.py, a test holds both to each other."]
    for name, (about, value) in DECLARED.items():
        lines += ["", f"// {about[0].upper()}{about[1:]}.", f"export const {name} = {json.dumps(value)}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(script(), "utf-8")

"""A figure that moves in the browser: play and drag through its frames with mouse or keyboard, without a rerun of Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from gan_core.ui import scripts
from gan_core.ui.charts import skeleton
from gan_core.ui.figures import Film
from gan_core.ui.live_view import PLOTLY_URL

_COMPONENT = scripts.component("film", "film.js", "film.css")
_DIGITS = 5


def film(shown: Film, *, key: str, title: str, start: int = 0, seconds: float = 8.0, room: float = 17.0) -> int:
    """Show the film, and return the frame at which it was left: moved by hand or paused, not while it plays.

    ``start`` is where it begins, and where it goes when another number is given. ``title`` is what the slider is called for
    those who do not see it. All frames take ``seconds``. ``room`` is what it leaves of the window's height for everything
    else, in rem.
    """
    result = _COMPONENT(
        key=key,
        data={
            "plotly": PLOTLY_URL,
            "figure": skeleton(shown.figure),
            "captions": list(shown.captions),
            "moving": [
                {"trace": part.trace, "kind": part.kind, "x": _rounded(part.x), "y": _rounded(part.y)}
                for part in shown.moving
            ],
            "title": title,
            "start": start,
            "seconds": seconds,
            "room": room,
        },
        default={"at": start},
        on_at_change=lambda: None,
    )
    at = getattr(result, "at", start)
    return at if isinstance(at, int) and 0 <= at < len(shown.captions) else start


def _rounded(values: np.ndarray | None) -> list[Any] | None:
    """To five digits, as the picture needs no more; what is not finite is a gap."""
    if values is None:
        return None
    flat = [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in np.ravel(values)]
    rows: list[Any] = np.array(flat, dtype=object).reshape(np.shape(values)).tolist()
    return rows

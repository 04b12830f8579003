"""The run that moves on the home page, as `docs/ring_on_home.py` recorded it: nothing trains for it, on no machine."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from gan_core.ui import scripts, theme

_HERE = Path(__file__)
_COMPONENT = scripts.component("ring_on_home", "ring_on_home.js", "ring_on_home.css")


@lru_cache(maxsize=1)
def recorded() -> dict[str, Any]:
    """``preset``, ``seed``, ``reach``, ``of`` modes, ``real`` points, and ``frames``, each with round, modes and points."""
    told: dict[str, Any] = json.loads(_HERE.with_suffix(".json").read_text("utf-8"))
    return told


def ring(title: str) -> None:
    """Show it; ``title`` is what it is for who does not see it."""
    _COMPONENT(
        key="ring-on-home",
        data={**recorded(), "colours": theme.FUNCTIONS, "title": title},
    )

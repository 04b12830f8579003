"""The run that moves on the home page, as `docs/ring_on_home.py` recorded it: nothing trains for it, on no machine."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from gan_core.ui import theme

_HERE = Path(__file__)
_COMPONENT = st.components.v2.component(
    "ganscope_ring_on_home",
    js=_HERE.with_suffix(".js").read_text("utf-8"),
    css=".gh-ring { display: block; width: 100%; height: 6.2rem; }",
    isolate_styles=False,
)


@lru_cache(maxsize=1)
def recorded() -> dict[str, Any]:
    """``preset``, ``seed``, ``reach``, ``of`` modes, ``real`` points, and ``frames``, each with round, modes and points."""
    told: dict[str, Any] = json.loads(_HERE.with_suffix(".json").read_text("utf-8"))
    return told


def ring(title: str) -> None:
    """Show it; ``title`` is what it is for who does not see it."""
    _COMPONENT(key="ring-on-home", data={**recorded(), "colours": theme.SAMPLES, "title": title})

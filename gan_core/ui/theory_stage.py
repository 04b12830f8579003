"""The frame of a tab of the Theory page: its settings, what to see and to ask, and a film whose place is in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gan_core.ui.figures import Film
from gan_core.ui.film import film

# What a film leaves of the window's height for its frame and for what stands below, in rem.
ROOM_FOR_A_FORMULA, ROOM_FOR_BOTH = 20.5, 24.0


@dataclass(frozen=True)
class Tab:
    """``place`` is a query parameter of its own: where its film stands, or what was chosen. ``ratio`` are the widths of its
    columns.
    """

    title: str
    show: Callable[[DeltaGenerator, DeltaGenerator], None]
    place: str = ""
    ratio: tuple[int, int] = (3, 9)


def say(see: str, ask: str) -> None:
    """What to see, and a question."""
    st.markdown(f"**See:** {see}")
    st.markdown(f"**Ask:** {ask}")


def presets(presets: Mapping[str, Mapping[str, Any]]) -> None:
    """A button for each set of values of this tab's widgets, by its label."""
    for label, values in presets.items():
        st.button(label, key=f"preset:{label}", on_click=st.session_state.update, args=(values,), width="stretch")


def show_film(shown: Film, param: str, values: np.ndarray, start: float, title: str, *, room: float) -> None:
    """The film, begun where the address says, which follows it."""
    try:
        wanted = float(st.query_params.get(param, start))
    except ValueError:
        wanted = start
    index = int(np.abs(values - wanted).argmin()) if np.isfinite(wanted) else 0
    at = film(shown, key=f"film:{param}:{len(values)}", title=title, start=index, room=room)
    if at != index:
        st.query_params[param] = f"{values[at]:g}"

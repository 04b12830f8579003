"""Measures over all seeds, drawn and redrawn in the browser: a press on measure, axis, band or smoothing waits for no server.

The component gets everything that its controls can show at once and keeps the choice in the address; a rerun of Python that
brings the same data costs it nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import streamlit as st

from gan_core.engine.comparing.curves import AXES, Axis, robust_range
from gan_core.engine.comparing.standings import Band, Curve
from gan_core.ui import charts, comparison_charts, scripts
from gan_core.ui.comparison_charts import BANDS, Places
from gan_core.ui.live_view import PLOTLY_URL

TITLES: dict[Axis, str] = {
    "round": "round",
    "images": "images that D has seen",
    "steps": "optimiser steps",
    "seconds": "seconds of training",
}
BUTTONS: dict[Axis, str] = {"round": "rounds", "images": "images", "steps": "steps", "seconds": "seconds"}
MOST = 0.99  # of smoothing

_COMPONENT = scripts.component("seeds_chart", "live/seeds.js", "live/seeds.css")


@dataclass(frozen=True)
class View:
    """What is drawn and how: which measure, along which axis, with which band, smoothed by which weight, on logarithmic axes
    or not, and without what lies far out. The names of the fields are those in the address."""

    metric: str
    axis: Axis = "round"
    band: Band = "std"
    smooth: float = 0.0
    logx: bool = False
    logy: bool = False
    cut: bool = False

    @classmethod
    def read(cls, asked: Mapping[str, Any], default: View, measured: Collection[str]) -> View:
        """What an address or a browser asks for; what cannot be is as if it had not been asked for."""
        metric, axis, band = (str(asked.get(name, "")) for name in ("metric", "axis", "band"))
        try:
            smooth = float(asked.get("smooth", 0.0))
        except (TypeError, ValueError):
            smooth = 0.0
        switches = {name: str(asked.get(name, "")).lower() == "true" for name in ("logx", "logy", "cut")}
        return cls(
            metric=metric if metric in measured else default.metric,
            axis=axis if axis in AXES else default.axis,
            band=band if band in BANDS else default.band,
            smooth=smooth if 0 <= smooth <= MOST else 0.0,
            **switches,
        )


@dataclass(frozen=True)
class Measure:
    """One measure over seeds, by variant and seed. ``floor`` is what real data reads."""

    title: str
    curves: Mapping[str, Mapping[int, Curve]]
    places: Mapping[Axis, Places]
    floor: float | None = None

    def size(self) -> int:
        """How many numbers there are to draw from, about."""
        return sum(len(rounds) for by_seed in self.curves.values() for rounds, _ in by_seed.values())


class _Pool:
    """Texts, each once: most measures were taken at the same rounds and are drawn in the same colours."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.kept.setdefault(text, len(self.kept))


def contents(measures: Mapping[str, Measure]) -> dict[str, Any]:
    """What the component draws from: all traces, by which axis and how they look, and what to say of what is left out."""
    arrays, looks = _Pool(), _Pool()
    told = {name: _told(measure, arrays, looks) for name, measure in measures.items()}
    figure = charts.curves([], y_title="").update_layout(height=comparison_charts.HEIGHT)
    return {
        "layout": charts.skeleton(figure)["layout"],
        "line": comparison_charts.FLOOR["line"],
        "measures": told,
        "arrays": list(arrays.kept),
        "looks": list(looks.kept),
        "stamp": hashlib.sha256("".join([json.dumps(told), *arrays.kept, *looks.kept]).encode()).hexdigest(),
    }


def _told(measure: Measure, arrays: _Pool, looks: _Pool) -> dict[str, Any]:
    drawn = [np.asarray(y, np.float64) for by_seed in measure.curves.values() for _, y in by_seed.values()]
    values = np.concatenate([np.empty(0), *drawn])
    values = values[np.isfinite(values)]
    limits = robust_range(drawn, measure.floor)
    return {
        "title": measure.title,
        "traces": [
            {
                "role": trace.role,
                "x": {axis: arrays(_packed(x)) for axis, x in trace.x.items()},
                "y": arrays(_packed(trace.y)),
                "look": looks(json.dumps(trace.look)),
            }
            for trace in comparison_charts.seed_traces(measure.curves, measure.places)
        ],
        "floor": measure.floor,
        "range": [limits.low, limits.high] if limits else None,
        "least": float(values[values > 0].min()) if (values > 0).any() else 1.0,
        "told": {
            "cut": outside(limits.outside if limits else 0),
            "logy": not_above_zero(values),
            "logx": {
                axis: at_zero([x for by_seed in of.values() for x in by_seed.values()])
                for axis, of in measure.places.items()
            },
        },
    }


def asked_for(key: str, default: View, measured: Collection[str]) -> View:
    """What the browser asks for by now: its last choice, else the address."""
    state = st.session_state.get(key)
    return View.read((state and state.get("view")) or st.query_params, default, measured)


def show(contents: Mapping[str, Any], view: View, default: View, measured: Mapping[str, str], *, key: str) -> View:
    """Draw the chart with its controls, among them the choice of what was ``measured`` (name and title); how it is looked at
    now. A measure that ``contents`` lacks is asked for when it is chosen."""
    now = _COMPONENT(
        key=key,
        data={
            **contents,
            "plotly": PLOTLY_URL,
            "measured": [{"name": name, "title": title} for name, title in measured.items()],
            "axes": [{"name": axis, "button": BUTTONS[axis], "title": TITLES[axis]} for axis in AXES],
            "bands": [{"name": band, "button": title} for band, title in BANDS.items()],
            "most": MOST,
            "view": asdict(view),
            "defaults": asdict(default),
        },
        default={"view": asdict(view)},
        on_view_change=lambda: None,
    )
    return View.read(dict(now.view or {}), default, measured)


def outside(values: int) -> str:
    return f"Outside the axis: {_counted(values)}." if values else ""


def not_above_zero(values: np.ndarray) -> str:
    below = int((values <= 0).sum())
    return f"Not on a logarithmic axis: {_counted(below)} at or below 0." if below else ""


def at_zero(places: Sequence[np.ndarray]) -> str:
    return "Round 0 is not on a logarithmic axis." if any((x <= 0).any() for x in places) else ""


def _counted(values: int) -> str:
    return "1 value" if values == 1 else f"{values:,} values"


def _packed(values: np.ndarray) -> str:
    """As little-endian float64 in base64: text would be three times as long, and has no NaN."""
    return base64.b64encode(np.asarray(values, "<f8").tobytes()).decode()

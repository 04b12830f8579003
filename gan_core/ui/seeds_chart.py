"""One measure over all seeds, drawn and redrawn in the browser: a press on axis, band or smoothing waits for no server.

The component gets everything that its controls can show at once and keeps the choice in the address; a rerun of Python that
brings the same data costs it nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import streamlit as st

from gan_core.engine.curves import AXES, Axis, robust_range
from gan_core.engine.standings import Band, Curve
from gan_core.ui import charts, comparison_charts
from gan_core.ui.comparison_charts import BANDS, Places
from gan_core.ui.live_view import FOLDER, PLOTLY_URL

TITLES: dict[Axis, str] = {
    "round": "round",
    "images": "images that D has seen",
    "steps": "optimiser steps",
    "seconds": "seconds of training",
}
BUTTONS: dict[Axis, str] = {"round": "rounds", "images": "images", "steps": "steps", "seconds": "seconds"}
MOST = 0.99  # of smoothing

_COMPONENT = st.components.v2.component(
    "ganscope_seeds_chart",
    js="\n".join((FOLDER / f"{name}.js").read_text("utf-8") for name in ("elements", "seeds")),
    css=(FOLDER / "seeds.css").read_text("utf-8"),
    isolate_styles=False,  # Plotly's style sheet is the page's
)


@dataclass(frozen=True)
class View:
    """How curves are drawn: along which axis, with which band, smoothed by which weight, on logarithmic axes or not, and
    without what lies far out. The names of the fields are those in the address."""

    axis: Axis = "round"
    band: Band = "std"
    smooth: float = 0.0
    logx: bool = False
    logy: bool = False
    cut: bool = False

    @classmethod
    def read(cls, asked: Mapping[str, Any], default: Axis) -> View:
        """What an address or a browser asks for; what cannot be is as if it had not been asked for."""
        axis, band = str(asked.get("axis", default)), str(asked.get("band", "std"))
        try:
            smooth = float(asked.get("smooth", 0.0))
        except (TypeError, ValueError):
            smooth = 0.0
        switches = {name: str(asked.get(name, "")).lower() == "true" for name in ("logx", "logy", "cut")}
        return cls(
            axis=axis if axis in AXES else default,
            band=band if band in BANDS else "std",
            smooth=smooth if 0 <= smooth <= MOST else 0.0,
            **switches,
        )


def contents(
    curves: Mapping[str, Mapping[int, Curve]],
    places: Mapping[Axis, Places],
    column: str,
    y_title: str,
    floor: float | None,
) -> dict[str, Any]:
    """What the component draws from: all traces, by which axis and how they look, and what to say of what is left out.
    Overlays of live views follow to the same ``column``."""
    drawn = [np.asarray(y, np.float64) for by_seed in curves.values() for _, y in by_seed.values()]
    values = np.concatenate([np.empty(0), *drawn])
    values = values[np.isfinite(values)]
    limits = robust_range(drawn, floor)
    figure = charts.curves([], y_title=y_title).update_layout(height=comparison_charts.HEIGHT)
    return {
        "measure": {"column": column, "title": y_title},
        "layout": charts.skeleton(figure)["layout"],
        "traces": [
            {
                "role": trace.role,
                "x": {axis: _packed(x) for axis, x in trace.x.items()},
                "y": _packed(trace.y),
                "look": trace.look,
            }
            for trace in comparison_charts.seed_traces(curves, places)
        ],
        "floor": floor,
        "line": comparison_charts.FLOOR["line"],
        "range": [limits.low, limits.high] if limits else None,
        "least": float(values[values > 0].min()) if (values > 0).any() else 1.0,
        "told": {
            "cut": outside(limits.outside if limits else 0),
            "logy": not_above_zero(values),
            "logx": {
                axis: at_zero([x for by_seed in of.values() for x in by_seed.values()]) for axis, of in places.items()
            },
        },
    }


def show(contents: Mapping[str, Any], view: View, default: Axis, *, key: str) -> View:
    """Draw the chart with its controls; how it is looked at now."""
    defaults = View(axis=default)
    now = _COMPONENT(
        key=key,
        data={
            **contents,
            "plotly": PLOTLY_URL,
            "axes": [{"name": axis, "button": BUTTONS[axis], "title": TITLES[axis]} for axis in AXES],
            "bands": [{"name": band, "button": title} for band, title in BANDS.items()],
            "most": MOST,
            "view": asdict(view),
            "defaults": asdict(defaults),
        },
        default={"view": asdict(view)},
        on_view_change=lambda: None,
    )
    return View.read(dict(now.view or {}), default)


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

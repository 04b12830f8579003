"""Figures of a stored run and its card in a notebook. No Streamlit here."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from gan_core.config import ConfigError, RunConfig, losses_of
from gan_core.engine.comparing import standings
from gan_core.engine.exchange.film import Reel, reels, still
from gan_core.engine.library.describe import describe, traits
from gan_core.engine.showing.parts import STANDING, first_of, kept_as
from gan_core.engine.showing.series import thin
from gan_core.store import RunRecord, RunStore, StoreError
from gan_core.ui import charts

POINTS = 1000  # of a curve
SIDE = 280  # pixels of the picture on a card


def figure(store: RunStore, run: RunRecord, what: str) -> go.Figure:
    """``losses``, ``samples``, or one column of the track ``diagnostics`` or ``turns``. Raises ValueError for anything else,
    StoreError where nothing was seen.
    """
    if what == "samples":
        return _samples(store, reels(store, run.id)[0])
    if what == "losses":
        return _sized(curves_of(store, run, "turns", losses_of(run.config), "loss"))
    known = {name: track for track in ("turns", "diagnostics") for name in store.track(run.id, track).columns}
    if what not in known:
        raise ValueError(f"there is no {what!r}; there are losses, samples, {', '.join(sorted(known))}")
    title = standings.title(what) if what in standings.METRICS else what
    return _sized(curves_of(store, run, known[what], [what], title))


def curves_of(
    store: RunStore,
    run: RunRecord,
    track: str,
    columns: list[str],
    title: str,
    marks: Sequence[tuple[float, str]] = (),
) -> go.Figure:
    """Columns of a stored run over its rounds, with the names and reference lines that its game gives them."""
    try:
        config = RunConfig.load(run.config)
        told, of = describe(config), traits(config).of
    except (ConfigError, KeyError):  # of a version with other names
        told, of = {"labels": {}, "lines": {}}, {}
    data = store.track(run.id, track, columns)
    series = {name: thinned(data.rounds, data.column(name)) for name in data.columns}
    return charts.curves(series, y_title=title, of=of, labels=told["labels"], lines=told["lines"], marks=marks)


def thinned(rounds: np.ndarray, values: np.ndarray) -> standings.Curve:
    """The finite part of a curve, downsampled to what a figure can show."""
    finite = np.isfinite(values)
    return thin(rounds[finite], values[finite], POINTS)


def _sized(made: go.Figure) -> go.Figure:
    return made.update_layout(height=320, width=720)


def _samples(store: RunStore, reel: Reel) -> go.Figure:
    frame = reel.frames[-1]
    if kept_as(first_of(STANDING, frame.parts) or "") == "png":
        made = go.Figure(go.Image(z=np.asarray(still(store, reel, frame))))
        made.update_xaxes(visible=False).update_yaxes(visible=False)
        return made.update_layout(title=f"round {frame.round:,}", margin={"l": 0, "r": 0, "t": 40, "b": 0})
    try:
        seen = json.loads(store.artefact_path(reel.run.id, frame.parts["points"]["file"]).read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(f"What was seen at round {frame.round:,} cannot be read: {error}.") from error
    if "ys" not in seen:
        densities = (
            reel.reference.get("real_density", ()),
            seen["fake"],
            seen.get("critic", ()),
            seen.get("optimal", ()),
        )
        return charts.density_1d(seen["xs"], *densities).update_layout(height=360, width=720)
    xs, ys = seen["xs"], seen["ys"]
    real, fake = reel.reference.get("points", ()), np.array(seen["fake"], dtype=float)
    made = charts.scatter_2d(
        real, fake, critic=seen.get("critic", ()), xs=xs, ys=ys, extent=(xs[0], xs[-1], ys[0], ys[-1])
    )
    made.data = made.data[:3]  # what the live view lays over them is not there
    return made.update_layout(height=520, width=560)


def card(store: RunStore, run: RunRecord, verdict: Mapping[str, Any]) -> str:
    """The run as a piece of HTML without script: how it ended, what it is like, its last samples and measurements."""
    measured = {name: value for name, value in run.summary.get("metrics", {}).items() if name in standings.METRICS}
    rows = "".join(
        f"<tr><th style='text-align:left;font-weight:normal'>{escape(standings.title(name))}</th>"
        f"<td style='text-align:right'>{value:.4g}</td></tr>"
        for name, value in measured.items()
    )
    heading = f"<b>{escape(run.name)}</b> · {escape(run.status)} after {run.rounds:,} rounds"
    said = ": ".join(str(verdict.get(part, "")) for part in ("title", "sentence") if verdict.get(part))
    told = "".join(f"<div>{escape(line)}</div>" for line in (said, run.message) if line)
    try:
        reel = reels(store, run.id)[0]
        buffer = io.BytesIO()
        picture: Image.Image = still(store, reel, reel.frames[-1], SIDE)
        picture.save(buffer, format="PNG")
        content = b64encode(buffer.getvalue()).decode()
        seen = f'<img src="data:image/png;base64,{content}" alt="samples at round {reel.frames[-1].round}">'
    except StoreError:
        seen = ""
    return (
        f"<div>{heading}{told}<div style='display:flex;gap:1.5em;align-items:flex-start;margin-top:.5em'>"
        f"{seen}<table>{rows}</table></div></div>"
    )

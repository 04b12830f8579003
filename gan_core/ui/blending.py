"""Between a run and the one that it went on from, on its page: perception against distortion, and the outputs on the way."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from gan_core.engine.exchange.blending import SHARES, Way, has_way
from gan_core.engine.observers.translated import HEADS
from gan_core.engine.showing.pictures import tile
from gan_core.store import RunRecord
from gan_core.ui import figures, theme
from gan_core.ui.shell import action_button, lab, said_in_a_sentence

STEP = 0.05
HEIGHT = 320
SAID = (
    "To the left outputs are nearer to their targets, below they are more like real pictures. No network can be best at both "
    "(Blau & Michaeli 2018): what lies on the way between a run that minimises an error and one that D trains is a choice."
)


def show(run: RunRecord) -> None:
    """The section of a run of pairs that went on from another one of the same networks; nothing for any other."""
    if run.parent is None or not has_way(lab().store, run.parent, run.id):
        return
    with st.expander("Between this run and the one it went on from", icon=":material/linear_scale:"):
        st.fragment(_section)(run.parent, run.id)


def _section(parent: str, run_id: str) -> None:
    kept = f"way:{run_id}"
    st.caption(
        "The weights of both are mixed, from their newest checkpoints; that takes no training, and a few seconds."
    )
    if action_button("steer", "Look between them", runs=[run_id], key=f"between:{run_id}", icon=":material/search:"):
        with said_in_a_sentence(), st.spinner("Translating on the way from one to the other"):
            way = Way(lab().store, parent, run_id)
            st.session_state[kept] = way, [way.measure(share) for share in SHARES]
    if kept in st.session_state:
        way, rows = st.session_state[kept]
        _found(way, rows, run_id)


def _found(way: Way, rows: Sequence[dict[str, float]], run_id: str) -> None:
    share = st.slider("Share of the way to this run", 0.0, 1.0, 0.5, STEP, format="percent", key=f"share:{run_id}")
    images = way.rows(share)
    count, columns, *shape = images.shape
    here = next((row for row in rows if row["share"] == share), None) or way.measure(share)
    left, right = st.columns([3, 2])
    left.image(tile(images.reshape(count * columns, *shape), columns), output_format="PNG", width="stretch")
    left.caption(" | ".join(HEADS * (columns // len(HEADS))))
    if "target_frechet" in here and "psnr" in here:
        right.plotly_chart(plane(rows, here), width="stretch", config={"displayModeBar": False}, key=f"plane:{run_id}")
        right.caption(SAID)
    else:
        right.caption(
            "There is no classifier of these pictures, so nobody measures how like real ones the outputs are."
        )
    table = [
        {name: row[name] for name in ("share", "psnr", "ssim", "target_frechet", "target_class") if name in row}
        for row in rows
    ]
    right.dataframe(table, hide_index=True, column_config={
        "share": st.column_config.NumberColumn("share of the way", format="percent"),
        "psnr": st.column_config.NumberColumn("PSNR, dB", format="%.1f"),
        "ssim": st.column_config.NumberColumn("SSIM", format="%.2f"),
        "target_frechet": st.column_config.NumberColumn("Fréchet distance", format="%.0f"),
        "target_class": st.column_config.NumberColumn("class kept", format="%.2f"),
    })  # fmt: skip
    first, last = way.rounds
    st.caption(f"0 % is the parent at round {first:,}, 100 % this run at round {last:,}.")


def plane(rows: Sequence[dict[str, float]], here: dict[str, float]) -> go.Figure:
    """Distortion (PSNR, better to the left) against perception (Fréchet distance to targets, better below), with the way
    between two networks as a line, and the point ``here`` on it. Rows have ``share``, ``psnr`` and ``target_frechet``."""
    layout = figures.layout("PSNR, dB: better to the left", "Fréchet distance: better below")
    made = go.Figure(layout=layout | {"height": HEIGHT, "showlegend": False, "hovermode": "closest"})
    made.update_xaxes(autorange="reversed")
    made.update_yaxes(rangemode="tozero")
    x, y = ([row[name] for row in rows] for name in ("psnr", "target_frechet"))
    told, ends = [f"{row['share']:.0%}" for row in rows], {0, len(rows) - 1}
    labels = [said if at in ends else "" for at, said in enumerate(told)]
    hover = "%{customdata} of the way<br>%{x:.1f} dB, distance %{y:.0f}<extra></extra>"
    made.add_scatter(
        x=x, y=y, text=labels, customdata=told, mode="lines+markers+text", textposition="top right", hovertemplate=hover,
        line={"color": theme.UNSURE, "width": 2}, marker={"size": 8}, cliponaxis=False,
    )  # fmt: skip
    made.add_scatter(
        x=[here["psnr"]], y=[here["target_frechet"]], customdata=[f"{here['share']:.0%}"], hovertemplate=hover, mode="markers",
        marker={"color": theme.G, "size": 14, "symbol": "diamond"},
    )  # fmt: skip
    return made

"""One cause at a time: a slider, what was measured at each of its stops, and the run itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gan_core.config import CAUSES, Cause, Comparison, Variant
from gan_core.config.gan.causes import ROUNDS
from gan_core.engine.library.causes import Trial, measured
from gan_core.ui import theme
from gan_core.ui.figures import layout
from gan_core.ui.shell import COMPARE, click_of, lab, said_in_a_sentence, show_started, start, start_button

MODES = 8
SEEDS = (0, 1)


def one_cause(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    """A tab of the board: the cause and its value at the left, the map at the right."""
    with side:
        names, wanted = list(CAUSES), st.query_params.get("cause", "")
        name = st.selectbox(
            "What is turned",
            names,
            names.index(wanted) if wanted in names else 0,
            format_func=lambda key: CAUSES[key].title,
            key="theory:cause",
        )
        if name != wanted:
            st.query_params["cause"] = name
        cause = CAUSES[name]
        value = st.select_slider(
            cause.slider[:1].upper() + cause.slider[1:], list(cause.values), cause.usual, key=f"value:{name}"
        )
        st.markdown(
            "**See:** one setting is turned, all others stay. The map shows what came of every value, over seeds."
        )
        st.markdown(f"**Ask:** {cause.question}")
        with st.expander("Why", icon=":material/lightbulb:"):
            st.markdown(cause.why)
        one, every = "cause:one", "cause:every"
        if start_button(
            "Train this one", key=one, seen=name, type="primary", icon=":material/play_arrow:", width="stretch"
        ):
            start(cause.config(value), key=one, name=f"{cause.slider} {value}")
        label, icon = f"Train all {len(cause.values)} side by side", ":material/compare_arrows:"
        if start_button(label, key=every, seen=name, action="teach", icon=icon, width="stretch"):
            with said_in_a_sentence():
                made = lab().compare(side_by_side(cause), name=cause.title, key=click_of(every))
                show_started(every, COMPARE, {"comparison": made})
    with stage:
        trials = measured(name)
        if not trials:
            st.info("This was not measured yet: `python benchmarks/causes.py` does.", icon=":material/hourglass_empty:")
            return
        st.markdown(said(cause, value, trials.get(value, ())))
        st.plotly_chart(cause_map(cause, trials, value), key="map", config={"displayModeBar": False})
        st.caption(
            f"A plain non-saturating game on the ring of eight, {ROUNDS:,} rounds; everything else stays. A dot is a run: "
            "modes held in the mean of its last twelve measurements; the line joins the medians. Measured by "
            "`python benchmarks/causes.py`."
        )


def side_by_side(cause: Cause) -> Comparison:
    """Every value of a cause as a variant."""
    return Comparison(
        base=cause.config(cause.usual),
        variants=tuple(
            Variant(name=f"{cause.slider}: {value}"[:60], changes=dict(changes))
            for value, changes in cause.values.items()
        ),
        seeds=SEEDS,
        rounds=ROUNDS,
    )


def said(cause: Cause, value: str, trials: Sequence[Trial]) -> str:
    """What came of one value, in a sentence."""
    if not trials:
        return f"{cause.slider} **{value}** was not measured."
    modes = [trial.modes for trial in trials]
    fallen = sum(trial.collapsed for trial in trials)
    least, most = min(modes), max(modes)
    spread = f", from {least:.1f} to {most:.1f}" if most - least > 0.05 else ""
    return (
        f"At {cause.slider} **{value}**, {fallen} of {len(trials)} seeds collapsed; at the end G held "
        f"**{median(modes):.1f} of {MODES} modes** (median{spread})."
    )


def cause_map(cause: Cause, trials: Mapping[str, Sequence[Trial]], value: str) -> go.Figure:
    """Modes held over the values of a cause: a dot per run, filled unless it collapsed, a line through the medians."""
    values = [name for name in cause.values if name in trials]
    figure = go.Figure(layout=layout(cause.slider, f"modes held of {MODES}", hovermode="closest", height=400))
    medians = [median(trial.modes for trial in trials[name]) for name in values]
    figure.add_scatter(
        x=values, y=medians, mode="lines", name="median", line={"color": theme.G, "width": 2.4}, hoverinfo="skip"
    )
    for collapsed, title, symbol in ((False, "did not collapse", "circle"), (True, "collapsed", "x")):
        runs = [trial for name in values for trial in trials[name] if trial.collapsed == collapsed]
        figure.add_scatter(
            x=[trial.value for trial in runs],
            y=[trial.modes for trial in runs],
            customdata=[trial.seed for trial in runs],
            mode="markers",
            name=title,
            marker={"symbol": symbol, "size": 11, "color": theme.UNSURE if collapsed else theme.FAKE, "opacity": 0.8},
            hovertemplate="%{x}, seed %{customdata}: %{y:.1f} modes<extra></extra>",
        )
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=values)
    figure.update_yaxes(range=[-0.3, MODES + 0.6], dtick=2)
    if value in values:
        place = values.index(value)
        figure.add_vrect(
            place - 0.35, place + 0.35, fillcolor=theme.rgba(theme.MARK, 0.16), line_width=0, layer="below"
        )
    return figure.add_hline(
        MODES,
        line={"color": theme.REAL, "width": 1.4, "dash": "dot"},
        annotation_text="real data",
        annotation_font={"size": 13},
    )

"""Starting a study: a card for each protocol with its question, how long it takes, and one button."""

from __future__ import annotations

import streamlit as st

from gan_core.config import ConfigError, RunConfig
from gan_core.config.studies import StudySettings, load_study
from gan_core.engine import in_words, training_now
from gan_core.engine.studies.computing import forecast
from gan_core.engine.studies.protocols import PROTOCOLS, Protocol
from gan_core.engine.studies.side_by_side import processes_for
from gan_core.store import RunRecord
from gan_core.ui.shell import (
    USES,
    as_typed,
    click_of,
    lab,
    said_in_a_sentence,
    show_started,
    start_button,
)
from gan_core.ui.uses.fields import settings_form

LOOKED_AT = 60  # runs, the newest


def show_cards() -> None:
    """The protocols, those that ask no run first."""
    for name, protocol in sorted(PROTOCOLS.items(), key=lambda entry: entry[1].asks):
        with st.container(border=True, key=f"protocol:{name}"):
            _card(name, protocol)


def _card(name: str, protocol: Protocol) -> None:
    st.subheader(protocol.title, anchor=False)
    st.markdown(protocol.about.idea)
    run = _run(name, protocol) if protocol.asks else ""
    if protocol.asks and not run:
        st.caption("No run here can be asked yet. The Home page starts *Digits on demand* with one press.")
        return
    with st.expander("Settings", icon=":material/tune:"):
        settings = settings_form(name, of_a_run=protocol.asks)
        st.caption(f"**Watch for:** {protocol.about.watch_for} Paper: {protocol.about.citation}.")
    if settings is not None:
        start(name, protocol, settings.model_copy(update={"run": run}))


def start(name: str, protocol: Protocol, settings: StudySettings) -> None:
    """The button, and how long it will take."""
    key = f"study:start:{name}"
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = start_button(
            "Start the study",
            key=key,
            seen=(name, settings.to_dict()),
            action="teach",
            type="primary",
            icon=":material/play_arrow:",
        )
        st.caption(told(settings))
    if pressed:
        with said_in_a_sentence():
            study = lab().studies.start(settings, key=click_of(key))
            show_started(key, USES, {"study": study})


def told(settings: StudySettings) -> str:
    """How long a study takes, and what shares the processor with it."""
    seconds, basis = forecast(lab().store, settings, processes_for(lab().store, settings))
    training = training_now(lab().store.runs(limit=LOOKED_AT))
    slower = "; runs that train now go first" if training else ""
    known = basis if "took here" in basis else f"as measured elsewhere {basis}"
    return f"About {in_words(seconds)}, {known}{slower}. It goes on when this page is closed."


def _run(name: str, protocol: Protocol) -> str:
    """The run that is asked, chosen among those that can be."""
    able = {}
    for run in lab().store.runs(limit=LOOKED_AT):
        if isinstance(run, RunRecord) and not why_not_asked(protocol, run):
            able[run.id] = run.name
    if not able:
        return ""
    wanted = st.query_params.get("run", "")
    chosen: str = st.selectbox(
        "The run that is asked",
        list(able),
        list(able).index(wanted) if wanted in able else 0,
        format_func=lambda run_id: able[run_id],
        key=f"study:{name}:run",
    )
    return chosen


def why_not_asked(protocol: Protocol, run: RunRecord) -> str:
    """Why a run cannot be asked by a protocol; "" where it can."""
    try:
        config = RunConfig.load(run.config)
    except ConfigError as error:
        return str(error)
    if why := protocol.refuses(config):
        return why
    return "" if lab().kept_rounds(run.id) else "No checkpoint of this run has been kept yet."


def of_a_run(run: RunRecord) -> None:
    """On the page of a run: the studies that can ask it, and those that have."""
    able = [(name, one) for name, one in PROTOCOLS.items() if one.asks and not why_not_asked(one, run)]
    done = lab().store.studies.of_run(run.id)
    if not able and not done:
        return
    with st.expander("What is it good for?", icon=":material/science:"):
        for study in done:
            st.page_link(
                USES,
                label=f"{as_typed(study.name)} · {study.status}, {study.done} of {study.cells}",
                icon=":material/science:",
                query_params={"study": study.id},
            )
        for name, protocol in able:
            st.markdown(f"**{protocol.title}** {protocol.about.idea}")
            start(name, protocol, load_study({"protocol": name, "run": run.id}))

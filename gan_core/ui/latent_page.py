"""The latent page: which run and which kept round, and the component that walks through its latent space."""

from __future__ import annotations

import streamlit as st

from gan_core.config import ConfigError, RunConfig
from gan_core.engine import traits
from gan_core.engine.showing.pictures import GAP
from gan_core.store import DamagedRun, RunNotFound, RunRecord, StoreError
from gan_core.ui import scripts
from gan_core.ui.shell import HOME, WATCH, as_typed, lab, say, ticket

_COMPONENT = scripts.component("latent", "latent/walk.js", "latent/latent.css")
LISTED = 60
"""Of the newest runs, as many are offered."""


def has_space(run: RunRecord) -> bool:
    """Whether samples of a run's game are made of a code."""
    try:
        can = traits(RunConfig.load(run.config)).abilities
    except ConfigError:
        return False
    return "sample" in can or {"encode", "reconstruct"} <= set(can)


def show() -> None:
    """The page."""
    st.title("Latent space", anchor=False)
    which, when, back = st.columns([4, 2, 1.4], vertical_alignment="bottom")
    with which:
        run = _chosen_run()
    if run is None:
        st.info(
            "No run can be walked through yet. Start one from the Home page; the first checkpoint opens its space.",
            icon=":material/explore:",
        )
        st.page_link(HOME, label="Start a run", icon=":material/home:")
        return
    back.page_link(WATCH, label="Watch this run", icon=":material/monitoring:", query_params={"run": run.id})
    try:
        rounds = [saved.round for saved in lab().store.checkpoints(run.id)]
    except StoreError as error:
        say(error)
        return
    if not rounds:
        st.info(
            "Nothing of this run has been saved yet: its first checkpoint comes soon, or at once by Save on its page.",
            icon=":material/save:",
        )
        return
    with when:
        at = _chosen_round(run.id, rounds)
    data = {"run": run.id, "round": at, "ticket": ticket(run.id), "gap": GAP}
    _COMPONENT(key="latent", data=data, on_stale_change=lambda: None)


def _chosen_run() -> RunRecord | None:
    """The run of the address, else the newest; None where there is none."""
    runs = {run.id: run for run in lab().store.runs(limit=LISTED) if not isinstance(run, DamagedRun) and has_space(run)}
    asked = st.query_params.get("run", "")
    if asked and asked not in runs:
        try:
            found = lab().store.run(asked)
        except (RunNotFound, StoreError) as error:
            say(error)
        else:
            if has_space(found):
                runs = {asked: found, **runs}
            else:
                st.info(f"{as_typed(found.name)} makes nothing of a code; here is another run.")
    if not runs:
        return None
    ids = list(runs)
    index = ids.index(asked) if asked in runs else 0
    chosen = st.selectbox("Run", ids, index=index, format_func=lambda id: f"{runs[id].name} · {id}")
    if chosen != asked:
        st.query_params["run"] = chosen
        if asked and "round" in st.query_params:
            del st.query_params["round"]
    return runs[chosen]


def _chosen_round(run_id: str, rounds: list[int]) -> int:
    """The round of the address, else the newest."""
    asked = st.query_params.get("round", "")
    choices = [None, *reversed(rounds)]
    index = choices.index(int(asked)) if asked.isascii() and asked.isdigit() and int(asked) in rounds else 0
    at = st.selectbox(
        "Round",
        choices,
        index=index,
        format_func=lambda round: f"the newest, {rounds[-1]:,}" if round is None else f"{round:,}",
        key=f"round:{run_id}",
    )
    if at is not None and str(at) != asked:
        st.query_params["round"] = str(at)
    elif at is None and asked:
        del st.query_params["round"]
    return rounds[-1] if at is None else at

"""The scores of a run's code on its page, where the factors of its data are known: a button, and what it found."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from gan_core.config import RunConfig
from gan_core.engine.exchange.disentangling import can_be_scored
from gan_core.ui.rights import pace
from gan_core.ui.shell import action_button, lab, said_in_a_sentence

LOOK_SECONDS = 1.0
COLUMNS = {
    "mig": (
        "MIG",
        "Mutual information gap: what the best number of the code knows of a factor more than the second best",
    ),
    "sap": (
        "SAP",
        "Separated attribute predictability: how much better the best number predicts a factor than the second",
    ),
    "disentanglement": ("DCI: D", "Disentanglement: whether each number knows of one factor alone"),
    "completeness": ("DCI: C", "Completeness: whether each factor stands in one number alone"),
    "informativeness": ("DCI: I", "Informativeness: how often a forest tells the factor from the whole code"),
    "factor_vae": ("FactorVAE", "Share of right votes: which factor was held fixed? A rotation costs it little"),
}
READING = (
    "No score tells by itself: set the code beside the true factors, which have everything, and beside these rotated, which "
    "know as much along no axis. The angle comes round, and no single number can follow it. One run is one seed: of the same "
    "settings another may read twice as much (Locatello et al. 2019)."
)


def show(run_id: str, config: RunConfig) -> None:
    """The section of a run whose code can be scored; nothing for any other."""
    if not can_be_scored(config):
        return
    with st.expander("Disentanglement", icon=":material/call_split:"):
        chore = lab().chores.get(_key(run_id))
        st.fragment(_section, run_every=pace(LOOK_SECONDS) if chore is not None and chore.busy else None)(run_id)


def _key(run_id: str) -> str:
    return f"disentangle:{run_id}"


def _section(run_id: str) -> None:
    chore = lab().chores.get(_key(run_id))
    if chore is not None and chore.busy:
        share, sentence = chore.progress
        st.progress(share, sentence)
        return
    if chore is not None and st.session_state.pop(f"scoring:{run_id}", False):
        st.rerun()  # once more without the clock
    st.caption(
        "How far the code tells the known factors of the data apart, from the newest checkpoint. Takes about half a minute."
    )
    label = "Score the code" if chore is None else "Score again"
    if action_button("steer", label, runs=[run_id], key=f"score:{run_id}", icon=":material/straighten:"):
        with said_in_a_sentence():
            lab().chores.disentangle(run_id)
            st.session_state[f"scoring:{run_id}"] = True
            st.rerun()
    if chore is not None and chore.error:
        st.info(chore.error, icon=":material/info:")
    elif chore is not None and chore.result:
        _table(json.loads(chore.result))


def _table(found: dict[str, Any]) -> None:
    st.markdown(f"At round {found['round']:,}")
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(title, help=help, format="%.2f") for name, (title, help) in COLUMNS.items()
    }
    config |= {"representation": st.column_config.TextColumn(width="medium"), "factors": st.column_config.TextColumn()}
    st.dataframe(found["rows"], hide_index=True, column_config=config)
    st.caption(READING)

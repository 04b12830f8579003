"""The scores of a run's code on its page, where the factors of its data are known: a button, and what it found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from gan_core.config import RunConfig
from gan_core.engine.exchange.disentangling import can_be_scored
from gan_core.ui.scored import section
from gan_core.ui.shell import action_button, lab

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

    def ask(again: bool) -> Callable[[], object] | None:
        st.caption(
            "How far the code tells the known factors of the data apart, from the newest checkpoint, in a process that gives "
            "way to training."
        )
        label = "Score again" if again else "Score the code"
        pressed = action_button("steer", label, runs=[run_id], key=f"score:{run_id}", icon=":material/straighten:")
        return partial(lab().chores.disentangle, run_id) if pressed else None

    section(f"disentangle:{run_id}", "Disentanglement", ":material/call_split:", ask, _table)


def _table(found: dict[str, Any]) -> None:
    st.markdown(f"At round {found['round']:,}")
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(title, help=help, format="%.2f") for name, (title, help) in COLUMNS.items()
    }
    config |= {"representation": st.column_config.TextColumn(width="medium"), "factors": st.column_config.TextColumn()}
    st.dataframe(found["rows"], hide_index=True, column_config=config)
    st.caption(READING)

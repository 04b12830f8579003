"""The table of runs: what is shown of each, and which ones a filter keeps."""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from gan_core.engine import Lab
from gan_core.store import DamagedRun, Fault, RunRecord

Listed = RunRecord | DamagedRun


def states_of(runs: Sequence[Listed]) -> list[str]:
    """The states that occur, in order of appearance."""
    return list(dict.fromkeys(_state(run) for run in runs))


def data_of(runs: Sequence[Listed]) -> list[str]:
    """The data sets that occur."""
    return sorted({_data(run) for run in runs} - {""})


def matches(run: Listed, text: str, states: Collection[str], data: Collection[str]) -> bool:
    """Whether every word of ``text`` occurs in the run, and its state and data are among those asked for (all, if none)."""
    if (states and _state(run) not in states) or (data and _data(run) not in data):
        return False
    searched = (
        run.reason
        if isinstance(run, DamagedRun)
        else f"{run.name} {run.note} {' '.join(run.tags)} {json.dumps(run.config)}"
    )
    searched = f"{run.id} {searched}".lower()
    return all(word in searched for word in text.lower().split())


def show_faults(faults: Sequence[Fault]) -> None:
    """What is damaged, where, and what to do; nothing at all if all is well."""
    if not faults:
        return
    things = "One thing in this store is" if len(faults) == 1 else f"{len(faults)} things in this store are"
    with st.expander(f"{things} damaged", icon=":material/healing:"):
        st.markdown("The other runs are not touched by this. Nothing is deleted by itself.")
        rows = [(fault.run, fault.sentence, fault.path, fault.repair) for fault in faults]
        table = pd.DataFrame(rows, columns=["run", "what is wrong", "file", "to repair"])
        st.dataframe(table, hide_index=True)


def show(runs: Sequence[Listed], lab: Lab, ticket: str, *, key: str) -> list[RunRecord]:
    """Draw the table; returns the runs whose rows are chosen."""
    names = {run.id: run.name for run in runs if isinstance(run, RunRecord)}
    table = pd.DataFrame([_row(run, lab, ticket, names) for run in runs])
    if table.empty:
        st.info("No run matches the filter.", icon=":material/filter_alt_off:")
        return []
    event: Any = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=key,
        row_height=56,
        placeholder="",
        column_config={
            "name": st.column_config.TextColumn("name", width="medium", pinned=True),
            "samples": st.column_config.ImageColumn("", width="small"),
            "run": st.column_config.LinkColumn("run", display_text=r"watch\?run=(.*)"),
            "progress": st.column_config.ProgressColumn("rounds", format="percent", min_value=0, max_value=1),
            "started": st.column_config.DatetimeColumn("started", format="distance"),
            "kl_to_real": st.column_config.NumberColumn("KL to real", format="%.2f"),
            "modes": st.column_config.NumberColumn("modes", format="%d"),
        },
    )
    chosen = [runs[index] for index in event.selection.rows if index < len(runs)]
    return [run for run in chosen if isinstance(run, RunRecord)]


def _row(run: Listed, lab: Lab, ticket: str, names: dict[str, str]) -> dict[str, Any]:
    if isinstance(run, DamagedRun):
        return {
            "samples": None,
            "name": f"damaged: {run}",
            "status": "damaged",
            "run": f"watch?run={run.id}",
        }
    file = lab.thumbnail(run.id)
    metrics = run.summary.get("metrics", {})
    rounds = run.config.get("schedule", {}).get("rounds", 0)
    return {
        "samples": f"/live/{run.id}/artefact/{file}?ticket={ticket}" if file else None,
        "name": run.name,
        "status": run.status,
        "progress": run.rounds / rounds if rounds else 0.0,
        "data": _data(run),
        "objective": run.config.get("objective", {}).get("name", ""),
        "verdict": run.summary.get("verdict", {}).get("title", ""),
        "modes": metrics.get("modes_captured", metrics.get("modes_covered")),
        "kl_to_real": metrics.get("kl_to_real"),
        "forked from": f"{names.get(run.parent, run.parent)}, round {run.forked_at:,}" if run.parent else "",
        "tags": list(run.tags),
        "note": run.note,
        "started": datetime.datetime.fromtimestamp(run.created_at, datetime.UTC),
        "run": f"watch?run={run.id}",
    }


def _state(run: Listed) -> str:
    return "damaged" if isinstance(run, DamagedRun) else run.status


def _data(run: Listed) -> str:
    return "" if isinstance(run, DamagedRun) else str(run.config.get("data", {}).get("name", ""))

"""The page of a Ray cluster: its nodes, what trains on each, what was lost and came back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import streamlit as st

from gan_core.engine import ClusterSeen
from gan_core.said import said
from gan_core.store import RunRecord, StoreError
from gan_core.ui.rights import pace
from gan_core.ui.shell import TRAIN, WATCH, as_typed, lab

LOOK_SECONDS = 2.0
DOCS = "docs/ray.md"


def show() -> None:
    """Draw the page, and again every so often."""
    st.title("Cluster", anchor=False)
    seen = lab().cluster
    if seen is None:
        st.info(f"Runs train on this machine. With `--ray HOST:PORT` they train on a Ray cluster; {DOCS} says how.")
        return
    st.fragment(_nodes, run_every=pace(LOOK_SECONDS))()


def _nodes() -> None:
    seen = lab().cluster
    if seen is None:
        return
    if seen.problem:
        st.warning(
            f"No contact with the cluster at {seen.address}: {seen.problem}. It is tried again and again; runs there "
            f"train on meanwhile. `make ray-head` starts a cluster; {DOCS} says how."
        )
    elif not seen.nodes:
        st.info(f"Connecting to the cluster at {seen.address}.")
    active = [run for run in lab().store.runs() if isinstance(run, RunRecord) and run.active]
    training = [run for run in active if run.id in seen.places]
    waiting = [run for run in active if run.id not in seen.places]
    numbers = {
        "Nodes": sum(node["alive"] for node in seen.nodes),
        "Runs that train": len(training),
        "Runs that wait": len(waiting),
        "Runs lost": seen.lost,
        "Of these, back": seen.returned,
    }
    if seen.nodes or active:
        for (label, number), column in zip(numbers.items(), st.columns(len(numbers)), strict=True):
            column.metric(label, number)
    if seen.nodes:
        st.dataframe(rows(seen, training), hide_index=True)
    _linked("Training", ":material/monitoring:", {run.id: f"{run.name} on {seen.places[run.id]}" for run in training})
    _linked("Waiting", ":material/hourglass_empty:", {run.id: f"{run.name}: {_why(run.id)}" for run in waiting})
    if seen.nodes and not active:
        st.caption("No run trains here now.")
        st.page_link(TRAIN, label="Start one", icon=":material/play_arrow:")


def _linked(title: str, icon: str, runs: Mapping[str, str]) -> None:
    if runs:
        st.subheader(title, anchor=False)
    for run, label in runs.items():
        st.page_link(WATCH, label=as_typed(label), icon=icon, query_params={"run": run})


def _why(run_id: str) -> str:
    """What a run waits for; one that has just ended waits for nothing."""
    with suppress(StoreError, KeyError):
        status = lab().view(run_id).status
        return str(status.get("preparing") or "waiting for its turn")
    return "waiting"


def rows(seen: ClusterSeen, training: list[RunRecord]) -> list[Mapping[str, Any]]:
    """A row for each node: those that live first, each with the number of its runs."""
    return [
        {
            "node": f"{node['name']} ({node['id']})",
            "address": node["address"],
            "state": "alive" if node["alive"] else "gone",
            "CPUs": node["cpus"],
            "GPUs": node["gpus"],
            "memory": f"{said(node['memory'] / 2**30)} GiB",
            "runs": sum(node["id"] in seen.places[run.id] for run in training),
        }
        for node in sorted(seen.nodes, key=lambda node: (not node["alive"], node["name"], node["id"]))
    ]

"""The page of a Ray cluster: its nodes, what trains on each, what was lost and came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from gan_core.engine import ClusterSeen
from gan_core.said import said
from gan_core.store import RunRecord
from gan_core.ui.rights import pace
from gan_core.ui.shell import WATCH, lab

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
            "train on meanwhile."
        )
    elif not seen.nodes:
        st.info(f"Connecting to the cluster at {seen.address}.")
    active = [run for run in lab().store.runs() if isinstance(run, RunRecord) and run.active]
    training = [run for run in active if run.id in seen.places]
    columns = st.columns(4)
    alive = [node for node in seen.nodes if node["alive"]]
    columns[0].metric("Nodes", len(alive))
    columns[1].metric("Runs that train", len(training))
    columns[2].metric("Runs that wait", len(active) - len(training))
    columns[3].metric("Lost and returned", f"{seen.lost} and {seen.returned}")
    if seen.nodes:
        st.dataframe(rows(seen, training), hide_index=True)
    for run in training:
        st.page_link(
            WATCH,
            label=f"{run.name} on {seen.places[run.id]}",
            icon=":material/monitoring:",
            query_params={"run": run.id},
        )


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

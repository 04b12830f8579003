"""What a run is to take of a node, where runs train on a cluster."""

from __future__ import annotations

import streamlit as st

from gan_core.said import said
from gan_core.ui.shell import lab

AUTO = 0.0
SHARES = (AUTO, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # Ray shares out parts of one, and whole ones
HELP = {
    "cpus": "A run trains in one thread. With half a CPU, twice as many runs share a node, each at half the speed",
    "gpus": "With a part, several runs share a GPU, and each can take that part of its memory",
}


def takes(device: str, scope: str) -> dict[str, float]:
    """Draw the choice; returns ``cpus`` and ``gpus`` where they are said, {} for auto and where runs train on this machine."""
    if lab().cluster is None:
        return {}
    asked = {"cpus": "CPUs of a node"} | ({"gpus": "GPUs of a node"} if device == "cuda" else {})
    chosen = {}
    with st.expander("Cluster", icon=":material/dns:"):
        for (kind, label), column in zip(asked.items(), st.columns(2), strict=False):
            chosen[kind] = column.selectbox(
                label,
                SHARES,
                format_func=lambda share: "auto" if share == AUTO else said(share),
                key=f"takes:{kind}:{scope}",
                help=f"{HELP[kind]}. Auto is what the server takes, one unless it was told otherwise",
            )
    return {kind: share for kind, share in chosen.items() if share != AUTO}

"""The layers of G and D as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from gan_core.engine import LayerRow

PLAYERS = {"G": "Generator", "D": "Discriminator"}


def table(rows: Sequence[LayerRow]) -> str:
    """Layer, output shape and parameters, with the total, as Markdown: it reads well at any width, and can be copied."""
    lines = ["| layer | output | parameters |", "|:--|--:|--:|"]
    for row in rows:
        learned = f"{row.parameters:,}" if row.parameters else ""
        lines.append(f"| {row.name} | {shape(row.output)} | {learned} |")
    return "\n".join([*lines, f"| **all** | | **{sum(row.parameters for row in rows):,}** |"])


def shape(output: tuple[int, ...]) -> str:
    """As a board would have it: ``1×28×28``; one number is ``1``."""
    return "×".join(map(str, output)) or "1"


def layer_tables(layers: Mapping[str, Sequence[LayerRow]]) -> None:
    """Show them, a tab for each network."""
    for tab, rows in zip(st.tabs([PLAYERS.get(name, name) for name in layers]), layers.values(), strict=True):
        tab.markdown(table(rows))

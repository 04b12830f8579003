"""What the Library page shows: entries to choose from, and the card of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from gan_core.engine import Card, Choice
from gan_core.ui.charts import STATIC
from gan_core.ui.loss_chart import loss_chart
from gan_core.ui.shell import DATA, TRAIN, about_card

KINDS = {
    "objectives": "Objectives",
    "losses": "Losses",
    "regularizers": "Regularisers",
    "tricks": "Tricks",
    "architectures": "Architectures",
    "datasets": "Data sets",
    "metrics": "Metrics",
    "games": "Games",
}
RESULTS = Path(__file__).resolve().parent.parent.parent / "docs" / "results" / "objectives.md"


def matching(choices: Mapping[str, Mapping[str, Choice]], kind: str, text: str) -> dict[str, Choice]:
    """The entries of a kind by ``kind:name``; with a search text, those of all kinds in whose cards all its words stand."""
    words = text.lower().split()
    if not words:
        return {f"{kind}:{name}": choice for name, choice in choices[kind].items()}
    return {
        f"{one}:{name}": choice
        for one, entries in choices.items()
        for name, choice in entries.items()
        if all(word in _text_of(one, choice) for word in words)
    }


def _text_of(kind: str, choice: Choice) -> str:
    about = choice.about
    return f"{KINDS[kind]} {choice.name} {about.title} {about.idea} {about.watch_for} {about.citation}".lower()


def choose(entries: Mapping[str, Choice], wanted: str, *, kinds: bool) -> str:
    """A list to choose one entry from; under each title its year, and its kind where they are mixed."""
    keys = list(entries)
    captions = [
        f"{KINDS[key.partition(':')[0]]}, {entry.about.year}" if kinds else f"{entry.about.year}"
        for key, entry in entries.items()
    ]
    chosen = st.radio(
        "Entry",
        keys,
        index=keys.index(wanted) if wanted in entries else 0,
        format_func=lambda key: entries[key].about.title,
        captions=captions,
        key=f"entry:{'|'.join(keys)}",
        label_visibility="collapsed",
    )
    return chosen or keys[0]


def show_card(card: Card) -> None:
    """Formula, idea, paper; the picture of its loss; what it sets; where it is written; and Start."""
    choice = card.choice
    with st.container(border=True):
        st.subheader(choice.about.title, anchor=False)
        st.caption(f"{KINDS[card.kind]} · `{choice.name}`")
        about_card(choice.about)
        _actions(card)
    if card.picture is not None:
        _show_loss(card)
    if card.kind == "objectives":
        _show_results(choice.name)
    if card.settings:
        settings = st.expander("What it sets", icon=":material/tune:", key="sets", on_change="rerun")
        if settings.open:
            rows = [{"setting": field, "value": str(value)} for field, value in card.settings.items()]
            settings.dataframe(rows, hide_index=True, key="settings")
    if card.code:
        with st.container(border=True):
            st.markdown("**Where it is written**")
            for code in card.code:
                where = f"`{code.name}` in `{code.place}`"
                written = st.expander(where, icon=":material/code:", key=f"code:{code.name}", on_change="rerun")
                if written.open:
                    written.code(code.text, language="python", wrap_lines=True)


def _actions(card: Card) -> None:
    choice = card.choice
    with st.container(horizontal=True):
        if card.kind != "metrics" and st.button(
            "Start a run with this",
            key=f"use:{card.kind}:{choice.name}",
            type="primary",
            icon=":material/play_arrow:",
            disabled=choice.missing is not None,
            help=choice.missing,
        ):
            st.switch_page(TRAIN, query_params={"part": f"{card.kind}:{choice.name}"})
        if card.kind == "datasets" and st.button("See the data", key=f"see:{choice.name}", icon=":material/dataset:"):
            st.switch_page(DATA, query_params={"data": choice.name})


def _show_loss(card: Card) -> None:
    picture = card.picture
    assert picture is not None
    with st.container(border=True):
        own = "" if card.kind == "losses" else f" It plays with the loss *{picture.title}*."
        st.markdown(f"**What each player pays for one sample, and the gradient that it gets from it.**{own}")
        st.plotly_chart(loss_chart(picture.curves, picture.axis), key="loss", config=STATIC, height=330)
        if picture.compares:
            st.caption("D is shown pairs: to the right the sample beats the other one of its pair.")
        else:
            st.caption(
                "To the left D takes the sample for generated, to the right for real. Penalties are not in the picture."
            )
        if picture.equilibrium:
            stand = " and ".join(f"{player}'s loss at **{label}**" for player, _, label in picture.equilibrium)
            st.markdown(f"**At equilibrium**, when D cannot tell: {stand}.")
        st.markdown(f"**Reading the curve:** {picture.reading}")


def _show_results(name: str) -> None:
    """The rows of this objective in the document of results, where there is one."""
    rows = measured_rows(RESULTS.read_text(), name) if RESULTS.exists() else {}
    if rows:
        with st.container(border=True):
            st.markdown("**Measured here**, on two small networks, mean over seeds (`docs/results/objectives.md`)")
            for title, table in rows.items():
                st.markdown(f"{title}\n\n{table}")


def measured_rows(document: str, name: str) -> dict[str, str]:
    """By section of the document: its figures for the real data and for one objective, and what was changed for it."""
    found = {}
    for section in re.split(r"^## ", document, flags=re.MULTILINE)[1:]:
        table = [line for line in section.splitlines() if line.startswith("|")]
        own = [line for line in table if line.startswith(f"| `{name}` ")]
        if own:
            rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in (table[0], table[2], own[0])]
            figures = rows[0].index("seeds")
            lines = ["| " + " | ".join(row[:figures]) + " |" for row in rows]
            said = ", ".join(
                f"{name}: {value}" for name, value in zip(rows[0][figures:], rows[2][figures:], strict=True)
            )
            found[section.splitlines()[0]] = "\n".join([lines[0], "|---" * figures + "|", *lines[1:], "", said])
    return found

"""What are these things? One card per part."""

import streamlit as st

from gan_core.engine import catalogue
from gan_core.ui.shell import TRAIN, about_card

st.title("Library", anchor=False)
choices = catalogue()
kind = st.segmented_control(
    "Kind", list(choices), default="objectives", format_func=str.capitalize, key="kind", label_visibility="collapsed"
)
text = st.text_input(
    "Search", placeholder="saturation, Lipschitz, Goodfellow…", key="search", label_visibility="collapsed"
)
cells = st.columns(2)
shown = 0
for choice in choices[kind or "objectives"].values():
    about = choice.about
    if (
        text or ""
    ).lower() not in f"{choice.name} {about.title} {about.idea} {about.watch_for} {about.citation}".lower():
        continue
    with cells[shown % 2].container(border=True):
        st.subheader(about.title, anchor=False)
        st.caption(f"`{choice.name}`")
        about_card(about)
        if kind == "objectives" and st.button(
            "Start a run with this", key=f"use:{choice.name}", icon=":material/play_arrow:"
        ):
            st.switch_page(TRAIN, query_params={"objective": choice.name})
    shown += 1
if not shown:
    st.info("Nothing here matches.", icon=":material/search_off:")

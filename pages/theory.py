"""Why do GANs fail, and why do the cures work? For the board."""

import streamlit as st

from gan_core.ui.theory_tabs import TABS, show

names = list(TABS)
wanted = st.query_params.get("tab", "")
with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Theory", anchor=False, width="content")
    tab = st.segmented_control(
        "What to look at",
        names,
        default=wanted if wanted in names else names[0],
        format_func=lambda name: TABS[name].title,
        required=True,
        key="theory:tab",
        label_visibility="collapsed",
    )
if tab != wanted:
    st.query_params["tab"] = str(tab)
show(str(tab))

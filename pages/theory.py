"""Why do GANs fail, and why do the cures work? What does a code keep? For the board."""

import streamlit as st

from gan_core.ui.theory_tabs import GROUPS, TABS, show

wanted = st.query_params.get("tab", "")
first = next((name for name, tabs in GROUPS.items() if wanted in tabs), next(iter(GROUPS)))
with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Theory", anchor=False, width="content")
    group = st.segmented_control(
        "What it is about",
        list(GROUPS),
        default=first,
        required=True,
        key="theory:group",
        label_visibility="collapsed",
    )
    names = GROUPS[str(group)]
    tab = st.segmented_control(
        "What to look at",
        names,
        default=wanted if wanted in names else names[0],
        format_func=lambda name: TABS[name].title,
        required=True,
        key=f"theory:tab:{group}",
        label_visibility="collapsed",
    )
if tab != wanted:
    st.query_params["tab"] = str(tab)
show(str(tab))

"""What are these things? One card per part: what it is, what it asks of the players, and where it is written."""

import streamlit as st

from gan_core.engine import card, catalogue
from gan_core.ui.library import KINDS, choose, matching, show_card
from gan_core.ui.pressing import PageEnds

st.title("Library", anchor=False)
choices = catalogue()
wanted = st.query_params.get("part", "")
first = wanted.partition(":")[0]
kinds, search = st.columns([5, 2], vertical_alignment="center")
kind = kinds.segmented_control(
    "Kind",
    list(KINDS),
    default=first if first in KINDS else "objectives",
    format_func=KINDS.__getitem__,
    key="kind",
    label_visibility="collapsed",
)
text = search.text_input(
    "Search", placeholder="saturation, Lipschitz, Goodfellow…", key="search", label_visibility="collapsed"
)
entries = matching(choices, kind or "objectives", text or "")
if not entries:
    st.info("Nothing here matches.", icon=":material/search_off:")
    raise PageEnds
names, shown = st.columns([2, 5], gap="large")
with names:
    chosen = choose(entries, wanted, kinds=bool(text))
with shown:
    show_card(card(*chosen.split(":", 1)))
if wanted != chosen:
    st.query_params["part"] = chosen

"""What is it good for, and how is that known?"""

import streamlit as st

from gan_core.ui import deleted
from gan_core.ui.pressing import PageEnds
from gan_core.ui.shell import LESSONS
from gan_core.ui.uses import listing, reading, starting

if wanted := st.query_params.get("study", ""):
    reading.show(wanted)
    raise PageEnds

st.title("Uses", anchor=False)
st.markdown(
    "What is a GAN good for? A study asks that with arms, sizes and seeds, beside the simplest thing that could do as well, "
    "and says *helps by*, *hurts by* or *cannot be told*."
)
deleted.offer_undo()
starting.show_cards()
listing.show()
st.page_link(
    LESSONS, label="The lesson: what is it good for?", icon=":material/menu_book:", query_params={"lesson": "10"}
)

"""What is this, and how do I begin?"""

from typing import Literal

import streamlit as st

from gan_core.config import PRESETS, preset_config
from gan_core.ui.run_cards import run_cards
from gan_core.ui.shell import COLLAPSE, THEORY, TRAIN, offer_to_go_on, start, start_button, ticket

st.title("GANscope")
st.markdown(
    "Train generative adversarial networks on this machine and watch them play: losses, samples, and which modes of the "
    "data survive, live. Press **Start** on a card; the run belongs to the server and goes on when you close the tab."
)
with st.container(horizontal=True):
    st.page_link(COLLAPSE, label="Collapse Lab: a lesson in five steps, by keyboard", icon=":material/emergency:")
    st.page_link(THEORY, label="Theory, for the board: why GANs fail, and why the cures work", icon=":material/school:")

first = {name: preset for name, preset in PRESETS.items() if preset.kind == "start"}
cards = st.columns(len(first), gap="small")
for index, (name, preset) in enumerate(first.items()):
    with cards[index].container(border=True, height="stretch"):
        st.subheader(preset.title, anchor=False)
        st.markdown(preset.story)
        st.space("stretch")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            key = f"start:{name}"
            kind: Literal["primary", "secondary"] = "primary" if index == 0 else "secondary"
            if start_button("Start", key=key, seen=name, type=kind, icon=":material/play_arrow:"):
                start(preset_config(name), key=key, name=preset.title)
            if st.button(
                "Change first", key=f"change:{name}", type="tertiary", help="Open this preset on the Train page"
            ):
                st.switch_page(TRAIN, query_params={"preset": name})

st.subheader("Recent runs", anchor=False)
offer_to_go_on()
run_cards(ticket(), key="recent")

"""What is this, and how do I begin?"""

from typing import Literal

import streamlit as st

from gan_core.config import PRESETS, TEMPLATES, Preset, preset_config
from gan_core.ui.compare_form import compare_from
from gan_core.ui.run_cards import run_cards
from gan_core.ui.shell import COLLAPSE, LESSONS, THEORY, TRAIN, USES, offer_to_go_on, start, start_button, ticket

FIRST_CODE = "digits-vae-2d"


def begin(name: str, preset: Preset, kind: Literal["primary", "secondary"]) -> None:
    """The buttons that start a preset, or open it on the Train page."""
    key = f"start:{name}"
    if start_button("Start", key=key, seen=name, type=kind, icon=":material/play_arrow:"):
        start(preset_config(name), key=key, name=preset.title)
    if st.button("Change first", key=f"change:{name}", type="tertiary", help="Open this preset on the Train page"):
        st.switch_page(TRAIN, query_params={"preset": name})


st.title("GANscope")
st.markdown(
    "Train generative adversarial networks on this machine and watch them play: losses, samples, and which modes of the "
    "data survive, live. Press **Start** on a card; the run belongs to the server and goes on when you close the tab."
)
with st.container(horizontal=True):
    st.page_link(COLLAPSE, label="Collapse Lab: a lesson in five steps, by keyboard", icon=":material/emergency:")
    st.page_link(USES, label="Uses: what is it good for, measured", icon=":material/science:")
    st.page_link(THEORY, label="Theory, for the board: why GANs fail, and why the cures work", icon=":material/school:")

first = {name: preset for name, preset in PRESETS.items() if preset.kind == "start"}
cards = st.columns(len(first), gap="small")
for index, (name, preset) in enumerate(first.items()):
    with cards[index].container(border=True, height="stretch"):
        st.subheader(preset.title, anchor=False)
        st.markdown(preset.story)
        st.space("stretch")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            begin(name, preset, "primary" if index == 0 else "secondary")

codes = {name: preset for name, preset in PRESETS.items() if preset.kind == "code"}
with st.container(border=True):
    st.subheader("With a code", anchor=False)
    what, how = st.columns([2, 3], gap="large", vertical_alignment="center")
    chosen = what.selectbox(
        "A game with a code",
        list(codes),
        list(codes).index(FIRST_CODE),
        format_func=lambda name: codes[name].title,
        key="home:code",
    )
    with what.container(horizontal=True):
        begin(chosen, codes[chosen], "secondary")
    how.markdown(codes[chosen].story)
    with how.container(horizontal=True, vertical_alignment="center"):
        st.page_link(LESSONS, label="The lesson", icon=":material/menu_book:", query_params={"lesson": "6"})
        beside = TEMPLATES["games"].title
        if st.button(f"Compare {beside}", key="home:games", type="tertiary", icon=":material/compare_arrows:"):
            compare_from(preset_config(TEMPLATES["games"].preset), template="games")

st.subheader("Recent runs", anchor=False)
offer_to_go_on()
run_cards(ticket(), key="recent")

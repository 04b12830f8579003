"""What is this, and how do I begin?"""

from pathlib import Path
from typing import Literal

import streamlit as st

import gan_core.ui
from gan_core.config import PRESETS, TEMPLATES, ConfigError, Preset, preset_config
from gan_core.engine import preview
from gan_core.ui.compare_form import compare_from
from gan_core.ui.ring_on_home import recorded, ring
from gan_core.ui.run_cards import run_cards
from gan_core.ui.shell import (
    COLLAPSE,
    DATA,
    LESSONS,
    THEORY,
    TRAIN,
    USES,
    offer_to_go_on,
    start,
    start_button,
    ticket,
)

FIRST_CODE = "digits-vae-2d"


def begin(name: str, preset: Preset, kind: Literal["primary", "secondary"]) -> None:
    """The buttons that start a preset, or open it on the Train page."""
    key = f"start:{name}"
    if start_button("Start", key=key, seen=name, type=kind, icon=":material/play_arrow:"):
        start(preset_config(name), key=key, name=preset.title)
    if st.button("Change first", key=f"change:{name}", type="tertiary", help="Open this preset on the Train page"):
        st.switch_page(TRAIN, query_params={"preset": name})


@st.cache_data(show_spinner=False)
def data_of(name: str) -> bytes | None:
    """What a preset learns from, as a picture."""
    try:
        return preview(preset_config(name))
    except ConfigError:  # its files are not on this machine
        return None


st.html(Path(gan_core.ui.__file__).with_name("home.css"))
with st.container(horizontal=True, vertical_alignment="center"):
    st.title("GANscope", anchor=False, width="content")
    st.markdown(
        "Two networks play against each other on this machine, and you watch: losses, samples, and which modes of the data "
        "survive, live."
    )
with st.container(horizontal=True):
    st.page_link(COLLAPSE, label="Break it and cure it, by keyboard", icon=":material/emergency:")
    st.page_link(LESSONS, label="Lessons", icon=":material/co_present:")
    st.page_link(USES, label="Uses: what is it good for, measured", icon=":material/science:")
    st.page_link(THEORY, label="Theory: why GANs fail, and why the cures work", icon=":material/school:")
    st.page_link(DATA, label="Paint your own distribution", icon=":material/brush:", query_params={"data": "paint"})

first = {name: preset for name, preset in PRESETS.items() if preset.kind == "start"}
cards = st.columns(len(first), gap="small")
for index, (name, preset) in enumerate(first.items()):
    with cards[index].container(border=True, height="stretch", key=f"card-{name}"):
        if name == recorded()["preset"]:
            ring(f"{preset.title}: a run as it was recorded, generated points over real ones")
        elif picture := data_of(name):
            st.image(picture, output_format="PNG", width="stretch", alt=f"real data of {preset.title}")
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

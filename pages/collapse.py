"""What is mode collapse, how is it seen, and what helps? A lesson: predict, watch, diagnose, cure, explain."""

import uuid
from dataclasses import replace
from typing import Any, Literal

import streamlit as st

from gan_core.ui import lesson as lessons
from gan_core.ui.lesson_value import STEPS, read, write
from gan_core.ui.presenter import presenter_key
from gan_core.ui.pressing import press
from gan_core.ui.rights import Action
from gan_core.ui.shell import COLLAPSE, action_button, come_back, give_room

st.session_state.setdefault("lesson", uuid.uuid4().hex)  # one start per seed, however often a key is pressed
come_back(COLLAPSE)
give_room()
now = read(st.query_params.to_dict())
before = now
pressed = presenter_key(now.keys, key="keys")
place = (now.recipe, now.seed, now.step, now.healthy, now.run, now.fixed)

NEEDS: dict[str, Action] = {
    "b": "teach" if now.healthy else "start",
    "c": "teach" if now.breaks else "start",
    "space": "steer",
    "f": "teach",
}
with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Collapse Lab", anchor=False, width="content")
    trail = (f"**{number}&nbsp;{title}**" if name == now.step else f":gray[{number}&nbsp;{title}]"
             for number, (name, title) in enumerate(STEPS.items(), 1))  # fmt: skip
    st.markdown(" › ".join(trail), width="stretch")
    for name, (label, icon, shown) in lessons.buttons(now).items():
        kind: Literal["primary", "secondary"] = "primary" if name in ("b", "c", "f") else "secondary"
        if not shown:
            continue
        look: dict[str, Any] = {"key": f"do:{name}", "icon": icon, "type": kind, "width": "content"}
        if name in NEEDS:
            asked = action_button(NEEDS[name], label, runs=now.runs, seen=place, **look)
        else:
            asked = press(st.button, label, seen=place, **look) == "now"
        pressed = name if asked else pressed

if pressed:
    now = lessons.obey(lessons.as_chosen(now), pressed)
if now == before:
    now = lessons.show(now)
if now != before:
    st.query_params.from_dict(write(now))
    come_back(COLLAPSE)
    moved = replace(now, guess=None, which=(), cure="") != replace(before, guess=None, which=(), cure="")
    if moved or pressed:
        st.rerun()

"""The Lessons page: a lesson of the classroom step by step, beside the run that it is about."""

from __future__ import annotations

import uuid

import streamlit as st

from gan_core.config import PRESETS, preset_config
from gan_core.store import RunNotFound, StoreError
from gan_core.ui import side_by_side
from gan_core.ui.course import Course, Step, courses
from gan_core.ui.live_view import live_view
from gan_core.ui.presenter import presenter_key
from gan_core.ui.shell import WATCH, action_button, as_typed, lab, said_in_a_sentence, say, ticket


def show() -> None:
    """The page. Lesson, step and run stand in the address."""
    known = courses()
    query = st.query_params
    name = query.get("lesson", "")
    course = known[name] if name in known else next(iter(known.values()))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Lessons", anchor=False, width="content")
        chosen = st.selectbox(
            "Lesson",
            list(known),
            list(known).index(course.name),
            format_func=lambda one: known[one].title,
            key=f"lesson-of:{course.name}",
            label_visibility="collapsed",
        )
    if chosen != course.name:
        query.from_dict({"lesson": chosen})
        st.rerun()
    at = step_of(course, query.get("step", ""))
    pressed = presenter_key(["previous", "next"], key="course-keys")
    words, seen = st.columns([2, 3], gap="large")
    with words:
        moved = _step(course, at, pressed)
        started = _starts(course.steps[at], f"{course.name}:{at}", query.get("run", ""))
    shown = started or query.get("run", "")
    if moved != at or started:
        query.from_dict({"lesson": course.name, "step": str(moved + 1)} | ({"run": shown} if shown else {}))
        st.rerun()
    with seen:
        _beside(shown)


def step_of(course: Course, told: str) -> int:
    """The index of the step that an address names, counted from 1; the first one for what makes no sense."""
    number = int(told) if told.isdecimal() and len(told) < 4 else 1
    return max(0, min(len(course.steps), number) - 1)


def _step(course: Course, at: int, pressed: str | None) -> int:
    """Draw a step; returns where to go."""
    step, last = course.steps[at], len(course.steps) - 1
    with st.container(horizontal=True, vertical_alignment="center"):
        back = st.button("Back [←]", icon=":material/arrow_back:", disabled=at == 0)
        on = st.button("On [→]", icon=":material/arrow_forward:", disabled=at == last, type="primary")
        st.caption(f"Step {at + 1} of {last + 1}")
    with st.container(border=True):
        if step.section:
            st.subheader(step.section, anchor=False)
        st.markdown(step.text)
    by = (on or pressed == "next") - (back or pressed == "previous")
    return max(0, min(last, at + by))


def _starts(step: Step, place: str, shown: str) -> str:
    """A button for each preset that the step names; returns the run that was started. ``shown`` is the one before it."""
    started = ""
    for name in step.presets:
        title = PRESETS[name].title
        key = f"start:{place}:{name}"
        if action_button("start", f"Start: {title}", key=key, icon=":material/play_arrow:", seen=shown):
            click = f"course:{st.session_state.setdefault('course', uuid.uuid4().hex)}:{key}:{shown}"
            with said_in_a_sentence():
                started = lab().submit(preset_config(name), name=title, tags=("lesson",), key=click)
    return started


def _beside(run_id: str) -> None:
    """The run of the lesson as it trains, or what to do to have one."""
    if not run_id:
        st.info("Start a run of this lesson, and it is shown here.", icon=":material/monitoring:")
        return
    try:
        run = lab().store.run(run_id)
    except (RunNotFound, StoreError) as error:
        say(error)
        return
    st.page_link(WATCH, label=f"{as_typed(run.name)}: buttons and everything measured", query_params={"run": run_id})
    panels = side_by_side.compact_panels(run)
    live_view(run_id, ticket(run_id), panels, key=f"course:{run_id}", epoch=str(run.started_at or ""))

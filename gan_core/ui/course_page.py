"""The Lessons page: a lesson of the classroom step by step, beside the run that it is about."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from gan_core.config import PRESETS, TEMPLATES, parse_vary, preset_config
from gan_core.store import RunNotFound, StoreError
from gan_core.ui import side_by_side
from gan_core.ui.compare_form import compare_from
from gan_core.ui.course import Course, Step, courses
from gan_core.ui.live_view import live_view
from gan_core.ui.presenter import presenter_key
from gan_core.ui.shell import (
    LESSONS,
    TOUR,
    WATCH,
    action_button,
    as_typed,
    come_back,
    give_room,
    lab,
    said_in_a_sentence,
    say,
    ticket,
)
from gan_core.ui.theory_tabs import TABS

ANSWERS = "lessons:answers"
FIGURE, RUN = "figure", "run"
ROOM = 24.0  # rem of the window's height that are not the charts' of the run beside a step


def show() -> None:
    """The page. Lesson, step and run stand in the address."""
    known = courses()
    st.html(Path(__file__).with_name("course.css"))
    give_room()
    come_back(LESSONS)
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
    step, last = course.steps[at], len(course.steps) - 1
    place = f"{course.name}:{at}"
    answers = sum(bool(question.answer) for question in step.questions)
    told = min(answers, st.session_state.get(ANSWERS, {}).get(place, 0))
    pressed = presenter_key(["previous", "next", *(["a"] if told < answers else [])], key="course-keys")
    with st.container(horizontal=True, vertical_alignment="center"):
        back = st.button("Back [←]", icon=":material/arrow_back:", disabled=at == 0)
        on = st.button("On [→]", icon=":material/arrow_forward:", disabled=at == last, type="primary")
        if told < answers:
            asked = st.button("Answer [A]", icon=":material/lightbulb:", key=f"answer:{place}:{told}")
            if asked or pressed == "a":
                st.session_state[ANSWERS] = {**st.session_state.get(ANSWERS, {}), place: told + 1}
                st.rerun()
        st.caption(f"Step {at + 1} of {last + 1}")
    shown = query.get("run", "")
    figure = next((place["tab"] for page, place in step.places if page == "theory" and place.get("tab") in TABS), "")
    beside = shown or figure
    words, seen = st.columns([2, 3], gap="large") if beside else (st.container(key="lesson-wide"), None)
    with words:
        _draw(step, told)
        with st.container(horizontal=True):
            started = _starts(step, place, shown)
            _leads(step, place)
    moved = max(0, min(last, at + (on or pressed == "next") - (back or pressed == "previous")))
    if moved != at or started:
        shown = started or shown
        place_of_run = {"run": shown} | ({"beside": RUN} if started else {}) if shown else {}
        query.from_dict({"lesson": course.name, "step": str(moved + 1), **place_of_run})
        st.rerun()
    if seen is not None:
        with seen:
            _figure(figure) if figure and not _run_instead(figure, shown, place) else _beside(shown)


def step_of(course: Course, told: str) -> int:
    """The index of the step that an address names, counted from 1; the first one for what makes no sense."""
    number = int(told) if told.isdecimal() and len(told) < 4 else 1
    return max(0, min(len(course.steps), number) - 1)


def _draw(step: Step, told: int) -> None:
    """A step: what is asked first, then what is done, then as many answers as were asked for."""
    if step.section:
        st.subheader(step.section, anchor=False)
    if step.questions:
        with st.container(key="lesson-questions"):
            for question in step.questions:
                st.markdown(question.ask[:1].upper() + question.ask[1:])
    if step.text:
        with st.container(key="lesson-text"):
            st.markdown(step.text)
    if told:
        with st.container(key="lesson-answers"):
            for answer in [question.answer for question in step.questions if question.answer][:told]:
                st.markdown(answer[:1].upper() + answer[1:])


def _starts(step: Step, place: str, shown: str) -> str:
    """A button for each run that the step names; returns the one that was started. ``shown`` is the one before it."""
    started = ""
    wanted: list[tuple[str, str, tuple[str, ...]]] = [(name, PRESETS[name].title, ()) for name in step.presets]
    for command in step.commands:
        if command.kind == "train":
            wanted.append(
                (command.base, f"{PRESETS[command.base].title}, {', '.join(command.settings)}", command.settings)
            )
    for name, title, settings in wanted:
        key = ":".join(("start", place, name, *settings))
        if action_button("start", f"Start: {title}", key=key, icon=":material/play_arrow:", seen=shown):
            click = f"course:{st.session_state.setdefault('course', uuid.uuid4().hex)}:{key}:{shown}"
            with said_in_a_sentence():
                config = preset_config(name, _changes(settings))
                started = lab().submit(config, name=title, tags=("lesson",), key=click)
    return started


def _changes(settings: Sequence[str]) -> dict[str, Any]:
    """The settings of a command, each ``key=value``."""
    return dict(parse_vary(settings)[0].changes) if settings else {}


def _leads(step: Step, place: str) -> None:
    """A button for each place and each comparison that the step names."""
    for page, query in step.places:
        title, icon = TOUR[f"{page}.py"]
        label = "Show on Theory" if page == "theory" else f"Open {title}"
        if tab := query.get("tab"):
            label = f"{label}: {TABS[tab].title}"
        if st.button(label, key=f"show:{place}:{page}:{tab}", icon=icon):
            st.switch_page(f"{page}.py", query_params=query)
    for number, command in enumerate(command for command in step.commands if command.kind == "compare"):
        template = TEMPLATES.get(command.template)
        title = template.title if template else ", ".join(command.vary)
        if st.button(f"Open in Compare: {title}", key=f"compare:{place}:{number}", icon=":material/compare_arrows:"):
            base = command.base or (template.preset if template else "ring-mlp")
            config = preset_config(base, _changes(command.settings))
            compare_from(config, template=command.template, vary=" ".join(command.vary), seeds=command.seeds)


def _figure(tab: str) -> None:
    """The figure of the board that a step is about, with its settings below."""
    stage = st.container()
    with st.expander(f"{TABS[tab].title}: settings, and what to see", icon=":material/tune:") as side:
        TABS[tab].show(side, stage)


def _run_instead(figure: str, shown: str, place: str) -> bool:
    """Whether the run takes the place of the figure, where a step has both: what was started there is what is looked for."""
    if not shown:
        return False
    first = RUN if st.query_params.get("beside") == RUN else FIGURE
    names = {FIGURE: TABS[figure].title, RUN: "The run"}
    chosen = st.segmented_control(
        "Beside the step",
        list(names),
        default=first,
        format_func=names.__getitem__,
        key=f"beside:{place}:{shown}:{first}",
        label_visibility="collapsed",
        required=True,
    )
    return chosen == RUN


def _beside(run_id: str) -> None:
    """The run of the lesson as it trains."""
    try:
        run = lab().store.run(run_id)
    except (RunNotFound, StoreError) as error:
        say(error)
        return
    st.page_link(WATCH, label=f"{as_typed(run.name)}: buttons and everything measured", query_params={"run": run_id})
    panels = side_by_side.panels_alone(run)
    live_view(run_id, ticket(run_id), panels, key=f"course:{run_id}", epoch=str(run.started_at or ""), fits=ROOM)

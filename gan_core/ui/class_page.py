"""The Class page: the link for the projector, questions to everybody, and what students have started."""

from __future__ import annotations

import io

import segno
import streamlit as st

from gan_core.server.class_mode import current_classroom
from gan_core.server.classroom import OPTIONS, QUESTION_LENGTH, Classroom
from gan_core.server.names import IN_ALL
from gan_core.ui.rights import may, visitor
from gan_core.ui.shell import HOME, action_button, lab, said_in_a_sentence

EXAMPLES = ("How many modes will survive?", "Which loss will win?", "Will D's loss fall, rise, or stay?")


def show() -> None:
    """The page; a sentence on a server that has no class."""
    room = current_classroom()
    st.title("Class", anchor=False)
    if room is None:
        st.info(
            "This server answers on its own machine only. `make class` opens it to a class.", icon=":material/lock:"
        )
        st.page_link(HOME, label="Back to the beginning", icon=":material/home:")
        return
    with st.container(key="class-link"):
        st.code(room.link, language=None, wrap_lines=True)
    code, rest = st.columns([2, 3], gap="large")
    with code:
        st.image(qr_code(room.link), width=340, caption=f"QR code of {room.link}", output_format="PNG")
    with rest:
        if not may("teach"):
            st.markdown("You are watching. The strip below follows the presenter, or lets you look around alone.")
            if room.student_runs:
                st.markdown(f"You may start {room.runs_left(visitor())} more runs of your own.")
            _teacher_by_mail(room)
            return
        st.markdown("You are the teacher. Who opens the link can watch, answer and write you notes.")
        _ask(room)
        _students_runs(room)
        _who_counts(room)


def qr_code(link: str) -> bytes:
    """The link as a PNG, dark on white with its quiet zone, for any projector and either theme."""
    picture = io.BytesIO()
    segno.make(link, error="m", micro=False).save(picture, kind="png", scale=12, border=4, dark="#000", light="#fff")
    return picture.getvalue()


def _ask(room: Classroom) -> None:
    with st.form("ask", border=True):
        question = st.text_input("Question to the class", max_chars=QUESTION_LENGTH, placeholder=EXAMPLES[0])
        options = st.text_input(
            "Answers, separated by commas", placeholder="0, 1, 2, 3, 4, 5, 6, 7, 8", help=f"Two to {OPTIONS}"
        )
        if st.form_submit_button("Ask", type="primary", icon=":material/quiz:"):
            with said_in_a_sentence():
                room.ask(visitor(), question, options.split(","))
                st.toast("Asked. Reveal the answers in the strip below.")


def _students_runs(room: Classroom) -> None:
    started = [run for run in room.runs_of_students() if lab().is_active(run)]
    if not started:
        return
    st.markdown(f"**{len(started)} runs of students are waiting or training.**")
    if action_button("steer", "Stop them all", icon=":material/stop:"):
        for run in started:
            with said_in_a_sentence():
                lab().command(run, "stop")
        st.rerun()


def _who_counts(room: Classroom) -> None:
    if crowded := room.names.crowded():
        st.warning(
            f"More than {room.names.per_address} browsers come from {', '.join(crowded[:3])}"
            f"{' and others' if len(crowded) > 3 else ''}. Those that came last share one name: they see everything, and "
            "count as one in polls, notes and runs. If the whole class is behind one address, let more of them count.",
            icon=":material/group_work:",
        )
    chosen = st.number_input(
        "Browsers of one address that count for themselves",
        min_value=1,
        max_value=IN_ALL,
        value=room.names.per_address,
        help="A few, so that nobody is a hundred. Who shares a name gets one of their own at the next reload.",
    )
    if chosen != room.names.per_address:
        with said_in_a_sentence():
            room.let_count(visitor(), chosen)
            st.rerun()


def _teacher_by_mail(room: Classroom) -> None:
    if room.teachers and not st.user.to_dict().get("is_logged_in") and st.button("Log in", icon=":material/login:"):
        st.login()

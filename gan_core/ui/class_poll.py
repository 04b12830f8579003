"""A lesson's question, put to the whole class: asked before, and shown with the truth when that is known."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from gan_core.server.class_mode import current_classroom
from gan_core.server.classroom import nearest
from gan_core.ui.rights import may, visitor
from gan_core.ui.shell import said_in_a_sentence


def offer(question: str, options: Sequence[str]) -> None:
    """A button that asks the class; nothing where there is none, or for who does not teach."""
    room = current_classroom()
    if room is None or not may("teach"):
        return
    open_now = room.poll is not None and room.poll.question == question and not room.poll.revealed
    label = "Asked: the class is answering" if open_now else "Ask the class"
    if st.button(label, key=f"ask:{question}", icon=":material/quiz:", disabled=open_now):
        with said_in_a_sentence():
            room.ask(visitor(), question, options)
            st.rerun()


def reveal(question: str, truth: str) -> None:
    """Show the class what it has answered beside what happened, if this was the question; by the teacher's page alone."""
    room = current_classroom()
    if room is not None and may("teach") and room.poll is not None and room.poll.question == question:
        room.reveal(visitor(), truth)


def guesses(question: str) -> dict[str, int]:
    """How many of the class gave each answer to this question, as far as any were given."""
    room = current_classroom()
    if room is None or room.poll is None or room.poll.question != question:
        return {}
    counted = zip(room.poll.options, room.poll.counts, strict=True)
    return {option: count for option, count in counted if count}


def winners(question: str, truth: int) -> str:
    """Which numbers of the class came nearest to what happened, in a sentence; "" where nobody answered."""
    given = {int(option): count for option, count in guesses(question).items() if option.isdecimal()}
    if not given:
        return ""
    told = " and ".join(f"{number} ({given[number]})" for number in nearest(given, truth))
    return f"Nearest of {sum(given.values())} guesses: {told}."

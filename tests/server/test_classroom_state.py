"""The class as a value: rights, viewers, following, polls and notes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gan_core.server.classroom import NOTE_LENGTH, NOTES, NOTES_EACH, NOTES_PER_MINUTE, PAGES_EACH, Classroom
from gan_core.server.names import PER_ADDRESS
from gan_core.server.roles import NotAllowed, Visitor

TEACHER, ANN, BOB = Visitor("teacher", "t"), Visitor("watcher", "ann"), Visitor("watcher", "bob")


def told(room: Classroom, visitor: Visitor) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(room.state(visitor))
    return state


@pytest.mark.parametrize("action", ["start", "steer", "edit", "bring", "teach"])
def test_a_watcher_may_nothing_and_the_teacher_everything(action: Any) -> None:
    room = Classroom()
    assert room.may(TEACHER, action, ["r"])
    assert not room.may(ANN, action, ["r"])
    room.need(TEACHER, action)
    with pytest.raises(NotAllowed, match="Only the teacher may"):
        room.need(ANN, action)


def test_a_student_has_so_many_runs_and_steers_those_alone() -> None:
    room = Classroom(student_runs=2)
    for run in ("r1", "r1", "r2"):  # a double click is one run
        assert room.may(ANN, "start")
        room.started(ANN, run)
    assert not room.may(ANN, "start")
    assert room.may(BOB, "start")
    with pytest.raises(NotAllowed, match=r"^You have started all 2 runs that each student may start: r1, r2\.$"):
        room.need(ANN, "start")
    assert room.why_not(BOB, "start") is None
    assert room.why_not(ANN, "edit") == "Only the teacher may change what is kept here."
    assert room.may(ANN, "steer", ["r1", "r2"])
    assert not room.may(BOB, "steer", ["r1"])
    assert not room.may(ANN, "steer", ["r1", "of the teacher"])
    assert not room.may(ANN, "steer")
    assert not room.may(ANN, "edit", ["r1"])
    assert not room.may(Visitor("watcher"), "start")  # a browser that keeps no cookies
    room.started(TEACHER, "r3")
    assert room.runs_of_students() == ["r1", "r2"]


def test_whoever_is_in_the_way_of_a_start_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Classroom(student_runs=5)
    for number in range(5):
        room.started(ANN, f"r{number}")
    assert room.why_not(ANN, "start") == (
        "You have started all 5 runs that each student may start: r0, r1, r2 and 2 more."
    )
    monkeypatch.setattr("gan_core.server.classroom.STUDENT_RUNS_IN_ALL", 5)
    assert room.why_not(BOB, "start") == "All 5 runs that students may start have been; the last is r4."
    assert room.why_not(Visitor("watcher"), "start") == "Only the teacher may start runs here."


def test_viewers_are_browsers_not_pages_and_not_the_teacher() -> None:
    room = Classroom()
    leave = [room.enter(ANN), room.enter(ANN), room.enter(BOB), room.enter(TEACHER)]
    assert room.viewers == told(room, ANN)["viewers"] == 2
    leave[0]()
    assert room.viewers == 2
    leave[1]()
    leave[2]()
    assert room.viewers == 0


def test_the_state_is_made_once_for_all_watchers_and_anew_at_each_change() -> None:
    room = Classroom()
    heard: list[int] = []
    end = room.subscribe(lambda: heard.append(1))
    first = room.state(ANN)
    assert room.state(BOB) is first
    room.look(TEACHER, {"path": "/watch?run=r"})
    assert room.state(BOB) is not first
    room.look(TEACHER, {"path": "/watch?run=r"})  # nothing new
    assert len(heard) == 1
    end()
    room.lead(TEACHER, False)
    assert len(heard) == 1


def test_watchers_are_told_where_the_presenter_is_while_they_are_led() -> None:
    room = Classroom()
    room.look(TEACHER, {"path": "/watch?run=r", "run": "r", "round": 40, "curve": "D.loss"})
    assert told(room, ANN)["position"] == {"path": "/watch?run=r", "run": "r", "round": 40, "curve": "D.loss"}
    room.lead(TEACHER, False)
    assert told(room, ANN)["position"] == {}
    for act in (lambda: room.look(ANN, {"path": "/runs"}), lambda: room.lead(ANN, True)):
        with pytest.raises(NotAllowed):
            act()


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "https://evil.example", "javascript:x", "/" + "x" * 3000, 7, None]
)
def test_a_place_outside_is_no_place(path: Any) -> None:
    room = Classroom()
    room.look(TEACHER, {"path": path, "run": ["r"], "round": "<b>", "curve": 3})
    assert told(room, ANN)["position"] == {}


def test_a_poll_is_predicted_then_revealed() -> None:
    room = Classroom()
    room.ask(TEACHER, " How many? ", ["0", "1", "1", " ", "2"])
    (number,) = {told(room, one)["poll"]["number"] for one in (TEACHER, ANN)}
    room.answer(ANN, number, 0)
    room.answer(ANN, number, 2)  # a change of mind is one answer
    room.answer(BOB, number, 1)
    before = told(room, ANN)["poll"]
    assert (before["options"], before["answers"]) == (["0", "1", "2"], 2)
    assert before["counts"] is before["truth"] is None
    assert told(room, TEACHER)["poll"]["counts"] is None  # a projector shows the teacher's page
    room.reveal(TEACHER, "2")
    after = told(room, ANN)["poll"]
    assert (after["counts"], after["truth"]) == ([0, 1, 1], 2)
    with pytest.raises(NotAllowed, match="closed"):
        room.answer(ANN, number, 1)
    room.reveal(TEACHER, "1")  # a count that went on
    assert told(room, ANN)["poll"]["truth"] == 1
    room.end_poll(TEACHER)
    assert told(room, ANN)["poll"] is None


@pytest.mark.parametrize(("truth", "won"), [("4", [1, 3]), ("0", [1]), ("8", [3]), ("some", [])])
def test_the_guesses_that_come_nearest_win_once_it_is_known(truth: str, won: list[int]) -> None:
    room = Classroom()
    room.ask(TEACHER, "How many?", ["0", "3", "4", "5", "8", "some"])
    for visitor, option in ((ANN, 1), (BOB, 3)):
        room.answer(visitor, told(room, ANN)["poll"]["number"], option)
    assert told(room, ANN)["poll"]["nearest"] == []
    room.reveal(TEACHER)
    assert told(room, ANN)["poll"]["nearest"] == [], "what happened is not known yet"
    room.reveal(TEACHER, truth)
    assert told(room, ANN)["poll"]["nearest"] == won


def test_what_makes_no_sense_is_no_answer_and_no_question() -> None:
    room = Classroom()
    room.ask(TEACHER, "How many?", ["0", "1"])
    for visitor, number, option in ((ANN, 99, 0), (ANN, 1, 2), (ANN, 1, -1), (Visitor("watcher"), 1, 0)):
        with pytest.raises(NotAllowed):
            room.answer(visitor, number, option)
    for question, options in (("", ["0", "1"]), ("x", ["0"]), ("x", list(map(str, range(31))))):
        with pytest.raises(NotAllowed, match="two to"):
            room.ask(TEACHER, question, options)
    for act in (lambda: room.ask(ANN, "x", ["0", "1"]), lambda: room.reveal(ANN), lambda: room.end_poll(ANN)):
        with pytest.raises(NotAllowed, match="Only the teacher"):
            act()
    assert told(room, ANN)["poll"]["answers"] == 0


def test_a_note_is_kept_as_typed_cut_and_for_the_teacher_alone() -> None:
    room = Classroom()
    text = "<script>alert(1)</script> :red[x] $y$ \u202e\x00 " + "z" * 1000
    room.write(ANN, text)
    (note,) = told(room, TEACHER)["notes"]
    assert note["text"].startswith("<script>alert(1)</script> :red[x] $y$")
    assert len(note["text"]) == NOTE_LENGTH
    assert not {"\u202e", "\x00"} & set(note["text"])
    assert told(room, ANN)["notes"] == []
    with pytest.raises(NotAllowed, match="empty"):
        room.write(ANN, " \x00 ")
    with pytest.raises(NotAllowed, match="Only the teacher"):
        room.drop(ANN, note["number"])
    room.drop(TEACHER, note["number"])
    assert room.notes == []


def test_notes_are_few_a_minute_and_few_in_all() -> None:
    room = Classroom()
    for _ in range(NOTES_PER_MINUTE):
        room.write(ANN, "why?")
    with pytest.raises(NotAllowed, match="wait"):
        room.write(ANN, "why?")
    for number in range(2 * NOTES):
        room.write(Visitor("watcher", f"viewer {number}"), "me too")
    assert len(room.notes) == NOTES


def test_one_viewer_cannot_push_out_the_notes_of_others() -> None:
    now = [0.0]
    room = Classroom(clock=lambda: now[0])
    room.write(BOB, "what is a mode?")
    for _ in range(NOTES_EACH):
        now[0] += 60
        room.write(ANN, "me")
    now[0] += 60
    with pytest.raises(NotAllowed, match="has not read"):
        room.write(ANN, "me again")
    room.drop(TEACHER, room.notes[-1].number)
    room.write(ANN, "one that was read makes room")
    for number in range(3 * NOTES // NOTES_EACH):
        for _ in range(NOTES_EACH):
            now[0] += 60
            room.write(Visitor("watcher", f"loud {number}"), "me too")
    assert "what is a mode?" in [note.text for note in room.notes]
    assert len(room.notes) == NOTES
    assert "author" not in json.dumps(told(room, TEACHER)["notes"])


def test_a_run_that_is_being_started_counts() -> None:
    room = Classroom(student_runs=1)
    with room.starting(ANN):
        assert room.why_not(ANN, "start") == "A run of yours is being started."
        assert room.may(BOB, "start")
        with pytest.raises(NotAllowed), room.starting(ANN):
            pass
        with room.starting(TEACHER), room.starting(TEACHER):
            pass
    with room.starting(ANN):
        room.started(ANN, "r")
    assert not room.may(ANN, "start")
    with pytest.raises(ValueError, match="broken"), room.starting(BOB):
        raise ValueError("broken")
    assert room.may(BOB, "start")


def test_the_pages_of_one_viewer_have_an_end() -> None:
    room = Classroom()
    leave = [room.enter(ANN) for _ in range(PAGES_EACH)]
    with pytest.raises(NotAllowed, match="Too many pages"):
        room.enter(ANN)
    room.enter(BOB)
    leave[0]()
    room.enter(ANN)
    assert room.viewers == 2
    for _ in range(2 * PAGES_EACH):
        room.enter(TEACHER)


def test_how_many_of_an_address_count_is_for_the_teacher_to_say() -> None:
    room = Classroom()
    with pytest.raises(NotAllowed):
        room.let_count(ANN, 100)
    assert room.names.per_address == PER_ADDRESS
    room.let_count(TEACHER, 60)
    assert room.names.per_address == 60


def test_a_student_who_may_start_runs_leads_nothing() -> None:
    room = Classroom(student_runs=9)
    room.ask(TEACHER, "How many?", ["0", "1"])
    room.write(BOB, "why?")
    before = room.state(TEACHER)
    acts: tuple[Callable[[], None], ...] = (
        lambda: room.let_count(ANN, 9),
        lambda: room.lead(ANN, False),
        lambda: room.look(ANN, {"path": "/runs"}),
        lambda: room.ask(ANN, "x", ["0", "1"]),
        lambda: room.reveal(ANN),
        lambda: room.end_poll(ANN),
        lambda: room.drop(ANN, 1),
    )
    assert room.may(ANN, "start")
    for act in acts:
        with pytest.raises(NotAllowed, match="Only the teacher may lead the class"):
            act()
    assert room.state(TEACHER) is before


def test_each_change_is_told_to_everybody_at_once() -> None:
    room = Classroom()
    heard: list[int] = []
    room.subscribe(lambda: heard.append(1))
    leave: list[Callable[[], None]] = []
    acts: tuple[Callable[[], None], ...] = (
        lambda: leave.append(room.enter(ANN)),
        lambda: leave[0](),
        lambda: room.look(TEACHER, {"path": "/runs"}),
        lambda: room.lead(TEACHER, False),
        lambda: room.ask(TEACHER, "How many?", ["0", "1"]),
        lambda: room.answer(ANN, 1, 0),
        lambda: room.reveal(TEACHER, "0"),
        lambda: room.end_poll(TEACHER),
        lambda: room.write(ANN, "why?"),
        lambda: room.drop(TEACHER, 1),
    )
    for number, act in enumerate(acts, 1):
        before = room.state(TEACHER)
        act()
        assert room.state(TEACHER) != before
        assert len(heard) == number


def test_without_a_question_there_is_no_answer() -> None:
    with pytest.raises(NotAllowed, match="closed"):
        Classroom().answer(ANN, 1, 0)


def test_a_student_is_told_of_runs_of_their_own_alone() -> None:
    room = Classroom(student_runs=1)
    room.started(BOB, "bob's")
    room.started(ANN, "ann's")
    assert str(room.why_not(ANN, "start")).endswith("may start: ann's.")

"""A class: who is looking, where the presenter is, polls, and notes to the teacher. One object in the server's memory.

Nothing here knows a network, a thread that trains, or Streamlit. Every change makes one new state for the teacher and one for
the watchers, as bytes that all of them share.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gan_core.engine.showing.subscribers import Subscribers
from gan_core.server.names import Names
from gan_core.server.roles import Action, NotAllowed, RateLimit, TeacherKey, Visitor, refusal

NOTE_LENGTH, NOTES = 300, 100
NOTES_PER_MINUTE, NOTES_EACH = 4, 5
"""Of one viewer: how many in a minute, and how many that the teacher has not read."""
PAGES_EACH = 100
"""Pages of one viewer that are open at once; browsers that share a name are one viewer."""
QUESTION_LENGTH, OPTION_LENGTH, OPTIONS = 200, 60, 30
PATH_LENGTH = 2000
STUDENT_RUNS_IN_ALL = 200
RUNS_TOLD = 3  # by their ids, of those that are in the way of another
"""Runs of all students together: who pretends to be many browsers gets no more."""


@dataclass
class Poll:
    """A question to the class. ``answers`` maps a viewer to the index of an option; they are seen once it is revealed."""

    question: str
    options: tuple[str, ...]
    number: int
    answers: dict[str, int] = field(default_factory=dict)
    truth: int | None = None
    revealed: bool = False

    @property
    def counts(self) -> list[int]:
        """Answers per option."""
        told = Counter(self.answers.values())
        return [told[index] for index in range(len(self.options))]

    @property
    def nearest(self) -> list[int]:
        """The options that were chosen and came nearest to the truth, where these are numbers: who has won."""
        given = {int(text): index for index, text in enumerate(self.options) if text.isdecimal() and self.counts[index]}
        if self.truth is None or not self.options[self.truth].isdecimal():
            return []
        return [given[number] for number in nearest(given, int(self.options[self.truth]))]


def nearest(numbers: Iterable[int], truth: int) -> list[int]:
    """Those that come nearest to ``truth``, the least first; both where two are as near."""
    known = sorted(set(numbers))
    least = min((abs(number - truth) for number in known), default=0)
    return [number for number in known if abs(number - truth) == least]


@dataclass(frozen=True)
class Note:
    """What a watcher wrote to the teacher, as typed."""

    number: int
    text: str
    author: str = ""


class Classroom:
    """The class of one server. Every method that acts asks for the visitor and checks the right itself."""

    def __init__(
        self,
        *,
        link: str = "",
        teachers: Iterable[str] = (),
        student_runs: int = 0,
        names: Names | None = None,
        behind_proxy: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``link`` is what students open; ``student_runs`` how many runs each of them may start; ``names`` who is one;
        ``behind_proxy`` says that requests come through a program of this machine, which tells whom they are from."""
        self.link = link
        self.teachers = tuple(teachers)
        self.student_runs = student_runs
        self.behind_proxy = behind_proxy
        self.key = TeacherKey(clock)
        self.names = names or Names(secrets.token_bytes(32), clock=clock)
        self._viewers: Counter[str] = Counter()
        self._runs: dict[str, str] = {}
        self._starting: Counter[str] = Counter()
        self._leading = True
        self._position: dict[str, Any] = {}
        self._poll: Poll | None = None
        self._polls = 0
        self._notes: list[Note] = []
        self._note_count = 0
        self._writing = RateLimit(NOTES_PER_MINUTE, 60.0, clock)
        self._subscribers = Subscribers("the class")
        self._states: dict[bool, bytes] = {}
        self._lock = threading.RLock()

    # -- rights ---------------------------------------------------------------------------------------------------

    def may(self, visitor: Visitor, action: Action, runs: Sequence[str] = ()) -> bool:
        """Whether the visitor may do this, to these runs. A student may steer what is theirs, and start what is left."""
        if visitor.role == "teacher":
            return True
        with self._lock:
            if action == "start":
                return self.runs_left(visitor) > 0
            return action == "steer" and bool(runs) and all(self._runs.get(run) == visitor.id for run in runs)

    def why_not(self, visitor: Visitor, action: Action, runs: Sequence[str] = ()) -> str | None:
        """Why this visitor may not do something, as a sentence with the runs that are in the way; None if allowed."""
        if self.may(visitor, action, runs):
            return None
        if action != "start" or not self.student_runs or not visitor.id:
            return refusal(action)
        with self._lock:
            if self._starting[visitor.id]:
                return "A run of yours is being started."
            mine = [run for run, owner in self._runs.items() if owner == visitor.id]
        if len(mine) < self.student_runs:
            return (
                f"All {STUDENT_RUNS_IN_ALL} runs that students may start have been; the last is {list(self._runs)[-1]}."
            )
        told = ", ".join(mine[:RUNS_TOLD]) + (f" and {len(mine) - RUNS_TOLD} more" if len(mine) > RUNS_TOLD else "")
        all_runs = f"all {self.student_runs} runs" if self.student_runs > 1 else "the one run"
        return f"You have started {all_runs} that each student may start: {told}."

    def need(self, visitor: Visitor, action: Action, runs: Sequence[str] = ()) -> None:
        """Raises NotAllowed, a sentence, unless the visitor may."""
        if why := self.why_not(visitor, action, runs):
            raise NotAllowed(why)

    def runs_left(self, visitor: Visitor) -> int:
        """How many runs a student may still start."""
        with self._lock:
            mine = sum(owner == visitor.id for owner in self._runs.values()) + self._starting[visitor.id]
            full = not visitor.id or len(self._runs) + self._starting.total() >= STUDENT_RUNS_IN_ALL
            return 0 if full else max(0, self.student_runs - mine)

    @contextmanager
    def starting(self, visitor: Visitor) -> Iterator[None]:
        """While a visitor's run is being started it counts: who presses in two windows at once has started two."""
        with self._lock:
            self.need(visitor, "start")
            self._starting[visitor.id] += visitor.role == "watcher"
        try:
            yield
        finally:
            with self._lock:
                self._starting[visitor.id] -= visitor.role == "watcher"
                self._starting += Counter()

    def started(self, visitor: Visitor, run: str) -> None:
        """A run belongs to the student who started it."""
        if visitor.role == "watcher":
            with self._lock:
                self._runs.setdefault(run, visitor.id)

    def runs_of_students(self) -> list[str]:
        """The runs that students started, oldest first."""
        with self._lock:
            return list(self._runs)

    # -- who is looking -------------------------------------------------------------------------------------------

    def enter(self, visitor: Visitor) -> Callable[[], None]:
        """A page was opened; returns what is called when it is gone. Several pages of one browser count once."""
        with self._lock:
            if self._viewers[visitor.id] >= PAGES_EACH:
                raise NotAllowed("Too many pages are open here; close some.")
            self._viewers[visitor.id] += visitor.role == "watcher"
            self._changed()

        def leave() -> None:
            with self._lock:
                self._viewers[visitor.id] -= visitor.role == "watcher"
                self._viewers += Counter()
                self._changed()

        return leave

    @property
    def viewers(self) -> int:
        """Browsers of watchers that have a page open."""
        with self._lock:
            return sum(count > 0 for count in self._viewers.values())

    def let_count(self, visitor: Visitor, per_address: int) -> None:
        """How many browsers of one address count for themselves."""
        self.need(visitor, "teach")
        self.names.let_count(per_address)

    # -- following the presenter ----------------------------------------------------------------------------------

    def lead(self, visitor: Visitor, on: bool) -> None:
        """Whether the others are shown where the presenter is."""
        self.need(visitor, "teach")
        with self._lock:
            self._leading = on
            self._changed()

    def look(self, visitor: Visitor, position: Mapping[str, Any]) -> None:
        """Where the presenter is: ``path`` (page and query), ``run``, ``round`` and ``curve``, each may be missing."""
        self.need(visitor, "teach")
        path, run, round, curve = (position.get(name) for name in ("path", "run", "round", "curve"))
        told: dict[str, Any] = {}
        if isinstance(path, str) and path.startswith("/") and not path.startswith("//") and len(path) <= PATH_LENGTH:
            told["path"] = path
        if isinstance(run, str) and len(run) <= 100:
            told |= {"run": run, "round": round if isinstance(round, int) else None}
            told["curve"] = curve if isinstance(curve, str) and len(curve) <= 100 else None
        with self._lock:
            if told != self._position:
                self._position = told
                self._changed()

    # -- polls ----------------------------------------------------------------------------------------------------

    @property
    def poll(self) -> Poll | None:
        """The question that is open or was revealed last."""
        return self._poll

    def ask(self, visitor: Visitor, question: str, options: Sequence[str]) -> None:
        """Put a question to everybody; the one before is gone."""
        self.need(visitor, "teach")
        asked = question.strip()[:QUESTION_LENGTH]
        offered = tuple(dict.fromkeys(text for option in options if (text := str(option).strip()[:OPTION_LENGTH])))
        if not asked or not 2 <= len(offered) <= OPTIONS:
            raise NotAllowed(f"A question needs a text and two to {OPTIONS} different answers.")
        with self._lock:
            self._polls += 1
            self._poll = Poll(asked, offered, self._polls)
            self._changed()

    def answer(self, visitor: Visitor, number: int, option: int) -> None:
        """Answer the poll of this number; a second answer replaces the first, until the poll is revealed."""
        with self._lock:
            poll = self._poll
            if poll is None or poll.number != number or poll.revealed:
                raise NotAllowed("This question is closed.")
            if not visitor.id or not 0 <= option < len(poll.options):
                raise NotAllowed("This is none of the answers.")
            poll.answers[visitor.id] = option
            self._changed()

    def reveal(self, visitor: Visitor, truth: str | None = None) -> None:
        """Show everybody how the class has answered, and what is true, if it is one of the options."""
        self.need(visitor, "teach")
        with self._lock:
            if self._poll is not None:
                known = truth is not None and truth in self._poll.options
                found = self._poll.options.index(str(truth)) if known else self._poll.truth
                if (self._poll.revealed, self._poll.truth) != (True, found):
                    self._poll.revealed, self._poll.truth = True, found
                    self._changed()

    def end_poll(self, visitor: Visitor) -> None:
        """Take the question away."""
        self.need(visitor, "teach")
        with self._lock:
            self._poll = None
            self._changed()

    # -- notes ----------------------------------------------------------------------------------------------------

    @property
    def notes(self) -> list[Note]:
        """What was written to the teacher, oldest first."""
        with self._lock:
            return list(self._notes)

    def write(self, visitor: Visitor, text: str) -> None:
        """A note to the teacher: cut at ``NOTE_LENGTH`` characters, a few a minute from each viewer."""
        kept = "".join(c for c in text if c.isprintable() or c == "\n").strip()[:NOTE_LENGTH]
        if not kept:
            raise NotAllowed("The note is empty.")
        if not self._writing.take(visitor.id):
            raise NotAllowed("That were many notes; wait a minute.")
        with self._lock:
            if sum(note.author == visitor.id for note in self._notes) >= NOTES_EACH:
                raise NotAllowed(f"The teacher has not read your last {NOTES_EACH} notes yet.")
            if len(self._notes) >= NOTES:
                self._make_room()
            self._note_count += 1
            self._notes.append(Note(self._note_count, kept, visitor.id))
            self._changed()

    def _make_room(self) -> None:
        """Take away the oldest note of who has the most."""
        by = Counter(note.author for note in self._notes)
        most = max(by.values())
        self._notes.remove(next(note for note in self._notes if by[note.author] == most))

    def drop(self, visitor: Visitor, number: int) -> None:
        """Take a note off the list: it was read."""
        self.need(visitor, "teach")
        with self._lock:
            self._notes = [note for note in self._notes if note.number != number]
            self._changed()

    # -- what everybody gets --------------------------------------------------------------------------------------

    def state(self, visitor: Visitor) -> bytes:
        """The class as JSON; the same bytes for all watchers, until something changes."""
        teacher = visitor.role == "teacher"
        with self._lock:
            if teacher not in self._states:
                self._states[teacher] = json.dumps(self._told(teacher), separators=(",", ":")).encode()
            return self._states[teacher]

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` after each change; returns what ends it."""
        return self._subscribers.add(callback)

    def _told(self, teacher: bool) -> dict[str, Any]:
        poll = self._poll
        shown = None
        if poll is not None:
            shown = {
                "number": poll.number,
                "question": poll.question,
                "options": poll.options,
                "answers": len(poll.answers),
                "counts": poll.counts if poll.revealed else None,
                "truth": poll.truth if poll.revealed else None,
                "nearest": poll.nearest if poll.revealed else [],
            }
        return {
            "viewers": self.viewers,
            "leading": self._leading,
            "position": self._position if self._leading or teacher else {},
            "poll": shown,
            "notes": [{"number": note.number, "text": note.text} for note in self._notes] if teacher else [],
        }

    def _changed(self) -> None:
        self._states = {}
        self._subscribers.tell()

"""What a visitor may do. Pages reach the lab through `guarded`, which asks before each action; there is no other way to it.

A page also asks `may` to disable a button, which is a courtesy: what holds is the check at the action itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import streamlit as st

from gan_core.engine import Lab
from gan_core.server.class_mode import current_classroom
from gan_core.server.class_routes import visitor_of
from gan_core.server.roles import Action, Visitor, teaches

T = TypeVar("T")

WATCHER_PACE = 5
"""A watcher's page has nothing to press: what ticks there ticks this many times more slowly (a tick costs 4 ms)."""

ACTS: Mapping[str, Mapping[str, Action]] = {
    "Lab": {
        "submit": "start",
        **dict.fromkeys(("compare", "collect", "fork", "keep_spare", "keep_pace", "close"), "teach"),
        **dict.fromkeys(("command", "resume", "turn", "side_by_side"), "steer"),
        **dict.fromkeys(("command_all", "resume_all", "turn_all"), "steer"),
        **dict.fromkeys(("delete", "delete_comparison"), "edit"),
    },
    "RunStore": dict.fromkeys(
        (
            *("create", "update", "append", "add_frame", "add_event", "save_artefact", "inherit", "flush", "close"),
            *("delete", "restore", "purge", "compact", "truncate", "interrupt_orphans", "begin_to_write", "adopt"),
            *("pin", "unpin", "create_comparison", "delete_comparison", "restore_comparison", "sweep"),
        ),
        "edit",
    ),
    "Bin": dict.fromkeys(("delete", "restore", "purge"), "edit"),
    "Leases": dict.fromkeys(("next", "take"), "edit"),
    "Studies": dict.fromkeys(("create", "update", "add_row", "save", "sweep", "delete", "restore", "purge"), "edit"),
    "Chores": {
        **dict.fromkeys(
            (
                *("download", "keep_zip", "keep_folder", "look_at_table", "keep_table", "keep_painting"),
                *("delete", "forget", "close"),
                *("look_at_zip", "look_at_folder", "look_again", "keep_seen", "leave"),
            ),
            "bring",
        ),
        **dict.fromkeys(("disentangle", "copying"), "steer"),
    },
    "Chore": {"cancel": "bring"},
    "StudyQueue": dict.fromkeys(("start", "resume", "stop", "close"), "teach"),
}
"""What changes something, by class and method, and the right that it takes."""

READS: Mapping[str, frozenset[str]] = {
    "Lab": frozenset(
        (
            *("store", "chores", "studies", "classifiers", "capacity", "health", "safe_mode", "cluster"),
            *("view", "recent", "is_active", "kept_rounds", "kept_for", "knobs", "company", "members"),
            *("wait", "thumbnail"),
        )
    ),
    "RunStore": frozenset(
        (
            *(
                "root",
                "problem",
                "only_reads",
                "bin",
                "studies",
                "leases",
                "run",
                "runs",
                "whole",
                "family",
                "track",
                "track_names",
                "last_round",
                "frames",
            ),
            *(
                "latest_frame",
                "latest_files",
                "events",
                "artefact_path",
                "checkpoint_dir",
                "checkpoints",
                "comparison",
                "comparisons",
            ),
        )
    ),
    "Bin": frozenset(("listed", "newest", "frees")),
    "Leases": frozenset(("takes",)),
    "Studies": frozenset(("read", "listed", "of_run", "rows", "file", "folder")),
    "Chores": frozenset(("get", "own", "folders", "data_folder", "seen")),
    "StudyQueue": frozenset(("progress", "wait")),
    "Chore": frozenset(("title", "progress", "result", "error", "busy", "wait")),
}
"""What only looks. A name in neither table does not exist for a page."""


def visitor() -> Visitor:
    """Who looks at this page: by the cookies of its connection, or by who the identity provider says it is."""
    room = current_classroom()
    found = visitor_of(room, _cookies() if room is not None else {})
    if room is None or not room.teachers:
        return found
    if teaches(_user(), room.teachers):
        return Visitor("teacher", found.id)
    room.key.withdraw(found.id)  # who was logged in with this browser is no longer
    return found


def voucher() -> str:
    """What the class's socket, which does not know the identity provider, takes from who teaches by mail; "" for others."""
    room, found = current_classroom(), visitor()
    by_mail = room is not None and found.role == "teacher" and visitor_of(room, _cookies()).role != "teacher"
    return room.key.vouch(found.id) if room is not None and by_mail else ""


def may(action: Action, *runs: str) -> bool:
    """Whether this visitor may do something, to these runs."""
    room = current_classroom()
    return room is None or room.may(visitor(), action, runs)


def why_not(action: Action, *runs: str) -> str | None:
    """Why this visitor may not do something, as a sentence; None if allowed."""
    room = current_classroom()
    return None if room is None else room.why_not(visitor(), action, runs)


def need(action: Action, *runs: str) -> None:
    """Raises NotAllowed, a sentence, unless the visitor may do this now."""
    room = current_classroom()
    if room is not None:
        room.need(visitor(), action, runs)


def pace(seconds: float) -> float:
    """How often a part of a page looks again for this visitor, in seconds: a class of thirty less often than its teacher."""
    return seconds if may("teach") else WATCHER_PACE * seconds


def guarded(lab: Lab) -> Lab:
    """The lab as a page gets it."""
    return cast(Lab, Guarded(lab))


class Guarded:
    """Looks like what it stands for. Reading goes through, an action asks for the visitor's right first."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._kind = next(base.__name__ for base in type(inner).__mro__ if base.__name__ in ACTS)

    def __getattr__(self, name: str) -> Any:
        if name in READS[self._kind]:
            return _wrapped(getattr(self._inner, name))
        action = ACTS[self._kind].get(name)
        if action is None:
            raise AttributeError(f"{self._kind}.{name} is in none of the tables of gan_core.ui.rights")
        return _asking(getattr(self._inner, name), action)


def _wrapped(value: Any) -> Any:
    if type(value).__name__ in ACTS:
        return Guarded(value)
    if not inspect.ismethod(value):
        return value

    @wraps(value)
    def read(*arguments: Any, **named: Any) -> Any:
        return _wrapped(value(*arguments, **named))

    return read


def _asking(act: Callable[..., T], action: Action) -> Callable[..., T]:
    @wraps(act)
    def asked(*arguments: Any, **named: Any) -> T:
        room = current_classroom()
        if room is None or action != "start":
            need(action, *(_runs_of(act, arguments) if action == "steer" else ()))
            return _wrapped(act(*arguments, **named))
        starter = visitor()
        with room.starting(starter):
            done = _wrapped(act(*arguments, **named))
            room.started(starter, done)
        return done

    return asked


def _runs_of(act: Callable[..., Any], arguments: Sequence[Any]) -> list[str]:
    """The runs that a call is about; none for a whole comparison, which no student has."""
    names = inspect.signature(act).parameters
    if "run_ids" in names:
        return [str(run) for run in arguments]
    return [str(arguments[0])] if "run_id" in names and arguments else []


def _cookies() -> Mapping[str, str]:
    """Those of the page's connection; a browser sends them, its scripts cannot read them."""
    return st.context.cookies.to_dict()


def _user() -> Mapping[str, Any]:
    """What `st.login` knows; nothing where no provider is configured."""
    user = st.user.to_dict()
    return {**user, "is_logged_in": user.get("is_logged_in", False)}

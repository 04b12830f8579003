"""What the store hands out: runs, frames, events, and the errors with their one sentence."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from types import NoneType
from typing import Any

STATES = ("queued", "running", "paused", "finished", "stopped", "failed", "diverged", "interrupted")
ACTIVE = frozenset({"queued", "running", "paused"})


class StoreError(RuntimeError):
    """The store refuses or cannot do what was asked; ``str()`` is one sentence for the user."""


def reason(error: Exception) -> str:
    """What went wrong with the storage, in a few words; SQLite has none where memory runs out."""
    said = error.strerror if isinstance(error, OSError) else str(error)
    return said or str(error) or "out of memory"


class RunNotFound(KeyError):
    """No run has this id. Also raised for ids that could never name a run, so that a hostile id learns nothing."""

    def __str__(self) -> str:
        return f"There is no run {str(self.args[0])[:64]!r}."


@dataclass(frozen=True)
class RunRecord:
    """One run as it is known to the index. Times are Unix seconds, ``None`` where it has not happened or nobody saw it.
    A clock may jump: how long a run trained is in its summary, by a clock that does not.

    ``seq`` orders runs by creation whatever the clock did; ``forked_at`` is the round at which ``parent`` was left.
    """

    id: str
    seq: int
    name: str
    config: dict[str, Any]
    status: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    rounds: int
    message: str
    traceback: str
    tags: tuple[str, ...]
    note: str
    parent: str | None
    forked_at: int | None
    summary: dict[str, Any]
    environment: dict[str, Any]
    owner: dict[str, Any]
    deleted_at: float | None
    archived_at: float | None = None

    @property
    def active(self) -> bool:
        return self.status in ACTIVE


@dataclass(frozen=True)
class DamagedRun:
    """A run whose row cannot be read. It is listed, never hidden and never deleted by the store.

    ``path`` is the file below the root of the store that holds it, ``repair`` what a person can do.
    """

    id: str
    reason: str
    path: str = "ganscope.db"
    repair: str = "put back a backup of the store (`python -m gan_core restore`), or delete the run"

    def __str__(self) -> str:
        return f"{self.reason} To repair: {self.repair}."


@dataclass(frozen=True)
class Member:
    """A run of a comparison, and what it stands for there."""

    run: str
    variant: str
    seed: int


@dataclass(frozen=True)
class ComparisonRecord:
    """Runs that are compared. ``spec`` says what was asked for; those that were ``collected`` outlive the comparison.

    ``members`` are in the order in which they were added, without runs that were deleted one by one.
    """

    id: str
    seq: int
    name: str
    spec: dict[str, Any]
    collected: bool
    created_at: float
    deleted_at: float | None
    members: tuple[Member, ...]


class ComparisonNotFound(RunNotFound):
    """No comparison has this id."""

    def __str__(self) -> str:
        return f"There is no comparison {str(self.args[0])[:64]!r}."


@dataclass(frozen=True)
class Frame:
    """What was seen at one round: parts by name, each JSON or the name of an artefact."""

    round: int
    parts: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """Something that happened at a round. ``id`` grows, and is never reused, within a store; ``at`` is Unix seconds."""

    id: int
    round: int
    at: float
    kind: str
    data: dict[str, Any]


_JSON_FIELDS = {"config": dict, "summary": dict, "environment": dict, "owner": dict, "tags": list}
_TEXT_FIELDS = ("id", "name", "message", "traceback", "note")
_NUMBER_FIELDS = ("created_at", "started_at", "ended_at", "deleted_at", "archived_at", "rounds", "forked_at")


def read_run(row: sqlite3.Row) -> RunRecord | DamagedRun:
    """Decode a row of ``runs``; whatever is wrong with it stays inside the one DamagedRun."""
    try:
        fields = dict(row)
        for field in _TEXT_FIELDS:
            _expect(field, row[field], str)
        for field in _NUMBER_FIELDS:
            _expect(field, row[field], (int, float, NoneType))
        if row["status"] not in STATES:
            raise ValueError(f"its status {row['status']!r} is unknown")
        for field, expected in _JSON_FIELDS.items():
            fields[field] = _load(field, row[field])
            _expect(field, fields[field], expected)
        fields["tags"] = tuple(fields["tags"])
        return RunRecord(**fields)
    except ValueError as error:
        return DamagedRun(str(row["id"]), f"The run {row['id']!r} is damaged: {error}.")


def _load(field: str, text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"its {field} is not JSON") from None


def _expect(field: str, value: Any, expected: type | tuple[type, ...]) -> None:
    if not isinstance(value, expected):
        raise ValueError(f"its {field} is of the wrong type, {type(value).__name__}")

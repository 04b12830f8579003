"""What may be written into a run, and how each field is cleaned and encoded at the entry.

Names and notes come from people and from uploaded files: cutting them here means that no page has to.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gan_core.store.records import STATES

TRACEBACK_LENGTH = 20_000
MAX_TAGS = 50


def line(limit: int) -> Callable[[str], str]:
    """An encoder of text without line breaks, cut to ``limit`` characters."""
    return lambda text: _printable(" ".join(str(text).split()))[:limit]


def paragraph(limit: int) -> Callable[[str], str]:
    """An encoder of text that keeps its line breaks and tabs, cut to ``limit`` characters."""
    return lambda text: _printable(str(text), keep="\n\t")[:limit]


def to_json(value: Mapping[str, Any]) -> str:
    """JSON of a dict; NaN and infinities survive as Python writes them. TypeError for anything else."""
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a dict, not {type(value).__name__}")
    return json.dumps(dict(value), separators=(",", ":"))


def from_json(text: Any) -> Any:
    """The value of a stored text, or ``None`` if it is damaged."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None


def encode(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Values of columns for these fields. TypeError for an unknown field, ValueError for an unknown status."""
    unknown = fields.keys() - ENCODERS.keys()
    if unknown:
        raise TypeError(f"a run has no field {', '.join(sorted(unknown))} to update")
    return {field: ENCODERS[field](value) for field, value in fields.items()}


def _printable(text: str, keep: str = "") -> str:
    # Cc are control characters; Cs are lone surrogates, which UTF-8, hence SQLite, cannot hold.
    return "".join(c for c in text if c in keep or unicodedata.category(c) not in ("Cc", "Cs"))


def _status(value: str) -> str:
    if value not in STATES:
        raise ValueError(f"unknown status {value!r}; one of {', '.join(STATES)}")
    return value


def _tags(tags: Iterable[str]) -> str:
    if isinstance(tags, str):
        raise TypeError("tags is a sequence of texts, not one text")
    cleaned = dict.fromkeys(filter(None, map(line(40), tags)))
    return json.dumps(list(cleaned)[:MAX_TAGS])


def _traceback(text: str) -> str:
    return _printable(str(text), keep="\n\t")[-TRACEBACK_LENGTH:]  # the end of a traceback says what happened


def _time(value: float | None) -> float | None:
    return None if value is None else float(value)


ENCODERS: dict[str, Callable[[Any], Any]] = {
    "name": line(120),
    "note": paragraph(4000),
    "tags": _tags,
    "status": _status,
    "message": paragraph(2000),
    "traceback": _traceback,
    "rounds": int,
    "started_at": _time,
    "ended_at": _time,
    "archived_at": _time,
    "summary": to_json,
    "environment": to_json,
    "owner": to_json,
}

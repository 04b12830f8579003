"""What is said on a terminal: tables, JSON, a line that moves; to one of any encoding, and to one that is closed."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

FAILED, BAD_INPUT, INTERRUPTED, NOBODY_READS = 1, 2, 130, 141
Row = dict[str, Any]
Progress = Callable[[Row], None]


def say_in_any_encoding() -> None:
    """A character that the terminal does not have is written as its number (``\\u2192``) instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):  # what a test or a library put there
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def say_no_more() -> None:
    """Whoever read what is printed has gone: the rest goes nowhere, also what Python writes on its way out."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(sentence: str) -> None:
    """A sentence on stderr; where nobody reads it, that does not matter."""
    with suppress(OSError):
        print(sentence, file=sys.stderr)


def to_json(value: Any) -> str:
    """JSON in which a number that is not finite is null, as everywhere on the wire."""

    def finite(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: finite(item) for key, item in node.items()}
        if isinstance(node, list | tuple):
            return list(map(finite, node))
        return None if isinstance(node, float) and not math.isfinite(node) else node

    return json.dumps(finite(value), allow_nan=False)


def print_rows(rows: list[Row], as_json: bool) -> int:
    if as_json:
        print(json.dumps(rows))
        return 0
    if not rows:
        tell("nothing there yet")
        return 0
    widths = {key: max(len(key), *(len(str(row[key])) for row in rows)) for key in rows[0]}
    for row in [{key: key.upper() for key in rows[0]}, *rows]:
        print("  ".join(str(row[key]).ljust(widths[key]) for key in rows[0]).rstrip())
    return 0


def progress_bar() -> Progress:
    line = StatusLine()
    full, empty = ("█", "·") if _has(sys.stderr, "█·") else ("#", ".")

    def show(status: Row) -> None:
        bar = (full * round(24 * status["share"])).ljust(24, empty)
        left = "" if status["eta"] is None else f"{_duration(status['eta'])} left"
        pace = f"{status['rounds_per_second'] or 0:,.0f} rounds/s"
        of_all = f"/{status['rounds']:,}" if status["rounds"] else ""
        line.show(f"{bar} {status['round']:,}{of_all} {pace} {left} {status['state']}")
        if status["state"] not in ("queued", "running", "paused"):
            line.end()

    return show


class StatusLine:
    """One line on stderr, rewritten in place on a terminal, else printed at most every ten seconds.

    Training does not depend on anybody reading it.
    """

    def __init__(self) -> None:
        self._shown_at = 0.0
        self._used = False

    def show(self, text: str) -> None:
        now = time.monotonic()
        with suppress(OSError):
            if sys.stderr.isatty():
                print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            elif now - self._shown_at > 10 or not self._used:
                print(text, file=sys.stderr, flush=True)
                self._shown_at = now
        self._used = True

    def end(self) -> None:
        with suppress(OSError):
            if self._used and sys.stderr.isatty():
                print(file=sys.stderr)
        self._used = False


def _has(stream: TextIO, characters: str) -> bool:
    """Whether a stream can show them as they are."""
    try:
        characters.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02}"

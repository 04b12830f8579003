"""Tables as CSV: a track goes out and comes back with the same bits, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gan_core.store import TrackData

ROWS_IN_A_FILE = 100_000
MOST_COLUMNS = 200
_COLUMN = re.compile(r"[A-Za-z0-9_.]{1,64}", re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\u2212")
_NUMBER = re.compile(r"[+-]\d+(\.\d+)?", re.ASCII)  # a class that is called +1
_SEPARATOR = re.compile(r"([;,|\t\r\n])")
"""Where a spreadsheet may split a text that stands in quotes: at semicolons, if its own lists are separated by those."""


def cell(value: Any) -> Any:
    """A text with an apostrophe before all that a spreadsheet could take for a formula; everything else is as it was."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return "".join(map(_plain, _SEPARATOR.split(value)))


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Rows as CSV with a line of names; every text is in quotes, what a row does not have is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([cell(name) for name in columns])
    writer.writerows([cell(row.get(name, "")) for name in columns] for row in rows)
    return text.getvalue().encode()


def _plain(piece: str) -> str:
    """A piece between two separators; what cannot be seen, quotes, and the width of a sign make no difference."""
    first = next((c for c in piece if c.isprintable() and not c.isspace() and c != '"'), "")
    return f"'{piece}" if unicodedata.normalize("NFKC", first).startswith(_FORMULA) else piece


def track_tables(track: TrackData) -> Iterator[bytes]:
    """A track as CSV, 100,000 rows a file: ``round``, then the columns.

    Numbers have as many digits as tell one float32 from the next; where there is none, ``nan``.
    """
    head = ",".join(["round", *track.columns])
    for start in range(0, len(track), ROWS_IN_A_FILE):
        rounds, values = (part[start : start + ROWS_IN_A_FILE] for part in (track.rounds, track.values))
        texts = values.astype("U32")
        texts[np.isnan(values) & np.signbit(values)] = "-nan"
        lines = (f"{round},{','.join(row)}" for round, row in zip(rounds.tolist(), texts.tolist(), strict=True))
        yield "\n".join([head, *lines, ""]).encode()


def read_track(tables: Sequence[bytes]) -> TrackData:
    """The track that ``track_tables`` wrote. ValueError, one sentence without a subject, for anything else."""
    parts = [_read_track(table) for table in tables]
    columns = parts[0][0]
    if any(names != columns for names, _ in parts):
        raise ValueError("its parts have different columns")
    rows = np.concatenate([rows for _, rows in parts])
    rounds = rows[:, 0]
    if not (np.isfinite(rounds) & (np.abs(rounds) < 2**53) & (rounds == np.floor(rounds))).all():
        raise ValueError("a round is not a whole number")
    with np.errstate(over="ignore"):  # beyond float32 is infinity, as everywhere
        values = rows[:, 1:].astype(np.float32)
    return TrackData(rounds.astype(np.int64), values, columns)


def _read_track(table: bytes) -> tuple[tuple[str, ...], np.ndarray]:
    head, _, body = table.partition(b"\n")
    names = head.decode("ascii", "replace").split(",")
    if names[0] != "round" or len(names) > MOST_COLUMNS or len(set(names)) < len(names):
        raise ValueError("its first line is not that of a table of curves")
    if not all(map(_COLUMN.fullmatch, names)):
        raise ValueError("a column has a strange name")
    if not body.strip():
        raise ValueError("it has no rows")
    try:
        rows = np.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2, comments=None, encoding="ascii")
    except (ValueError, UnicodeDecodeError):
        raise ValueError("a cell is not a number, or a line has too few or too many") from None
    if rows.shape[1] != len(names):
        raise ValueError("its lines are longer or shorter than the first one")
    return tuple(names[1:]), rows

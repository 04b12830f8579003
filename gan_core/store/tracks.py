"""Tracks: tables with a ``round`` column and float32 columns, packed in chunks of many rows.

One row of ``chunks`` holds ``rows`` rounds and, column after column, ``rows`` float32 values each, little endian.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.store.fields import from_json
from gan_core.store.records import StoreError

if TYPE_CHECKING:
    from pandas import DataFrame

CHUNK_ROWS = 65_536

_INSERT = """INSERT INTO chunks (run, track, columns, rows, first_round, last_round, rounds, data)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""


@dataclass(frozen=True, eq=False)
class TrackData:
    """``rounds`` int64 (n,), ``values`` float32 (n, c), ``columns`` the c names; NaN where a column has no value."""

    rounds: np.ndarray
    values: np.ndarray
    columns: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rounds)

    def column(self, name: str) -> np.ndarray:
        """float32 (n,), contiguous. KeyError if the track has no such column."""
        if name not in self.columns:
            raise KeyError(f"no column {name!r}; there are {', '.join(self.columns) or 'none'}")
        return self.values[:, self.columns.index(name)]

    def frame(self) -> DataFrame:
        """A DataFrame with the column ``round`` first."""
        from pandas import DataFrame  # half a second to import, and few callers want it

        table = DataFrame(self.values, columns=list(self.columns))
        table.insert(0, "round", self.rounds)
        return table


def pack(columns: Sequence[str], rounds: Any, values: Any) -> tuple[Any, ...]:
    """The fields of one chunk, from ``columns`` on; the arrays are copied.

    ``rounds`` (n,) integers and ``values`` (n, c) numbers with n > 0. ValueError for a shape or names that do not fit,
    TypeError for rounds that are not integers.
    """
    names = [str(name) for name in columns]
    rounds = np.asarray(rounds).astype("<i8", casting="same_kind")
    values = np.asarray(values, dtype="<f4")
    if len(set(names)) != len(names):
        raise ValueError(f"a column appears twice in {', '.join(names)}")
    if rounds.ndim != 1 or values.shape != (len(rounds), len(names)):
        raise ValueError(
            f"{len(names)} columns need rounds (n,) and values (n, {len(names)}), got {rounds.shape} and {values.shape}"
        )
    first, last = int(rounds.min()), int(rounds.max())
    return json.dumps(names), len(rounds), first, last, _pack_rounds(rounds), values.T.tobytes()


def insert(connection: sqlite3.Connection, run_id: str, track: str, chunk: tuple[Any, ...]) -> None:
    """Append a packed chunk."""
    connection.execute(_INSERT, (run_id, track, *chunk))


def names_of(connection: sqlite3.Connection, run_id: str) -> list[str]:
    """The tracks that have rows, in the order in which they began."""
    rows = connection.execute("SELECT track FROM chunks WHERE run = ? GROUP BY track ORDER BY min(id)", (run_id,))
    return [row["track"] for row in rows]


def read(connection: sqlite3.Connection, run_id: str, track: str, wanted: Sequence[str] | None = None) -> TrackData:
    """The whole track in the order it was written, or only the ``wanted`` columns of it.

    Columns are aligned by name over the chunks; what a chunk does not have is NaN.
    """
    chunks = connection.execute(
        "SELECT columns, rows, rounds, data FROM chunks WHERE run = ? AND track = ? ORDER BY id", (run_id, track)
    ).fetchall()
    with _damage_told(run_id, track):
        # Thousands of chunks share one or two lists of columns: parse each list once.
        layouts = {text: _names(text) for text in dict.fromkeys(chunk["columns"] for chunk in chunks)}
        everything = (name for names in layouts.values() for name in names)
        wanted = list(dict.fromkeys(everything if wanted is None else wanted))
        places = {text: _places(names, wanted) for text, names in layouts.items()}

        for chunk in chunks:  # before there is memory for as many rows as they say
            if len(chunk["data"]) != 4 * len(layouts[chunk["columns"]]) * chunk["rows"]:
                raise ValueError(f"{chunk['rows']!r} rows do not fit {len(chunk['data'])} bytes")
        n = sum(chunk["rows"] for chunk in chunks)
        rounds = np.empty(n, np.int64)
        values = np.full((len(wanted), n), np.nan, np.float32)
        start = 0
        for chunk in chunks:
            stop = start + chunk["rows"]
            source, target = places[chunk["columns"]]
            block = np.frombuffer(chunk["data"], "<f4").reshape(len(layouts[chunk["columns"]]), stop - start)
            rounds[start:stop] = _unpack_rounds(chunk["rounds"], stop - start)
            values[target, start:stop] = block[source]
            start = stop
    return TrackData(rounds, values.T, tuple(wanted))


def last_round(connection: sqlite3.Connection, run_id: str, track: str) -> int | None:
    """The last round of which there is a row, if there is one; the rows are not read."""
    newest = connection.execute(
        "SELECT last_round FROM chunks WHERE run = ? AND track = ? ORDER BY id DESC LIMIT 1", (run_id, track)
    ).fetchone()
    return None if newest is None else int(newest["last_round"])


def compact(connection: sqlite3.Connection, run_id: str, track: str) -> None:
    """Merge the chunks of a track into as few as possible; what is read does not change."""
    count, rows = connection.execute(
        "SELECT count(*), total(rows) FROM chunks WHERE run = ? AND track = ?", (run_id, track)
    ).fetchone()
    if count <= -(-rows // CHUNK_ROWS):
        return
    data = read(connection, run_id, track)
    connection.execute("DELETE FROM chunks WHERE run = ? AND track = ?", (run_id, track))
    for start in range(0, len(data), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        insert(connection, run_id, track, pack(data.columns, data.rounds[part], data.values[part]))


def copy(connection: sqlite3.Connection, run_id: str, other: str, up_to_round: int) -> None:
    """Give ``other`` the rows of rounds ≤ ``up_to_round`` of every track of ``run_id``."""
    connection.execute(
        """INSERT INTO chunks (run, track, columns, rows, first_round, last_round, rounds, data)
           SELECT ?, track, columns, rows, first_round, last_round, rounds, data FROM chunks
           WHERE run = ? AND first_round <= ? ORDER BY id""",
        (other, run_id, up_to_round),
    )
    truncate(connection, other, up_to_round)


def truncate(connection: sqlite3.Connection, run_id: str, after_round: int) -> None:
    """Drop the rows of rounds > ``after_round`` from every track of the run."""
    connection.execute("DELETE FROM chunks WHERE run = ? AND first_round > ?", (run_id, after_round))
    straddling = connection.execute(
        "SELECT id, track, columns, rows, rounds, data FROM chunks WHERE run = ? AND last_round > ?",
        (run_id, after_round),
    ).fetchall()
    for chunk in straddling:
        with _damage_told(run_id, chunk["track"]):
            names = _names(chunk["columns"])
            rounds = _unpack_rounds(chunk["rounds"], chunk["rows"])
            values = np.frombuffer(chunk["data"], "<f4").reshape(len(names), chunk["rows"]).T
        keep = rounds <= after_round
        connection.execute(
            """UPDATE chunks SET columns = ?, rows = ?, first_round = ?, last_round = ?, rounds = ?, data = ?
               WHERE id = ?""",
            (*pack(names, rounds[keep], values[keep]), chunk["id"]),
        )


@contextmanager
def _damage_told(run_id: str, track: str) -> Iterator[None]:
    """Whatever is wrong with stored chunks is a StoreError."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise StoreError(f"The track {track!r} of run {run_id!r} is damaged: {error}.") from error


def _names(columns: str) -> list[str]:
    """The names of the columns of a stored chunk. ValueError if the text is damaged."""
    names = from_json(columns)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("its columns are no list of names")
    return names


def _places(names: list[str], wanted: list[str]) -> tuple[list[int], list[int]]:
    """For the names that are wanted: their places in the chunk, and in the result."""
    common = [name for name in names if name in wanted]
    return [names.index(name) for name in common], [wanted.index(name) for name in common]


def _pack_rounds(rounds: np.ndarray) -> bytes:
    """Rounds at a constant step, as nearly all are, take 16 bytes: the first and the step. Others are kept whole."""
    steps = np.diff(rounds)
    if len(rounds) > 2 and (steps == steps[0]).all():
        return np.array([rounds[0], steps[0]], "<i8").tobytes()
    return rounds.tobytes()


def _unpack_rounds(packed: bytes, rows: int) -> np.ndarray:
    numbers = np.frombuffer(packed, "<i8")
    if len(numbers) == 2 < rows:
        first, step = numbers
        return first + step * np.arange(rows, dtype=np.int64)
    if len(numbers) != rows:
        raise ValueError(f"{rows} rows, but {len(numbers)} rounds")
    return numbers

"""A table of numbers as any program wrote it: what is found once for the file (dialect, names, units), and its columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gan_core.intake.dialects import SPACES, Dialect, Line, Row, dialect_of, rows_of, sorted_out
from gan_core.intake.errors import DataError
from gan_core.intake.headings import Heading, attributes, heading_of, is_index_name, is_label_name, plain_name
from gan_core.intake.numerals import Marks, is_missing, parted
from gan_core.intake.text import lines_of

Kind = Literal["numbers", "index", "label", "text"]

MAX_COLUMNS = 500
MAX_CELLS = 400_000  # some seconds of a processor
MOST_LABELS = 50
PREVIEWED = 6


@dataclass(frozen=True)
class Column:
    """One column: ``values`` (n,) with NaN where there is none, ``texts`` as they were written, ``missing`` where a cell is
    empty or says that there is no value. What is NaN and not missing could not be read.
    """

    name: str
    kind: Kind
    values: np.ndarray
    texts: tuple[str, ...]
    missing: np.ndarray
    distinct: int

    @property
    def first(self) -> tuple[str, ...]:
        return self.texts[:PREVIEWED]


@dataclass(frozen=True)
class Table:
    """The columns of a file, the line of each row, and ``notes`` that say how the file was read.

    ``strays`` are lines that are no rows: which, and why.
    """

    columns: tuple[Column, ...]
    lines: tuple[int, ...]
    strays: tuple[tuple[int, str, str], ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def numeric(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kind == "numbers")


def read_table(content: bytes) -> Table:
    """The table that a text file holds. Raises DataError for a file that is none, or is beyond the bounds."""
    lines, encoding = lines_of(content)
    rows, comments, named = sorted_out(lines)
    if not any(text.strip() for _, text in rows):
        raise DataError("The file has no rows, only comments." if comments else "The file is empty.")
    cells = max(sum(text.count(mark) for _, text in rows) for mark in ("\t", ";", "|", ","))
    if max(cells, sum(len(text.split()) for _, text in rows)) > MAX_CELLS:
        raise DataError(f"The table has more than {MAX_CELLS:,} cells; keep the columns that are needed.")
    dialect = dialect_of(rows, named, _decimal_named(rows))
    split = rows_of(rows, dialect.delimiter)
    width = _width(split, dialect.marks)
    if width > MAX_COLUMNS:
        raise DataError(f"The table has more than {MAX_COLUMNS:,} columns; keep those that are needed.")
    heading = heading_of(split, comments, width, dialect)
    body = [row for row in split[heading.rows :] if row[1]]
    if dialect.delimiter == "," and _one_column(heading, body):
        dialect = Dialect(SPACES, Marks(","))
        body, width = rows_of([line for line in rows[heading.rows :] if line[1].strip()], SPACES), 1
    fitting, strays = _fitting(body, width)
    columns = _columns(fitting, width, heading, attributes(comments), dialect.marks)
    notes = [f"{encoding}, {dialect.said}"]
    if heading.line:
        notes.append(f"names of columns in line {heading.line:,}")
    if heading.units:
        notes.append("a row of units")
    if heading.passed:
        notes.append(f"{heading.passed:,} {'line' if heading.passed == 1 else 'lines'} before the table passed over")
    if comments:
        notes.append(f"{len(comments):,} comment {'line' if len(comments) == 1 else 'lines'}")
    return Table(columns, tuple(number for number, _ in fitting), strays, tuple(notes), _doubts(dialect, fitting))


def _decimal_named(rows: Sequence[Line]) -> str:
    """The decimal mark that a LabVIEW file names in its head."""
    for _, text in rows[:60]:
        if text.startswith("Decimal_Separator"):
            mark = text.removeprefix("Decimal_Separator").strip()
            return mark if mark in (".", ",") else ""
    return ""


def _width(rows: Sequence[Row], marks: Marks) -> int:
    """How many cells a row has: as most of those do that have numbers."""
    full = Counter(len(cells) for _, cells in rows if any(map(marks.fits, cells)))
    if not full:
        return max((len(cells) for _, cells in rows), default=0)
    most = max(full.values())
    return max(width for width, count in full.items() if count > most / 3)


def _one_column(heading: Heading, body: Sequence[Row]) -> bool:
    """Whether the commas are the decimal marks of a single column: one name, and rows of two plain whole numbers."""
    return heading.written == 1 and all(
        len(cells) == 2 and cells[0].lstrip("+-").isdigit() and cells[1].isdigit() for _, cells in body
    )


def _fitting(body: Sequence[Row], width: int) -> tuple[list[Row], tuple[tuple[int, str, str], ...]]:
    """The rows, filled up to the width, and those that have more cells than that."""
    fitting, strays = [], []
    for number, cells in body:
        if len(cells) > width:
            strays.append((number, f"{len(cells)} value(s), not {width}", " | ".join(cells)))
        else:
            fitting.append((number, cells + [""] * (width - len(cells))))
    return fitting, tuple(strays)


def _columns(
    rows: Sequence[Row], width: int, heading: Heading, declared: Sequence[str], marks: Marks
) -> tuple[Column, ...]:
    """All columns that hold anything, each with its kind."""
    names = list(heading.names) if heading.names else list(declared) if len(declared) == width else []
    columns: list[Column] = []
    for place in range(width):
        texts = tuple(cells[place] for _, cells in rows)
        missing = np.fromiter(map(is_missing, texts), bool, len(texts))
        if missing.all():
            continue
        given = names[place] if place < len(names) else ""
        columns.append(_column(given, place, texts, missing, marks, bool(names)))
    seen: Counter[str] = Counter()
    unique = []
    for column in columns:
        seen[column.name] += 1
        again = f" ({seen[column.name]})" if seen[column.name] > 1 else ""
        unique.append(Column(column.name + again, *list(vars(column).values())[1:]))
    return tuple(unique)


def _column(name: str, place: int, texts: Sequence[str], missing: np.ndarray, marks: Marks, named: bool) -> Column:
    values, unit = _values(texts, missing, marks)
    there = np.isfinite(values)
    readable = there.sum() / max(1, (~missing).sum())
    distinct = len(set(texts))
    known = values[there]
    whole = bool(len(known)) and bool((known == np.floor(known)).all())
    kind: Kind
    if readable <= 0.5:
        kind = "label" if distinct <= MOST_LABELS and distinct < len(texts) / 2 else "text"
    elif whole and len(known) > 1 and bool((np.diff(known) == 1).all()) and is_index_name(name, place, named):
        kind = "index"
    elif whole and is_label_name(name) and distinct <= MOST_LABELS:
        kind = "label"
    else:
        kind = "numbers"
    shown = plain_name(name) or ("row" if kind == "index" else f"column {place + 1}")
    if unit and unit not in shown:
        shown = f"{shown} ({unit})"
    return Column(shown, kind, values, tuple(texts), missing, distinct)


def _values(texts: Sequence[str], missing: np.ndarray, marks: Marks) -> tuple[np.ndarray, str]:
    """The numbers of a column, NaN where there is none, and the unit that every one of them carries, if they do."""
    values = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if not missing[row]:
            value = marks.value(text)
            if value is not None:
                values[row] = value
    if np.isfinite(values).sum() > 0.5 * (~missing).sum():
        return values, ""
    parts = [("", "") if gone else parted(text) for text, gone in zip(texts, missing, strict=True)]
    around = Counter(unit for _, unit in parts if unit)
    unit, often = max(around.items(), key=lambda item: item[1], default=("", 0))
    if often <= 0.9 * (~missing).sum():
        return values, ""
    for row, (number, its) in enumerate(parts):
        if its == unit:
            value = marks.value(number)
            values[row] = np.nan if value is None else value
    return values, plain_name(unit)


def _doubts(dialect: Dialect, rows: Sequence[Row]) -> tuple[str, ...]:
    if not dialect.ambiguous:
        return ()
    mark = dialect.marks.thousands or dialect.marks.decimal
    example = next((cell for _, cells in rows for cell in cells if mark in cell and dialect.marks.fits(cell)), "")
    value = dialect.marks.value(example)
    return (f"The numbers could be read in two ways; {example} was taken to be {value:g}.",) if example else ()

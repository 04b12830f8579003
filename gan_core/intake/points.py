"""Points of a plane that someone brings: two columns of a table, or a density painted on a grid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gan_core.intake.errors import DataError
from gan_core.intake.pictures import Problem, shown
from gan_core.intake.tables import Column, Table, read_table

MIN_POINTS = 50
MAX_POINTS = 20_000
MAX_VALUE = 1e30  # the square of it, and what is measured in its unit, are numbers that a curve can hold
PAINTED_POINTS = 2_000
PAINTED_EXTENT = 2.0
MAX_CELLS = 128
MOST_UNREAD = 0.1  # of the rows: with more the file is another one than it was taken for
FEWEST_ALIKE = 3  # rows that cannot be read and have something in common, and their least share
LEAST_ALIKE = 0.01
FEWEST_AT_END = 5
NAMED = 12  # columns named in a sentence
MOST_PREVIEWED = 200


@dataclass(frozen=True)
class Points:
    """``points`` (n, 2) in the units of whoever brought them, in their order; ``columns`` are the names of the two.

    ``notes`` say how a file was read, ``warnings`` what somebody should look at.
    """

    points: np.ndarray
    problems: tuple[Problem, ...]
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        return f"{len(self.points):,} of {len(self.points) + len(self.problems):,} usable"


class WhichColumns(DataError):
    """A table with more than two columns of numbers: somebody has to say which two."""


def from_csv(content: bytes, columns: Sequence[str] | None = None) -> Points:
    """The points in two columns of a table, in whatever dialect; ``columns`` names them, or counts them from 1.

    Rows that are not two finite numbers are listed. Raises WhichColumns where nobody said which two of more columns;
    DataError, with the first reason, for a file that is no table, has fewer than 50 or more than 20,000 points, has all
    of them in one place, or has rows that cannot be read and are not a few here and there.
    """
    table = read_table(content)
    x, y = _chosen(table, columns)
    points, problems, unread = _rows(table, x, y)
    _refuse_bias(unread, len(points) + len(problems), table, (x, y))
    used = _enough(points, problems)
    missing = len(problems) - len(unread)
    warnings = list(table.warnings)
    if missing > MOST_UNREAD * (len(points) + len(problems)):
        warnings.append(
            f"{missing:,} of {len(points) + len(problems):,} rows have no value in one of the columns, and are left out."
        )
    others = [f"{column.name} ({_said(column)})" for column in table.columns if column not in (x, y)]
    notes = [*table.notes, f"x is {x.name}, y is {y.name}"]
    if others:
        more = f" and {len(others) - NAMED:,} more" if len(others) > NAMED else ""
        notes.append(f"not used: {', '.join(others[:NAMED])}{more}")
    return Points(used, tuple(problems), (x.name, y.name), tuple(notes), tuple(warnings))


def preview(table: Table) -> dict[str, Any]:
    """A table to be looked at before it is taken, as plain values: its columns, how it was read, which two are suggested."""
    columns = [
        {
            "name": column.name,
            "holds": _said(column),
            "numbers": int(np.isfinite(column.values).sum()),
            "first": [shown(text, 40) for text in column.first],
        }
        for column in table.columns[:MOST_PREVIEWED]
    ]
    return {
        "columns": columns,
        "rows": len(table.lines),
        "suggested": suggested(table),
        "notes": table.notes,
        "warnings": table.warnings,
    }


def suggested(table: Table) -> tuple[str, str] | None:
    """The two columns that are taken where nobody says others; None where there are more to choose from, or fewer."""
    numeric = table.numeric
    return (numeric[0].name, numeric[1].name) if len(numeric) == 2 else None


def from_painting(cells: np.ndarray) -> Points:
    """2,000 points of a density painted on a grid (rows from the top), on a square from −2 to 2.

    The points of a painting are always the same. Raises DataError for a grid that is not a density, or too nearly empty.
    """
    weight = np.asarray(cells, np.float64)
    if weight.ndim != 2 or not min(weight.shape) >= 2 or max(weight.shape) > MAX_CELLS:
        raise DataError(f"A painting is a grid of at most {MAX_CELLS} × {MAX_CELLS} cells.")
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise DataError("A painting holds no numbers below zero.")
    if not weight.any():
        raise DataError("Nothing is painted yet.")
    height, width = weight.shape
    rng = np.random.default_rng(0)
    chosen = rng.choice(weight.size, PAINTED_POINTS, p=(weight / weight.sum()).ravel())
    row, column = np.divmod(chosen, width)
    inside = rng.random((PAINTED_POINTS, 2))
    x = (column + inside[:, 0]) / width
    y = 1 - (row + inside[:, 1]) / height
    return Points((np.stack([x, y], axis=1) * 2 - 1) * PAINTED_EXTENT, ())


def _said(column: Column) -> str:
    return {"numbers": "numbers", "index": "counts the rows", "text": "text"}.get(
        column.kind, f"{column.distinct:,} labels"
    )


def _chosen(table: Table, columns: Sequence[str] | None) -> tuple[Column, Column]:
    """The two columns that were said, or the only two of numbers."""
    if columns is not None:
        wanted = [_column(table, name) for name in columns]
        if len(wanted) != 2 or wanted[0] is wanted[1]:
            raise DataError("Say two different columns, one for x and one for y.")
        return wanted[0], wanted[1]
    numeric = table.numeric
    names = ", ".join(column.name for column in numeric[:NAMED]) + (", …" if len(numeric) > NAMED else "")
    if len(numeric) > 2:
        raise WhichColumns(f"The table has {len(numeric)} columns of numbers: {names}. Say which two are x and y.")
    if len(numeric) < 2:
        raise DataError(_too_few_columns(table, names))
    return numeric[0], numeric[1]


def _too_few_columns(table: Table, names: str) -> str:
    """A table of one column, or of none; the first cell that is no number is the reason."""
    has = f"only one column of numbers ({names})" if names else "no column of numbers"
    for column in table.columns:
        unread = np.isnan(column.values) & ~column.missing
        if column.kind != "numbers" and unread.any():
            row = int(unread.argmax())
            where = f"line {table.lines[row]:,}: {shown(column.texts[row], 40)!r} is not a number"
            return f"The table has {has}, and points need two; the first reason: {where}."
    return f"The table has {has}, and points need two."


def _column(table: Table, name: str) -> Column:
    """A column by its name, with or without its unit, or by its place from 1."""
    wanted = str(name).strip()
    for alike in (lambda column: column.name == wanted, lambda column: _bare(column.name) == _bare(wanted)):
        found = [column for column in table.columns if alike(column)]
        if len(found) == 1:
            column = found[0]
            break
    else:
        counted = {str(place): column for place, column in enumerate(table.columns, start=1)}
        if wanted not in counted:
            names = ", ".join(column.name for column in table.columns[:NAMED])
            raise DataError(f"The table has no column {wanted[:40]!r}; there are: {names}.")
        column = counted[wanted]
    if not np.isfinite(column.values).any():
        raise DataError(f"The column {column.name} has no numbers.")
    return column


def _bare(name: str) -> str:
    return re.sub(r"\s*\([^()]*\)$", "", name).casefold()


Unread = tuple[int, tuple[str, ...], str]  # the place of a row, the cells of it that cannot be read, the reason


def _rows(table: Table, x: Column, y: Column) -> tuple[np.ndarray, list[Problem], list[Unread]]:
    """The points, the rows that are none, and those of them that have something in them that cannot be read."""
    values = np.stack([x.values, y.values], axis=1)
    large = np.abs(values) > MAX_VALUE
    good = np.isfinite(values).all(axis=1) & ~large.any(axis=1)
    if good.sum() > MAX_POINTS:
        raise DataError(f"The file has more than {MAX_POINTS:,} points.")
    listed: list[tuple[int, str]] = [(line, reason) for line, reason, _ in table.strays]
    unread: list[Unread] = [
        (line, (text,), f"line {line:,}: {reason}, {shown(text, 40)!r}") for line, reason, text in table.strays
    ]
    for row in np.flatnonzero(~good):
        line = table.lines[row]
        cells = [
            (column.texts[row], bool(column.missing[row]), bool(large[row, at])) for at, column in enumerate((x, y))
        ]
        bad = tuple(
            text for at, (text, gone, far) in enumerate(cells) if not gone and (far or np.isnan(values[row, at]))
        )
        if not bad:
            blank = all(not text or text in ".-?" for text, gone, _ in cells if gone)
            reason = (
                "a value is missing"
                if blank
                else f"{shown(next(t for t, gone, _ in cells if gone and t), 20)} is not a finite number"
            )
        else:
            far = bool(large[row].any())
            reason = f"{shown(bad[0], 20)} is too large" if far else f"{shown(bad[0], 20)!r} is not a number"
            unread.append((line, bad, f"line {line:,}: {reason}"))
        listed.append((line, reason))
    listed.sort()
    unread.sort()
    return values[good], [Problem(f"line {line}", reason) for line, reason in listed], unread


def _refuse_bias(unread: list[Unread], total: int, table: Table, columns: tuple[Column, Column]) -> None:
    """A file of which one kind of rows would be lost is another one than it was taken for. Raises DataError."""
    said = ""
    if len(unread) > MOST_UNREAD * total:
        said = "more than a tenth"
    elif len(unread) >= max(FEWEST_ALIKE, LEAST_ALIKE * total):
        said = _in_common(unread, table, columns)
    if said:
        raise DataError(
            f"{len(unread):,} of {total:,} rows cannot be read, {said}, so that what is left would be another data set; "
            f"the first: {unread[0][2]}. Correct or remove them."
        )


def _in_common(unread: list[Unread], table: Table, columns: tuple[Column, Column]) -> str:
    """What rows that cannot be read have in common, if it is a sign, a column, or an end of the file."""
    cells = [cell for _, bad, _ in unread for cell in bad]
    if len({cell[:1] for cell in cells}) == 1 and not cells[0][:1].isdigit():
        return f"all beginning with {cells[0][:1]!r}"
    rows = {line for line, _, _ in unread}
    places = {
        at
        for at, column in enumerate(columns)
        for line, text, value in zip(table.lines, column.texts, column.values, strict=True)
        if line in rows and np.isnan(value) and text
    }
    if len(places) == 1 and len(rows) == sum(len(bad) for _, bad, _ in unread) and not table.strays:
        return f"all in the column {columns[places.pop()].name}"
    ordered = sorted({*table.lines, *rows})
    most = len(ordered) // 4
    lines = sorted(rows)
    if len(rows) >= FEWEST_AT_END and most:
        if lines[-1] <= ordered[most - 1]:
            return "all at the beginning of the file"
        if lines[0] >= ordered[-most]:
            return "all at the end of the file"
    return ""


def _enough(points: np.ndarray, problems: Sequence[Problem]) -> np.ndarray:
    if len(points) < MIN_POINTS:
        first = f"; the first reason: {problems[0].file}: {problems[0].reason}" if problems else ""
        raise DataError(
            f"{len(points):,} of {len(points) + len(problems):,} rows are points (two numbers), and a data set needs "
            f"{MIN_POINTS} at least{first}."
        )
    if (np.ptp(points, axis=0) == 0).all():
        raise DataError("All points lie in one place; there is nothing to learn.")
    return points

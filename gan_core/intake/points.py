"""Points of a plane that someone brings: a table as CSV, or a density painted on a grid."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass

import numpy as np

from gan_core.intake.errors import DataError
from gan_core.intake.pictures import Problem, shown

MIN_POINTS = 50
MAX_POINTS = 20_000
MAX_LINES = 5 * MAX_POINTS  # with those that are empty or no points
MAX_BYTES = 8 * 2**20
MAX_VALUE = 1e9
PAINTED_POINTS = 2_000
PAINTED_EXTENT = 2.0
MAX_CELLS = 128
DELIMITERS = ",;\t "


@dataclass(frozen=True)
class Points:
    """``points`` (n, 2) in the units of whoever brought them, in their order."""

    points: np.ndarray
    problems: tuple[Problem, ...]

    @property
    def summary(self) -> str:
        return f"{len(self.points):,} of {len(self.points) + len(self.problems):,} usable"


def from_csv(content: bytes) -> Points:
    """Two numbers a row, with or without a header; separated by comma, semicolon, tab or spaces.

    Rows that are not two finite numbers are listed. Raises DataError for a file that is too large, is no text, has fewer
    than 50 or more than 20,000 points, or has all its points in one place.
    """
    if len(content) > MAX_BYTES:
        raise DataError(f"The file has more than {MAX_BYTES // 2**20} MB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError("This is not a text file in UTF-8.") from None
    if "\0" in text:
        raise DataError("This is not a text file.")
    if text.count("\n") > MAX_LINES:
        raise DataError(f"The file has more than {MAX_LINES:,} lines.")
    rows = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not rows:
        raise DataError("The file is empty.")
    delimiter = _delimiter(rows[len(rows) // 2][1])
    good: list[tuple[float, float]] = []
    problems = []
    for place, (number, line) in enumerate(rows):
        row = _numbers(line, delimiter)
        if isinstance(row, tuple):
            good.append(row)
            if len(good) > MAX_POINTS:
                raise DataError(f"The file has more than {MAX_POINTS:,} points.")
        elif place > 0 or not _is_header(line, delimiter):
            problems.append(Problem(f"line {number}", row))
    return Points(_enough(np.array(good, np.float64).reshape(-1, 2), len(problems)), tuple(problems))


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


def _enough(points: np.ndarray, bad: int) -> np.ndarray:
    if len(points) < MIN_POINTS:
        raise DataError(
            f"{len(points):,} of {len(points) + bad:,} rows are points (two numbers), and a data set needs "
            f"{MIN_POINTS} at least."
        )
    if (np.ptp(points, axis=0) == 0).all():
        raise DataError("All points lie in one place; there is nothing to learn.")
    return points


def _delimiter(line: str) -> str:
    return next((mark for mark in ";\t" if mark in line), "," if "," in line else " ")


def _fields(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    try:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return [line]
    return [field.strip() for field in fields]


def _numbers(line: str, delimiter: str) -> tuple[float, float] | str:
    """The two numbers of a row, or what is wrong with it."""
    fields = _fields(line, delimiter)
    if len(fields) != 2:
        return f"{len(fields)} value(s), not 2"
    values = []
    for field in fields:
        try:
            # A semicolon between the columns leaves the comma to the decimals.
            value = float(field.replace(",", ".") if delimiter == ";" else field)
        except ValueError:
            return f"{shown(field, 20)!r} is not a number" if field else "a value is missing"
        if not math.isfinite(value):
            return f"{shown(field, 20)} is not a finite number"
        if abs(value) > MAX_VALUE:
            return f"{value:.3g} is too large"
        values.append(value)
    return values[0], values[1]


def _is_header(line: str, delimiter: str) -> bool:
    """Whether no field of the first row looks like a number: names of columns."""
    for field in _fields(line, delimiter):
        try:
            float(field.replace(",", "."))
        except ValueError:
            continue
        return False
    return True

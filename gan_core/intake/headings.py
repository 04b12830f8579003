"""Where the rows of a table begin: names of columns, units, and the lines before that are no part of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gan_core.intake.dialects import SPACES, Dialect, Line, Row, rows_of
from gan_core.intake.numerals import Marks, is_missing
from gan_core.intake.pictures import shown

LOOKED_AT = 200  # lines from the first, for the beginning of the table
MOST_UNDER = 2  # rows between names and numbers: units, comments
_INDEX = frozenset(
    [
        "",
        "unnamed: 0",
        "index",
        "idx",
        "row",
        "rows",
        "row.names",
        "rownames",
        "row_names",
        "#",
        "no",
        "no.",
        "nr",
        "nr.",
        "nummer",
        "number",
        "id",
        "obs",
        "_n_",
        "lfd nr",
        "n°",
        "case",
        "x.1",
    ]
)
_LABEL = frozenset(
    [
        "class",
        "classes",
        "label",
        "labels",
        "target",
        "cluster",
        "group",
        "species",
        "category",
        "kind",
        "type",
        "klasse",
        "gruppe",
        "classe",
        "groupe",
        "clase",
        "grupo",
        "y_true",
        "cls",
        "class_id",
        "label_id",
        "cluster_id",
        "group_id",
        "kategorie",
    ]
)
_BASE = (
    "m|s|g|a|v|w|n|k|j|c|f|h|t|l|pa|hz|bar|mol|cd|lm|lx|ev|rad|deg|min|ohm|psi|px|pixel|cal|db|dbm|bit|byte|in|ft|lb|oz|mi|yd"
    r"|°|°c|°f|°k|Ω|%|‰|€|\$|£|eur|usd|arb|arb\. units|a\.?u\.?|counts?|cts|years?|days?|hours?|sec|secs"
    r"|seconds?|minutes?|volts?|amperes?|amps?|ohms?|watts?|meters?|metres?|hertz|kelvin|celsius|degrees?|percent|pixels?|grams?"
    r"|newtons?|pascals?|inch|inches|foot|feet|unitless|dimensionless"
)
_POWER = r"(?:\^?[-−]?[\d²³]+)?"
_UNIT = re.compile(
    rf"[\[(<{{]?\s*(?:(?:1|[a-zµμ]{{0,2}}(?:{_BASE})){_POWER}"
    rf"(?:\s*[/*·⋅ ]\s*[a-zµμΩ°%]{{1,4}}{_POWER}){{0,3}})?\s*[\])>}}]?",
    re.IGNORECASE,
)
_TYPE = frozenset(
    [
        "double",
        "float",
        "numeric",
        "real",
        "decimal",
        "int",
        "integer",
        "float64",
        "float32",
        "number",
        "text",
        "string",
        "varchar",
    ]
)
_ROW_TITLE = frozenset(["long name", "units", "comments", "unit", "einheit", "einheiten", "unité", "name", "names"])
_ATTRIBUTE = re.compile(r"attribute\s+('[^']*'|\"[^\"]*\"|\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class Heading:
    """``names`` of columns, from line ``line`` (0: none), ``written`` of them; ``rows`` lines are before the first row of
    numbers, ``passed`` of them neither names nor units.
    """

    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    line: int = 0
    written: int = 0
    rows: int = 0
    passed: int = 0


def heading_of(rows: Sequence[Row], comments: Sequence[Line], width: int, dialect: Dialect) -> Heading:
    """Names, units and the first row of numbers, from the lines at the beginning."""
    marks = dialect.marks
    numeric = _numeric_places(rows, width, marks)
    first = next((at for at, (_, cells) in enumerate(rows[:LOOKED_AT]) if _is_full(cells, numeric, marks)), None)
    if first is None:  # no column is bare numbers: each may carry its unit
        worded = len(rows) > 1 and _is_wordy(rows[0][1], marks) and any(map(str.isdigit, "".join(rows[1][1])))
        return Heading(tuple(rows[0][1]), (), rows[0][0], len(rows[0][1]), 1) if worded else Heading()
    above: list[int] = []  # the lines right above the numbers, the nearest first
    for at in range(first - 1, -1, -1):
        if not _is_wordy(rows[at][1], marks) or len(above) > MOST_UNDER:
            break
        above.append(at)
    if not above:
        return _without_names(rows, comments, width, dialect, first)
    at = _names_at(rows, above, width)
    names, units = list(rows[at][1]), next((rows[row][1] for row in above if row > at and _are_units(rows[row][1])), [])
    written = len(names)
    if dialect.delimiter == SPACES and written != width and written != width - 1:
        names = []  # names with spaces in them: which is whose is not known
    elif written == width - 1 and not _ends_empty(rows[first:], width):
        names = ["", *names]  # R names all columns but that of the row names
        units = ["", *units] if 0 < len(units) < width else units
    named = [_with_unit(name, unit) for name, unit in zip(names, [*units, *[""] * len(names)], strict=False)]
    passed = sum(bool(cells) for _, cells in rows[:at])
    return Heading(tuple(named), tuple(units), rows[at][0], written, first, passed)


def _without_names(rows: Sequence[Row], comments: Sequence[Line], width: int, dialect: Dialect, first: int) -> Heading:
    """No line of words above the numbers: names in a comment, whole numbers that count the columns, or none at all."""
    if _counts_columns(rows, width):
        return Heading(tuple(f"column {name}" if name else "" for name in rows[0][1]), (), rows[0][0], width, 1)
    top = next((at for at, (_, cells) in enumerate(rows[:first]) if cells), first)
    if len(rows[top][1]) in (width, width - 1) and _is_wordy(rows[top][1], dialect.marks):
        # Names, and under them rows that cannot be read.
        names = [""] * (width - len(rows[top][1])) + rows[top][1]
        return Heading(tuple(names), (), rows[top][0], len(rows[top][1]), top + 1)
    begin = rows[first][0]
    unknown = sum(bool(cells) for _, cells in rows[:first])
    for number, text in reversed([line for line in comments if line[0] < begin]):
        for mark in (dialect.delimiter, SPACES):
            ((_, cells),) = rows_of([(number, text)], mark)
            if len(cells) == width and _is_wordy(cells, dialect.marks) and not text.endswith((".", ":")):
                return Heading(
                    tuple(cells), (), number, width, first if _all_wordy(rows[:first], dialect.marks) else 0, 0
                )
        break
    # What stands above the numbers and has numbers in it may be rows that cannot be read: those are not passed over.
    return Heading(rows=first if _all_wordy(rows[:first], dialect.marks) else 0, passed=unknown if first else 0)


def attributes(comments: Sequence[Line]) -> list[str]:
    """The names that a Weka file (ARFF) declares."""
    found = [_ATTRIBUTE.match(text) for _, text in comments]
    return [match[1].strip("'\"") for match in found if match]


def is_index_name(name: str, place: int, named: bool) -> bool:
    """Whether a column that counts the rows is called as such columns are: not at all, beside others with names, or so."""
    text = name.strip().lower()
    return (place == 0 and named and not text) or (bool(text) and text in _INDEX)


def is_label_name(name: str) -> bool:
    return name.strip().lower() in _LABEL


def plain_name(text: str, limit: int = 40) -> str:
    """A name of a column as text to show: no control marks, nothing that a page takes for markup."""
    return re.sub(r"\s+", " ", re.sub(r"[<>`\\|]", " ", shown(text, 4 * limit))).strip()[:limit].strip()


def _numeric_places(rows: Sequence[Row], width: int, marks: Marks) -> list[int]:
    """The columns in which most cells that are there are numbers."""
    places = []
    for place in range(width):
        cells = [cells[place] for _, cells in rows if place < len(cells) and not is_missing(cells[place])]
        if cells and sum(map(marks.fits, cells)) > 0.5 * len(cells):
            places.append(place)
    return places


def _is_full(cells: Sequence[str], numeric: Sequence[int], marks: Marks) -> bool:
    """Whether a line is a row of numbers: some there, and no words where numbers should be."""
    there = [cells[place] for place in numeric if place < len(cells) and not is_missing(cells[place])]
    return len(there) > 0.5 * len(numeric) and all(map(marks.fits, there))


def _is_wordy(cells: Sequence[str], marks: Marks) -> bool:
    """Whether a line is words: no number in it, and a letter or a sign of a unit."""
    return (
        not any(map(marks.fits, cells))
        and not any(cell[:1].isdigit() for cell in cells)
        and (any(any(letter.isalpha() for letter in cell) for cell in cells) or _are_units(cells))
    )


def _all_wordy(rows: Sequence[Row], marks: Marks) -> bool:
    return all(_is_wordy(cells, marks) for _, cells in rows if cells)


def _names_at(rows: Sequence[Row], above: Sequence[int], width: int) -> int:
    """Which of the lines right above the numbers has the names: the one above units, else the nearest that is as wide."""
    for at, over in itertools.pairwise(above):
        if _are_units(rows[at][1]) and len(rows[over][1]) >= width - 1:
            return over
    return next((at for at in above if len(rows[at][1]) >= min(2, width)), above[0])


def _are_units(cells: Sequence[str]) -> bool:
    """Whether a line is units or types, as instruments and databases put them under the names."""
    filled = [cell.strip() for cell in cells if cell.strip() and cell.strip().lower() not in _ROW_TITLE]
    return bool(filled) and all(cell == "-" or cell.lower() in _TYPE or _is_unit(cell) for cell in filled)


def _is_unit(cell: str) -> bool:
    return len(cell) <= 24 and (
        _UNIT.fullmatch(cell) is not None or re.fullmatch(r"[\[(][^\d\[\]()]{0,20}[\])]", cell) is not None
    )


def _with_unit(name: str, unit: str) -> str:
    bare = unit.strip().strip("[](){}<>").strip()
    return (
        f"{name} ({bare})"
        if bare and bare.lower() not in _TYPE and bare.lower() not in _ROW_TITLE and bare != "-"
        else name
    )


def _ends_empty(rows: Sequence[Row], width: int) -> bool:
    """Whether the last column is filled in a few rows only, so that the names that are missing are not the first one's."""
    return sum(len(cells) == width for _, cells in rows) < 0.5 * sum(bool(cells) for _, cells in rows)


def _counts_columns(rows: Sequence[Row], width: int) -> bool:
    """Whether the first line is 0, 1, 2 … (or 1, 2 …) above numbers with decimals, as pandas writes columns without names."""
    cells = rows[0][1]
    counted = [cell for cell in cells if cell]
    if len(cells) != width or cells[1:] != counted[-(width - 1) :]:
        return False
    places = [place for place, cell in enumerate(cells) if cell]
    return any(counted == [str(number + first) for number in range(len(counted))] for first in (0, 1)) and all(
        not cells[place].lstrip("+-").isdigit() for _, cells in rows[1:] for place in places if place < len(cells)
    )

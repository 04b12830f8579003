"""How a file separates its columns and marks its decimals, found once from all of its rows."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gan_core.intake.numerals import Marks, is_missing, marks_of, parted, tidy

Line = tuple[int, str]  # its number, and its text
Row = tuple[int, list[str]]  # the number of its line, and its tidied cells

SPACES = " "
STRONG = "\t;|"  # nothing else in a table of numbers
WEAK = (",", SPACES)
NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", SPACES: "spaces"}
COMMENT = ("#", "%", "//", "!", "@")
LINES_ASKED = 300
LINES_OF_A_CELL = 5
_WORD = re.compile(r'"(?:[^"]|"")*"|[^ \t]+')
_RULE = re.compile(r"[-+=|:\s─│┼├┤═]+")
_WRAPPED = re.compile(r"^[\[({]+\s*([^\[\](){}]*?)\s*[\])}]+[,;]?$")
_SEP = re.compile(r'^"?sep=(.|\\t)"?$', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """What stands between columns (``SPACES``: any number of blanks), and the marks of numbers."""

    delimiter: str
    marks: Marks
    ambiguous: bool = False  # whether a mark of its numbers could be read in another way as well

    @property
    def said(self) -> str:
        return f"{NAMES.get(self.delimiter, repr(self.delimiter))} between columns, {self.marks.said}"


def sorted_out(lines: Sequence[str]) -> tuple[list[Line], list[Line], str]:
    """The lines that may be rows, those that are comments, and the delimiter that the file itself names, or ''."""
    rows: list[Line] = []
    comments: list[Line] = []
    named = ""
    for number, line in enumerate(lines, start=1):
        text = line.strip(" \r\ufeff")
        said = _SEP.match(text.strip()) if not rows else None
        if said:
            named = "\t" if said[1] in ("\\t", "\t") else said[1]
        elif text.startswith(COMMENT) and not is_missing(tidy(text.split(",")[0].split(";")[0].split("\t")[0])):
            comments.append((number, text.lstrip("#%/!@ ")))
        elif _RULE.fullmatch(text) and re.search("[-=─═]{3}", text):
            continue
        else:
            rows.append((number, line))
    return _unwrapped(rows), comments, named


def _unwrapped(rows: list[Line]) -> list[Line]:
    """Lines such as ``[1.5, 2]`` without their brackets, where almost all are written so."""
    filled = [text.strip() for _, text in rows if text.strip()]
    if sum(_WRAPPED.match(text) is not None for text in filled) < 0.9 * len(filled):
        return rows
    return [(number, _WRAPPED.sub(r"\1", text.strip())) for number, text in rows]


def dialect_of(lines: Sequence[Line], named: str, decimal: str = "") -> Dialect:
    """The dialect that most of the lines agree on. ``named`` is the delimiter that the file names itself, if it does."""
    filled = [line for line in lines if line[1].strip()]
    asked = filled[:: len(filled) // LINES_ASKED + 1]
    found = [(_score(asked, mark, decimal), mark) for mark in ([named] if named else [*STRONG, *WEAK])]
    agreed = [item for item in found if item[1] in STRONG and item[0] > 0.6]
    best, delimiter = max(agreed or found, key=lambda item: item[0])
    if best <= 0 and not named:
        delimiter = next((mark for mark in (*STRONG, ",") if _divides(asked, mark)), SPACES)
    marks, ambiguous = marks_of(_columns(rows_of(filled, delimiter)), decimal)
    return Dialect(delimiter, marks, ambiguous)


def _score(lines: Sequence[Line], delimiter: str, decimal: str) -> float:
    """How well lines are rows of two or more numbers, all alike, if this stands between the columns."""
    rows = [cells for _, cells in rows_of(lines, delimiter)]
    widths = Counter(len(cells) for cells in rows)
    width, often = max(widths.items(), key=lambda item: item[1], default=(0, 0))
    alike = [cells for cells in rows if len(cells) == width]
    columns = [[parted(cell)[0] for cell in column if not is_missing(cell)] for column in zip(*alike, strict=True)]
    filled = [column for column in columns if column]
    marks, _ = marks_of(filled, decimal)
    shares = [sum(map(marks.fits, column)) / len(column) for column in filled]
    numeric = [share for share in shares if share > 0.5]
    if len(numeric) < 2:
        return 0.0
    # What is read without marks between thousands, and without units in cells, needs less good will.
    carried = any(parted(cell)[1] for cells in alike[: len(alike) // 2 + 1] for cell in cells)
    plain = (0.9 if marks.thousands else 1.0) * (0.8 if carried else 1.0)
    # A column of words counts little against a delimiter: labels are words under every one of them.
    return often / len(rows) * plain * (sum(numeric) / len(filled)) ** 0.5


def _divides(lines: Sequence[Line], delimiter: str) -> bool:
    """Whether almost all lines have as many cells, two or more, whatever is in them."""
    widths = Counter(len(cells) for _, cells in rows_of(lines, delimiter))
    width, often = max(widths.items(), key=lambda item: item[1])
    return width > 1 and often > 0.9 * len(lines)


def _columns(rows: Iterable[Row]) -> list[list[str]]:
    """The cells of each column that are there, without units."""
    columns: list[list[str]] = []
    for _, cells in rows:
        while len(columns) < len(cells):
            columns.append([])
        for column, cell in zip(columns, cells, strict=False):
            if not is_missing(cell):
                column.append(parted(cell)[0])
    return columns


def rows_of(lines: Sequence[Line], delimiter: str) -> list[Row]:
    """The tidied cells of each line; a quoted cell may go over a few lines. Empty cells at the end of a row are left out."""
    rows = []
    number = 0
    opened = re.compile(rf'(?:^|{re.escape(delimiter)})\s*"(?:[^"]|"")*$')
    while number < len(lines):
        at, text = lines[number]
        number += 1
        if '"' in text and opened.search(text):
            ahead = next(
                (end for end in range(number, min(number + LINES_OF_A_CELL, len(lines))) if '"' in lines[end][1]), None
            )
            if ahead is not None and lines[ahead][1].count('"') % 2:
                text = " ".join([text, *(part for _, part in lines[number : ahead + 1])])
                number = ahead + 1
        cells = [tidy(cell) for cell in _split(text, delimiter)]
        while cells and not cells[-1]:
            cells.pop()
        rows.append((at, cells))
    return rows


def _split(text: str, delimiter: str) -> list[str]:
    if delimiter == SPACES:
        return [word.strip('"').replace('""', '"') for word in _WORD.findall(text)]
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return text.split(delimiter)

"""Numbers as people and programs write them: which marks a file uses is decided once, from all of its cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

MISSING = frozenset(
    [
        "",
        "na",
        "nan",
        "n/a",
        "#n/a",
        "#na",
        "null",
        "#null!",
        "nil",
        "none",
        "missing",
        ".",
        "-",
        "--",
        "---",
        "?",
        "\\n",
        "inf",
        "+inf",
        "-inf",
        "infinity",
        "-infinity",
        "#div/0!",
        "#value!",
        "#ref!",
        "#num!",
        "#name?",
        "1.#ind",
        "-1.#ind",
        "1.#qnan",
        "1.#inf",
        "-1.#inf",
        "<na>",
        "nd",
        "n.d.",
        "k.a.",
        "nv",
        "#nv",
        "s/o",
        "-nan",
        "+nan",
        "1.#nan",
    ]
)
"""Words for a value that is not there, or is not finite, in small letters."""
_MINUS = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\ufe63": "-", "\uff0d": "-", "\u2010": "-", "\u2011": "-", "\ufeff": None}
    | dict.fromkeys("\u00a0\u202f\u2009\u2007\u2008\u2006\u2002\u2003\u3000", " ")
    | {"\u2019": "'", "\u02bc": "'", "\u066b": ",", "\uff0c": ",", "\uff0e": "."}
)
_EXPONENT = re.compile(r"\s*(?:[dD]|\*\^|[x×·*]\s*10\^?)(?=[+-]?\d+$)")
_FORMULA = re.compile(r'^=\s*"?(.*?)"?$')
_GROUPED = r"[1-9]\d{{0,2}}(?:{0}\d{{2,3}})*{0}\d{{3}}"
_CARRIED = re.compile(
    r"^(?P<before>[^\w.,+\-<>=~≤≥≈]{0,3}\s?)(?P<number>[+-]?[\d.,' ]*\d(?:[eE][+-]?\d+)?)(?P<behind>\s?[^\d\s][^\d]{0,7})?$"
)
CELLS_ASKED = 100_000
LONGEST = 80  # characters of a number in a form that has to be tidied


@dataclass(frozen=True)
class Marks:
    """The decimal mark of a file, and what stands between its thousands, if anything does."""

    decimal: str = "."
    thousands: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        mark = re.escape(self.decimal)
        whole = rf"(?:{_GROUPED.format(re.escape(self.thousands))}|\d+)" if self.thousands else r"\d+"
        return re.compile(rf"[+-]?\s?(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?")

    def fits(self, text: str) -> bool:
        """Whether a tidied cell is a number with these marks."""
        return self.pattern.fullmatch(text) is not None

    def value(self, text: str) -> float | None:
        """The number that a tidied cell is, or None."""
        if not self.fits(text):
            return None
        if self.thousands:
            text = text.replace(self.thousands, "")
        return float("".join(text.replace(self.decimal, ".").split()))

    @property
    def said(self) -> str:
        names = {".": "points", ",": "commas", " ": "spaces", "'": "apostrophes"}
        between = f", {names[self.thousands]} between thousands" if self.thousands else ""
        return f"decimal {names[self.decimal]}{between}"


ALL_MARKS = (
    Marks("."),
    Marks(","),
    *(Marks(".", mark) for mark in ", '"),
    *(Marks(",", mark) for mark in ". '"),
)


def tidy(cell: str) -> str:
    """A cell as it would be written plainly: no quotes, one kind of minus, of space and of exponent."""
    text = cell.translate(_MINUS).strip()
    if not text or text.isdecimal() or len(text) > LONGEST:
        return text
    if text[0] == "=":
        text = _FORMULA.sub(r"\1", text)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    elif text.startswith("'"):  # how spreadsheets hold a number as text
        text = text[1:]
    if len(text) > 1 and text[-1] == "-" and text[-2].isdigit():
        text = f"-{text[:-1]}"
    elif len(text) > 2 and text[0] == "(" and text[-1] == ")" and text[1:-1].strip()[:1].isdigit():
        text = f"-{text[1:-1].strip()}"  # how accountants write a loss
    return _EXPONENT.sub("e", text)


def parted(text: str) -> tuple[str, str]:
    """A tidied cell as a number and the unit that it carries before or behind it, as ``12,5 mV``; a unit or ''."""
    if not text or len(text) > LONGEST or (text[-1].isdecimal() and text[0] in "+-.,0123456789"):
        return text, ""
    found = _CARRIED.match(text)
    unit = (found["before"].strip() or (found["behind"] or "").strip()) if found else ""
    return (tidy(found["number"]), unit) if found and unit else (text, "")


def is_missing(text: str) -> bool:
    """Whether a tidied cell says that there is no value, or one that is not finite."""
    return text.lower() in MISSING


def marks_of(columns: Sequence[Sequence[str]], given: str = "") -> tuple[Marks, bool]:
    """The marks that fit most of the cells of tidied columns, and whether others would have fitted as well.

    Where a mark could be both, it stands for decimals, unless the same column has whole numbers without one and always
    three digits after the mark: those are thousands. ``given`` is a decimal mark that the file itself names.
    """
    cells = [cell for column in columns for cell in column if cell[-1:].isdigit() or cell[-1:] in ".,"]
    cells = cells[:: len(cells) // CELLS_ASKED + 1]
    candidates = [marks for marks in ALL_MARKS if not given or marks.decimal == given]
    if not any("," in cell or "'" in cell or " " in cell for cell in cells):
        candidates = [marks for marks in candidates if marks.thousands in ("", ".")]
    fitting = [(sum(map(marks.fits, cells)), -number, marks) for number, marks in enumerate(candidates)]
    most, _, best = max(fitting, key=lambda item: item[:2], default=(0, 0, Marks()))
    alike = [marks for count, _, marks in fitting if count == most and most]
    mark = best.decimal
    other = next((marks for marks in alike if marks.thousands == mark and marks.decimal != mark), None)
    if other is None or not any(mark in cell for cell in cells):
        return best, False
    mixed = any(
        any(mark in cell for cell in column)
        and any(len(cell.lstrip("+-")) <= 3 and cell.lstrip("+-").isdigit() for cell in column)
        for column in columns
    )
    return (other if mixed and mark == "," else best), True

"""One cell, and one file's marks: what is a number, what is a unit, and what could be read in two ways."""

from __future__ import annotations

import pytest

from gan_core.intake.dialects import COMMENT, SPACES, dialect_of, rows_of, sorted_out
from gan_core.intake.numerals import LONGEST, Marks, marks_of, parted, tidy
from gan_core.intake.points import from_csv


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        ("", ""),
        (" \u00a0 ", ""),
        ("12", "12"),
        ("'12", "12"),
        ('="1.5"', "1.5"),
        ("1.5-", "-1.5"),
        ("(1.5)", "-1.5"),
        ("1.5d3", "1.5e3"),
        ("'" + "1" * (LONGEST - 1), "1" * (LONGEST - 1)),
        ("'" + "1" * LONGEST, "'" + "1" * LONGEST),  # too long to be worth it
    ],
)
def test_a_cell_is_tidied_up_to_a_length(cell: str, plain: str) -> None:
    assert tidy(cell) == plain


LONG = "1" * (LONGEST - 3)


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("", ("", "")),
        ("12,5 mV", ("12,5", "mV")),
        ("5 m²", ("5", "m²")),
        ("$5", ("5", "$")),
        ("-5", ("-5", "")),
        ("a5", ("a5", "")),
        (f"{LONG} mV", (LONG, "mV")),
        (f"1{LONG} mV", (f"1{LONG} mV", "")),
    ],
)
def test_a_unit_is_parted_from_its_number(cell: str, parts: tuple[str, str]) -> None:
    assert parted(cell) == parts


@pytest.mark.parametrize("space", [" ", "\t", "\u200a", "\u2004"])
def test_any_space_behind_a_sign_is_read(space: str) -> None:
    """What fits the pattern of a number never ends in an error of ``float``."""
    assert Marks().value(f"-{space}5") == -5
    rows = [f'"-{space}{i}.5",{i % 7}' for i in range(60)]
    assert from_csv("\n".join(["x,y", *rows]).encode()).points[3].tolist() == [-3.5, 3]


def test_what_is_no_number_has_no_value() -> None:
    assert Marks().value("abc") is None
    assert Marks(".", ",").value("1,234.5") == 1234.5


@pytest.mark.parametrize(
    ("columns", "given", "marks", "ambiguous"),
    [
        ([["1", "2"]], "", Marks("."), False),
        ([["1", "2"], ["a.b"]], "", Marks("."), False),
        ([["1.5"]], "", Marks("."), False),
        ([["1,5"]], "", Marks(","), False),
        ([["1,5"]], ".", Marks("."), False),
        ([["1,234"]], "", Marks(","), True),
        ([["1,234"]], ",", Marks(","), False),
        ([["1,234", "5"]], "", Marks(".", ","), True),
        ([["1.234"]], "", Marks("."), True),
        ([["1.234"], ["1,234"]], "", Marks(".", ","), True),
        ([["1'234.5"]], "", Marks(".", "'"), False),
        ([["1,5"]], "x", Marks("."), False),
        ([], "", Marks("."), False),
    ],
)
def test_the_marks_are_those_that_fit_and_doubt_is_said(
    columns: list[list[str]], given: str, marks: Marks, ambiguous: bool
) -> None:
    assert marks_of(columns, given) == (marks, ambiguous)


# --- lines and columns ---


@pytest.mark.parametrize("wrapped", [9, 8])
def test_brackets_are_taken_away_where_almost_all_lines_have_them(wrapped: int) -> None:
    lines = [f"[{i}, 2]" if i < wrapped else f"{i}, 2" for i in range(10)]
    rows, _, _ = sorted_out([*lines, ""])
    assert (rows[0][1] == "0, 2") is (wrapped == 9)


@pytest.mark.parametrize(
    ("line", "kept"),
    [("---+---", False), ("═══", False), ("a-b---c", True), ("- | -", True), ("", True), ("1.5", True)],
)
def test_a_line_that_only_rules_is_no_row(line: str, kept: bool) -> None:
    rows, comments, _ = sorted_out(["1,2", line])
    assert (len(rows) == 2, comments) == (kept, [])


@pytest.mark.parametrize("mark", COMMENT)
def test_a_comment_is_kept_apart_without_its_mark(mark: str) -> None:
    rows, comments, _ = sorted_out([f"{mark} measured by hand", "1,2"])
    assert (rows, comments) == ([(2, "1,2")], [(1, "measured by hand")])


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["a;b"] * 10, ";"),
        (["a"] * 10, SPACES),
        (["NA;-"] * 10, ";"),  # no cell is there by which to tell
        (["a;b"] * 9 + ["c"], SPACES),
        (["a;b"] * 19 + ["c"], ";"),
        (["a,b"] * 10, ","),
        (["1.5 2.5"] * 10 + [""], SPACES),
        (["1.5;2.5"] * 10 + [""], ";"),
        (["x;1,5;2,5"] * 10, ";"),
        (["1.5;2.5"] * 3 + [""] * 10, ";"),
        (["1,5 m;x; 2,5 m; 3"] * 10, ";"),  # though blanks part more numbers
        (["1,5 NA"] * 6 + ["2,5 3"] * 4, SPACES),  # what is missing speaks against no delimiter
        (["a;b 1 2"] * 10, SPACES),  # a bar or a semicolon in words is no delimiter where blanks part numbers
    ],
)
def test_the_delimiter_is_what_divides_almost_all_lines_alike(lines: list[str], delimiter: str) -> None:
    assert dialect_of(list(enumerate(lines, start=1)), "").delimiter == delimiter


def test_a_cell_longer_than_a_reader_of_csv_allows_is_split_all_the_same() -> None:
    half = "x" * 70_000
    ((at, cells),) = rows_of([(1, f'"{half}'), (2, f'{half}",1.5')], ",")
    assert (at, len(cells), cells[-1]) == (1, 2, "1.5")


@pytest.mark.parametrize(
    ("text", "delimiter", "cells"),
    [
        ('"a b"  1 "2"', SPACES, ["a b", "1", "2"]),
        ("a   1\t2 ", SPACES, ["a", "1", "2"]),
        ('"a,b",1', ",", ["a,b", "1"]),
        ("a;1;;", ";", ["a", "1"]),
        (";;", ";", []),
    ],
)
def test_a_line_is_split_with_its_quotes_in_mind(text: str, delimiter: str, cells: list[str]) -> None:
    assert rows_of([(7, text)], delimiter) == [(7, cells)]


def test_a_quoted_cell_may_go_over_a_few_lines() -> None:
    lines = [(1, '"a'), (2, "b"), (3, 'c",1.5'), (4, "d,2.5")]
    assert rows_of(lines, ",") == [(1, ["a b c", "1.5"]), (4, ["d", "2.5"])]

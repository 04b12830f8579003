"""Which rows of a table are points, which are lost, and when losing them would make another data set."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from gan_core.intake import points
from gan_core.intake.errors import DataError
from gan_core.intake.points import from_csv, from_painting

Cells = tuple[str, str]


def table(bad: Mapping[int, Cells | str] = {}, rows: int = 200, head: str = "x,y") -> bytes:
    """Points under names, some rows of which are others."""
    made = [bad.get(row, (f"{row}.5", f"{row % 17}.25")) for row in range(rows)]
    return "\n".join([head, *(cells if isinstance(cells, str) else ",".join(cells) for cells in made)]).encode()


def alternating(*rows: int) -> dict[int, Cells]:
    """Cells of both columns that cannot be read and begin with different signs."""
    return {
        row: ((f"{'abcde'[at % 5]}?", "1") if at % 2 else ("1", f"{'abcde'[at % 5]}?")) for at, row in enumerate(rows)
    }


def refusal(content: bytes, columns: tuple[str, ...] | None = None) -> str:
    with pytest.raises(DataError) as refused:
        from_csv(content, columns)
    return str(refused.value)


@pytest.mark.parametrize(
    ("bad", "common"),
    [
        ({50: ("<1", "1"), 100: ("1", "<2"), 150: ("<3", "1")}, "all beginning with '<'"),
        ({50: ("1", "a?"), 100: ("1", "b?"), 150: ("1", "c?")}, "all in the column y"),
        (alternating(0, 1, 2, 3, 49), "all at the beginning of the file"),
        (alternating(150, 196, 197, 198, 199), "all at the end of the file"),
        (alternating(*range(50, 71)), "more than a tenth"),
    ],
)
def test_rows_that_have_something_in_common_are_not_left_out(bad: dict[int, Cells], common: str) -> None:
    said = refusal(table(bad))
    assert said.startswith(f"{len(bad)} of 200 rows cannot be read, {common}, so that what is left would be another")
    assert f"the first: line {min(bad) + 2}: " in said


@pytest.mark.parametrize(
    "bad",
    [
        {50: ("a?", "1"), 100: ("1", "b?"), 150: ("c?", "1")},
        {50: ("1a", "1"), 100: ("1", "1b"), 150: ("1c", "1")},
        {50: ("<1", "1"), 100: ("1", "<2")},
        {50: ("a?", "1e300"), 100: ("b?", "1"), 150: ("c?", "1")},
        {50: ("a?", "1"), 100: ("b?", "1"), 150: ("c?", "1"), 160: "1,2,3"},
        alternating(0, 1, 2, 3, 50),
        alternating(149, 196, 197, 198, 199),
        alternating(0, 1, 2, 3),
        alternating(*range(50, 70)),
    ],
    ids=["mixed", "digits", "two", "too large", "a stray", "nearly first", "nearly last", "four first", "a tenth"],
)
def test_rows_here_and_there_are_left_out_and_listed(bad: dict[int, Cells | str]) -> None:
    found = from_csv(table(bad))
    assert [problem.file for problem in found.problems] == [f"line {row + 2}" for row in sorted(bad)]
    assert len(found.points) == 200 - len(bad)


def test_lost_rows_are_listed_in_the_order_of_the_file() -> None:
    bad: dict[int, Cells | str] = {50: ("<1", "1"), 100: "1,2,3"}
    assert [problem.file for problem in from_csv(table(bad)).problems] == ["line 52", "line 102"]
    every = {row: ("a?", "b?") if row < 40 else "1,2,3" for row in range(20, 60)}
    assert "the first: line 22: 'a?' is not a number. Correct" in refusal(table(every))


def test_points_may_be_as_few_and_as_many_as_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(from_csv(table(rows=50)).points) == 50
    monkeypatch.setattr(points, "MAX_POINTS", 60)
    assert len(from_csv(table(rows=60)).points) == 60
    assert refusal(table(rows=61)) == "The file has more than 60 points."


@pytest.mark.parametrize("columns", [(), ("x",), ("x", "y", "x"), ("x", "1")])
def test_two_different_columns_have_to_be_said(columns: tuple[str, ...]) -> None:
    assert refusal(table(), columns) == "Say two different columns, one for x and one for y."


@pytest.mark.parametrize("wanted", ["0", "3", "-1", "z", "", "9" * 5000])
def test_a_column_that_is_not_there_is_a_sentence(wanted: str) -> None:
    assert refusal(table(), ("x", wanted)) == f"The table has no column {wanted[:40]!r}; there are: x, y."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "\n".join(["x,side", *(f"{row}.5,{'oops' if row % 3 else 'yes'}" for row in range(60))]),
            "only one column of numbers (x), and points need two; the first reason: line 2: 'yes' is not a number.",
        ),
        (
            "\n".join(["x,side", *(f"{'oops' if row == 9 else row / 4},{'lr'[row % 2]}" for row in range(60))]),
            "only one column of numbers (x), and points need two; the first reason: line 2: 'l' is not a number.",
        ),
        (
            "\n".join(["index,x", *(f"{row},{row % 7}.5" for row in range(60))]),
            "only one column of numbers (x), and points need two.",
        ),
    ],
    ids=["words", "a number that cannot be read", "an index"],
)
def test_too_few_columns_of_numbers_are_said_with_their_reason(content: str, said: str) -> None:
    assert refusal(content.encode()) == f"The table has {said}"


@pytest.mark.parametrize("shape", [(2, 2), (2, 128), (128, 2)])
def test_a_painting_may_be_as_small_and_as_large_as_the_bounds(shape: tuple[int, int]) -> None:
    assert len(from_painting(np.ones(shape)).points) == 2000


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        *((np.ones(shape), "A painting is a grid of at most") for shape in ((1, 8), (8, 1), (2, 129), (129, 2), (8,))),
        (np.ones((8, 8, 3)), "A painting is a grid of at most"),
        (np.zeros((8, 8)), "Nothing is painted yet."),
        *(
            (np.where(np.eye(8) > 0, value, 1.0), "A painting holds no numbers below zero.")
            for value in (-1, np.nan, np.inf)
        ),
    ],
)
def test_a_painting_beyond_its_bounds_is_a_sentence(cells: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        from_painting(cells)

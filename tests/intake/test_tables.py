"""Where a text file ends to be a table: each bound where it stands, and what is only nearly a unit, a column or a mark."""

from __future__ import annotations

import numpy as np
import pytest

from gan_core.intake import tables, text
from gan_core.intake.errors import DataError
from gan_core.intake.tables import Table, read_table
from gan_core.intake.text import lines_of


def rows(*cells: str) -> bytes:
    return "\n".join(cells).encode()


def column(*cells: str) -> np.ndarray:
    """What is read of a column beside one of plain numbers."""
    lines = [f"{number},{cell}" for number, cell in enumerate(cells)]
    return read_table(rows("x,y", *lines)).columns[1].values


def shape(table: Table) -> tuple[int, int]:
    return len(table.columns), len(table.lines)


@pytest.mark.parametrize(
    ("bound", "most", "sentence"),
    [
        ("MAX_BYTES", 7, "The file has more than 0 MB."),
        ("MAX_LINES", 1, "The file has more than 0 lines."),
        ("MAX_LINE", 3, "Line 1 has more than 2 characters; this is not a table of numbers."),
    ],
)
def test_a_text_may_be_as_large_as_each_bound(
    bound: str, most: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, bound, most)
    assert lines_of(b"1,2\n3,4") == (["1,2", "3,4"], "UTF-8")
    monkeypatch.setattr(text, bound, most - 1)
    with pytest.raises(DataError) as refused:
        lines_of(b"1,2\n3,4")
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \r\n\t", "The file is empty."),
        (b"1,2\n3,\x074", "This is not a text file."),
        *(
            (page, "This is a web page or XML, not a table of text; save the table as CSV.")
            for page in (b"<!DOCTYPE html>\n<p>1,2", b"\n <table><tr><td>1", b"<?xml version='1.0'?>")
        ),
        *((beginning + b" 1,2\n", f"This is not a text file but {what}.") for beginning, what in text.FORMATS),
    ],
)
def test_what_is_no_text_is_said_before_it_is_taken_for_a_table(content: bytes, sentence: str) -> None:
    with pytest.raises(DataError) as refused:
        lines_of(content)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_two_bytes_a_letter_are_known_by_their_zeros(encoding: str) -> None:
    """More than seven of ten letters are Latin; a letter whose other byte is zero is one like all others."""
    for content in ("1,2\n3,4€€", "Āda,x\n1,2\n3,4", "\u3000x,y\n1,2\n3,4\n"):
        assert lines_of(content.encode(encoding)) == (content.split("\n"), "UTF-16")
    with pytest.raises(DataError, match="not a text file"):
        lines_of("1,2\n3,4€€€".encode(encoding))


@pytest.mark.parametrize(
    ("bound", "most", "sentence"),
    [
        ("MAX_CELLS", 6, "The table has more than 5 cells; keep the columns that are needed."),
        ("MAX_COLUMNS", 2, "The table has more than 1 columns; keep those that are needed."),
    ],
)
def test_a_table_may_be_as_large_as_each_bound(
    bound: str, most: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, bound, most)
    assert shape(read_table(b"1 2\n3 4\n5 6\n")) == (2, 3)
    monkeypatch.setattr(tables, bound, most - 1)
    with pytest.raises(DataError) as refused:
        read_table(b"1 2\n3 4\n5 6\n")
    assert str(refused.value) == sentence


def test_how_a_table_was_read_is_said() -> None:
    lines = [f"{number}.5;{number % 7}.25" for number in range(20)]
    table = read_table(rows("# by hand", "Messung", "width;length", "mm;s", *lines))
    assert table.notes == (
        "UTF-8, semicolons between columns, decimal points",
        "names of columns in line 3",
        "a row of units",
        "1 line before the table passed over",
        "1 comment line",
    )
    assert [one.name for one in table.columns] == ["width (mm)", "length (s)"]
    assert read_table(rows(*lines)).notes == ("UTF-8, semicolons between columns, decimal points",)


def test_a_column_of_decimal_commas_is_one_column() -> None:
    table = read_table(rows("width", "1,5", "", "-2,75", "+3,0"))
    assert shape(table) == (1, 3)
    assert table.columns[0].values.tolist() == [1.5, -2.75, 3.0]


@pytest.mark.parametrize(
    "lines",
    [
        *(("1,5", "2,7", "3,9"), ("width,length", "1,5", "2,7", "3,9"), ("width", "1,5,6", "2,7,6", "3,9,6")),
        *(("width", "1.5,5", "2.5,7", "3.5,9"), ("width", "1,-5", "2,-7", "3,-9"), ("width", "1,5", "2,7", "x,9")),
    ],
    ids=["no name", "two names", "three numbers", "a point", "a sign", "a word"],
)
def test_commas_between_numbers_are_else_no_decimal_marks(lines: tuple[str, ...]) -> None:
    assert len(read_table(rows(*lines)).columns) > 1


def test_numbers_with_a_point_and_nothing_behind_have_no_unit() -> None:
    table = read_table(rows("x,y", *(f"{number}.,{number}.5" for number in range(20))))
    assert [one.name for one in table.columns] == ["x", "y"]
    assert table.columns[0].values.tolist() == list(range(20))


@pytest.mark.parametrize(("gone", "read"), [(2, False), (1, True)])
def test_a_unit_is_one_that_more_than_nine_of_ten_cells_carry(gone: int, read: bool) -> None:
    values = column(*["oops"] * gone, *["5 mV"] * (20 - gone))
    assert np.isfinite(values).any() == read


def test_a_unit_is_known_where_most_values_are_missing() -> None:
    assert np.nansum(column(*["NA"] * 15, *["5 mV"] * 5)) == 25


def test_lines_of_words_are_not_asked_how_wide_a_table_is() -> None:
    words = [f"we measured on day {'abc'[number % 3]} again" for number in range(12)]
    numbers = [f"{number}.5 {number % 7}.25" for number in range(20)]
    table = read_table(rows(*words, *numbers, "1.5 2.5 3.5"))
    assert shape(table) == (2, 20)
    assert table.strays == ((33, "3 value(s), not 2", "1.5 | 2.5 | 3.5"),)


def test_the_example_of_two_meanings_is_a_number_with_the_mark() -> None:
    table = read_table(rows(*(f"{name}\t1,{100 + number}" for number, name in enumerate("abcdefgh" * 5))))
    assert table.warnings == ("The numbers could be read in two ways; 1,100 was taken to be 1.1.",)
    assert read_table(b"1.5\t2.5\n2.5\t3.5\n").warnings == ()


def test_a_file_of_labview_names_its_decimal_mark() -> None:
    lines = [f"{number}\t{f'1,{100 + number}' if number % 2 else number}" for number in range(20)]
    assert read_table(rows(*lines)).columns[1].values[19] == 1119
    named = read_table(rows("LabVIEW Measurement", "Decimal_Separator\t,", *lines))
    assert named.columns[1].values[19] == 1.119


@pytest.mark.parametrize("cell", ["=", '=""', "= ", "'", '""', "()", "-"])
def test_a_cell_that_is_nothing_but_marks_is_no_number(cell: str) -> None:
    values = column(cell, *["2.5"] * 9)
    assert np.isnan(values[0])
    assert values[1:].tolist() == [2.5] * 9


def test_a_column_without_a_value_is_none() -> None:
    table = read_table(rows("x,gone,y", *(f"{number}.5,NA,{number}.25" for number in range(9))))
    assert [one.name for one in table.columns] == ["x", "y"]

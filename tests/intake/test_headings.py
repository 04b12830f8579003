"""The lines above the numbers: names, units, types, comments, or rows that nobody can read."""

from __future__ import annotations

import pytest

from gan_core.intake.errors import DataError
from gan_core.intake.headings import attributes, is_index_name, is_label_name, plain_name
from gan_core.intake.points import from_csv
from gan_core.intake.tables import Table, read_table

BODY = [f"{i / 4},{i * i % 7 / 4 - 3}" for i in range(30)]


def table(*lines: str) -> Table:
    return read_table("\n".join(lines).encode())


def names(*lines: str) -> tuple[str, ...]:
    return tuple(column.name for column in table(*lines).columns)


COLUMNS = ("column 1", "column 2")


@pytest.mark.parametrize(
    ("above", "found"),
    [
        ([], COLUMNS),
        (["a,b"], ("a", "b")),
        (["a,b", "mm,-"], ("a (mm)", "b")),
        (["a,b", "mm,s"], ("a (mm)", "b (s)")),
        (["a,b", "[mm],(arbitrary)"], ("a (mm)", "b (arbitrary)")),
        (["a,b", "°,%"], ("a (°)", "b (%)")),  # units without a letter
        (["a,b", "double,float"], ("a", "b")),
        (["measured,computed", "name,unit"], ("name", "unit")),  # a line of titles of rows has no unit
        (["m,s"], ("m", "s")),  # what could be units, and has no names above
        (["mm,s", "a,b"], ("a", "b")),
        (["a title", "a,b"], ("a", "b")),
        (["a title", "", "a,b"], ("a", "b")),
        (["a,b", "mm,s", "measured,computed"], ("a (mm)", "b (s)")),
        (["a,b", "mm,s", ",by hand", "x,y", "x,y"], ("x", "y")),
        (["a,b", "1st,2nd"], ("a", "b")),  # a row that cannot be read, under the names
        (["", "a,b", "1st,2nd"], ("a", "b")),
        (["Ω,°C"], ("Ω", "°C")),
        (["...,..."], COLUMNS),
        (["0,1"], ("column 0", "column 1")),
        (["1,2"], COLUMNS),
        (["5,6"], COLUMNS),
    ],
)
def test_the_names_are_the_line_of_words_above_the_numbers(above: list[str], found: tuple[str, ...]) -> None:
    body = [line.replace("/", "") for line in BODY]
    assert names(*above, *body) == found


@pytest.mark.parametrize(
    ("above", "found"),
    [
        (["a title", "mm,s,kg"], ("mm", "s", "kg")),  # too few names for these units
        (["a,b", "mm,s"], ("column 1", "a (mm)", "b (s)")),
        (["a,b", "-,mm,s"], ("column 1", "a (mm)", "b (s)")),
        (["a,b,c", "mm,s,kg"], ("a (mm)", "b (s)", "c (kg)")),
        (["name,a,b", "units,mm,s"], ("name", "a (mm)", "b (s)")),  # a column of titles of rows
    ],
)
def test_units_stand_under_names_of_all_columns_or_of_all_but_the_first(
    above: list[str], found: tuple[str, ...]
) -> None:
    assert names(*above, *(f"{line},{i % 5 / 4}" for i, line in enumerate(BODY))) == found


@pytest.mark.parametrize(
    ("above", "said"),
    [
        (["a title", ""], "1 line before the table passed over"),
        (["a title", "", "by somebody", "", ""], "2 lines before the table passed over"),
    ],
)
def test_lines_of_words_before_a_table_without_names_are_passed_over_and_counted(above: list[str], said: str) -> None:
    found = table(*above, *(f"{line},{i % 5 / 4}" for i, line in enumerate(BODY)))
    assert said in found.notes
    assert len(found.lines) == len(BODY)


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("# a,b", ("a", "b")),
        ("# a b", ("a", "b")),
        ("# a,b,c", COLUMNS),
        ("# 1,b", COLUMNS),
        ("# measured twice.", COLUMNS),
        ("# these are:", COLUMNS),
    ],
)
def test_a_comment_right_above_may_have_the_names(comment: str, found: tuple[str, ...]) -> None:
    assert names("# something else", comment, *BODY) == found
    assert names(*BODY[:15], comment, *BODY[15:]) == COLUMNS, "but none that stands among the numbers"


@pytest.mark.parametrize(
    ("first", "names_them"),
    [
        ("0,1,2", True),
        (",0,1", True),
        ("1,2,3", True),
        ("0,2,1", False),
        ("0,1", False),
        ("0,,1", False),
        ("01,02,03", False),
        ("1,2,²", False),
        ("1" * 5000 + ",2,3", False),
    ],
)
def test_a_line_that_counts_is_names_only_if_it_counts(first: str, names_them: bool) -> None:
    """Signs that are digits and no numbers, or more of them than Python reads, are no fault of the program."""
    body = [f"{i / 4 + 0.1},{i * i % 7 + 0.5},{i % 3 + 0.25}" for i in range(60)]
    found = read_table("\n".join([first, *body]).encode())
    assert (len(found.lines) == 60) is names_them


@pytest.mark.parametrize(("above", "found"), [(["a,b"], ("a (mV)", "b (s)")), ([], ("column 1 (mV)", "column 2 (s)"))])
def test_cells_that_all_carry_their_unit_stand_under_names(above: list[str], found: tuple[str, ...]) -> None:
    read = table(*above, *(f"{i}.5 mV,{i * i % 7} s" for i in range(30)))
    assert tuple(column.name for column in read.columns) == found
    assert len(read.lines) == 30


def test_a_series_of_pandas_has_its_number_as_its_name() -> None:
    assert names(",0", *(f"{i / 4},{i * i % 7 / 4 + 0.1}" for i in range(30))) == ("column 1", "column 0")


def test_a_title_over_rows_that_cannot_be_read_is_no_name() -> None:
    body = [f"{row},{i % 5}.5" for i, row in enumerate(BODY)]
    assert names("a title", "12x,3y,4z", *body) == ("column 1", "column 2", "column 3")
    assert names("a,b,c", "12x,3y,4z", *body) == ("a", "b", "c")


def test_a_row_that_ends_early_leaves_a_line_that_counts_what_it_is() -> None:
    body = [f"{line},{i % 5 / 4}" for i, line in enumerate(BODY)]
    assert names("0,1,2", *body[:5], "0.5,1.5", *body[5:]) == ("column 0", "column 1", "column 2")


def test_whole_numbers_under_a_line_that_counts_make_it_a_row() -> None:
    assert len(table("0,1", *(f"{i},{i * i % 7 - 3}" for i in range(30))).lines) == 31
    assert len(table("0,1", *(f"{i},{i / 4}" for i in range(30)), "7").lines) == 32


@pytest.mark.parametrize(
    ("name", "place", "named", "index"),
    [
        ("", 0, True, True),
        ("", 1, True, False),
        ("", 0, False, False),
        (" ID ", 3, True, True),
        ("x", 0, True, False),
        ("row", 0, False, True),
    ],
)
def test_a_column_that_counts_rows_is_called_so_or_not_at_all(name: str, place: int, named: bool, index: bool) -> None:
    assert is_index_name(name, place, named) is index


def test_names_of_labels_and_of_a_weka_file_are_known() -> None:
    assert is_label_name(" Species ")
    assert not is_label_name("width")
    assert attributes([(1, "relation iris"), (2, "attribute 'a b' real"), (3, "ATTRIBUTE c real")]) == ["a b", "c"]
    assert plain_name("<b>`x`|\\y\u202e") == "b x y"


def test_a_row_of_units_must_be_short_signs() -> None:
    long = "(" + "x" * 20 + ")"
    assert names("a,b", f"{long},mm", *BODY) == (f"a ({'x' * 20})", "b (mm)")
    assert names("a,b", f"{' ' * 3}(x{'x' * 20}),mm", *BODY)[0] == "(" + "x" * 21 + ")"
    assert names("a,b", f"m{' ' * 22}s,mm", *BODY) == ("a (m s)", "b (mm)")
    assert names("a,b", f"m{' ' * 23}s,mm", *BODY) == ("m s", "mm"), (
        "a pattern that is matched against longer cells takes long"
    )


def test_names_stand_over_a_last_column_that_is_seldom_filled() -> None:
    rows = [f"{i / 4},{i * i % 7 / 4}" for i in range(40)]
    assert names("a,b", *(f"{row},{i}.5" for i, row in enumerate(rows)))[1:] == ("a", "b")
    seldom = [f"{row},{i}.5" if i < 15 else row for i, row in enumerate(rows)]
    assert names("a,b", *seldom)[:2] == ("a", "b")
    half = [f"{row},{i}.5" if i < 20 else row for i, row in enumerate(rows)]
    assert names("a,b", *half)[1:] == ("a", "b")


def test_a_row_with_half_of_its_numbers_is_not_the_first() -> None:
    assert table("a,b", "1.5,", *BODY).lines[0] == 2
    assert names("a,b", "x,2.5", *BODY) == ("a", "b")


@pytest.mark.parametrize("wanted", ["1" * 5000, "0", "3", "²"])
def test_a_column_that_is_not_there_is_a_sentence(wanted: str) -> None:
    with pytest.raises(DataError, match=r"The table has no column '.{1,40}'; there are: column 1, column 2") as refused:
        from_csv("\n".join(BODY).encode(), (wanted, "2"))
    assert len(str(refused.value)) < 120

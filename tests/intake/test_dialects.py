"""One table in every dialect reads back equal; a part of it that cannot be read is never lost in silence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gan_core.intake.dialects import dialect_of
from gan_core.intake.errors import DataError
from gan_core.intake.points import WhichColumns, from_csv
from gan_core.intake.text import MAX_LINE

ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
SPACES = {"": "", "space": " ", "nbsp": "\u00a0", "narrow": "\u202f"}


@dataclass(frozen=True)
class Written:
    """How a table is written."""

    encoding: str
    end: str
    delimiter: str
    decimal: str
    thousands: str
    minus: str
    quoted: bool
    header: bool
    units: bool
    comments: int
    sep: bool
    index: bool
    label: bool
    trailing: int
    blank_rows: int
    title: bool
    exponent: bool


@st.composite
def dialects(draw: st.DrawFn) -> Written:
    delimiter = draw(st.sampled_from([",", ";", "\t", " ", "|", " ; ", ", "]))
    decimal = draw(st.sampled_from(".,"))
    thousands = draw(st.sampled_from(["", ".", ",", "'", "\u2019", " ", "\u00a0", "\u202f"]))
    quoted = draw(st.booleans()) or (delimiter.strip() == "," and "," in (decimal, thousands))
    assume(thousands != decimal)
    assume(not (thousands.isspace() and delimiter == " "))
    encoding = draw(st.sampled_from(ENCODINGS))
    minus = draw(st.sampled_from("-\u2212"))
    narrow = {"\u2212", "\u202f"} & {minus, thousands}
    assume(not (encoding == "cp1252" and narrow))
    header = draw(st.booleans())
    return Written(
        encoding,
        draw(st.sampled_from(["\n", "\r\n", "\r"])) if encoding != "cp1252" else draw(st.sampled_from(["\n", "\r\n"])),
        delimiter,
        decimal,
        thousands,
        minus,
        quoted,
        header,
        header and draw(st.booleans()),
        draw(st.integers(0, 2)),
        draw(st.booleans()) and len(delimiter) == 1 and delimiter != " ",
        header and draw(st.booleans()),
        draw(st.booleans()),
        draw(st.integers(0, 2)) if delimiter != " " else 0,
        draw(st.integers(0, 2)),
        header and draw(st.booleans()),
        draw(st.booleans()) and not thousands,
    )


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    """Two columns with four decimals, of any place and size: what is written has one meaning."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.sampled_from([1, 30, 2_000, 4_000_000]))
    place = draw(st.sampled_from([0, 0, 5_000_000, -70_000]))
    points = rng.normal(0, size, (draw(st.integers(50, 70)), 2))
    return np.round(points + np.array([place, 0]), 4)


def number(value: float, how: Written) -> str:
    text = (
        f"{abs(value):.7e}"
        if how.exponent and abs(value) < 1e3 and float(f"{value:.7e}") == value
        else f"{abs(value):,.4f}"
    )
    text = text.replace(",", "\0").replace(".", how.decimal).replace("\0", how.thousands)
    text = (how.minus if value < 0 else "") + text
    return f'"{text}"' if how.quoted else text


def write(points: np.ndarray, how: Written) -> bytes:
    lines = []
    if how.sep:
        lines.append(f"sep={how.delimiter}")
    lines += ["# measured by hand, twice"] * how.comments
    width = 2 + how.index + how.label
    tail = how.delimiter.strip(" ") * how.trailing
    if how.title:
        lines += ["Messung", ""]
    if how.header:
        names = [*([""] if how.index else []), "width", "Länge", *(["side"] if how.label else [])]
        lines.append(how.delimiter.join(f'"{name}"' for name in names) + tail)
    if how.units:
        units = [*(["-"] if how.index else []), "mm", "µm", *(["-"] if how.label else [])]
        lines.append(how.delimiter.join(units) + tail)
    for row, pair in enumerate(points):
        cells = [number(value, how) for value in pair]
        cells = [
            *([str(row)] if how.index else []),
            *cells,
            *(["left" if pair[0] < pair[1] else "right"] if how.label else []),
        ]
        assert len(cells) == width
        lines.append(how.delimiter.join(cells) + tail)
    lines += [how.delimiter * (width - 1) if how.delimiter.strip() else ""] * how.blank_rows
    return (how.end.join(lines) + how.end).encode(how.encoding)


@settings(max_examples=150, deadline=None)
@given(tables(), dialects())
def test_a_table_reads_back_equal_in_every_dialect(points: np.ndarray, how: Written) -> None:
    found = from_csv(write(points, how))
    np.testing.assert_allclose(found.points, points, rtol=1e-12, atol=1e-9)
    assert found.problems == ()
    assert found.warnings == ()
    if how.header:
        assert [name.partition(" (")[0] for name in found.columns] == ["width", "Länge"]
    if how.units:
        assert found.columns == ("width (mm)", "Länge (µm)")


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["sign", "column", "end", "start", "tenth"]), st.sampled_from(",;\t|")
)
def test_a_biased_part_is_read_or_refused_with_its_first_row(seed: int, part: str, mark: str) -> None:
    rng = np.random.default_rng(seed)
    points = np.round(rng.normal(1.2, 1, (100, 2)), 3)
    hidden = {
        "sign": points < 0,
        "column": np.stack([np.zeros(100, bool), np.arange(100) % 20 == 3], axis=1),
        "end": np.stack([np.arange(100) > 92, np.arange(100) > 95], axis=1),
        "start": np.stack([np.arange(100) < 6, np.arange(100) < 4], axis=1),
        "tenth": rng.random((100, 2)) < 0.15,
    }[part]
    rows = [
        [f"{{{value}}}" if gone else f"{value}" for value, gone in zip(*pair, strict=True)]
        for pair in zip(points, hidden, strict=True)
    ]
    content = "\n".join(["x" + mark + "y", *(mark.join(row) for row in rows)])
    first = int(hidden.any(axis=1).argmax())
    cell = next(text for text in rows[first] if text.startswith("{"))
    with pytest.raises(DataError) as refused:
        from_csv(content.encode())
    assert f"line {first + 2}: {cell!r} is not a number" in str(refused.value)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_row_or_two_that_cannot_be_read_are_listed(rows: int) -> None:
    good = [f"{i},{i * i % 17}.5" for i in range(200)]
    found = from_csv("\n".join(["x,y", *good[:90], *["oops,1"] * rows, *good[90:]]).encode())
    assert len(found.points) == 200
    assert [problem.reason for problem in found.problems] == ["'oops' is not a number"] * rows


def test_many_rows_without_a_value_are_said_loudly() -> None:
    rows = [f"{i},{i % 7}" if i % 4 else f"{i},NA" for i in range(100)]
    found = from_csv("\n".join(["x,y", *rows]).encode())
    assert len(found.points) == 75
    assert found.warnings == ("25 of 100 rows have no value in one of the columns, and are left out.",)


def test_numbers_that_have_two_meanings_are_said_loudly() -> None:
    """1,234 is a number in two languages."""
    german = from_csv("\n".join(f"1,{100 + i}\t2,{900 - i}" for i in range(60)).encode())
    assert german.points[0].tolist() == [1.1, 2.9]
    assert "1,100 was taken to be 1.1" in german.warnings[0]
    whole = from_csv("\n".join(f"{i * 40:,}\t{900 - i}" for i in range(60)).encode())
    assert whole.points[-1].tolist() == [59 * 40, 841]


def test_two_columns_of_words_and_one_of_numbers_are_not_taken_for_one() -> None:
    lines = ["dog\tred\t8,6", "blue\tblue\t7,3", "dog\tred\t87,0", "dog\tred\t69,5", "red\tred\t15,0"]
    assert dialect_of(list(enumerate(lines, start=1)), "").delimiter == "\t", (
        "though a comma parts each line in two as well"
    )


def test_which_of_many_columns_is_asked_and_can_be_said() -> None:
    content = "\n".join(["time (s),x,y,kind", *(f"{i / 4},{i % 5},{-i},a" for i in range(60))]).encode()
    with pytest.raises(WhichColumns, match=r"3 columns of numbers: time \(s\), x, y\. Say which two"):
        from_csv(content)
    for wanted in (("x", "y"), ("2", "3"), ("X", "Y")):
        assert from_csv(content, wanted).points[7].tolist() == [2, -7]
    assert from_csv(content, ("y", "time")).columns == ("y", "time (s)")
    for wrong, said in (
        (("x", "z"), "no column 'z'; there are: time"),
        (("x", "x"), "two different"),
        (("x", "kind"), "no numbers"),
    ):
        with pytest.raises(DataError, match=said):
            from_csv(content, wrong)


def test_a_label_column_is_named_and_not_a_fault() -> None:
    rows = "\n".join(["x,y,class,side", *(f"{i / 3:.3f},{-i / 7:.3f},{i % 2},{'lr'[i % 2]}" for i in range(60))])
    found = from_csv(rows.encode())
    assert found.problems == ()
    assert "not used: class (2 labels), side (2 labels)" in found.notes


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 and so on", "workbook"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"%PDF-1.7", "PDF"),
        (b"\x00\x01\x02\x03" * 50, "not a text file"),
        (b"# only\n# comments\n", "only comments"),
        (b"1" * (MAX_LINE + 1), "Line 1 has more than"),
        (b",".join([b"1"] * 9000) + b"\n", "columns"),
        ((b",".join([b"1.5"] * 402) + b"\n") * 1000, "400,000 cells"),
        (b"\n\n  \n", "empty"),
    ],
)
def test_what_is_no_table_is_named(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        from_csv(content)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400) | st.text(alphabet="0123456789.,;\t\n\r\"'-+eE |#x()[]", max_size=600).map(str.encode))
def test_whatever_is_brought_is_a_sentence(content: bytes) -> None:
    with pytest.raises(DataError) as refused:
        from_csv(content)
    assert 0 < len(str(refused.value)) < 600

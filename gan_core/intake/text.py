"""From the bytes of a text file, as any program wrote them, to its lines."""

from __future__ import annotations

import codecs
import re

from gan_core.intake.errors import DataError

MAX_BYTES = 8 * 2**20
MAX_LINES = 100_000
MAX_LINE = 100_000  # characters
# What people call a table and is none; the first bytes tell.
FORMATS = (
    (b"PK\x03\x04", "a zip file or a workbook (xlsx, ods); save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (xls); save the sheet as CSV"),
    (b"\x1f\x8b", "packed with gzip; unpack it first"),
    (b"%PDF", "a PDF document; export the table as CSV"),
    (b"PAR1", "a Parquet file; export it as CSV"),
    (b"\x89HDF", "an HDF5 file; export the table as CSV"),
    (b"MATLAB 5.0", "a MATLAB file; export the table with writematrix"),
    (b"\x93NUMPY", "a NumPy array; export it with numpy.savetxt"),
    (b"SQLite format", "a SQLite database; export the table as CSV"),
    (b"$FL2", "an SPSS file; export the table as CSV"),
    (b"<stata_dta>", "a Stata file; export the table as CSV"),
)
MARKUP = re.compile(r"\s*<(!doctype|html|table|\?xml|div)\b", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"))
_WIDE_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NAMES = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "mac_roman": "Mac Roman",
}
_LINE_END = re.compile("\r*\n|\r|\u2028|\u2029")
_CONTROL = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f]")


def lines_of(content: bytes) -> tuple[list[str], str]:
    """The lines of a file, without their ends, and the name of its encoding.

    Raises DataError for a file that is too large, has too many lines, is empty, or is no text.
    """
    if len(content) > MAX_BYTES:
        raise DataError(f"The file has more than {MAX_BYTES // 2**20} MB.")
    if not content.strip():
        raise DataError("The file is empty.")
    for beginning, what in FORMATS:
        if content.startswith(beginning):
            raise DataError(f"This is not a text file but {what}.")
    ends = max(content.count(b"\n"), content.count(b"\r"))
    if ends > MAX_LINES:
        raise DataError(f"The file has more than {MAX_LINES:,} lines.")
    encoding = _encoding(content)
    try:
        text = content.decode(encoding, "replace" if encoding == "cp1252" else "strict")
    except UnicodeDecodeError:
        raise DataError(f"This is not a text file: it begins as one in {_NAMES[encoding]} and is damaged.") from None
    text = text.removeprefix("\ufeff").rstrip("\x1a")  # a mark of the byte order, and DOS's end of a file
    if _CONTROL.search(text):
        raise DataError("This is not a text file.")
    if MARKUP.match(text):
        raise DataError("This is a web page or XML, not a table of text; save the table as CSV.")
    lines = _LINE_END.split(text)
    long = next((number for number, line in enumerate(lines, start=1) if len(line) > MAX_LINE), None)
    if long is not None:
        raise DataError(f"Line {long:,} has more than {MAX_LINE:,} characters; this is not a table of numbers.")
    return lines, _NAMES[encoding]


def _encoding(content: bytes) -> str:
    """By its mark, else by where the zeros are, else UTF-8 if it is, else one of a byte per letter: digits are alike there."""
    for mark, name in (*_MARKS, *_WIDE_MARKS):
        if content.startswith(mark):
            return name
    if len(content) % 2 == 0:
        even, odd = content[0:2000:2].count(0), content[1:2000:2].count(0)
        half = min(len(content), 2000) // 2
        if odd > 0.7 * half:
            return "utf-16-le"
        if even > 0.7 * half:
            return "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        # Old Macs ended lines by CR alone, and had letters of their own.
        return "mac_roman" if b"\r" in content and b"\n" not in content else "cp1252"
    return "utf-8"

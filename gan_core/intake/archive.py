"""Reading a zip file that someone brought: no name in it becomes a path, and no size in it is believed.

The directory is checked before anything is unpacked: its length, the number of entries, entries that overlap (a 61 kB file
can hold 10 GB that way, CVE-2024-0450). What is unpacked is counted as it comes.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from gan_core.intake.decode import MAX_BYTES, Refusal
from gan_core.intake.errors import DataError

MAX_ARCHIVE = 1024 * 2**20
MAX_ENTRIES = 60_000
MAX_TOTAL = 4 * 2**30
MAX_RATIO = 200
RATIO_FROM = 2**20  # a small file may be mostly one colour
_END, _ENTRY = b"PK\x05\x06", b"PK\x01\x02"


def entries(file: IO[bytes]) -> list[zipfile.ZipInfo]:
    """The files in an archive, folders left out. Raises DataError if the archive is no zip, or is built to do harm."""
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            found = archive.infolist()
            start = archive.start_dir
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError, struct.error, OSError):
        raise DataError("This is not a zip file that can be read.") from None
    _refuse_overlap(found, start)
    files = [entry for entry in found if not entry.is_dir()]
    if sum(entry.file_size for entry in files) > MAX_TOTAL:
        raise DataError(f"The zip file unpacks to more than {MAX_TOTAL // 2**30} GB.")
    return files


def contents(file: IO[bytes], wanted: list[zipfile.ZipInfo]) -> Iterator[tuple[zipfile.ZipInfo, bytes | Refusal]]:
    """Each entry with its bytes, or with the reason why it is not read."""
    left = MAX_TOTAL
    with zipfile.ZipFile(file) as archive:
        for entry in wanted:
            try:
                content = read(archive, entry)
            except Refusal as refusal:
                yield entry, refusal
                continue
            left -= len(content)
            if left < 0:
                raise DataError(f"The zip file unpacks to more than {MAX_TOTAL // 2**30} GB.")
            yield entry, content


def read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of an entry that ``entries`` let pass. Raises Refusal with the reason why it is not read."""
    if entry.flag_bits & 0x1:
        raise Refusal("encrypted")
    # Only these two unpack no more at a time than is asked for.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refusal("packed by a method other than deflate")
    if entry.file_size > RATIO_FROM and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
        raise Refusal(f"unpacks to {entry.file_size // max(1, entry.compress_size):,} times its size")
    if (entry.external_attr >> 16) & 0o170000 == 0o120000:
        raise Refusal("a link, not a file")
    try:
        with archive.open(entry) as stream:
            content = stream.read(MAX_BYTES + 1)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        struct.error,
    ):
        raise Refusal("damaged inside the zip file") from None
    if len(content) > MAX_BYTES:
        raise Refusal(f"the file has more than {MAX_BYTES // 2**20} MB")
    return content


def _check_directory(file: IO[bytes]) -> None:
    """Count the entries before ``zipfile`` makes an object of each: a million of them would take half a gigabyte."""
    size = file.seek(0, 2)
    if size > MAX_ARCHIVE:
        raise DataError(f"The zip file has more than {MAX_ARCHIVE // 2**20:,} MB.")
    file.seek(max(0, size - 65_557))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise DataError("This is not a zip file that can be read.")
    length = struct.unpack_from("<I", tail, at + 12)[0]
    position = size - len(tail) + at
    if b"PK\x06\x06" in tail[max(0, at - 200) : at] or length == 0xFFFFFFFF:
        raise DataError("This is a zip file of the kind for more than 4 GB (zip64), which is not read.")
    if length > position or length > MAX_ENTRIES * 400:
        raise DataError("The directory of the zip file is damaged or too long.")
    file.seek(position - length)
    directory, offset, count = file.read(length), 0, 0
    while directory[offset : offset + 4] == _ENTRY and len(directory) - offset >= 46:
        offset += 46 + sum(struct.unpack_from("<HHH", directory, offset + 28))
        count += 1
        if count > MAX_ENTRIES:
            raise DataError(f"The zip file has more than {MAX_ENTRIES:,} entries; split it.")
    file.seek(0)


def _refuse_overlap(found: list[zipfile.ZipInfo], start: int) -> None:
    ordered = sorted(found, key=lambda entry: entry.header_offset)
    ends = [entry.header_offset for entry in ordered[1:]] + [start]
    for entry, end in zip(ordered, ends, strict=True):
        if entry.header_offset + 30 + len(entry.orig_filename) + entry.compress_size > end:
            raise DataError("Entries of the zip file overlap: it is built to unpack to more than it holds.")

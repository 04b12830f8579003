"""Reading a zip file that someone brought: no name in it becomes a path, and no size in it is believed.

The directory is checked before anything is unpacked: its length, the number of entries, entries that overlap (a 61 kB file
can hold 10 GB that way, CVE-2024-0450). What is unpacked is counted as it comes.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import IO

from gan_core.intake.decode import MAX_BYTES, Refusal
from gan_core.intake.errors import DataError
from gan_core.intake.names import names_in_zip

MAX_ARCHIVE = 1024 * 2**20
MAX_ENTRIES = 200_000  # with what lies beside pictures
MAX_TOTAL = 4 * 2**30
MAX_RATIO = 200
RATIO_FROM = 2**20  # a small file may be mostly one colour
_END, _END_64, _ENTRY = b"PK\x05\x06", b"PK\x06\x06", b"PK\x01\x02"
_SIZE_64 = 56 + 20  # of the end record of zip64 and its locator, which stand before the end record
_BLOCK = 2**20
_FOLDER = 0x10  # as MS-DOS marks one


def entries(file: IO[bytes], most: int = MAX_ENTRIES) -> list[zipfile.ZipInfo]:
    """The files in an archive, folders left out, ``/`` between the parts of each ``filename``, which is as it was typed.

    Raises DataError if the archive is no zip, or is built to do harm.
    """
    _check_directory(file, most)
    try:
        with zipfile.ZipFile(file) as archive:
            found = archive.infolist()
            start = archive.start_dir
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OSError):
        raise DataError("This is not a zip file that can be read.") from None
    _refuse_overlap(found, start)
    for entry, name in zip(found, names_in_zip(found), strict=True):
        entry.filename = name
    files = [entry for entry in found if not _is_folder(entry)]
    if sum(entry.file_size for entry in files) > MAX_TOTAL:
        raise DataError(f"The zip file unpacks to more than {MAX_TOTAL // 2**30} GB.")
    return files


def read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int = MAX_BYTES + 1) -> bytes:
    """The bytes of an entry that ``entries`` let pass, or its first ``most``. Raises Refusal: why it is not read."""
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
            content = stream.read(most)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        struct.error,
    ):
        raise Refusal("damaged inside the zip file") from None
    if len(content) > MAX_BYTES:
        raise Refusal(f"the file has more than {MAX_BYTES // 2**20} MB")
    return content


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith("/") or (entry.file_size == 0 and bool(entry.external_attr & _FOLDER))


def _check_directory(file: IO[bytes], most: int) -> None:
    """Count the entries before ``zipfile`` makes an object of each: a million of them would take half a gigabyte."""
    size = file.seek(0, 2)
    if size > MAX_ARCHIVE:
        raise DataError(f"The zip file has more than {MAX_ARCHIVE // 2**20:,} MB.")
    file.seek(max(0, size - 65_557 - _SIZE_64))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise DataError("This is not a zip file that can be read.")
    length = struct.unpack_from("<I", tail, at + 12)[0]
    if at >= _SIZE_64 and tail[at - _SIZE_64 :].startswith(_END_64):  # where the standard library looks too
        at -= _SIZE_64
        length = struct.unpack_from("<Q", tail, at + 40)[0]
    position = size - len(tail) + at
    if length > position or length > most * 400:
        raise DataError("The directory of the zip file is damaged or too long.")
    file.seek(position - length)
    if _count(file, length, most) > most:
        raise DataError(f"The zip file has more than {most:,} entries; split it.")


def _count(file: IO[bytes], length: int, most: int) -> int:
    """The entries of a directory that begins here, read in blocks; not further than to one more than ``most``."""
    held, left, count = b"", length, 0
    while count <= most:
        offset = 0
        while held[offset : offset + 4] == _ENTRY and len(held) - offset >= 46 and count <= most:
            entry = 46 + sum(struct.unpack_from("<HHH", held, offset + 28))
            if offset + entry > len(held):
                break
            offset, count = offset + entry, count + 1
        more = file.read(min(left, _BLOCK))
        if not more or len(held) > 2 * _BLOCK:  # no entry is so long
            break
        held, left = held[offset:] + more, left - len(more)
    return count


def _refuse_overlap(found: list[zipfile.ZipInfo], start: int) -> None:
    ordered = sorted(found, key=lambda entry: entry.header_offset)
    ends = [entry.header_offset for entry in ordered[1:]] + [start]
    for entry, end in zip(ordered, ends, strict=False):  # an empty zip file has an end all the same
        if entry.header_offset + 30 + len(entry.orig_filename) + entry.compress_size > end:
            raise DataError("Entries of the zip file overlap: it is built to unpack to more than it holds.")

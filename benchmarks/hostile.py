"""Builders of input that is meant to do harm, for the tests and for `bad_inputs.py`: nothing of it is kept in files."""

from __future__ import annotations

import copy
import io
import random
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from PIL import Image

HOSTILE = [
    "../../etc/passwd",
    "..\\..\\x",
    "/etc/passwd",
    "%2e%2e",
    "//proc/self/root",
    "C:\\x",
    "\\\\host\\share",
    "a\x00b",
    "x" * 10_000,
    "\u202eevil",
    "．．／",
    "<script>alert(1)</script>",
    "![](http://evil.example/x)",
    "[a](javascript:alert(1))",
    ":red[x]",
    "$\\frac{1}{0}$",
    "=cmd()",
    "💥" * 500,
    "\ud800",
    "'; DROP TABLE runs; --",
]

BAD_VALUES: list[Any] = [
    *(None, True, -1, 0, 2.5, 10**9, 10**30, 1e308, -0.0, float("nan"), float("inf")),
    *("", "1", "NaN", "1e999", [], {}, [[[]]], {"a": {"b": 1}}, [None] * 1000),
    *HOSTILE,
]


def altered(content: bytes, rng: random.Random) -> bytes:
    """A file that was damaged or tampered with at random places."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at, length = rng.randrange(len(data) + 1), rng.randint(1, 64)
        match rng.randrange(6):
            case 0 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 1:
                del data[at:]
            case 2:
                data[at:at] = rng.randbytes(length)
            case 3:
                data[at : at + length] = bytes(length)
            case 4:
                data[at:at] = data[at : at + length]
            case _:
                data[at : at + length] = rng.randbytes(length)
    return bytes(data)


def altered_value(node: Any, rng: random.Random) -> Any:
    """Nested dicts and lists with another value somewhere, a key too many, or one too few."""
    root = [copy.deepcopy(node)]
    holder: Any = root
    key: Any = 0
    while isinstance(holder[key], dict | list) and holder[key] and rng.random() < 0.85:
        holder = holder[key]
        key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
    what = rng.random()
    if isinstance(holder, dict) and what < 0.1:
        del holder[key]
    elif isinstance(holder, dict) and what < 0.2:
        holder[rng.choice(HOSTILE)] = rng.choice(BAD_VALUES)
    else:
        holder[key] = rng.choice(BAD_VALUES)
    return root[0]


def picture(
    seed: int = 0, size: tuple[int, int] = (20, 16), mode: str = "RGB", kind: str = "PNG", **extra: object
) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind, **extra)
    return file.getvalue()


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    file.seek(0)
    return file


def bomb(width: int, height: int) -> bytes:
    """A PNG of one colour whose header says it is huge, and which really is: a few kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = b"\0" * (min(width, 60_000) + 1)
    rows = b"".join(packer.compress(row) for _ in range(min(height, 2000))) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def overlapping(entries: int = 250, size: int = 2**22) -> io.BytesIO:
    """Many names for one and the same compressed stream: a small file that would unpack to a gigabyte."""
    packed = io.BytesIO(zipped({"a.png": b"\0" * size}).getvalue())
    content = packed.getvalue()
    end = content.rindex(b"PK\x05\x06")
    start = struct.unpack_from("<I", content, end + 16)[0]
    directory = content[start:end] * entries
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, entries, entries, len(directory), start, 0)
    return io.BytesIO(content[:start] + directory + tail)


def many_entries(n: int) -> io.BytesIO:
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *([0] * 16)) + b""
    directory = entry * n
    return io.BytesIO(directory + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0))


def lying(size: int, files: dict[str, bytes]) -> io.BytesIO:
    """The directory says that the first file has ``size`` bytes."""
    content = bytearray(zipped({"0.png": b"\0" * 10_000_000} | files).getvalue())
    at = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, at + 24, size)
    return io.BytesIO(bytes(content))

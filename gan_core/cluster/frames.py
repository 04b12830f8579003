"""Frames in a pipe: how much comes, a value as JSON, and bytes as they are. What is inside the bytes is not looked at."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

HEADER = struct.Struct(">IQ")  # bytes of JSON, bytes behind it
MOST_BYTES = 2**28  # of each: what is larger was not sent by us


def pack(word: dict[str, Any], blob: bytes = b"") -> bytes:
    """One frame."""
    text = json.dumps(word, separators=(",", ":")).encode()
    return HEADER.pack(len(text), len(blob)) + text + blob


def read(stream: IO[bytes]) -> tuple[Any, bytes]:
    """The next frame: its value and its bytes. Raises EOFError at the end, ValueError for what cannot have been sent."""
    header, text, blob = read_raw(stream)
    del header
    return json.loads(text), blob


def read_raw(stream: IO[bytes]) -> tuple[bytes, bytes, bytes]:
    """The next frame as it came: header, JSON and bytes. Raises as ``read``."""
    header = exactly(stream, HEADER.size)
    size, behind = HEADER.unpack(header)
    if max(size, behind) > MOST_BYTES:
        raise ValueError("a message without end")
    return header, exactly(stream, size), exactly(stream, behind)


def exactly(stream: IO[bytes], size: int) -> bytes:
    """So many bytes. Raises EOFError where there are fewer."""
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data

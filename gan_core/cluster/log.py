"""What a run on a node has said, until the server has it, and long enough that another server can take the run over."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

BATCH_BYTES = 8 * 2**20  # of one answer
CHUNK_BYTES = 8 * 2**20  # of a file in one entry
MOST_BYTES = 128 * 2**20  # in memory: above it, pictures go, never a row
CHECKPOINTS_BACK = 2  # the log reaches back to this many checkpoints that the server has


@dataclass
class Entry:
    """``data`` says what it is, and when it was said (``at``, by the clock of its node). Its bytes are ``blob``, or ``size``
    bytes of an open file from ``offset`` on."""

    seq: int
    data: dict[str, Any]
    blob: bytes = b""
    file: _Open | None = None
    offset: int = 0
    size: int = 0
    checkpoint: int | None = None  # the round whose checkpoint is whole when this has been heard

    def content(self) -> bytes:
        return self.blob if self.file is None else os.pread(self.file.handle, self.size, self.offset)


@dataclass
class _Open:
    """A file that is read later: it may lose its name before, which an open handle outlives."""

    handle: int

    def __del__(self) -> None:
        os.close(self.handle)


@dataclass
class Log:
    """Numbered entries from 1 on. Written by one thread, read by others."""

    _entries: deque[Entry] = field(default_factory=deque)
    _last: int = 0
    _bytes: int = 0
    _heard: int = 0
    _base: int = 0  # the entry before the first that is kept
    begins: dict[int, int] = field(default_factory=dict)  # of rounds with a checkpoint: the entry that told of it
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def append(self, data: dict[str, Any], blob: bytes = b"", checkpoint: int | None = None) -> None:
        with self._changed:
            self._add(Entry(0, data, blob, checkpoint=checkpoint))
            self._make_room()

    def append_file(self, data: dict[str, Any], path: str) -> None:
        """A file as it is now, in pieces. Nothing where it is gone already: a newer one has taken its place."""
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return
        opened = _Open(handle)
        total = os.fstat(handle).st_size
        with self._changed:
            for offset in range(0, max(total, 1), CHUNK_BYTES):
                size = min(CHUNK_BYTES, total - offset)
                told = {**data, "offset": offset, "total": total}
                self._add(Entry(0, told, file=opened, offset=offset, size=size))

    def after(self, seq: int, wait: float) -> list[tuple[int, dict[str, Any], bytes]]:
        """The entries behind ``seq``, about ``BATCH_BYTES`` of them; waits so many seconds where there are none."""
        deadline = time.monotonic() + wait
        with self._changed:
            while self._last <= seq and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            told: list[tuple[int, dict[str, Any], bytes]] = []
            size = 0
            for entry in self._entries:
                if entry.seq <= seq:
                    continue
                if told and size + entry.size > BATCH_BYTES:
                    break
                told.append((entry.seq, entry.data, entry.content()))
                size += entry.size
            return told

    def heard(self, seq: int) -> None:
        """The server has all up to ``seq``: what lies before its last checkpoints is not asked for again."""
        with self._changed:
            self._heard = max(self._heard, seq)
            known = sorted(begin for begin in self.begins.values() if begin <= self._heard)
            if len(known) >= CHECKPOINTS_BACK:
                self._drop_to(known[-CHECKPOINTS_BACK])

    def reaches_back_to(self, round: int) -> tuple[int, int] | None:
        """The entry that told of the checkpoint of ``round``, and the last that a server has heard; None where the log does not
        hold all that came after."""
        with self._changed:
            begin = self.begins.get(round)
            return None if begin is None or begin < self._base else (begin, self._heard)

    def _add(self, entry: Entry) -> None:
        self._last += 1
        entry.seq = self._last
        entry.data["at"] = time.time()
        entry.size = entry.size or len(entry.blob)
        self._bytes += len(entry.blob)
        if entry.checkpoint is not None:
            self.begins[entry.checkpoint] = entry.seq
        self._entries.append(entry)
        self._changed.notify_all()

    def _make_room(self) -> None:
        """First what the server has goes, then pictures that it will not see: the rows of a run stay."""
        if self._bytes <= MOST_BYTES:
            return
        self._drop_to(self._heard)
        for entry in self._entries:
            if self._bytes <= MOST_BYTES:
                return
            if entry.data.get("kind") == "Sight":
                self._bytes -= len(entry.blob)
                entry.blob, entry.size, entry.data = b"", 0, {"what": "dropped", "at": entry.data["at"]}

    def _drop_to(self, seq: int) -> None:
        while self._entries and self._entries[0].seq <= seq:
            self._bytes -= len(self._entries.popleft().blob)
        self._base = max(self._base, seq)
        self.begins = {round: begin for round, begin in self.begins.items() if begin >= self._base}

"""Curves as TensorBoard's event files: records of protocol buffers (``tensorflow.Event``), each with its CRC-32C.

Written by hand, for the format is small and has not changed since 2015, and the package is not.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from gan_core.engine.comparing.variants import look_up
from gan_core.intake.pictures import plain
from gan_core.store import RunStore, StoreError, TrackData

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, its bits turned round
_DELTA = 0xA282EAD8
_MASK = (1 << 32) - 1


def event_files(store: RunStore, wanted: str) -> dict[str, bytes]:
    """A file per run, by the path that TensorBoard calls it by: of a comparison ``<variant>/seed <seed>/…``.

    A curve has the tag ``<track>/<column>``, its step is the round, its time that of the training clock. What was not
    measured is left out. Raises RunNotFound, and StoreError where nothing was recorded.
    """
    comparison, run_ids = look_up(store, wanted)
    if comparison is None:
        places = {run_ids[0]: plain(store.run(run_ids[0]).name, 60) or run_ids[0]}
    else:
        variants = list(dict.fromkeys(member.variant for member in comparison.members))
        folders = {variant: plain(variant, 60) or f"variant {n}" for n, variant in enumerate(variants, start=1)}
        if len(set(folders.values())) < len(folders):
            folders = {variant: f"{n} {folders[variant]}" for n, variant in enumerate(variants, start=1)}
        places = {member.run: f"{folders[member.variant]}/seed {member.seed}" for member in comparison.members}
    files = {}
    for run_id, place in places.items():
        run = store.run(run_id)
        tracks = {name: store.track(run_id, name) for name in store.track_names(run_id)}
        if tracks:
            begun = run.started_at or run.created_at
            files[f"{place}/events.out.tfevents.{int(begun):010d}.{run_id}"] = events(tracks, begun)
    if not files:
        raise StoreError("Nothing was recorded yet, so there is nothing to write.")
    return files


def events(tracks: Mapping[str, TrackData], begun: float) -> bytes:
    """One event file. ``begun`` is the Unix time at which training began."""
    head = b"\x09" + struct.pack("<d", begun) + _field(0x1A, b"brain.Event:2")
    parts = [_records(np.frombuffer(head, np.uint8)[None])]
    clock = tracks.get("turns")
    for name, track in tracks.items():
        times = np.full(len(track), begun)
        if clock is not None and "seconds" in clock.columns and len(clock):
            times += np.interp(track.rounds, clock.rounds, np.nan_to_num(clock.column("seconds").astype(float)))
        shown = [column for column in track.columns if column != "seconds" and not np.isnan(track.column(column)).all()]
        # Records of one length are made together: those with the same columns measured, and steps of as many bytes.
        values = np.stack([track.column(column) for column in shown], 1) if shown else np.empty((len(track), 0))
        size = np.array([len(_varint(round)) for round in track.rounds.tolist()])
        layout = np.concatenate([size[:, None], ~np.isnan(values)], 1)
        edges = np.flatnonzero((layout[1:] != layout[:-1]).any(1)) + 1
        for rows in np.split(np.arange(len(track)), edges):
            measured = [index for index in range(len(shown)) if len(rows) and layout[rows[0], 1 + index]]
            if measured:
                tags = [f"{name}/{shown[index]}" for index in measured]
                parts.append(_scalars(tags, track.rounds[rows], values[rows][:, measured], times[rows]))
    return b"".join(parts)


def crc32c(rows: np.ndarray) -> np.ndarray:
    """CRC-32C (RFC 3720) of each row of ``rows`` uint8 (n, length): uint32 (n,)."""
    crc = np.full(len(rows), _MASK, np.uint32)
    for column in np.ascontiguousarray(rows.T):
        crc = _TABLE[(crc ^ column) & 0xFF] ^ (crc >> np.uint32(8))
    return crc ^ np.uint32(_MASK)


def _table() -> np.ndarray:
    crc = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crc = np.where(crc & 1, (crc >> 1) ^ np.uint32(_POLYNOMIAL), crc >> 1).astype(np.uint32)
    return crc


_TABLE = _table()


def _scalars(tags: list[str], rounds: np.ndarray, values: np.ndarray, times: np.ndarray) -> bytes:
    """An event per round, with a value per tag; all rounds have steps of as many bytes."""
    steps = [_varint(round) for round in rounds.tolist()]
    summary, places = b"", []
    for tag in tags:
        value = _field(0x0A, tag.encode()) + b"\x15"  # the number itself comes into the four bytes after it
        summary += b"\x0a" + _varint(len(value) + 4) + value + bytes(4)
        places.append(len(summary) - 4)
    before = b"\x09" + bytes(8) + b"\x10" + steps[0] + b"\x2a" + _varint(len(summary))
    rows = np.tile(np.frombuffer(before + summary, np.uint8), (len(steps), 1))
    rows[:, 1:9] = times.astype("<f8")[:, None].view(np.uint8)
    rows[:, 10 : 10 + len(steps[0])] = np.frombuffer(b"".join(steps), np.uint8).reshape(len(steps), -1)
    for index, place in enumerate(places):
        start = len(before) + place
        rows[:, start : start + 4] = np.ascontiguousarray(values[:, index], "<f4")[:, None].view(np.uint8)
    return _records(rows)


def _records(rows: np.ndarray) -> bytes:
    """Rows of bytes, uint8 (n, length), as n records: length, its checksum, the bytes, their checksum."""
    length = np.frombuffer(struct.pack("<Q", rows.shape[1]), np.uint8)
    head = np.concatenate([length, _masked(length[None])[0]])
    return np.concatenate([np.tile(head, (len(rows), 1)), rows, _masked(rows)], 1).tobytes()


def _masked(rows: np.ndarray) -> Any:
    """The checksum of each row as TensorFlow writes it, turned and moved: uint8 (n, 4)."""
    crc = crc32c(rows).astype(np.uint64)
    turned = ((crc >> np.uint64(15)) | (crc << np.uint64(17))) & np.uint64(_MASK)
    return ((turned + np.uint64(_DELTA)) & np.uint64(_MASK)).astype("<u4")[:, None].view(np.uint8)


def _field(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    made = bytearray()
    while True:
        made.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(made)

"""Event files: read back by protobuf itself, from the message definitions that TensorFlow published."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from gan_core.engine.exchange.tensorboard import crc32c, event_files, events
from gan_core.store import Member, RunStore, StoreError, TrackData

BITS = [1, 200, 70_000, 2_000_000_000_000]  # rounds of one, two, three and six bytes


def event_class() -> Any:
    """``tensorflow.Event`` as far as scalars need it (tensorflow/core/util/event.proto and framework/summary.proto)."""
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="tf", syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto

    def message(name: str, *fields: tuple[str, int, int, str]) -> None:
        made = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            label = kinds.LABEL_REPEATED if of and field == "value" else kinds.LABEL_OPTIONAL
            made.field.add(name=field, number=number, type=kind, label=label, type_name=f".tf.{of}" if of else None)

    message("Value", ("tag", 1, kinds.TYPE_STRING, ""), ("simple_value", 2, kinds.TYPE_FLOAT, ""))
    message("Summary", ("value", 1, kinds.TYPE_MESSAGE, "Value"))
    message(
        "Event",
        ("wall_time", 1, kinds.TYPE_DOUBLE, ""),
        ("step", 2, kinds.TYPE_INT64, ""),
        ("file_version", 3, kinds.TYPE_STRING, ""),
        ("summary", 5, kinds.TYPE_MESSAGE, "Summary"),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tf.Event"))


def slow_crc(data: bytes) -> int:
    """Bit by bit, as RFC 3720 defines it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unmasked(crc: int) -> int:
    turned = (crc - 0xA282EAD8) & 0xFFFFFFFF
    return (turned >> 17 | turned << 15) & 0xFFFFFFFF


def parsed(data: bytes) -> list[Any]:
    event, found, at = event_class(), [], 0
    while at < len(data):
        (length, head) = struct.unpack_from("<QI", data, at)
        assert unmasked(head) == slow_crc(data[at : at + 8])
        body = data[at + 12 : at + 12 + length]
        assert unmasked(struct.unpack_from("<I", data, at + 12 + length)[0]) == slow_crc(body)
        found.append(event.FromString(body))
        at += 16 + length
    return found


def test_the_checksum_is_that_of_the_standard() -> None:
    assert crc32c(np.frombuffer(b"123456789", np.uint8)[None]).tolist() == [0xE3069283]
    assert crc32c(np.zeros((2, 32), np.uint8)).tolist() == [0x8A9136AA] * 2  # RFC 3720, B.4


def test_every_number_is_where_it_was() -> None:
    values = np.array([[0.1, np.nan], [np.inf, 2], [-0.0, 3], [4, 5]], np.float32)
    turns = TrackData(
        np.array(BITS), np.column_stack([values, [1, 2, 3, 4]]).astype(np.float32), ("D.loss", "ü", "seconds")
    )
    first, *rest = parsed(events({"turns": turns}, 1000.5))
    assert (first.file_version, first.wall_time) == ("brain.Event:2", 1000.5)
    assert [event.step for event in rest] == BITS
    assert [event.wall_time for event in rest] == [1001.5, 1002.5, 1003.5, 1004.5]
    told = [{value.tag: value.simple_value for value in event.summary.value} for event in rest]
    assert told[0] == {"turns/D.loss": pytest.approx(0.1)}  # what was not measured is not there
    assert told[1] == {"turns/D.loss": np.inf, "turns/ü": 2}
    assert [entry["turns/ü"] for entry in told[1:]] == [2, 3, 5]


def test_a_comparison_is_a_folder_per_variant_and_seed(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        for run in ("a", "b", "c"):
            store.create(run, name=f"run/../{run}", config={})
        store.create_comparison(
            "duel", name="", spec={}, members=[Member("a", "../x", 0), Member("b", "x", 1), Member("c", "y", 0)]
        )
        with pytest.raises(StoreError, match="Nothing was recorded"):
            event_files(store, "duel")
        for run in ("a", "b"):
            store.append(run, "turns", ["D.loss"], np.array([1]), np.array([[0.5]], np.float32))
        store.flush()
        assert [path.rpartition("/")[0] for path in event_files(store, "duel")] == ["1 x/seed 0", "2 x/seed 1"]
        assert [path.rpartition("/")[0] for path in event_files(store, "a")] == ["run a"]

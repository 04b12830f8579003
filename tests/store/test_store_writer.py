"""The writer thread: order, grouping, refusals, and a disk that is full or a database that is locked."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import until

from gan_core.failpoints import armed
from gan_core.store import StoreError
from gan_core.store.writer import Writer


class Bench:
    """A writer on a small table, a second connection to look and to meddle, and a disk that can be made full."""

    def __init__(self, path: Path, **settings: float) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.05)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("CREATE TABLE notes (text UNIQUE)")
        self.other = sqlite3.connect(path, isolation_level=None, timeout=5)
        self.writer = Writer(self.connection, **settings)  # type: ignore[arg-type]

    def add(self, text: str) -> None:
        self.writer.submit(lambda connection: self.insert(connection, text), size=len(text))

    def add_and_wait(self, text: str, timeout: float = 5) -> None:
        self.writer.call(lambda connection: self.insert(connection, text), timeout)

    def notes(self) -> list[str]:
        return [text for (text,) in self.other.execute("SELECT text FROM notes ORDER BY rowid")]

    def fill_disk(self) -> None:
        self.connection.execute("PRAGMA max_page_count = 1")  # SQLite rounds up to the present size

    def free_disk(self) -> None:
        self.connection.execute("PRAGMA max_page_count = 1000000")

    @staticmethod
    def insert(connection: sqlite3.Connection, text: str) -> None:
        connection.execute("INSERT INTO notes VALUES (?)", (text,))


BIG = "x" * 20_000  # more than a page, so that a full disk is felt


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "db", group_seconds=0.05, max_bytes=200_000)
    yield bench
    bench.free_disk()
    bench.writer.close()
    bench.other.close()


def test_writes_are_applied_in_order(bench: Bench) -> None:
    for k in range(200):
        bench.add(f"{k}")
    bench.add_and_wait("last")
    assert bench.notes() == [*map(str, range(200)), "last"]


def test_what_nobody_waits_for_is_committed_soon(bench: Bench) -> None:
    bench.add("a")
    while not bench.notes():  # its own group, not the next caller, commits it
        time.sleep(0.01)
    assert bench.notes() == ["a"]


def test_writes_are_grouped_but_a_waiting_caller_is_not_held_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "db", group_seconds=60)
    begun: list[str] = []
    bench.connection.set_trace_callback(lambda sql: begun.append(sql) if sql.startswith("BEGIN") else None)
    for k in range(5):
        bench.add(f"{k}")
        time.sleep(0.02)  # nothing may happen meanwhile
    assert begun == []
    bench.add_and_wait("now")
    assert len(bench.notes()) == 6
    assert len(begun) == 1
    bench.writer.close()
    bench.other.close()


def test_call_returns_the_value(bench: Bench) -> None:
    assert bench.writer.call(lambda connection: connection.execute("SELECT 6 * 7").fetchone()[0]) == 42


def test_a_refused_write_is_undone_alone(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def half(connection: sqlite3.Connection) -> None:
        Bench.insert(connection, "half")
        raise ValueError("changed my mind")

    bench.add("a")
    bench.writer.submit(half)
    bench.add("a")  # breaks the constraint
    bench.add("b")
    with pytest.raises(ValueError, match="changed my mind"):
        bench.writer.call(half)
    with pytest.raises(sqlite3.IntegrityError):
        bench.add_and_wait("b")
    assert bench.notes() == ["a", "b"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert bench.writer.problem is None


def test_a_full_disk_loses_nothing_and_keeps_no_half_record(bench: Bench) -> None:
    bench.add_and_wait("before")
    bench.fill_disk()
    for k in range(5):
        bench.add(f"{k}{BIG}")
    with pytest.raises(StoreError, match=r"^The store cannot be written: .*full\.$"):
        bench.add_and_wait("waited for" + BIG)
    assert bench.writer.problem is not None
    assert bench.notes() == ["before"]
    bench.free_disk()
    bench.add_and_wait("after")
    assert bench.notes() == ["before", *(f"{k}{BIG}" for k in range(5)), "after"]
    assert bench.writer.problem is None


@pytest.mark.parametrize("place", ["store.write", "store.before_commit"])
@pytest.mark.parametrize("fault", ["enospc", "eio", "emfile", "eacces", "enomem"])
def test_an_error_of_the_system_loses_nothing_and_ends_no_thread(place: str, fault: str, bench: Bench) -> None:
    bench.add("kept")
    with armed(f"{place}={fault}"):
        with pytest.raises(StoreError, match=r"^The store cannot be written: [A-Z][\w /]+\.$"):
            bench.add_and_wait("dropped")
        assert bench.notes() == []
        assert bench.writer.problem is not None
    bench.add_and_wait("after")
    assert bench.notes() == ["kept", "after"]
    assert bench.writer.problem is None


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (MemoryError(), "out of memory"),  # which SQLite says without a word
        (sqlite3.DatabaseError("database disk image is malformed"), "database disk image is malformed"),
        (sqlite3.OperationalError("disk I/O error"), "disk I/O error"),
    ],
)
def test_a_failure_of_the_storage_amid_a_write_is_no_refusal_of_it(failure: Exception, said: str, bench: Bench) -> None:
    times = iter([True, False])

    def scarce(connection: sqlite3.Connection) -> None:
        Bench.insert(connection, "half")
        if next(times):
            raise failure
        Bench.insert(connection, "whole")

    bench.writer.submit(scarce)
    with pytest.raises(StoreError, match=rf"^The store cannot be written: {said}\.$"):
        bench.add_and_wait("dropped")
    bench.add_and_wait("after")
    assert bench.notes() == ["half", "whole", "after"]


def test_one_trouble_is_logged_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    for place, fault in (("store.write", "eio"), ("store.write", "eio"), ("store.before_commit", "enospc")):
        with armed(f"{place}={fault}"), pytest.raises(StoreError):
            bench.add_and_wait("a")
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == [
        "The store cannot be written: Input/output error.",
        "The store cannot be written: No space left on device.",
    ]


def test_a_rollback_that_fails_too_ends_no_thread(tmp_path: Path) -> None:
    class Stubborn(sqlite3.Connection):
        def rollback(self) -> None:
            super().rollback()
            raise sqlite3.OperationalError("disk I/O error")

    connection = sqlite3.connect(tmp_path / "db", isolation_level=None, check_same_thread=False, factory=Stubborn)
    connection.execute("CREATE TABLE notes (text UNIQUE)")
    writer = Writer(connection)
    with armed("store.write=enospc"), pytest.raises(StoreError, match="No space left"):
        writer.call(lambda connection: None)
    assert writer.call(lambda connection: 42) == 42
    writer.close()


def test_a_writer_that_waits_when_the_store_closes_is_told_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "db", max_bytes=200_000)
    gate, told = threading.Event(), []
    bench.writer.submit(lambda connection: gate.wait(30), size=200_000)

    def patient() -> None:
        with pytest.raises(StoreError) as refused:
            bench.add("a")
        told.append(str(refused.value))

    waiting = threading.Thread(target=patient)
    waiting.start()
    closing = threading.Thread(target=bench.writer.close)
    closing.start()
    waiting.join(30)
    gate.set()
    closing.join(30)
    bench.other.close()
    assert told == ["The store is closed."]


def test_who_waits_for_room_goes_on_once_there_is_some(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "db", max_bytes=200_000)
    gate = threading.Event()
    bench.writer.submit(lambda connection: gate.wait(30), size=200_000)
    waiting = threading.Thread(target=bench.add, args=["a"])
    waiting.start()
    until(lambda: bench.writer._changed._waiters, "it waits")  # type: ignore[attr-defined]
    gate.set()
    waiting.join(30)
    went_on = not waiting.is_alive()
    bench.writer.close()
    assert went_on, "and nobody else had anything to write"
    assert bench.notes() == ["a"]
    bench.other.close()


def test_what_is_held_in_memory_may_be_the_bound_and_no_byte_more(bench: Bench) -> None:
    with armed("store.write=enospc"):
        bench.add("a" * 100_000)
        with pytest.raises(StoreError):
            bench.add_and_wait("b")
        bench.add("c" * 100_000)
        with pytest.raises(StoreError, match="No more can be held in memory"):
            bench.add("d")
    bench.add_and_wait("e")
    assert [note[0] for note in bench.notes()] == ["a", "c", "e"]


def test_while_the_disk_is_full_memory_is_bounded(bench: Bench) -> None:
    bench.fill_disk()
    bench.add(BIG)
    with pytest.raises(StoreError):
        bench.writer.call(lambda connection: None)
    for k in range(8):
        bench.add(f"{k}{BIG}")
    with pytest.raises(StoreError, match="No more can be held in memory"):
        bench.add("the tenth" + BIG)
    bench.free_disk()
    bench.writer.call(lambda connection: None)
    assert bench.notes() == [BIG, *(f"{k}{BIG}" for k in range(8))]
    bench.add_and_wait("room again")


def test_one_write_that_is_larger_than_the_bound_is_taken(bench: Bench) -> None:
    bench.add("x" * 300_000)
    bench.add_and_wait("y")
    assert [note[0] for note in bench.notes()] == ["x", "y"]


def test_a_healthy_writer_that_is_behind_makes_the_caller_wait_not_fail(bench: Bench) -> None:
    gate = threading.Event()
    bench.writer.submit(lambda connection: gate.wait(60), size=200_000)
    threading.Timer(0.2, gate.set).start()
    start = time.monotonic()
    bench.add("patient")
    assert time.monotonic() - start > 0.1
    bench.writer.call(lambda connection: None)
    assert bench.notes() == ["patient"]


def test_a_lock_held_by_another_process_delays_but_loses_nothing(bench: Bench) -> None:
    bench.other.execute("BEGIN IMMEDIATE")
    bench.add("a")
    with pytest.raises(StoreError, match="locked"):
        bench.add_and_wait("b")
    bench.other.execute("COMMIT")
    bench.add_and_wait("c")
    assert bench.notes() == ["a", "c"]


def test_a_call_that_times_out_was_not_done_and_will_not_be(bench: Bench) -> None:
    gate = threading.Event()
    bench.writer.submit(lambda connection: gate.wait(60))
    with pytest.raises(StoreError, match=r"did not answer within 0\.2 s"):
        bench.add_and_wait("a", timeout=0.2)
    gate.set()
    bench.add_and_wait("b")
    assert bench.notes() == ["b"]


def test_a_call_given_up_before_the_storage_fails_does_not_end_the_thread(bench: Bench) -> None:
    gate, begun = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        begun.set()
        gate.wait(60)

    bench.writer.submit(hold)
    begun.wait(60)
    with pytest.raises(StoreError, match="did not answer"):
        bench.add_and_wait("a", timeout=0.05)
    bench.add(BIG)
    bench.fill_disk()
    gate.set()
    with pytest.raises(StoreError, match="full"):
        bench.writer.call(lambda connection: None)
    bench.free_disk()
    bench.writer.call(lambda connection: None)
    assert bench.notes() == [BIG]


def test_close_makes_a_last_attempt(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "db", group_seconds=60)
    bench.add("a")
    bench.writer.close()
    assert bench.notes() == ["a"]
    with pytest.raises(StoreError, match="closed"):
        bench.add("b")
    bench.other.close()


def test_a_writer_that_waits_when_the_storage_begins_to_fail_is_told_so(bench: Bench) -> None:
    gate, told = threading.Event(), []

    def fails(connection: sqlite3.Connection) -> None:
        gate.wait(30)
        raise sqlite3.OperationalError("disk I/O error")

    def patient() -> None:
        with pytest.raises(StoreError) as refused:
            bench.add("a")
        told.append(str(refused.value))

    bench.writer.submit(fails, size=200_000)
    while bench.writer._queue:  # until it is being written
        time.sleep(0.01)
    waiting = threading.Thread(target=patient, daemon=True)
    waiting.start()
    while not bench.writer._changed._waiters:  # type: ignore[attr-defined]
        time.sleep(0.01)
    gate.set()
    waiting.join(10)
    assert told == ["The store cannot be written: disk I/O error. No more can be held in memory."]


def test_closing_gives_the_connection_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "db")
    bench.writer.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        bench.connection.execute("SELECT 1")
    bench.other.close()


def test_no_write_of_a_group_leaves_its_savepoint_open(tmp_path: Path) -> None:
    def release_twice(connection: sqlite3.Connection) -> None:
        connection.execute("RELEASE one_write")  # its own
        connection.execute("RELEASE one_write")

    bench = Bench(tmp_path / "db", group_seconds=60)
    for text in ("a", "a", "b"):
        bench.add(text)
    with pytest.raises(StoreError, match="no such savepoint"):
        bench.writer.call(release_twice)
    bench.add_and_wait("c")
    assert bench.notes() == ["a", "b", "c"]
    bench.writer.close()
    bench.other.close()

"""Connections that read: what fails is a sentence, and none outlives what it was opened for."""

from __future__ import annotations

import errno
import sqlite3

import pytest

from gan_core.failpoints import armed
from gan_core.store import RunStore, StoreError


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (sqlite3.DatabaseError("database disk image is malformed"), "database disk image is malformed"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (MemoryError(), "out of memory"),
    ],
)
def test_whatever_fails_amid_reading_is_a_sentence(failure: Exception, why: str, store: RunStore) -> None:
    with pytest.raises(StoreError) as told, store._readers.lend():
        raise failure
    assert str(told.value) == f"The store {store.root / 'ganscope.db'} cannot be read: {why}."
    assert store.runs() == [], "and the next reader gets an answer"


def test_without_a_handle_left_reading_is_a_sentence_and_goes_on_later(store: RunStore, run: str) -> None:
    with RunStore(store.root) as other:
        with armed("store.read=emfile"), pytest.raises(StoreError, match=r"cannot be read: Too many open files\.$"):
            other.runs()
        assert [one.id for one in other.runs()] == [run]


def is_closed(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


def test_a_connection_that_is_lent_while_the_store_closes_is_closed_on_return(store: RunStore) -> None:
    with store._readers.lend() as lent:
        store.close()
        assert lent.execute("SELECT count(*) FROM runs").fetchone()[0] == 0
    assert is_closed(lent)


def test_after_looking_anew_no_connection_of_before_is_used(store: RunStore) -> None:
    """One that was opened on a file that could not change would not see that it does."""
    readers = store._readers
    with readers.lend() as idle:
        pass
    with readers.lend() as reused:
        assert reused is idle
        with readers.lend() as other:
            pass
        readers.look_anew()
        assert is_closed(other)
    assert is_closed(idle)
    with readers.lend() as fresh:
        assert fresh.execute("SELECT count(*) FROM runs").fetchone()[0] == 0

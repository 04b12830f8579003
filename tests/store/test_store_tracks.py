"""Curves: bit for bit, aligned by name, the same before and after compaction, small and fast."""

from __future__ import annotations

import itertools
import sqlite3
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from gan_core.store import RunStore, StoreError, TrackData

COLUMNS = [f"column {i}" for i in range(12)]


def chunk_rows(store: RunStore) -> list[int]:
    with sqlite3.connect(store.root / "ganscope.db") as connection:
        rows = [row for (row,) in connection.execute("SELECT rows FROM chunks ORDER BY id")]
    connection.close()
    return rows


def same(a: TrackData, b: TrackData) -> bool:
    return a.columns == b.columns and np.array_equal(a.rounds, b.rounds) and a.values.tobytes() == b.values.tobytes()


def test_numbers_survive_bit_for_bit(store: RunStore, run: str) -> None:
    bits = np.array(
        [0x7FC00000, 0xFFC12345, 0x7F800000, 0xFF800000, 0x80000000, 0x00000001, 0x7F7FFFFF, 0x3F800000], np.uint32
    )
    store.append(run, "turns", ["a", "b"], np.arange(4), bits.view(np.float32).reshape(4, 2))
    store.flush()
    data = store.track(run)
    assert data.values.dtype == np.float32
    assert np.array_equal(np.ascontiguousarray(data.values).view(np.uint32).ravel(), bits)


@pytest.mark.parametrize(
    "rounds",
    [[5], [5, 9], [0, 1], [0, 1, 2, 3], [10, 60, 110, 160], [0, 1, 3], [7, 7, 7], [3, 2, 1], [0, 2**40, 2**62]],
)
def test_rounds_survive_regular_or_not(store: RunStore, run: str, rounds: list[int]) -> None:
    store.append(run, "turns", ["a"], np.array(rounds), np.zeros((len(rounds), 1)))
    store.flush()
    data = store.track(run)
    assert data.rounds.dtype == np.int64
    assert data.rounds.tolist() == rounds


def test_the_caller_may_reuse_its_arrays(store: RunStore, run: str) -> None:
    rounds, values = np.arange(3), np.ones((3, 1), np.float32)
    store.append(run, "turns", ["a"], rounds, values)
    rounds[:], values[:] = -1, -1
    store.flush()
    data = store.track(run)
    assert (data.rounds.tolist(), data.column("a").tolist()) == ([0, 1, 2], [1, 1, 1])


def test_columns_may_grow_and_are_aligned_by_name(store: RunStore, run: str) -> None:
    store.append(run, "turns", ["a", "b"], np.array([0, 1]), np.array([[1, 2], [3, 4]]))
    store.append(run, "turns", ["b", "c"], np.array([2]), np.array([[5, 6]]))
    store.flush()
    data = store.track(run)
    expected = np.array([[1, 2, np.nan], [3, 4, np.nan], [np.nan, 5, 6]], np.float32)
    assert data.columns == ("a", "b", "c")
    np.testing.assert_array_equal(data.values, expected)
    picked = store.track(run, columns=["c", "nowhere", "b"])
    assert picked.columns == ("c", "nowhere", "b")
    np.testing.assert_array_equal(picked.column("c"), expected[:, 2])
    np.testing.assert_array_equal(picked.column("b"), expected[:, 1])
    assert np.isnan(picked.column("nowhere")).all()
    with pytest.raises(KeyError, match="'d'"):
        data.column("d")
    table = data.frame()
    assert list(table.columns) == ["round", "a", "b", "c"]
    assert table["round"].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(table[["a", "b", "c"]].to_numpy(), expected)


def test_an_empty_track_has_no_rows(store: RunStore, run: str) -> None:
    store.append(run, "turns", ["a"], np.array([], np.int64), np.zeros((0, 1)))
    store.flush()
    data = store.track(run)
    assert (len(data), data.values.shape, data.columns) == (0, (0, 0), ())
    assert store.track(run, columns=["a"]).values.shape == (0, 1)
    assert list(data.frame().columns) == ["round"]
    assert store.track_names(run) == []


def test_tracks_are_named_in_the_order_they_began(store: RunStore, run: str) -> None:
    for track in ("turns", "diagnostics", "turns", "a"):
        store.append(run, track, ["x"], np.array([0]), np.zeros((1, 1)))
    store.flush()
    assert store.track_names(run) == ["turns", "diagnostics", "a"]
    assert len(store.track(run, "turns")) == 2


@pytest.mark.parametrize(
    ("columns", "rounds", "values", "error"),
    [
        (["a"], np.arange(3), np.zeros((2, 1)), ValueError),
        (["a"], np.arange(3), np.zeros(3), ValueError),
        (["a", "b"], np.arange(3), np.zeros((3, 1)), ValueError),
        (["a", "a"], np.arange(3), np.zeros((3, 2)), ValueError),
        (["a"], np.arange(3) + 0.5, np.zeros((3, 1)), TypeError),
        (["a"], np.zeros((2, 1), int), np.zeros((2, 1)), ValueError),
    ],
)
def test_arrays_that_do_not_fit_are_refused_at_once(
    store: RunStore, run: str, columns: list[str], rounds: np.ndarray, values: np.ndarray, error: type[Exception]
) -> None:
    with pytest.raises(error):
        store.append(run, "turns", columns, rounds, values)
    store.flush()
    assert len(store.track(run)) == 0


def test_compaction_changes_nothing_that_is_read(store: RunStore, run: str) -> None:
    random = np.random.default_rng(0)
    for k in range(300):
        columns = ["a", "b"] if k < 200 else ["b", "c", "a"]
        values = random.standard_normal((7, len(columns))).astype(np.float32)
        values[3] = [np.nan, np.inf, -0.0][: len(columns)]
        store.append(run, "turns", columns, np.arange(7 * k, 7 * k + 7), values)
    store.append(run, "diagnostics", ["d"], np.arange(3) ** 3, np.ones((3, 1)))
    store.flush()
    before = {track: store.track(run, track) for track in ("turns", "diagnostics")}
    assert len(before["turns"]) == 2100
    store.compact(run)
    assert sorted(chunk_rows(store)) == [3, 2100]
    assert all(same(data, store.track(run, track)) for track, data in before.items())
    store.append(run, "turns", ["a"], np.array([9999]), np.ones((1, 1)))
    store.compact(run, "turns")
    assert store.track(run).rounds[-2:].tolist() == [2099, 9999]


def test_compaction_makes_chunks_of_65536_rows_and_then_rests(store: RunStore, run: str) -> None:
    for start in range(0, 150_000, 50_000):
        store.append(run, "turns", ["a"], np.arange(start, start + 50_000), np.ones((50_000, 1), np.float32))
    store.append(run, "turns", ["a"], np.array([150_000]), np.ones((1, 1)))
    store.compact(run)
    assert chunk_rows(store) == [65_536, 65_536, 18_929]
    assert np.array_equal(store.track(run).rounds, np.arange(150_001))


def test_what_is_compact_already_is_not_written_again(store: RunStore, run: str) -> None:
    def ids() -> list[int]:
        with store._readers.lend() as connection:
            return [row["id"] for row in connection.execute("SELECT id FROM chunks ORDER BY id")]

    for start in (0, 3):
        store.append(run, "turns", ["a"], np.arange(start, start + 3), np.ones((3, 1)))
    store.compact(run)
    (before,) = ids()
    store.compact(run)
    assert ids() == [before]


@pytest.mark.parametrize("after", [-1, 0, 4, 9, 10, 57, 98, 99, 1000])
def test_truncate_cuts_every_track_at_the_round(store: RunStore, run: str, after: int) -> None:
    store.create("other", name="", config={})
    for run_id in (run, "other"):
        for start in range(0, 100, 10):
            rounds = np.arange(start, start + 10)
            store.append(run_id, "turns", ["a", "b"], rounds, np.stack([rounds, -rounds], 1))
        store.append(run_id, "diagnostics", ["d"], np.array([0, 50, 99]), np.array([[0], [50], [99]]))
        for round in (0, 50, 99):
            store.add_frame(run_id, round, {"grid": round})
            store.add_event(run_id, round, "seen")
    store.flush()
    store.truncate(run, after)
    kept = np.arange(min(after, 99) + 1)
    data = store.track(run)
    assert np.array_equal(data.rounds, kept)
    if len(kept):
        assert np.array_equal(data.values, np.stack([kept, -kept], 1))
    marks = [round for round in (0, 50, 99) if round <= after]
    assert store.last_round(run, "turns") == (int(kept[-1]) if len(kept) else None)
    assert store.last_round(run, "diagnostics") == (marks[-1] if marks else None)
    assert store.track(run, "diagnostics").rounds.tolist() == marks
    assert [frame.round for frame in store.frames(run)] == marks
    assert [event.round for event in store.events(run)] == marks
    assert (len(store.track("other")), len(store.frames("other")), len(store.events("other"))) == (100, 3, 3)


def test_rows_can_be_appended_after_truncation(store: RunStore, run: str) -> None:
    store.append(run, "turns", ["a"], np.arange(10), np.zeros((10, 1)))
    store.truncate(run, 4)
    store.append(run, "turns", ["a"], np.arange(5, 8), np.ones((3, 1)))
    store.flush()
    assert store.track(run).rounds.tolist() == list(range(8))
    assert store.track(run).column("a").tolist() == [0] * 5 + [1] * 3


@pytest.mark.parametrize(
    "change",
    [
        *("data = x'00'", "data = 7", "rounds = x'0000'", "rounds = zeroblob(8)"),
        *("columns = '{'", "columns = '[1, 2]'", "columns = '7'", "columns = '{\"a\": 0}'", "columns = '[[\"a\"]]'"),
        *(f"columns = '{'[' * 100_000}'", "rows = 4", "rows = -3", "rows = 'many'", "rows = 1000000000000"),
    ],
    ids=lambda change: change[:20],
)
def test_a_damaged_track_is_one_sentence_and_leaves_the_others(store: RunStore, run: str, change: str) -> None:
    for track in ("turns", "diagnostics"):
        store.append(run, track, ["a"], np.array([0, 1, 5]), np.ones((3, 1)))
    store.flush()
    with sqlite3.connect(store.root / "ganscope.db") as connection:
        connection.execute(f"UPDATE chunks SET {change} WHERE track = 'turns'")
    connection.close()
    for act in (lambda: store.track(run), lambda: store.truncate(run, 1)):
        with pytest.raises(StoreError, match=r"^The track 'turns' of run 'a-run' is damaged: .*\.$"):
            act()
    assert len(store.track(run, "diagnostics")) == 3
    assert len(store.runs()) == 1


def test_reading_while_another_thread_writes_sees_whole_prefixes(store: RunStore, run: str) -> None:
    """As the last chunk of a live run grows, and while it is compacted, a reader sees no gap and no half row."""
    enough = threading.Event()

    def write() -> None:
        for k in itertools.count():
            if enough.is_set():
                return
            rounds = np.arange(k * 50, k * 50 + 50)
            store.append(run, "turns", ["a", "b"], rounds, np.stack([rounds, rounds], 1))
            store.flush()
            if k % 5 == 4:
                store.compact(run)

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[int] = []
    while len(set(seen)) < 20:
        data = store.track(run)
        assert np.array_equal(data.rounds, np.arange(len(data)))
        if len(data):
            assert np.array_equal(data.values, np.stack([data.rounds, data.rounds], 1))
        seen.append(len(data))
    enough.set()
    writer.join()
    assert seen == sorted(seen)


def test_a_thousand_small_chunks_take_two_seconds_of_cpu_at_most(store: RunStore, run: str) -> None:
    values = np.zeros((100, 12), np.float32)
    start = time.process_time()
    for k in range(1000):
        store.append(run, "turns", COLUMNS, np.arange(100 * k, 100 * k + 100), values)
    store.flush()
    assert time.process_time() - start < 2
    assert len(store.track(run)) == 100_000


def test_a_long_track_is_small_and_reads_fast(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((100_000, 12)).astype(np.float32)
    with RunStore(tmp_path) as store:
        store.create("a", name="", config={})
        for start in range(0, 100_000, 1_000):
            part = slice(start, start + 1_000)
            store.append("a", "turns", COLUMNS, np.arange(start, start + 1_000), values[part])
        store.compact("a")
        start_time = time.thread_time()
        data = store.track("a")
        assert time.thread_time() - start_time < 0.3
        assert np.array_equal(data.values, values)
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert values.nbytes <= size < 1.15 * values.nbytes

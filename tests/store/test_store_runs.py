"""The index: creating, updating, listing, deleting runs; what a person typed; rows that are damaged."""

from __future__ import annotations

import atexit
import errno
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gan_core import checkpoints
from gan_core.store import (
    ACTIVE,
    STATES,
    DamagedRun,
    Member,
    RunNotFound,
    RunRecord,
    RunStore,
    StoreError,
    new_run_id,
    owner,
    reserve,
)

HOSTILE = ["../x", "a/b", "..", "", "%2e%2e", "a\0", "A", "a.b", "é", "․․", "a\n", "x" * 65, "x" * 10_000, "cache"]


def damage(store: RunStore, field: str, value: object, run_id: str = "a-run") -> None:
    with sqlite3.connect(store.root / "ganscope.db") as connection:
        connection.execute(f"UPDATE runs SET {field} = ? WHERE id = ?", (value, run_id))
    connection.close()


def test_a_run_comes_back_as_it_was_created(store: RunStore) -> None:
    before = time.time()
    created = store.create(
        "b",
        name="Ring",
        config={"seed": 3, "lr": float("inf"), "nested": {"é": [1, None]}},
        parent="a",
        forked_at=120,
        tags=["x", "y"],
        environment={"cpu": "two cores"},
    )
    assert created == store.run("b")
    assert created.config == {"seed": 3, "lr": float("inf"), "nested": {"é": [1, None]}}
    assert (created.name, created.parent, created.forked_at, created.tags) == ("Ring", "a", 120, ("x", "y"))
    assert created.environment == {"cpu": "two cores"}
    assert (created.status, created.active, created.rounds) == ("queued", True, 0)
    assert before <= created.created_at <= time.time()
    assert created.started_at is created.ended_at is created.deleted_at is None


def test_update_is_visible_on_return_and_leaves_the_rest(store: RunStore, run: str) -> None:
    store.update(run, status="finished", rounds=40, started_at=10.0, ended_at=12.5, summary={"modes": 8})
    record = store.run(run)
    assert (record.status, record.active, record.rounds) == ("finished", False, 40)
    assert (record.summary, record.name, record.config) == ({"modes": 8}, "A run", {"seed": 1})


def test_update_without_waiting_arrives_with_the_next_flush(store: RunStore, run: str) -> None:
    store.update(run, wait=False, rounds=7)
    store.flush()
    assert store.run(run).rounds == 7


def test_wrong_updates_change_nothing(store: RunStore, run: str) -> None:
    before = store.run(run)
    with pytest.raises(TypeError, match="colour"):
        store.update(run, name="new", colour="red")
    with pytest.raises(ValueError, match="unknown status 'done'"):
        store.update(run, name="new", status="done")
    with pytest.raises(TypeError, match="not one text"):
        store.update(run, name="new", tags="abc")
    with pytest.raises(TypeError):
        store.update(run, name="new", summary={"x": object()})
    with pytest.raises(TypeError, match="expected a dict, not list"):
        store.update(run, name="new", summary=[("x", 1)])  # type: ignore[arg-type]
    assert store.run(run) == before


@pytest.mark.parametrize("status", STATES)
def test_every_state_is_accepted(store: RunStore, run: str, status: str) -> None:
    store.update(run, status=status)
    assert store.run(run).active == (status in ACTIVE)


def test_an_id_is_taken_once(store: RunStore, run: str) -> None:
    with pytest.raises(StoreError, match=r"^There is a run 'a-run' already\.$"):
        store.create(run, name="thief", config={})
    assert store.run(run).name == "A run"


def test_texts_are_cut_and_cleaned_but_not_interpreted(store: RunStore) -> None:
    hostile = "<script>\x00\x1b[31m:red[x] $y$\n\u202e😀\ud800"
    store.create("b", name=hostile + "n" * 10_000, config={}, tags=["t" * 100, " ", "a\tb", "a b"])
    store.update(
        "b", note="one\ntwo\x07" + "n" * 10_000, message="m" * 10_000, traceback="start" + "t" * 50_000 + "end"
    )
    record = store.run("b")
    assert record.name.startswith("<script>[31m:red[x] $y$ \u202e😀nn")
    assert len(record.name) == 120
    assert record.tags == ("t" * 40, "a b")
    assert record.note.startswith("one\ntwonn")
    assert (len(record.note), len(record.message), len(record.traceback)) == (4000, 2000, 20_000)
    assert record.traceback.endswith("end")


def test_newest_first_even_when_the_clock_jumps_back(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for run_id, now in [("m", 300.0), ("z", 200.0), ("a", 100.0)]:
        monkeypatch.setattr(time, "time", lambda now=now: now)
        store.create(run_id, name="", config={})
    assert [run.id for run in store.runs()] == ["a", "z", "m"]
    assert [run.id for run in store.runs(limit=2)] == ["a", "z"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("config", "{"),
        ("config", "[]"),
        ("config", b"\xff\x00"),
        ("config", "[" * 100_000),
        ("summary", ""),
        ("tags", "{}"),
        ("owner", "7"),
        ("status", "dreaming"),
        ("created_at", "yesterday"),
        ("rounds", "many"),
        ("name", b"\x00"),
    ],
)
def test_a_damaged_row_damages_only_its_own_run(store: RunStore, run: str, field: str, value: object) -> None:
    store.create("well", name="Well", config={})
    damage(store, field, value)
    well, damaged = store.runs()
    assert isinstance(well, RunRecord)
    assert isinstance(damaged, DamagedRun)
    assert damaged.id == run
    assert field in damaged.reason
    with pytest.raises(StoreError, match="is damaged"):
        store.run(run)


def test_text_that_is_not_utf8_does_not_break_the_list(store: RunStore, run: str) -> None:
    with sqlite3.connect(store.root / "ganscope.db") as connection:
        connection.execute("UPDATE runs SET name = CAST(x'ff41' AS TEXT)")
    connection.close()
    assert [record.name for record in store.runs() if isinstance(record, RunRecord)] == ["�A"]


@pytest.mark.parametrize("run_id", [*HOSTILE, "unknown"])
def test_an_id_that_is_not_in_the_index_finds_nothing(store: RunStore, run: str, run_id: str) -> None:
    before = sorted(store.root.iterdir())
    actions = [
        lambda: store.run(run_id),
        lambda: store.track(run_id),
        lambda: store.track_names(run_id),
        lambda: store.last_round(run_id, "turns"),
        lambda: store.family(run_id),
        lambda: store.frames(run_id),
        lambda: store.latest_frame(run_id),
        lambda: store.events(run_id),
        lambda: store.artefact_path(run_id, "grid-" + "0" * 32 + ".png"),
        lambda: store.save_artefact(run_id, "grid", "png", b""),
        lambda: store.checkpoint_dir(run_id),
        lambda: store.update(run_id, name="x"),
        lambda: store.delete(run_id),
        lambda: store.restore(run_id),
        lambda: store.purge(run_id),
        lambda: store.compact(run_id),
        lambda: store.truncate(run_id, 0),
    ]
    for action in actions:
        with pytest.raises(RunNotFound) as caught:
            action()
        assert re.fullmatch(r"There is no run '.{0,256}'\.", str(caught.value))
    assert sorted(store.root.iterdir()) == before


@pytest.mark.parametrize("run_id", HOSTILE)
def test_a_malformed_id_cannot_be_created_nor_written_to(store: RunStore, run_id: str) -> None:
    with pytest.raises(StoreError, match="cannot be the id of a run"):
        store.create(run_id, name="", config={})
    with pytest.raises(RunNotFound):
        store.append(run_id, "turns", ["a"], np.zeros(1, int), np.zeros((1, 1)))
    with pytest.raises(RunNotFound):
        store.add_frame(run_id, 0, {})
    with pytest.raises(RunNotFound):
        store.add_event(run_id, 0, "started")
    with pytest.raises(RunNotFound):
        store.update(run_id, wait=False, name="x")


@pytest.mark.parametrize("run_id", [None, 7, b"a-run", ["a-run"]])
def test_an_id_of_another_type_is_no_run(store: RunStore, run: str, run_id: object) -> None:
    with pytest.raises(RunNotFound):
        store.run(run_id)  # type: ignore[arg-type]


def test_ids_are_unique_and_well_formed() -> None:
    ids = [new_run_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"\d{8}-\d{6}-[a-z0-9]{8}", run_id) for run_id in ids)


def test_delete_hides_and_restore_brings_back(store: RunStore, run: str) -> None:
    store.add_event(run, 0, "started")
    store.update(run, status="finished")
    store.delete(run)
    first = store.run(run).deleted_at
    store.delete(run)
    assert store.run(run).deleted_at == first is not None
    assert store.runs() == []
    assert [record.id for record in store.runs(include_deleted=True)] == [run]
    store.restore(run)
    assert [record.id for record in store.runs()] == [run]
    assert [event.kind for event in store.events(run)] == ["started"]


@pytest.mark.parametrize("status", sorted(ACTIVE))
def test_an_active_run_cannot_be_deleted(store: RunStore, run: str, status: str) -> None:
    store.update(run, status=status)
    with pytest.raises(StoreError, match=r"^Stop the run first\.$"):
        store.delete(run)
    assert store.run(run).deleted_at is None


def test_purge_removes_rows_and_files_of_a_deleted_run_only(store: RunStore, run: str) -> None:
    store.create("other", name="", config={})
    for run_id in (run, "other"):
        store.append(run_id, "turns", ["a"], np.arange(3), np.ones((3, 1)))
        store.add_frame(run_id, 0, {"grid": 1})
        store.add_event(run_id, 0, "started")
        store.save_artefact(run_id, "grid", "png", b"pixels")
        store.update(run_id, status="stopped")
    with pytest.raises(StoreError, match="Delete the run first"):
        store.purge(run)
    store.delete(run)
    store.purge(run)
    with pytest.raises(RunNotFound):
        store.run(run)
    assert not (store.root / run).exists()
    with sqlite3.connect(store.root / "ganscope.db") as connection:
        for table in ("chunks", "frames", "events"):
            assert connection.execute(f"SELECT DISTINCT run FROM {table}").fetchall() == [("other",)]
    connection.close()
    assert len(list((store.root / "other").iterdir())) == 1


def test_purge_of_a_run_without_files_and_with_a_link_for_a_folder(store: RunStore, run: str, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("kept")
    (store.root / run).symlink_to(tmp_path / "precious")
    store.create("bare", name="", config={})
    for run_id in (run, "bare"):
        store.update(run_id, status="stopped")
        store.delete(run_id)
    store.purge("bare")
    with pytest.raises(StoreError, match=r"its folder .* remains"):
        store.purge(run)
    assert store.runs(include_deleted=True) == []
    assert (tmp_path / "precious" / "file").read_text() == "kept"


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.create("a", name="", config={})
    store.add_event("a", 0, "last words")
    store.close()
    store.close()
    with pytest.raises(StoreError, match=r"^The store is closed\.$"):
        store.runs()
    with pytest.raises(StoreError, match=r"^The store is closed\.$"):
        store.add_event("a", 0, "too late")
    with RunStore(tmp_path) as again:
        assert [event.kind for event in again.events("a")] == ["last words"]


def test_purge_gives_the_space_back(store: RunStore, run: str) -> None:
    store.append(run, "turns", ["a"], np.arange(500_000), np.ones((500_000, 1)))
    store.update(run, status="finished")
    store.delete(run)
    store.purge(run)
    root = store.root
    store.close()
    assert sum(path.stat().st_size for path in root.iterdir() if path.name != reserve.NAME) < 200_000


def test_close_says_when_something_could_not_be_written(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.create("a", name="", config={})
    store._writer.call(lambda connection: connection.execute("PRAGMA max_page_count = 1"))  # the disk is full
    store.add_event("a", 0, "lost", {"text": "x" * 100_000})
    with pytest.raises(StoreError, match="full"):
        store.close()
    with RunStore(tmp_path) as again:
        assert again.events("a") == []


def test_while_the_disk_is_full_reading_works_and_the_problem_is_told(store: RunStore, run: str) -> None:
    assert store.problem is None
    store._writer.call(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
    store.append(run, "turns", ["a"], np.arange(50_000), np.ones((50_000, 1)))
    with pytest.raises(StoreError, match="full"):
        store.flush()
    assert "full" in str(store.problem)
    assert store.run(run).name == "A run"
    assert len(store.track(run)) == 0
    store._writer._connection.execute("PRAGMA max_page_count = 1000000")
    store.flush()
    assert len(store.track(run)) == 50_000
    assert store.problem is None


def test_an_update_of_nothing_changes_nothing(store: RunStore, run: str) -> None:
    before = store.run(run)
    store.update(run)
    assert store.run(run) == before


def test_no_rows_are_no_track(store: RunStore, run: str) -> None:
    store.append(run, "turns", ["a"], np.zeros(0, np.int64), np.zeros((0, 1), np.float32))
    store.flush()
    assert store.track_names(run) == []


@pytest.fixture
def misled(store: RunStore, run: str, tmp_path: Path) -> str:
    """An id that leads out of the store, in an index that somebody else wrote."""
    checkpoints.write(tmp_path / "outside" / "checkpoints", 1, b"tensors", {})
    with sqlite3.connect(store.root / "ganscope.db") as connection:
        connection.execute(
            "INSERT INTO runs (id, name, config, status, created_at, deleted_at) "
            "VALUES ('../outside', '', '{}', 'finished', 1, 1)"
        )
    connection.close()
    return "../outside"


def test_an_id_that_the_index_should_not_have_leads_nowhere(
    store: RunStore, run: str, misled: str, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    for act in (
        lambda: store.checkpoint_dir(misled),
        lambda: store.save_artefact(misled, "grid", "png", b"picture"),
        lambda: store.purge(misled),
        lambda: store.inherit(misled, run, 9),
        lambda: store.inherit(run, misled, 9),
        lambda: store.update(misled, name="x"),
        lambda: store.append(misled, "turns", ["a"], np.zeros(1, int), np.zeros((1, 1))),
    ):
        with pytest.raises(RunNotFound):
            act()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_pin_is_shown_until_it_is_taken_away(store: RunStore, run: str) -> None:
    checkpoints.write(store.checkpoint_dir(run), 3, b"tensors", {})
    store.pin(run, 3)
    assert [(one.round, one.pinned) for one in store.checkpoints(run)] == [(3, True)]
    store.unpin(run, 3)
    assert [(one.round, one.pinned) for one in store.checkpoints(run)] == [(3, False)]
    with pytest.raises(StoreError, match=r"^There is no checkpoint of round 4; there are those of round 3\.$"):
        store.pin(run, 4)


def test_who_only_reads_can_neither_pin_nor_unpin(store: RunStore, run: str) -> None:
    checkpoints.write(store.checkpoint_dir(run), 3, b"tensors", {})
    checkpoints.write(store.checkpoint_dir(run), 4, b"tensors", {})
    store.pin(run, 3)
    with RunStore(store.root, only_reads="Another program writes.") as watched:
        for act in (lambda: watched.pin(run, 4), lambda: watched.unpin(run, 3)):
            with pytest.raises(StoreError, match=r"^Another program writes\.$"):
                act()
    assert [one.pinned for one in store.checkpoints(run)] == [True, False]


@pytest.mark.parametrize(
    ("fails", "act", "told"),
    [
        ("os.listdir", "checkpoints", "Its checkpoints cannot be looked at: Input/output error."),
        ("os.replace", "pin", "The checkpoint cannot be pinned: Input/output error."),
        ("pathlib.Path.unlink", "unpin", "The checkpoint cannot be unpinned: Input/output error."),
    ],
)
def test_what_the_disk_refuses_of_checkpoints_is_a_sentence(
    fails: str, act: str, told: str, store: RunStore, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object, **more: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    checkpoints.write(store.checkpoint_dir(run), 3, b"tensors", {})
    with monkeypatch.context() as patched:
        patched.setattr(fails, refuse)
        with pytest.raises(StoreError) as refused:
            getattr(store, act)(run, *([] if act == "checkpoints" else [3]))
    assert str(refused.value) == told
    assert [one.pinned for one in store.checkpoints(run)] == [False]


def test_a_program_that_ends_without_closing_has_written_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_the_end: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", at_the_end.append)
    monkeypatch.setattr(atexit, "unregister", at_the_end.remove)
    store = RunStore(tmp_path)
    store.create("a", name="", config={})
    store.add_event("a", 0, "last words")
    (end,) = at_the_end
    end()
    assert at_the_end == [], "what was closed is not kept until then"
    with RunStore(tmp_path) as again:
        assert [event.kind for event in again.events("a")] == ["last words"]


def test_a_store_knows_its_process_before_handles_run_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner._this_process.cache_clear()

    def unreadable() -> str:
        raise OSError(errno.EMFILE, "Too many open files")

    with RunStore(tmp_path) as store:
        monkeypatch.setattr(owner, "_boot_id", unreadable)
        assert store.create("a", name="", config={}).status == "queued"


def test_a_run_that_was_killed_does_not_keep_its_comparison(store: RunStore, run: str) -> None:
    store.create_comparison("duel", name="", spec={}, members=[Member(run, "v", 0)])
    store.update(run, status="running", owner={"pid": 1, "started": 1e9, "boot": "another"})
    store.delete_comparison("duel")
    assert store.comparisons() == []
    assert store.run(run).status == "interrupted"


def test_who_only_reads_is_refused_every_write_with_one_sentence(store: RunStore, run: str) -> None:
    with RunStore(store.root, only_reads="Another program writes.") as watched:
        for act in (
            lambda: watched.append(run, "turns", ["a"], np.zeros(1, int), np.zeros((1, 1))),
            lambda: watched.add_frame(run, 0, {"grid": 1}),
            lambda: watched.add_event(run, 0, "started"),
            lambda: watched.update(run, name="x"),
            lambda: watched.update(run, wait=False, name="x"),
            lambda: watched.create("b", name="", config={}),
            lambda: watched.truncate(run, 0),
        ):
            with pytest.raises(StoreError, match=r"^Another program writes\.$"):
                act()
    assert [one.id for one in store.runs()] == [run]

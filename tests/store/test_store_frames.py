"""Frames, events and artefact files."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from gan_core.failpoints import armed
from gan_core.store import Frame, RunStore, StoreError, artefacts
from gan_core.store.artefacts import write_once


def test_frames_come_back_in_the_order_of_rounds(store: RunStore, run: str) -> None:
    grid = {"file": "grid-x.png", "columns": 8, "count": 64}
    store.add_frame(run, 100, {"grid": grid, "histogram": {"counts": [1, 2, 0], "n": 3}})
    store.add_frame(run, 0, {"grid": {"file": "grid-y.png"}})
    store.add_frame(run, 200, {"points": {"file": None}})
    store.add_frame(run, 100, {"histogram": {"counts": [3], "n": 3}, "points": [float("inf")]})
    store.flush()
    assert store.frames(run) == [
        Frame(0, {"grid": {"file": "grid-y.png"}}),
        Frame(100, {"grid": grid, "histogram": {"counts": [3], "n": 3}, "points": [float("inf")]}),
        Frame(200, {"points": {"file": None}}),
    ]


def test_the_latest_frame_is_the_last_one_with_that_part(store: RunStore, run: str) -> None:
    assert store.latest_frame(run) is None
    for round in range(5):
        store.add_frame(run, round, {"grid": round, "histogram": -round} if round < 3 else {"histogram": -round})
    store.flush()
    assert store.latest_frame(run) == Frame(2, {"grid": 2, "histogram": -2})
    assert store.latest_frame(run, "histogram") == Frame(4, {"histogram": -4})
    assert store.latest_frame(run, "points") is None


def test_the_latest_frame_is_found_by_indexes(store: RunStore, run: str) -> None:
    asked: list[str] = []
    with store._readers.lend() as connection:
        connection.set_trace_callback(asked.append)
    store.latest_frame(run)
    with store._readers.lend() as connection:
        connection.set_trace_callback(None)
        plan = " | ".join(row["detail"] for row in connection.execute("EXPLAIN QUERY PLAN " + asked[-1]))
    assert "frames_by_part (run=? AND part=?)" in plan
    assert "(run=? AND round=?)" in plan


def test_a_frame_that_is_not_json_is_refused_at_once(store: RunStore, run: str) -> None:
    with pytest.raises(TypeError):
        store.add_frame(run, 0, {"grid": object()})
    store.flush()
    assert store.frames(run) == []


def test_events_keep_their_order_and_ids_are_never_reused(store: RunStore, run: str) -> None:
    before = time.time()
    store.add_event(run, 5, "knob", {"name": "lr", "to": 0.1})
    store.add_event(run, 3, "verdict")
    store.flush()
    first, second = store.events(run)
    assert (first.round, first.kind, first.data) == (5, "knob", {"name": "lr", "to": 0.1})
    assert (second.round, second.kind, second.data) == (3, "verdict", {})
    assert first.id < second.id
    assert before <= first.at <= time.time()
    store.truncate(run, 0)
    store.add_event(run, 0, "resumed")
    store.flush()
    (resumed,) = store.events(run)
    assert resumed.id > second.id


def test_damage_stays_in_its_part_and_event(store: RunStore, run: str) -> None:
    store.add_frame(run, 0, {"grid": 1, "histogram": 2})
    store.add_event(run, 0, "knob", {"to": 1})
    store.flush()
    with sqlite3.connect(store.root / "ganscope.db") as connection:
        connection.execute("UPDATE frames SET data = '{' WHERE part = 'grid'")
        connection.execute("UPDATE events SET data = '['")
    connection.close()
    assert store.frames(run) == [Frame(0, {"histogram": 2})]
    assert store.latest_frame(run) is None
    assert [(event.kind, event.data) for event in store.events(run)] == [("knob", {})]


def test_an_artefact_is_named_by_its_content(store: RunStore, run: str) -> None:
    name = store.save_artefact(run, "grid", "png", b"abc")
    # FIPS 180-2, appendix B.1: SHA-256 of "abc" begins with these digits.
    assert name == "grid-ba7816bf8f01cfea414140de5dae2223.png"
    assert store.save_artefact(run, "grid", ".png", b"abc") == name
    assert store.save_artefact(run, "grid", "png", b"abd") != name
    assert store.artefact_path(run, name) == store.root / run / name
    assert store.artefact_path(run, name).read_bytes() == b"abc"
    assert len(list((store.root / run).iterdir())) == 2


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("", "png"), ("Grid", "png"), ("a/b", "png"), ("../a", "png"), ("grid", ""), ("grid", "p/g"), ("grid", "png\n")],
)
def test_a_malformed_kind_or_suffix_is_refused(store: RunStore, run: str, kind: str, suffix: str) -> None:
    with pytest.raises(ValueError, match="no artefact can have"):
        store.save_artefact(run, kind, suffix, b"")
    assert not (store.root / run).exists()


def test_hostile_names_never_leave_the_folder(store: RunStore, run: str, tmp_path: Path) -> None:
    name = store.save_artefact(run, "grid", "png", b"abc")
    outside = tmp_path / name
    outside.write_bytes(b"secret")
    (store.root / run / ("link" + name[4:])).symlink_to(outside)
    (store.root / run / ("folder" + name[4:])).mkdir()
    hostile = [
        f"../{name}",
        f"../../{name}",
        f"./{name}",
        str(outside),
        name.replace("-", "%2d"),
        name + "\0",
        name + "\n",
    ]
    hostile += [name.upper(), "", "..", "x" * 10_000, "link" + name[4:], "folder" + name[4:], None, "checkpoints"]
    for wrong in hostile:
        with pytest.raises(StoreError) as caught:
            store.artefact_path(run, wrong)  # type: ignore[arg-type]
        assert len(str(caught.value)) < 350


def test_a_missing_folder_is_a_sentence_and_comes_back_with_the_next_file(store: RunStore, run: str) -> None:
    name = store.save_artefact(run, "grid", "png", b"abc")
    (store.root / run / name).unlink()
    (store.root / run).rmdir()
    with pytest.raises(StoreError, match=rf"^The file {name} is missing\.$"):
        store.artefact_path(run, name)
    assert store.run(run).id == run
    assert store.checkpoint_dir(run) == store.root / run / "checkpoints"
    assert store.checkpoint_dir(run).is_dir()
    assert store.save_artefact(run, "grid", "png", b"abc") == name
    assert store.artefact_path(run, name).read_bytes() == b"abc"


def test_a_file_cut_short_is_written_again(store: RunStore, run: str) -> None:
    name = store.save_artefact(run, "grid", "png", b"abc")
    (store.root / run / name).write_bytes(b"")
    store.save_artefact(run, "grid", "png", b"abc")
    assert store.artefact_path(run, name).read_bytes() == b"abc"


def test_a_file_in_place_of_the_folder_is_a_sentence(store: RunStore, run: str) -> None:
    (store.root / run).write_text("in the way")
    with pytest.raises(StoreError, match="cannot be saved"):
        store.save_artefact(run, "grid", "png", b"abc")
    with pytest.raises(StoreError, match="cannot be created"):
        store.checkpoint_dir(run)
    assert store.run(run).id == run


def test_a_reader_sees_a_whole_file_while_it_is_replaced(tmp_path: Path) -> None:
    path, contents = tmp_path / "file", [b"x" * 300_000, b"y" * 200_000]
    write_once(path, contents[0])
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            for content in contents:
                write_once(path, content)

    writer = threading.Thread(target=write)
    writer.start()
    seen = {path.read_bytes() for _ in range(500)}
    done.set()
    writer.join()
    assert seen == set(contents)
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_content_is_written_once(store: RunStore, run: str) -> None:
    path = store.artefact_path(run, store.save_artefact(run, "grid", "png", b"picture"))
    before = path.stat()
    assert store.save_artefact(run, "grid", "png", b"picture") == path.name
    assert path.stat().st_ino == before.st_ino
    path.write_bytes(b"pict")  # as a power cut leaves it
    store.save_artefact(run, "grid", "png", b"picture")
    assert path.read_bytes() == b"picture"


def test_a_folder_that_is_missing_or_no_folder_has_nothing_to_sweep(tmp_path: Path) -> None:
    assert artefacts.sweep(tmp_path / "nowhere") == 0
    (tmp_path / "file").touch()
    assert artefacts.sweep(tmp_path / "file") == 0


def test_the_newest_picture_is_that_of_the_first_part_which_has_one(store: RunStore, run: str) -> None:
    store.add_frame(run, 1, {"points": {"file": "cloud"}, "grid": {"file": 3}, "thumb": "text"})
    store.flush()
    assert store.latest_files(["grid", "thumb", "points"]) == {run: "cloud"}
    assert store.latest_files(["grid", "thumb"]) == {}


def test_a_picture_that_finds_no_room_is_a_sentence_and_leaves_nothing(store: RunStore, run: str) -> None:
    with (
        armed("artefact.before_rename=enospc"),
        pytest.raises(StoreError, match=r"^The file grid-\w{32}\.png cannot be saved: No space left on device\.$"),
    ):
        store.save_artefact(run, "grid", "png", b"picture")
    assert list((store.root / run).iterdir()) == []


def test_a_fork_gets_its_own_copy_where_files_cannot_be_linked(store: RunStore, run: str) -> None:
    name = store.save_artefact(run, "grid", "png", b"picture")
    store.add_frame(run, 1, {"grid": {"file": name}})
    store.create("fork", name="", config={})
    store.save_artefact("fork", "grid", "png", b"another")
    with armed("artefact.share=eacces"):
        store.inherit("fork", run, 1)
    twin = store.artefact_path("fork", name)
    assert (twin.read_bytes(), twin.stat().st_nlink) == (b"picture", 1)


def test_a_fork_whose_file_was_cut_short_gets_it_whole(store: RunStore, run: str) -> None:
    name = store.save_artefact(run, "grid", "png", b"picture")
    store.add_frame(run, 1, {"grid": {"file": name}})
    store.create("fork", name="", config={})
    (store.root / "fork").mkdir()
    (store.root / "fork" / name).write_bytes(b"pict")
    store.inherit("fork", run, 1)
    assert store.artefact_path("fork", name).read_bytes() == b"picture"
    assert store.artefact_path(run, name).read_bytes() == b"picture"

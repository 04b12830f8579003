"""What a fork inherits, and who is related to whom."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from gan_core.store import RunNotFound, RunStore, StoreError, artefacts


def rows(store: RunStore, run: str, first: int, last: int, columns: tuple[str, ...] = ("D.loss", "G.loss")) -> None:
    rounds = np.arange(first, last + 1)
    store.append(run, "turns", columns, rounds, np.arange(len(rounds) * len(columns)).reshape(-1, len(columns)) / 7)


@pytest.fixture
def child(store: RunStore, run: str) -> str:
    return store.create("a-fork", name="A fork", config={}, parent=run, forked_at=5).id


def test_a_fork_inherits_up_to_its_round_and_not_beyond(store: RunStore, run: str, child: str) -> None:
    rows(store, run, 1, 3)
    rows(store, run, 4, 9, ("D.loss", "D.gp"))
    files = [store.save_artefact(run, "grid", "png", bytes([round]) * 9) for round in range(3)]
    for round, file in zip((0, 5, 6), files, strict=True):
        store.add_frame(run, round, {"grid": {"file": file}, "histogram": {"counts": [round], "n": 1}, "odd": [1]})
    for round, kind in ((0, "reference"), (2, "knob"), (3, "paused"), (7, "knob")):
        store.add_event(run, round, kind, {"at": round})

    store.inherit(child, run, 5, events=("reference", "knob"))
    track, its = store.track(child), store.track(run)
    assert track.rounds.tolist() == [1, 2, 3, 4, 5]
    assert track.columns == its.columns
    assert track.values.tobytes() == its.values[:5].copy().tobytes()
    assert store.frames(child) == store.frames(run)[:2]
    assert [(event.round, event.kind, event.data) for event in store.events(child)] == [
        (0, "reference", {"at": 0}),
        (2, "knob", {"at": 2}),
    ]
    for file in files[:2]:
        assert store.artefact_path(child, file).read_bytes() == store.artefact_path(run, file).read_bytes()
    assert not (store.root / child / files[2]).exists()

    assert its.rounds.tolist() == list(range(1, 10))
    assert [frame.round for frame in store.frames(run)] == [0, 5, 6]
    assert [event.round for event in store.events(run)] == [0, 2, 3, 7]


def test_where_the_disk_has_no_links_the_files_are_copied(
    store: RunStore, run: str, child: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    file = store.save_artefact(run, "grid", "png", b"picture")
    store.add_frame(run, 1, {"grid": {"file": file}, "points": {"file": "../../etc/passwd"}, "gone": {"file": 3}})
    store.inherit(child, run, 5)
    assert store.artefact_path(child, file).read_bytes() == b"picture"
    assert [path.name for path in Path(store.root / child).iterdir()] == [file]


def test_a_fork_has_the_file_of_every_picture_that_it_names(store: RunStore, run: str, child: str) -> None:
    """Also of those that were recorded a moment ago, and of a fork of a fork."""
    store._writer._group_seconds = 60.0  # type: ignore[union-attr]  # so that none is committed before
    file = store.save_artefact(run, "grid", "png", b"the first look")
    store.add_frame(run, 5, {"grid": {"file": file}})
    store.inherit(child, run, 5)
    own = store.save_artefact(child, "grid", "png", b"the first look of the fork")
    store.add_frame(child, 5, {"points": {"file": own}})
    grandchild = store.create("a-fork-of-it", name="", config={}, parent=child, forked_at=5).id
    store.inherit(grandchild, child, 5)
    for fork, parts in ((child, {"grid", "points"}), (grandchild, {"grid", "points"})):
        (frame,) = store.frames(fork)
        assert frame.parts.keys() == parts
        for part in frame.parts.values():
            assert store.artefact_path(fork, part["file"]).is_file()


def test_what_is_recorded_while_a_fork_inherits_is_inherited_whole(
    store: RunStore, run: str, child: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are linked in the very transaction that copies their rows: what comes between them waits."""
    share = artefacts.share

    def meanwhile(names: Iterable[str], source: Path, target: Path) -> None:
        late = store.save_artefact(run, "grid", "png", b"late")
        store.add_frame(run, 4, {"grid": {"file": late}})
        share(names, source, target)

    monkeypatch.setattr(artefacts, "share", meanwhile)
    store.inherit(child, run, 5)
    store.flush()
    assert [frame.round for frame in store.frames(run)] == [4]
    assert store.frames(child) == []


def test_of_a_parent_that_is_purged_meanwhile_a_fork_takes_nothing(store: RunStore, run: str, child: str) -> None:
    store.update(run, status="stopped")
    store.delete(run)
    store._writer._group_seconds = 60.0  # type: ignore[union-attr]
    store._writer.submit(lambda connection: connection.execute("DELETE FROM runs WHERE id = ?", (run,)))
    with pytest.raises(RunNotFound, match=run):
        store.inherit(child, run, 5)


def test_a_picture_that_the_parent_has_lost_holds_up_no_fork(store: RunStore, run: str, child: str) -> None:
    files = [store.save_artefact(run, "grid", "png", content) for content in (b"lost", b"there")]
    for round, file in enumerate(files):
        store.add_frame(run, round, {"grid": {"file": file}, "odd": {"file": 3}, "text": "file"})
    (store.root / run / files[0]).unlink()
    store.inherit(child, run, 5)
    assert [path.name for path in (store.root / child).iterdir()] == [files[1]]


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.EACCES])
def test_a_file_that_cannot_be_copied_is_named_and_nothing_is_inherited(
    number: int, store: RunStore, run: str, child: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    file = store.save_artefact(run, "grid", "png", b"picture")
    store.add_frame(run, 1, {"grid": {"file": file}})
    rows(store, run, 1, 3)
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(StoreError, match=f"The file {file} cannot be copied: {os.strerror(number)}"):
        store.inherit(child, run, 5)
    assert store.frames(child) == []
    assert len(store.track(child)) == 0
    assert store.problem is None


@pytest.mark.parametrize(("fork", "parent"), [("a-fork", "nobody"), ("nobody", "a-run"), ("a-fork", "../a-run")])
def test_an_unknown_parent_is_named(fork: str, parent: str, store: RunStore, run: str, child: str) -> None:
    with pytest.raises(RunNotFound):
        store.inherit(fork, parent, 3)


def test_a_family_is_the_whole_tree_from_any_of_its_members(store: RunStore, run: str, child: str) -> None:
    store.create("other", name="Another", config={})
    for name, parent in (("second", run), ("grandchild", child), ("orphan", "gone-for-good")):
        store.create(name, name=name, config={}, parent=parent, forked_at=5)
    expected = [run, child, "second", "grandchild"]
    for member in expected:
        assert [record.id for record in store.family(member)] == expected
    assert [record.id for record in store.family("orphan")] == ["orphan"]
    store._writer.call(lambda connection: connection.execute("UPDATE runs SET config = '[' WHERE id = 'second'"))
    assert [record.id for record in store.family(run)] == [run, child, "grandchild"], "the damaged one is left out"
    store._writer.call(lambda connection: connection.execute("UPDATE runs SET config = '{}' WHERE id = 'second'"))
    assert [record.id for record in store.family("other")] == ["other"]
    store.update("second", status="stopped")
    store.delete("second")
    assert [record.id for record in store.family(run)] == [run, child, "grandchild"]

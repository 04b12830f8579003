"""What a fork inherits, and who is related to whom."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gan_core.store import RunNotFound, RunStore


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
    store.flush()
    before = store.track(run), store.frames(run), store.events(run)

    store.inherit(child, run, 5, events=("reference", "knob"))
    track = store.track(child)
    assert track.rounds.tolist() == [1, 2, 3, 4, 5]
    assert track.columns == before[0].columns
    assert track.values.tobytes() == before[0].values[:5].copy().tobytes()
    assert store.frames(child) == before[1][:2]
    assert [(event.round, event.kind, event.data) for event in store.events(child)] == [
        (0, "reference", {"at": 0}),
        (2, "knob", {"at": 2}),
    ]
    for file in files[:2]:
        assert store.artefact_path(child, file).read_bytes() == store.artefact_path(run, file).read_bytes()
    assert not (store.root / child / files[2]).exists()

    after = store.track(run), store.frames(run), store.events(run)
    assert after[0].values.tobytes() == before[0].values.tobytes()
    assert after[1:] == before[1:]


def test_where_the_disk_has_no_links_the_files_are_copied(
    store: RunStore, run: str, child: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    file = store.save_artefact(run, "grid", "png", b"picture")
    store.add_frame(run, 1, {"grid": {"file": file}, "points": {"file": "../../etc/passwd"}, "gone": {"file": 3}})
    store.flush()
    store.inherit(child, run, 5)
    assert store.artefact_path(child, file).read_bytes() == b"picture"
    assert [path.name for path in Path(store.root / child).iterdir()] == [file]


def test_an_unknown_parent_is_named(store: RunStore, child: str) -> None:
    with pytest.raises(RunNotFound):
        store.inherit(child, "nobody", 3)


def test_a_family_is_the_whole_tree_from_any_of_its_members(store: RunStore, run: str, child: str) -> None:
    store.create("other", name="Another", config={})
    for name, parent in (("second", run), ("grandchild", child), ("orphan", "gone-for-good")):
        store.create(name, name=name, config={}, parent=parent, forked_at=5)
    expected = [run, child, "second", "grandchild"]
    for member in expected:
        assert [record.id for record in store.family(member)] == expected
    assert [record.id for record in store.family("orphan")] == ["orphan"]
    assert [record.id for record in store.family("other")] == ["other"]
    store.update("second", status="stopped")
    store.delete("second")
    assert [record.id for record in store.family(run)] == [run, child, "grandchild"]

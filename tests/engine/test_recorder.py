"""Writing down: how often, in which order, and what happens while the disk is full."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from holding import Hold
from PIL import Image

from gan_core.engine.messages import Ended, Note, Push, Rows, Sight, State
from gan_core.engine.running import wire
from gan_core.engine.showing.live import LiveView, Status
from gan_core.engine.showing.making import made
from gan_core.engine.showing.recorder import Recorder, _merged
from gan_core.store import RunStore, StoreError

FULL = StoreError("The store cannot be written: database or disk is full.")


def rows(first: int, last: int, columns: tuple[str, ...] = ("D.loss", "seconds"), track: str = "turns") -> Rows:
    rounds = np.arange(first, last + 1)
    return Rows(track, columns, rounds, np.column_stack([rounds] * len(columns)).astype(np.float32))


def test_rows_are_written_together_and_after_what_was_seen() -> None:
    sight, note = Sight(2, {"histogram": 1}), Note(3, "checkpoint")
    messages = [rows(1, 2), sight, rows(3, 3), rows(2, 2, ("kl",), "diagnostics"), note, rows(4, 6)]
    one, two, turns, diagnostics = _merged(messages)
    assert (one, two) == (sight, note)
    assert turns.rounds.tolist() == [1, 2, 3, 4, 5, 6]
    assert turns.values[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert diagnostics.rounds.tolist() == [2]
    # Other columns are another table.
    assert len(_merged([rows(1, 1), rows(2, 2, ("D.loss", "D.gp", "seconds"))])) == 2


def test_rows_are_appended_about_every_tick(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch, until: Callable
) -> None:
    lab = open_lab(tick=0.2)
    appended: list[float] = []
    real = lab.store.append

    def append(run_id: str, track: str, *rest: Any) -> None:
        if track == "turns":
            appended.append(time.monotonic())
        real(run_id, track, *rest)

    monkeypatch.setattr(lab.store, "append", append)
    lab.submit(small({"schedule.rounds": 100_000_000, "diagnostics.every": 1_000_000}))
    until(lambda: appended)
    appended.clear()  # a change of the state does not wait for a tick
    until(lambda: len(appended) == 5)
    assert min(np.diff(appended)) > 0.19, "nothing is written between two ticks"


def test_what_changes_the_state_of_a_run_does_not_wait_for_the_tick(
    open_lab: Callable, small: Callable, until: Callable
) -> None:
    lab = open_lab(tick=100_000.0)
    run_id = lab.submit(small({"schedule.rounds": 100_000_000}))
    until(lambda: lab.view(run_id).status["state"] == "running")
    lab.command(run_id, "pause")
    until(lambda: lab.view(run_id).status["state"] == "paused")
    lab.command(run_id, "stop")
    assert lab.wait(run_id, 60).status == "stopped"


def test_a_paused_run_writes_nothing(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch, until: Callable
) -> None:
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 100_000_000}))
    lab.command(run_id, "pause")
    until(lambda: lab.store.run(run_id).status == "paused")
    recorder, view = lab._scheduler.active[run_id].recorder, lab.view(run_id)
    until(lambda: recorder._rounds == view.status["round"], "the last number is written")
    lab.store.flush()
    submitted: list[Any] = []
    real = lab.store._writer.submit
    monkeypatch.setattr(
        lab.store._writer, "submit", lambda *write, **size: submitted.append(write) or real(*write, **size)
    )
    time.sleep(0.4)  # nothing may happen meanwhile
    assert submitted == []


class Disk:
    """A store that can be told to be full: everything that is written raises, as when its memory is used up, too."""

    def __init__(self, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        for name in ("append", "add_frame", "add_event", "save_artefact", "update", "flush", "compact"):
            monkeypatch.setattr(store, name, self._guard(getattr(store, name)))
        disk = self
        monkeypatch.setattr(type(store), "problem", property(lambda store: str(FULL) if disk.full else None))

    def _guard(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **named: Any) -> Any:
            if self.full:
                raise FULL
            return write(*arguments, **named)

        return guarded


def test_a_run_trains_on_while_the_store_takes_nothing_and_says_so(
    open_lab: Callable,
    small: Callable,
    hold: Hold,
    until: Callable,
    monkeypatch: pytest.MonkeyPatch,
    trouble: list[str],
) -> None:
    hold.at(30)
    lab = open_lab(capacity=3)
    changes = {"schedule.rounds": 100_000_000, "diagnostics.every": 20}
    run_id, ending = lab.submit(small(changes)), lab.submit(small({"seed": 8, **changes}))
    pausing = lab.submit(small({"seed": 9, **changes}))
    until(lambda: all(lab.store.run(run).rounds == 30 for run in (run_id, ending, pausing)), "all is written")
    disk = Disk(lab.store, monkeypatch)
    disk.full = True
    hold.at(60)
    until(lambda: "disk is full" in lab.view(run_id).status["message"], "it is said")
    shown = len(json.loads(lab.view(run_id).snapshot())["tracks"]["turns"]["D.loss"]["x"])
    hold.at(90)
    until(lambda: len(json.loads(lab.view(run_id).snapshot())["tracks"]["turns"]["D.loss"]["x"]) > shown, "curves move")
    view = lab.view(ending)
    lab.command(ending, "stop")
    assert lab.is_active(pausing), lab.store.run(pausing)
    lab.command(pausing, "pause")
    until(lambda: not lab.is_active(ending), "an end is an end")
    assert view.status["state"] == "stopped"
    assert "disk is full" in view.status["message"]
    until(lambda: lab.view(pausing).status["state"] == "paused")
    assert lab.store.run(ending).status == "running", "nobody has written it down yet"
    disk.full = False
    hold.at(120)
    until(lambda: lab.store.run(ending).status == "stopped", "it is written now")
    until(lambda: lab.store.run(pausing).status == "paused")
    assert lab.store.run(ending).summary["state_hash"]
    until(lambda: lab.view(run_id).status["message"] == "", "the trouble is over")
    lab.command(run_id, "stop")
    assert lab.wait(run_id, 60).status == "stopped"
    for run in (run_id, ending):
        track = lab.store.track(run)
        assert (np.diff(track.rounds) > 0).all()
        (missing,) = [event for event in lab.store.events(run) if event.kind == "not_recorded"]
        gap = np.flatnonzero(np.diff(track.rounds) > 1)
        if run == run_id:
            assert len(gap) == 1, "one gap, and it is marked"
            assert missing.round <= track.rounds[gap[0] + 1]
    kinds = [event.kind for event in lab.store.events(ending)]
    assert kinds[-2:] in (["stopped", "not_recorded"], ["not_recorded", "stopped"])
    hold.let_go()
    # A run that was not there at the time knows nothing of it.
    well = lab.submit(small({"schedule.rounds": 3}))
    assert lab.wait(well, 60).status == "finished"
    assert all("disk is full" in line for line in trouble)
    trouble.clear()


def test_while_the_store_keeps_in_memory_nothing_is_lost(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable, trouble: list[str]
) -> None:
    """The real writer, its disk full for a while: what it was given is written when there is room again."""
    hold.at(50)
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 650, "diagnostics.every": 100}))
    until(lambda: len(lab.store.track(run_id)) == 50)
    writer = lab.store._writer
    room: list[int] = []

    def limit(connection: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        room.append(connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()[0])

    writer.call(limit)
    hold.at(600)  # more rows than what is free in the last pages of the file can hold
    until(lambda: lab.store.problem, "the disk is full")
    until(lambda: "full" in lab.view(run_id).status["message"], "and that is said")
    hold.let_go()
    until(lambda: lab.view(run_id).status["state"] == "finished" or not lab.is_active(run_id), "it ends all the same")
    with writer._changed:
        writer._connection.execute("PRAGMA max_page_count = 1000000")
    until(lambda: lab.store.run(run_id).status == "finished", "written")
    assert lab.store.track(run_id).rounds.tolist() == list(range(1, 651))
    assert [frame.round for frame in lab.store.frames(run_id)][-1] == 650
    assert lab.store.events(run_id)[-1].kind == "finished"
    assert lab.store.run(run_id).summary["metrics"]
    assert all("full" in line for line in trouble)
    trouble.clear()


def test_what_cannot_be_recorded_does_not_hold_up_what_comes_after(tmp_path: Any, trouble: list[str]) -> None:
    with RunStore(tmp_path) as store:
        store.create("a-run", name="", config={})
        view = LiveView("a-run", Status("queued"))
        recorder = Recorder(store, view)
        recorder.record(
            [
                State("running", 0),
                Sight(0, {"grid": np.zeros((2, 5, 4, 4), np.uint8)}),  # five channels are no picture
                Note(1, "odd", {"value": object()}),
                Rows("turns", ("a", "b"), np.arange(3), np.zeros((3, 1), np.float32)),
                Sight(1, {"histogram": {"counts": [1, 2], "n": 3}}),
                rows(1, 5),
            ]
        )
        recorder.end(Ended("failed", 5, "why", "where", {"seconds": 1.0}))
        assert not recorder.behind
        store.flush()
        run = store.run("a-run")
        assert (run.status, run.rounds, run.message, run.traceback) == ("failed", 5, "why", "where")
        assert store.track("a-run").rounds.tolist() == [1, 2, 3, 4, 5]
        assert [frame.round for frame in store.frames("a-run")] == [1]
        kinds = [event.kind for event in store.events("a-run")]
        assert [kind for kind in kinds if kind != "not_recorded"] == ["started", "failed"]
        assert "not_recorded" in kinds, "that rows and pictures are missing is said"
    assert len(trouble) == 3
    trouble.clear()


def test_pictures_and_clouds_of_points_become_files(tmp_path: Any) -> None:
    with RunStore(tmp_path) as store:
        store.create("a-run", name="", config={})
        view = LiveView("a-run", Status("queued"))
        cloud = {"fake": [[0.5, None]], "xs": [0.0, 1.0], "ys": [0.0, 1.0]}
        push = np.full((2, 1, 4, 4), 128, np.uint8)
        parts = {"grid": np.full((3, 3, 4, 4), 7, np.uint8), "points": cloud, "histogram": {"counts": [1], "n": 1}}
        parts["push"] = Push(push, 0.25)
        Recorder(store, view).record([Sight(4, parts)])
        view.tick()
        store.flush()
        (frame,) = store.frames("a-run")
        assert frame.parts["grid"]["count"] == 3
        assert json.loads(store.artefact_path("a-run", frame.parts["points"]["file"]).read_bytes()) == cloud
        assert store.artefact_path("a-run", frame.parts["grid"]["file"]).suffix == ".png"
        assert Image.open(store.artefact_path("a-run", frame.parts["thumb"]["file"])).getextrema()[3] == (0, 0)
        assert frame.parts["histogram"] == {"counts": [1], "n": 1}
        assert (frame.parts["push"]["count"], frame.parts["push"]["largest"]) == (2, 0.25)
        assert Image.open(store.artefact_path("a-run", frame.parts["push"]["file"])).getextrema() == (0, 128)
        assert json.loads(view.snapshot())["frames"] == [{"round": 4, "parts": frame.parts}]
        stream = io.BytesIO()  # as a process makes them of its own runs
        wire.write(stream, "a-run", made(Sight(5, parts)))
        stream.seek(0)
        Recorder(store, view).record([wire.read(stream)[1]])
        store.flush()
        assert store.frames("a-run")[-1].parts == frame.parts

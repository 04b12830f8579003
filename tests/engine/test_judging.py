"""The verdict of a run that trains: said as it goes, kept with the run, the same when it is read again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from holding import Hold

from gan_core.api import read_result
from gan_core.config import CURES, preset_config
from gan_core.engine.messages import Ended, Note, Rows
from gan_core.engine.observers import PlaneObserver
from gan_core.engine.running.clock import Clock
from gan_core.engine.showing.judging import RunJudge
from gan_core.engine.showing.live import LiveView, Status, stored_view
from gan_core.engine.showing.recorder import Recorder
from gan_core.metrics import states
from gan_core.store import RunStore
from gan_core.training import kept_checkpoints, load_checkpoint, state_hash

FLOORS = {"std_ratio": 1.0, "vendi_score": 10.0, "effective_modes": 8.0}
REFERENCE = {"floors": FLOORS, "class_names": list("12345678"), "points": [[0, 0]]}
DESCRIPTION = {"lines": {"D.loss": [[1.3863, "2 log 2"]]}, "score_unit": "probability"}
COURSE = [0.05, 0.2, 0.3, 0.5, 0.8, 0.95, *[1.0] * 8, 0.6, 0.4, 0.3, 0.2, 0.2, 0.2]
EVERY = 50


def turns(first: int, last: int) -> Rows:
    rounds = np.arange(first, last + 1)
    values = np.tile(np.array([1.39, 0.5, 0.5, 1.0, 0.1], np.float32), (len(rounds), 1))
    return Rows("turns", ("D.loss", "D.real", "D.fake", "G.grad_norm", "seconds"), rounds, values)


def measured(round: int, breadth: float) -> Rows:
    values = np.array([[breadth, 10 * breadth, 8 * breadth]], np.float32)
    return Rows("diagnostics", ("std_ratio", "vendi_score", "effective_modes"), np.array([round]), values)


def play(recorder: Recorder, course: list[float] = COURSE) -> None:
    recorder.record([Note(0, "reference", DESCRIPTION), Note(0, "reference", REFERENCE)])
    for index, breadth in enumerate(course):
        recorder.record([measured(index * EVERY, breadth), turns(index * EVERY + 1, (index + 1) * EVERY)])


@pytest.fixture
def store(tmp_path: Any) -> Any:
    with RunStore(tmp_path) as store:
        store.create("a-run", name="", config={"schedule": {"rounds": 3000}})
        yield store


def test_a_collapse_is_said_as_it_happens_and_kept(store: RunStore) -> None:
    view = LiveView("a-run", Status("running", rounds=3000))
    recorder = Recorder(store, view)
    play(recorder)
    view.tick()
    shown = json.loads(view.snapshot())
    assert shown["status"]["verdict"]["state"] == "collapsed"
    assert shown["status"]["verdict"]["onset_round"] == 15 * EVERY
    assert shown["status"]["verdict"]["cures"]
    marks = [event for event in shown["events"] if event["kind"] == "verdict"]
    assert [mark["data"]["state"] for mark in marks] == [change.state for change in recorder.verdicts]
    assert marks[-1]["data"]["label"] == "Collapsed"
    assert marks[-1]["data"]["evidence"][0]["value"] < marks[-1]["data"]["evidence"][0]["threshold"]
    recorder.end(Ended("finished", 1000, summary={"seconds": 1.0}))
    store.flush()
    assert store.run("a-run").summary["verdict"]["state"] == "collapsed"
    assert [event.data["state"] for event in store.events("a-run") if event.kind == "verdict"][-1] == "collapsed"
    again = json.loads(stored_view(store, store.run("a-run")).snapshot())
    assert again["status"]["verdict"] == shown["status"]["verdict"]
    assert [e["data"] for e in again["events"] if e["kind"] == "verdict"] == [mark["data"] for mark in marks]


def test_a_run_from_before_there_were_verdicts_gets_one(store: RunStore) -> None:
    for data in (DESCRIPTION, REFERENCE):
        store.add_event("a-run", 0, "reference", data)
    for index, breadth in enumerate(COURSE):
        for rows in (turns(index * EVERY + 1, (index + 1) * EVERY), measured(index * EVERY, breadth)):
            store.append("a-run", rows.track, rows.columns, rows.rounds, rows.values)
    store.update("a-run", status="finished", rounds=1000, summary={"seconds": 1.0})
    store.flush()
    view = stored_view(store, store.run("a-run"))
    assert view.status["verdict"]["state"] == "collapsed"
    assert read_result(store, store.run("a-run")).verdict["onset_round"] == 15 * EVERY
    store.update("a-run", status="diverged", message="D.loss is not finite at round 1,000")
    assert stored_view(store, store.run("a-run")).status["verdict"]["sentence"].startswith("D.loss is not finite")


def test_rows_may_come_before_what_they_are_compared_with(store: RunStore) -> None:
    judge = RunJudge(3000)
    for index, breadth in enumerate(COURSE):
        for rows in (measured(index * EVERY, breadth), turns(index * EVERY + 1, (index + 1) * EVERY)):
            judge.add_rows(rows.track, rows.columns, rows.rounds, rows.values)
    judge.add_reference(REFERENCE)
    judge.add_reference(DESCRIPTION)
    assert judge.settle()[-1].state == "collapsed"
    assert judge.settle() == []
    assert not judge.images


def judge_of(changes: dict[str, Any]) -> RunJudge:
    """The judge of a run that has lost the modes of the ring."""
    judge = RunJudge(3000, preset_config("ring-collapse", changes))
    judge.add_reference(DESCRIPTION)
    judge.add_reference(REFERENCE)
    for index, breadth in enumerate(COURSE):
        for rows in (measured(index * EVERY, breadth), turns(index * EVERY + 1, (index + 1) * EVERY)):
            judge.add_rows(rows.track, rows.columns, rows.rounds, rows.values)
    judge.settle()
    return judge


def test_no_cure_is_advised_that_the_run_has() -> None:
    plain, cured = judge_of({}), judge_of(CURES["r1"].changes)
    advised = plain.told()["cures"]
    assert "r1" in advised
    assert cured.told()["cures"] == [name for name in advised if name != "r1"]
    assert plain.told()["at_work"] is None


def test_a_cure_at_work_is_told_with_the_round_of_its_fork() -> None:
    judge = judge_of(CURES["r1"].changes)
    judge.add_event(500, "forked", {"cure": None})
    assert judge.told()["at_work"] is None
    judge.add_event(700, "forked", {"cure": "r1"})
    judge.add_event(900, "forked", {"cure": "wgan_gp"})  # which a later fork took away again
    judge.add_event(950, "forked", {"cure": None})
    assert judge.told()["at_work"] == {"cure": "r1", "round": 700}


TURNED = {"changes": {"optimizers.generator.lr": 0.05, "schedule.n_critic": 7}, "label": "lr 0.05, n_critic 7"}


def test_a_knob_before_the_onset_is_suspected_live_and_stored(store: RunStore) -> None:
    config = preset_config("ring-collapse")
    store.create("turned", name="", config=config.to_dict())
    view = LiveView("turned", Status("running", rounds=3000), config)
    recorder = Recorder(store, view)
    recorder.record([Note(0, "reference", DESCRIPTION), Note(0, "reference", REFERENCE)])
    for index, breadth in enumerate(COURSE):
        if index == 14:
            recorder.record([Note(13 * EVERY + 20, "knob", TURNED)])
        recorder.record([measured(index * EVERY, breadth), turns(index * EVERY + 1, (index + 1) * EVERY)])
    said = view.status["verdict"]
    assert said["state"] == "collapsed"
    assert said["suspect"]["round"] == 13 * EVERY + 20
    assert said["suspect"]["undo"] == {"optimizers.generator.lr": 4e-3, "schedule.n_critic": 5}
    assert said["suspect"]["undo_label"] == "learning rate of G back to 0.004, D steps per round back to 5"
    assert said["sentence"].startswith("Just after G's lr → 0.05, D steps per round → 7 at round 670: ")
    recorder.end(Ended("finished", 1000, summary={"seconds": 1.0}))
    store.flush()
    assert stored_view(store, store.run("turned")).status["verdict"] == said


def test_a_fork_with_a_cure_says_so_live_and_stored(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    parent = lab.submit(small({"schedule.rounds": 60, "diagnostics.every": 10, "diagnostics.budget": 1.0}))
    lab.wait(parent, 60)
    child = lab.fork(parent, CURES["r1"].changes)
    grandchild = lab.fork(child, {"schedule.n_critic": 2}) if lab.wait(child, 60) else ""
    lab.wait(grandchild, 60)
    assert [event.data["cure"] for event in lab.store.events(grandchild) if event.kind == "forked"] == ["r1", None]
    for run in (child, grandchild):
        assert lab.store.run(run).summary["verdict"]["at_work"] == {"cure": "r1", "round": 60}
        assert stored_view(lab.store, lab.store.run(run)).status["verdict"]["at_work"] == {"cure": "r1", "round": 60}


def test_a_divergence_is_a_verdict(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    sgd = {"name": "sgd", "lr": 0.3, "momentum": 0.9}
    changes = {"optimizers.generator": sgd, "optimizers.discriminator": sgd, "objective.loss": "least_squares"}
    run_id = lab.submit(small({**changes, "schedule.rounds": 1000}))
    run = lab.wait(run_id, 60)
    assert run.status == "diverged"
    assert run.summary["verdict"]["state"] == "diverged"
    assert lab.recent()[0]["verdict"]["title"] == "Diverged"
    assert lab.view(run_id).status["verdict"]["onset_round"] == run.rounds
    assert [event.data["state"] for event in lab.store.events(run_id) if event.kind == "verdict"][-1] == "diverged"


Course = Callable[[int], float]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Course], None]:
    """``scripted(course)``: every look at points reads this breadth, whatever the generator makes.

    None is left out because looks have taken more than their share of the time: how long one takes, no script says.
    """
    real_look = PlaneObserver.look

    def script(course: Course) -> None:
        def look(self: PlaneObserver, game: Any, round: int) -> Any:
            _, sight = real_look(self, game, round)
            return {"std_ratio": course(round)}, sight

        monkeypatch.setattr(PlaneObserver, "look", look)
        monkeypatch.setattr(Clock, "measuring", property(lambda clock: 0.0, lambda clock, seconds: None), raising=False)

    return script


# Measured every fifth round, so that a slow machine has few of them to play.
SCRIPTED = {"diagnostics.samples": 16, "diagnostics.every": 5}


def a_collapse_at(fall: int) -> Course:
    return lambda round: min(1.0, 0.05 + round / 50) if round < fall else 0.2


def test_a_run_pauses_by_itself_says_why_and_keeps_what_it_was_before(
    open_lab: Callable, small: Callable, until: Callable, scripted: Callable, hold: Hold
) -> None:
    hold.at(180)  # what a run was long before is not remembered
    scripted(a_collapse_at(150))
    lab = open_lab()
    config = small({"schedule.rounds": 100_000_000, "diagnostics.pause_on": ["collapsed"], **SCRIPTED})
    run_id = lab.submit(config)
    until(lambda: lab.view(run_id).status["state"] == "paused")
    status = lab.view(run_id).status
    assert status["message"] == "Paused by itself: collapsed since round 150."
    assert status["verdict"]["state"] == "collapsed"
    folder = lab.store.checkpoint_dir(run_id)
    until(lambda: kept_checkpoints(folder))
    assert lab.kept_for(run_id) == kept_checkpoints(folder) == {145: "before Collapsed, round 150"}
    until(lambda: any(event.kind == "kept" for event in lab.store.events(run_id)))
    # The state is that of the run at that round, bit for bit: another that is not paused passes through it.
    lab.command(run_id, "resume")
    hold.let_go()
    until(lambda: lab.view(run_id).status["state"] == "running")
    until(lambda: lab.view(run_id).status["message"] == "", "it no longer says why it paused")
    lab.command(run_id, "checkpoint")
    lab.command(run_id, "stop")
    assert lab.wait(run_id, 60).status == "stopped"
    assert 145 in lab.kept_rounds(run_id), "saving goes on and leaves it alone"
    other = lab.wait(lab.submit(small({"schedule.rounds": 145, **SCRIPTED})), 60)
    kept = load_checkpoint(folder / "round-000000145.json")
    whole = {name: value for name, value in kept.items() if name not in ("seconds", "measuring")}
    assert state_hash(whole) == other.summary["state_hash"]
    # And what was kept can be forked.
    child = lab.wait(lab.fork(run_id, {"schedule.rounds": 150}, at=145), 60)
    assert child.status == "finished"


def test_a_collapse_from_the_start_has_no_state_before_it(
    open_lab: Callable, small: Callable, until: Callable, scripted: Callable, hold: Hold
) -> None:
    hold.at(420)  # nobody speaks of a collapse from the start before a tenth of the rounds
    scripted(lambda round: 0.2)
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 4000, **SCRIPTED}))
    until(lambda: lab.view(run_id).status["verdict"].get("state") == "collapsed")
    lab.command(run_id, "stop")
    run = lab.wait(run_id, 60)
    assert run.status == "stopped"
    assert kept_checkpoints(lab.store.checkpoint_dir(run_id)) == {}


def test_judging_goes_on_where_a_run_that_was_stopped_had_been(
    open_lab: Callable, small: Callable, until: Callable, scripted: Callable, hold: Hold
) -> None:
    hold.at(75)
    scripted(a_collapse_at(125))
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 175, **SCRIPTED}))
    until(lambda: lab.view(run_id).status["round"] == 75)
    lab.command(run_id, "stop")
    lab.wait(run_id, 60)
    hold.let_go()
    lab.resume(run_id)
    run = lab.wait(run_id, 60)
    assert run.summary["verdict"]["onset_round"] == 125
    said = [event.data["state"] for event in lab.store.events(run_id) if event.kind == "verdict"]
    assert said == ["varied", "collapsed"]


def test_birthdays_are_counted_when_asked_for(open_lab: Callable, small: Callable, until: Callable) -> None:
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 100_000_000}))
    until(lambda: lab.view(run_id).status["state"] == "running")
    lab.command(run_id, "birthday")
    until(lambda: any(event.kind == "birthday" for event in lab.store.events(run_id)))
    (found,) = [event for event in lab.store.events(run_id) if event.kind == "birthday"]
    assert found.data["samples"] == 64
    assert found.data["real"] == 1000
    assert found.data["distinct"] >= 1
    lab.command(run_id, "stop")
    assert lab.wait(run_id, 60).status == "stopped"


def test_every_cure_that_a_verdict_names_is_one() -> None:
    named = {name for of_points, of_images in states.CURES.values() for name in (*of_points, *of_images)}
    assert named <= set(CURES)
    for name in named:
        for preset in ("ring-mlp", "digits-mlp"):
            preset_config(preset).replace(CURES[name].changes)

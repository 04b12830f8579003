"""Many runs in one lab: who may train, who waits, what can be asked of whom, and that no run disturbs another."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from holding import Hold
from PIL import Image

from gan_core.config import ConfigError, RunConfig
from gan_core.engine import COMMANDS, Lab, Refused
from gan_core.engine.running import runner, scheduler
from gan_core.failpoints import armed
from gan_core.store import RunNotFound, StoreError
from gan_core.training import checkpoints, round_of


def state(lab: Lab, run_id: str) -> str:
    return str(lab.view(run_id).status["state"])


def scalars(lab: Lab, run_id: str) -> dict[str, bytes]:
    track = lab.store.track(run_id)
    return {name: track.column(name).tobytes() for name in track.columns if name != "seconds"}


def training_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("run-")]


# --- a run's life ---


def test_a_run_from_the_queue_to_its_end_and_after_a_restart(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    run_id = lab.submit(small(), name="first", tags=("a", "b"))
    run = lab.wait(run_id, 60)
    assert (run.status, run.rounds, run.name, run.tags) == ("finished", 24, "first", ("a", "b"))
    assert run.started_at is not None
    assert run.created_at <= run.started_at <= run.ended_at
    assert set(run.summary) == {"seconds", "metrics", "verdict", "state_hash"}
    assert run.environment["threads"] == 1
    assert RunConfig.load(run.config) == small()
    assert not lab.is_active(run_id)
    assert training_threads() == []

    def read(lab: Lab) -> tuple[Any, ...]:
        store = lab.store
        tracks = [(name, store.track(run_id, name)) for name in store.track_names(run_id)]
        return (
            store.run(run_id),
            {name: (track.columns, track.rounds.tolist(), track.values.tobytes()) for name, track in tracks},
            store.frames(run_id),
            store.events(run_id),
        )

    before = read(lab)
    assert before[1]["turns"][1] == list(range(1, 25))
    assert [frame.round for frame in before[2]] == [0, 5, 10, 20, 24]
    assert before[1]["diagnostics"][1] == [0, 5, 10, 20, 24]
    kinds = [event.kind for event in before[3]]
    assert kinds == ["reference", "started", "reference", "checkpoint", "finished"]
    for frame in before[2]:
        assert lab.store.artefact_path(run_id, frame.parts["points"]["file"]).is_file()
    lab.close()
    assert read(open_lab()) == before


def test_a_clock_that_jumps_back_changes_no_order_and_no_duration(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = open_lab(capacity=1)
    now = [2e9]

    def backwards() -> float:
        now[0] -= 3600
        return now[0]

    monkeypatch.setattr("gan_core.store.run_store.time.time", backwards)
    started = time.monotonic()
    runs = [lab.submit(small({"seed": seed})) for seed in range(2)]
    ended = [lab.wait(run, 60) for run in runs]
    assert [run.id for run in lab.store.runs()] == runs[::-1]
    for run in ended:
        assert run.status == "finished"
        assert 0 < run.summary["seconds"] <= time.monotonic() - started
        kinds = [event.kind for event in lab.store.events(run.id)]
        assert kinds.index("started") < kinds.index("finished") == len(kinds) - 1
        assert lab.store.track(run.id).rounds.tolist() == list(range(1, 25))


def test_a_paused_run_gives_up_its_place_and_goes_on_when_told(
    open_lab: Callable, small: Callable, until: Callable, hold: Hold
) -> None:
    hold.at(5)
    lab = open_lab(capacity=1)
    first = lab.submit(small({"schedule.rounds": 100_000_000}))
    until(lambda: state(lab, first) == "running")
    second = lab.submit(small({"schedule.rounds": 5}))
    assert lab.view(second).status["place"] == 1
    lab.command(first, "pause")
    assert lab.wait(second, 60).status == "finished"
    assert state(lab, first) == "paused"
    third = lab.submit(small({"schedule.rounds": 100_000_000}))
    until(lambda: state(lab, third) == "running")
    lab.command(first, "resume")
    until(lambda: state(lab, first) == "running")
    assert state(lab, third) == "running"
    for run in (first, third):
        lab.command(run, "stop")
        assert lab.wait(run, 60).status == "stopped"


def test_at_most_so_many_train_and_the_others_know_their_place(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch, until: Callable
) -> None:
    real = runner.play
    gates = {number: threading.Event() for number in range(2, 7)}
    order: list[int] = []

    def play(game: Any, played: int = 0) -> Any:
        order.append(game.batch_size)
        assert gates[game.batch_size].wait(60)
        yield from real(game, played)

    monkeypatch.setattr(runner, "play", play)
    lab = open_lab(capacity=2)
    runs = [lab.submit(small({"data.batch_size": number, "schedule.rounds": 8})) for number in gates]

    def places() -> list[int | None]:
        return [json.loads(lab.view(run).snapshot())["status"]["place"] for run in runs]

    until(lambda: len(order) == 2)
    for ended, number in enumerate(gates):
        training, waiting = runs[ended : ended + 2], runs[ended + 2 :]
        until(lambda queue=waiting: places()[5 - len(queue) :] == [*range(1, len(queue) + 1)])
        assert [state(lab, run) for run in waiting] == ["queued"] * len(waiting)
        assert [lab.view(run).status["place"] for run in training] == [None] * len(training)
        assert sorted(order[:2]) == [2, 3]
        assert order[2:] == [4, 5, 6][:ended]
        gates[number].set()
        lab.wait(runs[ended], 60)
        started = min(ended + 3, len(runs))
        until(lambda started=started: len(order) == started)
    records = [lab.store.run(run) for run in runs]
    assert [record.status for record in records] == ["finished"] * 5
    starts = [record.started_at for record in records]
    assert starts[2:] == sorted(starts[2:])


def test_a_queued_run_can_be_stopped_and_continued(open_lab: Callable, small: Callable, hold: Hold) -> None:
    hold.at(24)
    lab = open_lab(capacity=1)
    first = lab.submit(small({"schedule.rounds": 100_000_000}))
    second, third = (lab.submit(small({"seed": seed})) for seed in range(2))
    for command in ("pause", "resume", "sample", "checkpoint"):
        with pytest.raises(Refused, match="still waiting for its turn"):
            lab.command(second, command)
    lab.command(second, "stop")
    assert lab.store.run(second).status == "stopped"
    assert not lab.is_active(second)
    assert state(lab, second) == "stopped"
    assert lab.view(third).status["place"] == 1
    assert lab.resume(second) == 0
    assert lab.view(second).status["place"] == 2
    lab.command(first, "stop")
    assert lab.wait(second, 60).status == "finished"
    assert lab.store.track(second).rounds.tolist() == list(range(1, 25))
    assert [lab.store.run(run).status for run in (first, third)] == ["stopped", "finished"]
    assert lab.store.run(third).ended_at <= lab.store.run(second).started_at


def test_a_double_click_is_one_run(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    config = small({"schedule.rounds": 2})
    gate = threading.Barrier(20)

    def click(number: int) -> str:
        gate.wait()
        return lab.submit(config, key=f"click-{number % 2}")

    with ThreadPoolExecutor(20) as clicks:
        ids = list(clicks.map(click, range(20)))
    assert len(set(ids)) == 2
    assert len(set(ids[::2])) == len(set(ids[1::2])) == 1
    assert len(lab.store.runs()) == 2
    assert lab.submit(config) != lab.submit(config), "without a key every submission counts"


def test_a_click_whose_run_could_not_be_written_may_be_repeated(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = open_lab()
    real = lab.store.create

    def refuse(*arguments: Any, **named: Any) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(lab.store, "create", refuse)
    with pytest.raises(StoreError, match="full"):
        lab.submit(small(), key="click")
    assert lab.recent() == []
    monkeypatch.setattr(lab.store, "create", real)
    run_id = lab.submit(small({"schedule.rounds": 2}), key="click")
    assert lab.wait(run_id, 60).status == "finished"


def test_a_config_that_cannot_be_built_leaves_nothing_behind(open_lab: Callable) -> None:
    lab = open_lab()
    with pytest.raises(ConfigError, match="unknown name"):
        lab.submit(RunConfig().replace({"data.name": "rings"}), key="click")
    assert lab.store.runs() == []


def test_the_queue_has_an_end(open_lab: Callable, small: Callable, hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "MAX_WAITING", 3)
    hold.at(1)
    lab = open_lab(capacity=1)
    first, *_ = [lab.submit(small({"seed": seed, "schedule.rounds": 100_000_000})) for seed in range(4)]
    with pytest.raises(Refused, match=f"3 runs are waiting already until {first} ends, or another; at most 3 can"):
        lab.submit(small())
    assert len(lab.store.runs()) == 4


def test_a_run_that_gets_no_thread_is_failed_and_gives_its_place_back(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = open_lab(capacity=1)
    real = lab._scheduler.executor.submit

    def refuse(job: Any) -> None:
        monkeypatch.setattr(lab._scheduler.executor, "submit", real)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(lab._scheduler.executor, "submit", refuse)
    run = lab.wait(lab.submit(small({"schedule.rounds": 2})), 60)
    assert run.status == "failed"
    assert "can't start new thread" in run.message
    assert lab.wait(lab.submit(small({"schedule.rounds": 2})), 60).status == "finished"


# --- commands ---


def test_pause_sample_save_resume_stop_continue(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable
) -> None:
    hold.at(10)
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 200, "diagnostics.every": 1_000_000}))
    until(lambda: lab.view(run_id).status["round"] == 10, "it trains")
    lab.command(run_id, "pause")
    until(lambda: state(lab, run_id) == "paused", "it pauses")
    until(lambda: lab.store.run(run_id).status == "paused", "the store knows")
    paused = lab.view(run_id).status
    time.sleep(0.2)  # nothing may happen meanwhile
    assert lab.view(run_id).status == paused, "no row comes and no clock runs"
    lab.store.flush()
    assert lab.store.track(run_id).rounds[-1] == paused["round"]
    lab.command(run_id, "sample")
    until(lambda: lab.store.frames(run_id)[-1].round == paused["round"], "a frame of this very round")
    lab.command(run_id, "checkpoint")
    folder = lab.store.checkpoint_dir(run_id)
    until(lambda: [round_of(path) for path in checkpoints(folder)] == [paused["round"]], "it is saved")
    time.sleep(0.1)  # nothing may happen meanwhile
    assert state(lab, run_id) == "paused", "saving does not end the pause"
    lab.command(run_id, "resume")
    hold.at(20)
    until(lambda: lab.view(run_id).status["round"] == 20, "it goes on")
    assert state(lab, run_id) == "running"
    frames = len(lab.store.frames(run_id))
    lab.command(run_id, "sample")
    until(lambda: len(lab.store.frames(run_id)) > frames, "a frame while it runs")
    lab.command(run_id, "stop")
    stopped = lab.wait(run_id, 60)
    assert stopped.status == "stopped"
    assert (paused["round"], stopped.rounds) == (10, 20)
    assert round_of(checkpoints(folder)[-1]) == stopped.rounds
    assert lab.store.track(run_id).rounds.tolist() == list(range(1, stopped.rounds + 1))
    assert lab.resume(run_id) == stopped.rounds
    assert lab.view(run_id).status["round"] == stopped.rounds
    with pytest.raises(Refused, match=r"This run is (queued|running)\."):
        lab.resume(run_id)
    hold.let_go()
    assert lab.wait(run_id, 60).status == "finished"
    assert lab.store.track(run_id).rounds.tolist() == list(range(1, 201))
    kinds = [event.kind for event in lab.store.events(run_id) if event.kind not in ("reference", "checkpoint")]
    assert kinds == ["started", "paused", "resumed", "stopped", "resumed", "finished"]
    rounds = [frame.round for frame in lab.store.frames(run_id)]
    assert rounds == sorted(set(rounds))
    assert lab.store.track(run_id, "diagnostics").rounds.tolist() == rounds


def test_what_cannot_be_asked_is_refused_in_a_sentence(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 2}))
    lab.wait(run_id, 60)
    for command in COMMANDS:
        with pytest.raises(Refused, match=r"^This run is finished already\.$"):
            lab.command(run_id, command)
    with pytest.raises(
        Refused,
        match=r"^This run has played all its rounds\. To train on from its end, fork it: `python -m gan_core fork",
    ):
        lab.resume(run_id)
    with pytest.raises(Refused, match="asked to 'dance'"):
        lab.command(run_id, "dance")
    for unknown in ("no-such-run", "../../etc/passwd", ""):
        for ask in (lambda run: lab.command(run, "stop"), lab.resume, lab.view, lab.wait, lab.delete):
            with pytest.raises(RunNotFound):
                ask(unknown)
    assert lab.store.run(run_id).status == "finished"


def test_deleting_asks_to_stop_first_and_a_deleted_run_is_not_continued(
    open_lab: Callable, small: Callable, hold: Hold
) -> None:
    hold.at(5)
    lab = open_lab(capacity=1)
    run_id, queued = lab.submit(small({"schedule.rounds": 100_000_000})), lab.submit(small())
    for active in (run_id, queued):
        with pytest.raises(Refused, match="Stop the run first"):
            lab.delete(active)
    lab.command(queued, "stop")
    lab.command(run_id, "stop")
    lab.wait(run_id, 60)
    lab.delete(run_id)
    assert [card["id"] for card in lab.recent()] == [queued]
    with pytest.raises(Refused, match="deleted"):
        lab.resume(run_id)
    lab.store.restore(run_id)
    lab.resume(run_id)
    lab.command(run_id, "stop")
    assert lab.wait(run_id, 60).status == "stopped"


def test_a_run_of_another_process_is_not_commanded_from_here(open_lab: Callable, small: Callable, hold: Hold) -> None:
    hold.at(5)
    one, other = open_lab(), open_lab()
    run_id = one.submit(small({"schedule.rounds": 100_000_000}))
    with pytest.raises(Refused, match="another process"):
        other.command(run_id, "stop")
    with pytest.raises(Refused, match=r"This run is (queued|running)\."):
        other.resume(run_id)
    with pytest.raises(StoreError, match="Stop the run first"):
        other.delete(run_id)
    one.command(run_id, "stop")
    assert one.wait(run_id, 60).status == "stopped"
    # Not found by its own lab, it may be continued by any.
    other.resume(run_id)
    other.command(run_id, "stop")
    assert other.wait(run_id, 60).status == "stopped"


def test_a_storm_of_commands_ends_in_a_legal_state(open_lab: Callable, small: Callable, until: Callable) -> None:
    lab = open_lab(capacity=2)
    config = small({"schedule.rounds": 120, "schedule.n_critic": 2, "diagnostics.samples": 16})
    runs = [lab.submit(config.replace({"seed": seed})) for seed in range(4)]
    errors: list[BaseException] = []
    end = time.monotonic() + 2.0

    def storm(number: int) -> None:
        dice = random.Random(number)
        while time.monotonic() < end:
            run_id = dice.choice(runs)
            try:
                match dice.randrange(12):
                    case 0:
                        lab.resume(run_id)
                    case 1:
                        lab.view(run_id).snapshot()
                    case 2:
                        lab.recent()
                    case 3:
                        lab.delete(run_id)
                        lab.store.restore(run_id)
                    case _:
                        lab.command(run_id, dice.choice([*COMMANDS, "pause", "resume"]))
            except Refused:
                pass
            except StoreError as error:
                if "Stop the run first" not in str(error):
                    errors.append(error)
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=storm, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a dead lock"
    assert errors == []
    for run_id in runs:
        lab.store.restore(run_id)
        with suppress(Refused):  # it may end by itself in between
            lab.command(run_id, "stop")
    for run_id in runs:
        run = lab.wait(run_id, 60)
        assert run.status in ("stopped", "finished", "interrupted"), run.message
        assert lab.store.track(run_id).rounds.tolist() == list(range(1, run.rounds + 1))
        rounds = lab.store.track(run_id, "diagnostics").rounds.tolist()
        assert rounds == sorted(set(rounds))
        if run.status != "finished":
            lab.resume(run_id)
    hashes = {lab.wait(run_id, 60).summary["state_hash"] for run_id in runs}
    assert all(lab.store.run(run_id).status == "finished" for run_id in runs)
    assert len(hashes) == 4
    # What they went through has left no trace in the numbers.
    calm = lab.submit(config.replace({"seed": 2}))
    assert lab.wait(calm, 60).summary["state_hash"] == lab.store.run(runs[2]).summary["state_hash"]
    assert scalars(lab, calm) == scalars(lab, runs[2])


# --- the same numbers ---


def test_a_run_is_the_same_alone_beside_another_and_watched(
    open_lab: Callable, small: Callable, until: Callable, hold: Hold
) -> None:
    lab = open_lab(capacity=2)
    changes = {
        "schedule.rounds": 80,
        "model.discriminator.dropout": 0.3,
        "model.generator.normalization": "batch",
        "diagnostics.samples": 16,
    }
    alone = lab.submit(small(changes))
    lab.wait(alone, 60)
    hold.at(33)
    other = lab.submit(small(changes | {"seed": 9, "schedule.rounds": 100_000_000}))
    watched = lab.submit(small(changes))
    heard: list[int] = []
    view = lab.view(watched)
    leave = [view.subscribe(lambda: heard.append(view.cursor)) for _ in range(5)]
    for round in (33, 47, 61):
        hold.at(round)
        until(lambda round=round: view.status["round"] == round)
        for command in ("pause", "sample", "checkpoint", "resume"):
            lab.command(watched, command)
        until(lambda round=round: lab.store.frames(watched)[-1].round == round, "it was looked at where nobody would")
        view.snapshot()
    hold.let_go()
    lab.wait(watched, 60)
    for stop in leave:
        stop()
    lab.command(other, "stop")
    assert lab.wait(other, 60).status == "stopped"
    assert heard
    assert len(lab.store.frames(watched)) > len(lab.store.frames(alone))
    assert scalars(lab, watched) == scalars(lab, alone)
    records = [lab.store.run(run) for run in (alone, watched)]
    assert records[0].summary["state_hash"] == records[1].summary["state_hash"]
    assert scalars(lab, other) != scalars(lab, alone)


def test_interrupted_and_resumed_in_the_lab_is_the_same_run(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable
) -> None:
    config = small({"schedule.rounds": 60, "objective": "wgan_gp"})
    with Lab(open_lab().store.root.parent / "whole", tick=0.05) as lab:
        run_id = lab.submit(config)
        whole = lab.wait(run_id, 60), scalars(lab, run_id)
    run_id = ""
    for round in (7, 23, 41):
        hold.at(round)
        lab = open_lab()
        if run_id:
            lab.resume(run_id)
        else:
            run_id = lab.submit(config)
        view = lab.view(run_id)
        until(lambda view=view, round=round: view.status["round"] == round, f"round {round}")
        lab.close()
    hold.let_go()
    lab = open_lab()
    lab.resume(run_id)
    assert lab.wait(run_id, 60).summary["state_hash"] == whole[0].summary["state_hash"]
    assert scalars(lab, run_id) == whole[1]
    assert lab.store.track(run_id).rounds.tolist() == list(range(1, 61))


# --- failures ---


class Bang(BaseException):
    pass


def test_a_run_that_fails_touches_nothing_else(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch, until: Callable
) -> None:
    real = runner.play

    def play(game: Any, played: int = 0) -> Any:
        for turn in real(game, played):
            if game.batch_size == 16 and turn.round == 5:
                raise Bang("it had to be")
            yield turn

    monkeypatch.setattr(runner, "play", play)
    lab = open_lab(capacity=2)
    well = lab.submit(small({"schedule.rounds": 80}))
    ill = lab.submit(small({"data.batch_size": 16}))
    after = lab.submit(small({"schedule.rounds": 5}))
    run = lab.wait(ill, 60)
    assert run.status == "failed"
    assert run.message == "Bang while training: it had to be"
    assert "in play" in run.traceback
    assert run.rounds == 4
    assert lab.store.track(ill).rounds.tolist() == [1, 2, 3, 4]
    assert json.loads(lab.view(ill).snapshot())["status"]["message"] == run.message
    assert lab.store.events(ill)[-1].kind == "failed"
    assert lab.wait(after, 60).status == "finished", "its place was free"
    assert lab.wait(well, 60).status == "finished"
    until(lambda: training_threads() == [], "all threads are gone")
    monkeypatch.setattr(runner, "play", real)
    assert lab.resume(ill) == 0
    assert lab.wait(ill, 60).status == "finished"
    assert lab.store.run(ill).traceback == ""
    assert lab.store.track(ill, "diagnostics").rounds.tolist() == [0, 5, 10, 20, 24]


def test_a_thread_that_dies_without_a_word_is_noticed(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_core.engine.running.executors.run_job", lambda *arguments: None)
    lab = open_lab(capacity=1)
    for _ in range(2):
        run = lab.wait(lab.submit(small()), 60)
        assert (run.status, run.message) == ("failed", "The run died without a word.")


def test_a_run_is_not_taken_for_dead_while_it_is_being_started(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = open_lab()
    real = lab._scheduler.executor.submit

    def hesitate(job: Any) -> None:
        for _ in range(5):
            lab._wake.set()
            time.sleep(0.05)  # of any length
        real(job)

    monkeypatch.setattr(lab._scheduler.executor, "submit", hesitate)
    assert lab.wait(lab.submit(small({"schedule.rounds": 2})), 60).status == "finished"


def test_the_memory_of_a_failed_run_is_given_back(
    open_lab: Callable, small: Callable, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gc
    import weakref

    games = []
    real = runner.build

    def build(*arguments: Any) -> Any:
        game = real(*arguments)
        games.append(weakref.ref(game))
        return game

    monkeypatch.setattr(runner, "build", build)
    lab = open_lab()
    with armed("backward=memory@20"):
        assert lab.wait(lab.submit(small()), 60).status == "failed"
    assert len(games) == 1
    until(lambda: gc.collect() >= 0 and games[0]() is None, "its thread is over, and the game with it")


def test_divergence_is_an_end_with_its_round_that_can_be_resumed(open_lab: Callable, small: Callable) -> None:
    sgd = {"name": "sgd", "lr": 0.3, "momentum": 0.9}
    changes = {"optimizers.generator": sgd, "optimizers.discriminator": sgd, "objective.loss": "least_squares"}
    lab = open_lab()
    run_id = lab.submit(small({**changes, "schedule.rounds": 1000}))
    run = lab.wait(run_id, 60)
    assert run.status == "diverged"
    track = lab.store.track(run_id)
    losses = np.column_stack([track.column("D.loss"), track.column("G.loss")])
    bad = int(np.flatnonzero(~np.isfinite(losses).all(1))[0])
    assert len(track) == bad + 1 == run.rounds == track.rounds[bad]
    ends = [event for event in lab.store.events(run_id) if event.kind == "diverged"]
    assert [(event.round, event.data["message"]) for event in ends] == [(run.rounds, run.message)]
    shown = json.loads(lab.view(run_id).snapshot())
    assert [event["round"] for event in shown["events"] if event["kind"] == "diverged"] == [run.rounds]
    assert lab.resume(run_id) == 0
    again = lab.wait(run_id, 60)
    assert (again.status, again.rounds) == ("diverged", run.rounds)
    assert len([event for event in lab.store.events(run_id) if event.kind == "diverged"]) == 1


# --- cards ---


def test_cards_survive_everything_that_can_be_in_a_store(open_lab: Callable, small: Callable, tmp_path: Path) -> None:
    import sqlite3

    lab = open_lab()
    good = lab.submit(small({"schedule.rounds": 2}))
    lab.wait(good, 60)
    for name, config in {
        "empty": {},
        "strange": {"schedule": 5, "data": [], "objective": {"name": {}}},
        "texts": {"schedule": {"rounds": "many"}, "data": {"name": 7}},
    }.items():
        lab.store.create(name, name=name, config=config)
    for name, part in {"framed": {"file": "grid-gone.png"}, "odd": 5, "null": None}.items():
        lab.store.create(name, name=name, config={})
        lab.store.add_frame(name, 3, {"grid": part})
    lab.store.create("damaged", name="damaged", config={})
    lab.store.flush()
    with sqlite3.connect(tmp_path / "ganscope.db") as database:
        database.execute("UPDATE runs SET config = '{' WHERE id = 'damaged'")
    database.close()
    lab._cards.forget()
    cards = {card["id"]: card for card in lab.recent(20)}
    json.dumps(list(cards.values()), allow_nan=False)
    assert len(cards) == 8
    assert all(card.keys() >= cards[good].keys() - {"data", "objective"} for card in cards.values())
    assert cards["damaged"]["state"] == "damaged"
    assert "config" in cards["damaged"]["message"]
    assert (cards[good]["state"], cards[good]["rounds"], cards[good]["data"]) == ("finished", 2, "ring")
    assert cards["framed"]["thumb"] == "grid-gone.png"
    assert cards["odd"]["thumb"] is cards["null"]["thumb"] is cards["empty"]["thumb"] is None
    for name in ("empty", "strange", "texts", "framed", "odd", "null"):
        json.loads(lab.view(name).snapshot())


def test_cards_are_cached_for_a_second_unless_a_run_comes_or_goes(
    open_lab: Callable, small: Callable, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold.at(5)
    lab = open_lab()
    reads = []
    real = lab.store.runs
    monkeypatch.setattr(lab.store, "runs", lambda **named: reads.append(1) or real(**named))
    assert lab.recent() == []
    run_id = lab.submit(small({"schedule.rounds": 100_000_000}))
    assert lab.recent()[0]["state"] in ("queued", "running")
    started = time.monotonic()
    for _ in range(50):
        lab.recent()
    assert len(reads) <= 3 + (time.monotonic() - started)
    lab.command(run_id, "stop")
    lab.wait(run_id, 60)
    assert lab.recent()[0]["state"] == "stopped"


def test_thumbnails_of_a_live_run_come_from_memory(
    open_lab: Callable,
    digits: Callable,
    hold: Hold,
    until: Callable,
    monkeypatch: pytest.MonkeyPatch,
    stand_in: Callable,
) -> None:
    for asked in ("get", "for_run"):
        monkeypatch.setattr(
            f"gan_core.engine.upkeep.classifiers.Classifiers.{asked}", lambda self, source: stand_in(source)
        )
    hold.at(5)
    lab = open_lab()
    run_id = lab.submit(digits({"schedule.rounds": 100_000_000}))
    asked = []
    monkeypatch.setattr(lab.store, "latest_frame", lambda *arguments: asked.append(arguments))
    until(lambda: lab._cards.forget() or lab.recent()[0]["thumb"], "a thumbnail")
    thumb = lab.recent()[0]["thumb"]
    assert asked == []
    assert lab.store.artefact_path(run_id, thumb).read_bytes().startswith(b"\x89PNG")
    frame = json.loads(lab.view(run_id).snapshot())["frames"][0]
    assert frame["parts"]["grid"]["count"] == 4
    assert sum(frame["parts"]["histogram"]["counts"]) == frame["parts"]["histogram"]["n"] == 64


def test_a_run_on_the_plane_has_a_thumbnail_too(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 2}))
    lab.wait(run_id, 60)
    thumb = lab.thumbnail(run_id)
    assert thumb is not None
    picture = Image.open(lab.store.artefact_path(run_id, thumb))
    assert picture.mode == "RGBA"
    assert picture.getextrema()[3] == (0, 210)  # transparent, and dots on it

"""The end of a lab, asked for or not: every run is interrupted once, saved, and goes on bit for bit."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forking import TEXT, begun, said, tell
from holding import Hold

from gan_core.checkpoints import drop, path_of
from gan_core.config import RunConfig
from gan_core.engine import Lab, Refused, close_lab, current_lab
from gan_core.engine import open_lab as open_the_lab
from gan_core.engine.programs import let_go
from gan_core.engine.running import executors, runner
from gan_core.engine.running.starting_points import checkpoint_to_go_on_from
from gan_core.engine.upkeep import housekeeping
from gan_core.store import RunStore, StoreError
from gan_core.training import checkpoints, keep_checkpoint, round_of


def scalars(store: RunStore, run_id: str) -> dict[str, bytes]:
    track = store.track(run_id)
    return {name: track.column(name).tobytes() for name in track.columns if name != "seconds"}


@pytest.mark.parametrize("number", range(4))
def test_closing_interrupts_running_paused_and_queued_runs_in_time(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable, number: int
) -> None:
    hold.at(5)
    lab = open_lab(capacity=3)
    running = [lab.submit(small({"seed": seed, "schedule.rounds": 5000})) for seed in range(number)]
    paused = running[-1:] if number > 1 else []
    queued = [lab.submit(small({"seed": seed})) for seed in (8, 9)] if number == 3 else []
    for run in running:
        until(lambda run=run: lab.view(run).status["round"] == 5)
    for run in paused:
        lab.command(run, "pause")
        until(lambda run=run: lab.view(run).status["state"] == "paused")
    heard: list[tuple[str, bool]] = []
    for run in running + queued:
        view = lab.view(run)
        view.subscribe(lambda run=run, view=view: heard.append((run, view.active)))
    lab.close(60.0)  # who could not be saved in time would say so below
    lab.close(60.0)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(("run-", "recorder"))] == []
    for run in running + queued:
        assert (run, False) in heard, "viewers were told"
    with RunStore(lab.store.root) as store:
        for run in running:
            record = store.run(run)
            assert (record.status, record.message) == ("interrupted", "")
            assert record.rounds == round_of(checkpoints(store.checkpoint_dir(run))[-1]) == store.track(run).rounds[-1]
            assert store.events(run)[-1].kind == "interrupted"
        for run in queued:
            assert (store.run(run).status, store.run(run).rounds) == ("interrupted", 0)
    again = open_lab(capacity=3)
    for run in running + queued:
        again.resume(run)
    assert [again.is_active(run) for run in running + queued] == [True] * len(running + queued)


def test_after_closing_nothing_is_accepted(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 2}))
    lab.wait(run_id, 60)
    lab.close()
    for ask in (lambda: lab.submit(small()), lambda: lab.resume(run_id)):
        with pytest.raises(Refused, match="shutting down"):
            ask()
    with pytest.raises((Refused, StoreError)):
        lab.command(run_id, "stop")


def test_a_submission_that_meets_the_closing_is_refused_or_interrupted(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable
) -> None:
    """No run is left over that says it trains."""
    hold.at(5)
    lab = open_lab(capacity=2)
    config = small({"schedule.rounds": 5000})
    refused = threading.Event()

    def submit() -> None:
        while not refused.is_set():
            try:
                lab.submit(config)
            except (Refused, StoreError) as error:
                if "waiting already" not in str(error):
                    refused.set()

    threads = [threading.Thread(target=submit) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: len(lab.store.runs()) > 10, "all submit")
    lab.close()
    for thread in threads:
        thread.join(60)
    assert refused.is_set()
    lab.close()
    with RunStore(lab.store.root) as store:
        states = {run.status for run in store.runs()}
    # One that was being written down just then belongs to a lab that is gone; in a new process it is an orphan.
    assert states <= {"interrupted", "queued"}
    assert len([run for run in RunStore(lab.store.root).runs() if run.status == "queued"]) <= 3


def test_a_round_that_takes_too_long_is_abandoned(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "ABANDON_SECONDS", 30.0)
    amid = threading.Event()
    real = runner.play

    def play(game: Any, played: int = 0) -> Any:
        for turn in real(game, played):
            time.sleep(0.05)  # of any length
            if turn.step == 3:
                amid.set()
            yield turn

    monkeypatch.setattr(runner, "play", play)
    lab = open_lab()
    run_id = lab.submit(small({"schedule.n_critic": 1000, "schedule.generator_steps": 1000}))
    assert amid.wait(60)
    lab.close(timeout=0.5)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("run-")] == []
    with RunStore(lab.store.root) as store:
        run = store.run(run_id)
    assert run.status == "interrupted"
    assert "no time to save" in run.message


def test_a_run_that_hangs_does_not_keep_the_server(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch, until: Callable
) -> None:
    hangs, let_go = threading.Event(), threading.Event()
    real = runner.play

    def play(game: Any, played: int = 0) -> Any:
        for turn in real(game, played):
            if turn.round == 3:
                hangs.set()
                let_go.wait()
            yield turn

    monkeypatch.setattr(runner, "play", play)
    lab = open_lab()
    run_id = lab.submit(small())
    assert hangs.wait(60)
    until(lambda: lab.store.events(run_id)[-1:] and lab.view(run_id).status["state"] == "running")
    lab.close(timeout=0.5)
    let_go.set()
    with RunStore(lab.store.root) as store:
        assert store.run(run_id).status == "interrupted"
        assert "did not stop in time" in store.run(run_id).message


def test_the_lab_of_the_process_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="no lab is open"):
        current_lab()
    monkeypatch.setenv("GANSCOPE_STORE", str(tmp_path / "here"))
    labs: list[Lab] = []
    threads = [threading.Thread(target=lambda: labs.append(open_the_lab())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, labs))) == 1
    assert current_lab() is labs[0]
    assert labs[0].store.root == tmp_path / "here"
    close_lab()
    close_lab()
    with pytest.raises(RuntimeError, match="no lab is open"):
        current_lab()


# --- killed ---

CHILD = """
import json, sys, time
from gan_core.config import RunConfig
from gan_core.engine import Lab

lab = Lab(sys.argv[1], capacity=2)
runs = [lab.submit(RunConfig.load(config)) for config in json.loads(sys.stdin.readline())]
print(json.dumps(runs), flush=True)
for line in sys.stdin:
    lab.command(*json.loads(line))
"""


def test_killed_at_any_moment_every_run_goes_on_bit_for_bit(
    open_lab: Callable, small: Callable, tmp_path: Path, until: Callable, hold: Hold
) -> None:
    hold.at(5)
    changes = {"schedule.rounds": 100_000_000, "diagnostics.every": 10}
    configs = [small(changes | {"seed": seed}).to_dict() for seed in (1, 2, 3)]
    child = begun(TEXT, CHILD, tmp_path)
    tell(child, configs)
    runs = json.loads(said(child))
    with RunStore(tmp_path) as watching:

        def played(run: str, round: int) -> None:
            hold.at(round)
            until(lambda: len(watching.track(run)) == round, f"round {round} of {run} is written")

        for run, round in ((runs[0], 5), (runs[1], 10), (runs[0], 15)):
            played(run, round)
            tell(child, [run, "checkpoint"])
            folder = watching.checkpoint_dir(run)
            until(lambda: round in map(round_of, checkpoints(folder)), f"round {round} is saved")  # noqa: B023
        for run in runs[:2]:  # what if the curves do not pass the checkpoints is another test
            played(run, 25)
        hold.let_go()
        let_go(child)
        shown = [len(watching.track(run)) for run in runs]

    lab = open_lab(capacity=2)
    records = [lab.store.run(run) for run in runs]
    assert [record.status for record in records] == ["interrupted"] * 3
    open_lab()  # a second look marks nothing again
    for run in runs:
        assert [event.kind for event in lab.store.events(run)].count("interrupted") == 1
    assert [len(lab.store.track(run)) for run in runs] == shown
    for run in runs:
        record, recorded = lab.store.run(run), len(lab.store.track(run))
        assert lab.store.track(run).rounds.tolist() == list(range(1, recorded + 1))
        assert record.rounds <= recorded
    # Not to the end: some rounds past the moment of the kill show whether it is the same run.
    resumed = {run: lab.resume(run) for run in runs}
    assert all(resumed[run] > 0 for run in runs[:2])
    assert lab.view(runs[2]).status["state"] == "queued"
    lab.command(runs[2], "stop")
    for run, before in zip(runs[:2], shown, strict=False):
        until(lambda run=run, before=before: lab.view(run).status["round"] > before + 20, "it passes the kill")
        lab.command(run, "stop")
        stopped = lab.wait(run, 60)
        config = RunConfig.load(stopped.config)
        whole = lab.submit(config.replace({"schedule.rounds": stopped.rounds, "diagnostics.every": 1_000_000}))
        assert lab.wait(whole, 60).summary["state_hash"] == stopped.summary["state_hash"]
        assert scalars(lab.store, whole) == scalars(lab.store, run)
        assert lab.store.track(run).rounds.tolist() == list(range(1, stopped.rounds + 1))
        frames = [frame.round for frame in lab.store.frames(run)]
        assert frames == sorted(set(frames))


def test_a_run_whose_process_dies_while_it_is_watched_from_here(
    open_lab: Callable, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of the command line, say, beside a server that stays."""
    monkeypatch.setattr(housekeeping, "ORPHANS_SECONDS", 0.2)
    lab = open_lab()
    lab.store.create("a-run", name="", config={})
    lab.store.update("a-run", status="running", rounds=5)
    view = lab.view("a-run")
    view.subscribe(lambda: None)
    time.sleep(0.5)  # nothing may happen meanwhile
    assert view.active
    assert lab.store.run("a-run").status == "running", "its process lives"
    lab.store.update("a-run", owner={"pid": 2**22 + 1, "started": 0.0, "boot": lab.store.run("a-run").owner["boot"]})
    until(lambda: lab.store.run("a-run").status == "interrupted")
    until(lambda: not view.active, "who watches is told")
    until(lambda: lab.store.events("a-run"), "it is written down too")
    assert [event.kind for event in lab.store.events("a-run")] == ["interrupted"]
    until(lambda: b'"kind":"interrupted"' in view.snapshot(), "and the mark is shown")


def test_the_checkpoint_to_go_on_from_is_not_ahead_of_the_record(
    open_lab: Callable, small: Callable, play_job: Callable, tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoints"

    def hook(turn: Any, inbox: Any) -> None:
        if turn.ends_round and turn.round in (10, 20):
            inbox.put("checkpoint")

    play_job(small({"schedule.rounds": 22}), hook=hook)
    assert [round_of(path) for path in checkpoints(folder)][-2:] == [20, 22]
    drop(checkpoints(folder)[:-2])

    def chosen(recorded: int) -> int | None:
        path, _ = checkpoint_to_go_on_from(folder, recorded)
        return None if path is None else round_of(path)

    assert [chosen(recorded) for recorded in (30, 22, 21, 20)] == [22, 22, 20, 20]
    assert chosen(19) == 20, "a gap in the curves is better than training lost"
    keep_checkpoint(folder, {"round": 7}, "the best", what="best")
    assert chosen(19) == 20, "what is kept for a reason may be of long ago"
    assert chosen(20) == 20
    drop([path_of(folder, 7)])
    checkpoints(folder)[-1].with_suffix(".safetensors").write_bytes(b"torn")
    assert chosen(22) == 20
    assert "The checkpoint of round 22 was passed over: " in checkpoint_to_go_on_from(folder, 22)[1]
    checkpoints(folder)[0].write_text("{")
    assert chosen(22) is None


def test_a_gap_in_the_record_and_another_environment_are_said(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable
) -> None:
    hold.at(20)
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 300}))
    until(lambda: lab.view(run_id).status["round"] == 20)
    lab.command(run_id, "stop")
    played = lab.wait(run_id, 60).rounds
    lab.store.truncate(run_id, played - 3)
    environment = lab.store.run(run_id).environment
    lab.store.update(run_id, environment=environment | {"torch": "1.0", "python": "2.7"})
    assert lab.resume(run_id) == played
    sentence = lab.view(run_id).status["message"]
    assert f"Rounds {played - 2} to {played}" in sentence
    assert "not bit for bit" in sentence
    assert "torch 1.0 →" in sentence
    assert "python" not in sentence
    lab.command(run_id, "stop")
    run = lab.wait(run_id, 60)
    assert run.environment == environment
    assert [event.data["message"] for event in lab.store.events(run_id) if event.kind == "not_the_same"] == [sentence]

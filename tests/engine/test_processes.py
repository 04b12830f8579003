"""What only runs in processes are promised: that a death takes its own alone, and nobody's orphan is left."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from forking import TEXT, begun, said, tell
from holding import Hold
from workers import words

from gan_core.config import Comparison, ConfigError
from gan_core.engine import Lab
from gan_core.engine.messages import Job
from gan_core.engine.programs import let_go, starting
from gan_core.engine.running import processes
from gan_core.engine.running.lockstep import WINDOW
from gan_core.engine.running.processes import TAKEN_ALONG, ProcessExecutor
from gan_core.engine.running.wire import WAITING
from gan_core.store import RunStore
from gan_core.training import checkpoints, round_of
from gan_core.training import classifier as training_classifier

LONG = {"schedule.rounds": 100_000_000, "diagnostics.every": 1_000_000}


@pytest.fixture
def begin(workers: Callable, until: Callable) -> Callable[..., list[tuple[str, psutil.Process]]]:
    """``begin(lab, config, …)``: runs that play, each with its process."""

    def run(opened: Lab, *configs: Any) -> list[tuple[str, psutil.Process]]:
        runs = [opened.submit(config) for config in configs]
        until(lambda: all(opened.view(run).status["round"] > 5 for run in runs), "all play", 120)
        processes = {words(process)[-1]: process for process in workers()}
        return [(run, processes[run]) for run in runs]

    return run


def test_a_run_whose_process_is_killed_ends_alone_and_goes_on_bit_for_bit(
    open_lab: Callable, small: Callable, begin: Callable, until: Callable
) -> None:
    opened = open_lab(executor="process", capacity=2)
    (run, process), (neighbour, other) = begin(opened, small(LONG), small(LONG | {"seed": 4}))
    opened.command(run, "checkpoint")
    until(lambda: checkpoints(opened.store.checkpoint_dir(run)), "it is saved")
    saved = round_of(checkpoints(opened.store.checkpoint_dir(run))[-1])
    until(lambda: opened.view(run).status["round"] > saved + 5, "it plays on")
    process.kill()
    ended = opened.wait(run, 60)
    assert ended.status == "interrupted"
    assert "was ended from outside or because memory ran out; it can go on from its last checkpoint" in ended.message
    assert opened.store.track(run).rounds.tolist() == list(range(1, ended.rounds + 1)), "no row that came is lost"

    at = opened.view(neighbour).status["round"]
    until(lambda: opened.view(neighbour).status["round"] > at + 20, "the neighbour trains on")
    assert other.is_running()
    opened.command(neighbour, "stop")
    assert opened.resume(run) == saved
    until(lambda: opened.view(run).status["round"] > ended.rounds + 5, "it passes the kill", 120)
    opened.command(run, "stop")
    in_threads = open_lab(opened.store.root.parent / "threads", executor="thread")
    for one in (run, neighbour):
        stopped = opened.wait(one, 60)
        assert stopped.status == "stopped"
        whole = in_threads.submit(small(LONG | {"seed": stopped.config["seed"], "schedule.rounds": stopped.rounds}))
        assert in_threads.wait(whole, 120).summary["state_hash"] == stopped.summary["state_hash"]


@pytest.mark.parametrize(
    ("number", "state", "sentence"),
    [
        (signal.SIGSEGV, "failed", "The run's process crashed (SIGSEGV); nothing was saved yet."),
        (signal.SIGTERM, "interrupted", ""),
    ],
)
def test_a_crash_fails_the_run_and_says_where_and_sigterm_saves_it(
    open_lab: Callable,
    small: Callable,
    begin: Callable,
    until: Callable,
    workers: Callable,
    number: int,
    state: str,
    sentence: str,
) -> None:
    opened = open_lab(executor="process")
    ((run, process),) = begin(opened, small(LONG))
    opened.command(run, "pause")  # a thread that runs on while its stack is read may show none of it
    until(lambda: opened.view(run).status["state"] == "paused")
    process.send_signal(number)
    ended = opened.wait(run, 60)
    assert (ended.status, ended.message) == (state, sentence)
    if state == "failed":
        assert "Segmentation fault" in ended.traceback
        assert "in run_job" in ended.traceback
    else:
        assert round_of(checkpoints(opened.store.checkpoint_dir(run))[-1]) == ended.rounds
    assert not workers()


def test_one_that_cannot_be_started_or_understood_fails_with_a_sentence(
    open_lab: Callable, small: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "FORKS", False)  # no forks: an interpreter for each
    opened = open_lab(executor="process")
    real, babbler = sys.executable, tmp_path / "babbler"
    babbler.write_text("#!/bin/sh\nexec yes\n")
    babbler.chmod(0o755)
    for command, sentence in (
        ("/no/such/python", "The run's process could not be started"),
        ("/bin/false", "The run's process ended by itself (exit status 1); nothing was saved yet."),
        (str(babbler), "What the run's process said could not be understood"),
    ):
        monkeypatch.setattr(sys, "executable", command)
        ended = opened.wait(opened.submit(small()), 60)
        assert ended.status == "failed"
        assert ended.message.startswith(sentence)
    monkeypatch.setattr(sys, "executable", real)
    assert opened.wait(opened.submit(small()), 120).status == "finished"


def test_a_run_alone_takes_the_process_that_waits_and_another_gets_ready(
    open_lab: Callable, small: Callable, until: Callable, workers: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "FORKS", False)  # where programs are forked, none has to wait
    monkeypatch.setattr(processes, "SPARE_SECONDS", 0.5)

    def waiting() -> list[psutil.Process]:
        return [process for process in workers() if words(process)[-1] == WAITING]

    opened = open_lab(executor="auto", capacity=2)
    opened.wait(opened.submit(small()), 60)
    assert not workers(), "without a spare one it trains in a thread"
    opened.keep_spare()
    until(lambda: len(waiting()) == 1, "one gets ready")
    (spare,) = waiting()
    config = small(LONG)
    run = opened.submit(config)
    until(lambda: opened.view(run).status["round"] > 5, "it plays", 120)
    assert spare in waiting()
    until(lambda: len(waiting()) == 2, "the next one gets ready")
    (other,) = set(waiting()) - {spare}
    monkeypatch.setattr(processes, "SPARE_SECONDS", 600.0)  # no third one, which would only import
    other.kill()
    other.wait(60)
    again = opened.submit(small(LONG))
    until(lambda: opened.view(again).status["round"] > 5, "one that died waiting is replaced", 120)
    for one in (run, again):
        opened.command(one, "stop")
    stopped = opened.wait(run, 60)
    in_thread = open_lab(opened.store.root.parent / "threads", executor="thread")
    in_thread.keep_spare()
    whole = in_thread.submit(small(LONG | {"schedule.rounds": stopped.rounds}))
    assert in_thread.wait(whole, 120).summary["state_hash"] == stopped.summary["state_hash"]
    opened.close(10)
    assert not workers(), "neither lab leaves one behind"


def test_a_run_can_be_stopped_while_its_process_starts(
    open_lab: Callable,
    small: Callable,
    until: Callable,
    workers: Callable,
    tmp_path: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endless = tmp_path / "imports-for-ever"
    imports = "import sys, time; from gan_core import lifeline; lifeline.hold(0); time.sleep(600)"
    endless.write_text(f"#!/bin/sh\nPYTHONPATH={root} exec {sys.executable} -c '{imports}'\n")
    endless.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(endless))
    monkeypatch.setattr(starting, "FORKS", False)
    others = set(psutil.Process().children())
    opened = open_lab(executor="process")
    run = opened.submit(small(LONG))
    until(lambda: opened.view(run).status["preparing"] == "starting a process for this run", "it is said")
    assert opened.view(run).status["state"] == "queued"
    opened.command(run, "stop")
    ended = opened.wait(run, 60)
    assert (ended.status, ended.rounds, ended.message) == ("stopped", 0, "")
    until(lambda: set(psutil.Process().children()) <= others, "its process is gone")


SERVER = """
import json, signal, sys, threading
from gan_core.config import RunConfig
from gan_core.engine import Lab

asked = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: asked.set())
lab = Lab(sys.argv[1], capacity=3, executor="process")
runs = [lab.submit(RunConfig.load(config)) for config in json.loads(sys.stdin.readline())]
print(json.dumps(runs), flush=True)
asked.wait()
lab.close()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_takes_its_processes_with_it(
    request: pytest.FixtureRequest, tmp_path: Path, small: Callable, until: Callable, workers: Callable, number: int
) -> None:
    server = begun(TEXT, SERVER, tmp_path)
    request.addfinalizer(lambda: let_go(server))  # also where something below fails: its runs would play for ever
    tell(server, [small(LONG | {"seed": seed}).to_dict() for seed in range(2)])
    runs = json.loads(said(server))
    with RunStore(tmp_path) as watching:
        until(lambda: all(watching.run(run).rounds > 5 for run in runs), "both play", 120)
        assert len(workers(server.pid)) == 2
        children = psutil.Process(server.pid).children(recursive=True)
        os.kill(server.pid, number)
        server.wait(60)
        until(lambda: not any(map(alive, children)), "no process is left")
        if number == signal.SIGTERM:
            for run in map(watching.run, runs):
                assert (run.status, run.message) == ("interrupted", "")
                assert round_of(checkpoints(watching.checkpoint_dir(run.id))[-1]) == run.rounds


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_process_that_hears_nothing_is_killed_when_the_lab_closes(
    open_lab: Callable, small: Callable, begin: Callable, until: Callable
) -> None:
    opened = open_lab(executor="process")
    ((run, process),) = begin(opened, small(LONG))
    process.suspend()
    opened.close(1.0)
    assert not alive(process)
    with RunStore(opened.store.root) as store:
        assert store.run(run).status == "interrupted"
        assert "did not stop in time" in store.run(run).message
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(("run-", "to-"))] == []


def test_a_classifier_is_trained_once_for_all_processes_and_by_the_lab(
    open_lab: Callable, digits: Callable, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []
    real = training_classifier.train

    def train(source: Any, **details: Any) -> Any:
        trained.append(source.name)
        return real(source, **details)

    monkeypatch.setattr(training_classifier, "train", train)
    for length in ("PASSES", "IMAGES_SEEN"):
        monkeypatch.setattr(training_classifier, length, 1)  # how well it judges is none of this test's
    opened = open_lab(executor="process", capacity=2)
    config = digits({"data.name": "digits8", "schedule.rounds": 100_000_000, "diagnostics.every": 100})
    runs = [opened.submit(config.replace({"seed": seed})) for seed in (1, 2)]
    for run in runs:
        until(lambda run=run: len(opened.store.track(run, "diagnostics")) > 1, "classes are counted", 240)
        opened.command(run, "stop")
    assert trained == ["digits8"]
    assert {opened.wait(run, 60).status for run in runs} == {"stopped"}


# Which of the two


def test_a_comparison_shares_few_processes_and_a_fault_ends_one(
    open_lab: Callable, small: Callable, until: Callable, workers: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GANSCOPE_EXECUTOR", raising=False)
    players = [f"optimizers.{player}" for player in ("generator", "discriminator")]
    wild = {f"{player}.{key}": value for player in players for key, value in (("name", "sgd"), ("lr", 10))}
    changes = {
        "ns": {},
        "ls": {"objective": "ls_gan"},
        "wild": {"objective": "wgan", "objective.clip_value": None, **wild},
    }
    variants = [{"name": name, "changes": change} for name, change in changes.items()]
    comparison = Comparison.load({"base": small(), "variants": variants, "seeds": [1, 2, 3], "rounds": 200})
    opened = open_lab(executor="auto", capacity=2)
    made = opened.compare(comparison)
    members = opened.store.comparison(made).members
    sound = [member.run for member in members if member.variant != "wild"]

    def states(*runs: str) -> set[str]:
        return {opened.view(run).status["state"] for run in runs}

    def rounds() -> dict[str, int]:
        return {run: opened.view(run).status["round"] for run in sound}

    until(lambda: min(rounds().values()) > 10, "those that are sound play on", 120)
    hosts = workers()
    assert len(hosts) == 2, "as many processes as may compute at once"
    assert states(*(member.run for member in members if member.variant == "wild")) == {"diverged"}
    opened.command(sound[0], "pause")
    until(lambda: states(sound[0]) == {"paused"}, "one is paused")
    until(lambda: min(rounds()[run] for run in sound[1:]) > rounds()[sound[0]] + 3 * WINDOW, "the others go on")
    opened.command_all(made, "pause")
    opened.command_all(made, "checkpoint")
    until(lambda: states(*sound) == {"paused"}, "all are paused")
    until(lambda: all(checkpoints(opened.store.checkpoint_dir(run)) for run in sound), "all are saved")
    lanes = {run: opened._scheduler.executor.lane(run) for run in sound}
    hosts.pop().kill()
    until(lambda: "interrupted" in states(*sound), "its runs end")
    lane = next(lanes[run] for run in sound if states(run) == {"interrupted"})
    ended = [run for run in sound if lanes[run] is lane]
    for run in ended:
        assert "was ended from outside or because memory ran out; it can go on" in opened.wait(run, 60).message
    assert states(*set(sound) - set(ended)) == {"paused"}
    assert opened.resume_all(made) == len(ended)
    opened.command_all(made, "resume")
    in_threads = open_lab(opened.store.root.parent / "threads", executor="thread")
    whole = in_threads.store.comparison(in_threads.compare(comparison)).members
    for one, other in zip(members, whole, strict=True):
        mine, theirs = opened.wait(one.run, 120), in_threads.wait(other.run, 120)
        assert (one.variant, one.seed) == (other.variant, other.seed)
        assert mine.status == theirs.status == ("diverged" if one.variant == "wild" else "finished")
        assert mine.summary.get("state_hash") == theirs.summary.get("state_hash")
        assert curves(opened.store, one.run) == curves(in_threads.store, other.run)


def curves(store: RunStore, run: str) -> bytes:
    track = store.track(run)
    return track.values[:, np.array(track.columns) != "seconds"].tobytes()


def test_runs_in_the_process_of_a_hanging_one_are_saved_first(
    small: Callable, told: Callable, until: Callable, workers: Callable, tmp_path: Path, hold: Hold
) -> None:
    hold.at(5)  # a thread that runs on while its stack is read may show none of it
    runs = ("hangs", "saves", "withdrawn")
    executor = ProcessExecutor(
        tmp_path, tmp_path / "cache", lambda source: None, company=lambda run: frozenset(runs), most=lambda: 1
    )
    said: dict[str, list[Any]] = {run: [] for run in runs}

    def heard(run: str) -> Any:
        said[run] += executor.poll(run)
        return told(said[run])

    for run in runs:
        executor.submit(Job(run, small(LONG), tmp_path / run))
    executor.command("withdrawn", "stop")
    assert heard("withdrawn").end.state == "stopped", "a process that starts need not be waited for"
    for run in runs[:2]:
        until(lambda run=run: heard(run).rounds()[-1:] == [5], "it plays", 120)
    assert len(workers()) == 1
    assert executor.lane("hangs") == executor.lane("saves")
    assert "in run_job" in executor.stack("hangs")
    assert executor.kill("hangs", "It hung.")
    for run in runs[:2]:
        until(lambda run=run: not executor.alive(run), "it ends")
    assert (heard("hangs").end.state, heard("hangs").end.message) == ("stopped", "It hung.")
    saved = heard("saves").end
    assert (saved.state, saved.message) == ("interrupted", TAKEN_ALONG)
    assert round_of(checkpoints(tmp_path / "saves")[-1]) == saved.round
    assert not workers()
    assert heard("withdrawn").rounds() == []


@pytest.mark.parametrize("given", ["argument", "variable"])
def test_an_executor_that_there_is_not_is_refused(tmp_path: Path, monkeypatch: Any, given: str) -> None:
    if given == "variable":
        monkeypatch.setenv("GANSCOPE_EXECUTOR", "proces")
    with pytest.raises(ConfigError, match="unknown executor 'proces' — did you mean 'process'"):
        Lab(tmp_path, executor="proces" if given == "argument" else None)
    assert list(tmp_path.iterdir()) == [], "no store was made"

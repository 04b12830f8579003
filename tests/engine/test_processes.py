"""What only runs in processes of their own are promised: that a death is one run's, and nobody's orphan is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from gan_core.config import Comparison, ConfigError
from gan_core.engine import Lab, lab, processes
from gan_core.engine.processes import ProcessExecutor
from gan_core.engine.wire import WAITING
from gan_core.store import RunStore
from gan_core.training import checkpoints, round_of
from gan_core.training import classifier as training_classifier

LONG = {"schedule.rounds": 1_000_000, "diagnostics.every": 1_000_000}


@pytest.fixture
def begin(workers: Callable, until: Callable) -> Callable[..., list[tuple[str, psutil.Process]]]:
    """``begin(lab, config, …)``: runs that play, each with its process."""

    def run(opened: Lab, *configs: Any) -> list[tuple[str, psutil.Process]]:
        runs = [opened.submit(config) for config in configs]
        until(lambda: all(opened.view(run).status["round"] > 5 for run in runs), "all play", 120)
        processes = {process.cmdline()[-1]: process for process in workers()}
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
def test_a_crash_fails_the_run_and_says_where_it_was_and_a_request_to_end_saves_it(
    open_lab: Callable, small: Callable, begin: Callable, workers: Callable, number: int, state: str, sentence: str
) -> None:
    opened = open_lab(executor="process")
    ((run, process),) = begin(opened, small(LONG))
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
    monkeypatch.setattr(processes, "SPARE_SECONDS", 0.5)

    def waiting() -> list[psutil.Process]:
        return [process for process in workers() if process.cmdline()[-1] == WAITING]

    opened = open_lab(executor="auto", capacity=2)
    opened.wait(opened.submit(small()), 60)
    assert not workers(), "without a spare one it trains in a thread"
    opened.keep_spare()
    (spare,) = waiting()
    config = small(LONG)
    run = opened.submit(config)
    until(lambda: opened.view(run).status["round"] > 5, "it plays", 120)
    assert spare in waiting()
    until(lambda: len(waiting()) == 2, "the next one gets ready")
    (other,) = set(waiting()) - {spare}
    other.kill()
    other.wait(10)
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


def test_a_run_can_be_stopped_while_its_process_starts_and_the_page_says_that_it_does(
    open_lab: Callable, small: Callable, until: Callable, workers: Callable
) -> None:
    opened = open_lab(executor="process")
    run = opened.submit(small(LONG))
    until(lambda: opened.view(run).status["preparing"] == "starting a process for this run", "it is said")
    assert opened.view(run).status["state"] == "queued"
    started = time.monotonic()
    opened.command(run, "stop")
    ended = opened.wait(run, 60)
    assert time.monotonic() - started < 2
    assert (ended.status, ended.rounds, ended.message) == ("stopped", 0, "")
    until(lambda: not workers(), "its process is gone")


SERVER = """
import json, signal, sys, threading
from gan_core.config import RunConfig
from gan_core.engine import Lab

asked = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: asked.set())
lab = Lab(sys.argv[1], capacity=3, executor="process")
runs = [lab.submit(RunConfig.load(config)) for config in json.load(sys.stdin)]
print(json.dumps(runs), flush=True)
asked.wait()
lab.close()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_takes_its_processes_with_it(
    tmp_path: Path, root: Path, small: Callable, until: Callable, workers: Callable, number: int
) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps([small(LONG | {"seed": seed}).to_dict() for seed in range(2)]))
    server.stdin.close()
    runs = json.loads(server.stdout.readline())
    with RunStore(tmp_path) as watching:
        until(lambda: all(watching.run(run).rounds > 5 for run in runs), "both play", 120)
        children = workers(server.pid)
        assert len(children) == 2
        started = time.monotonic()
        os.kill(server.pid, number)
        server.wait(10)
        server.stdout.close()
        until(lambda: not any(map(alive, children)), "no process is left", 10)
        assert time.monotonic() - started < 10
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
    started = time.monotonic()
    opened.close(3.0)
    assert time.monotonic() - started < 6
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
    opened = open_lab(executor="process", capacity=2)
    config = digits({"data.name": "digits8", "schedule.rounds": 1_000_000, "diagnostics.every": 100})
    runs = [opened.submit(config.replace({"seed": seed})) for seed in (1, 2)]
    for run in runs:
        until(lambda run=run: len(opened.store.track(run, "diagnostics")) > 1, "classes are counted", 240)
        opened.command(run, "stop")
    assert trained == ["digits8"]
    assert {opened.wait(run, 60).status for run in runs} == {"stopped"}


# Which of the two


def test_auto_takes_threads_for_a_run_alone_and_processes_for_a_comparison_that_is_not_too_large(
    open_lab: Callable, small: Callable, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    monkeypatch.setattr(ProcessExecutor, "submit", lambda self, job: taken.append(job.run_id))
    monkeypatch.delenv("GANSCOPE_EXECUTOR")
    opened = open_lab(capacity=3)
    assert opened.wait(opened.submit(small()), 60).status == "finished"
    variants = [{"name": name, "changes": {"objective": name}} for name in ("ns_gan", "ls_gan")]
    many = list(range(lab.MOST_PROCESSES))
    for seeds in (many, [0]):
        made = opened.compare(Comparison.load({"base": small(), "variants": variants, "seeds": seeds, "rounds": 5}))
        members = [member.run for member in opened.store.comparison(made).members]
        for run in members:
            ended = opened.wait(run, 60)
            expected = ("finished", "") if seeds == many else ("failed", "The run died without a word.")
            assert (ended.status, ended.message) == expected
    assert sorted(taken) == sorted(members)


def test_a_comparison_in_processes_ends_as_its_runs_would_alone(open_lab: Callable, small: Callable) -> None:
    variants = [{"name": name, "changes": {"objective": name}} for name in ("ns_gan", "ls_gan")]
    comparison = Comparison.load({"base": small(), "variants": variants, "seeds": [1], "rounds": 60})
    hashes = {}
    for executor in ("process", "thread"):
        opened = open_lab(executor=executor)
        made = opened.compare(comparison)
        runs = {member.variant: member.run for member in opened.store.comparison(made).members}
        hashes[executor] = {name: opened.wait(run, 120).summary["state_hash"] for name, run in runs.items()}
    assert hashes["process"] == hashes["thread"]


@pytest.mark.parametrize("given", ["argument", "variable"])
def test_an_executor_that_there_is_not_is_refused(tmp_path: Path, monkeypatch: Any, given: str) -> None:
    if given == "variable":
        monkeypatch.setenv("GANSCOPE_EXECUTOR", "proces")
    with pytest.raises(ConfigError, match="unknown executor 'proces' — did you mean 'process'"):
        Lab(tmp_path, executor="proces" if given == "argument" else None)
    assert list(tmp_path.iterdir()) == [], "no store was made"

"""A run that hangs is noticed, shown with where it stands, and ended on request if it has a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from holding import Hold

from gan_core.engine.running import hearing, watchdog
from gan_core.engine.running.lockstep import WINDOW
from gan_core.engine.running.watchdog import NOT_TO_BE_ENDED, Watchdog
from gan_core.failpoints import VARIABLE
from gan_core.training import loop

ENDLESS = {"schedule.rounds": 100_000_000}


@pytest.fixture
def alert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "STUCK_SECONDS", 0.6)
    monkeypatch.setattr(watchdog, "STOP_SECONDS", 0.3)
    monkeypatch.setattr(hearing, "BEAT_SECONDS", 0.05)


@pytest.mark.usefixtures("alert")
def test_a_thread_that_hangs_is_shown_with_its_stack_and_may_come_back(
    open_lab: Callable, small: Callable, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = threading.Event()
    reached: list[str] = []

    def hang(name: str) -> None:
        reached.append(name)
        if len(reached) == 100:
            back.wait(60)

    monkeypatch.setattr(loop, "failpoint", hang)
    lab = open_lab()
    run = lab.submit(small({"schedule.rounds": 200}))
    # On a slow machine there may have been an earlier one: the first turn imports much.
    until(lambda: len(reached) == 100 and "No sign of life" in lab.view(run).status["message"])

    def stacks() -> list[str]:
        return [event.data["stack"] for event in lab.store.events(run) if event.kind == "stuck"]

    until(lambda: any("in hang" in stack and "in take_turn" in stack for stack in stacks()), "it names the place")
    lab.command(run, "stop")
    until(lambda: lab.view(run).status["message"] == NOT_TO_BE_ENDED, "a thread cannot be ended")
    assert lab.is_active(run)
    assert lab.view(run).status["stuck"]
    assert [card["state"] for card in lab.recent()] == ["stuck"]
    back.set()
    assert lab.wait(run, 60).status == "stopped"
    assert sum("in hang" in stack for stack in stacks()) == 1, "said once"
    assert not lab.view(run).status["stuck"]


def test_a_paused_run_is_known_to_rest_and_a_waiting_one_to_live(
    open_lab: Callable, small: Callable, until: Callable, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "BEAT_SECONDS", 0.05)
    hold.at(5)
    lab = open_lab()
    paused, beside = (lab.submit(small(ENDLESS | {"seed": seed})) for seed in (1, 2))
    until(lambda: min(lab.view(each).status["round"] for each in (paused, beside)) == 5)
    lab.side_by_side(paused, beside)
    lab.command(paused, "pause")
    until(lambda: lab.view(paused).status["state"] == "paused")
    hold.let_go()
    until(lambda: lab.view(beside).status["round"] == 5 + WINDOW, "the other one waits for it")
    heard: list[str] = []
    looks: list[tuple[str, bool]] = []

    class Ear(Watchdog):
        def heard(self, run_id: str) -> None:
            heard.append(run_id)

        def look(self, run_id: str, *, resting: bool) -> None:
            looks.append((run_id, resting))

    monkeypatch.setattr(lab._scheduler, "watchdog", Ear(lab._scheduler.executor))
    until(lambda: heard.count(beside) > 3 and looks.count((paused, True)) > 3)
    assert set(heard) == {beside}
    assert set(looks) == {(paused, True), (beside, False)}


def test_a_process_that_hangs_is_shown_and_ended_by_stop_and_goes_on_later(
    open_lab: Callable, small: Callable, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "STOP_SECONDS", 0.5)
    monkeypatch.setenv(VARIABLE, "backward=sleep:600@20")
    lab = open_lab(executor="process")
    run = lab.submit(small())
    until(lambda: lab.view(run).status["state"] == "running", "it has imported what it needs, which may take long")
    monkeypatch.setattr(watchdog, "STUCK_SECONDS", 3.0)
    # One that is only slow at its start is called stuck too, at another place, and lives on.
    stacks = lambda: [event.data["stack"] for event in lab.store.events(run) if event.kind == "stuck"]  # noqa: E731
    until(lambda: any("in take_turn" in stack and "failpoints.py" in stack for stack in stacks()))
    until(lambda: lab.view(run).status["message"].startswith("No sign of life"))
    lab.command(run, "stop")
    ended = lab.wait(run, 60)
    assert (ended.status, "hung inside a step" in ended.message) == ("stopped", True)
    lab.close()
    monkeypatch.delenv(VARIABLE)
    lab = open_lab()
    lab.resume(run)
    assert lab.wait(run, 60).status == "finished"


class Sleeper:
    """In place of an executor."""

    def __init__(self) -> None:
        self.killed: list[str] = []

    def stack(self, run_id: str) -> str:
        return "here"

    def kill(self, run_id: str, message: str) -> bool:
        self.killed.append(run_id)
        return True


def test_a_clock_that_jumps_wakes_no_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    executor: Any = Sleeper()
    dog = Watchdog(executor)
    now = [1000.0]
    monkeypatch.setattr(watchdog.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(watchdog.time, "time", lambda: 0.0)  # nobody looks at it
    dog.heard("a")
    now[0] += watchdog.STUCK_SECONDS - 1
    assert dog.look("a", resting=False) is None
    now[0] += 2
    hang = dog.look("a", resting=False)
    assert hang is not None
    assert hang.stack == "here"
    assert dog.look("a", resting=False) is None, "news once"
    dog.heard("a")
    assert dog.message("a") == ""
    dog.asked_to_end("a")
    now[0] += watchdog.STOP_SECONDS - 1
    dog.asked_to_end("a")
    assert dog.look("a", resting=False) is None
    assert executor.killed == []
    now[0] += 2
    dog.look("a", resting=False)
    assert executor.killed == ["a"]

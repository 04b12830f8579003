"""Side by side: none gets far ahead, nobody waits for a run that does not train, and waiting changes no number."""

from __future__ import annotations

import time
from collections.abc import Callable

from holding import Hold

from gan_core.engine.running.lockstep import TURN_SECONDS, WINDOW, Lockstep
from gan_core.engine.running.runner import _Runner


def plays(pace: Lockstep, run: str, played: int) -> bool:
    return pace.how_far(run, played) > played


def test_who_is_a_window_ahead_waits_until_the_other_has_caught_up() -> None:
    pace = Lockstep()
    assert plays(pace, "a", 100)  # alone
    pace.together(["a", "b"])
    assert plays(pace, "a", 100)  # the other does not train yet
    assert plays(pace, "b", 100 - WINDOW)
    assert not plays(pace, "a", 100)
    assert plays(pace, "b", 101 - WINDOW)
    assert plays(pace, "a", 100)
    plays(pace, "b", 0)
    pace.leave("b")
    assert plays(pace, "a", 10_000)


def test_who_comes_into_other_company_leaves_the_old_one_whole() -> None:
    pace = Lockstep()
    pace.together(["a", "b", "c"])
    pace.together(["c", "d"])
    assert [pace.company(run) for run in "abcd"] == [frozenset("ab")] * 2 + [frozenset("cd")] * 2
    pace.together(["a", "d"])
    assert [pace.company(run) for run in "abcd"] == [frozenset("ad"), frozenset(), frozenset(), frozenset("ad")]
    assert plays(pace, "b", 5)


def test_a_fast_and_a_slow_run_stay_together_and_end_as_they_would_alone(
    open_lab: Callable, small: Callable, until: Callable, monkeypatch
) -> None:
    lab = open_lab()
    configs = [small({"schedule.rounds": 60}), small({"schedule.rounds": 48, "objective": "wgan"})]
    alone = [lab.wait(lab.submit(config), 60).summary["state_hash"] for config in configs]

    heard: list[tuple[str, int]] = []
    real = _Runner._play_round

    def play_round(self) -> None:
        if self.config.objective.name == "wgan":
            time.sleep(0.004)  # of any length
        real(self)
        heard.append((self.job.run_id, self.round))

    monkeypatch.setattr(_Runner, "_play_round", play_round)
    lab.capacity = 0  # both are put together before either plays
    pair = [lab.submit(config) for config in configs]
    lab.side_by_side(*pair)
    lab.capacity = 2
    lab._scheduler.start_waiting()
    records = [lab.wait(run, 60) for run in pair]
    assert [record.summary["state_hash"] for record in records] == alone
    at = dict.fromkeys(pair, 0)
    apart = []
    for run, round in heard:
        at[run] = round
        if all(at.values()) and at[pair[1]] < 48:  # the slow one has ended at 48, and nobody waits for it
            apart.append(abs(at[pair[0]] - at[pair[1]]))
    assert max(apart) <= WINDOW + 1
    assert len(apart) > 80


def test_a_run_that_waits_for_another_still_obeys(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable
) -> None:
    hold.at(10)
    lab = open_lab()
    pair = [lab.submit(small({"schedule.rounds": 100_000_000, "seed": seed})) for seed in (1, 2)]
    lab.side_by_side(*pair)
    views = [lab.view(run) for run in pair]
    until(lambda: all(view.status["round"] == 10 for view in views), "both play")
    lab.command(pair[0], "pause")
    until(lambda: views[0].status["state"] == "paused", "one is paused")
    paused = views[0].status["round"]
    hold.let_go()
    until(lambda: views[1].status["round"] >= paused + WINDOW, "the other has come to the end of its window")
    assert views[1].status["state"] == "running"
    lab.command(pair[1], "sample")
    until(lambda: any(frame.round == paused + WINDOW for frame in lab.store.frames(pair[1])), "it looks when asked")
    lab.command(pair[1], "stop")
    record = lab.wait(pair[1], 60)
    assert (record.status, record.rounds) == ("stopped", paused + WINDOW)
    lab.command(pair[0], "resume")
    until(lambda: views[0].status["round"] > paused + 3 * WINDOW, "nobody waits for a run that has ended")
    lab.command(pair[0], "stop")
    lab.wait(pair[0], 60)


def test_a_fork_put_beside_its_parent_needs_no_room_of_its_own(
    open_lab: Callable, small: Callable, until: Callable
) -> None:
    lab = open_lab(capacity=2)
    long = {"schedule.rounds": 100_000_000}
    parent, other = (lab.submit(small(long | {"seed": seed})) for seed in (1, 2))
    until(lambda: lab.view(parent).status["round"] > 3, "it plays")
    child = lab.fork(parent)
    assert lab.view(child).status["place"] == 1, "two train already"
    waiting = lab.submit(small(long | {"seed": 3}))
    lab.side_by_side(parent, child)
    at = lab.view(child).status["round"]
    until(lambda: lab.view(child).status["round"] > at + 2 * WINDOW, "it does not wait for the other to end")
    assert lab.view(other).status["state"] == "running"
    assert lab.view(waiting).status["place"] == 1
    for run in (parent, child, other, waiting):
        lab.command(run, "stop")
        assert lab.wait(run, 60).status == "stopped"


# Turns, where there are more runs than may compute at once


def test_only_so_many_have_a_turn_and_those_furthest_behind_come_first(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr("gan_core.engine.running.lockstep.time.monotonic", lambda: now[0])
    nudged: list[str] = []
    pace = Lockstep(nudged.append)
    pace.together("abc", at_once=2)
    assert sorted(nudged) == ["a", "b", "c"], "whoever plays already must ask"
    nudged.clear()
    assert [plays(pace, run, 0) for run in "abc"] == [True, True, False]
    assert plays(pace, "a", 1)  # its turn is not over
    now[0] += TURN_SECONDS
    assert not plays(pace, "a", 2)
    assert nudged == ["c"]
    assert plays(pace, "c", 0)
    assert plays(pace, "b", 1)  # its turn is over, but nobody who waits is as far behind
    assert not plays(pace, "a", 2)
    pace.leave("b")
    assert nudged[-1] == "a"
    assert plays(pace, "a", 2)


def test_with_turns_the_others_go_on_without_a_paused_run_then_wait() -> None:
    nudged: list[str] = []
    pace = Lockstep(nudged.append)
    pace.together("abc", at_once=1, wait_for_paused=False)
    assert [plays(pace, run, 0) for run in "abc"] == [True, False, False]
    nudged.clear()
    pace.pause("a")
    assert nudged == ["b"], "its turn is free"
    assert plays(pace, "b", 0)
    assert not plays(pace, "a", 0), "it may be asked in its name though it is paused"
    assert plays(pace, "b", WINDOW - 1)
    pace.leave("c")
    assert plays(pace, "b", 1000), "nobody waits for it"
    pace.go_on("a")
    assert nudged[-1] == "a"
    assert not plays(pace, "a", 0), "it is not its turn yet"
    assert not plays(pace, "b", 1001), "it is waited for again"
    assert plays(pace, "a", 0)
    pace.together("ab")
    pace.pause("a")
    assert plays(pace, "a", 0), "two that keep pace wait for each other, paused or not"


def test_turns_follow_the_room_there_is() -> None:
    nudged: list[str] = []
    pace = Lockstep(nudged.append)
    pace.together("abc", at_once=1)
    nudged.clear()
    assert [plays(pace, run, 0) for run in "abc"] == [True, False, False]
    pace.allow("a", 3)
    assert nudged == ["b", "c"]
    assert [plays(pace, run, 1) for run in "bc"] == [True, True]
    pace.allow("a", 1)
    assert [plays(pace, run, 2) for run in "bca"] == [False, False, True]
    assert pace.takes_turns("a")
    pace.together("ab")
    assert not pace.takes_turns("a")


def test_of_those_in_one_process_one_has_a_turn(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr("gan_core.engine.running.lockstep.time.monotonic", lambda: now[0])
    nudged: list[str] = []
    pace = Lockstep(nudged.append, {"a": 1, "b": 1, "c": 2, "d": 2}.get)
    pace.together("abcd", at_once=2)
    pace.expect("abcd")
    assert [plays(pace, run, 0) for run in "abcd"] == [True, False, True, False]
    nudged.clear()
    now[0] += TURN_SECONDS
    assert not plays(pace, "a", 1)
    assert nudged == ["b"], "who is in its place, not who is as far behind elsewhere"
    assert plays(pace, "b", 0)
    nudged.clear()
    pace.leave("c")
    assert nudged == ["d"]
    assert plays(pace, "d", 0)
    pace.allow("a", 1)
    now[0] += TURN_SECONDS
    assert not plays(pace, "b", 1), "there is room for one, and another plays"
    assert plays(pace, "d", 1) is False, "a waits, and is no further"

"""What every executor promises, asked of threads and of processes alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_core.engine.messages import Command, Job, Knobs, Made, Message, Moment, Sight, StepOf
from gan_core.engine.running.executors import ThreadExecutor
from gan_core.engine.running.lockstep import UNLIMITED, WINDOW, Lockstep
from gan_core.engine.running.processes import ProcessExecutor
from gan_core.engine.showing.making import made
from gan_core.training import build, capture, checkpoints, load_source, play, round_of, state_hash

LONG = {"schedule.rounds": 100_000_000, "diagnostics.every": 1_000_000}


class Bench:
    """An executor of one kind with its jobs, and all that they have said so far."""

    def __init__(self, kind: str, folder: Path, told: Callable, until: Callable) -> None:
        self.kind, self.folder = kind, folder
        self.said: dict[str, list[Message]] = {}
        self.woken = 0
        self._told, self._until = told, until
        self.pace = Lockstep(lambda run_id: self.executor.nudge(run_id))
        self.answers: list[tuple[str, int, int]] = []  # who asked, having played so many, and how far it may play
        if kind == "thread":
            self.executor: Any = ThreadExecutor(lambda source: None, self._wake, self._how_far)
        else:
            self.executor = ProcessExecutor(folder, folder / "cache", lambda source: None, self._wake, self._how_far)

    def submit(self, config: Any, run_id: str = "a-run", **details: Any) -> None:
        self.said[run_id] = []
        self.executor.submit(Job(run_id, config, self.folder / run_id, **details))

    def told(self, run_id: str = "a-run") -> Any:
        self.said[run_id] += self.executor.poll(run_id)
        return self._told(self.said[run_id])

    def command(self, command: Command, run_id: str = "a-run") -> None:
        self.executor.command(run_id, command)

    def until(self, condition: Callable[[Any], object], what: str, run_id: str = "a-run") -> None:
        self._until(lambda: condition(self.told(run_id)), what, 120)

    def end(self, run_id: str = "a-run") -> Any:
        """The last message of a job, once it has come."""
        self._until(lambda: not self.executor.alive(run_id), "it ends", 120)
        return self.told(run_id).end

    def played(self, run_id: str = "a-run") -> int:
        return max(self.told(run_id).rounds(), default=0)

    def halts(self, run_id: str) -> int:
        """The round at which a run that has to wait stands still: it was told so, and its rows to that round have come."""

        def stands() -> bool:
            told = [(played, until) for run, played, until in self.answers if run == run_id][-1:]
            return bool(told) and told[0][1] <= told[0][0] == self.played(run_id)

        self._until(stands, f"{run_id} stands still", 120)
        return self.played(run_id)

    def _wake(self) -> None:
        self.woken += 1

    def _how_far(self, run_id: str, played: int) -> int:
        until = self.pace.how_far(run_id, played)
        self.answers.append((run_id, played, until))
        return until


@pytest.fixture(params=["thread", "process"])
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, told: Callable, until: Callable, workers: Callable
) -> Iterator[Bench]:
    opened = Bench(request.param, tmp_path, told, until)
    yield opened
    opened.executor.close(5.0)
    until(lambda: not workers(), "no process is left")


def test_a_job_is_played_to_its_end_bit_for_bit(bench: Bench, small: Callable) -> None:
    config = small({"objective": "wgan_gp"})
    assert not bench.executor.alive("a-run")
    bench.submit(config)
    assert bench.executor.alive("a-run")
    end = bench.end()
    game = build(config, load_source(config))
    for turn in play(game):
        if turn.ends_round and turn.round == 24:
            break
    assert (end.state, end.round, end.summary["state_hash"]) == ("finished", 24, state_hash(capture(game, 24)))
    told = bench.told()
    assert told.rounds() == list(range(1, 25))
    assert told.frames == told.rounds("diagnostics") == [0, 5, 10, 20, 24]
    assert told.states == ["running"]
    assert bench.woken >= 2, "its beginning and its end do not wait for the next look"
    assert [round_of(path) for path in checkpoints(bench.folder / "a-run")][-1] == 24
    assert not bench.executor.starting("a-run")
    bench.executor.forget("a-run")
    assert bench.executor.poll("a-run") == []


def test_both_kinds_say_the_same(tmp_path: Path, digits: Callable, told: Callable, until: Callable) -> None:
    """To the last bit."""
    heard = {}
    for kind in ("thread", "process"):
        bench = Bench(kind, tmp_path / kind, told, until)
        bench.submit(digits())
        end = bench.end()
        assert end.state == "finished", end.message + end.traceback
        heard[kind] = bench.told()
    one, other = heard["thread"], heard["process"]
    mine, theirs = one.scalars(), other.scalars()
    assert list(mine) == list(theirs)
    assert all(mine[name].tobytes() == theirs[name].tobytes() for name in mine)
    assert one.end.summary["state_hash"] == other.end.summary["state_hash"]
    assert one.notes("reference") == other.notes("reference")
    assert one.frames == other.frames
    for mine, theirs in zip(one.of(Sight), other.of(Sight), strict=True):
        assert {type(part) for part in theirs.parts.values()} == {Made}, "a process makes the files of its own runs"
        assert mine.parts.keys() == theirs.parts.keys() == {"grid", "push"}
        for name, part in made(mine).parts.items():
            assert (part.ending, part.said) == (theirs.parts[name].ending, theirs.parts[name].said)
            assert part.content.tobytes() == theirs.parts[name].content.tobytes()


def test_it_obeys(bench: Bench, small: Callable) -> None:
    bench.submit(small(LONG))
    bench.until(lambda told: told.rounds(), "it plays")
    bench.command("pause")
    bench.until(lambda told: told.states == ["running", "paused"], "it is paused")
    paused = bench.played()
    for step in (StepOf("D"), StepOf("G")):
        bench.command(step)
    bench.until(lambda told: len(told.of(Moment)) == 2, "it plays turn by turn")
    bench.command("step_round")
    bench.command("sample")
    bench.until(lambda told: told.frames[-1] == paused + 2, "it is looked at")
    bench.command(Knobs({"optimizers.generator.lr": 0.01}))
    bench.command("checkpoint")
    bench.until(lambda told: told.notes("checkpoint"), "it is saved")
    (knob,) = bench.told().notes("knob")
    assert (knob.round, knob.data["changes"]) == (paused + 2, {"optimizers.generator.lr": 0.01})
    assert bench.played() == paused + 2
    bench.command("resume")
    bench.until(lambda told: max(told.rounds()) > paused + 10, "it goes on")
    bench.command("stop")
    end = bench.end()
    assert end.state == "stopped"
    assert bench.told().states == ["running", "paused", "running"]
    assert bench.told().rounds() == list(range(1, end.round + 1))
    assert round_of(checkpoints(bench.folder / "a-run")[-1]) == end.round


def test_it_goes_on_from_a_checkpoint_bit_for_bit(bench: Bench, small: Callable) -> None:
    bench.submit(small({"schedule.rounds": 10}))
    assert bench.end().round == 10
    path = checkpoints(bench.folder / "a-run")[-1]
    bench.submit(small(), "resumed", resume_from=path, measured_at=10)
    bench.submit(small(), "whole")
    assert bench.end("resumed").summary["state_hash"] == bench.end("whole").summary["state_hash"]
    assert bench.told("resumed").rounds() == list(range(11, 25))


def test_a_divergence_ends_it(bench: Bench, small: Callable) -> None:
    players = [f"optimizers.{player}" for player in ("generator", "discriminator")]
    wild = {f"{player}.{key}": value for player in players for key, value in (("name", "sgd"), ("lr", 10))}
    bench.submit(small({**LONG, "objective": "wgan", "objective.clip_value": None, **wild}))
    end = bench.end()
    assert (end.state, end.round) == ("diverged", bench.played())
    assert "is not finite at round" in end.message
    last = {name: column[-1] for name, column in bench.told().scalars().items()}
    assert not np.isfinite([last["D.loss"], last["G.loss"]]).all(), "what is not finite arrives as it is"


def test_an_exception_ends_it_with_its_traceback(bench: Bench, small: Callable) -> None:
    bench.submit(small(), resume_from=bench.folder / "round-000000007.json")
    end = bench.end()
    assert end.state == "failed"
    assert end.message.startswith("CheckpointError while restoring round-000000007.json: ")
    assert "in load_checkpoint" in end.traceback


def test_no_run_gets_a_window_ahead_and_a_paused_one_holds_up_the_other(bench: Bench, small: Callable) -> None:
    pair = ("one", "other")
    bench.pace.together(pair)
    bench.pace.expect(pair)
    for seed, run in enumerate(pair):
        bench.submit(small({**LONG, "seed": seed}), run)
    for run in pair:
        bench.until(lambda told: max(told.rounds(), default=0) > 5 * WINDOW, "both play", run)
    bench.command("pause", "one")
    bench.until(lambda told: told.states[-1] == "paused", "one is paused", "one")
    paused = bench.played("one")
    # A process says how far it is half a window before its end: where it paused may be told only in part.
    bench.until(lambda told: max(told.rounds()) >= paused, "the other goes on to the end of its window", "other")
    waits = bench.halts("other")
    assert paused <= waits <= paused + WINDOW
    bench.command("sample", "other")
    bench.until(lambda told: told.frames[-1] == waits, "it still obeys", "other")
    bench.command("stop", "one")
    assert bench.end("one").state == "stopped"
    bench.pace.leave("one")
    bench.until(lambda told: max(told.rounds()) > paused + 3 * WINDOW, "nobody waits for one that has ended", "other")
    reached = dict.fromkeys(pair, 0)
    for run, played, until in bench.answers:
        reached[run] = played
        if run == "one":
            assert until <= min(reached.values()) + WINDOW


def test_runs_that_play_already_can_be_put_together(bench: Bench, small: Callable) -> None:
    pair = ("one", "other")
    for seed, run in enumerate(pair):
        bench.submit(small({**LONG, "seed": seed}), run)
    for run in pair:
        bench.until(lambda told: told.rounds(), "both play", run)
    assert {until for _, _, until in bench.answers} == {UNLIMITED}
    bench.pace.together(pair)
    bench.command("pause", "one")
    bench.until(lambda told: told.states[-1] == "paused", "one is paused", "one")
    waits = bench.halts("other")
    seen = len(bench.told("other").frames)
    bench.command("sample", "other")
    bench.until(lambda told: len(told.frames) > seen, "it still obeys", "other")
    stands = bench.halts("other")  # further on where the last round of the one that is paused was told after its pause
    assert waits <= bench.told("other").frames[-1] <= stands < LONG["schedule.rounds"]
    bench.pace.together(["other"])
    bench.until(lambda told: max(told.rounds()) > stands + WINDOW, "alone again, it goes on", "other")


def test_those_that_take_turns_all_get_on(bench: Bench, small: Callable) -> None:
    trio = ("a", "b", "c")
    bench.pace.together(trio, at_once=1)
    bench.pace.expect(trio)
    config = small({"schedule.rounds": 150})
    for run in trio:
        bench.submit(config, run)
    ends: dict[str, Any] = {}
    while len(ends) < len(trio):
        for run in trio:
            if run not in ends and not bench.executor.alive(run):
                ends[run] = bench.end(run)
                bench.pace.leave(run)
        time.sleep(0.01)
    assert {end.state for end in ends.values()} == {"finished"}
    assert len({end.summary["state_hash"] for end in ends.values()}) == 1


def test_closing_interrupts_saves_and_leaves_nothing_behind(bench: Bench, small: Callable, workers: Callable) -> None:
    for run in ("running", "paused"):
        bench.submit(small(LONG), run)
        bench.until(lambda told: told.rounds(), "it plays", run)
    bench.command("pause", "paused")
    bench.until(lambda told: told.states[-1] == "paused", "it is paused", "paused")
    bench.submit(small(LONG), "starting")
    assert bench.executor.close(60.0) == [], "all have saved, and one that starts is not waited for"
    for run in ("running", "paused", "starting"):
        end = bench.end(run)
        assert (end.state, end.message) == ("interrupted", "")
    for run in ("running", "paused"):
        assert round_of(checkpoints(bench.folder / run)[-1]) == bench.told(run).end.round == bench.played(run)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(("run-", "to-"))] == []
    assert not workers()

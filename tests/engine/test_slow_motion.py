"""Turn by turn: a paused run takes one step at a time, says what it did, and is the same run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from holding import Hold

from gan_core.engine import Refused
from gan_core.engine.messages import Knobs, Moment, StepOf
from gan_core.engine.running import runner
from gan_core.said import said
from gan_core.training import checkpoints, round_of

D, G = StepOf("D"), StepOf("G")
STEPS = {"schedule.n_critic": 3, "schedule.rounds": 6, "diagnostics.every": 1000}


def at(round: int, *commands):
    """A hook that sends commands when a round is over."""

    def hook(turn, inbox) -> None:
        if turn.round == round and turn.ends_round:
            for command in commands:
                inbox.put(command)

    return hook


@pytest.mark.parametrize(
    "steps",
    [
        ["step_round"],
        [D],
        [D, D, G],
        [G, D, "sample", "step_round", G],
        ["step_round"] * 4,
    ],
    ids=lambda steps: " ".join(step if isinstance(step, str) else step.player for step in steps),
)
def test_a_run_in_slow_motion_is_the_same_run(steps: list[str | StepOf], play_job: Callable, small: Callable) -> None:
    config = small(STEPS)
    plain = play_job(config, folder="plain")
    slow = play_job(config, hook=at(2, "pause", *steps, "resume"), folder="slow")
    assert slow.end.state == "finished"
    assert slow.end.summary["state_hash"] == plain.end.summary["state_hash"]
    assert slow.rounds() == [1, 2, 3, 4, 5, 6]
    for name, values in plain.scalars().items():
        assert slow.scalars()[name].tobytes() == values.tobytes()
    assert len(slow.of(Moment)) == sum(step != "sample" for step in steps)


def test_a_caption_says_whose_turn_it_was_and_what_its_numbers_are(play_job: Callable, small: Callable) -> None:
    seen = {}

    def hook(turn, inbox) -> None:
        seen[turn.round, turn.player.name, turn.step] = turn.values
        at(2, "pause", D, D, G, G, "resume")(turn, inbox)

    told = play_job(small(STEPS), hook=hook)
    texts = [moment.text for moment in told.of(Moment)]
    assert [text.split(":")[0] for text in texts] == [
        "D's turn 1 of 3 in round 3",
        "D's turn 2 of 3 in round 3",
        "G's turn in round 3 (after 1 more)",
        "G's turn in round 4 (after 3 more)",
    ]
    number = r"−?[\d.,]+(?:e−?\d+)?"
    change = rf"(?:stays {number}|{number} → {number})"
    for text, (player, other) in zip(texts, ["DG", "DG", "GD", "GD"], strict=True):
        assert re.search(rf": on the same batch {player}'s loss {change}, {other}'s loss by that {change}; ", text)
    for text, turn in zip(texts, [(3, "D", 0), (3, "D", 1), (3, "G", 0), (4, "G", 0)], strict=True):
        assert re.search(rf"loss (?:stays )?{re.escape(said(seen[turn]['loss'].item()))}\b", text)


def test_what_cannot_look_back_says_the_loss_before_the_step(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "look_back", lambda *given: 1 / 0)
    told = play_job(small(STEPS), hook=at(2, "pause", D, "resume"))
    (moment,) = told.of(Moment)
    assert re.search(r"round 3: loss before the step [\d.]+, D\(x\) [\d.]+, D\(G\(z\)\) [\d.]+$", moment.text)
    assert told.end.state == "finished"


def test_amid_a_round_the_next_is_shown_and_shown_again_when_it_is_over(play_job: Callable, small: Callable) -> None:
    told = play_job(small(STEPS), hook=at(2, "pause", D, "step_round", "resume"), folder="slow")
    plain = play_job(small(STEPS), hook=at(3, "sample"), folder="plain")
    assert told.frames == [0, 3, 3, 6]
    assert plain.frames == [0, 3, 6]
    mid, over = (sight for sight in told.messages if getattr(sight, "parts", None) and sight.round == 3)
    (expected,) = (sight for sight in plain.messages if getattr(sight, "parts", None) and sight.round == 3)
    assert over.parts == expected.parts
    assert mid.parts != expected.parts
    assert told.rounds("diagnostics") == plain.rounds("diagnostics")


def test_a_step_of_a_running_run_pauses_it(play_job: Callable, small: Callable) -> None:
    told = play_job(small(STEPS), hook=at(2, G, "resume"))
    assert told.states == ["running", "paused", "running"]
    assert len(told.of(Moment)) == 1


def test_stepping_through_the_last_round_ends_the_run(play_job: Callable, small: Callable) -> None:
    told = play_job(small(STEPS), hook=at(5, "pause", D, "step_round"))
    assert (told.end.state, told.end.round) == ("finished", 6)


@pytest.mark.parametrize("command", ["stop", "interrupt", "checkpoint", Knobs({"schedule.n_critic": 2})])
def test_what_is_saved_changed_or_ended_is_a_whole_round(
    command, play_job: Callable, small: Callable, tmp_path
) -> None:
    told = play_job(small(STEPS), hook=at(2, "pause", D, command, "stop"), folder="stepped")
    assert (told.end.state, told.end.round) == ("interrupted" if command == "interrupt" else "stopped", 3)
    assert [round_of(path) for path in checkpoints(tmp_path / "stepped")] == [3]
    if isinstance(command, str):
        plain = play_job(small(STEPS), hook=at(3, "stop"), folder="plain")
        assert told.end.summary["state_hash"] == plain.end.summary["state_hash"]


def test_a_step_of_somebody_who_does_not_play_is_refused(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable
) -> None:
    """The run would play on for ever: such a turn never comes."""
    hold.at(2)
    lab = open_lab()
    run = lab.submit(small(STEPS))
    until(lambda: lab.view(run).status["round"] == 2, "rounds")
    with pytest.raises(Refused, match="Nobody in this run is called 'E'"):
        lab.command(run, StepOf("E"))
    lab.command(run, D)
    until(lambda: lab.view(run).status["state"] == "paused", "it steps")

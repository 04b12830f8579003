"""Knobs of a run that trains: changed between rounds, on the time axis, and there again when the run goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from holding import Hold

from gan_core.config import ConfigError
from gan_core.engine import Lab, Refused
from gan_core.engine.messages import Knobs
from gan_core.training import checkpoints

LAMBDA = {"objective.penalties.gradient_penalty": 0.5}


def test_a_knob_acts_from_the_next_round_on_and_survives_a_stop(
    play_job: Callable, small: Callable, tmp_path: Path
) -> None:
    config = small({"objective": "wgan_gp", "schedule.n_critic": 1})  # the row of a round is that of its only D step

    def at_ten(turn, inbox) -> None:
        if turn.round == 10 and turn.ends_round:
            inbox.put(Knobs(LAMBDA))

    whole = play_job(config, hook=at_ten, folder="whole")
    assert [(note.round, note.data) for note in whole.notes("knob")] == [
        (10, {"changes": LAMBDA, "label": "gradient_penalty → 0.5"})
    ]
    plain = play_job(config, folder="plain")
    rows = [told.scalars()["D.gp"] for told in (whole, plain)]
    assert rows[0][:10].tobytes() == rows[1][:10].tobytes()
    assert rows[0][10] == pytest.approx(rows[1][10] / 20)

    def save_turn_stop(turn, inbox) -> None:
        if turn.round == 10 and turn.ends_round:
            for command in ("checkpoint", Knobs(LAMBDA), "stop"):  # the first checkpoint does not know the knob
                inbox.put(command)

    first = play_job(config, hook=save_turn_stop, folder="parts")
    assert (first.end.state, first.end.round) == ("stopped", 10)
    checkpoint = checkpoints(tmp_path / "parts")[-1]
    rest = play_job(config, resume_from=checkpoint, folder="parts")
    assert rest.end.summary["state_hash"] == whole.end.summary["state_hash"]


def test_turned_in_the_lab_seen_on_the_axis_and_inherited_by_a_fork(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable
) -> None:
    hold.at(5)
    lab: Lab = open_lab()
    run = lab.submit(small({"objective": "wgan_gp", "schedule.rounds": 100_000_000}))
    until(lambda: lab.view(run).status["round"] == 5, "rounds")
    before = lab.knobs(run)
    assert before["schedule.n_critic"] == 5
    lab.turn(run, {"schedule.n_critic": 2, **LAMBDA})
    until(lambda: lab.knobs(run) == before | {"schedule.n_critic": 2, **LAMBDA}, "the knobs stand where they were put")
    assert b'"kind":"knob"' in lab.view(run).snapshot()
    with pytest.raises(ConfigError, match="fork it instead"):
        lab.turn(run, {"objective.penalties.r1": 1.0})
    child = lab.fork(run, {"optimizers.generator.lr": 0.5})
    config = lab.store.run(child).config
    assert (config["schedule"]["n_critic"], config["objective"]["penalties"]) == (2, {"gradient_penalty": 0.5})
    assert lab.knobs(child) == lab.knobs(run) | {"optimizers.generator.lr": 0.5}
    for one in (run, child):
        lab.command(one, "stop")
        lab.wait(one, 60)
    with pytest.raises(Refused, match="while a run trains"):
        lab.turn(run, LAMBDA)
    lab.resume(run)
    assert lab.knobs(run)["schedule.n_critic"] == 2

"""Knobs: turned between two rounds, they act as if the run had been built so, and they survive the state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gan_core.config import ConfigError
from gan_core.training import (
    capture,
    check,
    fork,
    knobs_of,
    load_checkpoint,
    restore,
    save_checkpoint,
    state_hash,
)
from gan_core.training.state import Tree

BASES: dict[str, dict[str, Any]] = {
    "penalty": {
        "objective": "wgan_gp",
        "objective.penalties": {"gradient_penalty": 10.0, "lecam": 0.1},
        "tricks.instance_noise": 0.3,
    },
    "clipping": {"objective": "wgan", "optimizers.generator.lr_schedule": "linear", "schedule.rounds": 9},
    "images": {"objective": "r1_gan", "data.name": "mnist5k"},
}
VALUES = {
    "optimizers.discriminator.lr": 0.003,
    "optimizers.generator.lr": 0.004,
    "schedule.n_critic": 3,
    "schedule.generator_steps": 2,
    "data.batch_size": 6,
    "objective.penalties.gradient_penalty": 0.25,
    "objective.penalties.lecam": 0.75,
    "objective.penalties.r1": 2.5,
    "objective.clip_value": 0.05,
    "tricks.instance_noise": 0.1,
}
CASES = [
    *(("penalty", knob) for knob in VALUES if knob not in ("objective.penalties.r1", "objective.clip_value")),
    *(("clipping", knob) for knob in VALUES if "penalties" not in knob and "tricks" not in knob),
    *(("images", knob) for knob in ("data.batch_size", "objective.penalties.r1", "schedule.n_critic")),
]


def without_knobs(state: Tree) -> str:
    return state_hash({name: part for name, part in state.items() if name != "knobs"})


def test_every_knob_is_tried(tiny: Callable) -> None:
    for base, changes in BASES.items():
        known = set(knobs_of(tiny(changes=changes)))
        assert known - {knob for case, knob in CASES if case == base} <= set(VALUES)
        if base != "images":
            assert known == {knob for case, knob in CASES if case == base}


@pytest.mark.parametrize(("base", "knob"), CASES)
def test_a_turned_knob_acts_as_in_a_run_that_is_forked_with_that_setting(
    base: str, knob: str, tiny: Callable, game_of: Callable, advance: Callable, tmp_path: Path
) -> None:
    config = tiny(changes=BASES[base])
    game = game_of(config)
    advance(game, 3)
    before = capture(game, 3)
    game.set_knob(knob, VALUES[knob])
    turned = load_checkpoint(save_checkpoint(tmp_path, capture(game, 3)))
    advance(game, 2, 3)
    after = capture(game, 5)
    assert after["knobs"] == {knob: VALUES[knob]}

    changed = config.replace({knob: VALUES[knob]})
    forked = game_of(changed)
    restore(forked, fork(before, config, changed).state)
    advance(forked, 2, 3)
    assert without_knobs(capture(forked, 5)) == without_knobs(after)

    resumed = game_of(config)
    restore(resumed, turned)
    assert advance(resumed, 2, 3) == state_hash(after)

    forgotten = game_of(config)
    restore(forgotten, before)
    advance(forgotten, 2, 3)
    assert without_knobs(capture(forgotten, 5)) != without_knobs(after)


def test_a_state_that_has_lost_its_knobs_does_not_continue_the_run(
    tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    """λ stands nowhere else in the state: it is what a continuation would get wrong."""
    config = tiny(changes=BASES["penalty"])
    game = game_of(config)
    game.set_knob("objective.penalties.gradient_penalty", 0.0)
    advance(game, 2)
    state = capture(game, 2)
    expected = advance(game, 2, 2)
    lost = game_of(config)
    restore(lost, {name: part for name, part in state.items() if name != "knobs"})
    assert advance(lost, 2, 2) != expected


def test_an_untouched_state_has_no_knobs_and_a_strange_one_is_refused(tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny())
    state = capture(game, 0)
    assert "knobs" not in state
    for knobs in ({"objective.penalties.r1": 1.0}, {"seed": 3}, {"schedule.n_critic": "many"}, [1], {"x": {}}):
        with pytest.raises(ValueError, match=r"\w+ \w+"):
            restore(game_of(tiny()), {**state, "knobs": knobs})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"objective.penalties.r1": 1.0}, "fork it instead"),
        ({"tricks.instance_noise": 0.5}, "fork it instead"),
        ({"model.latent_dim": 5}, "fork it instead"),
        ({"optimizers.generator.lr": -1.0}, "greater than 0"),
        ({"schedule.n_critic": 0}, "at least 1"),
        ({"schedule.n_critic": 1.5}, "whole number"),
        ({"data.batch_size": 7}, "does not divide"),
    ],
)
def test_what_cannot_be_turned_is_a_sentence(changes: dict[str, float], sentence: str, tiny: Callable) -> None:
    config = tiny(changes={"model.discriminator.packing": 2})
    check(config, {"optimizers.generator.lr": 0.5, "data.batch_size": 10})
    with pytest.raises(ConfigError, match=sentence):
        check(config, changes)

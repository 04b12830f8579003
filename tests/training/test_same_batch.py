"""A look back at a turn on its own batch: what it says, and that the game does not notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from gan_core.config import OBJECTIVES, TRICKS
from gan_core.config import flatten as dotted
from gan_core.training import capture, look_back, moment_of, play, restore, state_hash

RICH = {
    "model.generator.normalization": "batch",
    "model.generator.dropout": 0.2,
    "model.discriminator.dropout": 0.2,
    "model.discriminator.spectral_norm": True,
    "schedule.n_critic": 2,
}
GAMES: dict[str, dict[str, Any]] = {
    **{name: {"objective": name, **RICH, "model.discriminator.spectral_norm": name != "wgan"} for name in OBJECTIVES},
    **{
        trick: {**RICH, **({"data.name": "digits8"} if "augment" in trick else {}), **dotted(TRICKS[trick].settings)}
        for trick in TRICKS
    },
    "k on its way": {"objective": "began", "objective.options": {"lambda_k": 0.2}},
    "a penalty with a memory": {"objective": "r3gan", "objective.penalties.lecam": 0.1},
    "images, across an epoch": {"data.name": "mnist5k", "data.batch_size": 1500},
    "classes": {"data.name": "digits8", "objective": "wgan_gp", "model.condition": "ac_gan"},
}


@pytest.mark.parametrize("name", GAMES)
def test_whoever_looks_back_at_every_turn_gets_the_same_game(name: str, tiny: Callable, game_of: Callable) -> None:
    config = tiny("mlp", GAMES[name])
    watched, alone = game_of(config), game_of(config)
    turns = zip(play(alone), play(watched), strict=True)
    before = moment_of(watched)
    for left, right in turns:
        asked = [parameter.requires_grad for player in watched.players for parameter in player.parameters]
        seen = look_back(watched, before, right)
        told = {column: value.item() for column, value in right.values.items()}
        of_turn = seen.before[right.player.name]
        assert of_turn == pytest.approx({column: told[column] for column in of_turn}, rel=1e-5, abs=1e-6)
        assert {name: value.item() for name, value in left.values.items()} == told
        assert state_hash(capture(watched, right.round)) == state_hash(capture(alone, left.round))
        assert [p.requires_grad for player in watched.players for p in player.parameters] == asked
        if right.ends_round and right.round == 3:
            break
        before = moment_of(watched)


def test_after_is_what_the_player_would_read_if_the_turn_were_played_again(tiny: Callable, game_of: Callable) -> None:
    config = tiny("mlp", {"objective": "hinge", "model.discriminator.spectral_norm": True, "schedule.n_critic": 2})
    game, again = game_of(config), game_of(config)
    turns = play(game)
    for _ in range(3):
        next(turns)  # a whole round
    for _ in range(3):
        state, before = capture(game, 1), moment_of(game)
        turn = next(turns)
        seen = look_back(game, before, turn)
        name = turn.player.name
        restore(again, state)
        for mine, theirs in zip(again.networks.values(), game.networks.values(), strict=True):
            for weight, moved in zip(mine.parameters(), theirs.parameters(), strict=True):
                weight.data.copy_(moved)
        player = next(player for player in again.players if player.name == name)
        outcome = player.objective()
        assert seen.after[name]["loss"] == pytest.approx(sum(term.item() for term in outcome.terms.values()), rel=1e-6)
        assert seen.after[name]["loss"] != seen.before[name]["loss"]


@pytest.mark.parametrize("turns", [1, 2], ids=["D", "G"])
def test_a_small_step_downhill_lowers_its_own_loss(turns: int, tiny: Callable, game_of: Callable) -> None:
    plain = {"name": "sgd", "lr": 1e-3}
    config = tiny("mlp", {"optimizers.generator": plain, "optimizers.discriminator": plain})
    for rate in (1e-3, 0.0):
        game = game_of(config)
        for player in game.players:
            for group in player.optimizer.param_groups:
                group["lr"] = rate
        played = play(game)
        for _ in range(turns):
            before = moment_of(game)
            turn = next(played)
        seen = look_back(game, before, turn)
        name = turn.player.name
        if rate:
            assert seen.after[name]["loss"] < seen.before[name]["loss"]
        else:
            assert seen.after == seen.before


def test_the_game_is_put_back_also_where_looking_fails(
    tiny: Callable, game_of: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = game_of(tiny("mlp", {"objective": "began"}))
    before = moment_of(game)
    turn = next(play(game))
    expected = state_hash(capture(game, 1))
    monkeypatch.setattr(torch, "stack", lambda tensors: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        look_back(game, before, turn)
    assert state_hash(capture(game, 1)) == expected

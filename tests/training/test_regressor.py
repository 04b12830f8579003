"""The latent regressor: an encoder for the generator of a run that is forked into it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_core.config import ConfigError, RunConfig
from gan_core.data import Batch
from gan_core.engine import describe
from gan_core.training import build, capture, explain, fork, load_source, play, resolve, restore, state_hash
from gan_core.training.assembly import Assembly
from gan_core.training.games.regressor import REGRESSOR, Regressor
from gan_core.training.latent import Latent
from gan_core.training.loop import take_turn
from gan_core.training.optimization import optimization_of

SMALL = {
    "model.latent_dim": 3,
    "model.generator.widths": [6, 5],
    "model.discriminator.widths": [7],
    "data.batch_size": 8,
    "device": "cpu",
}


def gan(changes: dict[str, Any] | None = None, rounds: int = 3) -> tuple[RunConfig, Any]:
    """A GAN after a few rounds, and its configuration."""
    config = resolve(RunConfig.load({"data": {"name": "ring"}, "seed": 3}).replace({**SMALL, **(changes or {})}))
    game = build(config, load_source(config))
    next(turn for turn in play(game) if turn.ends_round and turn.round == rounds)
    return config, game


def regressor(parent: RunConfig, changes: dict[str, Any] | None = None) -> RunConfig:
    return resolve(parent.replace({"game": "regressor", "model.encoder.widths": [6], **(changes or {})}))


def test_the_generator_of_a_fork_goes_over_whole_and_stays() -> None:
    parent, before = gan({"model.generator.normalization": "batch"})
    child = regressor(parent)
    assert child.model.generator == parent.model.generator
    forked = fork(capture(before, 3), parent, child)
    assert forked.kept["G"] == 1
    assert "E: all of its layers" in forked.anew
    game = build(child, load_source(child))
    assert isinstance(game, Regressor)
    assert restore(game, forked.state) == 3
    z = torch.randn(5, 3)
    assert torch.equal(game.sample(z), before.sample(z))
    first = state_hash(before.G.state_dict()), state_hash(game.E.state_dict())
    for turn in play(game, 3):
        assert tuple(turn.values) == turn.player.columns
        if turn.round == 6:
            break
    assert state_hash(game.G.state_dict()) == first[0], "its running means neither"
    assert state_hash(game.E.state_dict()) != first[1]
    assert game.encode(game.sample(z)).shape == (5, 3)
    assert game.reconstruct(game.sample(z)).shape == (5, 2)
    assert list(describe(child)["labels"]) == [f"E.{column}" for column in turn.values]
    again = build(child, load_source(child))
    restore(again, capture(game, 6))
    assert state_hash(capture(again, 6)) == state_hash(capture(game, 6))


def test_what_is_sampled_is_what_goes_over() -> None:
    parent, before = gan({"tricks.ema_decay": 0.9})
    child = regressor(parent)
    game = build(child, load_source(child))
    restore(game, fork(capture(before, 3), parent, child).state)
    z = torch.randn(5, 3)
    assert torch.equal(game.sample(z), before.sample(z))
    assert not torch.equal(game.sample(z), before.G(z))


def test_a_generator_that_does_not_fit_whole_is_refused() -> None:
    parent, before = gan()
    with pytest.raises(ConfigError, match="just as the run left it"):
        fork(capture(before, 3), parent, regressor(parent, {"model.generator.widths": [6, 4]}))
    parent, before = gan({"data.name": "digits8", "model.condition": "concatenation"})
    with pytest.raises(ConfigError, match="just as the run left it"):
        fork(capture(before, 3), parent, regressor(parent))
    coder = resolve(RunConfig.load({"game": "autoencoder", "data": {"name": "ring"}, "device": "cpu"}))
    state = capture(build(coder, load_source(coder)), 0)
    with pytest.raises(ConfigError, match="has no network G"):
        fork(state, coder, resolve(RunConfig.load({"game": "regressor", "data": {"name": "ring"}, "device": "cpu"})))


def test_the_encoder_of_a_linear_generator_is_its_pseudo_inverse() -> None:
    A = torch.tensor([[2.0, 0.3], [-0.4, 0.9], [0.2, 0.1]])
    networks: dict[str, nn.Module] = {"G": nn.Linear(2, 3, bias=False), "E": nn.Linear(3, 2)}
    networks["G"].weight.data = A.clone()

    class Sized:
        batch_size = 256

    config = regressor(
        gan(rounds=1)[0], {"optimizer.lr": 0.05, "optimizer.lr_schedule": "late", "optimizer.lr_final": 0.01}
    )
    made = Assembly(networks, {"z": torch.Generator().manual_seed(0)}, Sized())  # type: ignore[arg-type]
    moves = optimization_of(config.optimizer, networks["E"], steps=1, rounds=300)
    game = Regressor(made, moves, REGRESSOR.columns(config), Latent(2))
    for round in range(1, 301):
        game.begin_round(round)
        values: dict[str, Tensor] = take_turn(game, game.players[0])
    assert values["loss"] < 1e-4
    torch.testing.assert_close(networks["E"].weight @ A, torch.eye(2), atol=0.01, rtol=0)


def test_an_encoder_of_data_finds_what_a_linear_generator_can_make_of_it() -> None:
    """f-AnoGAN's: G(E(x)) becomes the projection of x to what G can make, also where x is not of it."""
    A = torch.tensor([[2.0, 0.3], [-0.4, 0.9], [0.2, 0.1]])
    networks: dict[str, nn.Module] = {"G": nn.Linear(2, 3, bias=False), "E": nn.Linear(3, 2)}
    networks["G"].weight.data = A.clone()
    draws = torch.Generator().manual_seed(1)

    class Data:
        batch_size = 256

        def next(self) -> Batch:
            return Batch(torch.randn(256, 3, generator=draws))

    changes = {"optimizer.lr": 0.05, "optimizer.lr_schedule": "late", "optimizer.lr_final": 0.01}
    config = regressor(gan(rounds=1)[0], {**changes, "model.learns_from": "data"})
    made = Assembly(networks, {"z": torch.Generator().manual_seed(0)}, Data())  # type: ignore[arg-type]
    moves = optimization_of(config.optimizer, networks["E"], steps=1, rounds=300)
    game = Regressor(made, moves, REGRESSOR.columns(config), Latent(2), of_data=True)
    for round in range(1, 301):
        game.begin_round(round)
        take_turn(game, game.players[0])
    torch.testing.assert_close(A @ networks["E"].weight, A @ torch.linalg.pinv(A), atol=0.02, rtol=0)
    assert torch.equal(networks["G"].weight, A), "it is finished"


def test_what_an_encoder_learns_from_is_built_and_said() -> None:
    parent, before = gan({"model.generator.normalization": "batch"})
    child = regressor(parent, {"model.learns_from": "data"})
    game = build(child, load_source(child))
    restore(game, fork(capture(before, 3), parent, child).state)
    first = state_hash(game.G.state_dict())
    turn = next(turn for turn in play(game, 3) if turn.round == 6)
    assert tuple(turn.values) == turn.player.columns
    assert state_hash(game.G.state_dict()) == first, "its running means neither"
    assert describe(child)["labels"]["E.rec"] == "mean squared error of a number of x"


def test_that_it_wants_a_finished_generator_is_said() -> None:
    config = resolve(RunConfig.load({"game": "regressor", "data": {"name": "ring"}, "device": "cpu"}))
    assert [problem.field for problem in explain(config)] == ["game"]

"""A fork: what fits goes over to the last bit, what does not begins as in a new run and is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_core.config import OBJECTIVES, TRICKS, ConfigError
from gan_core.config import flatten as dotted
from gan_core.models import spectral_norm_of
from gan_core.training import Fork, capture, fork, load_checkpoint, resolve, restore, save_checkpoint, state_hash
from gan_core.training.state import flatten

Forked = tuple[dict[str, Any], Fork, Any]


@pytest.fixture
def forked(tiny: Callable, game_of: Callable, advance: Callable) -> Callable[..., Forked]:
    """``forked(changes, base={…}, rounds=3)``: the parent's state, the fork, and the child's game with that state in it."""

    def make(
        changes: dict[str, Any], *, base: dict[str, Any] | None = None, architecture: str = "mlp", rounds: int = 3
    ) -> Forked:
        parent = tiny(architecture, base)
        game = game_of(parent)
        advance(game, rounds)
        state = capture(game, rounds)
        child = resolve(parent.replace(changes))
        result = fork(state, parent, child)
        continued = game_of(child)
        assert restore(continued, result.state) == rounds
        return state, result, continued

    return make


def same(mine: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return mine.keys() == theirs.keys() and all(torch.equal(mine[key], theirs[key]) for key in mine)


RICH = {"model.generator.normalization": "batch", "model.discriminator.dropout": 0.2, "schedule.n_critic": 2}
UNCHANGED: dict[str, tuple[str, dict[str, Any]]] = {
    **{objective: ("mlp", {"objective": objective, **RICH}) for objective in OBJECTIVES},
    **{trick: ("dcgan" if "augment" in trick else "mlp", dotted(TRICKS[trick].settings)) for trick in TRICKS},
    "convolutions": ("dcgan", {"objective": "hinge", "model.discriminator.spectral_norm": True, **RICH}),
    "sgd": ("mlp", {"optimizers.generator": {"name": "sgd", "momentum": 0.9}}),
}


@pytest.mark.parametrize("case", UNCHANGED)
def test_a_fork_without_changes_has_the_very_state(case: str, forked: Callable, advance: Callable) -> None:
    architecture, base = UNCHANGED[case]
    state, result, _ = forked({}, base=base, architecture=architecture)
    assert state_hash(result.state) == state_hash(state)
    assert result.anew == ()
    assert set(result.kept.values()) == {1.0}


def test_under_a_schedule_a_fork_without_changes_goes_on_bit_for_bit(
    tiny: Callable, game_of: Callable, advance: Callable, tmp_path: Path
) -> None:
    """Between rounds the rates may differ, since each round sets its own; and a state read from a file is as good."""
    config = tiny(changes={"optimizers.discriminator.lr_schedule": "cosine", "schedule.rounds": 10})
    uninterrupted = game_of(config)
    advance(uninterrupted, 4)
    kept = load_checkpoint(save_checkpoint(tmp_path, capture(uninterrupted, 4)))
    child = game_of(config)
    restore(child, fork(kept, config, config).state)
    assert advance(child, 3, 4) == advance(uninterrupted, 3, 4)


def test_another_objective_keeps_weights_and_brings_its_own_settings(forked: Callable) -> None:
    state, result, game = forked({"objective": "wgan_gp"}, base={"objective": "ns_gan"})
    for name, network in game.networks.items():
        assert same(network.state_dict(), state["networks"][name])
    assert result.kept == {"G": 1.0, "D": 1.0}
    assert result.anew == ()
    for player in game.players:
        (group,) = player.optimizer.param_groups
        assert (group["lr"], *group["betas"]) == (1e-4, 0.0, 0.9)
        before = state["optimizers"][player.name]["state"]
        now = player.optimizer.state_dict()["state"]
        assert all(same(now[index], before[index]) for index in before)
        assert before
    assert [player.steps for player in game.players] == [5, 1]
    assert game.players[0].terms == ("adv", "gp")


def test_streams_and_data_go_on_where_the_parent_was(forked: Callable) -> None:
    state, result, _ = forked({"objective": "ls_gan", "data.batch_size": 4})
    assert same(result.state["streams"], state["streams"])
    assert torch.equal(result.state["data"]["generator"], state["data"]["generator"])


def test_another_seed_keeps_the_weights_and_draws_anew(forked: Callable, tiny: Callable, game_of: Callable) -> None:
    state, result, game = forked({"seed": 12})
    assert same(game.D.state_dict(), state["networks"]["D"])
    assert same(result.state["streams"], capture(game_of(tiny(changes={"seed": 12})), 0)["streams"])
    assert result.anew == ("the noise and the order of the data: another seed",)


def test_packing_gives_d_a_new_first_layer_and_nothing_else(
    forked: Callable, tiny: Callable, game_of: Callable
) -> None:
    packing = {"model.discriminator.packing": 4}
    state, result, game = forked(packing)
    fresh = game_of(tiny(changes=packing)).D.state_dict()
    mine, before = game.D.state_dict(), state["networks"]["D"]
    first = [key for key in mine if mine[key].shape != before[key].shape or torch.equal(mine[key], fresh[key])]
    assert first == ["1.weight", "1.bias"]
    assert all(torch.equal(mine[key], fresh[key]) for key in first)
    assert all(torch.equal(mine[key], before[key]) for key in mine if key not in first)
    assert same(game.G.state_dict(), state["networks"]["G"])
    assert result.anew == ("D, Linear at 1: its weight is 7×8 instead of 7×2",)
    total = sum(p.numel() for p in game.D.parameters())
    assert result.kept == {"G": 1.0, "D": pytest.approx(1 - (7 * 8 + 7) / total)}
    moments = game.players[0].optimizer.state_dict()["state"]
    assert [float(moments[index]["step"]) for index in moments] == [0, 0, 3, 3, 3, 3]
    assert not moments[0]["exp_avg"].any()
    assert not moments[1]["exp_avg_sq"].any()


@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "adam"},
        {"name": "rmsprop"},
        {"name": "rmsprop", "momentum": 0.9},
        {"name": "sgd"},
        {"name": "sgd", "momentum": 0.9},
    ],
)
def test_moments_that_begin_at_zero_are_those_of_a_new_optimiser(
    optimizer: dict[str, Any], tiny: Callable, game_of: Callable, forked: Callable
) -> None:
    """Oracle: the step that torch's own new optimiser takes from the same weights with the same gradient."""
    base = {"optimizers.discriminator": {**optimizer, "lr": 0.01}}
    _, _, game = forked({"model.discriminator.packing": 2}, base=base)
    player = game.players[0]
    for index, parameter in enumerate(player.parameters):
        parameter.requires_grad_(True)
        parameter.grad = torch.full_like(parameter, 0.1 * (index + 1))
    twins = [nn.Parameter(p.detach().clone()) for p in player.parameters]
    for twin, parameter in zip(twins, player.parameters, strict=True):
        twin.grad = parameter.grad.clone()
    settings = {key: value for key, value in player.optimizer.param_groups[0].items() if key != "params"}
    type(player.optimizer)([{"params": twins, **settings}]).step()
    player.optimizer.step()
    assert torch.equal(player.parameters[0], twins[0])  # the first layer is new
    if player.optimizer.state[player.parameters[2]]:  # plain SGD remembers nothing
        assert not torch.equal(player.parameters[2], twins[2])  # the second goes on


def test_another_optimiser_begins_without_memory(forked: Callable, advance: Callable) -> None:
    state, result, game = forked({"optimizers.discriminator": {"name": "rmsprop"}})
    assert game.players[0].optimizer.state_dict()["state"] == {}
    assert same(game.D.state_dict(), state["networks"]["D"])
    assert result.anew == ("D's optimiser: it follows another rule",)
    advance(game, 1, 3)
    assert set(game.players[0].optimizer.state_dict()["state"]) == set(range(6))


def test_momentum_switched_on_begins_without_memory(forked: Callable, advance: Callable) -> None:
    base = {"optimizers.generator": {"name": "rmsprop"}}
    _, result, game = forked({"optimizers.generator.momentum": 0.9}, base=base)
    assert result.anew == ("G's optimiser: it follows another rule",)
    advance(game, 1, 3)


def test_spectral_norm_switched_on_divides_the_parents_weights(forked: Callable, advance: Callable) -> None:
    changes = {"model.discriminator.spectral_norm": True, "model.discriminator.spectral_gain": 2.0}
    state, result, game = forked(changes, rounds=8)
    layers = [layer for layer in game.D.modules() if spectral_norm_of(layer) is not None]
    names = ["1", "3", "5"]
    assert len(layers) == len(names)
    game.D.eval()
    for layer, name in zip(layers, names, strict=True):
        before = state["networks"]["D"][f"{name}.weight"]
        assert torch.equal(layer.parametrizations["weight"].original, before)
        expected = 2.0 * before / torch.linalg.matrix_norm(before, 2)
        torch.testing.assert_close(layer.weight, expected, rtol=0.02, atol=0.01)
    assert result.kept["D"] == 1.0
    assert len(result.anew) == 1
    assert "now normalised spectrally" in result.anew[0]
    game.D.train()
    advance(game, 2, 8)


def test_spectral_norm_switched_off_leaves_d_the_function_it_was(
    forked: Callable, tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    base = {"model.discriminator.spectral_norm": True}
    state, result, game = forked({"model.discriminator.spectral_norm": False}, base=base)
    parent = game_of(tiny(changes=base))
    restore(parent, state)
    x = torch.linspace(-2, 2, 22).reshape(11, 2)
    torch.testing.assert_close(game.judge(x), parent.judge(x), rtol=1e-6, atol=1e-6)
    assert "no longer normalised" in result.anew[0]
    advance(game, 2, 3)


def test_normalisation_put_between_layers_moves_none_of_them(forked: Callable, advance: Callable) -> None:
    state, result, game = forked({"model.generator.normalization": "batch"})
    mine = [layer.weight for layer in game.G.modules() if isinstance(layer, nn.Linear)]
    before = [tensor for key, tensor in state["networks"]["G"].items() if key.endswith("weight")]
    assert all(torch.equal(a, b) for a, b in zip(mine, before, strict=True))
    assert len(result.anew) == 2
    assert all("BatchNorm1d" in line for line in result.anew)
    steps = [float(entry["step"]) for entry in game.players[1].optimizer.state_dict()["state"].values()]
    assert sorted(steps) == [0.0] * 4 + [3.0] * 6
    advance(game, 2, 3)


def test_a_deeper_network_keeps_what_is_at_the_same_place(forked: Callable) -> None:
    state, result, game = forked({"model.generator.widths": [6, 5, 5]})
    for key in ("0.weight", "0.bias", "2.weight", "2.bias"):
        assert torch.equal(game.G.state_dict()[key], state["networks"]["G"][key])
    assert [line.split(":")[0] for line in result.anew] == ["G, Linear at 4", "G, Linear at 6"]


def test_a_new_moving_average_begins_at_the_present_weights(forked: Callable) -> None:
    state, result, game = forked({"tricks.ema_decay": 0.9})
    assert same(game.networks["G_average"].state_dict(), state["networks"]["G"])
    assert result.anew == ("the moving average of G: it begins with G's present weights",)
    state, result, game = forked({"tricks.ema_decay": 0.5}, base={"tricks.ema_decay": 0.9})
    assert same(game.networks["G_average"].state_dict(), state["networks"]["G_average"])
    assert not same(state["networks"]["G_average"], state["networks"]["G"])
    assert result.anew == ()
    _, result, game = forked({"tricks.ema_decay": 0}, base={"tricks.ema_decay": 0.9})
    assert set(game.networks) == {"G", "D"}
    assert result.anew == ()


def test_the_memory_of_a_loss_goes_on_with_the_same_loss_alone(forked: Callable) -> None:
    began = {"objective": "began", "objective.options": {"lambda_k": 0.5, "gamma": 1.0}}
    state, _, game = forked({"optimizers.generator.lr": 1e-5}, base=began, rounds=5)
    assert float(state["memory"]["loss"]["k"]) != 0
    assert torch.equal(game.memory["loss"]["k"], state["memory"]["loss"]["k"])
    anchored = {"objective.penalties": {"lecam": 0.1}}
    state, _, game = forked({"objective.penalties": {"lecam": 0.3}}, base=anchored)
    assert same(game.memory["lecam"], state["memory"]["lecam"])


def test_convolutions_packed(forked: Callable, advance: Callable) -> None:
    state, result, game = forked({"model.discriminator.packing": 2}, architecture="dcgan")
    assert result.anew == ("D, Conv2d at 0: its weight is 3×2×4×4 instead of 3×1×4×4",)
    assert same(game.G.state_dict(), state["networks"]["G"])
    advance(game, 1, 3)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_can_be_forked_to(objective: str, forked: Callable, advance: Callable) -> None:
    _, result, game = forked({"objective": objective}, base={"objective": "ns_gan"})
    assert result.kept["G"] == 1.0
    advance(game, 2, 3)


def test_where_nothing_fits_it_is_a_new_run(tiny: Callable, game_of: Callable, forked: Callable) -> None:
    with pytest.raises(ConfigError, match="start a new run"):
        forked({"model.generator.widths": [3], "model.latent_dim": 5, "model.discriminator.widths": [3]})
    other, state = tiny(changes={"model.generator.widths": [9]}), capture(game_of(tiny()), 0)
    with pytest.raises(ValueError, match="not one of the run's configuration"):
        fork(state, other, other)


def test_forking_leaves_the_state_and_the_global_generator_alone(forked: Callable) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    state, result, _ = forked({"model.discriminator.spectral_norm": True, "objective": "hinge"})
    assert torch.equal(torch.get_rng_state(), before)
    hashed = state_hash(state)
    for tensor in flatten(result.state)[0].values():
        tensor.view(-1)[:1].view(torch.uint8).bitwise_not_()
    assert state_hash(state) == hashed


ODD = [(part, value) for part in ("networks", "optimizers", "streams", "data") for value in (None, 3)]


@pytest.mark.parametrize(("part", "value"), [*ODD, ("networks", {"D": 1, "G": 2}), ("optimizers", {"D": 1, "G": 2})])
def test_a_state_that_lacks_a_part_is_refused_with_a_sentence(
    part: str, value: Any, tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    parent = tiny("mlp")
    game = game_of(parent)
    advance(game, 1)
    with pytest.raises(ValueError, match="this state is not one of the run's configuration"):
        fork(capture(game, 1) | {part: value}, parent, parent)

"""The adversarial autoencoder: who moves what, what D reaches where all is known, and the switch of the adversary."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gan_core.config import ConfigError, RunConfig
from gan_core.config.naming import label_of
from gan_core.engine import describe
from gan_core.engine.library.describe import OF_CODES
from gan_core.training import GAMES, build, capture, explain, load_source, play, resolve, restore, state_hash
from gan_core.training.assembly import Assembly
from gan_core.training.games.aae import AAE, Aae
from gan_core.training.knobs import check
from gan_core.training.latent import Categorical, Latent
from gan_core.training.loop import take_turn
from gan_core.training.optimization import optimization_of
from gan_core.training.petals import Petals
from gan_core.ui.watching import panels_for

SMALL = {
    **{f"model.{part}.widths": [6] for part in ("encoder", "decoder", "discriminator")},
    "model.code_dim": 2,
    "data.batch_size": 8,
}
FLOWER = {"prior.kind": "petals", "prior.labels": True}


def config_of(data: str, changes: dict[str, Any] | None = None) -> RunConfig:
    base = RunConfig.load({"game": "aae", "data": {"name": data}, "device": "cpu", "seed": 7})
    return resolve(base.replace({**SMALL, **(changes or {})}))


def game_of(data: str, changes: dict[str, Any] | None = None) -> Aae:
    config = config_of(data, changes)
    game = build(config, load_source(config))
    assert isinstance(game, Aae)
    return game


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Table:
    """The same batch again and again, in place of a stream."""

    def __init__(self, x: Tensor) -> None:
        self.x = x

    def next(self) -> Table:
        return self


def linear_game(
    networks: dict[str, nn.Module], x: Tensor, rounds: int, lr: float, players: tuple[str, ...] = ("AE", "D", "E")
) -> tuple[Aae, dict[str, float]]:
    """A game of these networks on one batch, after so many rounds in which the ``players`` moved, and its last numbers."""
    config = config_of("ring")
    settings = config.optimizers.autoencoder.model_copy(
        update={"lr": lr, "beta1": 0.5, "lr_schedule": "late", "lr_final": 0.01}
    )
    made = Assembly(networks, {"prior": seeded(1)}, Table(x))  # type: ignore[arg-type]
    both = nn.ModuleDict({"E": networks["E"], "Dec": networks["Dec"]})
    moved: dict[str, nn.Module] = {"AE": both, "D": networks["D"], "E": networks["E"]}
    moves = {name: optimization_of(settings, network, steps=1, rounds=rounds) for name, network in moved.items()}
    prior = Latent(networks["Dec"].in_features)  # type: ignore[arg-type]
    game = Aae(made, moves, AAE.columns(config), prior, error="mse", labels=False, images=False)
    told: dict[str, float] = {}
    for round in range(1, rounds + 1):
        game.begin_round(round)
        for player in game.players:
            if player.name in players:
                told |= {f"{player.name}.{name}": value.item() for name, value in take_turn(game, player).items()}
    return game, told


# --- who moves ---


def hashes(game: Aae) -> dict[str, str]:
    return {role: state_hash(dict(network.named_parameters())) for role, network in game.networks.items()}


@pytest.mark.parametrize(("player", "moves"), [(0, ["E", "Dec"]), (1, ["D"]), (2, ["E"])], ids=["AE", "D", "E"])
def test_each_player_moves_its_own_networks_alone(player: int, moves: list[str]) -> None:
    """Above all E's step against D leaves D and Dec as they were, after all three have had their turns."""
    game = game_of("digits8", FLOWER)
    for each in game.players:
        take_turn(game, each)
    before = hashes(game)
    take_turn(game, game.players[player])
    after = hashes(game)
    assert [role for role in before if before[role] != after[role]] == moves


def test_a_turn_of_each_adversary_is_the_objective_by_hand() -> None:
    """E is told all of what D says: a weight on its term would hold the codes to the prior less."""
    game = game_of("digits8")
    place, drawn = game.data.state(), game.streams["prior"].get_state()
    x = game.data.next().x
    with torch.no_grad():
        code, prior = game._encoded(x), game.prior(8, game.streams["prior"])
        by_hand = softplus(-game.D(prior)).mean() + softplus(game.D(code)).mean(), softplus(-game.D(code)).mean()
    for player, loss in zip(game.players[1:], by_hand, strict=True):
        game.data.restore(place)
        game.streams["prior"].set_state(drawn)
        torch.testing.assert_close(take_turn(game, replace(player, moves=False))["loss"], loss)


def test_the_encoder_has_the_moments_of_two_players() -> None:
    game = game_of("ring")
    for each in game.players:
        take_turn(game, each)
    weight = game.E[1].weight
    autoencoder, _, encoder = (player.optimizer.state.get(weight, {}) for player in game.players)
    assert not torch.equal(autoencoder["exp_avg"], encoder["exp_avg"])


# --- what is known ---


def test_draws_of_the_prior_take_d_to_2_log_2() -> None:
    """Codes that are distributed as the prior: E the identity on Gaussian data."""
    E = nn.Linear(2, 2, bias=False)
    E.weight.data = torch.eye(2)
    D = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0))
    x = torch.randn(4096, 2, generator=seeded(3))
    _, told = linear_game({"E": E, "Dec": nn.Linear(2, 2), "D": D}, x, 150, 0.01, ("D",))
    assert told["D.loss"] == pytest.approx(2 * math.log(2), abs=0.01)


def test_the_best_d_between_two_gaussians_is_a_line_of_slope_minus_m() -> None:
    """log N(z; 0, 1) − log N(z; m, 1) = −m z + m²/2."""
    m, E = 0.8, nn.Linear(1, 1)
    E.weight.data, E.bias.data = torch.ones(1, 1), torch.tensor([m])
    D = nn.Sequential(nn.Linear(1, 1), nn.Flatten(0))
    x = torch.randn(20_000, 1, generator=seeded(4))
    linear_game({"E": E, "Dec": nn.Linear(1, 1), "D": D}, x, 200, 0.05, ("D",))
    assert D[0].weight.item() == pytest.approx(-m, abs=0.05)
    assert D[0].bias.item() == pytest.approx(m**2 / 2, abs=0.05)


class Quadratic(nn.Module):
    """D(z) = a quadratic form of z, a line and a constant: the log ratio of two Gaussians is one."""

    def __init__(self) -> None:
        super().__init__()
        self.form = nn.Linear(6, 1)
        nn.init.zeros_(self.form.weight)

    def forward(self, z: Tensor) -> Tensor:
        products = (z[:, :, None] * z[:, None]).flatten(1)
        return self.form(torch.cat([z, products], 1)).squeeze(1)


def test_a_linear_autoencoder_whitens_its_code_for_nothing() -> None:
    """Cov(E(x)) = I and the reconstruction of PCA at once: linear networks have nothing to trade."""
    x = torch.randn(512, 4, generator=seeded(5)) * torch.tensor([2.0, 1.2, 0.3, 0.3])
    x = (x - x.mean(0)) @ torch.linalg.qr(torch.randn(4, 4, generator=seeded(6))).Q
    E, Dec = nn.Linear(4, 2), nn.Linear(2, 4)
    for index, layer in enumerate((E, Dec)):
        layer.weight.data = 0.4 * torch.randn(layer.weight.shape, generator=seeded(10 + index))
        layer.bias.data.zero_()
    game, told = linear_game({"E": E, "Dec": Dec, "D": Quadratic()}, x, 400, 0.03)
    codes = game.encode(x)
    discarded = torch.linalg.eigvalsh(torch.cov(x.T))[:2].sum().item() / 4
    torch.testing.assert_close(torch.cov(codes.T), torch.eye(2), atol=0.12, rtol=0)
    assert told["AE.rec"] == pytest.approx(discarded, rel=0.1)
    assert told["D.loss"] == pytest.approx(2 * math.log(2), abs=0.02)


def test_a_petal_is_a_gaussian_that_points_outwards() -> None:
    petals = Petals(5, radius=4.0, along=1.0, across=0.25)
    k = torch.full((20_000,), 2)
    angle = torch.tensor(2 * math.pi * 2 / 5)
    outwards = torch.stack([angle.cos(), angle.sin()])
    z = petals.of(k, seeded())
    assert (z @ outwards).mean().item() == pytest.approx(4, abs=0.03)
    assert (z @ outwards).std().item() == pytest.approx(1, abs=0.02)
    across = z @ torch.stack([-angle.sin(), angle.cos()])
    assert across.mean().item() == pytest.approx(0, abs=0.01)
    assert across.std().item() == pytest.approx(0.25, abs=0.01)
    drawn = petals(20_000, seeded(1))
    assert drawn.shape == (20_000, petals.dim)
    nearest = (torch.atan2(drawn[:, 1], drawn[:, 0]) / (2 * math.pi) * 5).round().remainder(5).long()
    assert torch.bincount(nearest, minlength=5).div(20_000).tolist() == pytest.approx([0.2] * 5, abs=0.02)


def test_a_petal_is_a_category_into_which_any_draw_can_be_turned() -> None:
    petals, k = Petals(5, along=0.5), torch.arange(500) % 5
    z = petals.of(k, seeded())
    assert isinstance(petals, Categorical)
    assert torch.equal(petals.category_of(z), k)
    wanted = (k + 3) % 5
    turned = petals.with_category(z, wanted)
    assert torch.equal(petals.category_of(turned), wanted)
    torch.testing.assert_close(petals.of(wanted, seeded()), turned, msg="all but the petal is what was drawn")


def test_d_is_told_one_class_for_a_draw_and_for_a_code() -> None:
    game = game_of("digits8", FLOWER)
    seen: list[tuple[Tensor, Tensor]] = []
    game.D.register_forward_pre_hook(lambda _, pair: seen.append(pair))
    take_turn(game, game.players[1])
    (drawn, of_draws), (codes, of_codes) = seen
    assert torch.equal(of_draws, of_codes)
    angle = 2 * math.pi * of_draws / 10
    outwards = torch.stack([angle.cos(), angle.sin()], 1)
    assert ((drawn * outwards).sum(1) > 0).all(), "each draw lies in the petal of its class"
    assert not torch.equal(drawn, codes)
    with torch.no_grad():
        assert not torch.equal(game.D(codes, of_codes), game.D(codes, (of_codes + 1) % 10))


# --- the switch ---


def test_off_the_autoencoder_goes_on_alone_and_on_again_all_move() -> None:
    """Off, a run is bit for bit that of E and Dec without anybody else; D and E's moments stay."""
    game = game_of("digits8")
    for each in game.players:
        take_turn(game, each)
    game.set_knob("adversary.on", 0.0)
    before, first = hashes(game), game.E[1].weight.detach().clone()
    take_turn(game, game.players[1])
    values = take_turn(game, game.players[2])
    assert hashes(game) == before
    assert values["fool"] > 0, "what is off is still looked at"
    take_turn(game, game.players[0])
    assert not torch.equal(game.E[1].weight, first)
    game.set_knob("adversary.on", 1.0)
    before = hashes(game)
    take_turn(game, game.players[1])
    assert hashes(game)["D"] != before["D"]


def test_it_goes_on_bit_for_bit_with_the_adversary_off(advance: Callable) -> None:
    changes = {**FLOWER, "optimizers.encoder.lr_schedule": "late"}
    game, again = (game_of("digits8", changes) for _ in range(2))
    advance(game, 2)
    game.set_knob("adversary.on", 0.0)
    advance(game, 2, 2)
    restore(again, capture(game, 4))
    assert [player.moves for player in again.players] == [True, False, False]
    assert advance(again, 3, 4) == advance(game, 3, 4)
    check(config_of("ring"), {"adversary.on": 0.0})
    assert config_of("ring").replace({"adversary.on": 0.0}).adversary.on is False
    assert not game_of("ring", {"adversary.on": False}).players[1].moves
    assert "D and E" in label_of("adversary.on")


# --- the game ---


@pytest.mark.parametrize("data", ["digits8", "ring"])
@pytest.mark.parametrize("architecture", ["mlp", "convolutional"])
def test_it_plays_on_data_of_every_kind(data: str, architecture: str) -> None:
    changes = {f"model.{part}.architecture": architecture for part in ("encoder", "decoder")}
    if architecture != "mlp" and data == "ring":
        with pytest.raises(ConfigError, match="choose an MLP"):
            config_of(data, changes)
        return
    config = config_of(data, {**changes, **(FLOWER if data == "digits8" else {})})
    game = build(config, load_source(config))
    turns = [turn for turn, _ in zip(play(game), range(3), strict=False)]
    assert all(tuple(turn.values) == turn.player.columns for turn in turns)
    told = describe(config)
    json.dumps(told, allow_nan=False)
    of_turns = [f"{turn.player.name}.{column}" for turn in turns for column in turn.values]
    assert list(told["labels"]) == [*of_turns, *(OF_CODES if data == "digits8" else ())]
    panels = panels_for(SimpleNamespace(config=config.to_dict()))  # type: ignore[arg-type]
    assert all(panel["traces"] for panel in panels if panel["slot"].endswith("-chart"))
    x, before = game.data.next().x, state_hash({"networks": capture(game, 0)["networks"]})
    latent = GAMES["aae"].latent(config)
    assert latent is not None
    assert game.sample(latent(8, seeded())).shape == game.reconstruct(x).shape == x.shape
    assert game.encode(x).shape == (8, 2)
    assert state_hash({"networks": capture(game, 0)["networks"]}) == before


@pytest.mark.parametrize(
    ("data", "changes", "says"),
    [
        ("ring", {"prior.labels": True}, "no classes"),
        ("digits8", {**FLOWER, "prior.petals": 7}, "choose 10"),
        ("digits8", {"prior.kind": "petals", "model.code_dim": 3}, "choose 2"),
        ("digits8", {"model.discriminator.architecture": "dcgan"}, "choose an MLP"),
        ("ring", {"reconstruction.error": "bce"}, "coordinates are none"),
    ],
)
def test_what_cannot_be_is_refused(data: str, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        config_of(data, changes)


def test_labels_with_one_gaussian_are_said_to_be_for_nothing() -> None:
    assert [problem.field for problem in explain(config_of("digits8", {"prior.labels": True}))] == ["prior.labels"]


def test_convolutions_without_a_normalisation_are_said_to_learn_hardly() -> None:
    convolutional = {"model.encoder.architecture": "convolutional", "model.decoder.architecture": "convolutional"}
    field = "model.encoder.normalization"
    assert [problem.field for problem in explain(config_of("digits8", convolutional))] == [field]
    batch = {field: "batch", "model.decoder.normalization": "batch"}
    assert explain(config_of("digits8", {**convolutional, **batch})) == []

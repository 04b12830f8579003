"""InfoGAN against what is known of its bound in closed form, and against the defects of public code."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from gan_core.config import ConfigError, RunConfig, preset_config
from gan_core.config.naming import label_of
from gan_core.engine import describe
from gan_core.engine.library.describe import traits
from gan_core.training import build, capture, explain, load_source, play, resolve, restore, state_hash
from gan_core.training.games.infogan import InfoGan, categorical_bound, continuous_bound
from gan_core.training.knobs import check
from gan_core.training.latent import CodedLatent, Latent
from gan_core.ui.watching import panels_for

SMALL = {
    "model.generator.widths": [6],
    "model.discriminator.widths": [5],
    "model.recognition.widths": [4],
    "model.latent_dim": 3,
    "code.categories": 4,
    "data.batch_size": 8,
}


def config_of(data: str, changes: dict[str, Any] | None = None) -> RunConfig:
    base = RunConfig.load({"game": "infogan", "data": {"name": data}, "device": "cpu", "seed": 7})
    return resolve(base.replace({**SMALL, **(changes or {})}))


def game_of(data: str, changes: dict[str, Any] | None = None) -> InfoGan:
    config = config_of(data, changes)
    game = build(config, load_source(config))
    assert isinstance(game, InfoGan)
    return game


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def advanced(game: InfoGan, rounds: int) -> InfoGan:
    for turn in play(game):
        if turn.ends_round and turn.round == rounds:
            return game
    raise AssertionError("a game does not end by itself")


# --- the bound ---


def test_a_perfect_q_reads_log_k_and_one_that_knows_nothing_reads_0() -> None:
    """Also where the softmax that is inside of the bound stands outside of it once more: 0.84143 would be its ceiling."""
    category = torch.randint(10, (500,), generator=seeded())
    perfect = 60.0 * one_hot(category, 10).float()
    assert categorical_bound(perfect, category).item() == pytest.approx(2.302585, abs=1e-5)
    assert categorical_bound(torch.zeros(500, 10), category).item() == pytest.approx(0, abs=1e-6)
    twice = categorical_bound(perfect.softmax(1), category).item()
    assert twice == pytest.approx(math.log(10) - math.log(1 + 9 / math.e), abs=1e-4)
    assert twice == pytest.approx(0.84143, abs=1e-4)


def test_a_code_that_is_lost_now_and_then_reads_its_information() -> None:
    """x keeps c with probability 0.8 and else is another: I(c; x) = 1.36274."""
    n = 200_000
    category = torch.randint(10, (n,), generator=seeded(1))
    other = (category + torch.randint(1, 10, (n,), generator=seeded(2))) % 10
    x = torch.where(torch.rand(n, generator=seeded(3)) < 0.8, category, other)
    posterior = torch.full((n, 10), 0.2 / 9).scatter(1, x[:, None], 0.8)
    exact = math.log(10) + 0.8 * math.log(0.8) + 0.2 * math.log(0.2 / 9)
    assert exact == pytest.approx(1.36274, abs=1e-5)
    assert categorical_bound(posterior.log(), category).item() == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize(
    ("sigma", "bound"), [(1.0, -0.2258), (0.1, 2.0768), (0.01, 2.7742)], ids=["1", "0.1", "clamped"]
)
def test_the_bound_of_a_continuous_code_is_not_log_2(sigma: float, bound: float) -> None:
    """A Q that is right on the mean reads log 2 − ½ log 2πσ²; log σ² stops at −6, where 4.38 would be that of σ = 0.01."""
    code = torch.rand(50, 1, generator=seeded()) * 2 - 1
    log_variance = torch.full_like(code, 2 * math.log(sigma))
    assert continuous_bound(code, log_variance, code).item() == pytest.approx(bound, abs=1e-3)
    of_both = torch.cat([code, code], 1)
    twice = continuous_bound(of_both, log_variance.expand(50, 2), of_both).item()
    assert twice == pytest.approx(2 * bound, abs=2e-3)


def test_a_continuous_code_is_compared_with_that_of_its_own_sample() -> None:
    code = torch.rand(50, 2, generator=seeded()) * 2 - 1
    with pytest.raises(ValueError, match="Q says"):
        continuous_bound(code, torch.zeros_like(code), code[:, :, None, None])
    close = torch.full_like(code, -4.0)
    right, wrong = continuous_bound(code, close, code), continuous_bound(code, close, code.roll(1, 0))
    assert right > 3.5
    assert wrong < -10


class Written(nn.Module):
    """A G that writes its code into x, for a Q that can learn nothing but to read it."""

    def __init__(self, latent: CodedLatent) -> None:
        super().__init__()
        self.latent, self.weight = latent, nn.Parameter(torch.ones(1))

    def forward(self, z: Tensor) -> Tensor:
        return self.weight * one_hot(self.latent.category_of(z), self.latent.categories).float()


def test_the_bound_of_the_game_itself_reaches_its_ceiling() -> None:
    """x is the one-hot of c: the objective of D brings Q within 1 % of log K."""
    game = game_of("ring", {"code.continuous": 0, "optimizers.discriminator.lr": 0.01, "data.batch_size": 64})
    D = nn.Linear(4, 1)
    game.G = Written(game.latent)
    game.D.features = lambda x: x  # type: ignore[method-assign, assignment]
    game.D.judged = lambda features: D(features).flatten()  # type: ignore[method-assign, assignment]
    Q = nn.Linear(4, 4)
    game.Q = Q
    optimizer = torch.optim.Adam(Q.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        outcome = game._generate()
        outcome.terms["weighted_info"].backward()
        optimizer.step()
    assert math.log(4) * 0.99 < outcome.readings["info"].item() <= math.log(4) + 1e-6


# --- the prior ---


def test_z_is_noise_then_a_scaled_one_hot_then_continuous_codes() -> None:
    latent = CodedLatent(Latent(3), categories=5, scale=4.0, continuous=2)
    z = latent(4000, seeded())
    assert z.shape == (4000, latent.dim) == (4000, 10)
    hot = z[:, latent.categorical_part]
    assert hot.unique().tolist() == [0, 4]
    assert (hot.sum(1) == 4).all()
    category, code = latent.code_of(z)
    assert torch.bincount(category).float().div(4000).sub(0.2).abs().max() < 0.03
    assert code.shape == (4000, 2)
    assert -1 <= code.min() < -0.99 < 0.99 < code.max() <= 1
    assert code.mean().abs() < 0.03
    assert z[:, :3].std().item() == pytest.approx(1, abs=0.03)
    moved = latent.with_category(z, torch.full((4000,), 2))
    assert latent.category_of(moved).unique().tolist() == [2]
    others = [0, 1, 2, 8, 9]
    assert torch.equal(moved[:, others], z[:, others])


@pytest.mark.parametrize("player", [0, 1], ids=["D", "G"])
def test_q_is_asked_in_both_turns_for_the_code_that_g_was_given(player: int) -> None:
    """Another draw, or another distribution, in one of the turns would be a prior that G never gets."""
    game, given = game_of("ring", {"code.category_scale": 2.0}), []
    asked: list[Tensor] = []
    game.G.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0].detach()))
    read = game._information
    game._information = lambda features, z: asked.append(z) or read(features, z)  # type: ignore[method-assign, func-returns-value]
    for _ in range(60):
        game.players[player].objective()
    z = torch.cat(given)
    assert torch.equal(z, torch.cat(asked))
    category, code = game.latent.code_of(z)
    assert torch.bincount(category, minlength=4).float().div(len(z)).sub(0.25).abs().max() < 0.08
    assert code.mean().abs() < 0.08
    assert code.std().item() == pytest.approx(1 / math.sqrt(3), abs=0.04)


# --- the turns ---


def by_hand(game: InfoGan, x_fake: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """L_I of the category and of the continuous codes, term by term."""
    said = game.Q(game.D.features(x_fake))
    logits, mean, log_variance = said[:, :4], said[:, 4:6], said[:, 6:]
    likely = logits.log_softmax(1)[torch.arange(len(z)), z[:, 3:7].argmax(1)]
    normal = torch.distributions.Normal(mean, (log_variance.clamp(-6, 4) / 2).exp())
    return math.log(4) + likely.mean(), 2 * math.log(2) + normal.log_prob(z[:, 7:]).sum(1).mean()


def test_a_turn_of_each_player_is_the_objective_by_hand() -> None:
    changes = {"terms.lambda_info": 0.7, "terms.lambda_continuous": 0.3, "terms.r1": 0.4}
    game = advanced(game_of("ring", changes), 5)
    stream, position = game.streams["z"].get_state(), game.data.state()
    x = game.data.next().x
    z = game.latent(8, game.streams["z"])
    x_fake = game.G(z).detach()
    category, continuous = by_hand(game, x_fake, z)
    x.requires_grad_(True)
    (slope,) = torch.autograd.grad(game.D(x).sum(), x)
    adv = (softplus(-game.D(x)).mean() + softplus(game.D(x_fake)).mean()).item()
    r1 = 0.4 * slope.square().sum(1).mean().item() / 2
    game.streams["z"].set_state(stream)
    game.data.restore(position)
    turns = play(game, 5)
    values = {name: value.item() for name, value in next(turns).values.items()}
    information = -0.7 * (category + 0.3 * continuous).item()
    assert values["info"] == pytest.approx(category.item(), rel=1e-4)
    assert values["info_continuous"] == pytest.approx(continuous.item(), rel=1e-4)
    assert values["weighted_info"] == pytest.approx(information, rel=1e-4)
    assert values["adv"] == pytest.approx(adv, rel=1e-4)
    assert values["r1"] == pytest.approx(r1, rel=1e-3)
    assert values["loss"] == pytest.approx(adv + information + r1, rel=1e-4)

    stream = game.streams["z"].get_state()
    z = game.latent(8, game.streams["z"])
    x_fake = game.G(z).detach()
    category, continuous = by_hand(game, x_fake, z)
    adv = softplus(-game.D(x_fake)).mean().item()
    game.streams["z"].set_state(stream)
    values = {name: value.item() for name, value in next(turns).values.items()}
    assert values["info"] == pytest.approx(category.item(), rel=1e-4)
    assert values["loss"] == pytest.approx(adv - 0.7 * (category + 0.3 * continuous).item(), rel=1e-4)


def weights(game: InfoGan) -> dict[str, list[Tensor]]:
    return {name: [p.detach().clone() for p in network.parameters()] for name, network in game.networks.items()}


def moved(before: dict[str, list[Tensor]], after: dict[str, list[Tensor]]) -> set[str]:
    return {name for name in before if not all(map(torch.equal, before[name], after[name]))}


def test_d_moves_with_q_and_g_alone_each_by_one_optimiser() -> None:
    game = game_of("ring")
    start = weights(game)
    turns = play(game)
    next(turns)
    between = weights(game)
    assert moved(start, between) == {"D", "Q"}
    next(turns)
    assert moved(between, weights(game)) == {"G"}
    held = [id(p) for player in game.players for group in player.optimizer.param_groups for p in group["params"]]
    assert len(held) == len(set(held)) == sum(1 for network in game.networks.values() for _ in network.parameters())


def test_the_information_moves_the_trunk_of_d_and_g() -> None:
    game = game_of("ring")
    for player, network in zip(game.players, (game.D, game.G), strict=True):
        for parameter in player.parameters:
            parameter.requires_grad_(True)
        information = player.objective().terms["weighted_info"]
        first = next(network.parameters())
        assert torch.autograd.grad(information, first)[0].abs().max() > 0


def test_without_lambda_the_code_is_read_and_pays_nothing() -> None:
    game = game_of("ring", {"terms.lambda_info": 0})
    turn = next(play(game))
    assert turn.values["weighted_info"] == 0
    assert turn.values["info"] != 0
    parameters = list(game.Q.parameters())
    for parameter in parameters:
        parameter.requires_grad_(True)
    gradients = torch.autograd.grad(game.players[0].objective().terms["weighted_info"], parameters)
    assert all(gradient.abs().max() == 0 for gradient in gradients)


# --- what it can do ---


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        ("ring", {}),
        ("ring", {"code.categories": 0, "code.continuous": 3}),
        ("digits8", {"code.continuous": 0, "data.options": {"size": 16}}),
        (
            "digits8",
            {
                "model.generator.architecture": "dcgan",
                "model.generator.widths": [6, 4],
                "model.discriminator.architecture": "dcgan",
                "model.discriminator.widths": [4, 6],
            },
        ),
        ("digits8", {"model.discriminator.architecture": "resnet", "model.discriminator.widths": [4, 4]}),
    ],
    ids=["points", "continuous", "categories", "dcgan", "resnet"],
)
def test_it_plays_on_points_and_on_images(data: str, changes: dict[str, Any]) -> None:
    config = config_of(data, changes)
    game = advanced(game_of(data, changes), 2)
    for turn in play(game, 2):
        assert tuple(turn.values) == turn.player.columns
        assert all(value.isfinite() for value in turn.values.values())
        if turn.ends_round:
            break
    x = game.sample(game.latent(5, seeded()))
    code = game.encode(x)
    categories, continuous = config.code.categories, config.code.continuous  # type: ignore[attr-defined]
    assert code.shape == (5, categories + continuous)
    assert game.judge(x).shape == (5,)
    if categories:
        torch.testing.assert_close(code[:, :categories].sum(1), torch.ones(5))
        assert torch.equal(game.categorise(x), code[:, :categories])


def test_encode_gives_what_q_says_in_evaluation_mode() -> None:
    game = game_of("digits8", {"model.discriminator.normalization": "batch", "model.discriminator.widths": [5, 5]})
    x = game.data.next().x
    together, alone = game.encode(x), torch.cat([game.encode(one[None]) for one in x])
    torch.testing.assert_close(together, alone)
    assert game.D.training
    game.D.eval()
    said = game.Q(game.D.features(x))
    torch.testing.assert_close(together, torch.cat([said[:, :4].softmax(1), said[:, 4:6]], 1))


def test_going_on_is_exact_and_a_knob_acts_as_if_it_had_been_built_so() -> None:
    game = advanced(game_of("ring", {"terms.r1": 0.1}), 3)
    state = capture(game, 3)
    again = game_of("ring", {"terms.r1": 0.1})
    restore(again, state)
    for one in (game, again):
        one.set_knob("terms.lambda_info", 0.25)
        one.set_knob("terms.r1", 0.5)
        one.set_knob("schedule.n_critic", 2)
    first, second = ([dict(t.values) for t, _ in zip(play(one, 3), range(6), strict=False)] for one in (game, again))
    assert first == second
    assert state_hash(capture(game, 6)) == state_hash(capture(again, 6))
    built = game_of("ring", {"terms.lambda_info": 0.25, "terms.r1": 0.1})
    turned = game_of("ring", {"terms.r1": 0.1})
    turned.set_knob("terms.lambda_info", 0.25)
    assert next(play(built)).values == next(play(turned)).values
    with pytest.raises(ValueError, match="cannot change"):
        game_of("ring").set_knob("terms.r1", 1.0)
    check(config_of("ring"), {"terms.lambda_info": 0.0})
    assert label_of("terms.lambda_info") == "λ of the information"


# --- what is said of it ---


def test_the_ceiling_stands_beside_the_bound_of_the_category_alone() -> None:
    told = describe(config_of("ring", {"code.categories": 8}))
    assert told["lines"]["D.info"] == [[math.log(8), "log 8 = 2.079"]]
    assert not any("info_continuous" in column for column in told["lines"])
    assert "D.info_continuous" in told["curves"]["continuous"]
    assert "log 8" in told["reading"]
    without = describe(config_of("ring", {"code.categories": 0}))
    assert "D.info" not in without["labels"]
    assert not without["curves"]["information"]
    assert told["labels"]["kmeans_of_real"] == "real data, k-means"
    assert "kmeans_of_real" not in without["labels"]


def slots(config: RunConfig) -> list[str]:
    return [panel["slot"] for panel in panels_for(SimpleNamespace(config=config.to_dict()))]  # type: ignore[arg-type]


def test_a_run_of_codes_has_a_panel_of_code_and_class() -> None:
    config = config_of("ring")
    assert slots(config).count("codes-chart") == 1
    assert traits(config).categories == 4
    assert "codes-chart" not in slots(config_of("ring", {"code.categories": 0}))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"code.categories": 1}, "category out of one"),
        ({"code.categories": 0, "code.continuous": 0}, "no code"),
        ({"model.recognition.architecture": "dcgan"}, "Q reads the features"),
        ({"model.discriminator.architecture": "dcgan"}, "choose"),
        ({"model.generator.architecture": "mpl"}, "did you mean 'mlp'"),
        ({"terms.r1": 1.0, "model.discriminator.normalization": "batch"}, "R1 is per sample"),
    ],
)
def test_what_cannot_be_played_is_refused_in_a_sentence(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        config_of("ring", changes)


def test_batch_norm_before_q_is_warned_of() -> None:
    config = config_of("ring", {"model.recognition.normalization": "batch"})
    assert any("fail on real data" in problem.message for problem in explain(config))


# --- the presets, over their whole length ---


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_code_of_the_ring_becomes_a_gaussian(seed: int) -> None:
    from gan_core.metrics.matching import code_agreement
    from gan_core.metrics.modes import mode_of, nearest_mode

    config = resolve(preset_config("ring-infogan", {"device": "cpu", "seed": seed}))
    source = load_source(config)
    game = build(config, source)
    assert isinstance(game, InfoGan)
    z = game.latent(2000, seeded(99))
    real = source.sample(2000, seeded(1))
    for rounds in (300, config.schedule.rounds):
        played = 0 if rounds == 300 else 300
        for turn in play(game, played):
            if turn.ends_round and turn.round == rounds:
                break
        points, drawn = source.to_data(game.sample(z).numpy()), game.latent.category_of(z).numpy()
        assert code_agreement(drawn, nearest_mode(points, source.centers)[0], 8, 8) >= 0.99
    assert code_agreement(drawn, mode_of(points, source.centers, source.std), 8, 8) >= 0.98
    read = game.categorise(real).argmax(1).numpy()
    assert code_agreement(read, nearest_mode(source.to_data(real.numpy()), source.centers)[0], 8, 8) >= 0.99
    assert turn.values["info"].item() > 2.05

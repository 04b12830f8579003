"""The variational autoencoder against what is known in closed form: its KL, its ELBO where all is linear, its collapse."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from gan_core.config import ConfigError, RunConfig, preset_config
from gan_core.config.naming import label_of
from gan_core.data import mnist5k, to_unit
from gan_core.engine import describe
from gan_core.training import build, capture, explain, load_source, play, resolve, restore, state_hash
from gan_core.training.assembly import Assembly
from gan_core.training.games.coding import shares
from gan_core.training.games.vae import VAE, Vae, draw, gaussian_nll, kl_of, paid
from gan_core.training.knobs import check
from gan_core.training.optimization import optimization_of
from gan_core.ui.watching import panels_for

SMALL = {"model.encoder.widths": [6], "model.decoder.widths": [5], "model.code_dim": 3, "data.batch_size": 8}
SPECTRUM = (21.0082, 6.5722, 0.23722, 0.23722, 0.23722, 0.23722)
"""The variances of the data of the linear oracles: two directions, and noise."""
NOISE = 0.23722


def config_of(data: str, changes: dict[str, Any] | None = None) -> RunConfig:
    base = RunConfig.load({"game": "vae", "data": {"name": data}, "device": "cpu", "seed": 7})
    return resolve(base.replace({**SMALL, **(changes or {})}))


def game_of(data: str, changes: dict[str, Any] | None = None) -> Vae:
    config = config_of(data, changes)
    game = build(config, load_source(config))
    assert isinstance(game, Vae)
    return game


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --- the KL term, and the draw ---


def test_the_kl_of_a_gaussian_to_the_prior_in_closed_form_and_by_samples() -> None:
    mean, log_variance = torch.tensor([[0.7, -1.3]]), torch.tensor([[-0.5, 0.8]])
    assert kl_of(mean, log_variance).sum().item() == pytest.approx(1.35604, abs=1e-5)
    many = mean.expand(400_000, 2), log_variance.expand(400_000, 2)
    z, q = draw(*many, seeded()), Normal(mean, (log_variance / 2).exp())
    by_samples = (q.log_prob(z) - Normal(0, 1).log_prob(z)).sum(1).mean().item()
    assert by_samples == pytest.approx(1.35604, abs=0.01)


def test_the_kl_is_that_of_torch_and_is_zero_at_the_prior_alone() -> None:
    mean, log_variance = torch.randn(50, 4, generator=seeded(1)), torch.randn(50, 4, generator=seeded(2))
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0, 1))
    torch.testing.assert_close(kl_of(mean, log_variance), expected, rtol=1e-5, atol=1e-6)
    assert (kl_of(mean, log_variance) > 0).all()
    at = torch.zeros(2, 3, requires_grad=True)
    kl = kl_of(at[0], at[1]).sum()
    kl.backward()
    assert kl == 0
    assert at.grad is not None
    assert at.grad.abs().max() == 0


def test_a_draw_is_differentiable_in_mean_and_variance() -> None:
    """∂E z²/∂μ = 2μ, and ∂E z²/∂log σ² = σ²."""
    mean, log_variance = torch.tensor(0.6, requires_grad=True), torch.tensor(-0.8, requires_grad=True)
    draw(mean.expand(400_000), log_variance.expand(400_000), seeded()).square().mean().backward()
    assert mean.grad is not None
    assert log_variance.grad is not None
    assert mean.grad.item() == pytest.approx(1.2, abs=0.01)
    assert log_variance.grad.item() == pytest.approx(math.exp(-0.8), abs=0.01)


def test_a_draw_without_variance_is_the_mean() -> None:
    mean = torch.randn(5, 3)
    assert torch.equal(draw(mean, torch.full_like(mean, -1e4), seeded()), mean)


def test_below_the_free_bits_the_kl_has_no_gradient() -> None:
    kl = torch.tensor([0.1, 0.4, 2.0], requires_grad=True)
    paid(kl, 0.5).backward()
    assert kl.grad is not None
    assert kl.grad.tolist() == [0, 0, 1]
    assert paid(kl, 0.5).item() == pytest.approx(3.0)
    assert paid(kl, 0.0).item() == pytest.approx(2.5)


# --- the likelihood ---


def test_a_gaussian_likelihood_is_torchs_without_sigma_the_likeliest() -> None:
    error = torch.randn(20, 2, generator=seeded(3)) * 0.7
    expected = -Normal(0, 0.3).log_prob(error).sum(1)
    torch.testing.assert_close(gaussian_nll(error, 0.3), expected, rtol=1e-5, atol=1e-5)
    least = gaussian_nll(error, None).mean()
    others = [gaussian_nll(error, 0.05 + 0.01 * index).mean() for index in range(200)]
    assert 0 <= min(others) - least < 1e-3


def test_a_bernoulli_likelihood_is_that_of_torch_on_shares_of_white() -> None:
    game = game_of("digits8", {"elbo.likelihood": "bernoulli"})
    x = game.data.next().x
    output = torch.randn(x.shape, generator=seeded())
    white = shares(x)
    likely = Bernoulli(logits=output, validate_args=False).log_prob(white).flatten(1).sum(1)
    torch.testing.assert_close(game.reconstruction(output, x), -likely, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_parts_are_sums_over_a_sample_and_means_over_the_batch(likelihood: str) -> None:
    """A batch that stands there twice changes nothing, a picture tiled 2×2 has four times the error."""
    game = game_of("digits8", {"elbo.likelihood": likelihood, "elbo.sigma": 0.5 if likelihood == "gaussian" else None})
    x = game.data.next().x
    output = torch.randn(x.shape, generator=seeded())
    once = game.reconstruction(output, x)
    assert once.shape == (8,)
    torch.testing.assert_close(game.reconstruction(output.repeat(2, 1, 1, 1), x.repeat(2, 1, 1, 1)), once.repeat(2))
    torch.testing.assert_close(game.reconstruction(output.repeat(1, 1, 2, 2), x.repeat(1, 1, 2, 2)), 4 * once)


def objective_by_hand(game: Vae) -> tuple[float, Tensor]:
    """−log p(x|z) and the KL of each dimension, means over the batch that the next turn will have."""
    position, stream = game.data.state(), game.streams["posterior"].get_state()
    with torch.no_grad():
        x = game.data.next().x
        code = game.E(shares(x))
        half = code.shape[1] // 2
        mean, log_variance = code[:, :half], code[:, half:]
        z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=game.streams["posterior"])
        white = shares(x)
        likely = white * game.Dec(z).sigmoid().log() + (1 - white) * (1 - game.Dec(z).sigmoid()).log()
        kl = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0, 1)).mean(0)
    game.data.restore(position)
    game.streams["posterior"].set_state(stream)
    return -likely.sum().item() / len(x), kl


def test_a_turn_is_the_elbo_by_hand() -> None:
    game = game_of("digits8", {"elbo.likelihood": "bernoulli", "elbo.beta": 2.5, "optimizer.lr": 0.01})
    for turn in play(game):
        if turn.round == 30:
            break
    rec, kl = objective_by_hand(game)
    values = {name: value.item() for name, value in next(play(game, 30)).values.items()}
    assert kl.sum() > 0.01
    assert values["rec"] == pytest.approx(rec, rel=1e-4)
    assert values["kl"] == pytest.approx(kl.sum().item(), rel=1e-4)
    assert [values[f"kl_{index}"] for index in (1, 2, 3)] == pytest.approx(kl.tolist(), rel=1e-4)
    assert values["weighted_kl"] == pytest.approx(2.5 * values["kl"], rel=1e-5)
    assert values["negative_elbo"] == pytest.approx(rec + values["kl"], rel=1e-5)
    assert values["loss"] == pytest.approx(rec + 2.5 * values["kl"], rel=1e-4)
    assert values["active"] == (kl > 0.1).sum()
    assert values["beta"] == 2.5


def test_without_beta_the_kl_is_not_in_the_gradient() -> None:
    game = game_of("digits8", {"elbo.beta": 0})
    terms = game.players[0].objective().terms
    gradients = torch.autograd.grad(terms["weighted_kl"], list(game.E.parameters()))
    assert all(gradient.abs().max() == 0 for gradient in gradients)


# --- where all is linear ---


class Table:
    """The same batch again and again, in place of a stream."""

    def __init__(self, x: Tensor) -> None:
        self.x = x

    def next(self) -> Table:
        return self


def linear_data() -> Tensor:
    """4,000 points whose covariance has the eigenvalues of SPECTRUM exactly."""
    x = torch.randn(4000, 6, generator=seeded(5), dtype=torch.float64)
    x = torch.linalg.qr(x - x.mean(0)).Q * math.sqrt(4000)
    rotation = torch.linalg.qr(torch.randn(6, 6, generator=seeded(6), dtype=torch.float64)).Q
    return (x * torch.tensor(SPECTRUM, dtype=torch.float64).sqrt() @ rotation).float()


def linear_vae(x: Tensor, beta: float, sigma: float | None, rounds: int) -> Vae:
    settings = {"optimizer.lr": 0.03, "optimizer.lr_schedule": "linear", "elbo.beta": beta, "elbo.sigma": sigma}
    config = config_of("ring", {**settings, "model.code_dim": 2})
    networks: dict[str, nn.Module] = {"E": nn.Linear(6, 4), "Dec": nn.Linear(2, 6)}
    for index, network in enumerate(networks.values()):
        for parameter in network.parameters():
            parameter.data = 0.2 * torch.randn(parameter.shape, generator=seeded(index))
    made = Assembly(networks, {"posterior": seeded(9)}, Table(x))  # type: ignore[arg-type]
    moves = optimization_of(config.optimizer, nn.ModuleDict(networks), steps=1, rounds=rounds)
    return Vae(made, moves, VAE.columns(config), config.elbo, images=False)


def trained(game: Vae, rounds: int, last: int = 100) -> dict[str, float]:
    """The means of the last turns."""
    told: list[dict[str, float]] = []
    for turn in play(game):
        if turn.round > rounds - last:
            told.append({name: value.item() for name, value in turn.values.items()})
        if turn.round == rounds:
            break
    return {name: sum(one[name] for one in told) / len(told) for name in told[0]}


def test_a_linear_vae_is_probabilistic_pca() -> None:
    """Lucas et al. (2019): at its optimum the ELBO is the likelihood of pPCA, and the decoder's columns are orthogonal with
    squared norms λ_j − σ²."""
    game = linear_vae(linear_data(), 1.0, None, 1500)
    values = trained(game, 1500)
    assert -values["negative_elbo"] == pytest.approx(-8.09997, abs=1e-2)
    W = game.Dec.weight.detach()
    norms, cosine = W.square().sum(0), torch.cosine_similarity(W[:, 0], W[:, 1], 0)
    assert sorted(norms.tolist(), reverse=True) == pytest.approx([20.771, 6.335], rel=0.02)
    assert cosine.abs() < 0.02


@pytest.mark.parametrize(
    ("beta", "nats"), [(4.0, (1.549, 0.968)), (10.0, (1.091, 0.510)), (30.0, (0.541, 0.0))], ids=["4", "10", "30"]
)
def test_a_dimension_collapses_where_beta_times_noise_exceeds_variance(beta: float, nats: tuple[float, float]) -> None:
    """KL_j = max(0, ½ log(λ_j / (β σ²)))."""
    assert nats == pytest.approx([max(0.0, 0.5 * math.log(one / (beta * NOISE))) for one in SPECTRUM[:2]], abs=1e-3)
    values = trained(linear_vae(linear_data(), beta, math.sqrt(NOISE), 1200), 1200)
    assert sorted((values["kl_1"], values["kl_2"]), reverse=True) == pytest.approx(nats, abs=0.02)


def test_the_elbo_is_below_the_likelihood_and_more_draws_come_closer() -> None:
    """By importance sampling (Burda et al. 2016): the bound grows with the draws, towards log p(x)."""
    x, sigma = linear_data()[:300], 0.9
    game = linear_vae(x, 1.0, sigma, 200)
    trained(game, 200)
    with torch.no_grad():
        W, b = game.Dec.weight, game.Dec.bias
        p = torch.distributions.MultivariateNormal(b, W @ W.T + sigma**2 * torch.eye(6))
        exact = p.log_prob(x).mean().item()
        mean, log_variance = game.E(x).chunk(2, 1)
        weights, bounds = [], {}
        for _ in range(500):
            z = draw(mean, log_variance, game.streams["posterior"])
            q = Normal(mean, (log_variance / 2).exp())
            prior = Normal(0, 1).log_prob(z).sum(1)
            weights.append(-game.reconstruction(game.Dec(z), x) + prior - q.log_prob(z).sum(1))
        every = torch.stack(weights)
        for k in (1, 10, 500):
            bounds[k] = (every.view(-1, k, len(x)).logsumexp(1) - math.log(k)).mean().item()
        kl = kl_of(mean, log_variance).sum(1).mean().item()
        elbo = sum(
            -game.reconstruction(game.Dec(draw(mean, log_variance, seeded(k))), x).mean().item() for k in range(200)
        )
    assert elbo / 200 - kl == pytest.approx(bounds[1], abs=0.02), "one draw is the ELBO"
    assert bounds[1] < bounds[10] < bounds[500] < exact + 1e-3
    assert bounds[500] == pytest.approx(exact, abs=0.05)


# --- the game ---


@pytest.mark.parametrize("data", ["mnist5k", "digits8", "stacked", "ring", "gaussian"])
@pytest.mark.parametrize("architecture", ["mlp", "convolutional", "dcgan", "resnet"])
def test_it_plays_on_data_of_every_kind(data: str, architecture: str) -> None:
    changes = {f"model.{part}.architecture": architecture for part in ("encoder", "decoder")}
    if architecture != "mlp" and data in ("ring", "gaussian"):
        with pytest.raises(ConfigError, match="choose an MLP"):
            config_of(data, changes)
        return
    game = game_of(data, changes)
    turn = next(play(game))
    assert tuple(turn.values) == turn.player.columns
    assert all(value.isfinite() for value in turn.values.values())
    x = game.data.next().x
    assert game.encode(x).shape == (8, 3)
    assert game.reconstruct(x).shape == x.shape == game.sample(torch.zeros(8, 3)).shape


@pytest.mark.parametrize("code_dim", [2, 4, 5])
def test_its_columns_are_those_that_it_declares(code_dim: int) -> None:
    config = config_of("digits8", {"model.code_dim": code_dim})
    turn = next(play(build(config, load_source(config))))
    told = describe(config)
    json.dumps(told, allow_nan=False)
    assert list(told["labels"]) == [f"VAE.{column}" for column in turn.values]
    assert len(set(told["labels"].values())) == len(told["labels"])
    assert len(told["curves"]["dimensions"]) == (code_dim if code_dim < 5 else 3)
    panels = panels_for(SimpleNamespace(config=config.to_dict()))  # type: ignore[arg-type]
    assert all(panel["traces"] for panel in panels if panel["slot"].endswith("-chart"))


def test_the_weight_of_the_kl_term_warms_up_and_turns() -> None:
    game = game_of("ring", {"elbo.beta": 2.0, "elbo.warm_up": 4})
    told = [turn.values["beta"].item() for turn, _ in zip(play(game), range(6), strict=False)]
    assert told == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    game.set_knob("elbo.beta", 6.0)
    assert next(play(game, 1)).values["beta"].item() == 3.0
    check(config_of("ring"), {"elbo.beta": 20.0})
    with pytest.raises(ConfigError, match="at least 0"):
        check(config_of("ring"), {"elbo.beta": -1.0})
    assert label_of("elbo.beta") == "β"


def test_it_goes_on_bit_for_bit_with_its_knobs_where_they_stood(advance: Callable) -> None:
    changes = {"model.encoder.dropout": 0.2, "elbo.warm_up": 9, "elbo.free_bits": 0.1}
    game, again = (game_of("digits8", changes) for _ in range(2))
    before = torch.get_rng_state()
    advance(game, 3)
    game.set_knob("elbo.beta", 4.0)
    restore(again, capture(game, 3))
    assert advance(again, 4, 3) == advance(game, 4, 3)
    assert again.elbo.beta == 4.0
    assert torch.equal(torch.get_rng_state(), before)


def test_looking_leaves_it_as_it_was() -> None:
    game = game_of("digits8", {"model.decoder.normalization": "batch", "elbo.likelihood": "bernoulli"})
    before = state_hash(capture(game, 0))
    x = torch.rand(4, *game.data.next().x.shape[1:]) * 2 - 1
    game.data.restore({"position": 0})
    assert torch.equal(game.reconstruct(x), game.reconstruct(x)), "the code of x is the mean, not a draw"
    assert torch.equal(game.sample(game.encode(x)), game.reconstruct(x))
    torch.testing.assert_close(
        game.encode(x), game.E(shares(x))[:, :3], msg="the first half of what E gives is the mean"
    )
    assert game.sample(torch.randn(4, 3)).abs().max() <= 1
    assert state_hash(capture(game, 0)) == before


def test_what_goes_together_is_said() -> None:
    with pytest.raises(ConfigError, match="coordinates are none"):
        config_of("ring", {"elbo.likelihood": "bernoulli"})
    fields = [
        problem.field for problem in explain(config_of("digits8", {"elbo.likelihood": "bernoulli", "elbo.sigma": 1}))
    ]
    assert fields == ["elbo.sigma"]


def test_too_large_a_beta_collapses_digits_and_one_brings_the_code_back() -> None:
    """β = 20: 0.04 to 0.07 nats after 500 rounds of a prototype; β = 1 then: 2.5 to 3.0 after 50 more, 8 after 200."""
    config = resolve(preset_config("digits-vae", {"device": "cpu", "elbo.beta": 20.0}))
    game = build(config, load_source(config))
    kl, played = {}, 0
    for beta, rounds in ((20.0, 500), (1.0, 50), (1.0, 150)):
        game.set_knob("elbo.beta", beta)
        turn = next(turn for turn in play(game, played) if turn.round == played + rounds)
        played += rounds
        kl[played] = turn.values["kl"].item()
        if played == 500:
            assert turn.values["active"] == 0
    assert kl[500] < 0.2
    assert kl[550] > 1.5
    assert kl[700] > 6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "negative_elbo", "kl"),
    [("digits-vae", (119, 127), (13.5, 16.5)), ("digits-vae-2d", (152, 160), (5.4, 6.6))],
)
def test_held_out_digits_cost_about_what_they_cost(
    preset: str, negative_elbo: tuple[float, float], kl: tuple[float, float]
) -> None:
    """A prototype: 122.7 (121.2 to 124.3) with 15.3 nats of KL, and 155.8 (154.5 to 157.6) with 6.0, four seeds each."""
    config = resolve(preset_config(preset, {"device": "cpu"}))
    game = build(config, load_source(config))
    next(turn for turn in play(game) if turn.round == config.schedule.rounds)
    source = mnist5k()
    x = to_unit(source.x[source.heldout_index])
    with torch.no_grad():
        mean, log_variance = game.E(shares(x)).chunk(2, 1)
        rec = game.reconstruction(game.Dec(draw(mean, log_variance, seeded())), x).mean().item()
        cost = kl_of(mean, log_variance).sum(1).mean().item()
    assert negative_elbo[0] < rec + cost < negative_elbo[1]
    assert kl[0] < cost < kl[1]

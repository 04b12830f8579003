"""Gradient penalties on critics whose gradient is known: per sample, over all pixels, on the segment, into D only."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from gan_core.regularizers import PENALTIES, gradient_norm, interpolate, perturb

# What each penalty is for a critic of constant slope, from its paper.
FORMULA: dict[str, Callable[[float], float]] = {
    "gradient_penalty": lambda norm: (norm - 1) ** 2,
    "one_sided_gradient_penalty": lambda norm: max(0.0, norm - 1) ** 2,
    "dragan": lambda norm: (norm - 1) ** 2,
    "r1": lambda norm: norm**2 / 2,
    "r2": lambda norm: norm**2 / 2,
}
# Where each looks: those that draw a place of their own do so from the stream.
DRAWING = ("gradient_penalty", "one_sided_gradient_penalty", "dragan")
EVERY = pytest.mark.parametrize("name", FORMULA)
W = torch.tensor([3.0, 4.0])


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear(w: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: (x * w).flatten(1).sum(1)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=stream(seed))


def test_every_penalty_has_its_formula_here() -> None:
    """LeCam looks at logits, not at slopes: its oracles are in test_lecam."""
    assert set(FORMULA) == {name for name, penalty in PENALTIES.items() if penalty.per_sample}
    assert set(PENALTIES) - set(FORMULA) == {"lecam"}


def test_linear_critic_gives_160() -> None:
    """D(x) = w·x with w = (3, 4): the norm is 5 for each sample, λ (5 − 1)² = 160 for λ = 10."""
    penalty = PENALTIES["gradient_penalty"]
    value = penalty.default * penalty.measure(linear(W), normal(9, 2), normal(9, 2, seed=1), stream())
    assert value.item() == pytest.approx(160, rel=1e-5)


def assert_per_sample(norm_of: Callable[[Callable, Tensor], Tensor]) -> None:
    """The norm is one number per sample, over all its pixels and channels, whatever the batch."""
    w = normal(3, 5, 4, seed=5)
    expected = math.sqrt(float((w.numpy().astype(np.float64) ** 2).sum()))
    for n in (1, 4, 17):
        norms = norm_of(linear(w), normal(n, 3, 5, 4))
        assert norms.shape == (n,)
        assert norms.tolist() == pytest.approx([expected] * n, rel=1e-5)
    # ½‖x‖² has gradient x: a different norm for each sample
    x = normal(6, 2, 3, 3) * torch.arange(1.0, 7.0).reshape(6, 1, 1, 1)
    norms = norm_of(lambda x: 0.5 * x.square().flatten(1).sum(1), x)
    assert norms.tolist() == pytest.approx(np.linalg.norm(x.numpy().reshape(6, -1), axis=1).tolist(), rel=1e-5)


def test_norm_is_per_sample() -> None:
    assert_per_sample(gradient_norm)


def gradient_of(critic: Callable, x: Tensor) -> Tensor:
    x = x.detach().requires_grad_(True)
    return torch.autograd.grad(critic(x).sum(), x)[0]


@pytest.mark.parametrize(
    "mutant",
    [
        lambda critic, x: gradient_of(critic, x).norm(2).expand(len(x)),
        lambda critic, x: gradient_of(critic, x).norm(2),
        lambda critic, x: gradient_of(critic, x).norm(2, dim=1),
        lambda critic, x: gradient_of(critic, x).norm(2, dim=1).flatten(1).mean(1),
        lambda critic, x: gradient_of(critic, x).flatten(1).norm(1, dim=1),
        lambda critic, x: gradient_of(critic, x).flatten(1).norm(2, dim=1) / len(x),
    ],
    ids=["over the batch", "one for the batch", "per pixel", "mean per pixel", "L1", "gradient of the mean"],
)
def test_the_test_catches_other_norms(mutant: Callable) -> None:
    with pytest.raises(AssertionError):
        assert_per_sample(mutant)


@EVERY
@pytest.mark.parametrize("n", [1, 7, 64])
def test_linear_critic_whatever_the_batch(name: str, n: int) -> None:
    value = PENALTIES[name].measure(linear(W), normal(n, 2), normal(n, 2, seed=1), stream())
    assert value.shape == ()
    assert value.item() == pytest.approx(FORMULA[name](5.0), rel=1e-5)


@EVERY
def test_linear_critic_on_images(name: str) -> None:
    w = torch.full((3, 8, 8), 0.5)
    norm = 0.5 * math.sqrt(3 * 8 * 8)
    value = PENALTIES[name].measure(linear(w), normal(5, 3, 8, 8), normal(5, 3, 8, 8, seed=1), stream())
    assert value.item() == pytest.approx(FORMULA[name](norm), rel=1e-5)


@EVERY
@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 1, 1, 1)])
def test_the_shape_of_the_logits_does_not_matter(name: str, shape: tuple[int, ...]) -> None:
    critic = linear(W)
    value = PENALTIES[name].measure(lambda x: critic(x).reshape(shape), normal(5, 2), normal(5, 2, seed=1), stream())
    assert value.item() == pytest.approx(FORMULA[name](5.0), rel=1e-5)


def test_the_mean_is_of_squares_not_the_square_of_the_mean() -> None:
    """For D = ½‖x‖² and x̂ = x every interpolate is x itself: E (‖x‖ − 1)²."""
    x = torch.tensor([[0.0, 3.0], [4.0, 0.0], [0.0, -1.0]])
    value = PENALTIES["gradient_penalty"].measure(lambda x: 0.5 * x.square().sum(1), x, x.clone(), stream())
    assert value.item() == pytest.approx((2**2 + 3**2 + 0**2) / 3, rel=1e-6)


def test_the_gradient_in_the_weights_is_the_closed_form() -> None:
    """∂/∂w (‖w‖ − 1)² = 2 (‖w‖ − 1) w / ‖w‖ = 8 · (0.6, 0.8)."""
    critic = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        critic.weight.copy_(W[None])
    PENALTIES["gradient_penalty"].measure(critic, normal(6, 2), normal(6, 2, seed=1), stream()).backward()
    assert critic.weight.grad.tolist() == [pytest.approx([4.8, 6.4], rel=1e-5)]


@EVERY
def test_the_gradient_reaches_d_and_not_g(name: str) -> None:
    generator, critic = nn.Linear(3, 2), nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    x_fake = generator(normal(6, 3))
    with torch.no_grad():
        critic[2].weight.mul_(20)  # steep, so that the one-sided penalty has something to say
    value = PENALTIES[name].measure(critic, normal(6, 2), x_fake, stream())
    value.backward()
    assert all(p.grad is None for p in generator.parameters())
    assert all(critic[i].weight.grad.abs().sum() > 0 for i in (0, 2))


@EVERY
def test_inputs_and_their_gradients_are_left_alone(name: str) -> None:
    x, x_fake = normal(4, 2), normal(4, 2, seed=1)
    copies = x.clone(), x_fake.clone()
    PENALTIES[name].measure(nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)), x, x_fake, stream()).backward()
    assert torch.equal(x, copies[0])
    assert torch.equal(x_fake, copies[1])
    assert not x.requires_grad
    assert x.grad is None


def alphas(points: Tensor, x: Tensor, x_fake: Tensor) -> Tensor:
    """The α of points = αx + (1 − α)x̂ for each coordinate, (N, d); on the segment they agree within a sample."""
    return ((points - x_fake) / (x - x_fake)).flatten(1)


def assert_uniform_on_segments(interpolation: Callable[[Tensor, Tensor, torch.Generator], Tensor]) -> None:
    x, x_fake = normal(4000, 1, 2, 2).double() + 5, normal(4000, 1, 2, 2, seed=1).double() - 5
    found = alphas(interpolation(x, x_fake, stream(3)), x, x_fake)
    assert (found - found[:, :1]).abs().max() < 1e-9, "one α per sample"
    assert found.min() >= 0, "on the segment"
    assert found.max() <= 1, "on the segment"
    assert stats.kstest(found[:, 0].numpy(), "uniform").pvalue > 0.01


def test_interpolates_lie_on_the_segment_with_one_uniform_alpha_each() -> None:
    assert_uniform_on_segments(interpolate)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda x, f, g: f + torch.randn(len(x), 1, 1, 1, generator=g) * (x - f),
        lambda x, f, g: f + torch.rand(x.shape, generator=g) * (x - f),
        lambda x, f, g: f + torch.rand(1, generator=g) * (x - f),
        lambda x, f, g: f + torch.rand(len(x), 1, 1, 1, generator=g).square() * (x - f),
        lambda x, f, g: f + 0.5 * (x - f),
    ],
    ids=["normal", "per pixel", "per batch", "not uniform", "midpoint"],
)
def test_the_test_catches_other_interpolates(mutant: Callable) -> None:
    with pytest.raises(AssertionError):
        assert_uniform_on_segments(mutant)


def test_the_gradient_penalty_looks_at_interpolates() -> None:
    x, x_fake, seen = normal(50, 2) + 5, normal(50, 2, seed=1) - 5, []

    def critic(points: Tensor) -> Tensor:
        seen.append(points.detach())
        return points.sum(1)

    PENALTIES["gradient_penalty"].measure(critic, x, x_fake, stream(7))
    (points,) = seen
    found = alphas(points, x, x_fake)
    torch.testing.assert_close(found[:, 0], found[:, 1], atol=1e-5, rtol=0)
    assert len({round(a, 5) for a in found[:, 0].tolist()}) == 50


@EVERY
def test_randomness_comes_from_the_given_stream_alone(name: str) -> None:
    def critic(x: Tensor) -> Tensor:
        return (x**3).sum(1)

    x, x_fake = normal(8, 2), normal(8, 2, seed=1)
    before = torch.get_rng_state()
    values = [PENALTIES[name].measure(critic, x, x_fake, stream(seed)).item() for seed in (1, 1, 2)]
    assert values[0] == values[1]
    assert (values[0] != values[2]) == (name in DRAWING)
    assert torch.equal(torch.get_rng_state(), before)


@EVERY
@pytest.mark.parametrize("norm", [0.25, 1.0, 2.0])
def test_slopes_below_and_above_one(name: str, norm: float) -> None:
    """Two-sided penalties pull a slope of ¼ up, the one-sided one leaves it, the zero-centred ones pull it down."""
    critic = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        critic.weight.copy_(W[None] / 5 * norm)
    value = PENALTIES[name].measure(critic, normal(7, 2), normal(7, 2, seed=1), stream())
    assert value.item() == pytest.approx(FORMULA[name](norm), abs=1e-6)
    value.backward()
    along = (critic.weight.grad[0] @ W).item() / 5
    h = 1e-5
    assert along == pytest.approx((FORMULA[name](norm + h) - FORMULA[name](norm - h)) / (2 * h), abs=1e-3)


@pytest.mark.parametrize(("name", "where"), [("r1", "x"), ("r2", "x_fake")])
def test_zero_centred_penalties_look_at_their_own_side(name: str, where: str) -> None:
    """For D = ½‖x‖² the slope is x itself: ½ E ‖x‖² of the one side, whatever the other is."""
    sides = {"x": torch.tensor([[0.0, 3.0], [4.0, 0.0]]), "x_fake": torch.tensor([[1.0, 1.0], [2.0, 2.0]])}
    value = PENALTIES[name].measure(lambda x: 0.5 * x.square().sum(1), sides["x"], sides["x_fake"], stream())
    assert value.item() == pytest.approx(sides[where].square().sum(1).mean().item() / 2)


def test_a_flat_critic_has_a_penalty_whose_gradient_is_finite() -> None:
    """‖∇D‖ has no derivative at 0; a new critic, or a dead one, must not make NaN of the weights."""
    for name in FORMULA:
        critic = nn.Linear(2, 1)
        nn.init.zeros_(critic.weight)
        PENALTIES[name].measure(critic, normal(5, 2), normal(5, 2, seed=1), stream()).backward()
        assert critic.weight.grad.isfinite().all(), name


def test_dragan_looks_around_the_real_data_only() -> None:
    """x̃ − x = ½ std(x) U with U uniform on [0, 1) for each number; generated data have no influence."""
    x = normal(3000, 2) * 3 + 1
    shift = ((perturb(x.double(), stream(4)) - x.double()) / (0.5 * x.double().std())).flatten().numpy()
    assert stats.kstest(shift, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(shift[0::2], shift[1::2])[0, 1]) < 0.08, "each number has its own"

    def critic(x: Tensor) -> Tensor:
        return (x**3).sum(1)

    values = [PENALTIES["dragan"].measure(critic, x, x_fake, stream()) for x_fake in (x, x * 0 + 100)]
    assert values[0] == values[1]


@pytest.mark.parametrize("name", ["gradient_penalty", "one_sided_gradient_penalty"])
def test_the_wasserstein_penalties_look_between_real_and_generated(name: str) -> None:
    """A critic with slope 3 between −1 and 1 and none outside: real at −5, generated at 5."""

    def critic(x: Tensor) -> Tensor:
        return 3 * x.clamp(-1, 1).sum(1)

    x, x_fake = torch.full((4000, 1), -5.0), torch.full((4000, 1), 5.0)
    value = PENALTIES[name].measure(critic, x, x_fake, stream()).item()
    flat = 1.0 if name == "gradient_penalty" else 0.0
    assert value == pytest.approx(0.2 * 4 + 0.8 * flat, abs=0.1)

"""Losses against their formulas in plain arithmetic, and against the mutants that known code shipped."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_core.losses import LOSSES, AdversarialLoss, opinion

REAL = [2.0, -0.5, 1.25, 0.25]
FAKE = [-1.0, 0.75, -2.5]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t))


def minimax_d(real: list[float], fake: list[float]) -> float:
    return -mean([math.log(sigmoid(t)) for t in real]) - mean([math.log(1 - sigmoid(t)) for t in fake])


# name -> (what D minimises, what G minimises), from Table 1 of Lucic et al. 2018
FORMULA: dict[str, tuple[Callable, Callable]] = {
    "non_saturating": (minimax_d, lambda real, fake: -mean([math.log(sigmoid(t)) for t in fake])),
    "minimax": (minimax_d, lambda real, fake: mean([math.log(1 - sigmoid(t)) for t in fake])),
    "least_squares": (
        lambda real, fake: mean([(t - 1) ** 2 for t in real]) + mean([t**2 for t in fake]),
        lambda real, fake: mean([(t - 1) ** 2 for t in fake]),
    ),
    "wasserstein": (lambda real, fake: -mean(real) + mean(fake), lambda real, fake: -mean(fake)),
}
# The logit at which D cannot tell, and the derivative of G's loss in one logit far down.
EQUILIBRIUM_LOGIT = {"non_saturating": 0.0, "minimax": 0.0, "least_squares": 0.5, "wasserstein": 3.7}
SLOPE_FAR_BELOW = {"non_saturating": -1.0, "minimax": 0.0, "least_squares": -202.0, "wasserstein": -1.0}

EVERY = pytest.mark.parametrize("name", LOSSES)


def test_every_loss_has_its_formula_here() -> None:
    assert set(FORMULA) == set(EQUILIBRIUM_LOGIT) == set(SLOPE_FAR_BELOW) == set(LOSSES)


def assert_golden(loss: AdversarialLoss, name: str) -> None:
    """Both losses equal the formula, on asymmetric logits of unequal number."""
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    d_formula, g_formula = FORMULA[name]
    assert loss.d_loss(real, fake).item() == pytest.approx(d_formula(REAL, FAKE), rel=1e-6)
    assert loss.g_loss(real, fake).item() == pytest.approx(g_formula(REAL, FAKE), rel=1e-6)


def slope_of_g(loss: AdversarialLoss, logit: float) -> float:
    fake = torch.tensor([logit], requires_grad=True)
    loss.g_loss(torch.tensor([1.0]), fake).backward()
    return fake.grad.item()


@EVERY
def test_golden_values(name: str) -> None:
    assert_golden(LOSSES[name], name)


@EVERY
@pytest.mark.parametrize("mutation", ["swapped", "sum", "half", "g_of_d", "constant"])
def test_the_golden_values_catch_mutants(name: str, mutation: str) -> None:
    loss = LOSSES[name]
    mutants = {
        "swapped": lambda r, f: loss.d_loss(f, r),
        "sum": lambda r, f: loss.d_loss(r, f) * len(r),
        "half": lambda r, f: loss.d_loss(r, f) / 2,
        "g_of_d": lambda r, f: loss.g_loss(r, f),
        "constant": lambda r, f: loss.d_loss(r, f) - 1e9,
    }
    with pytest.raises(AssertionError):
        assert_golden(dataclasses.replace(loss, d_loss=mutants[mutation]), name)


@EVERY
def test_swapped_arguments_change_the_value(name: str) -> None:
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    loss = LOSSES[name]
    assert abs(loss.d_loss(real, fake) - loss.d_loss(fake, real)).item() > 0.1
    if not loss.g_sees_real:
        assert abs(loss.g_loss(real, fake) - loss.g_loss(fake, real)).item() > 0.1


@EVERY
def test_shape_does_not_matter_only_content(name: str) -> None:
    real, fake = torch.linspace(-2, 3, 72), torch.linspace(1, -4, 72)
    for loss in (LOSSES[name].d_loss, LOSSES[name].g_loss):
        flat = loss(real, fake)
        assert flat.shape == ()
        for shape in [(72, 1), (2, 1, 6, 6)]:
            assert loss(real.reshape(shape), fake.reshape(shape)).item() == pytest.approx(flat.item(), rel=1e-6)


@EVERY
def test_the_mean_is_over_samples_so_repeating_a_batch_changes_nothing(name: str) -> None:
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    for loss in (LOSSES[name].d_loss, LOSSES[name].g_loss):
        assert loss(real.repeat(3), fake.repeat(3)).item() == pytest.approx(loss(real, fake).item(), rel=1e-6)


@EVERY
@pytest.mark.parametrize("size", [50.0, 1e4])
def test_values_and_gradients_are_finite_for_huge_logits(name: str, size: float) -> None:
    for signs in [(1, 1), (1, -1), (-1, 1), (-1, -1)]:
        for loss in (LOSSES[name].d_loss, LOSSES[name].g_loss):
            real = torch.full((3,), signs[0] * size, requires_grad=True)
            fake = torch.full((3,), signs[1] * size, requires_grad=True)
            value = loss(real, fake)
            value.backward()
            assert value.isfinite()
            assert all(t.grad is None or t.grad.isfinite().all() for t in (real, fake))
            assert value.abs() <= 2 * (1 + size) ** 2


@EVERY
def test_gradients_push_logits_the_right_way(name: str) -> None:
    loss = LOSSES[name]
    real, fake = torch.tensor([-0.5, 0.25], requires_grad=True), torch.tensor([0.75, 0.5], requires_grad=True)
    in_real, in_fake = torch.autograd.grad(loss.d_loss(real, fake), (real, fake))
    assert (in_real < 0).all(), "D must raise its logits on real data"
    assert (in_fake > 0).all(), "D must lower its logits on generated data"
    (in_fake,) = torch.autograd.grad(loss.g_loss(real, fake), fake)
    assert (in_fake < 0).all(), "G must raise D's logits on its samples"


@EVERY
def test_gradients_equal_finite_differences_of_the_formula(name: str) -> None:
    real, fake = torch.tensor(REAL, requires_grad=True), torch.tensor(FAKE, requires_grad=True)
    for which, loss in enumerate((LOSSES[name].d_loss, LOSSES[name].g_loss)):
        gradients = torch.autograd.grad(loss(real, fake), (real, fake), allow_unused=True)
        for side, gradient in enumerate(gradients):
            for index in range(len((REAL, FAKE)[side])):
                ends = []
                for h in (-1e-6, 1e-6):
                    moved = [list(REAL), list(FAKE)]
                    moved[side][index] += h
                    ends.append(FORMULA[name][which](*moved))
                slope = (ends[1] - ends[0]) / 2e-6
                assert (0.0 if gradient is None else gradient[index].item()) == pytest.approx(slope, abs=1e-5)


@EVERY
def test_the_slope_of_g_when_d_is_sure(name: str) -> None:
    """Non-saturating keeps slope −1, minimax has none; least squares grows with the distance."""
    assert slope_of_g(LOSSES[name], -100.0) == pytest.approx(SLOPE_FAR_BELOW[name], abs=1e-6)


def test_the_slope_catches_the_saturating_form_of_non_saturating() -> None:
    """−log(sigmoid(x) + 1e-8), as shipped elsewhere, has gradient −9e-6 at −30; its value hardly differs near 0."""
    mutant = dataclasses.replace(
        LOSSES["non_saturating"], g_loss=lambda real, fake: -(torch.sigmoid(fake) + 1e-8).log().mean()
    )
    assert_golden(mutant, "non_saturating")  # the golden values alone would not see it
    assert slope_of_g(mutant, -30.0) == pytest.approx(0, abs=1e-4)
    assert slope_of_g(LOSSES["non_saturating"], -30.0) == pytest.approx(-1, abs=1e-6)


@EVERY
def test_equilibrium_values_are_those_of_a_d_that_cannot_tell(name: str) -> None:
    loss, logits = LOSSES[name], torch.full((5,), EQUILIBRIUM_LOGIT[name])
    values = {"D": loss.d_loss(logits, logits).item(), "G": loss.g_loss(logits, logits).item()}
    assert set(loss.equilibrium) <= set(values)
    for player, value in loss.equilibrium.items():
        assert values[player] == pytest.approx(value, abs=1e-6)
    if loss.boundary is not None:
        assert loss.boundary == EQUILIBRIUM_LOGIT[name]


@EVERY
def test_at_equilibrium_d_has_nothing_to_gain(name: str) -> None:
    """Moving all logits together by any h does not lower D's loss below the equilibrium value."""
    if "D" not in LOSSES[name].equilibrium:
        pytest.skip("the paper gives no value")
    for h in (-0.3, -1e-3, 1e-3, 0.3):
        logits = torch.full((4,), EQUILIBRIUM_LOGIT[name] + h, dtype=torch.float64)
        assert LOSSES[name].d_loss(logits, logits).item() >= LOSSES[name].equilibrium["D"] - 1e-12


@EVERY
def test_a_loss_is_pure(name: str) -> None:
    real, fake = torch.tensor(REAL, requires_grad=True), torch.tensor(FAKE, requires_grad=True)
    before = real.detach().clone(), fake.detach().clone()
    for loss in (LOSSES[name].d_loss, LOSSES[name].g_loss):
        first, second = loss(real, fake), loss(real, fake)
        assert torch.equal(first, second)
    assert torch.equal(real, before[0])
    assert torch.equal(fake, before[1])
    assert real.grad is None
    assert fake.grad is None, "a loss never calls backward"


@EVERY
def test_g_sees_real_says_the_truth(name: str) -> None:
    loss, fake = LOSSES[name], torch.tensor(FAKE)
    values = [loss.g_loss(torch.tensor(real), fake) for real in (REAL, [5.0], [-5.0])]
    assert loss.g_sees_real == (len({value.item() for value in values}) > 1)
    if not loss.g_sees_real:
        assert loss.g_loss(torch.empty(0), fake).isfinite()


def test_minimax_is_zero_sum() -> None:
    """G minimises the part of D's objective that depends on it, with the other sign."""
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    loss = LOSSES["minimax"]
    assert (loss.d_loss(real, fake) + loss.g_loss(real, fake)).item() == pytest.approx(F.softplus(-real).mean().item())


@EVERY
def test_opinion_is_in_the_unit_that_the_loss_declares(name: str) -> None:
    logits = torch.tensor([-60.0, -1.0, 0.0, 2.0, 60.0])
    says: Tensor = opinion(LOSSES[name], logits)
    if LOSSES[name].output == "probability":
        torch.testing.assert_close(says, torch.tensor([sigmoid(t) for t in logits.tolist()]))
        assert says.min() >= 0
        assert says.max() <= 1
    else:
        assert torch.equal(says, logits)


def test_a_loss_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        LOSSES["minimax"].boundary = 1.0  # type: ignore[misc]

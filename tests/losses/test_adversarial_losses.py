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
FAKE = [-0.9, 0.75, -2.5]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t))


def softplus(t: float) -> float:
    return math.log(1 + math.exp(t))


def minimax_d(real: list[float], fake: list[float]) -> float:
    return -mean([math.log(sigmoid(t)) for t in real]) - mean([math.log(1 - sigmoid(t)) for t in fake])


def relativistic_average(above: list[float], below: list[float]) -> float:
    """−E log D̃(above) − E log(1 − D̃(below)), D̃ of a logit being σ(it − the mean of the other kind)."""
    first = mean([math.log(sigmoid(t - mean(below))) for t in above])
    return -first - mean([math.log(1 - sigmoid(t - mean(above))) for t in below])


def relativistic_squares(above: list[float], below: list[float]) -> float:
    return mean([(t - mean(below) - 1) ** 2 for t in above]) + mean([(t - mean(above) + 1) ** 2 for t in below])


# name -> (what D minimises, what G minimises), from Table 1 of Lucic et al. 2018 and from the papers of its successors
FORMULA: dict[str, tuple[Callable, Callable]] = {
    "non_saturating": (minimax_d, lambda real, fake: -mean([math.log(sigmoid(t)) for t in fake])),
    "minimax": (minimax_d, lambda real, fake: mean([math.log(1 - sigmoid(t)) for t in fake])),
    "least_squares": (
        lambda real, fake: mean([(t - 1) ** 2 for t in real]) + mean([t**2 for t in fake]),
        lambda real, fake: mean([(t - 1) ** 2 for t in fake]),
    ),
    "wasserstein": (lambda real, fake: -mean(real) + mean(fake), lambda real, fake: -mean(fake)),
    "hinge": (
        lambda real, fake: mean([max(0, 1 - t) for t in real]) + mean([max(0, 1 + t) for t in fake]),
        lambda real, fake: -mean(fake),
    ),
    "relativistic_average": (relativistic_average, lambda real, fake: relativistic_average(fake, real)),
    "relativistic_average_ls": (relativistic_squares, lambda real, fake: relativistic_squares(fake, real)),
    "relativistic_pairing": (
        lambda real, fake: mean([softplus(-(r - f)) for r, f in zip(real, fake, strict=True)]),
        lambda real, fake: mean([softplus(-(f - r)) for r, f in zip(real, fake, strict=True)]),
    ),
    # an energy is minus a logit; the default margin is 1
    "energy": (
        lambda real, fake: mean([-t for t in real]) + mean([max(0, 1 - (-t)) for t in fake]),
        lambda real, fake: mean([-t for t in fake]),
    ),
    # an error is minus a logit; by itself the loss has k = 1
    "boundary_equilibrium": (
        lambda real, fake: mean([-t for t in real]) - mean([-t for t in fake]),
        lambda real, fake: mean([-t for t in fake]),
    ),
}
# The logit at which D cannot tell, and the derivative of G's loss in one logit far down.
EQUILIBRIUM_LOGIT = {
    "non_saturating": 0.0,
    "minimax": 0.0,
    "least_squares": 0.5,
    "wasserstein": 3.7,
    "hinge": 0.0,
    "relativistic_average": 3.7,
    "relativistic_average_ls": -2.0,
    "relativistic_pairing": 1.3,
    "energy": -0.3,
    "boundary_equilibrium": -0.3,
}
# At a logit of −100 beside one real logit of 1.
SLOPE_FAR_BELOW = {
    "non_saturating": -1.0,
    "minimax": 0.0,
    "least_squares": -202.0,
    "wasserstein": -1.0,
    "hinge": -1.0,
    "relativistic_average": -2.0,
    "relativistic_average_ls": 2 * -102.0 - 2 * 102.0,
    "relativistic_pairing": -1.0,
    "energy": -1.0,
    "boundary_equilibrium": -1.0,
}
# Pairs need as many real as generated logits; all others must not mind.
PAIRED = ("relativistic_pairing",)

EVERY = pytest.mark.parametrize("name", LOSSES)


def logits_of(name: str) -> tuple[list[float], list[float]]:
    return (REAL[: len(FAKE)] if name in PAIRED else REAL), FAKE


def test_every_loss_has_its_formula_here() -> None:
    assert set(FORMULA) == set(EQUILIBRIUM_LOGIT) == set(SLOPE_FAR_BELOW) == set(LOSSES)


def assert_golden(loss: AdversarialLoss, name: str) -> None:
    """Both losses equal the formula, on asymmetric logits of unequal number."""
    given = logits_of(name)
    real, fake = map(torch.tensor, given)
    d_formula, g_formula = FORMULA[name]
    assert loss.d_loss(real, fake).item() == pytest.approx(d_formula(*given), rel=1e-6)
    assert loss.g_loss(real, fake).item() == pytest.approx(g_formula(*given), rel=1e-6)


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
    real, fake = map(torch.tensor, logits_of(name))
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
    real, fake = map(torch.tensor, logits_of(name))
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
            assert value.abs() <= 2.001 * (1 + 2 * size) ** 2


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
    given = logits_of(name)
    real, fake = (torch.tensor(values, requires_grad=True) for values in given)
    for which, loss in enumerate((LOSSES[name].d_loss, LOSSES[name].g_loss)):
        gradients = torch.autograd.grad(loss(real, fake), (real, fake), allow_unused=True)
        for side, gradient in enumerate(gradients):
            for index in range(len(given[side])):
                ends = []
                for h in (-1e-6, 1e-6):
                    moved = [list(given[0]), list(given[1])]
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


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if "D" in loss.equilibrium])
def test_at_equilibrium_d_has_nothing_to_gain(name: str) -> None:
    """Moving all logits together by any h does not lower D's loss below the equilibrium value."""
    for h in (-0.3, -1e-3, 1e-3, 0.3):
        logits = torch.full((4,), EQUILIBRIUM_LOGIT[name] + h, dtype=torch.float64)
        assert LOSSES[name].d_loss(logits, logits).item() >= LOSSES[name].equilibrium["D"] - 1e-12


@EVERY
def test_a_loss_is_pure(name: str) -> None:
    real, fake = (torch.tensor(values, requires_grad=True) for values in logits_of(name))
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
    values = [loss.g_loss(torch.tensor(real), fake) for real in (REAL[:3], [5.0], [-5.0])]
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


# --- labels, options and what is carried from turn to turn ---

LABELLED = [name for name, loss in LOSSES.items() if loss.labels is not None]


def test_the_losses_that_answer_for_each_sample_have_labels() -> None:
    assert LABELLED == ["non_saturating", "minimax", "least_squares", "hinge"]
    assert all(LOSSES[name].boundary is not None for name in LABELLED)


@pytest.mark.parametrize("name", LABELLED)
def test_d_pays_for_real_and_for_generated_apart(name: str) -> None:
    """The two sides sum to D's loss, and each has the label that its place says."""
    loss, real, fake = LOSSES[name], torch.tensor(REAL), torch.tensor(FAKE)
    as_real, as_fake = loss.labels
    assert (as_real(real) + as_fake(fake)).item() == pytest.approx(loss.d_loss(real, fake).item(), rel=1e-6)
    far = torch.tensor([40.0])
    assert as_fake(far) > 20
    assert as_real(-far) > 20


def test_smoothed_cross_entropy_is_that_of_a_target_of_nine_tenths() -> None:
    """(1 − s) ℓ₁ + s ℓ₀ is binary cross-entropy with the target 1 − s, smallest at the logit log(0.9 / 0.1)."""
    as_real, as_fake = LOSSES["minimax"].labels
    logits = torch.tensor(REAL)
    smoothed = as_real(logits) + 0.1 * (as_fake(logits) - as_real(logits))
    assert smoothed.item() == pytest.approx(
        F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, 0.9)).item(), rel=1e-6
    )


@pytest.mark.parametrize(("margin", "expected"), [(0.5, 0.0), (2.0, 1.25), (0.75, 0.0), (1.0, 0.25)])
def test_energies_beyond_the_margin_cost_nothing(margin: float, expected: float) -> None:
    """All generated samples at energy 0.75, real ones at 0."""
    loss = LOSSES["energy"].with_options(margin=margin)
    assert loss.d_loss(torch.zeros(3), torch.full((5,), -0.75)).item() == pytest.approx(expected)


def test_the_margin_does_not_reach_g_nor_the_registry() -> None:
    LOSSES["energy"].with_options(margin=7.0)
    fake = torch.tensor(FAKE)
    assert LOSSES["energy"].with_options(margin=7.0).g_loss(fake, fake) == LOSSES["energy"].g_loss(fake, fake)
    assert LOSSES["energy"].d_loss(torch.zeros(1), torch.zeros(1)).item() == 1.0


BEGAN = LOSSES["boundary_equilibrium"]


@pytest.mark.parametrize("k", [0.0, 0.3, 1.0])
def test_began_weighs_generated_errors_by_k(k: float) -> None:
    """Table 1 of Lucic et al. 2018: L(x) − k L(x̂), with L = minus the logit."""
    real, fake = torch.tensor([-0.2, -0.4]), torch.tensor([-1.0, -0.5, -0.6])
    assert BEGAN.d_loss(real, fake, k=k).item() == pytest.approx(0.3 - k * 0.7, rel=1e-6)


@pytest.mark.parametrize(
    ("k", "real_error", "fake_error", "gamma", "lambda_k", "expected"),
    [
        (0.5, 0.3, 0.7, 0.5, 0.1, 0.5 + 0.1 * (0.5 * 0.3 - 0.7)),
        (0.0, 0.3, 0.7, 0.5, 0.1, 0.0),
        (0.95, 0.9, 0.1, 0.7, 1.0, 1.0),
        (0.2, 0.8, 0.3, 0.5, 0.001, 0.2 + 0.001 * (0.4 - 0.3)),
    ],
)
def test_k_follows_the_balance_and_stays_between_0_and_1(
    k: float, real_error: float, fake_error: float, gamma: float, lambda_k: float, expected: float
) -> None:
    loss = BEGAN.with_options(gamma=gamma, lambda_k=lambda_k)
    real, fake = torch.full((4,), -real_error), torch.full((3,), -fake_error)
    (name,) = BEGAN.memory
    assert name == "k"
    assert loss.remember(real, fake, k=torch.tensor(k))["k"].item() == pytest.approx(expected, abs=1e-6)


def test_the_convergence_measure() -> None:
    """M = L(x) + |γ L(x) − L(x̂)|."""
    measure = BEGAN.with_options(gamma=0.4).measures["convergence"]
    for fake_error in (0.9, 0.05):
        value = measure(torch.tensor([-0.5, -0.7]), torch.tensor([-fake_error]))
        assert value.item() == pytest.approx(0.6 + abs(0.4 * 0.6 - fake_error), rel=1e-6)


@EVERY
def test_options_and_memory_can_be_used(name: str) -> None:
    loss = LOSSES[name]
    assert all(option.least <= option.default <= option.most for option in loss.options.values())
    assert (loss.remember is None) == (not loss.memory)
    bound = loss.with_options(**{key: option.default for key, option in loss.options.items()})
    real, fake = (torch.tensor(values) for values in logits_of(name))
    assert bound.d_loss(real, fake).item() == loss.d_loss(real, fake).item()
    if bound.remember is not None:
        known = {key: torch.tensor(value) for key, value in bound.memory.items()}
        assert set(bound.remember(real, fake, **known)) == set(bound.memory)
        bound.d_loss(real, fake, **known)
    for measure in bound.measures.values():
        assert measure(real, fake).shape == ()

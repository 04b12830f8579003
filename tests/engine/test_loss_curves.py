"""Loss and slope over logits, held against formulas written out by hand and against the losses of whole batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gan_core.config import OBJECTIVES
from gan_core.engine.library.loss_curves import loss_curves, loss_named
from gan_core.losses import LOSSES

T = np.linspace(-12.0, 12.0, 49) + 0.013  # no kink of a hinge is hit exactly


def sigmoid(t: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-t))


# name -> the value and the slope of G's, and of D's loss of a generated and of a real sample, the other logit being 0
FORMULAS = {
    "minimax": (np.log(1 - sigmoid(T)), -sigmoid(T), -np.log(1 - sigmoid(T)), -np.log(sigmoid(T))),
    "non_saturating": (-np.log(sigmoid(T)), sigmoid(T) - 1, -np.log(1 - sigmoid(T)), -np.log(sigmoid(T))),
    "least_squares": ((T - 1) ** 2, 2 * (T - 1), T**2, (T - 1) ** 2),
    "wasserstein": (-T, -np.ones_like(T), T, -T),
    "hinge": (-T, -np.ones_like(T), np.maximum(0, 1 + T), np.maximum(0, 1 - T)),
    "relativistic_pairing": (np.log1p(np.exp(-T)), sigmoid(T) - 1, np.log1p(np.exp(T)), np.log1p(np.exp(-T))),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_curves_are_the_formulas_of_the_papers(name: str) -> None:
    curves = loss_curves(name, T)
    for curve, expected in zip(("G", "G_slope", "D_fake", "D_real"), FORMULAS[name], strict=True):
        np.testing.assert_allclose(curves[curve], expected, rtol=1e-6, atol=1e-6, err_msg=curve)
    np.testing.assert_allclose(curves["probability"], sigmoid(T))


@pytest.mark.parametrize("name", LOSSES)
def test_slopes_are_those_of_the_values(name: str) -> None:
    at = T[T < -0.5]
    step = 1e-5
    curves, above, below = loss_curves(name, at), loss_curves(name, at + step), loss_curves(name, at - step)
    for curve in ("G", "D_fake", "D_real"):
        numeric = (above[curve] - below[curve]) / (2 * step)
        np.testing.assert_allclose(curves[f"{curve}_slope"], numeric, rtol=1e-5, atol=1e-7, err_msg=curve)


@pytest.mark.parametrize("name", LOSSES)
def test_they_belong_to_the_losses_that_train(name: str) -> None:
    """A pair whose logits are t for the generated and 0 for the real sample."""
    loss, curves = LOSSES[name], loss_curves(name, T)
    for i in np.flatnonzero(np.isfinite(curves["G"])):
        fake, real = torch.tensor([T[i]], requires_grad=True), torch.zeros(1, dtype=torch.float64)
        value = loss.g_loss(real, fake)
        (slope,) = torch.autograd.grad(value, fake)
        assert curves["G"][i] == pytest.approx(value.item())
        assert curves["G_slope"][i] == pytest.approx(slope.item())
        whole = loss.d_loss(real, fake).item()
        other = 0.0 if loss.labels is None else loss.labels[0](real).item()
        assert curves["D_fake"][i] + other == pytest.approx(whole)


def test_a_sure_discriminator_starves_the_minimax_loss_alone() -> None:
    at = np.array([-20.0])
    assert abs(loss_curves("minimax", at)["G_slope"][0]) < 1e-8
    for name in ("non_saturating", "wasserstein", "hinge", "least_squares", "relativistic_average"):
        assert abs(loss_curves(name, at)["G_slope"][0]) > 0.99, name


def test_an_error_is_never_negative_so_its_logit_never_positive() -> None:
    curves = loss_curves("energy", [-2.0, -0.5, 0.5])
    assert np.isfinite(curves["G"]).tolist() == [True, True, False]
    assert curves["D_fake"][:2].tolist() == [0.0, 0.5]  # beyond the margin of 1 D has nothing left to push
    assert curves["D_fake_slope"][:2].tolist() == [0.0, 1.0]


def test_relativistic_losses_see_the_other_sample() -> None:
    near, far = (loss_curves("relativistic_pairing", T, other_logit=other)["G"] for other in (0.0, 4.0))
    np.testing.assert_allclose(far, np.log1p(np.exp(4 - T)), rtol=1e-6)
    assert (far > near).all()


def test_an_objective_stands_for_its_loss() -> None:
    for name, recipe in OBJECTIVES.items():
        assert loss_named(name)[0] == recipe.settings["objective"]["loss"]
    assert loss_named("dragan")[0] == "minimax"
    with pytest.raises(KeyError):
        loss_curves("no_such_loss", T)
    with pytest.raises(ValueError, match="vector"):
        loss_curves("hinge", [[0.0]])

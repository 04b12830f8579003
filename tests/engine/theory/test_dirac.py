"""The Dirac-GAN of the board: fields and paths by formulas written out by hand, and what Mescheder et al. (2018) prove."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit

from gan_core.engine.theory import DIRAC_LOSSES, DIRAC_PENALTIES, DiracRules, dirac_field, dirac_path

GRID = np.linspace(-1.9, 1.9, 6)

# loss -> (−∂L_G/∂θ, −∂L_D/∂ψ) at (θ, ψ), with D(x) = ψx; for least squares D(x) = ½ + ψx
FIELD: dict[str, tuple[Callable, Callable]] = {
    "minimax": (lambda o, p: p * expit(p * o), lambda o, p: -o * expit(p * o)),
    "non_saturating": (lambda o, p: p * expit(-p * o), lambda o, p: -o * expit(p * o)),
    "wasserstein": (lambda o, p: p, lambda o, p: -o),
    "least_squares": (lambda o, p: -2 * (p * o - 0.5) * p, lambda o, p: -2 * (0.5 + p * o) * o),
    "hinge": (lambda o, p: p, lambda o, p: -o * (p * o > -1)),
}
PUSH_OF_PENALTY: dict[str, Callable[[float], float]] = {
    "r1": lambda p: -p,
    "gradient_penalty": lambda p: -2 * (abs(p) - 1) * np.sign(p),
    "one_sided_gradient_penalty": lambda p: -2 * max(0.0, abs(p) - 1) * np.sign(p),
}


def test_what_can_be_chosen_has_its_formula_here() -> None:
    assert set(DIRAC_LOSSES) == set(FIELD)
    assert set(DIRAC_PENALTIES) == set(PUSH_OF_PENALTY)


@pytest.mark.parametrize("loss", DIRAC_LOSSES)
@pytest.mark.parametrize("penalty", ["", *DIRAC_PENALTIES])
def test_the_field_is_the_closed_form(loss: str, penalty: str) -> None:
    right, up = dirac_field(DiracRules(loss, penalty, weight=0.7), GRID, GRID + 0.05)
    g_slope, d_slope = FIELD[loss]
    for i, psi in enumerate(GRID + 0.05):
        for j, theta in enumerate(GRID):
            push = 0.7 * PUSH_OF_PENALTY[penalty](psi) if penalty else 0.0
            assert right[i, j] == pytest.approx(g_slope(theta, psi), abs=1e-6)
            assert up[i, j] == pytest.approx(d_slope(theta, psi) + push, abs=1e-6)


@pytest.mark.parametrize("loss", ["minimax", "non_saturating"])
def test_instance_noise_is_the_mean_over_gaussian_noise(loss: str) -> None:
    """−∂L_D/∂ψ = −E[(θ+ε) σ(ψ(θ+ε))] + E[ε σ(−ψε)], by a quadrature that shares nothing with the code's quantiles."""
    x, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    sigma, theta, psi = 0.8, 0.9, -0.7
    right, up = dirac_field(DiracRules(loss, noise=sigma), [theta], [psi])
    fake, real = theta + sigma * x, sigma * x
    expected_up = weights @ (-fake * expit(psi * fake) + real * expit(-psi * real))
    expected_right = psi * weights @ expit((1 if loss == "minimax" else -1) * psi * fake)
    assert up[0, 0] == pytest.approx(expected_up, abs=4e-3)
    assert right[0, 0] == pytest.approx(expected_right, abs=4e-3)


@pytest.mark.parametrize("loss", DIRAC_LOSSES)
@pytest.mark.parametrize("n_critic", [1, 3])
def test_alternating_steps_follow_the_closed_form(loss: str, n_critic: int) -> None:
    lr, theta, psi = 0.1, 0.8, -0.6
    path = dirac_path(DiracRules(loss, lr=lr, n_critic=n_critic), theta, psi, 20)
    g_slope, d_slope = FIELD[loss]
    for at in zip(path.theta, path.psi, strict=True):
        assert at == pytest.approx((theta, psi), abs=1e-12)
        for _ in range(n_critic):
            psi += lr * d_slope(theta, psi)
        theta += lr * g_slope(theta, psi)


def test_simultaneous_steps_leave_from_the_same_point() -> None:
    path = dirac_path(DiracRules("wasserstein", lr=0.1, simultaneous=True), 1.0, 1.0, 2)
    assert list(zip(path.theta, path.psi, strict=True)) == [
        (1.0, 1.0),
        pytest.approx((1.1, 0.9)),
        pytest.approx((1.19, 0.79)),
    ]


@pytest.mark.parametrize("loss", ["minimax", "non_saturating", "wasserstein"])
def test_simultaneous_descent_runs_away_and_alternating_circles(loss: str) -> None:
    """Mescheder et al. 2018, section 2: |λ|² = 1 + h²f'(0)² when simultaneous, 1 when alternating."""
    slope, lr = (1.0 if loss == "wasserstein" else 0.5), 0.2
    away = dirac_path(DiracRules(loss, lr=lr, simultaneous=True), 0.05, 0.05, 150)
    assert [abs(value) for value in away.eigenvalues or ()] == pytest.approx([math.sqrt(1 + (lr * slope) ** 2)] * 2)
    assert away.distance[-1] > 1.5 * away.distance[0]
    around = dirac_path(DiracRules(loss, lr=lr), 0.05, 0.05, 250)
    assert [abs(value) for value in around.eigenvalues or ()] == pytest.approx([1.0, 1.0])
    assert around.distance[-100:].max() == pytest.approx(around.distance[:100].max(), rel=0.05)


@pytest.mark.parametrize("simultaneous", [False, True])
@pytest.mark.parametrize("loss", ["minimax", "non_saturating", "wasserstein", "hinge"])
@pytest.mark.parametrize("cure", [{"penalty": "r1", "weight": 0.5}, {"noise": 1.0}])
def test_r1_and_instance_noise_arrive(loss: str, simultaneous: bool, cure: dict) -> None:
    """Theorem 4.1, and section 3.2: both flatten D at the equilibrium and pull the eigenvalues into the unit circle."""
    path = dirac_path(DiracRules(loss, lr=0.2, simultaneous=simultaneous, **cure), 1.0, 1.0, 250)
    if loss in ("wasserstein", "hinge") and "noise" in cure:
        # A linear loss has the same mean with noise as without (hinge inside its margin): nothing is cured.
        assert path.distance[-1] > 0.3
        return
    assert path.distance[-1] < 0.01
    assert all(abs(value) < 1 for value in path.eigenvalues or ())


def test_non_saturating_creeps_in_without_a_cure() -> None:
    """Mescheder et al. 2018, section 2: it converges, but ever more slowly: the eigenvalues are on the circle."""
    distance = dirac_path(DiracRules("non_saturating", lr=0.2), 1.0, 1.0, 250).distance
    assert 0.3 < distance[-1] < 0.6 < distance[50] < 1.0


def test_wgan_gp_and_clipping_keep_circling() -> None:
    """Mescheder et al. 2018, section 3: a slope of one is asked for where the equilibrium needs a slope of zero."""
    for rules in (
        DiracRules("wasserstein", "gradient_penalty", weight=1.0, lr=0.1),
        DiracRules("wasserstein", clip_value=1.0, lr=0.1),
    ):
        path = dirac_path(rules, 1.0, 1.0, 500)
        assert path.distance[-150:].max() > 0.5
        if rules.clip_value is not None:
            assert np.abs(path.psi).max() <= 1.0
    assert dirac_path(DiracRules("wasserstein", "gradient_penalty", weight=0.01), 1.0, 1.0, 1).eigenvalues is None


def test_a_path_that_runs_away_ends() -> None:
    path = dirac_path(DiracRules("wasserstein", lr=1.0, simultaneous=True), 1.0, 1.0, 1000)
    assert 10 < len(path.theta) < 100
    assert np.isfinite(path.distance).all()


def test_the_equilibrium_is_left_by_nobody() -> None:
    for loss in DIRAC_LOSSES:
        path = dirac_path(DiracRules(loss), 0.0, 0.0, 5)
        assert path.distance.tolist() == [0.0] * 6

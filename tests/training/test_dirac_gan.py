"""The Dirac-GAN (Mescheder et al. 2018): real data at 0, G = δ_θ, D(x) = ψx; what theory says the loop must do.

With f(t) = log σ(t), D descends L_D(ψ) = −f(0) − log(1 − σ(ψθ)) and G its own loss of the logit ψθ. The gradients are
written out by hand below. Minimax and Wasserstein circle around (0, 0) for ever; with a penalty on ψ they arrive.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from gan_core.engine.theory.dirac import DiracGame, DiracRules
from gan_core.losses import LOSSES
from gan_core.training import play, take_turn


def dirac(loss: str, theta: float, psi: float, lr: float, r1_gamma: float = 0.0) -> DiracGame:
    return DiracGame(DiracRules(loss, "r1" if r1_gamma else "", r1_gamma, lr=lr), theta, psi)


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t))


# loss -> (∂L_D/∂ψ, ∂L_G/∂θ) at (θ, ψ), from the formulas of the losses; for least squares D(x) = ½ + ψx, undecided at 0
FIELD: dict[str, tuple[Callable[[float, float], float], Callable[[float, float], float]]] = {
    "minimax": (lambda o, p: sigmoid(p * o) * o, lambda o, p: -sigmoid(p * o) * p),
    "non_saturating": (lambda o, p: sigmoid(p * o) * o, lambda o, p: -sigmoid(-p * o) * p),
    "wasserstein": (lambda o, p: o, lambda o, p: -p),
    "least_squares": (lambda o, p: (1 + 2 * p * o) * o, lambda o, p: (2 * p * o - 1) * p),
    "hinge": (lambda o, p: o if p * o > -1 else 0.0, lambda o, p: -p),
    # one sample of each kind: its mean is itself, and D(0) = 0
    "relativistic_average": (lambda o, p: 2 * sigmoid(p * o) * o, lambda o, p: -2 * sigmoid(-p * o) * p),
    "relativistic_average_ls": (lambda o, p: 4 * (p * o + 1) * o, lambda o, p: 4 * (p * o - 1) * p),
    "relativistic_pairing": (lambda o, p: sigmoid(p * o) * o, lambda o, p: -sigmoid(-p * o) * p),
    "energy": (lambda o, p: o if p * o > -1 else 0.0, lambda o, p: -p),
    "boundary_equilibrium": (lambda o, p: o, lambda o, p: -p),
}


def path(loss: str, rounds: int, lr: float = 0.1, r1_gamma: float = 0.0) -> Iterator[float]:
    """The distance to the equilibrium after each round, from (1, 1)."""
    game = dirac(loss, 1.0, 1.0, lr, r1_gamma)
    for turn in islice(play(game), 2 * rounds):
        if turn.ends_round:
            yield math.hypot(*game.place)


def test_every_loss_has_its_vector_field_here() -> None:
    assert set(FIELD) == set(LOSSES)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("theta", "psi"), [(1.0, 1.0), (-0.5, 2.0), (0.3, -1.5), (0.0, 1.0), (1.0, 0.0)])
def test_one_turn_is_one_step_along_the_closed_form_gradient(loss: str, theta: float, psi: float) -> None:
    lr = 0.1
    d_slope, g_slope = FIELD[loss]
    game = dirac(loss, theta, psi, lr)
    values = take_turn(game, game.players[0])
    assert game.place == pytest.approx((theta, psi - lr * d_slope(theta, psi)), abs=1e-12)
    assert values["grad_norm"].item() == pytest.approx(abs(d_slope(theta, psi)), abs=1e-6)
    game = dirac(loss, theta, psi, lr)
    take_turn(game, game.players[1])
    assert game.place == pytest.approx((theta - lr * g_slope(theta, psi), psi), abs=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_round_alternates_g_sees_the_d_that_has_moved(loss: str) -> None:
    """θ' = θ − h ∂L_G(θ, ψ'), not at the old ψ, for twenty rounds."""
    lr, theta, psi = 0.1, 0.8, -0.6
    game = dirac(loss, theta, psi, lr)
    d_slope, g_slope = FIELD[loss]
    for turn in islice(play(game), 40):
        if turn.ends_round:
            psi -= lr * d_slope(theta, psi)
            theta -= lr * g_slope(theta, psi)
            assert game.place == pytest.approx((theta, psi), abs=1e-12)


@pytest.mark.parametrize("loss", ["minimax", "wasserstein"])
def test_without_a_penalty_it_circles(loss: str) -> None:
    """Mescheder et al. 2018, section 2: no convergence; the last hundred rounds are as far away as the first."""
    distance = list(path(loss, 500))
    assert min(distance) > 0.7 * math.sqrt(2)
    assert min(distance[-100:]) > 0.9 * min(distance[:100])


@pytest.mark.parametrize(
    "loss", ["minimax", "non_saturating", "wasserstein", "hinge", "relativistic_pairing", "relativistic_average"]
)
def test_with_r1_it_arrives(loss: str) -> None:
    """Theorem 4.1: a zero-centred penalty on D's slope at the data, γ/2 ψ², makes the equilibrium attractive."""
    distance = list(path(loss, 500, r1_gamma=1.0))
    assert distance[-1] < 1e-3 * distance[0]


def test_the_wasserstein_orbit_conserves_its_quantity() -> None:
    """Alternating steps are the symplectic Euler method: θ² + ψ² − hθψ stays what it was."""
    game, lr = dirac("wasserstein", 1.0, 1.0, 0.1), 0.1
    invariants = []
    for turn in islice(play(game), 1000):
        if turn.ends_round:
            theta, psi = game.place
            invariants.append(theta**2 + psi**2 - lr * theta * psi)
    assert invariants == pytest.approx([invariants[0]] * 500, abs=1e-9)

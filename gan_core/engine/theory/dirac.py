"""The Dirac-GAN (Mescheder et al. 2018): the smallest GAN that shows whether training converges.

Real data are a point mass at 0, generated data one at θ, and D(x) = ψx, so the whole state is the pair (θ, ψ) and the
equilibrium is (0, 0). The players, the losses, the penalties and the loop are those of every other run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from torch import Tensor, nn

from gan_core.losses import LOSSES
from gan_core.regularizers import PENALTIES, clip_weights
from gan_core.training import Outcome, Player, eager, play

Array = NDArray[np.float64]

DIRAC_LOSSES = tuple(name for name, loss in LOSSES.items() if loss.output != "error" and not loss.g_sees_real)
"""Those for which D(x) = ψx makes sense and noise averages exactly: an error cannot be negative, and a relativistic loss
of one real and one generated sample is a loss of this list."""
DIRAC_PENALTIES = ("r1", "gradient_penalty", "one_sided_gradient_penalty")
"""R2 is R1 here, and DRAGAN the gradient penalty: D has the same slope ψ everywhere."""

_NOISE_NODES = 64
_FAR = 1e3  # who is that far away will not come back


@dataclass(frozen=True)
class DiracRules:
    """How the game is played. ``noise`` is the width of the instance noise, ``clip_value`` bounds |ψ|, ``lr`` is the step.

    ``simultaneous``: both move from the same point, D once. Otherwise they take turns as in training, D ``n_critic`` times.
    """

    loss: str = "minimax"
    penalty: str = ""
    weight: float = 0.0
    noise: float = 0.0
    clip_value: float | None = None
    lr: float = 0.1
    n_critic: int = 1
    simultaneous: bool = False


@dataclass(frozen=True)
class DiracPath:
    """Where the game was: ``theta`` and ``psi`` (n + 1,), the start first; shorter if it ran away.

    ``eigenvalues`` are the two of the linearised round at the equilibrium: it attracts where both are inside the unit
    circle, repels where one is outside. None where the field has a jump there and no linearisation.
    """

    theta: Array
    psi: Array
    eigenvalues: tuple[complex, complex] | None

    @property
    def distance(self) -> Array:
        """To the equilibrium, (n + 1,)."""
        return np.hypot(self.theta, self.psi)


class _Point(nn.Module):
    """G: every sample is θ."""

    def __init__(self, theta: float) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(theta, dtype=torch.float64))


class _Line(nn.Module):
    """D(x) = ψx, or b + ψx where the loss is undecided at b: so that D cannot tell at the equilibrium."""

    def __init__(self, psi: float, undecided: float) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.tensor(psi, dtype=torch.float64))
        self.undecided = undecided

    def forward(self, x: Tensor) -> Tensor:
        return self.undecided + self.psi * x


class DiracGame:
    """The game from (θ, ψ). With instance noise the batch is the noise's own quantiles: its mean, without chance."""

    def __init__(self, rules: DiracRules, theta: float, psi: float) -> None:
        self.rules, self.loss = rules, LOSSES[rules.loss]
        self.G, self.D = _Point(theta), _Line(psi, self.loss.boundary or 0.0)
        quantiles = ndtri((np.arange(_NOISE_NODES) + 0.5) / _NOISE_NODES) if rules.noise else np.zeros(1)
        nodes = quantiles / (quantiles.std() or 1.0)
        self.noise = torch.as_tensor(rules.noise * nodes, dtype=torch.float64)[:, None]
        # A penalty draws points between x and x̂, but a line has the same slope in all of them.
        self.stream = torch.Generator().manual_seed(0)
        clip = rules.clip_value
        self.players = (
            Player(
                "D",
                (self.D,),
                self._discriminate,
                eager.SGD(self.D.parameters(), lr=rules.lr),
                terms=("adv", "penalty") if rules.penalty else ("adv",),
                steps=rules.n_critic,
                after_step=None if clip is None else lambda: clip_weights((self.D,), clip),
            ),
            Player("G", (self.G,), self._generate, eager.SGD(self.G.parameters(), lr=rules.lr), terms=("adv",)),
        )

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"G": self.G, "D": self.D}

    def begin_round(self, round: int) -> None:
        pass

    @property
    def place(self) -> tuple[float, float]:
        return self.G.theta.item(), self.D.psi.item()

    def velocity(self, theta: float, psi: float) -> tuple[float, float]:
        """(−∂L_G/∂θ, −∂L_D/∂ψ) at a point; the game is there afterwards."""
        with torch.no_grad():
            self.G.theta.fill_(theta)
            self.D.psi.fill_(psi)
        (up,) = torch.autograd.grad(_sum(self._discriminate()), self.D.psi)
        (right,) = torch.autograd.grad(_sum(self._generate()), self.G.theta)
        return -right.item(), -up.item()

    def _discriminate(self) -> Outcome:
        real, fake = self.noise, self.G.theta.detach() + self.noise
        terms = {"adv": self.loss.d_loss(self.D(real), self.D(fake))}
        if self.rules.penalty:
            penalty = PENALTIES[self.rules.penalty]
            terms["penalty"] = self.rules.weight * penalty.measure(self.D, real, fake, self.stream)
        return Outcome(terms)

    def _generate(self) -> Outcome:
        return Outcome({"adv": self.loss.g_loss(self.D(self.noise), self.D(self.G.theta + self.noise))})


def dirac_field(rules: DiracRules, thetas: ArrayLike, psis: ArrayLike) -> tuple[Array, Array]:
    """The direction in which gradient descent would go, over a grid: two tables (psis, thetas), along θ and along ψ."""
    game = DiracGame(rules, 0.0, 0.0)
    rows = [[game.velocity(float(t), float(p)) for t in np.asarray(thetas)] for p in np.asarray(psis)]
    along = np.array(rows)
    return along[..., 0], along[..., 1]


def dirac_path(rules: DiracRules, theta: float, psi: float, rounds: int) -> DiracPath:
    """Play ``rounds`` rounds from (θ, ψ) by plain gradient descent."""
    places = [(theta, psi)]
    for place in islice(_rounds(rules, theta, psi), rounds):
        if not np.isfinite(place).all() or np.hypot(*place) > _FAR:
            break
        places.append(place)
    at = np.array(places)
    return DiracPath(at[:, 0], at[:, 1], _eigenvalues(rules))


def _rounds(rules: DiracRules, theta: float, psi: float) -> Iterator[tuple[float, float]]:
    game = DiracGame(rules, theta, psi)
    if not rules.simultaneous:
        yield from (game.place for turn in play(game) if turn.ends_round)
    bound = np.inf if rules.clip_value is None else rules.clip_value
    while True:
        right, up = game.velocity(theta, psi)
        theta, psi = theta + rules.lr * right, float(np.clip(psi + rules.lr * up, -bound, bound))
        yield theta, psi


def _eigenvalues(rules: DiracRules) -> tuple[complex, complex] | None:
    jacobian, closer = _jacobian(rules, 1e-3), _jacobian(rules, 1e-4)
    if not np.allclose(jacobian, closer, rtol=0.01, atol=0.01):
        return None
    if rules.simultaneous:
        one_round = np.eye(2) + rules.lr * closer
    else:
        d_turn, g_turn = np.eye(2), np.eye(2)
        d_turn[1] += rules.lr * closer[1]
        g_turn[0] += rules.lr * closer[0]
        one_round = g_turn @ np.linalg.matrix_power(d_turn, rules.n_critic)
    first, second = np.linalg.eigvals(one_round)
    return complex(first), complex(second)


def _jacobian(rules: DiracRules, step: float) -> Array:
    """Of the velocity at the equilibrium, by central differences; rows: what moves θ, what moves ψ."""
    game = DiracGame(rules, 0.0, 0.0)
    ahead, behind = (np.array([game.velocity(*(s * axis)) for axis in np.eye(2)]) for s in (step, -step))
    slopes: Array = ((ahead - behind) / (2 * step)).T
    return slopes


def _sum(outcome: Outcome) -> Tensor:
    return torch.stack(tuple(outcome.terms.values())).sum()

"""Adversarial losses: pairs of pure functions of logits, real first, mean-reduced, never calling backward."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_core.about import About

PairLoss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class AdversarialLoss:
    """``d_loss(real_logits, fake_logits)`` and ``g_loss(real_logits, fake_logits)``, scalars to be minimised.

    Logits are D's raw output, any shape: the mean runs over samples and patches. ``output`` says what they mean:
    the log-odds of a *probability*, or an unbounded *score*. ``equilibrium`` are the values when G has won
    (D cannot tell), by player; empty where the paper gives none. ``boundary`` is the logit above which D says "real",
    None where the scale is arbitrary. ``reading`` says in a sentence or two how to read the curve.
    ``g_sees_real`` is true where G's loss needs the real logits, which then cost one more pass through D.
    """

    d_loss: PairLoss
    g_loss: PairLoss
    about: About
    output: Literal["probability", "score"]
    reading: str
    equilibrium: dict[str, float] = field(default_factory=dict)
    boundary: float | None = 0.0
    g_sees_real: bool = False


def minimax_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E log D(x) − E log(1 − D(x̂)), with D = sigmoid(logit); −log σ(t) = softplus(−t)."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def minimax_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E log(1 − D(x̂))."""
    return -F.softplus(fake_logits).mean()


def non_saturating_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E log D(x̂)."""
    return F.softplus(-fake_logits).mean()


def least_squares_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E (D(x) − 1)² + E D(x̂)², D unbounded."""
    return (real_logits - 1).square().mean() + fake_logits.square().mean()


def least_squares_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E (D(x̂) − 1)²."""
    return (fake_logits - 1).square().mean()


def wasserstein_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E D(x) + E D(x̂)."""
    return fake_logits.mean() - real_logits.mean()


def wasserstein_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E D(x̂)."""
    return -fake_logits.mean()


_LOG2 = math.log(2.0)

LOSSES: dict[str, AdversarialLoss] = {
    "non_saturating": AdversarialLoss(
        minimax_d,
        non_saturating_g,
        About(
            title="Non-saturating",
            paper="Goodfellow et al., Generative Adversarial Nets, section 3",
            year=2014,
            formula=r"L_G = -\mathbb{E}\,\log D(\hat x)",
            idea="G maximises the probability that D calls its samples real. Its gradient in the logit tends to −1 when "
            "D is sure, where the minimax loss has none.",
            watch_for="Both losses hover when the game is balanced; D's loss falling to 0 means that D has won.",
            url="https://arxiv.org/abs/1406.2661",
        ),
        "probability",
        "Balanced play keeps D near 2 log 2 = 1.386 and G near log 2 = 0.693. D falling to 0 means D wins; the same "
        "1.386 also appears when G hops between single modes, so read it with the diversity charts.",
        {"D": 2 * _LOG2, "G": _LOG2},
    ),
    "minimax": AdversarialLoss(
        minimax_d,
        minimax_g,
        About(
            title="Minimax (saturating)",
            paper="Goodfellow et al., Generative Adversarial Nets, equation 1",
            year=2014,
            formula=r"L_D = -\mathbb{E}\,\log D(x) - \mathbb{E}\,\log(1-D(\hat x)),\quad"
            r" L_G = \mathbb{E}\,\log(1-D(\hat x))",
            idea="G minimises exactly what D maximises. For a perfect D, G descends the Jensen–Shannon divergence; "
            "for a D that is merely sure, log(1 − D) is flat and G stops learning.",
            watch_for="G's gradient norm: when it collapses while D(G(z)) is near 0, the loss has saturated.",
            url="https://arxiv.org/abs/1406.2661",
        ),
        "probability",
        "At equilibrium D is 2 log 2 = 1.386 and G is −log 2 = −0.693. G near 0 from below means that D is sure and G "
        "gets no gradient.",
        {"D": 2 * _LOG2, "G": -_LOG2},
    ),
    "least_squares": AdversarialLoss(
        least_squares_d,
        least_squares_g,
        About(
            title="Least squares",
            paper="Mao et al., Least Squares Generative Adversarial Networks, equation 9",
            year=2017,
            formula=r"\begin{gathered}L_D = \mathbb{E}\,(D(x)-1)^2 + \mathbb{E}\,D(\hat x)^2\\"
            r"L_G = \mathbb{E}\,(D(\hat x)-1)^2\end{gathered}",
            idea="D is a regression on the labels 1 and 0: samples on the right side but far from the real data still "
            "carry a gradient.",
            watch_for="D's loss near 0 means that D separates the two; near 0.5 it cannot.",
            url="https://arxiv.org/abs/1611.04076",
        ),
        "score",
        "At equilibrium D outputs 0.5 everywhere: D's loss is 0.5 and G's is 0.25. G near 1 means that D is winning.",
        {"D": 0.5, "G": 0.25},
        boundary=0.5,
    ),
    "wasserstein": AdversarialLoss(
        wasserstein_d,
        wasserstein_g,
        About(
            title="Wasserstein",
            paper="Arjovsky, Chintala, Bottou, Wasserstein GAN, equation 2",
            year=2017,
            formula=r"L_D = -\mathbb{E}\,D(x) + \mathbb{E}\,D(\hat x),\quad L_G = -\mathbb{E}\,D(\hat x)",
            idea="A critic that is 1-Lipschitz and maximises E D(x) − E D(x̂) measures the Wasserstein-1 distance, which "
            "falls steadily as the two distributions approach, even before they overlap. Needs clipping or a penalty.",
            watch_for="Minus D's loss is the distance estimate and should fall. G's loss alone means nothing.",
            url="https://arxiv.org/abs/1701.07875",
        ),
        "score",
        "Read −D's loss: an estimate of the distance between the distributions, which should fall towards 0. G's loss "
        "has no meaning of its own: scores may drift together.",
        {"D": 0.0},
        boundary=None,
    ),
}


def opinion(loss: AdversarialLoss, logits: Tensor) -> Tensor:
    """What D says of each sample in the loss's own unit: the probability of being real, or the score itself."""
    return torch.sigmoid(logits) if loss.output == "probability" else logits

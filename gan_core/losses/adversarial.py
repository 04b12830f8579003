"""Adversarial losses: pairs of pure functions of logits, real first, mean-reduced, never calling backward."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_core.about import About, players

PairLoss = Callable[..., Tensor]
LabelLoss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class LossOption:
    """One number that a loss lets be chosen, by the paper's symbol."""

    symbol: str
    default: float
    least: float
    most: float


@dataclass(frozen=True)
class AdversarialLoss:
    """``d_loss(real_logits, fake_logits)`` and ``g_loss(real_logits, fake_logits)``, scalars to be minimised.

    Logits are D's raw output, any shape: the mean runs over samples and patches. ``output`` says what they mean: the
    log-odds of a *probability*, an unbounded *score*, or minus an *error*, never above 0. ``equilibrium`` are the values
    when G has won (D cannot tell), by player; empty where the paper gives none. ``boundary`` is the logit above which D
    says "real", None where the scale is arbitrary. ``reading`` says in a sentence or two how to read the curve.
    ``g_sees_real`` is true where G's loss needs the real logits, which then cost one more pass through D.

    ``labels`` are what D pays for logits of samples that are labelled real, and labelled generated: their sum is
    ``d_loss``. None where D compares real with generated instead of labelling each. ``options`` are numbers that can be
    chosen; ``with_options`` binds them. ``memory`` holds numbers that the loss carries from turn to turn, by name, with
    their first values: ``d_loss`` takes them by name, and ``remember(real_logits, fake_logits, **memory)`` gives the next
    ones. ``measures`` are readings of its own: functions of the real and fake logits.
    """

    d_loss: PairLoss
    g_loss: PairLoss
    about: About
    output: Literal["probability", "score", "error"]
    reading: str
    equilibrium: dict[str, float] = field(default_factory=dict)
    boundary: float | None = 0.0
    g_sees_real: bool = False
    labels: tuple[LabelLoss, LabelLoss] | None = None
    options: Mapping[str, LossOption] = field(default_factory=dict)
    memory: Mapping[str, float] = field(default_factory=dict)
    remember: Callable[..., dict[str, Tensor]] | None = None
    measures: Mapping[str, Callable[..., Tensor]] = field(default_factory=dict)

    def with_options(self, **values: float) -> AdversarialLoss:
        """The same loss with its options bound; each function takes those that it names."""

        def bound(function: Callable[..., Any]) -> Callable[..., Any]:
            takes = inspect.signature(function).parameters
            return partial(function, **{name: value for name, value in values.items() if name in takes})

        return replace(
            self,
            d_loss=bound(self.d_loss),
            g_loss=bound(self.g_loss),
            remember=None if self.remember is None else bound(self.remember),
            measures={name: bound(measure) for name, measure in self.measures.items()},
        )


def _positive(logits: Tensor) -> Tensor:
    """−E log D, with D = sigmoid(logit)."""
    return F.softplus(-logits).mean()


def _negative(logits: Tensor) -> Tensor:
    """−E log(1 − D)."""
    return F.softplus(logits).mean()


def minimax_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E log D(x) − E log(1 − D(x̂)), with D = sigmoid(logit); −log σ(t) = softplus(−t)."""
    return _positive(real_logits) + _negative(fake_logits)


def minimax_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E log(1 − D(x̂))."""
    return -F.softplus(fake_logits).mean()


def non_saturating_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E log D(x̂)."""
    return F.softplus(-fake_logits).mean()


def _near_one(logits: Tensor) -> Tensor:
    return (logits - 1).square().mean()


def _near_zero(logits: Tensor) -> Tensor:
    return logits.square().mean()


def least_squares_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E (D(x) − 1)² + E D(x̂)², D unbounded."""
    return _near_one(real_logits) + _near_zero(fake_logits)


def least_squares_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E (D(x̂) − 1)²."""
    return (fake_logits - 1).square().mean()


def wasserstein_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E D(x) + E D(x̂)."""
    return fake_logits.mean() - real_logits.mean()


def wasserstein_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E D(x̂)."""
    return -fake_logits.mean()


def _above_margin(logits: Tensor) -> Tensor:
    return F.relu(1 - logits).mean()


def _below_margin(logits: Tensor) -> Tensor:
    return F.relu(1 + logits).mean()


def hinge_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E [1 − D(x)]₊ + E [1 + D(x̂)]₊."""
    return _above_margin(real_logits) + _below_margin(fake_logits)


def relativistic_average_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E log σ(C(x) − E C(x̂)) − E log(1 − σ(C(x̂) − E C(x)))."""
    return _positive(real_logits - fake_logits.mean()) + _negative(fake_logits - real_logits.mean())


def relativistic_average_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E log σ(C(x̂) − E C(x)) − E log(1 − σ(C(x) − E C(x̂))): D's loss with real and generated in each other's place."""
    return relativistic_average_d(fake_logits, real_logits)


def relativistic_average_ls_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E (C(x) − E C(x̂) − 1)² + E (C(x̂) − E C(x) + 1)²."""
    above, below = real_logits - fake_logits.mean(), fake_logits - real_logits.mean()
    return (above - 1).square().mean() + (below + 1).square().mean()


def relativistic_average_ls_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """D's loss with real and generated in each other's place."""
    return relativistic_average_ls_d(fake_logits, real_logits)


def relativistic_pairing_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E softplus(−(D(x) − D(x̂))) over pairs of one real and one generated sample; as many of each."""
    return F.softplus(fake_logits - real_logits).mean()


def relativistic_pairing_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E softplus(−(D(x̂) − D(x)))."""
    return F.softplus(real_logits - fake_logits).mean()


def energy_d(real_logits: Tensor, fake_logits: Tensor, *, margin: float = 1.0) -> Tensor:
    """E E(x) + E [m − E(x̂)]₊, where a logit is minus the energy: the reconstruction error."""
    return -real_logits.mean() + F.relu(margin + fake_logits).mean()


def boundary_equilibrium_d(real_logits: Tensor, fake_logits: Tensor, *, k: Tensor | float = 1.0) -> Tensor:
    """E L(x) − k E L(x̂), where a logit is −L, minus the reconstruction error."""
    return k * fake_logits.mean() - real_logits.mean()


def boundary_equilibrium_k(
    real_logits: Tensor, fake_logits: Tensor, *, k: Tensor, gamma: float = 0.5, lambda_k: float = 0.001
) -> dict[str, Tensor]:
    """k ← clip(k + λ_k (γ L(x) − L(x̂)), 0, 1)."""
    balance = fake_logits.mean() - gamma * real_logits.mean()
    return {"k": (k + lambda_k * balance).clamp(0, 1)}


def boundary_equilibrium_convergence(real_logits: Tensor, fake_logits: Tensor, *, gamma: float = 0.5) -> Tensor:
    """M = L(x) + |γ L(x) − L(x̂)|."""
    return -real_logits.mean() + (fake_logits.mean() - gamma * real_logits.mean()).abs()


_LOG2 = math.log(2.0)

LOSSES: dict[str, AdversarialLoss] = {
    "non_saturating": AdversarialLoss(
        minimax_d,
        non_saturating_g,
        About(
            title="Non-saturating",
            paper="Goodfellow et al., Generative Adversarial Nets, section 3",
            year=2014,
            formula=players(
                r"-Ex[\log(D(x))] - Eg[\log(1 - D(xh))]",
                r"-Eg[\log(D(xh))]",
            ),
            idea="G maximises the probability that D calls its samples real. Its gradient in the logit tends to −1 when "
            "D is sure, where the minimax loss has none.",
            watch_for="Both losses hover when the game is balanced; D's loss falling to 0 means that D has won.",
            url="https://arxiv.org/abs/1406.2661",
        ),
        "probability",
        "Balanced play keeps D near 2 log 2 = 1.386 and G near log 2 = 0.693. D falling to 0 means D wins; the same "
        "1.386 also appears when G hops between single modes, so read it with the diversity charts.",
        {"D": 2 * _LOG2, "G": _LOG2},
        labels=(_positive, _negative),
    ),
    "minimax": AdversarialLoss(
        minimax_d,
        minimax_g,
        About(
            title="Minimax (saturating)",
            paper="Goodfellow et al., Generative Adversarial Nets, equation 1",
            year=2014,
            formula=players(
                r"-Ex[\log(D(x))] - Eg[\log(1 - D(xh))]",
                r"Eg[\log(1 - D(xh))]",
            ),
            idea="G minimises exactly what D maximises. For a perfect D, G descends the Jensen–Shannon divergence; "
            "for a D that is merely sure, log(1 − D) is flat and G stops learning.",
            watch_for="G's gradient norm: when it collapses while D(G(z)) is near 0, the loss has saturated.",
            url="https://arxiv.org/abs/1406.2661",
        ),
        "probability",
        "At equilibrium D is 2 log 2 = 1.386 and G is −log 2 = −0.693. G near 0 from below means that D is sure and G "
        "gets no gradient.",
        {"D": 2 * _LOG2, "G": -_LOG2},
        labels=(_positive, _negative),
    ),
    "least_squares": AdversarialLoss(
        least_squares_d,
        least_squares_g,
        About(
            title="Least squares",
            paper="Mao et al., Least Squares Generative Adversarial Networks, equation 9",
            year=2017,
            formula=players(
                r"Ex[(D(x) - 1)^2] + Eg[D(xh)^2]",
                r"Eg[(D(xh) - 1)^2]",
            ),
            idea="D is a regression on the labels 1 and 0: samples on the right side but far from the real data still "
            "carry a gradient.",
            watch_for="D's loss near 0 means that D separates the two; near 0.5 it cannot.",
            url="https://arxiv.org/abs/1611.04076",
        ),
        "score",
        "At equilibrium D outputs 0.5 everywhere: D's loss is 0.5 and G's is 0.25. G near 1 means that D is winning.",
        {"D": 0.5, "G": 0.25},
        boundary=0.5,
        labels=(_near_one, _near_zero),
    ),
    "wasserstein": AdversarialLoss(
        wasserstein_d,
        wasserstein_g,
        About(
            title="Wasserstein",
            paper="Arjovsky, Chintala, Bottou, Wasserstein GAN, equation 2",
            year=2017,
            formula=players(
                r"-Ex[D(x)] + Eg[D(xh)]",
                r"-Eg[D(xh)]",
            ),
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
    "hinge": AdversarialLoss(
        hinge_d,
        wasserstein_g,
        About(
            title="Hinge",
            paper="Lim, Ye, Geometric GAN, equation 28; Miyato et al., Spectral Normalization for GANs, equation 17",
            year=2017,
            formula=players(
                r"Ex[\max(0, 1 - D(x))] + Eg[\max(0, 1 + D(xh))]",
                r"-Eg[D(xh)]",
            ),
            idea="As a support vector machine: D only learns from samples inside its margin or on the wrong side. G follows "
            "the score itself, which never saturates.",
            watch_for="A D's loss of 0 means that all samples lie beyond the margin and D has stopped learning.",
            url="https://arxiv.org/abs/1705.02894",
        ),
        "score",
        "D's loss is 2 while it cannot tell and 0 when every sample lies beyond its margin. G's loss is minus a score and "
        "means little by itself.",
        {"D": 2.0},
        labels=(_above_margin, _below_margin),
    ),
    "relativistic_average": AdversarialLoss(
        relativistic_average_d,
        relativistic_average_g,
        About(
            title="Relativistic average",
            paper="Jolicoeur-Martineau, The relativistic discriminator: a key element missing from standard GAN",
            year=2018,
            formula=players(
                r"-Ex[\log(\sigma(C(x) - Eg[C(xh)]))] \\ &\quad - Eg[\log(1 - \sigma(C(xh) - Ex[C(x)]))]",
                r"-Eg[\log(\sigma(C(xh) - Ex[C(x)]))] \\ &\quad - Ex[\log(1 - \sigma(C(x) - Eg[C(xh)]))]",
            ),
            idea="D estimates how much more real a sample is than the average of the other kind. G raises its own samples and "
            "lowers the real ones, so half of its gradient comes from real data.",
            watch_for="Scores drift together without harm: only their difference counts.",
            url="https://arxiv.org/abs/1807.00734",
        ),
        "score",
        "Both losses are 2 log 2 = 1.386 while D cannot tell; D falling means that real scores rise above generated ones, "
        "and G's loss then rises without bound.",
        {"D": 2 * _LOG2, "G": 2 * _LOG2},
        boundary=None,
        g_sees_real=True,
    ),
    "relativistic_average_ls": AdversarialLoss(
        relativistic_average_ls_d,
        relativistic_average_ls_g,
        About(
            title="Relativistic average, least squares",
            paper="Jolicoeur-Martineau, The relativistic discriminator, appendix",
            year=2018,
            formula=players(
                r"Ex[(C(x) - Eg[C(xh)] - 1)^2] \\ &\quad + Eg[(C(xh) - Ex[C(x)] + 1)^2]",
                r"Eg[(C(xh) - Ex[C(x)] - 1)^2] \\ &\quad + Ex[(C(x) - Eg[C(xh)] + 1)^2]",
            ),
            idea="D holds real scores one above the mean generated score and generated ones one below the mean real score; "
            "the squares punish being too far on either side.",
            watch_for="When D wins its loss nears 0 and G's nears 8: the gap in the scores is then 1.",
            url="https://arxiv.org/abs/1807.00734",
        ),
        "score",
        "Both losses are 2 while D cannot tell. D near 0 and G near 8 mean that real scores stand one above generated ones.",
        {"D": 2.0, "G": 2.0},
        boundary=None,
        g_sees_real=True,
    ),
    "relativistic_pairing": AdversarialLoss(
        relativistic_pairing_d,
        relativistic_pairing_g,
        About(
            title="Relativistic pairing",
            paper="Huang et al., The GAN is dead; long live the GAN! A Modern Baseline GAN, section 2",
            year=2024,
            formula=players(
                r"\mathbb{E}_{x \sim p_d, xh \sim p_g}[\log(1 + \exp(D(xh) - D(x)))]",
                r"\mathbb{E}_{x \sim p_d, xh \sim p_g}[\log(1 + \exp(D(x) - D(xh)))]",
            ),
            idea="Each generated sample is compared with a real one. There is no single boundary between all of the real and "
            "all of the generated data, so D keeps a gradient around every mode.",
            watch_for="Converges only with R1 and R2: without them it may diverge as the standard loss does.",
            url="https://arxiv.org/abs/2501.05441",
        ),
        "score",
        "Both losses are log 2 = 0.693 while D cannot tell. D falling towards 0 means that it ranks real above generated.",
        {"D": _LOG2, "G": _LOG2},
        boundary=None,
        g_sees_real=True,
    ),
    "energy": AdversarialLoss(
        energy_d,
        wasserstein_g,
        About(
            title="Energy with a margin",
            paper="Zhao, Mathieu, LeCun, Energy-based Generative Adversarial Networks, equations 1 and 2",
            year=2017,
            formula=players(
                r"Ex[E(x)] + Eg[\max(0, m - E(xh))]",
                r"Eg[E(xh)]",
                r"E(x) &= \lVert x - AE(x) \rVert_1",
            ),
            idea="D gives each sample an energy, the error of its autoencoder: low for data, and at least the margin m for "
            "what is generated. The score drawn is minus the energy.",
            watch_for="With a margin far above what an error can be D never rests; far below, G learns nothing.",
            url="https://arxiv.org/abs/1609.03126",
        ),
        "error",
        "D's loss is the energy of real data plus what generated data lack to the margin m: it begins near m and falls while "
        "D wins. G's loss is the energy of its samples.",
        {},
        boundary=None,
        options={"margin": LossOption("m", 1.0, 0.001, 1000.0)},
    ),
    "boundary_equilibrium": AdversarialLoss(
        boundary_equilibrium_d,
        wasserstein_g,
        About(
            title="Boundary equilibrium",
            paper="Berthelot, Schumm, Metz, BEGAN: Boundary Equilibrium Generative Adversarial Networks, section 3.4",
            year=2017,
            formula=players(
                r"Ex[\lVert x - AE(x) \rVert_1] - k_t Eg[\lVert xh - AE(xh) \rVert_1]",
                r"Eg[\lVert xh - AE(xh) \rVert_1]",
                r"k_{t+1} &= \mathrm{clip}(k_t + \lambda_k (\gamma Ex[\lVert x - AE(x) \rVert_1]"
                r" - Eg[\lVert xh - AE(xh) \rVert_1]), 0, 1)",
            ),
            idea="D's autoencoder rebuilds real data well and, with weight k, generated data badly. k is controlled so that "
            "the error of generated data stays at γ times that of real data. Errors are per number of a sample.",
            watch_for="The measure M = L(x) + |γL(x) − L(x̂)| falls as training converges. A small γ gives one good image.",
            url="https://arxiv.org/abs/1703.10717",
        ),
        "error",
        "Read the convergence measure, which should fall: the error on real data plus the distance from the balance that γ "
        "asks for. D's and G's losses only say how the two share the work.",
        {},
        boundary=None,
        options={"gamma": LossOption("γ", 0.5, 0.0, 1.0), "lambda_k": LossOption("λ_k", 0.001, 0.0, 1.0)},
        memory={"k": 0.0},
        remember=boundary_equilibrium_k,
        measures={"convergence": boundary_equilibrium_convergence},
    ),
}


def opinion(loss: AdversarialLoss, logits: Tensor) -> Tensor:
    """What D says of each sample in the loss's own unit: the probability of being real, or the score itself."""
    return torch.sigmoid(logits) if loss.output == "probability" else logits

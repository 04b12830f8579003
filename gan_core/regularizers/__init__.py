"""Regularisers. ``PENALTIES`` is the registry of those that add a term to D's loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from gan_core.about import About, means
from gan_core.regularizers.gradient import (
    Critic,
    dragan,
    gradient_norm,
    gradient_penalty,
    interpolate,
    one_sided_gradient_penalty,
    perturb,
    r1,
    r2,
    slopes,
)
from gan_core.regularizers.lecam import lecam, lecam_anchors
from gan_core.regularizers.weights import WEIGHT_CLIPPING, clip_weights


@dataclass(frozen=True)
class Penalty:
    """``measure(critic, x, x_fake, generator)`` is the unweighted penalty, a scalar; the weight is the config's.

    ``critic`` maps samples to logits (conditions and packing are bound already); ``generator`` is the run's stream for
    penalties. ``term`` is its name in D's loss, ``symbol`` the paper's name of the weight. ``per_sample`` is true where
    it looks at the slope in each sample by itself, ``slope`` is the slope that it asks for, if it does. ``memory``
    holds numbers that it carries from turn to turn, by name, with their first values: ``measure`` takes them by name, and
    ``remember(real_logits, fake_logits, **memory)`` gives the next ones.
    """

    measure: Callable[..., Tensor]
    term: str
    symbol: str
    default: float
    about: About
    per_sample: bool = True
    slope: float | None = None
    memory: Mapping[str, float] = field(default_factory=dict)
    remember: Callable[..., dict[str, Tensor]] | None = None


PENALTIES: dict[str, Penalty] = {
    "gradient_penalty": Penalty(
        gradient_penalty,
        term="gp",
        symbol="λ_gp",
        default=10.0,
        about=About(
            title="Gradient penalty",
            paper="Gulrajani et al., Improved Training of Wasserstein GANs, equation 3",
            year=2017,
            formula=means(
                r"\lambda Eg[(\lVert \nabla D(\alpha x + (1 - \alpha) xh) \rVert_2 - 1)^2],\quad \alpha \sim U(0, 1)"
            ),
            idea="The optimal Wasserstein critic has slope one almost everywhere between real and generated samples; "
            "the penalty asks for just that, sample by sample.",
            watch_for="The term should settle at a small value. λ = 10 suits images; on 2-D toys 0.1 learns faster, "
            "because 10 flattens the critic between close modes.",
            url="https://arxiv.org/abs/1704.00028",
        ),
        slope=1.0,
    ),
    "one_sided_gradient_penalty": Penalty(
        one_sided_gradient_penalty,
        term="gp_one_sided",
        symbol="λ_lp",
        default=10.0,
        about=About(
            title="One-sided gradient penalty",
            paper="Petzka, Fischer, Lukovnikov, On the regularization of Wasserstein GANs, equation 8",
            year=2018,
            formula=means(r"\lambda Eg[\max(0, \lVert \nabla D(\alpha x + (1 - \alpha) xh) \rVert_2 - 1)^2]"),
            idea="A 1-Lipschitz critic has slope at most one, not exactly one: only slopes above one are punished.",
            watch_for="The term is often exactly 0: then D's slope is nowhere above one and it is free to move.",
            url="https://arxiv.org/abs/1709.08894",
        ),
    ),
    "dragan": Penalty(
        dragan,
        term="dragan",
        symbol="λ_dragan",
        default=10.0,
        about=About(
            title="DRAGAN penalty",
            paper="Kodali et al., On Convergence and Stability of GANs, section 2.3",
            year=2017,
            formula=r"\lambda \mathbb{E}_{\tilde x}[(\lVert \nabla D(\tilde x) \rVert_2 - 1)^2],\quad"
            r" \tilde x = x + \tfrac{1}{2} \mathrm{std}(x) U,\; U \sim U(0, 1)^d",
            idea="D's slope is held at one around the real data only, by noise of half a standard deviation of the batch.",
            watch_for="On tight modes the noise reaches far beyond them: half a standard deviation of a ring is much wider "
            "than its modes. λ = 10 suits images, 0.1 the 2-D toys.",
            url="https://arxiv.org/abs/1705.07215",
        ),
        slope=1.0,
    ),
    "r1": Penalty(
        r1,
        term="r1",
        symbol="γ_r1",
        default=10.0,
        about=About(
            title="R1, zero-centred at real data",
            paper="Mescheder, Geiger, Nowozin, Which Training Methods for GANs do actually Converge?, equation 9",
            year=2018,
            formula=means(r"\tfrac{\gamma}{2} Ex[\lVert \nabla D(x) \rVert_2^2]"),
            idea="At the equilibrium D is flat where the data are; the penalty asks for that and nothing else, which makes "
            "the equilibrium attract the game.",
            watch_for="γ = 10 suits images, 0.1 the 2-D toys. Too large a γ flattens D and G stops learning.",
            url="https://arxiv.org/abs/1801.04406",
        ),
    ),
    "r2": Penalty(
        r2,
        term="r2",
        symbol="γ_r2",
        default=10.0,
        about=About(
            title="R2, zero-centred at generated data",
            paper="Mescheder, Geiger, Nowozin, Which Training Methods for GANs do actually Converge?, equation 10",
            year=2018,
            formula=means(r"\tfrac{\gamma}{2} Eg[\lVert \nabla D(xh) \rVert_2^2]"),
            idea="R1 at the generated samples. With relativistic pairing it takes both for local convergence (R3GAN).",
            watch_for="Early on generated data lie where D is steep, so the term begins large.",
            url="https://arxiv.org/abs/1801.04406",
        ),
    ),
    "lecam": Penalty(
        lecam,
        term="lecam",
        symbol="λ_lc",
        default=0.3,
        about=About(
            title="LeCam",
            paper="Tseng et al., Regularizing Generative Adversarial Networks under Limited Data, equation 4",
            year=2021,
            formula=means(r"\lambda (Ex[(D(x) - \alpha_F)^2] + Eg[(D(xh) - \alpha_R)^2])"),
            idea="Anchors α follow D's mean logit on real and on generated data; each kind is pulled to the anchor of the "
            "other, so D does not run away on a small data set.",
            watch_for="The gap between the two anchors: it should grow slowly, not jump.",
            url="https://arxiv.org/abs/2104.03310",
        ),
        per_sample=False,
        memory={"real": 0.0, "fake": 0.0},
        remember=lecam_anchors,
    ),
}

__all__ = [
    "PENALTIES",
    "WEIGHT_CLIPPING",
    "Critic",
    "Penalty",
    "clip_weights",
    "gradient_norm",
    "interpolate",
    "perturb",
    "slopes",
]

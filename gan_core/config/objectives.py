"""Objectives that a user picks by name: loss + regularisers + the optimiser and steps that the paper used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gan_core.about import About


@dataclass(frozen=True)
class Recipe:
    about: About
    settings: dict[str, Any]


def _optimizer(**values: Any) -> dict[str, Any]:
    return {"generator": dict(values), "discriminator": dict(values)}


_DCGAN_ADAM = _optimizer(name="adam", lr=2e-4, beta1=0.5, beta2=0.999)

OBJECTIVES: dict[str, Recipe] = {
    "ns_gan": Recipe(
        About(
            title="NS GAN (non-saturating)",
            paper="Goodfellow et al., Generative Adversarial Nets, section 3",
            year=2014,
            formula=r"L_G = -\mathbb{E}\,\log D(\hat x)",
            idea="G maximises log D(G(z)) instead of minimising log(1 − D(G(z))): the same fixed point, but a strong "
            "gradient just when D wins. Optimiser: Adam 2e-4, β₁ = 0.5, as in DCGAN (Radford et al. 2016).",
            watch_for="D near 2 log 2 = 1.386 and D(x) ≈ D(G(z)) ≈ 0.5 is equilibrium, but also what a generator hopping "
            "between modes looks like: look at the class histogram.",
            url="https://arxiv.org/abs/1406.2661",
        ),
        {
            "objective": {"loss": "non_saturating"},
            "optimizers": _DCGAN_ADAM,
            "schedule": {"n_critic": 1, "generator_steps": 1},
        },
    ),
    "mm_gan": Recipe(
        About(
            title="MM GAN (minimax)",
            paper="Goodfellow et al., Generative Adversarial Nets, equation 1",
            year=2014,
            formula=r"\min_G \max_D\; \mathbb{E}\,\log D(x) + \mathbb{E}\,\log(1 - D(\hat x))",
            idea="The zero-sum game itself: G minimises exactly what D maximises. The paper used SGD with momentum; the "
            "recipe here takes Adam 2e-4, β₁ = 0.5, with which it can be compared to its successors.",
            watch_for="When D wins, G's gradient vanishes: watch G's gradient norm fall while D(G(z)) goes to 0.",
            url="https://arxiv.org/abs/1406.2661",
        ),
        {
            "objective": {"loss": "minimax"},
            "optimizers": _DCGAN_ADAM,
            "schedule": {"n_critic": 1, "generator_steps": 1},
        },
    ),
    "ls_gan": Recipe(
        About(
            title="LS GAN (least squares)",
            paper="Mao et al., Least Squares Generative Adversarial Networks",
            year=2017,
            formula=r"\begin{gathered}L_D = \mathbb{E}\,(D(x)-1)^2 + \mathbb{E}\,D(\hat x)^2\\"
            r"L_G = \mathbb{E}\,(D(\hat x)-1)^2\end{gathered}",
            idea="D regresses to 1 on real and 0 on generated data, without a sigmoid: samples far on the right side of the "
            "boundary are still pulled back. Plain sums as in Lucic et al. 2018, Table 1. Adam 2e-4, β₁ = 0.5.",
            watch_for="At equilibrium D is 0.5 everywhere: D's loss 0.5, G's loss 0.25.",
            url="https://arxiv.org/abs/1611.04076",
        ),
        {
            "objective": {"loss": "least_squares"},
            "optimizers": _DCGAN_ADAM,
            "schedule": {"n_critic": 1, "generator_steps": 1},
        },
    ),
    "wgan": Recipe(
        About(
            title="WGAN (weight clipping)",
            paper="Arjovsky, Chintala, Bottou, Wasserstein GAN, Algorithm 1",
            year=2017,
            formula=r"\begin{gathered}L_D = -\mathbb{E}\,D(x) + \mathbb{E}\,D(\hat x)\\"
            r"w \leftarrow \mathrm{clip}(w, -0.01, 0.01)\end{gathered}",
            idea="D estimates the Wasserstein distance, which has a gradient even when the distributions do not overlap. "
            "Clipping keeps D Lipschitz. RMSProp 5e-5 and five D steps per G step, as in the paper.",
            watch_for="−D's loss is the (scaled) distance and should fall; G's loss means nothing by itself. "
            "A clip value too small gives vanishing gradients, too large exploding ones.",
            url="https://arxiv.org/abs/1701.07875",
        ),
        {
            "objective": {"loss": "wasserstein", "clip_value": 0.01},
            "optimizers": _optimizer(name="rmsprop", lr=5e-5),
            "schedule": {"n_critic": 5, "generator_steps": 1},
        },
    ),
    "wgan_gp": Recipe(
        About(
            title="WGAN GP (gradient penalty)",
            paper="Gulrajani et al., Improved Training of Wasserstein GANs, Algorithm 1",
            year=2017,
            formula=r"\begin{gathered}L_D = -\mathbb{E}\,D(x) + \mathbb{E}\,D(\hat x)\\"
            r" + \lambda\,\mathbb{E}\,(\lVert\nabla D(\alpha x + (1-\alpha)\hat x)\rVert_2 - 1)^2\end{gathered}",
            idea="Instead of clipping weights, D is asked to have slope one between real and generated samples. "
            "λ = 10, five D steps, Adam 1e-4 with β₁ = 0 and β₂ = 0.9, no batch normalisation in D, as in the paper. On 2-D "
            "data λ = 0.1 works better.",
            watch_for="−D's loss falls as G improves; the penalty term should stay small. Batch normalisation in D breaks "
            "the penalty, which is per sample.",
            url="https://arxiv.org/abs/1704.00028",
        ),
        {
            "objective": {"loss": "wasserstein", "penalties": {"gradient_penalty": 10.0}},
            "optimizers": _optimizer(name="adam", lr=1e-4, beta1=0.0, beta2=0.9),
            "schedule": {"n_critic": 5, "generator_steps": 1},
            "model": {"discriminator": {"normalization": "none"}},
        },
    ),
}

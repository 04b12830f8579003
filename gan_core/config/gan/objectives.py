"""Objectives that a user picks by name: loss + regularisers + the optimiser and steps that the paper used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gan_core.about import About, players

WEIGHT_ON_POINTS = 0.1  # of a penalty on D's slope, on points of a plane; the papers' 10 is for images


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
            formula=players(
                r"-Ex[\log(D(x))] - Eg[\log(1 - D(xh))]",
                r"-Eg[\log(D(xh))]",
            ),
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
            formula=players(
                r"-Ex[\log(D(x))] - Eg[\log(1 - D(xh))]",
                r"Eg[\log(1 - D(xh))]",
            ),
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
            formula=players(
                r"Ex[(D(x) - 1)^2] + Eg[D(xh)^2]",
                r"Eg[(D(xh) - 1)^2]",
            ),
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
            formula=players(
                r"-Ex[D(x)] + Eg[D(xh)]",
                r"-Eg[D(xh)]",
                r"w &\leftarrow \mathrm{clip}(w, -0.01, 0.01)",
            ),
            idea="D estimates the Wasserstein distance, which has a gradient even when the distributions do not overlap. "
            "Clipping keeps D Lipschitz. RMSProp 5e-5 and five D steps per G step, as in the paper; small "
            "networks learn within "
            "minutes with a bound of 0.05 to 0.1 and 1e-3.",
            watch_for="−D's loss is the (scaled) distance and should fall; G's loss means nothing by itself. "
            "A clip value too small gives vanishing gradients, too large exploding ones.",
            url="https://arxiv.org/abs/1701.07875",
        ),
        {
            "objective": {"loss": "wasserstein", "clip_value": 0.01},
            "model": {"discriminator": {"spectral_norm": False}},
            "optimizers": _optimizer(name="rmsprop", lr=5e-5),
            "schedule": {"n_critic": 5, "generator_steps": 1},
        },
    ),
    "wgan_gp": Recipe(
        About(
            title="WGAN GP (gradient penalty)",
            paper="Gulrajani et al., Improved Training of Wasserstein GANs, Algorithm 1",
            year=2017,
            formula=players(
                r"-Ex[D(x)] + Eg[D(xh)]"
                r" \\ &\quad + \lambda Eg[(\lVert \nabla D(\alpha x + (1 - \alpha) xh) \rVert_2 - 1)^2]",
                r"-Eg[D(xh)]",
            ),
            idea="Instead of clipping weights, D is asked to have slope one between real and generated samples. "
            "λ = 10, five D steps, Adam 1e-4 with β₁ = 0 and β₂ = 0.9, no batch normalisation in D, as in the paper. On 2-D "
            f"data λ = {WEIGHT_ON_POINTS:g} works better.",
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
    "dragan": Recipe(
        About(
            title="DRAGAN",
            paper="Kodali et al., On Convergence and Stability of GANs",
            year=2017,
            formula=players(
                r"-Ex[\log(D(x))] - Eg[\log(1 - D(xh))]"
                r" \\ &\quad + \lambda \mathbb{E}_{\tilde x \sim p_d"
                r" + c}[(\lVert \nabla C(\tilde x) \rVert_2 - 1)^2]",
                r"Eg[\log(1 - D(xh))]",
                r"D &= \sigma(C)",
            ),
            idea="The minimax game with D's slope held at one in a neighbourhood of the real data only: sharp cliffs of D "
            "there are what lets G collapse, its authors argue. λ = 10; Adam 1e-4, β₁ = 0.5 as in Lucic et al. 2018.",
            watch_for="D's loss stays near 2 log 2 if all goes well. On tight 2-D modes λ = 10 is far too stiff, "
            f"{WEIGHT_ON_POINTS:g} is not. Where D wins "
            "early G's minimax loss is flat; common implementations give G the non-saturating one.",
            url="https://arxiv.org/abs/1705.07215",
        ),
        {
            "objective": {"loss": "minimax", "penalties": {"dragan": 10.0}},
            "optimizers": _optimizer(name="adam", lr=1e-4, beta1=0.5, beta2=0.999),
            "schedule": {"n_critic": 1, "generator_steps": 1},
            "model": {"discriminator": {"normalization": "none"}},
        },
    ),
    "began": Recipe(
        About(
            title="BEGAN (boundary equilibrium)",
            paper="Berthelot, Schumm, Metz, BEGAN: Boundary Equilibrium Generative Adversarial Networks",
            year=2017,
            formula=players(
                r"Ex[\lVert x - AE(x) \rVert_1] - k_t Eg[\lVert xh - AE(xh) \rVert_1]",
                r"Eg[\lVert xh - AE(xh) \rVert_1]",
                r"k_{t+1} &= \mathrm{clip}(k_t + \lambda_k (\gamma Ex[\lVert x - AE(x) \rVert_1]"
                r" - Eg[\lVert xh - AE(xh) \rVert_1]), 0, 1)",
            ),
            idea="D is an autoencoder. A controller k holds the errors of real and generated data at the ratio γ, so that "
            "neither player wins; γ trades diversity for quality. Adam 1e-4, β₁ = 0.5, λ_k = 0.001, γ = 0.5.",
            watch_for="The convergence measure M = L(x) + |γL(x) − L(x̂)| should fall; k finds its own value between 0 and 1. "
            "Diversity is its weak side: small nets end at what is easiest to rebuild, one mode or the digit one; raise γ.",
            url="https://arxiv.org/abs/1703.10717",
        ),
        {
            "objective": {"loss": "boundary_equilibrium"},
            "optimizers": _optimizer(name="adam", lr=1e-4, beta1=0.5, beta2=0.999),
            "schedule": {"n_critic": 1, "generator_steps": 1},
            "model": {"condition": "none", "discriminator": {"output": "reconstruction"}},  # it takes no class
        },
    ),
    "hinge": Recipe(
        About(
            title="Hinge with spectral norm (SN-GAN)",
            paper="Miyato et al., Spectral Normalization for Generative Adversarial Networks",
            year=2018,
            formula=players(
                r"Ex[\max(0, 1 - D(x))] + Eg[\max(0, 1 + D(xh))]",
                r"-Eg[D(xh)]",
                r"W &\leftarrow W / \sigma(W)",
            ),
            idea="D stops caring about samples beyond its margin, and spectral normalisation keeps it Lipschitz without any "
            "penalty. Five D steps, Adam 2e-4 with β₁ = 0, β₂ = 0.9, no batch normalisation in D, as in the paper.",
            watch_for="D's loss 2 means that D cannot tell, 0 that it has won. On toy data raise the spectral gain to 2.",
            url="https://arxiv.org/abs/1802.05957",
        ),
        {
            "objective": {"loss": "hinge"},
            "optimizers": _optimizer(name="adam", lr=2e-4, beta1=0.0, beta2=0.9),
            "schedule": {"n_critic": 5, "generator_steps": 1},
            "model": {"discriminator": {"normalization": "none", "spectral_norm": True}},
        },
    ),
    "ragan": Recipe(
        About(
            title="RaGAN (relativistic average)",
            paper="Jolicoeur-Martineau, The relativistic discriminator: a key element missing from standard GAN",
            year=2018,
            formula=players(
                r"-Ex[\log(\sigma(C(x) - Eg[C(xh)]))] \\ &\quad - Eg[\log(1 - \sigma(C(xh) - Ex[C(x)]))]",
                r"-Eg[\log(\sigma(C(xh) - Ex[C(x)]))] \\ &\quad - Ex[\log(1 - \sigma(C(x) - Eg[C(xh)]))]",
            ),
            idea="D says how much more real a real sample is than the average generated one, and the other way round. Making "
            "generated data look real makes real data look less so: G sees both. Adam 2e-4, β₁ = 0.5.",
            watch_for="Both losses sit at 2 log 2 = 1.386 when D cannot tell; they move against each other.",
            url="https://arxiv.org/abs/1807.00734",
        ),
        {
            "objective": {"loss": "relativistic_average"},
            "optimizers": _DCGAN_ADAM,
            "schedule": {"n_critic": 1, "generator_steps": 1},
        },
    ),
    "rals_gan": Recipe(
        About(
            title="RaLSGAN (relativistic average least squares)",
            paper="Jolicoeur-Martineau, The relativistic discriminator, appendix",
            year=2018,
            formula=players(
                r"Ex[(C(x) - Eg[C(xh)] - 1)^2] \\ &\quad + Eg[(C(xh) - Ex[C(x)] + 1)^2]",
                r"Eg[(C(xh) - Ex[C(x)] - 1)^2] \\ &\quad + Ex[(C(x) - Eg[C(xh)] + 1)^2]",
            ),
            idea="The relativistic average with squares: D holds real scores one above, generated scores one below the mean of "
            "the others. The steadiest of the relativistic family in its paper. Adam 2e-4, β₁ = 0.5.",
            watch_for="Both losses are 2 when D cannot tell. Without normalisation keep the learning rate "
            "small: on digits 5e-4 "
            "left one class.",
            url="https://arxiv.org/abs/1807.00734",
        ),
        {
            "objective": {"loss": "relativistic_average_ls"},
            "optimizers": _DCGAN_ADAM,
            "schedule": {"n_critic": 1, "generator_steps": 1},
        },
    ),
    "r1_gan": Recipe(
        About(
            title="NS GAN with R1",
            paper="Mescheder, Geiger, Nowozin, Which Training Methods for GANs do actually Converge?",
            year=2018,
            formula=players(
                r"-Ex[\log(D(x))] - Eg[\log(1 - D(xh))]"
                r" \\ &\quad + \tfrac{\gamma}{2} Ex[\lVert \nabla C(x) \rVert_2^2]",
                r"-Eg[\log(D(xh))]",
                r"D &= \sigma(C)",
            ),
            idea="D's slope is pulled to zero at the real data, and the game converges locally where WGAN-GP may circle. "
            "γ = 10 and RMSProp 1e-4 as in the paper's images; on 2-D toys γ = 0.1.",
            watch_for="D(x) and D(G(z)) stay near each other and D's loss near 2 log 2: here that is health.",
            url="https://arxiv.org/abs/1801.04406",
        ),
        {
            "objective": {"loss": "non_saturating", "penalties": {"r1": 10.0}},
            "optimizers": _optimizer(name="rmsprop", lr=1e-4),
            "schedule": {"n_critic": 1, "generator_steps": 1},
            "model": {"discriminator": {"normalization": "none"}},
        },
    ),
    "r3gan": Recipe(
        About(
            title="R3GAN (relativistic pairing + R1 + R2)",
            paper="Huang et al., The GAN is dead; long live the GAN! A Modern Baseline GAN",
            year=2024,
            formula=players(
                r"\mathbb{E}_{x \sim p_d, xh \sim p_g}[\log(1 + \exp(D(xh) - D(x)))]"
                r" \\ &\quad + \tfrac{\gamma}{2} Ex[\lVert \nabla D(x) \rVert_2^2]"
                r" + \tfrac{\gamma}{2} Eg[\lVert \nabla D(xh) \rVert_2^2]",
                r"\mathbb{E}_{x \sim p_d, xh \sim p_g}[\log(1 + \exp(D(x) - D(xh)))]",
            ),
            idea="D compares pairs of a real and a generated sample, so no mode can be left out for free, and its slope is "
            "pulled to zero at both: it converges locally without any other trick. γ = 1, Adam 2e-4, β₁ = 0, β₂ = 0.99.",
            watch_for="Both losses near log 2 = 0.693; on 2-D toys take γ = 0.1.",
            url="https://arxiv.org/abs/2501.05441",
        ),
        {
            "objective": {"loss": "relativistic_pairing", "penalties": {"r1": 1.0, "r2": 1.0}},
            "optimizers": _optimizer(name="adam", lr=2e-4, beta1=0.0, beta2=0.99),
            "schedule": {"n_critic": 1, "generator_steps": 1},
            "model": {"discriminator": {"normalization": "none"}},
        },
    ),
    "ebgan": Recipe(
        About(
            title="EBGAN (energy-based)",
            paper="Zhao, Mathieu, LeCun, Energy-based Generative Adversarial Networks, equations 1 and 2",
            year=2017,
            formula=players(
                r"Ex[E(x)] + Eg[\max(0, m - E(xh))]",
                r"Eg[E(xh)]",
                r"E(x) &= \lVert x - AE(x) \rVert_1",
            ),
            idea="D is an autoencoder and its error E an energy: low on data, at least m elsewhere. Beyond the margin D no "
            "longer pushes. Adam 2e-4, β₁ = 0.5; errors are per number, so m is on the scale of the data.",
            watch_for="The energy of generated data rises towards m while D wins and falls to that of the data "
            "when G does. The paper's "
            "term against collapse (EBGAN-PT) is no part of it: small networks lose modes.",
            url="https://arxiv.org/abs/1609.03126",
        ),
        {
            "objective": {"loss": "energy"},
            "optimizers": _DCGAN_ADAM,
            "schedule": {"n_critic": 1, "generator_steps": 1},
            "model": {"condition": "none", "discriminator": {"output": "reconstruction"}},  # it takes no class
        },
    ),
}

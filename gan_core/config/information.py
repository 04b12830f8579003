"""Presets of InfoGAN, and of a code beside the known factors of its data."""

from __future__ import annotations

from gan_core.config.preset import Preset

_FADING = {"lr": 1e-3, "lr_schedule": "cosine", "lr_final": 0.1}
"""At one rate to the end codes and classes drift apart again, and points wander off their mode."""

INFORMATION: dict[str, Preset] = {
    "ring-infogan": Preset(
        "InfoGAN on a ring: a code for each Gaussian",
        "Eight codes and eight Gaussians. The bound L_I rises to its ceiling log 8, and every code comes to be one of the "
        "Gaussians, for samples and for real points. With λ = 0 a code means nothing.",
        {
            "game": "infogan",
            "data": {"name": "ring", "batch_size": 128, "options": {"modes": 8, "std": 0.1}},
            "code": {"categories": 8, "category_scale": 1.0, "continuous": 0},
            "model": {
                "latent_dim": 2,
                "generator": {"architecture": "mlp", "widths": [128, 128], "activation": "relu"},
                "discriminator": {"architecture": "mlp", "widths": [128, 128]},
                "recognition": {"architecture": "mlp", "widths": [64]},
            },
            "terms": {"lambda_info": 1.0, "r1": 0.1},
            "optimizers": {"generator": _FADING, "discriminator": _FADING},
            "schedule": {"rounds": 800},
            "diagnostics": {"every": 50, "samples": 1000},
        },
        kind="code",
    ),
    "digits8-infogan": Preset(
        "InfoGAN on small digits: rows by code",
        "Ten codes and ten digits, without a label. The bound is at log 10 within a few seconds; how far the codes are the "
        "digits stands beside it, for samples and for held-out digits, and k-means on the pixels beside that.",
        {
            "game": "infogan",
            "data": {"name": "digits8", "batch_size": 64, "options": {"size": 8}},
            "code": {"categories": 10, "category_scale": 3.0, "continuous": 2},
            "model": {
                "latent_dim": 8,
                "generator": {
                    "architecture": "mlp",
                    "widths": [128, 128],
                    "normalization": "batch",
                    "activation": "relu",
                },
                "discriminator": {"architecture": "mlp", "widths": [128, 128]},
                "recognition": {"architecture": "mlp", "widths": [64]},
            },
            "terms": {"lambda_info": 1.0, "lambda_continuous": 0.1},
            "optimizers": {"generator": _FADING, "discriminator": {**_FADING, "lr": 5e-4}},
            "schedule": {"rounds": 2500},
        },
        kind="code",
    ),
    "sprites-beta-vae": Preset(
        "A β-VAE of sprites: which factors stand apart",
        "With β = 10 three numbers of the code stay in use: one for the size of a sprite, two for where it is, along axes that "
        "differ from seed to seed. The scores on this page say how far a factor stands alone; the angle never does.",
        {
            "game": "vae",
            "data": {"name": "sprites", "batch_size": 64},
            "model": {
                "code_dim": 8,
                "encoder": {"architecture": "mlp", "widths": [128, 128], "activation": "relu"},
                "decoder": {"architecture": "mlp", "widths": [128, 128], "activation": "relu"},
            },
            "elbo": {"likelihood": "bernoulli", "beta": 10.0},
            "optimizer": {"name": "adam", "lr": 1e-3, "beta1": 0.9},
            "schedule": {"rounds": 3000},
        },
        kind="code",
    ),
}

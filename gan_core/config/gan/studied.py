"""The GAN that a study trains on small pictures, as settings. No torch."""

from __future__ import annotations

from typing import Any


def dense_gan(latent_dim: int, width: int) -> dict[str, Any]:
    """WGAN GP with fully connected networks of ``width`` and twice as many units, as sparse settings without data."""
    adam = {"lr": 1e-3, "beta1": 0.5}
    out = {"architecture": "mlp", "widths": [width, 2 * width], "activation": "relu", "normalization": "batch"}
    return {
        "objective": {"name": "wgan_gp"},
        "model": {
            "latent_dim": latent_dim,
            "generator": out,
            "discriminator": {"architecture": "mlp", "widths": [2 * width, width]},
        },
        "optimizers": {"generator": adam, "discriminator": dict(adam)},
        "schedule": {"n_critic": 2},
    }

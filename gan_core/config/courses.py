"""The fully connected networks that courses print, as presets: layer by layer as on the slide."""

from __future__ import annotations

from typing import Any

from gan_core.config.preset import Preset


def _adam(lr: float, beta1: float) -> dict[str, Any]:
    settings = {"name": "adam", "lr": lr, "beta1": beta1, "beta2": 0.999}
    return {"generator": dict(settings), "discriminator": dict(settings)}


COURSES: dict[str, Preset] = {
    "course-two-hidden": Preset(
        "A course's GAN: 100–256–256–784",
        "Two hidden layers on either side, D mirrored as 784–256–256–1, with the optimiser of DCGAN.",
        {
            "data": {"name": "mnist5k", "batch_size": 100},
            "objective": {"name": "ns_gan"},
            "model": {
                "latent_dim": 100,
                "generator": {"architecture": "mlp", "widths": [256, 256], "activation": "relu"},
                "discriminator": {"architecture": "mlp", "widths": [256, 256], "activation": "leaky_relu"},
            },
            "optimizers": _adam(2e-4, 0.5),
            "schedule": {"rounds": 10_000},
        },
        kind="course",
    ),
    "course-one-hidden": Preset(
        "A course's GAN: 64–256–784",
        "One hidden layer on either side, D as 784–128–1: the pair of networks of many a first notebook.",
        {
            "data": {"name": "mnist5k", "batch_size": 32},
            "objective": {"name": "ns_gan"},
            "model": {
                "latent_dim": 64,
                "generator": {"architecture": "mlp", "widths": [256], "leaky_slope": 0.01},
                "discriminator": {"architecture": "mlp", "widths": [128], "leaky_slope": 0.01},
            },
            "optimizers": _adam(3e-4, 0.9),
            "schedule": {"rounds": 10_000},
        },
        kind="course",
    ),
    "course-dropout": Preset(
        "A course's GAN with dropout: 100–32–64–128–784",
        "Narrow layers that widen, D mirrored as 784–128–64–32–1, and dropout of 0.3 in both. Courses often smooth the real "
        "labels too: one-sided label smoothing of 0.1, among the tricks.",
        {
            "data": {"name": "mnist5k", "batch_size": 64},
            "objective": {"name": "ns_gan"},
            "model": {
                "latent_dim": 100,
                "latent": "uniform",
                "generator": {"architecture": "mlp", "widths": [32, 64, 128], "dropout": 0.3},
                "discriminator": {"architecture": "mlp", "widths": [128, 64, 32], "dropout": 0.3},
            },
            "optimizers": _adam(2e-3, 0.9),
            "schedule": {"rounds": 10_000},
        },
        kind="course",
    ),
}

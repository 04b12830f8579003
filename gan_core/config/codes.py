"""Presets of the games with a code."""

from __future__ import annotations

from typing import Any

from gan_core.config.pairs import PAIRS
from gan_core.config.preset import Preset


def _vae(code_dim: int, rounds: int) -> dict[str, Any]:
    """784–256–256–(μ, log σ²) and its mirror."""
    return {
        "game": "vae",
        "data": {"name": "mnist5k", "batch_size": 100},
        "model": {
            "code_dim": code_dim,
            "encoder": {"architecture": "mlp", "widths": [256, 256], "activation": "relu"},
            "decoder": {"architecture": "mlp", "widths": [256, 256], "activation": "relu"},
        },
        "elbo": {"likelihood": "bernoulli", "beta": 1.0},
        "optimizer": {"name": "adam", "lr": 1e-3, "beta1": 0.9},
        "schedule": {"rounds": rounds},
    }


CODES: dict[str, Preset] = {
    "digits-autoencoder": Preset(
        "A course's autoencoder: 1-16-32-64(7×7)",
        "The convolutional network that courses print, with the squared error. Reconstructions of fixed held-out digits, and "
        "how many of their pixels are grey beside the originals'.",
        {
            "game": "autoencoder",
            "data": {"name": "mnist5k", "batch_size": 64},
            "model": {
                "code_dim": 64,
                "encoder": {"architecture": "convolutional", "widths": [16, 32], "activation": "relu"},
                "decoder": {"architecture": "convolutional", "widths": [32, 16], "activation": "relu"},
            },
            "reconstruction": {"error": "mse"},
            "optimizer": {"name": "adam", "lr": 1e-3, "beta1": 0.9, "weight_decay": 1e-5},
            "schedule": {"rounds": 1575},
        },
        kind="code",
    ),
    "digits-vae": Preset(
        "A VAE of digits with a code of 16",
        "Which of the sixteen dimensions cost nats, and how the two parts of the ELBO share them; samples are decoded from "
        "fixed draws of the prior. β can be turned while it trains.",
        _vae(16, 1200),
        kind="code",
    ),
    "digits-vae-2d": Preset(
        "A VAE of digits with a code of 2",
        "All that the decoder is told are two numbers: its digits lie on one plane, on which one class flows into the next.",
        _vae(2, 2000),
        kind="code",
    ),
    "digits-copied": Preset(
        "A machine that copies: a code for each picture",
        "A decoder learns a hundred digits by heart, with a code for each, and draws them again. The test for copies says "
        "so at once; turn its reach up, and it draws blends instead.",
        {
            "game": "glo",
            "data": {"name": "few_digits", "batch_size": 25},
            "model": {
                "code_dim": 16,
                "decoder": {"architecture": "dcgan", "widths": [64, 32], "activation": "relu"},
            },
            "optimizer": {"name": "adam", "lr": 3e-3, "beta1": 0.9},
            "schedule": {"rounds": 1000},
        },
        kind="code",
    ),
    **PAIRS,
}

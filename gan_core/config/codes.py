"""Presets of the games with a code."""

from __future__ import annotations

from gan_core.config.preset import Preset

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
}

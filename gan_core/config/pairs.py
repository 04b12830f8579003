"""Presets of the games in which a discriminator sees a code: BiGAN, ALI and the adversarial autoencoder."""

from __future__ import annotations

from typing import Any

from gan_core.config.preset import Preset


def _mlp(width: int, activation: str, normalization: str = "none") -> dict[str, Any]:
    return {
        "architecture": "mlp",
        "widths": [width, width],
        "activation": activation,
        "normalization": normalization,
    }


def _late(lr: float, beta1: float, final: float) -> dict[str, Any]:
    return {"name": "adam", "lr": lr, "beta1": beta1, "lr_schedule": "late", "lr_final": final}


def _both(optimizer: dict[str, Any]) -> dict[str, Any]:
    return {"generator_encoder": optimizer, "discriminator": optimizer}


def _small_digits(game: str) -> dict[str, Any]:
    return {
        "game": game,
        "data": {"name": "digits8", "batch_size": 64, "options": {"size": 8}},
        "model": {
            "code_dim": 8,
            "generator": _mlp(128, "relu", "batch"),
            "encoder": _mlp(128, "leaky_relu", "batch"),
            "discriminator": _mlp(128, "leaky_relu"),
        },
        "matching": {"cycle": 2.0, "gamma": 0.1},
        "optimizers": _both(_late(1e-3, 0.5, 0.02)),
        "schedule": {"rounds": 1000},
        "diagnostics": {"every": 50},
    }


def _aae(rounds: int, prior: dict[str, Any], lr: float) -> dict[str, Any]:
    """784–200–200–2 and its mirror, and a D of codes as wide."""
    return {
        "game": "aae",
        "data": {"name": "mnist5k", "batch_size": 100},
        "model": {
            "code_dim": 2,
            "encoder": _mlp(200, "relu"),
            "decoder": _mlp(200, "relu"),
            "discriminator": _mlp(200, "relu"),
        },
        "reconstruction": {"error": "bce"},
        "prior": prior,
        "optimizers": {
            "autoencoder": _late(1e-3, 0.9, 0.1),
            "discriminator": _late(1e-3, 0.5, 0.1),
            "encoder": _late(lr, 0.5, 0.1),
        },
        "schedule": {"rounds": rounds},
    }


PAIRS: dict[str, Preset] = {
    "ring-bigan": Preset(
        "A ring and its code, by a BiGAN",
        "Each point of the data is encoded and made again. D sees point and code together; the cycle term, which can be turned "
        "while it trains, asks for the same point back.",
        {
            "game": "bigan",
            "data": {"name": "ring", "batch_size": 128, "options": {"std": 0.1}},
            "model": {
                "code_dim": 2,
                "generator": _mlp(128, "relu"),
                "encoder": _mlp(128, "leaky_relu"),
                "discriminator": _mlp(128, "leaky_relu"),
            },
            "matching": {"cycle": 3.0, "gamma": 0.5},
            "optimizers": _both(_late(1e-3, 0.5, 0.1)),
            "schedule": {"rounds": 3000},
        },
        kind="code",
    ),
    "digits8-bigan": Preset(
        "Small digits and their codes, by a BiGAN",
        "Digits of 8×8 pixels with the cycle term of ALICE: reconstructions beside their originals. Turn λ to 0 to see what D "
        "alone asks for.",
        _small_digits("bigan"),
        kind="code",
    ),
    "digits8-ali": Preset(
        "Small digits and draws of their codes, by ALI",
        "The same networks with an encoder that gives a Gaussian of codes for each digit: its mean σ has a curve.",
        _small_digits("ali"),
        kind="code",
    ),
    "digits-aae": Preset(
        "Digits whose codes are pressed into a Gaussian",
        "An autoencoder with a code of 2, and a D that compares codes with N(0, I). Its loss and 2 log 2 on one chart; the "
        "adversary can be switched off and on.",
        _aae(1800, {"kind": "normal"}, 1e-3),
        kind="code",
    ),
    "digits-aae-ring": Preset(
        "Digits in ten petals",
        "The prior is ten Gaussians on a circle, and D is told the class of each code: a petal for each digit.",
        _aae(1600, {"kind": "petals", "petals": 10, "labels": True}, 1e-3),
        kind="code",
    ),
}

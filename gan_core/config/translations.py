"""Presets of the game from picture to picture."""

from __future__ import annotations

from typing import Any

from gan_core.config.preset import Preset


def _pix2pix(degradation: str, *, rounds: int = 400, **translation: Any) -> dict[str, Any]:
    return {
        "game": "pix2pix",
        "data": {"name": "mnist5k", "batch_size": 16},
        "translation": {"degradation": degradation, **translation},
        "schedule": {"rounds": rounds},
        "diagnostics": {"every": 25},
    }


_RING = {"name": "ring", "options": {"modes": 4, "radius": 2.0, "std": 0.05}}
_MAPS = {"architecture": "mlp", "widths": [64, 64], "normalization": "none"}


def _superresolution(adversarial_weight: float = 0.0, rounds: int = 400) -> dict[str, Any]:
    return {
        **_pix2pix(
            "quarter_size", rounds=rounds, distance="l2", distance_weight=1.0, adversarial_weight=adversarial_weight
        ),
        "model": {
            "initialization": "torch",
            "generator": {"architecture": "srresnet", "widths": [32, 32], "normalization": "none"},
        },
        "tricks": {"ema_decay": 0.98},
        "optimizers": {"generator": {"lr": 2e-3, "beta1": 0.9}},
    }


TRANSLATIONS: dict[str, Preset] = {
    "digits-repair": Preset(
        "Scratched digits, repaired",
        "A U-Net learns from pairs to take four lines off a digit. Input, output and target of held-out digits stand side by "
        "side; turn the adversarial weight to 0 and the strokes fade where the answer is open.",
        _pix2pix("scratched"),
        kind="code",
    ),
    "digits-half": Preset(
        "The lower half of a digit, guessed",
        "Several digits may have one upper half. The absolute error alone draws grey, D asks for strokes; beside both stands "
        "the nearest training digit, which needs no training.",
        _pix2pix("half"),
        kind="code",
    ),
    "digits-sr": Preset(
        "Digits from 7×7 pixels",
        "Mosaics that people can hardly read become digits, by the squared error alone. Beside the outputs stand bicubic "
        "enlargement and the nearest training digit; some outputs are another digit, sharply.",
        {
            **_pix2pix("quarter_size", distance="l2", distance_weight=1.0, adversarial_weight=0.0),
            "model": {"initialization": "torch", "generator": {"normalization": "none"}},
            "optimizers": {"generator": {"lr": 2e-3}},
        },
        kind="code",
    ),
    "digits-sketch": Preset(
        "Thin strokes, inked",
        "Lines of one pixel become digits as they were written. The answer is nearly determined, so D has little to add to the "
        "absolute error.",
        _pix2pix("skeleton", adversarial_weight=0.0),
        kind="code",
    ),
    "digits-srresnet": Preset(
        "Digits from 7×7 pixels, by residual blocks",
        "Residual blocks work on the coarse picture and add to its bicubic enlargement; the squared error is all they hear. "
        "Fork it with an adversarial weight of 0.003 and outputs grow sharper. A few are another digit, sharply.",
        _superresolution(),
        kind="code",
    ),
    "digits-srgan": Preset(
        "Digits from 7×7 pixels, with a discriminator",
        "The same blocks, which hear a little of D besides the squared error. Shown is a moving average of G: G itself is "
        "restless, and its average is nearer to the targets and looks more like them.",
        _superresolution(adversarial_weight=0.003, rounds=700),
        kind="code",
    ),
    "digits-colour": Preset(
        "Grey digits, coloured",
        "Each target is a digit in red, green or blue, and its grey input does not say in which. D asks for a colour. Turn the "
        "adversarial weight to 0 and the digits go out: the median of each channel is black.",
        {
            **_pix2pix("grey", rounds=300, distance_weight=10.0),
            "data": {"name": "coloured", "batch_size": 16},
            "model": {"generator": {"widths": [12, 24, 48]}},
        },
        kind="code",
    ),
    "digits8-to-mnist": Preset(
        "Small digits made into MNIST's, without pairs",
        "Blurred digits of other hands become crisp ones and go back, and nobody says which belongs to which. Turn λ to 0 and "
        "the digit that was put in is lost.",
        {
            "game": "cyclegan",
            "data": {"name": "digits8_framed", "batch_size": 8},
            "domain_b": {"name": "mnist5k"},
            "schedule": {"rounds": 400},
            "diagnostics": {"every": 25},
        },
        kind="code",
    ),
    "ring-cycle": Preset(
        "A ring onto itself, by a perfect cycle",
        "A and B are the same four modes, and nothing is lost from a to b and back. Yet modes are exchanged: each bijection "
        "has a perfect cycle. Start it with the identity term, and each mode stays where it is.",
        {
            "game": "cyclegan",
            "data": {**_RING, "batch_size": 64},
            "domain_b": _RING,
            "model": {"initialization": "torch", "generator": _MAPS, "discriminator": _MAPS},
            "cycle": {"identity_weight": 0.0, "pool": 0},
            "schedule": {"rounds": 1000},
            "diagnostics": {"every": 50, "samples": 1000},
        },
        kind="code",
    ),
}

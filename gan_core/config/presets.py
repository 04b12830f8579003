"""Presets: whole runs with a name, ready to start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gan_core.config.code_cures import CODE_CURES
from gan_core.config.codes import CODES
from gan_core.config.courses import COURSES
from gan_core.config.errors import ConfigError, Problem, nearest
from gan_core.config.gan.cures import CURES
from gan_core.config.gan.recipes import RECIPES, small_dcgan
from gan_core.config.information import INFORMATION
from gan_core.config.preset import Preset
from gan_core.config.pyramids import PYRAMIDS
from gan_core.config.schema import RunConfig, override
from gan_core.config.translations import TRANSLATIONS

_DCGAN = small_dcgan(normalization="batch")

PRESETS: dict[str, Preset] = {
    "digits-dcgan": Preset(
        "Digits from a DCGAN",
        "Convolutions learn strokes that join up. Recognisable digits after about 38 s of training, as measured on two free "
        "cores.",
        {
            "data": {"name": "mnist5k", "batch_size": 64},
            "objective": {"name": "ns_gan"},
            "model": _DCGAN,
            "optimizers": {"generator": {"lr": 5e-4}, "discriminator": {"lr": 5e-4}},
            "schedule": {"rounds": 5000},
        },
    ),
    "digits-mlp": Preset(
        "Digits from fully connected layers",
        "Two small MLPs with the WGAN GP objective: all ten digits, a little rough, after about 68 s of training, as measured "
        "on two free cores.",
        {
            "data": {"name": "mnist5k", "batch_size": 64},
            "objective": {"name": "wgan_gp"},
            "model": {
                "latent_dim": 64,
                "generator": {"architecture": "mlp", "widths": [128, 256]},
                "discriminator": {"architecture": "mlp", "widths": [256, 128]},
            },
            "optimizers": {
                "generator": {"lr": 1e-3, "beta1": 0.5},
                "discriminator": {"lr": 1e-3, "beta1": 0.5},
            },
            "schedule": {"rounds": 6000, "n_critic": 3},
        },
    ),
    "ring-mlp": Preset(
        "Eight Gaussians on a ring",
        "A plane that can be seen whole: watch the generated points find all eight modes, and D's landscape follow.",
        {
            "data": {"name": "ring", "batch_size": 128, "options": {"std": 0.05}},
            "objective": {"name": "ns_gan"},
            "model": {
                "latent_dim": 64,
                "generator": {"architecture": "mlp", "widths": [128, 128]},
                "discriminator": {"architecture": "mlp", "widths": [128, 128]},
            },
            "optimizers": {"generator": {"lr": 1e-3}, "discriminator": {"lr": 1e-3}},
            "schedule": {"rounds": 6000},
            "diagnostics": {"samples": 2500},
        },
    ),
    "gaussian-1d": Preset(
        "One Gaussian on a line",
        "N(4, 1.25²), the classic first example: the generated density slides over the real one, and D flattens to ½.",
        {
            "data": {"name": "gaussian", "batch_size": 128},
            "objective": {"name": "ns_gan"},
            "model": {
                "latent_dim": 8,
                "generator": {"architecture": "mlp", "widths": [32, 32]},
                "discriminator": {"architecture": "mlp", "widths": [32, 32]},
            },
            "optimizers": {"generator": {"lr": 1e-3}, "discriminator": {"lr": 1e-3}},
            "schedule": {"rounds": 4000},
            "diagnostics": {"samples": 2500},
        },
    ),
    "gaussian-course": Preset(
        "The course example, batch by batch",
        "Five units a layer, and D is told a batch of 500 by its mean, spread, skewness and kurtosis. The mean finds 4 first, "
        "then the spread 1.25.",
        {
            "data": {"name": "gaussian", "batch_size": 500},
            "objective": {"name": "ns_gan", "penalties": {"r1": 0.05}},
            "model": {
                "latent_dim": 1,
                "latent": "uniform",
                "generator": {"architecture": "mlp", "widths": [5, 5], "activation": "tanh"},
                "discriminator": {"architecture": "mlp", "widths": [10, 10], "packing": 500, "summary": "moments"},
            },
            "optimizers": {
                "generator": {"name": "sgd", "lr": 3e-4, "momentum": 0.9},
                "discriminator": {"name": "sgd", "lr": 0.02, "momentum": 0.9},
            },
            "schedule": {"rounds": 1000, "n_critic": 20},
            "diagnostics": {"every": 25, "samples": 2500},
        },
        kind="course",
    ),
    "digits-conditional": Preset(
        "Digits on demand",
        "G is told which digit to draw, and D names what it sees (AC-GAN). Each row is a class: watch label accuracy climb.",
        {
            "data": {"name": "mnist5k", "batch_size": 64},
            "objective": {"name": "ns_gan"},
            "model": {**_DCGAN, "condition": "ac_gan"},
            "optimizers": {"generator": {"lr": 5e-4}, "discriminator": {"lr": 5e-4}},
            "schedule": {"rounds": 5000},
            "diagnostics": {"grid": 80},
        },
    ),
    **COURSES,
    **RECIPES,
    **CODES,
    **INFORMATION,
    **TRANSLATIONS,
    **PYRAMIDS,
    "digits-spelled": Preset(
        "Write 37, see it drawn",
        "G and D are told a number as its two digits. Ten of the hundred numbers are never shown in training; watch G "
        "draw them all the same. Told by concatenation, as one of a hundred names, it cannot.",
        {
            "data": {"name": "two_digits", "batch_size": 64},
            "objective": {"name": "ns_gan"},
            "model": {
                "latent_dim": 32,
                "condition": "spelled",
                "generator": {"architecture": "mlp", "widths": [256, 256]},
                "discriminator": {"architecture": "mlp", "widths": [256, 256]},
            },
            "optimizers": {"generator": {"lr": 1e-3}, "discriminator": {"lr": 1e-3}},
            "schedule": {"rounds": 2000},
            "diagnostics": {"samples": 2000, "grid": 80},
        },
    ),
}


def preset_config(name: str, changes: Mapping[str, Any] | None = None) -> RunConfig:
    """The preset's config with dotted changes; ``ring-collapse+r1`` is a preset with the change-set of a cure.

    Raises ConfigError naming the nearest preset, cure or field.
    """
    preset, *cures = name.split("+")
    named: list[tuple[str, str, Mapping[str, Any]]] = [(preset, "preset", PRESETS)]
    changes_of = CURES | CODE_CURES
    for word, what, known in (*named, *((cure, "cure", changes_of) for cure in cures)):
        if word not in known:
            raise ConfigError([Problem("preset", f"unknown {what} {word[:80]!r}{nearest(word[:80], known)}")])
    settings: Mapping[str, Any] = PRESETS[preset].settings
    for change in (*(changes_of[cure].changes for cure in cures), changes or {}):
        settings = override(settings, change)
    return RunConfig.load(settings)

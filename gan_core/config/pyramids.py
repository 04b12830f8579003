"""Presets of the game of pictures made level by level."""

from __future__ import annotations

from gan_core.config.preset import Preset

PYRAMIDS: dict[str, Preset] = {
    "digits-lapgan": Preset(
        "Digits from a pyramid, level by level",
        "Small digits of 7×7 pixels, then the details of 14×14, then those of 28×28, each by a pair of players of its own. The "
        "staircase shows which level is the weak one; let one stand still and see what is missing.",
        {
            "game": "lapgan",
            "data": {"name": "mnist5k", "batch_size": 16},
            "model": {"condition": "concatenation"},
            "tricks": {"ema_decay": 0.98},
            "schedule": {"rounds": 300, "coarse_steps": 5, "middle_steps": 3},
            "diagnostics": {"every": 25},
        },
        kind="code",
    ),
}

"""What changes with the round: learning rates and the noise on what D sees. Functions of the round alone, so that a
resumed run is on time without any state of its own."""

from __future__ import annotations

import math
from typing import Literal

HELD_UNTIL = 0.6
"""The share of the rounds after which a rate that is held begins to fall."""
LEAST_SHARE = 1e-3
"""An exponential never comes to 0: where 0 is asked for, so much is left."""


def share_of_rate(
    schedule: Literal["constant", "late_linear", "linear", "cosine", "late"],
    round: int,
    rounds: int,
    final: float = 0.0,
) -> float:
    """The share of the learning rate that holds in ``round``: 1 in the first of ``rounds``, ``final`` in the last.

    ``late`` is 1 in the first half and exponential in the second, as the authors of BiGAN and ALI train, ``late_linear`` 1 for
    six tenths and linear then, about as those of CycleGAN.
    """
    progress = min(max((round - 1) / max(rounds - 1, 1), 0.0), 1.0)
    match schedule:
        case "constant":
            return 1.0
        case "linear":
            return 1 - (1 - final) * progress
        case "cosine":
            return final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2
        case "late_linear":
            return 1 - (1 - final) * max(0.0, progress - HELD_UNTIL) / (1 - HELD_UNTIL)
        case "late":
            return float(max(final, LEAST_SHARE) ** max(0.0, 2 * progress - 1))


def instance_noise(sigma: float, round: int, rounds: int) -> float:
    """σ_t = σ₀ max(0, 1 − t/T), where t rounds have been played before this one."""
    return sigma * max(0.0, 1 - (round - 1) / rounds)


def warmed_up(decay: float, round: int) -> float:
    """min(β, (1 + t)/(10 + t)): a moving average that remembers the first rounds of a short run shows nothing else."""
    return min(decay, (1 + round) / (10 + round))

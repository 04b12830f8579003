"""A moving average of a network's weights."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn


def average_of(network: nn.Module, decay: float) -> nn.Module | None:
    """A copy of ``network`` for `follow`, which no player moves; None where a decay of 0 asks for none."""
    return deepcopy(network).requires_grad_(False) if decay else None


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """θ̄ ← β θ̄ + (1 − β) θ for every parameter; buffers, which are statistics or counters, are copied."""
    for mean, parameter in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(parameter, 1 - decay)
    for kept, buffer in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(buffer)

"""Self-attention on feature maps (Zhang et al. 2019, SAGAN)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

LARGEST_SIDE = 16
"""Attention weighs every pixel against every other: 16×16 maps are 65,536 pairs a sample, 32×32 are a million."""


class SelfAttention(nn.Module):
    """(N, C, H, W) → h + γ · v(Σ_i β_ji w(h_i)), β_ji = softmax_i ⟨f(h_i), g(h_j)⟩.

    γ begins at 0: at first the layer passes its input on, and learns to look further away by and by.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 8)
        self.keys = nn.Conv2d(channels, inner, 1)
        self.queries = nn.Conv2d(channels, inner, 1)
        self.values = nn.Conv2d(channels, max(1, channels // 2), 1)
        self.out = nn.Conv2d(max(1, channels // 2), channels, 1)
        self.gamma = nn.Parameter(torch.empty(()))

    @torch.no_grad()
    def start(self) -> None:
        self.gamma.zero_()

    def forward(self, h: Tensor) -> Tensor:
        f, g, w = (layer(h).flatten(2) for layer in (self.keys, self.queries, self.values))  # (N, ·, pixels)
        weights = torch.softmax(g.transpose(1, 2) @ f, dim=2)  # (N, queries, keys)
        seen = (w @ weights.transpose(1, 2)).reshape(len(h), -1, *h.shape[2:])
        return h + self.gamma * self.out(seen)


def attended(sides: Sequence[int]) -> int:
    """Which of the maps of a network, given by their sides, attention looks at: the largest of at most 16 pixels."""
    fitting = [side for side in sides if side <= LARGEST_SIDE]
    return list(sides).index(max(fitting) if fitting else min(sides))

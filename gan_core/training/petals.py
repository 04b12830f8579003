"""A prior of several Gaussians on a circle, one for each class: the flower of the adversarial autoencoder."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Petals:
    """``petals(n, generator)`` draws z (n, 2) from ``count`` equally likely Gaussians (Makhzani et al. 2015, figure 2).

    Their means lie at angles 2πk / count on a circle of ``radius``; each has the standard deviation ``along`` towards the
    centre and ``across`` at right angles to that. A petal is a category of z (`gan_core.training.latent.Categorical`).
    """

    count: int
    radius: float = 4.0
    along: float = 1.0
    across: float = 0.25
    kind: str = "petals"

    @property
    def dim(self) -> int:
        return 2

    @property
    def categories(self) -> int:
        return self.count

    def __call__(self, n: int, generator: torch.Generator) -> Tensor:
        return self.of(torch.randint(self.count, (n,), generator=generator, device=generator.device), generator)

    def of(self, k: Tensor, generator: torch.Generator) -> Tensor:
        """z (n, 2) from the petals k (n,), 0 … count − 1."""
        noise = torch.randn(len(k), 2, generator=generator, device=generator.device)
        radial, tangential = self.radius + self.along * noise[:, 0], self.across * noise[:, 1]
        return _turned(torch.stack([radial, tangential], 1), 2 * math.pi * k / self.count)

    def category_of(self, z: Tensor) -> Tensor:
        """The petal whose direction is the nearest to that of each z (n, 2), (n,)."""
        turns = torch.atan2(z[:, 1], z[:, 0]) / (2 * math.pi)
        return (turns * self.count).round().remainder(self.count).long()

    def with_category(self, z: Tensor, category: Tensor) -> Tensor:
        """Each z (n, 2) turned about the centre into the petals ``category`` (n,), where it lies as it lay in its own."""
        return _turned(z, 2 * math.pi * (category - self.category_of(z)) / self.count)


def _turned(z: Tensor, angle: Tensor) -> Tensor:
    """Points (n, 2) turned by angles (n,) about the centre."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([z[:, 0] * cos - z[:, 1] * sin, z[:, 0] * sin + z[:, 1] * cos], 1)

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
    centre and ``across`` at right angles to that.
    """

    count: int
    radius: float = 4.0
    along: float = 1.0
    across: float = 0.25
    kind: str = "petals"

    @property
    def dim(self) -> int:
        return 2

    def __call__(self, n: int, generator: torch.Generator) -> Tensor:
        return self.of(torch.randint(self.count, (n,), generator=generator, device=generator.device), generator)

    def of(self, k: Tensor, generator: torch.Generator) -> Tensor:
        """z (n, 2) from the petals k (n,), 0 … count − 1."""
        noise = torch.randn(len(k), 2, generator=generator, device=generator.device)
        radial, tangential = self.radius + self.along * noise[:, 0], self.across * noise[:, 1]
        angle = 2 * math.pi * k / self.count
        cos, sin = angle.cos(), angle.sin()
        return torch.stack([radial * cos - tangential * sin, radial * sin + tangential * cos], 1)

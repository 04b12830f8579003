"""The prior of z."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor


class Prior(Protocol):
    """What z is drawn from: ``prior(n, generator)`` is (n, dim) on the generator's device.

    ``kind`` names the distribution; between two draws of a ``uniform`` one the straight line stays inside of it.
    """

    @property
    def dim(self) -> int: ...
    @property
    def kind(self) -> str: ...
    def __call__(self, n: int, generator: torch.Generator) -> Tensor: ...


@dataclass(frozen=True)
class Latent:
    """``latent(n, generator)`` draws z (n, dim), N(0, 1) or U(−1, 1) per component, on the generator's device."""

    dim: int
    kind: Literal["normal", "uniform"] = "normal"

    def __call__(self, n: int, generator: torch.Generator) -> Tensor:
        if self.kind == "normal":
            return torch.randn(n, self.dim, generator=generator, device=generator.device)
        return torch.rand(n, self.dim, generator=generator, device=generator.device) * 2 - 1

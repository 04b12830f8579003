"""The prior of z."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import one_hot


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


@runtime_checkable
class Categorical(Prior, Protocol):
    """A prior of which one part is a category out of ``categories``; 0 where there is none after all."""

    @property
    def categories(self) -> int: ...
    def category_of(self, z: Tensor) -> Tensor:
        """The category of each z (n, dim), (n,)."""
        ...

    def with_category(self, z: Tensor, category: Tensor) -> Tensor:
        """The same z (n, dim) but for their categories, which are those of ``category`` (n,)."""
        ...


@dataclass(frozen=True)
class CodedLatent:
    """z = [noise, one-hot of a category times ``scale``, continuous codes U(−1, 1)], the prior of InfoGAN.

    ``code_of`` reads the code off z, so that whoever knows z compares with what was drawn.
    """

    noise: Latent
    categories: int
    scale: float
    continuous: int
    kind: Literal["coded"] = "coded"

    @property
    def dim(self) -> int:
        return self.noise.dim + self.categories + self.continuous

    @property
    def categorical_part(self) -> slice:
        """Where in z the one-hot stands."""
        return slice(self.noise.dim, self.noise.dim + self.categories)

    @property
    def continuous_part(self) -> slice:
        """Where in z the continuous codes stand."""
        return slice(self.noise.dim + self.categories, self.dim)

    def __call__(self, n: int, generator: torch.Generator) -> Tensor:
        z = torch.zeros(n, self.dim, device=generator.device)
        z[:, : self.noise.dim] = self.noise(n, generator)
        if self.categories:
            drawn = torch.randint(self.categories, (n,), generator=generator, device=generator.device)
            z = self.with_category(z, drawn)
        if self.continuous:
            z[:, self.continuous_part] = Latent(self.continuous, "uniform")(n, generator)
        return z

    def code_of(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The categories (n,) and the continuous codes (n, continuous) of z (n, dim)."""
        return self.category_of(z), z[:, self.continuous_part]

    def category_of(self, z: Tensor) -> Tensor:
        if not self.categories:
            return torch.zeros(len(z), dtype=torch.int64, device=z.device)
        return z[:, self.categorical_part].argmax(1)

    def with_category(self, z: Tensor, category: Tensor) -> Tensor:
        changed = z.clone()
        changed[:, self.categorical_part] = self.scale * one_hot(category, self.categories).to(z.dtype)
        return changed

"""What a data set is: images held as one tensor, or a distribution that can be sampled and has a density."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """``x`` (N, *shape) float32; ``y`` (N,) int64 labels, or None where there are none."""

    x: Tensor
    y: Tensor | None = None


@dataclass(frozen=True)
class ImageSource:
    """Decoded images: ``x`` uint8 (N, C, H, W), ``y`` int64 (N,) or None.

    Training and held-out images are disjoint: ``train_index`` is what a GAN and the classifier may see,
    ``heldout_index`` is what their measurements compare with. ``fingerprint`` is a hash of the content.
    """

    name: str
    x: Tensor
    y: Tensor | None
    class_names: tuple[str, ...]
    train_index: Tensor
    heldout_index: Tensor
    fingerprint: str

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.x.shape[1:])

    @property
    def num_classes(self) -> int:
        return len(self.class_names)


@dataclass(frozen=True)
class MixtureSource:
    """A mixture of isotropic Gaussians on a line or a plane, scaled for the network by ``scale``.

    ``centers`` (K, d), ``std`` (K,), ``weights`` (K,), all in data units. Networks see x / scale.
    """

    name: str
    centers: np.ndarray
    std: np.ndarray
    weights: np.ndarray
    scale: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.centers.shape[1],)

    @property
    def num_modes(self) -> int:
        return len(self.centers)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """``n`` points in network units, (n, d) float32, on the generator's device."""
        device = generator.device
        weights = torch.as_tensor(self.weights, dtype=torch.float32, device=device)
        mode = torch.multinomial(weights, n, replacement=True, generator=generator)
        centers = torch.as_tensor(self.centers, dtype=torch.float32, device=device)
        std = torch.as_tensor(self.std, dtype=torch.float32, device=device)
        noise = torch.randn(n, self.centers.shape[1], generator=generator, device=device)
        return (centers[mode] + std[mode, None] * noise) / self.scale

    def density(self, points: np.ndarray) -> np.ndarray:
        """p(x) at ``points`` (n, d) in data units, (n,)."""
        points = np.asarray(points, dtype=np.float64)
        d = self.centers.shape[1]
        squared = ((points[:, None, :] - self.centers[None]) ** 2).sum(-1) / self.std**2
        return (self.weights * np.exp(-squared / 2) / (2 * np.pi * self.std**2) ** (d / 2)).sum(1)

    def extent(self, margin: float = 0.25) -> tuple[tuple[float, float], ...]:
        """The range to draw per dimension, data units: all modes ± 4 standard deviations, and a margin."""
        low = (self.centers - 4 * self.std[:, None]).min(0)
        high = (self.centers + 4 * self.std[:, None]).max(0)
        side = (high - low).max()
        middle = (low + high) / 2
        return tuple((float(m - side * (0.5 + margin)), float(m + side * (0.5 + margin))) for m in middle)


Source = ImageSource | MixtureSource
Progress = Callable[[float, str], None]

"""Spectral normalisation (Miyato et al. 2018): every weight divided by its largest singular value, times a gain."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

WEIGHTED = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
FIRST_ITERATIONS = 15


class SpectralNorm(nn.Module):
    """W ↦ g W / σ(W), with σ(W) ≈ uᵀWv after one step of power iteration per pass in training.

    torch's own parametrisation draws u and v from the global generator, which all runs of a process share. W is the
    matrix (outputs, everything else).
    """

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor, outputs_dim: int, gain: float) -> None:
        super().__init__()
        self.outputs_dim, self.gain = outputs_dim, gain
        rows = weight.shape[outputs_dim]
        self.register_buffer("u", weight.new_empty(rows))
        self.register_buffer("v", weight.new_empty(weight.numel() // rows))

    @torch.no_grad()
    def start(self, weight: Tensor, generator: torch.Generator) -> None:
        """A random u, and then as many steps as bring σ near its value at once."""
        self.u.copy_(F.normalize(self.u.normal_(generator=generator), dim=0))
        for _ in range(FIRST_ITERATIONS):
            self._iterate(self._matrix(weight))

    def forward(self, weight: Tensor) -> Tensor:
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach())
        # Copies: the next pass changes u and v in place while this one's graph still needs them.
        sigma = torch.dot(self.u.clone(), matrix @ self.v.clone())
        return weight * (self.gain / sigma)

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.outputs_dim, 0).flatten(1)

    @torch.no_grad()
    def _iterate(self, matrix: Tensor) -> None:
        self.v.copy_(F.normalize(matrix.T @ self.u, dim=0))
        self.u.copy_(F.normalize(matrix @ self.v, dim=0))


def normalize_spectrally(network: nn.Module, gain: float) -> None:
    """Put every linear and convolutional layer of ``network`` under spectral normalisation, in place."""
    for module in list(network.modules()):
        if isinstance(module, WEIGHTED):
            outputs_dim = 1 if isinstance(module, nn.ConvTranspose2d) else 0
            norm = SpectralNorm(module.weight, outputs_dim, gain)
            parametrize.register_parametrization(module, "weight", norm, unsafe=True)


def raw_weight(layer: nn.Module) -> Tensor:
    """The parameter behind ``layer.weight``, which under spectral normalisation is computed from it."""
    weight = layer.weight
    if parametrize.is_parametrized(layer, "weight"):
        weight = layer.parametrizations["weight"].original  # type: ignore[index, union-attr]
    assert isinstance(weight, Tensor)
    return weight


def spectral_norm_of(layer: nn.Module) -> SpectralNorm | None:
    """The spectral normalisation of ``layer``'s weight, if it has one."""
    if not parametrize.is_parametrized(layer, "weight"):
        return None
    (norm,) = layer.parametrizations["weight"]  # type: ignore[index]
    return norm

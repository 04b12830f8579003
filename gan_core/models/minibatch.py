"""Layers that let D see how much the samples of a batch differ, and packs of samples.

In training a statistic is that of the batch. In evaluation it is its running mean, so that D judges each sample by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

MOMENTUM = 0.1


class BatchStatistic(nn.Module):
    """(N, F) → (N, F + ``width``): the features, and what ``measure`` says of their company."""

    running: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("running", torch.empty(width))

    def start(self) -> None:
        self.running.zero_()

    def measure(self, h: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, h: Tensor) -> Tensor:
        if self.training:
            statistic = self.measure(h)
            with torch.no_grad():
                self.running.lerp_(statistic.mean(0), MOMENTUM)
        else:
            statistic = self.running.expand(len(h), -1)
        return torch.cat([h, statistic], dim=1)


class MinibatchStddev(BatchStatistic):
    """The standard deviation of each feature over a group of samples, averaged over features (Karras et al. 2018).

    A batch that does not divide into groups is one group.
    """

    def __init__(self, group: int) -> None:
        super().__init__(1)
        self.group = group

    def measure(self, h: Tensor) -> Tensor:
        group = self.group if len(h) % self.group == 0 else len(h)
        groups = h.reshape(group, -1, h.shape[1])  # (members, groups, features)
        variance = (groups - groups.mean(0)).square().mean(0)
        std = (variance + 1e-8).sqrt().mean(1, keepdim=True)
        return std.repeat(group, 1)


class MinibatchDiscrimination(BatchStatistic):
    """o_b(x_i) = Σ_{j ≠ i} exp(−‖M_{i,b} − M_{j,b}‖₁), M = f(x) T (Salimans et al. 2016)."""

    def __init__(self, features: int, kernels: int, dims: int) -> None:
        super().__init__(kernels)
        self.kernels, self.dims = kernels, dims
        self.projection = nn.Linear(features, kernels * dims, bias=False)

    def measure(self, h: Tensor) -> Tensor:
        m = self.projection(h).reshape(len(h), self.kernels, self.dims)
        distance = (m[:, None] - m[None, :]).abs().sum(3)
        others = 1 - torch.eye(len(h), device=h.device, dtype=h.dtype)
        return (torch.exp(-distance) * others[:, :, None]).sum(1)


def _with_squared_differences(members: Tensor) -> Tensor:
    return torch.cat([members, (members - members.mean(1, keepdim=True)).square()], dim=1)


def _moments(members: Tensor) -> Tensor:
    """Mean, standard deviation, skewness and excess kurtosis over the members; a pack of equal ones has 0, 0, 0, −3."""
    mean = members.mean(1, keepdim=True)
    differences = members - mean
    std = differences.square().mean(1, keepdim=True).clamp_min(1e-12).sqrt()
    z = differences / std
    return torch.cat([mean, std, (z**3).mean(1, keepdim=True), (z**4).mean(1, keepdim=True) - 3], dim=1)


SUMMARIES: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda members: members,
    "squared_differences": _with_squared_differences,
    "moments": _moments,
}
"""What D is told of a pack: (P, members, C, …) to (P, k, C, …), each feature or pixel by itself."""


def pack(x: Tensor, size: int, summary: str = "none") -> Tensor:
    """(N, C, …) → (N/size, k·C, …): samples in a row become one, joined along features or channels (PacGAN).

    k is ``size``; with a summary of ``SUMMARIES`` D gets that of the pack instead of its samples.
    """
    if size == 1:
        return x
    return SUMMARIES[summary](x.reshape(len(x) // size, size, *x.shape[1:])).flatten(1, 2)


def packed_shape(shape: tuple[int, ...], size: int, summary: str = "none") -> tuple[int, ...]:
    """The shape of one of D's inputs, of packs of samples of ``shape``."""
    # One real pack is small; on the device "meta" a mean imports the compiler, which takes a second.
    return tuple(pack(torch.zeros(size, *shape, device="cpu"), size, summary).shape[1:])

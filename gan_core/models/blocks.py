"""Small modules that networks are built from, and the one place that knows the settings by name."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Literal

import torch
from torch import Tensor, nn

from gan_core.models.minibatch import BatchStatistic, MinibatchDiscrimination, MinibatchStddev


@dataclass(frozen=True)
class Layers:
    """How every layer of one network looks; the names are those of the configuration."""

    widths: tuple[int, ...]
    normalization: Literal["none", "batch", "layer", "instance"] = "none"
    activation: Literal["relu", "leaky_relu", "tanh"] = "leaky_relu"
    leaky_slope: float = 0.2
    dropout: float = 0.0
    upsampling: Literal["transposed", "nearest", "bilinear"] = "transposed"
    output: Literal["logit", "reconstruction"] = "logit"
    code_dim: int = 64
    minibatch_stddev: int = 0
    minibatch_kernels: int = 0
    minibatch_dims: int = 5

    def head(self, features: int) -> list[nn.Module]:
        """(N, features) to logits (N,), past the statistics of the minibatch that are asked for."""
        statistics: list[BatchStatistic] = []
        if self.minibatch_kernels:
            statistics.append(MinibatchDiscrimination(features, self.minibatch_kernels, self.minibatch_dims))
        if self.minibatch_stddev:
            statistics.append(MinibatchStddev(self.minibatch_stddev))
        width = features + sum(statistic.width for statistic in statistics)
        return [*statistics, nn.Linear(width, 1), nn.Flatten(0)]

    def after(self, width: int, *, spatial: bool, normalize: bool = True) -> list[nn.Module]:
        """Normalisation, activation and dropout that follow a linear or convolutional layer of ``width`` outputs."""
        modules = [self._norm(width, spatial)] if normalize and self.normalization != "none" else []
        modules.append(self._activation())
        if self.dropout > 0:
            modules.append(Dropout(self.dropout))
        return modules

    def _norm(self, width: int, spatial: bool) -> nn.Module:
        match self.normalization, spatial:
            case "batch", True:
                return nn.BatchNorm2d(width)
            case "batch", False:
                return nn.BatchNorm1d(width)
            case "layer", True:
                return nn.GroupNorm(num_groups=1, num_channels=width)
            case "layer", False:
                return nn.LayerNorm(width)
            case "instance", True:
                return nn.InstanceNorm2d(width, affine=True)
        raise ValueError(
            f"{self.normalization} normalisation needs feature maps; choose batch, layer or none for an MLP"
        )

    def _activation(self) -> nn.Module:
        match self.activation:
            case "relu":
                return nn.ReLU()
            case "leaky_relu":
                return nn.LeakyReLU(self.leaky_slope)
            case "tanh":
                return nn.Tanh()


class Dropout(nn.Module):
    """Dropout that draws from its run's own stream: torch's has no generator argument and shares the global one."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if self.generator is None:
            raise RuntimeError("this Dropout has no random stream: give the network one with use_dropout_stream")
        keep = torch.rand(x.shape, generator=self.generator, device=x.device, dtype=x.dtype) >= self.share
        return x * keep / (1 - self.share)


def use_dropout_stream(network: nn.Module, generator: torch.Generator) -> None:
    """Let every Dropout of ``network`` draw from ``generator``."""
    for module in network.modules():
        if isinstance(module, Dropout):
            module.generator = generator


class Reshape(nn.Module):
    """(N, …) to (N, *shape)."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), *self.shape)


class Network(nn.Sequential):
    """A stack of layers with the signature that every network of the laboratory has, ``net(x, y=None)``.

    ``head`` layers at the end, if it is a discriminator, turn its features into a logit.
    """

    def __init__(self, *modules: nn.Module, head: int = 0) -> None:
        super().__init__(*modules)
        self.head = head

    def features(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """(N, F): what the head sees."""
        return self._through(len(self) - self.head, x, y)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self._through(len(self), x, y)

    def _through(self, layers: int, x: Tensor, y: Tensor | None) -> Tensor:
        if y is not None:
            raise ValueError("this network is unconditional and takes no labels")
        for module in islice(self, layers):
            x = module(x)
        return x

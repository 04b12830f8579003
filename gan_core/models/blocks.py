"""Small modules that networks are built from, and the one place that knows the settings by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import torch
from torch import Tensor, nn

from gan_core.models.attention import SelfAttention, attended
from gan_core.models.conditioning import UNCONDITIONAL, ClassifierHead, Condition, Conditional
from gan_core.models.minibatch import BatchStatistic, MinibatchDiscrimination, MinibatchStddev


@dataclass(frozen=True)
class Layers:
    """How every layer of one network looks; the names are those of the configuration."""

    widths: tuple[int, ...]
    normalization: Literal["none", "batch", "layer", "instance"] = "none"
    activation: Literal["relu", "leaky_relu", "tanh", "sigmoid"] = "leaky_relu"
    leaky_slope: float = 0.2
    dropout: float = 0.0
    attention: bool = False
    upsampling: Literal["transposed", "nearest", "bilinear"] = "transposed"
    output: Literal["logit", "reconstruction"] = "logit"
    code_dim: int = 64
    minibatch_stddev: int = 0
    minibatch_kernels: int = 0
    minibatch_dims: int = 5
    condition: Condition = UNCONDITIONAL

    def head(self, features: int) -> list[nn.Module]:
        """(N, features) to logits (N,), past the statistics of the minibatch that are asked for, and what y adds."""
        statistics: list[BatchStatistic] = []
        if self.minibatch_kernels:
            statistics.append(MinibatchDiscrimination(features, self.minibatch_kernels, self.minibatch_dims))
        if self.minibatch_stddev:
            statistics.append(MinibatchStddev(self.minibatch_stddev))
        width = features + sum(statistic.width for statistic in statistics)
        return self.condition.head(features, [*statistics, nn.Linear(width, 1), nn.Flatten(0)])

    def after(self, width: int, *, spatial: bool, normalize: bool = True, drop: bool = True) -> list[nn.Module]:
        """Normalisation, activation and dropout that follow a linear or convolutional layer of ``width`` outputs."""
        modules = [self._norm(width, spatial)] if normalize and self.normalization != "none" else []
        modules.append(self._activation())
        if drop and self.dropout > 0:
            modules.append(Dropout(self.dropout))
        return modules

    def attend(self, stages: Sequence[list[nn.Module]], sides: Sequence[int], widths: Sequence[int]) -> None:
        """Add self-attention, if it is asked for, to the stage whose maps suit it best.

        ``stages`` give maps of ``sides`` pixels and ``widths`` channels.
        """
        if self.attention:
            index = attended(sides)
            stages[index].append(SelfAttention(widths[index]))

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
            case "sigmoid":
                return nn.Sigmoid()


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


def upsample(channels_in: int, channels_out: int, mode: str) -> list[nn.Module]:
    """Double height and width: one transposed convolution, or interpolation and then a convolution (Odena et al. 2016)."""
    if mode == "transposed":
        return [nn.ConvTranspose2d(channels_in, channels_out, kernel_size=4, stride=2, padding=1)]
    return [interpolation(mode), nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1)]


def interpolation(mode: str) -> nn.Upsample:
    """Height and width doubled without weights."""
    smooth = {"align_corners": False} if mode == "bilinear" else {}
    return nn.Upsample(scale_factor=2, mode=mode, **smooth)


def halving_fits(name: str, shape: tuple[int, ...], stages: int) -> str | None:
    """Why a ``name`` ("DCGAN") that halves images ``stages`` times cannot be built for data of ``shape``, or None."""
    if len(shape) != 3:
        return f"a {name} makes images; for points choose an MLP"
    _, height, width = shape
    scale = 2**stages
    if height % scale or width % scale or min(height, width) // scale < 2:
        most = max((n for n in range(1, 10) if height % 2**n == 0 and min(height, width) // 2**n >= 2), default=0)
        if most == 0:
            return f"a {name} halves images, and {height}×{width} cannot be halved; for these choose an MLP"
        return (
            f"{stages} stages halve {height}×{width} images {stages} times, which does not come "
            f"out even; choose {'1' if most == 1 else f'1 to {most}'} width(s)"
        )
    return None


class Reshape(nn.Module):
    """(N, …) to (N, *shape)."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), *self.shape)


class Network(nn.Sequential):
    """A stack of layers with the signature that every network of the laboratory has, ``net(x, y=None)``.

    ``head`` layers at the end, if it is a discriminator, turn its features into a logit. Labels reach the layers that
    take them; a network without any refuses labels, and one with them refuses to go without.
    """

    def __init__(self, *modules: nn.Module, head: int = 0) -> None:
        super().__init__(*modules)
        self.head = head
        self.conditional = any(isinstance(module, Conditional) for module in modules)

    def features(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """(N, F): what the head sees."""
        return self._through(len(self) - self.head, x, y)

    def judged(self, features: Tensor) -> Tensor:
        """(N,): what the head of an unconditional discriminator says of features."""
        for module in islice(self, len(self) - self.head, None):
            features = module(features)
        return features

    def forward(self, x: Tensor, y: Tensor | None = None, *, classes: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """The output; with ``classes``, which only the D of an AC-GAN has, also the logits of the classes (N, K)."""
        if not classes:
            return self._through(len(self), x, y)
        last = self[-1]
        if not isinstance(last, ClassifierHead):
            raise TypeError("this network does not name classes")
        h = self.features(x, y)
        return last(h, y), last.classes(h)

    def _through(self, layers: int, x: Tensor, y: Tensor | None) -> Tensor:
        if y is not None and not self.conditional:
            raise ValueError("this network is unconditional and takes no labels")
        for module in islice(self, layers):
            x = module(x, y) if isinstance(module, Conditional) else module(x)
        return x

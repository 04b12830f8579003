"""Initial weights, each parameter from a stream of its own.

A layer's values depend on the seed, on its place among the layers of its kind and on its shape alone, so that two
networks that agree in a layer begin with the same weights there: with or without normalisation between, for instance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import count

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from gan_core.models.attention import SelfAttention
from gan_core.models.minibatch import BatchStatistic
from gan_core.models.spectral import WEIGHTED, raw_weight, spectral_norm_of

GeneratorFor = Callable[[str], torch.Generator]

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d)


def with_storage(network: nn.Module, device: torch.device | str = "cpu") -> None:
    """Give the tensors of a network on the device ``meta`` memory on another, with any values, in place.

    As ``Module.to_empty`` does, which makes each tensor like one that has no memory: for that torch imports its symbolic
    algebra, a third of a second in every process that trains.
    """
    network._apply(lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype, device=device))


@torch.no_grad()
def initialize(network: nn.Module, scheme: str, generator_for: GeneratorFor) -> None:
    """Fill every parameter and buffer of ``network``, in place.

    ``scheme``: ``torch`` (the default of torch's layers: U(±1/√fan_in)), ``dcgan`` (N(0, 0.02), Radford et al. 2016),
    ``orthogonal`` (Saxe et al. 2014). Raises TypeError for a module that holds parameters and is not known here,
    rather than leave it uninitialised.
    """
    layers, norms, tables = count(), count(), count()
    for module in network.modules():
        if isinstance(module, WEIGHTED):
            _weighted(module, scheme, partial(_part_of, generator_for, f"layer{next(layers)}"))
        elif isinstance(module, _NORMS):
            _norm(module, scheme, generator_for(f"norm{next(norms)}.weight"))
        elif isinstance(module, nn.Embedding):
            # Beside z ~ N(0, 1), whatever the scheme: a label much smaller than the noise is not heard.
            module.weight.normal_(generator=generator_for(f"embedding{next(tables)}.weight"))
        elif isinstance(module, BatchStatistic | SelfAttention):
            module.start()
        elif isinstance(module, ParametrizationList):
            continue  # its parameter is that of the layer, which has been filled
        elif any(True for _ in module.parameters(recurse=False)):
            raise TypeError(f"no initialisation is known for {type(module).__name__}")


def _part_of(generator_for: GeneratorFor, layer: str, part: str) -> torch.Generator:
    return generator_for(f"{layer}.{part}")


def _weighted(
    layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d, scheme: str, generator_for: Callable[[str], torch.Generator]
) -> None:
    weight, bias = raw_weight(layer), layer.bias
    generator = generator_for("weight")
    if scheme == "dcgan":
        weight.normal_(0.0, 0.02, generator=generator)
    elif scheme == "orthogonal":
        nn.init.orthogonal_(weight, generator=generator)
    elif scheme == "torch":
        bound = 1 / math.sqrt(_fan_in(weight))
        weight.uniform_(-bound, bound, generator=generator)
    else:
        raise ValueError(f"unknown initialisation {scheme!r}")
    if bias is not None:
        if scheme == "torch":
            bound = 1 / math.sqrt(_fan_in(weight))
            bias.uniform_(-bound, bound, generator=generator_for("bias"))
        else:
            bias.zero_()
    norm = spectral_norm_of(layer)
    if norm is not None:
        norm.start(weight, generator_for("u"))


def _fan_in(weight: Tensor) -> int:
    return weight[0].numel()


def _norm(layer: nn.Module, scheme: str, generator: torch.Generator) -> None:
    if isinstance(layer.weight, Tensor):
        if scheme == "dcgan" and isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.weight.normal_(1.0, 0.02, generator=generator)
        else:
            layer.weight.fill_(1.0)
    if isinstance(layer.bias, Tensor):
        layer.bias.zero_()
    if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
        layer.reset_running_stats()

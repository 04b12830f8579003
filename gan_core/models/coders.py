"""Encoders and decoders: any architecture's pair of networks, with a code between them instead of a verdict at one end."""

from __future__ import annotations

from itertools import chain

from torch import nn

from gan_core.models.blocks import Network
from gan_core.models.resnet import GlobalSum


def encoder_from(discriminator: nn.Module, outputs: int) -> Network:
    """x (N, *shape) → (N, outputs): the layers of an unconditional discriminator up to its features, and a linear one."""
    if not isinstance(discriminator, Network) or discriminator.conditional:
        raise TypeError("an encoder is made of an unconditional discriminator that gives logits")
    *layers, last = list(discriminator)[: len(discriminator) - discriminator.head + 1]
    if not isinstance(last, nn.Linear):
        raise TypeError("the head of this discriminator does not begin with a linear layer")
    body = chain.from_iterable(_mean() if isinstance(layer, GlobalSum) else [layer] for layer in layers)
    return Network(*body, nn.Linear(last.in_features, outputs))


def _mean() -> list[nn.Module]:
    """Over the whole map, where a ResNet's sum would give codes that grow with the picture."""
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten()]


def decoder_from(generator: Network, shape: tuple[int, ...]) -> Network:
    """z (N, code_dim) → what is decoded before any bound (N, *shape): a generator of images without its last tanh."""
    modules = list(generator)
    if len(shape) == 3:
        at = max(index for index, module in enumerate(modules) if isinstance(module, nn.Tanh))
        del modules[at]
    return Network(*modules)

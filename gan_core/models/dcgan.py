"""Deep convolutional GAN (Radford et al. 2016), for images whose side is a multiple of 2 to the number of stages."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, pairwise

from torch import nn

from gan_core.models.autoencoder import Autoencoder
from gan_core.models.blocks import Layers, Network, Reshape, halving_fits, upsample


def dcgan_generator(latent_dim: int, shape: tuple[int, ...], layers: Layers) -> Network:
    """z (N, latent_dim) → x̂ (N, C, H, W) in [−1, 1]: a linear layer to the smallest map, then one stage per width."""
    channels, height, width = shape
    scale = 2 ** len(layers.widths)
    first = layers.widths[0]
    small = (first, height // scale, width // scale)
    join, inputs = layers.condition.beside_z(latent_dim)
    stages = [[*join, nn.Linear(inputs, math.prod(small)), Reshape(*small), *layers.after(first, spatial=True)]]
    for channels_in, channels_out in pairwise(layers.widths):
        stages.append(upsample(channels_in, channels_out, layers.upsampling) + layers.after(channels_out, spatial=True))
    layers.attend(stages, [min(small[1:]) * 2**stage for stage in range(len(stages))], layers.widths)
    return Network(*chain(*stages), *upsample(layers.widths[-1], channels, layers.upsampling), nn.Tanh())


def dcgan_discriminator(shape: tuple[int, ...], layers: Layers) -> Network | Autoencoder:
    """x (N, C, H, W) → logits (N,): one strided convolution per width, no normalisation in the first."""
    return strided(shape, layers, kernel_size=4, generator=dcgan_generator)


def strided(
    shape: tuple[int, ...],
    layers: Layers,
    *,
    kernel_size: int,
    generator: Callable[[int, tuple[int, ...], Layers], Network],
) -> Network | Autoencoder:
    """A discriminator whose convolutions halve the map; one that is an autoencoder decodes by this generator."""
    _, height, width = shape
    join, channels = layers.condition.beside_x(shape)
    stages: list[list[nn.Module]] = []
    for index, (channels_in, channels_out) in enumerate(pairwise((channels, *layers.widths))):
        convolution = nn.Conv2d(channels_in, channels_out, kernel_size=kernel_size, stride=2, padding=1)
        stages.append([convolution, *layers.after(channels_out, spatial=True, normalize=index > 0)])
    layers.attend(stages, [min(height, width) // 2 ** (stage + 1) for stage in range(len(stages))], layers.widths)
    modules = [*join, *chain(*stages), nn.Flatten()]
    scale = 2 ** len(layers.widths)
    features = layers.widths[-1] * (height // scale) * (width // scale)
    if layers.output == "logit":
        head = layers.head(features)
        return Network(*modules, *head, head=len(head))
    # The decoder is the generator from the code, but for its last tanh: L1 can reach the edge of the range without.
    decoder = generator(layers.code_dim, shape, replace(layers, widths=tuple(reversed(layers.widths))))
    return Autoencoder(Network(*modules, nn.Linear(features, layers.code_dim)), Network(*list(decoder)[:-1]))


def dcgan_fits(shape: tuple[int, ...], layers: Layers) -> str | None:
    """Why this DCGAN cannot be built for data of ``shape``, or None."""
    return halving_fits("DCGAN", shape, len(layers.widths))

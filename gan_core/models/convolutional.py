"""The convolutional autoencoder's pair of networks: 3×3 convolutions that halve the map, and one over the whole rest of it.

With widths 16 and 32 and a code of 64 on 28×28 this is the network that courses print, 1-16-32-64(7×7): a fully connected layer
to the code is the 7×7 convolution, weight by weight.
"""

from __future__ import annotations

from itertools import chain, pairwise

from torch import nn

from gan_core.models.autoencoder import Autoencoder
from gan_core.models.blocks import Layers, Network, Reshape, halving_fits, upsample
from gan_core.models.dcgan import strided


def convolutional_generator(latent_dim: int, shape: tuple[int, ...], layers: Layers) -> Network:
    """z (N, latent_dim) → x̂ (N, C, H, W) in [−1, 1]: a transposed convolution to the smallest map, then one stage per width."""
    channels, height, width = shape
    scale = 2 ** len(layers.widths)
    small = (height // scale, width // scale)
    join, inputs = layers.condition.beside_z(latent_dim)
    first = [*join, Reshape(inputs, 1, 1), nn.ConvTranspose2d(inputs, layers.widths[0], kernel_size=small)]
    stages = [[*first, *layers.after(layers.widths[0], spatial=True)]]
    for channels_in, channels_out in pairwise(layers.widths):
        stages.append(_double(channels_in, channels_out, layers) + layers.after(channels_out, spatial=True))
    layers.attend(stages, [min(small) * 2**stage for stage in range(len(stages))], layers.widths)
    return Network(*chain(*stages), *_double(layers.widths[-1], channels, layers), nn.Tanh())


def convolutional_discriminator(shape: tuple[int, ...], layers: Layers) -> Network | Autoencoder:
    """x (N, C, H, W) → logits (N,): one strided convolution per width, no normalisation in the first."""
    return strided(shape, layers, kernel_size=3, generator=convolutional_generator)


def convolutional_fits(shape: tuple[int, ...], layers: Layers) -> str | None:
    """Why this network cannot be built for data of ``shape``, or None."""
    return halving_fits("convolutional network", shape, len(layers.widths))


def _double(channels_in: int, channels_out: int, layers: Layers) -> list[nn.Module]:
    if layers.upsampling != "transposed":
        return upsample(channels_in, channels_out, layers.upsampling)
    return [nn.ConvTranspose2d(channels_in, channels_out, kernel_size=3, stride=2, padding=1, output_padding=1)]

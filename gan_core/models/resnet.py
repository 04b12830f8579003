"""Residual networks for images, in the form of SN-GAN (Miyato et al. 2018) and WGAN-GP (Gulrajani et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, pairwise

import torch
from torch import Tensor, nn

from gan_core.models.autoencoder import Autoencoder
from gan_core.models.blocks import Layers, Network, Reshape, halving_fits, interpolation, upsample


class Residual(nn.Module):
    """x → main(x) + shortcut(x); ``does`` says what for, in words."""

    def __init__(self, main: Iterable[nn.Module], shortcut: Iterable[nn.Module], does: str) -> None:
        super().__init__()
        self.main, self.shortcut, self.does = nn.Sequential(*main), nn.Sequential(*shortcut), does

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.main(x) + self.shortcut(x)
        return total


class GlobalSum(nn.Module):
    """(N, C, H, W) → (N, C): the sum over all pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sum(x, dim=(2, 3))


def _convolution(channels_in: int, channels_out: int, size: int = 3) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, kernel_size=size, padding=size // 2)


def _up(channels_in: int, channels_out: int, layers: Layers) -> Residual:
    main = [
        *layers.after(channels_in, spatial=True, drop=False),
        *upsample(channels_in, channels_out, layers.upsampling),
        *layers.after(channels_out, spatial=True),
        _convolution(channels_out, channels_out),
    ]
    # The shortcut has no other way than to interpolate: with a transposed convolution it would be a second main path.
    mode = "bilinear" if layers.upsampling == "bilinear" else "nearest"
    return Residual(main, [interpolation(mode), _convolution(channels_in, channels_out, 1)], "twice the size")


def _down(channels_in: int, channels_out: int, layers: Layers) -> Residual:
    main = [
        *layers.after(channels_in, spatial=True, drop=False),
        _convolution(channels_in, channels_out),
        *layers.after(channels_out, spatial=True),
        _convolution(channels_out, channels_out),
        nn.AvgPool2d(2),
    ]
    return Residual(main, [_convolution(channels_in, channels_out, 1), nn.AvgPool2d(2)], "half the size")


def _first(channels_in: int, channels_out: int, layers: Layers) -> Residual:
    """The block that sees x itself: an activation or a normalisation before it would lose what x is."""
    main = [
        _convolution(channels_in, channels_out),
        *layers.after(channels_out, spatial=True, normalize=False),
        _convolution(channels_out, channels_out),
        nn.AvgPool2d(2),
    ]
    return Residual(main, [nn.AvgPool2d(2), _convolution(channels_in, channels_out, 1)], "half the size")


def _level(channels: int, layers: Layers) -> Residual:
    main = [
        *layers.after(channels, spatial=True, drop=False),
        _convolution(channels, channels),
        *layers.after(channels, spatial=True),
        _convolution(channels, channels),
    ]
    return Residual(main, [], "the same size")


def resnet_generator(latent_dim: int, shape: tuple[int, ...], layers: Layers) -> Network:
    """z (N, latent_dim) → x̂ (N, C, H, W) in [−1, 1]: the smallest map, then a block per width that doubles it."""
    channels, height, width = shape
    scale = 2 ** len(layers.widths)
    first, last = layers.widths[0], layers.widths[-1]
    small = (first, height // scale, width // scale)
    join, inputs = layers.condition.beside_z(latent_dim)
    stages: list[list[nn.Module]] = [[*join, nn.Linear(inputs, first * small[1] * small[2]), Reshape(*small)]]
    for channels_in, channels_out in pairwise((first, *layers.widths)):
        stages.append([_up(channels_in, channels_out, layers)])
    # The last map has the size of the image: too large to weigh every pixel against every other.
    sides = [min(small[1:]) * 2**stage for stage in range(len(layers.widths))]
    layers.attend(stages, sides, (first, *layers.widths))
    return Network(
        *chain(*stages), *layers.after(last, spatial=True, drop=False), _convolution(last, channels), nn.Tanh()
    )


def resnet_discriminator(shape: tuple[int, ...], layers: Layers) -> Network | Autoencoder:
    """x (N, C, H, W) → logits (N,): a block per width that halves the map, one that keeps it, the sum over all pixels."""
    _, height, width = shape
    join, channels = layers.condition.beside_x(shape)
    last = layers.widths[-1]
    stages: list[list[nn.Module]] = [[_first(channels, layers.widths[0], layers)]]
    for channels_in, channels_out in pairwise(layers.widths):
        stages.append([_down(channels_in, channels_out, layers)])
    layers.attend(stages, [min(height, width) // 2 ** (stage + 1) for stage in range(len(stages))], layers.widths)
    body = [*join, *chain(*stages), _level(last, layers), *layers.after(last, spatial=True, drop=False)]
    if layers.output == "logit":
        head = layers.head(last)
        return Network(*body, GlobalSum(), *head, head=len(head))
    # A sum over pixels would forget where things are, and the decoder has to put them back.
    scale = 2 ** len(layers.widths)
    encoder = [*body, nn.Flatten(), nn.Linear(last * (height // scale) * (width // scale), layers.code_dim)]
    decoder = resnet_generator(layers.code_dim, shape, replace(layers, widths=tuple(reversed(layers.widths))))
    return Autoencoder(Network(*encoder), Network(*list(decoder)[:-1]))


def resnet_fits(shape: tuple[int, ...], layers: Layers) -> str | None:
    """Why this ResNet cannot be built for data of ``shape``, or None."""
    return halving_fits("ResNet", shape, len(layers.widths))

"""Deep convolutional GAN (Radford et al. 2016), for images whose side is a multiple of 2 to the number of stages."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from torch import nn

from gan_core.models.autoencoder import Autoencoder
from gan_core.models.blocks import Layers, Network, Reshape


def _upsample(channels_in: int, channels_out: int, mode: str) -> list[nn.Module]:
    """Double height and width: one transposed convolution, or interpolation and then a convolution (Odena et al. 2016)."""
    if mode == "transposed":
        return [nn.ConvTranspose2d(channels_in, channels_out, kernel_size=4, stride=2, padding=1)]
    smooth = {"align_corners": False} if mode == "bilinear" else {}
    return [
        nn.Upsample(scale_factor=2, mode=mode, **smooth),
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1),
    ]


def dcgan_generator(latent_dim: int, shape: tuple[int, ...], layers: Layers) -> Network:
    """z (N, latent_dim) → x̂ (N, C, H, W) in [−1, 1]: a linear layer to the smallest map, then one stage per width."""
    channels, height, width = shape
    scale = 2 ** len(layers.widths)
    first = layers.widths[0]
    small = (first, height // scale, width // scale)
    modules: list[nn.Module] = [nn.Linear(latent_dim, first * small[1] * small[2]), Reshape(*small)]
    modules += layers.after(first, spatial=True)
    for channels_in, channels_out in pairwise(layers.widths):
        modules += _upsample(channels_in, channels_out, layers.upsampling)
        modules += layers.after(channels_out, spatial=True)
    return Network(*modules, *_upsample(layers.widths[-1], channels, layers.upsampling), nn.Tanh())


def dcgan_discriminator(shape: tuple[int, ...], layers: Layers) -> Network | Autoencoder:
    """x (N, C, H, W) → logits (N,): one strided convolution per width, no normalisation in the first."""
    channels, height, width = shape
    modules: list[nn.Module] = []
    for index, (channels_in, channels_out) in enumerate(pairwise((channels, *layers.widths))):
        modules.append(nn.Conv2d(channels_in, channels_out, kernel_size=4, stride=2, padding=1))
        modules += layers.after(channels_out, spatial=True, normalize=index > 0)
    modules.append(nn.Flatten())
    scale = 2 ** len(layers.widths)
    features = layers.widths[-1] * (height // scale) * (width // scale)
    if layers.output == "logit":
        head = layers.head(features)
        return Network(*modules, *head, head=len(head))
    # The decoder is a DCGAN generator from the code, but for its last tanh: L1 can reach the edge of the range without.
    decoder = dcgan_generator(layers.code_dim, shape, replace(layers, widths=tuple(reversed(layers.widths))))
    return Autoencoder(Network(*modules, nn.Linear(features, layers.code_dim)), Network(*list(decoder)[:-1]))


def dcgan_fits(shape: tuple[int, ...], layers: Layers) -> str | None:
    """Why this DCGAN cannot be built for data of ``shape``, or None."""
    if len(shape) != 3:
        return "a DCGAN makes images; for points choose an MLP"
    _, height, width = shape
    scale = 2 ** len(layers.widths)
    if height % scale or width % scale or min(height, width) // scale < 2:
        most = max((n for n in range(1, 10) if height % 2**n == 0 and min(height, width) // 2**n >= 2), default=0)
        if most == 0:
            return f"a DCGAN halves images, and {height}×{width} cannot be halved; for these choose an MLP"
        return (
            f"{len(layers.widths)} stages halve {height}×{width} images {len(layers.widths)} times, which does not come "
            f"out even; choose {'1' if most == 1 else f'1 to {most}'} width(s)"
        )
    return None

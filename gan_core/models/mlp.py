"""Multilayer perceptrons, for data of any shape."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import nn

from gan_core.models.autoencoder import Autoencoder
from gan_core.models.blocks import Layers, Network, Reshape

Discriminator = Network | Autoencoder


def _hidden(sizes: tuple[int, ...], layers: Layers, *, normalize_first: bool) -> list[nn.Module]:
    modules: list[nn.Module] = []
    for index, (width_in, width_out) in enumerate(pairwise(sizes)):
        modules.append(nn.Linear(width_in, width_out))
        modules += layers.after(width_out, spatial=False, normalize=normalize_first or index > 0)
    return modules


def mlp_generator(latent_dim: int, shape: tuple[int, ...], layers: Layers) -> Network:
    """z (N, latent_dim) → x̂ (N, *shape); tanh at the end for images, linear for points."""
    join, inputs = layers.condition.beside_z(latent_dim)
    modules = [*join, *_hidden((inputs, *layers.widths), layers, normalize_first=True)]
    modules.append(nn.Linear(layers.widths[-1], math.prod(shape)))
    if len(shape) == 3:
        modules += [nn.Tanh(), Reshape(*shape)]
    return Network(*modules)


def mlp_discriminator(shape: tuple[int, ...], layers: Layers) -> Discriminator:
    """x (N, *shape) → logits (N,)."""
    size = math.prod(shape)
    join, inputs = layers.condition.beside_x((size,))
    modules = [nn.Flatten(), *join, *_hidden((inputs, *layers.widths), layers, normalize_first=False)]
    if layers.output == "logit":
        head = layers.head(layers.widths[-1])
        return Network(*modules, *head, head=len(head))
    back = tuple(reversed(layers.widths))
    decoder = _hidden((layers.code_dim, *back), layers, normalize_first=True)
    return Autoencoder(
        Network(*modules, nn.Linear(back[0], layers.code_dim)),
        Network(*decoder, nn.Linear(back[-1], size), Reshape(*shape)),
    )


def mlp_fits(shape: tuple[int, ...], layers: Layers) -> str | None:
    """Why this MLP cannot be built for data of ``shape``, or None."""
    if layers.normalization == "instance":
        return "instance normalisation needs feature maps: choose batch, layer or none for an MLP"
    if layers.attention:
        return "self-attention needs feature maps: choose a DCGAN or a ResNet, or no attention"
    return None

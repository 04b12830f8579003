"""Discriminators of pairs: D(x, z) tells which of two joint distributions a sample and a code come from."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gan_core.models.blocks import Layers, Network
from gan_core.models.coders import encoder_from
from gan_core.models.conditioning import Conditional
from gan_core.models.mlp import mlp_discriminator


class CodeBeside(Conditional):
    """(N, F), z (N, code_dim) → (N, F + code_dim): a linear layer after it gives f(x) + f_z(z)."""

    num_classes = 0

    def forward(self, h: Tensor, y: Tensor | None) -> Tensor:
        return torch.cat([h, self.required(y)], dim=1)


def mlp_pair_discriminator(shape: tuple[int, ...], code_dim: int, layers: Layers) -> Network:
    """x (N, *shape), z (N, code_dim) → logits (N,): an MLP of both, one after the other."""
    discriminator = mlp_discriminator((math.prod(shape) + code_dim,), layers)
    assert isinstance(discriminator, Network)
    flatten, *rest = discriminator
    return Network(flatten, CodeBeside(), *rest, head=discriminator.head)


def joined_discriminator(discriminator: nn.Module, code_dim: int, joint: int, layers: Layers) -> Network:
    """x (N, *shape), z (N, code_dim) → logits (N,): the features of an unconditional discriminator, then z beside them.

    A hidden layer of ``joint`` units sees both: without one the logit would be a(x) + b(z), which knows no pairs.
    """
    features = encoder_from(discriminator, joint)
    head = layers.head(joint)
    return Network(
        *features,
        *layers.after(joint, spatial=False, normalize=False),
        CodeBeside(),
        nn.Linear(joint + code_dim, joint),
        *layers.after(joint, spatial=False, normalize=False),
        *head,
        head=len(head),
    )

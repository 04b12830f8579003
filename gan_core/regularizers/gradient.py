"""Gradient penalties on one primitive: the norm of the critic's gradient, one per sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gan_core.about import About

Critic = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Penalty:
    """``measure(critic, x, x_fake, generator)`` is the unweighted penalty, a scalar; the weight is the config's.

    ``critic`` maps samples to logits (conditions and packing are bound already); ``generator`` is the run's stream for
    penalties. ``term`` is its name in D's loss, ``symbol`` the paper's name of the weight.
    """

    measure: Callable[[Critic, Tensor, Tensor, torch.Generator], Tensor]
    term: str
    symbol: str
    default: float
    about: About


def gradient_norm(critic: Critic, x: Tensor) -> Tensor:
    """‖∇ₓ critic(x)‖₂ for each sample, (N,), differentiable in the critic's weights.

    The sum over a batch has each sample's own gradient because samples do not see each other (no batch norm in D).
    """
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.flatten(1).norm(2, dim=1)


def interpolate(x: Tensor, x_fake: Tensor, generator: torch.Generator) -> Tensor:
    """A point on the segment from each x̂ to its x: αx + (1−α)x̂ with one α ~ U(0, 1) per sample."""
    alpha = torch.rand((len(x), *[1] * (x.dim() - 1)), generator=generator, device=x.device, dtype=x.dtype)
    return alpha * x + (1 - alpha) * x_fake


def gradient_penalty(critic: Critic, x: Tensor, x_fake: Tensor, generator: torch.Generator) -> Tensor:
    """E (‖∇D(αx + (1−α)x̂)‖₂ − 1)²."""
    return (gradient_norm(critic, interpolate(x, x_fake, generator)) - 1).square().mean()


PENALTIES: dict[str, Penalty] = {
    "gradient_penalty": Penalty(
        gradient_penalty,
        term="gp",
        symbol="λ_gp",
        default=10.0,
        about=About(
            title="Gradient penalty",
            paper="Gulrajani et al., Improved Training of Wasserstein GANs, equation 3",
            year=2017,
            formula=r"\lambda\,\mathbb{E}_{\alpha\sim U(0,1)}\,(\lVert\nabla D(\alpha x+(1-\alpha)\hat x)\rVert_2-1)^2",
            idea="The optimal Wasserstein critic has slope one almost everywhere between real and generated samples; "
            "the penalty asks for just that, sample by sample.",
            watch_for="The term should settle at a small value. λ = 10 suits images; on 2-D toys 0.1 learns faster, "
            "because 10 flattens the critic between close modes.",
            url="https://arxiv.org/abs/1704.00028",
        ),
    ),
}

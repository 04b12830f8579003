"""Gradient penalties on one primitive: the critic's gradient, one per sample."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


def slopes(critic: Critic, x: Tensor) -> Tensor:
    """∇ₓ critic(x) for each sample, (N, d), differentiable in the critic's weights.

    The sum over a batch has each sample's own gradient because samples do not see each other (no batch norm in D).
    """
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.flatten(1)


def gradient_norm(critic: Critic, x: Tensor) -> Tensor:
    """‖∇ₓ critic(x)‖₂ for each sample, (N,)."""
    return slopes(critic, x).norm(2, dim=1)


def interpolate(x: Tensor, x_fake: Tensor, generator: torch.Generator) -> Tensor:
    """A point on the segment from each x̂ to its x: αx + (1−α)x̂ with one α ~ U(0, 1) per sample."""
    alpha = torch.rand((len(x), *[1] * (x.dim() - 1)), generator=generator, device=x.device, dtype=x.dtype)
    return alpha * x + (1 - alpha) * x_fake


def perturb(x: Tensor, generator: torch.Generator) -> Tensor:
    """x + ½ std(x) U, with U ~ U(0, 1) for each number and the standard deviation of the whole batch."""
    return x + 0.5 * x.std() * torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype)


def gradient_penalty(critic: Critic, x: Tensor, x_fake: Tensor, generator: torch.Generator) -> Tensor:
    """E (‖∇D(αx + (1−α)x̂)‖₂ − 1)²."""
    return (gradient_norm(critic, interpolate(x, x_fake, generator)) - 1).square().mean()


def one_sided_gradient_penalty(critic: Critic, x: Tensor, x_fake: Tensor, generator: torch.Generator) -> Tensor:
    """E max(0, ‖∇D(αx + (1−α)x̂)‖₂ − 1)²."""
    return F.relu(gradient_norm(critic, interpolate(x, x_fake, generator)) - 1).square().mean()


def dragan(critic: Critic, x: Tensor, x_fake: Tensor, generator: torch.Generator) -> Tensor:
    """E (‖∇D(x̃)‖₂ − 1)² with x̃ around the real data."""
    return (gradient_norm(critic, perturb(x, generator)) - 1).square().mean()


def r1(critic: Critic, x: Tensor, x_fake: Tensor, generator: torch.Generator) -> Tensor:
    """½ E ‖∇D(x)‖₂²."""
    return slopes(critic, x).square().sum(1).mean() / 2


def r2(critic: Critic, x: Tensor, x_fake: Tensor, generator: torch.Generator) -> Tensor:
    """½ E ‖∇D(x̂)‖₂²."""
    return slopes(critic, x_fake).square().sum(1).mean() / 2

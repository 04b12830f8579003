"""A discriminator looked ahead (Metz et al. 2017): the steps that it would take, kept differentiable."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gan_core.training.player import Player

Critic = Callable[..., Any]
"""Called as D is: with x, with y where there are labels."""
Moments = dict[str, Tensor]

# sqrt has no slope at 0, where a weight without gradient stands.
_TINY = 1e-24


def look_ahead(
    D: nn.Module, player: Player, loss_of: Callable[[Critic], Tensor], steps: int, clip: float | None
) -> Critic:
    """D as it would be after ``steps`` steps of ``player``'s optimiser down ``loss_of(critic)``.

    The optimiser goes on from its present moments. Whatever ``loss_of`` depends on has its gradient through all steps.
    D itself, its buffers and the optimiser stay as they are. ``clip`` is the bound of weight clipping, if there is one.
    """
    names = [name for name, _ in D.named_parameters()]
    weights = [parameter.detach().clone().requires_grad_(True) for parameter in D.parameters()]
    buffers = {name: buffer.clone() for name, buffer in D.named_buffers()}
    moments = [_moments(player.optimizer, parameter) for parameter in D.parameters()]
    (settings,) = player.optimizer.param_groups

    def critic(*inputs: Any, **wishes: Any) -> Any:
        return functional_call(D, dict(zip(names, weights, strict=True)) | buffers, inputs, wishes)

    for _ in range(steps):
        gradients = torch.autograd.grad(
            loss_of(critic), weights, create_graph=True, allow_unused=True, materialize_grads=True
        )
        if player.clip_gradient is not None:
            norm = torch.stack([gradient.square().sum() for gradient in gradients]).sum().add(_TINY).sqrt()
            gradients = tuple(gradient * (player.clip_gradient / (norm + 1e-6)).clamp(max=1) for gradient in gradients)
        weights = [
            step(player.optimizer, settings, weight, gradient, own)
            for weight, gradient, own in zip(weights, gradients, moments, strict=True)
        ]
        if clip is not None:
            weights = [weight.clamp(-clip, clip) for weight in weights]
    return critic


def step(
    optimizer: torch.optim.Optimizer, settings: dict[str, Any], weight: Tensor, gradient: Tensor, moments: Moments
) -> Tensor:
    """The weight after one step, a differentiable function of weight and gradient; ``moments`` moves on."""
    lr = settings["lr"]
    match optimizer:
        case torch.optim.Adam():
            beta1, beta2 = settings["betas"]
            moments["step"] = moments["step"] + 1
            moments["exp_avg"] = beta1 * moments["exp_avg"] + (1 - beta1) * gradient
            moments["exp_avg_sq"] = beta2 * moments["exp_avg_sq"] + (1 - beta2) * gradient.square()
            mean = moments["exp_avg"] / _one_minus_power(beta1, moments["step"])
            square = moments["exp_avg_sq"] / _one_minus_power(beta2, moments["step"])
            return weight - lr * mean / ((square + _TINY).sqrt() + settings["eps"])
        case torch.optim.RMSprop():
            alpha = settings["alpha"]
            moments["square_avg"] = alpha * moments["square_avg"] + (1 - alpha) * gradient.square()
            direction = gradient / ((moments["square_avg"] + _TINY).sqrt() + settings["eps"])
        case torch.optim.SGD():
            direction = gradient
        case _:
            raise TypeError(f"unrolling does not know {type(optimizer).__name__}")
    if settings["momentum"] > 0:
        moments["momentum_buffer"] = settings["momentum"] * moments["momentum_buffer"] + direction
        direction = moments["momentum_buffer"]
    return weight - lr * direction


def _one_minus_power(beta: float, step: Tensor) -> Tensor | float:
    """1 − β^step without the rounding of a difference near 0."""
    return -torch.expm1(step * math.log(beta)) if beta > 0 else 1.0


def _moments(optimizer: torch.optim.Optimizer, parameter: nn.Parameter) -> Moments:
    """Copies of what the optimiser remembers of a parameter; zeros before its first step."""
    kept = optimizer.state.get(parameter, {})
    zero = torch.zeros_like(parameter)
    return {
        "step": torch.zeros((), device=parameter.device),
        **dict.fromkeys(("exp_avg", "exp_avg_sq", "square_avg", "momentum_buffer"), zero),
        **{name: value.detach().clone() for name, value in kept.items() if isinstance(value, Tensor)},
    }

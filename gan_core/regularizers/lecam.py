"""LeCam: D's logits are held near moving anchors (Tseng et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_core.regularizers.gradient import Critic


def lecam(
    critic: Critic,
    x: Tensor,
    x_fake: Tensor,
    generator: torch.Generator,
    *,
    real: Tensor | float = 0.0,
    fake: Tensor | float = 0.0,
) -> Tensor:
    """E (D(x) − α_F)² + E (D(x̂) − α_R)²; ``real`` and ``fake`` are the anchors α_R and α_F."""
    return (critic(x) - fake).square().mean() + (critic(x_fake.detach()) - real).square().mean()


def lecam_anchors(
    real_logits: Tensor, fake_logits: Tensor, *, real: Tensor, fake: Tensor, decay: float = 0.99
) -> dict[str, Tensor]:
    """The moving averages of D's mean logit on real and on generated data."""
    return {
        "real": decay * real + (1 - decay) * real_logits.mean(),
        "fake": decay * fake + (1 - decay) * fake_logits.mean(),
    }

"""Regularisers that act on weights: clipping after each step."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from gan_core.about import About

WEIGHT_CLIPPING = About(
    title="Weight clipping",
    paper="Arjovsky, Chintala, Bottou, Wasserstein GAN, Algorithm 1",
    year=2017,
    formula=r"w \leftarrow \mathrm{clip}(w, -c, c)",
    idea="A network with bounded weights is Lipschitz. Crude, as its authors say: the bound on the weights is not "
    "the bound on the slope.",
    watch_for="Too small a bound: vanishing gradients and weights that all sit at ±c. Too large: slow, unstable D.",
    url="https://arxiv.org/abs/1701.07875",
)


@torch.no_grad()
def clip_weights(modules: Iterable[nn.Module], bound: float) -> None:
    """Clamp every parameter of ``modules`` to [−bound, bound], in place. Raises ValueError for a bound ≤ 0."""
    if not bound > 0:
        raise ValueError(f"the clip value must be positive, got {bound}")
    for module in modules:
        parameters: list[torch.Tensor] = list(module.parameters())
        torch._foreach_clamp_min_(parameters, -bound)
        torch._foreach_clamp_max_(parameters, bound)

"""What G makes on the way from one z to another: a G that has learnt more than to repeat changes step by step.

On a sphere, where the prior is a Gaussian: between two of its draws a straight line passes where it hardly ever is
(White 2016, https://arxiv.org/abs/1609.04468).
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan_core.data import ImageSource, StackedSource
from gan_core.engine.exchange.generator import NothingToPlay, open_generator
from gan_core.engine.showing.pictures import png, tile
from gan_core.store import RunStore
from gan_core.training.streams import Streams

PAIRS, STEPS = 6, 10


def between(start: Tensor, end: Tensor, steps: int, *, straight: bool) -> Tensor:
    """From each z of ``start`` (n, d) to that of ``end`` in so many steps, both included: (n, steps, d)."""
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    start, end = start[:, None], end[:, None]
    if straight:
        return start + share * (end - start)
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=-1)[..., None]
    angle = cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos()
    return (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin()


def strip(store: RunStore, run_id: str) -> bytes | None:
    """``PAIRS`` rows of ``STEPS`` images as a PNG, from the newest checkpoint; None where G makes no images, or where no
    checkpoint or no data are left to make it from. A row of a conditional run keeps its class. Raises RunNotFound, and
    StoreError where it cannot be told what is left.
    """
    try:
        generator = open_generator(store, run_id)
    except NothingToPlay:
        return None
    config, source = generator.config, generator.source
    if not isinstance(source, ImageSource | StackedSource):
        return None
    draw, stream = generator.latent, Streams(config.seed).generator("previews")
    z = between(draw(PAIRS, stream), draw(PAIRS, stream), STEPS, straight=draw.kind != "normal")
    y = [row % source.num_classes for row in range(PAIRS) for _ in range(STEPS)] if generator.conditional else None
    return png(tile(generator(z.flatten(0, 1), y), STEPS))

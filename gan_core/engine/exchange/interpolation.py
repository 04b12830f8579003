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


NARROW = 1e-3  # sine of an angle below which two directions are the same, or opposite, as far as float32 tells


def between(start: Tensor, end: Tensor, steps: int, *, straight: bool) -> Tensor:
    """From each z of ``start`` (n, d) to that of ``end`` in so many steps, both included: (n, steps, d)."""
    share = torch.linspace(0, 1, steps, device=start.device)
    return part_of_the_way(start[:, None], end[:, None], share[:, None], straight=straight)


def part_of_the_way(start: Tensor, end: Tensor, share: Tensor | float, *, straight: bool) -> Tensor:
    """z at ``share`` (…, 1), 0 to 1, of the way between z (…, d); 0 and 1 are the ends themselves.

    On the sphere z turns at an even pace, so between two of equal norm the norm stays. Between two of one direction the way is
    straight; between two opposite ones it takes a fixed half circle, since every one of them is as short.
    """
    share = torch.as_tensor(share, dtype=start.dtype, device=start.device)
    line = torch.lerp(*torch.broadcast_tensors(start, end, share))
    if straight:
        return line
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=-1)[..., None].clamp(-1, 1)
    angle = cosine.acos()
    sine = angle.sin()
    round_ = (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / sine.clamp_min(NARROW)
    if (sine <= NARROW).any():
        half = torch.pi * share
        over = half.cos() * torch.lerp(*torch.broadcast_tensors(start, -end, share)) + half.sin() * _across(start)
        round_ = torch.where(sine > NARROW, round_, torch.where(cosine > 0, line, over))
    return torch.where(share <= 0, start, torch.where(share >= 1, end, round_))


def _across(z: Tensor) -> Tensor:
    """A vector (…, d) at right angles to z and as long; zero on a line, where there is none."""
    aside = torch.nn.functional.one_hot(z.abs().argmin(-1), z.shape[-1]).to(z.dtype)
    direction = torch.nn.functional.normalize(z, dim=-1)
    aside = aside - (aside * direction).sum(-1, keepdim=True) * direction
    return torch.nn.functional.normalize(aside, dim=-1) * z.norm(dim=-1, keepdim=True)


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

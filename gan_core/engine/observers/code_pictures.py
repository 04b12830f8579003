"""Pictures of a code: held-out images whose codes are pushed about, and what is decoded all over a plane of codes.

At a measurement they cost two passes through the encoder and one through the decoder: about 0.02 CPU seconds for digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import MixtureSource, Source, to_uint8
from gan_core.engine.messages import Sheet
from gan_core.engine.observers.base import rounded
from gan_core.engine.observers.held import HELD, Labelled, samples_of
from gan_core.training import GAMES, Encodes, Game, Samples
from gan_core.training.abilities import Decodes
from gan_core.training.streams import Streams

NOISE = (0.0, 0.5, 1.0, 2.0, 3.0)  # in standard deviations of the code
HEADS = ("x", "0", "½ σ", "1 σ", "2 σ", "3 σ")
IN_ROWS = 6
COURSE = 10.0  # the noise that courses add to each number of a code, whatever its scale
SIDE, EDGE = 15, 0.03  # of the plane: so many pictures along each axis, between these quantiles of the prior


class CodePictures:
    """Always of the same held-out images and the same noise."""

    def __init__(self, config: RunConfig, source: Source) -> None:
        self._device = config.device
        self._images = not isinstance(source, MixtureSource)
        prior = GAMES[config.game].latent(config)
        self._plane = prior is not None and (prior.dim, prior.kind) == (2, "normal")
        self._held = samples_of(source, HELD, heldout=True)
        self._rows = _of_each_class(self._held)

    def draw(self, game: Game) -> dict[str, Any]:
        """The parts of a frame that this game can give; none of points, which are seen as they are."""
        if not (self._images and isinstance(game, Encodes) and len(self._held.x)):
            return {}
        codes = game.encode(self._held.x.to(self._device))
        if not bool(codes.isfinite().all()):
            return {}
        parts: dict[str, Any] = {}
        if isinstance(game, Decodes) or (isinstance(game, Samples) and self._plane):
            parts["perturbed"] = self._perturbed(game, codes)
        if self._plane and codes.shape[1] == 2 and isinstance(game, Samples):
            parts["manifold"] = self._manifold(game)
            labels = None if self._held.y is None else self._held.y.tolist()
            parts["codes"] = {"codes": rounded(codes.cpu().numpy()), "classes": labels}
        return parts

    def _perturbed(self, game: Decodes | Samples, codes: Tensor) -> Sheet:
        """A row for each x: itself, and what is decoded of its code with more and more noise."""
        spread = codes.std(0)
        some = codes[self._rows]
        noise = torch.randn(some.shape, generator=Streams(0).generator("codes", "noise"))
        noise[::2] *= -1  # or a few rows may all go the same way
        noise = noise.to(self._device)
        z = torch.cat([some + scale * spread * noise for scale in NOISE])
        made = game.decode(z) if isinstance(game, Decodes) else game.sample(z)
        x = self._held.x[self._rows]
        columns = torch.cat([x[None], made.cpu().unflatten(0, (len(NOISE), len(x)))])
        sigma = float(spread.mean())
        said = f"{COURSE / sigma:.2g}" if sigma > 0 else "∞"
        note = f"σ of a number of the code is {sigma:.2g} here: a noise of {COURSE:g}, as courses add it, is {said} σ."
        return Sheet(to_uint8(columns.transpose(0, 1)).numpy(), HEADS, note)

    def _manifold(self, game: Samples) -> Sheet:
        """What is decoded of equal shares of the prior: the first number of z grows to the right, the second upwards."""
        at = torch.as_tensor(ndtri(np.linspace(EDGE, 1 - EDGE, SIDE)), dtype=torch.float32)
        across, up = torch.meshgrid(at, at.flip(0), indexing="xy")
        z = torch.stack([across.flatten(), up.flatten()], 1).to(self._device)
        made = to_uint8(game.sample(z)).cpu().unflatten(0, (SIDE, SIDE))
        return Sheet(made.numpy())


def _of_each_class(held: Labelled) -> Tensor:
    """The places of a few samples, each of another class where there are classes."""
    if held.y is None:
        return torch.arange(min(IN_ROWS, len(held.x)))
    _, first = np.unique(held.y, return_index=True)
    return torch.as_tensor(np.sort(first)[:IN_ROWS])

"""The G of a stored run from picture to picture as a function, and pictures as it takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gan_core.config.games.pix2pix import Pix2pixConfig
from gan_core.data import ImageSource, to_uint8, to_unit
from gan_core.engine.exchange.generator import NothingToPlay, open_game
from gan_core.intake.decode import Refusal, Shape, decode
from gan_core.intake.errors import DataError
from gan_core.store import RunStore
from gan_core.training.abilities import Translates
from gan_core.training.games.pix2pix import degraded


@dataclass(frozen=True)
class Translator:
    """G as it was at ``round``: ``translator(x)`` for pictures x uint8 (n, C, H, W) of the ``shape`` (C, H, W) of its data."""

    shape: tuple[int, ...]
    round: int
    degradation: str
    _game: Translates

    def __call__(self, x: np.ndarray, *, degrade: bool = False) -> np.ndarray:
        """Outputs uint8 (n, C, H, W), always the same, of inputs or, with ``degrade``, of targets that are degraded first.

        Raises ValueError for pictures of another shape or type, DataError where a run that has no degradation is to degrade.
        """
        pictures = np.asarray(x)
        if pictures.dtype != np.uint8 or pictures.shape[1:] != self.shape:
            wanted = " × ".join(map(str, self.shape))
            raise ValueError(f"needs pictures uint8 (n, {wanted}), not {pictures.dtype} {pictures.shape}")
        if degrade and not self.degradation:
            raise DataError("This run degrades nothing: its inputs are data of their own.")
        given = to_unit(torch.from_numpy(np.ascontiguousarray(pictures)))
        made: np.ndarray = to_uint8(
            self._game.translate(degraded(given, self.degradation) if degrade else given)
        ).numpy()
        return made

    def picture(self, content: bytes, name: str) -> np.ndarray:
        """The picture in a file as G takes it, uint8 (C, H, W): whole, on black, at its size. Raises DataError."""
        channels, height, width = self.shape
        if height != width:
            raise DataError(f"{name} does not fit: this run's pictures are not square.")
        try:
            return decode(content, Shape(height, channels, "pad", "black"))
        except Refusal as refusal:
            raise DataError(f"{name} cannot be read: {refusal}.") from None


def open_translator(store: RunStore, run_id: str, at: int | None = None) -> Translator:
    """The G of a run from its newest checkpoint, or from that of round ``at``, on the CPU.

    Raises NothingToPlay where the game does not translate, else as `open_game`.
    """
    opened = open_game(store, run_id, at)
    config, game = opened.config, opened.game
    if not isinstance(game, Translates) or len(opened.source.shape) != 3:
        raise NothingToPlay(f"A run of the game {config.game!r} does not go from picture to picture.")
    own = isinstance(opened.source, ImageSource) and opened.source.inputs is not None
    degradation = config.translation.degradation if isinstance(config, Pix2pixConfig) and not own else ""
    return Translator(opened.source.shape, opened.round, degradation, game)

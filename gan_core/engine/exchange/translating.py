"""The G of a stored run from picture to picture as a function, and pictures as it takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gan_core.config.games.cyclegan import CycleganConfig
from gan_core.data import ImageSource, MixtureSource, Source, StackedSource, to_uint8, to_unit
from gan_core.engine.exchange.generator import NothingToPlay, Opened, open_game
from gan_core.intake.decode import Refusal, Shape, decode
from gan_core.intake.errors import DataError
from gan_core.store import RunStore
from gan_core.training.abilities import Degrades, Translates, TranslatesBack
from gan_core.training.domains import domains
from gan_core.training.games.pix2pix import degraded
from gan_core.training.streams import Streams


@dataclass(frozen=True)
class Translator:
    """G as it was at ``round``: ``translator(x)`` for pictures x uint8 (n, C, H, W) of the ``shape`` (C, H, W) of its inputs.

    ``degradation`` names what makes an input out of a target; it is empty where inputs are not made of targets.
    """

    shape: tuple[int, ...]
    round: int
    degradation: str
    _game: Translates
    _source: Source

    def __call__(self, x: np.ndarray, *, degrade: bool = False) -> np.ndarray:
        """Outputs uint8 (n, C, H, W), always the same, of inputs or, with ``degrade``, of targets that are degraded first.

        Raises ValueError for pictures of another shape or type, DataError where a run that has no degradation is to degrade.
        """
        given = self._taken(x)
        made: np.ndarray = to_uint8(self._game.translate(self._degraded(given, 0) if degrade else given)).numpy()
        return made

    def degraded(self, x: np.ndarray, seed: int = 0) -> np.ndarray:
        """Inputs uint8 (n, C, H, W) made of targets, a function of both. Raises as a call does."""
        made: np.ndarray = to_uint8(self._degraded(self._taken(x), seed)).numpy()
        return made

    def examples(self, n: int, seed: int = 0) -> np.ndarray:
        """Held-out inputs uint8 (n, C, H, W) at random, a function of the seed; fewer where there are not as many."""
        held, _ = self.held_out(n, seed)
        return self.degraded(held, seed) if self.degradation else held

    def held_out(self, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """What those examples are made of, uint8 (n, C, H, W), and their classes (n,), −1 where there are none."""
        return held_out_of(self._source, n, seed)

    def picture(self, content: bytes, name: str) -> np.ndarray:
        """The picture in a file as G takes it, uint8 (C, H, W): whole, on black, at its size. Raises DataError."""
        channels, height, width = self.shape
        if height != width:
            raise DataError(f"{name} does not fit: this run's pictures are not square.")
        try:
            return decode(content, Shape(height, channels, "pad", "black"))
        except Refusal as refusal:
            raise DataError(f"{name} cannot be read: {refusal}.") from None

    def _taken(self, x: np.ndarray) -> Tensor:
        pictures = np.asarray(x)
        if pictures.dtype != np.uint8 or pictures.shape[1:] != self.shape:
            wanted = " × ".join(map(str, self.shape))
            raise ValueError(f"needs pictures uint8 (n, {wanted}), not {pictures.dtype} {pictures.shape}")
        return to_unit(torch.from_numpy(np.ascontiguousarray(pictures)))

    def _degraded(self, x: Tensor, seed: int) -> Tensor:
        if not self.degradation:
            raise DataError("This run degrades nothing: its inputs are data of their own.")
        return degraded(x, self.degradation, seed)


def held_out_of(source: Source, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Held-out pictures uint8 (n, C, H, W) of a source at random, a function of the seed, and their classes (n,), −1 for none.

    Fewer where there are not as many.
    """
    stream = Streams(seed).generator("previews")
    if isinstance(source, StackedSource):
        x, y = source.sample(n, stream, heldout=True)
        return x.numpy(), y.numpy()
    assert not isinstance(source, MixtureSource)  # of points no picture is held out
    chosen = source.heldout_index[torch.randperm(len(source.heldout_index), generator=stream)[:n]]
    labels = source.y[chosen] if source.y is not None else torch.full((len(chosen),), -1)
    return source.x[chosen].numpy(), labels.numpy()


@dataclass(frozen=True)
class _Back:
    """A game without pairs that goes the other way."""

    game: TranslatesBack

    def translate(self, x: Tensor) -> Tensor:
        return self.game.translate_back(x)


def translator_of(opened: Opened, *, back: bool = False) -> Translator:
    """The G of a game that was opened, or its F from B ``back`` to A. Raises NothingToPlay where there is none."""
    game = opened.game
    if back:
        if not isinstance(game, TranslatesBack) or not isinstance(opened.config, CycleganConfig):
            raise NothingToPlay(f"A run of the game {opened.config.game!r} goes one way only.")
        theirs = domains(opened.config, opened.source)[1]
        opened = replace(opened, source=theirs, game=_Back(game))  # type: ignore[arg-type]  # all that is asked of it
        game = opened.game
    if not isinstance(game, Translates) or len(opened.source.shape) != 3:
        raise NothingToPlay(f"A run of the game {opened.config.game!r} does not go from picture to picture.")
    source, degradation = opened.source, game.degradation if isinstance(game, Degrades) else ""
    if isinstance(source, ImageSource) and source.inputs is not None:  # pairs that were brought
        source, degradation = source.of_inputs, ""
    return Translator(source.shape, opened.round, degradation, game, source)


def open_translator(store: RunStore, run_id: str, at: int | None = None, *, back: bool = False) -> Translator:
    """The G of a run, or its F from B ``back`` to A, from its newest checkpoint, or from that of round ``at``, on the CPU.

    Raises NothingToPlay where the game does not translate, or not back, else as `open_game`.
    """
    return translator_of(open_game(store, run_id, at), back=back)

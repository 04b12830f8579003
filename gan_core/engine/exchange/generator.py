"""The G of a stored run as a function: noise in, samples in the units of the data out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from gan_core.checkpoints import CheckpointError, path_of
from gan_core.config import ConfigError, RunConfig
from gan_core.data import MixtureSource, Source, to_uint8
from gan_core.data.places import use_store
from gan_core.exhaustion import cannot_tell
from gan_core.intake.errors import DataError
from gan_core.store import RunStore, StoreError
from gan_core.training import GAMES, Samples, build, load_checkpoint, load_networks, load_source
from gan_core.training.game import Game
from gan_core.training.latent import Prior
from gan_core.training.streams import Streams


class NothingToPlay(StoreError):
    """A run of which no checkpoint that can be read, or no data set, is left."""


@dataclass(frozen=True)
class Generator:
    """G as it was at ``round``, or its moving average where the run keeps one. ``generator(z)`` makes samples."""

    config: RunConfig
    source: Source
    round: int
    latent: Prior
    _game: Samples

    def __repr__(self) -> str:
        told = f"z: {self.latent_dim} × {self.latent.kind}, x: {self.source.shape}"
        return f"<Generator of {self.source.name} at round {self.round:,}, {told}>"

    @property
    def latent_dim(self) -> int:
        return self.latent.dim

    @property
    def conditional(self) -> bool:
        """Whether G is told a class."""
        return GAMES[self.config.game].conditional(self.config)

    @property
    def class_names(self) -> tuple[str, ...]:
        return () if isinstance(self.source, MixtureSource) else self.source.class_names

    def __call__(self, z: ArrayLike | Tensor, y: int | str | Sequence[int | str] | None = None) -> np.ndarray:
        """Samples for z (n, latent_dim) or one z (latent_dim,): images uint8 (n, C, H, W), points float64 (n, d) in the units
        of the data. ``y``, of a conditional run only, is a class for all or one for each, as an index or a name; without one
        the classes take turns. Raises ValueError for a z or a class that does not fit.
        """
        noise = torch.atleast_2d(torch.as_tensor(z, dtype=torch.float32).detach().cpu())
        if noise.ndim != 2 or noise.shape[1] != self.latent_dim:
            raise ValueError(f"z has the shape (n, {self.latent_dim}), not {tuple(noise.shape)}")
        made = self._game.sample(noise, self._labels(y, len(noise)))
        if isinstance(self.source, MixtureSource):
            return self.source.to_data(made.numpy())
        images: np.ndarray = to_uint8(made).numpy()
        return images

    def noise(self, n: int, seed: int = 0) -> np.ndarray:
        """n draws of the prior, (n, latent_dim) float32, a function of the seed alone."""
        drawn: np.ndarray = self.latent(n, Streams(seed).generator("previews")).numpy()
        return drawn

    def sample(self, n: int, y: int | str | Sequence[int | str] | None = None, seed: int = 0) -> np.ndarray:
        """n samples, as ``generator(z, y)`` makes them."""
        return self(self.noise(n, seed), y)

    def _labels(self, y: int | str | Sequence[int | str] | None, n: int) -> Tensor | None:
        if not self.conditional:
            if y is not None:
                raise ValueError("this G is told no class: train with model.condition to ask for one")
            return None
        names = self.class_names
        if y is None:
            return torch.arange(n) % len(names)
        asked = [y] * n if isinstance(y, int | np.integer | str) else list(y)
        if len(asked) != n:
            raise ValueError(f"{len(asked)} classes for {n} samples")
        return torch.tensor([_index(one, names) for one in asked])


def _index(asked: int | str, names: tuple[str, ...]) -> int:
    if isinstance(asked, str):
        if asked not in names:
            raise ValueError(f"no class is called {asked!r}; there are {', '.join(names[:20])}")
        return names.index(asked)
    if not 0 <= int(asked) < len(names):
        raise ValueError(f"class {asked} is not one of 0 to {len(names) - 1}")
    return int(asked)


@dataclass(frozen=True)
class Opened:
    """The game of a stored run with the networks that it had at ``round``, on the CPU."""

    config: RunConfig
    source: Source
    round: int
    game: Game


def open_game(store: RunStore, run_id: str, at: int | None = None) -> Opened:
    """The game of a run from its newest checkpoint, or from that of round ``at``. Raises as `open_generator`."""
    run = store.run(run_id)
    use_store(store.root)
    try:
        config = RunConfig.load(run.config).replace({"device": "cpu"})
        source = load_source(config)
        kept = [saved.round for saved in store.checkpoints(run_id)]
        if not kept or (at is not None and at not in kept):
            held = f"those of rounds {', '.join(f'{one:,}' for one in kept)}" if kept else "none"
            raise NothingToPlay(f"There is no checkpoint to take G from; the run has {held}.")
        round = kept[-1] if at is None else at
        state = load_checkpoint(path_of(store.checkpoint_dir(run_id), round))
    except (CheckpointError, ConfigError, DataError) as error:
        if cannot_tell(error.__cause__):
            raise StoreError(f"G cannot be read just now: {error}.") from error
        raise NothingToPlay(f"G cannot be made again: {error}") from error
    game = build(config, source)
    load_networks(game, state)
    return Opened(config, source, round, game)


def open_generator(store: RunStore, run_id: str, at: int | None = None) -> Generator:
    """The G of a run from its newest checkpoint, or from that of round ``at``, on the CPU.

    Raises RunNotFound; NothingToPlay where there is no checkpoint or no data to build it for; StoreError where it cannot be
    told what is left.
    """
    opened = open_game(store, run_id, at)
    config, game = opened.config, opened.game
    latent = GAMES[config.game].latent(config)
    if latent is None or not isinstance(game, Samples):
        raise NothingToPlay(f"A run of the game {config.game!r} makes no samples of noise.")
    return Generator(config, opened.source, opened.round, latent, game)

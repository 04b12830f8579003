"""Whether the G of a stored run copies its training pictures, with the pairs that come closest.

On request; where a server asks, in a process of its own (`scorer`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import DATASETS, ImageSource
from gan_core.engine.exchange.generator import Generator, NothingToPlay, open_generator
from gan_core.engine.showing.pictures import png, tile
from gan_core.metrics.copying import Copying, Pair, closest_pairs, copying, in_both, squared_distances
from gan_core.store import RunStore
from gan_core.training import GAMES
from gan_core.training.streams import Streams

Progress = Callable[[float, str], None]

SAMPLES, MOST = 1_000, 5_000
AT_ONCE = 250
HEADS = ("sample", "nearest training picture", "nearest held-out picture")


@dataclass(frozen=True)
class Copies:
    """``found`` by the exact test at ``round``; ``picture`` is uint8 (pairs, 3, C, H, W): a sample, its nearest training and
    its nearest held-out picture, of the ``pairs`` that come closest."""

    round: int
    found: Copying
    pairs: tuple[Pair, ...]
    picture: np.ndarray


def can_copy(config: RunConfig) -> bool:
    """Whether a run of these settings makes pictures of noise."""
    game = GAMES[config.game]
    return (
        DATASETS[config.data.name].kind == "images" and game.latent(config) is not None and "sample" in game.abilities
    )


def look_for_copies(store: RunStore, run_id: str, at: int | None = None, progress: Progress | None = None) -> Copies:
    """The exact test on a thousand samples of fixed noise, by distances of pixels, from the newest checkpoint or that of round
    ``at``.

    Raises RunNotFound; NothingToPlay where there is no checkpoint, where nothing is drawn from noise, or where no training
    pictures or no held-out ones are there to compare with.
    """
    say = progress or (lambda share, sentence: None)
    say(0.0, "opening the run")
    return compared(open_generator(store, run_id, at), say)


def compared(generator: Generator, say: Progress, samples: int = SAMPLES, seed: int = 0, copied: float = 0.0) -> Copies:
    """The same of a G that was opened, on so many samples of the noise of a seed. Of these a share ``copied`` are replaced by
    training pictures: a control, of which it is known what should be found."""
    source = generator.source
    if not isinstance(source, ImageSource):
        raise NothingToPlay(
            f"Samples of {generator.config.data.name!r} are made as they are asked for: nothing can be copied."
        )
    training, held_out = (_some(source.x, index) for index in (source.train_index, source.heldout_index))
    if not len(training) or not len(held_out):
        raise NothingToPlay("No pictures of this data are held out, so a copy cannot be told from a good likeness.")
    made = _samples(generator, samples, seed, say)
    if count := round(copied * samples):
        made[:count] = training[np.random.default_rng(seed).integers(len(training), size=count)]
    distances = _distances(made, np.concatenate([training, held_out]), say)
    to_training, to_held_out = distances[:, : len(training)], distances[:, len(training) :]
    say(0.95, "dealing the words anew")
    pairs = closest_pairs(to_training, to_held_out)
    rows = [np.stack([made[one.sample], training[one.training], held_out[one.held_out]]) for one in pairs]
    found = copying(to_training, to_held_out, in_both(training, held_out))
    return Copies(generator.round, found, tuple(pairs), np.stack(rows))


def copies_told(store: RunStore, run_id: str, at: int | None, progress: Progress) -> dict[str, Any]:
    """The same, JSON-able: the round, the verdict and its sentence, the numbers, and the pairs with their picture as PNG."""
    copies = look_for_copies(store, run_id, at, progress)
    return {**told(copies), "png": base64.b64encode(as_png(copies)).decode()}


def told(copies: Copies) -> dict[str, Any]:
    found = copies.found
    said = {"round": copies.round, "verdict": found.verdict, "sentence": found.sentence}
    return {**said, **asdict(found), "pairs": [asdict(pair) for pair in copies.pairs]}


def as_png(copies: Copies) -> bytes:
    """Two columns of threes: a sample beside its nearest training and its nearest held-out picture."""
    pairs, columns, *shape = copies.picture.shape
    return png(tile(copies.picture.reshape(pairs * columns, *shape), 2 * columns))


def _some(x: Tensor, index: Tensor) -> np.ndarray:
    """At most `MOST` of the pictures, the same for every run."""
    order = torch.randperm(len(index), generator=Streams(0).generator("copying"))[:MOST]
    chosen: np.ndarray = x[index[order]].numpy()
    return chosen


def _samples(generator: Generator, count: int, seed: int, say: Progress) -> np.ndarray:
    z = generator.noise(count, seed)
    classes = len(generator.class_names)
    parts = []
    for first in range(0, count, AT_ONCE):
        say(0.4 * first / count, f"drawing {count:,} samples")
        some = z[first : first + AT_ONCE]
        asked = [(first + place) % classes for place in range(len(some))] if generator.conditional else None
        parts.append(generator(some, asked))
    return np.concatenate(parts)


def _distances(samples: np.ndarray, real: np.ndarray, say: Progress) -> np.ndarray:
    """Squared distances (m, n), a few real pictures at a time: in float64 they are eight times as large as on the disk."""
    parts = []
    for first in range(0, len(real), AT_ONCE):
        say(0.4 + 0.55 * first / len(real), f"comparing with {len(real):,} pictures")
        parts.append(squared_distances(samples, real[first : first + AT_ONCE]))
    return np.concatenate(parts, axis=1)

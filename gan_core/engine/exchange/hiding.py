"""What a cycle hides (Chu et al. 2017): what F(b) has that no picture of A can have, and how G(F(b)) fares without it.

Of data that lies in a space of few dimensions it is known what is outside: the small digits in MNIST's frame are images of 64
numbers. About two seconds of one core.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from gan_core.config import RunConfig
from gan_core.config.games.cyclegan import CycleganConfig
from gan_core.data import ImageSource, Source, to_uint8, to_unit
from gan_core.data.images import FRAME, INNER, SMALL, framed
from gan_core.engine.exchange.generator import NothingToPlay, open_game
from gan_core.metrics.histograms import label_accuracy
from gan_core.metrics.translation import absolute_error
from gan_core.store import RunStore
from gan_core.training.abilities import TranslatesBack
from gan_core.training.classifier import FrozenClassifier, classifier_for
from gan_core.training.domains import domains, other_source
from gan_core.training.streams import Streams

LOOKED_AT, SHOWN, LOUDER = 200, 8, 4
NOISE = (0.05, 0.1, 0.2)  # of a pixel from −1 to 1
HEADS = ("b", "F(b)", f"hidden ×{LOUDER}", "G(F(b))", "without it")
DATA = "digits8_framed"


@dataclass(frozen=True)
class Given:
    """What G made of ``given``: the mean absolute error to b of a pixel from 0 to 1, and the share that is of b's class, None
    without labels."""

    given: str
    error: float
    label: float | None


@dataclass(frozen=True)
class Hidden:
    """``outside`` is the root mean square, of a pixel from −1 to 1, of what F(b) has outside of the space of A, ``of_real``
    that of real pictures of A, which is rounding, and ``signal`` that of F(b) itself, over black. ``picture`` is uint8
    (rows, 5, 1, H, W): b, F(b), what is hidden in it around grey, G(F(b)), and what G makes without it."""

    round: int
    outside: float
    of_real: float
    signal: float
    rows: tuple[Given, ...]
    picture: np.ndarray


def can_hide(config: RunConfig) -> bool:
    """Whether it is known of a run's data what lies outside of it."""
    return isinstance(config, CycleganConfig) and config.data.name == DATA != config.domain_b.name


def projected(x: Tensor) -> Tensor:
    """The nearest pictures of the 64-dimensional space of framed small digits to pictures (n, 1, 28, 28), without bounds."""
    unit = torch.eye(SMALL * SMALL, dtype=x.dtype).reshape(-1, 1, SMALL, SMALL)
    basis = (framed(2 * unit - 1) + 1).flatten(1).double() / 2
    above = (x + 1).flatten(1).double()
    nearest = above @ torch.linalg.pinv(basis) @ basis - 1
    return nearest.reshape(x.shape).to(x.dtype)


def shrunk(x: Tensor) -> Tensor:
    """Pictures (n, 1, 28, 28) as honest small digits: their inner 20×20 pixels averaged to 8×8, and framed again."""
    inner = x[:, :, FRAME : FRAME + INNER, FRAME : FRAME + INNER]
    return framed(interpolate(inner, size=(SMALL, SMALL), mode="area"))


def what_is_hidden(store: RunStore, run_id: str, at: int | None = None) -> Hidden:
    """What F hides for G in held-out pictures of B, from the newest checkpoint or that of round ``at``.

    Raises RunNotFound; NothingToPlay where there is no checkpoint, or no data of which it is known what lies outside.
    """
    opened = open_game(store, run_id, at)
    config, game = opened.config, opened.game
    if not isinstance(config, CycleganConfig) or not isinstance(game, TranslatesBack):
        raise NothingToPlay(f"A run of the game {config.game!r} has no cycle in which something could be hidden.")
    if not can_hide(config):
        raise NothingToPlay(
            f"Of {config.data.name!r} nobody knows what lies outside; as A take {DATA!r}, as B another."
        )
    a, b = domains(config, opened.source)
    judged = other_source(config.domain_b).judged
    classifier = None if judged is None else classifier_for(judged, store.root / "cache")
    x, y = _held_out(b)
    return _looked_at(game, x, y, _held_out(a)[0], classifier, opened.round)


def _held_out(source: Source) -> tuple[Tensor, np.ndarray | None]:
    """The same held-out pictures (n, C, H, W) for every run, and their classes."""
    if not isinstance(source, ImageSource):
        raise NothingToPlay("Only of single pictures it is known what lies outside of them.")
    order = torch.randperm(len(source.heldout_index), generator=Streams(0).generator("hiding", "held out"))
    chosen = source.heldout_index[order[:LOOKED_AT]]
    return to_unit(source.x[chosen]), None if source.y is None else source.y[chosen].numpy()


def _looked_at(
    game: TranslatesBack, b: Tensor, y: np.ndarray | None, real: Tensor, judge: FrozenClassifier | None, round: int
) -> Hidden:
    made = game.translate_back(b)
    honest = projected(made)
    hidden = made - honest
    given = {
        "F(b)": made,
        "F(b) as bytes": to_unit(to_uint8(made)),
        "F(b) without what is hidden": honest,
        "F(b) blurred, 3×3": avg_pool2d(pad(made, (1,) * 4, mode="replicate"), 3, stride=1),
        "F(b) with what is hidden in another": honest + hidden.roll(1, 0),
    }
    noise = torch.randn(made.shape, generator=Streams(0).generator("hiding"))
    given |= {f"F(b) and noise of {sigma:g}": made + sigma * noise for sigma in NOISE}
    given["b itself, shrunk to 8×8"] = shrunk(b)
    again = {name: game.translate(x) for name, x in given.items()}
    rows = tuple(Given(name, _error(b, x), _label(judge, x, y)) for name, x in again.items())
    columns = (b, made, LOUDER * hidden, again["F(b)"], again["F(b) without what is hidden"])
    picture = to_uint8(torch.stack([column[:SHOWN] for column in columns], dim=1)).numpy()
    return Hidden(round, _size(hidden), _size(real - projected(real)), _size(made + 1), rows, picture)


def _size(x: Tensor) -> float:
    return float(x.double().square().mean().sqrt())


def _error(b: Tensor, x: Tensor) -> float:
    return absolute_error(((b + 1) / 2).numpy(), ((x + 1) / 2).clamp(0, 1).numpy())


def _label(judge: FrozenClassifier | None, x: Tensor, y: np.ndarray | None) -> float | None:
    return None if judge is None or y is None else label_accuracy(judge.probabilities(x), y)

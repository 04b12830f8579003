"""What every observer is and has: its noise, and what real samples would look like."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.config.games.cyclegan import CycleganConfig
from gan_core.config.games.pix2pix import Pix2pixConfig
from gan_core.data import ImageSource, Source, StackedSource, to_uint8, to_unit
from gan_core.engine.messages import ClassGrid, Sight
from gan_core.engine.observers.measuring import Numbers
from gan_core.metrics.histograms import (
    sampling_band,
)
from gan_core.training import GAMES, Game, Reconstructs, Samples, Translates, load_source
from gan_core.training.classifier import FrozenClassifier
from gan_core.training.domains import domains
from gan_core.training.latent import Categorical, Prior
from gan_core.training.streams import Streams

GetClassifier = Callable[[ImageSource], FrozenClassifier | None]

SAMPLES_AT_ONCE = 1_000  # what a measurement takes of memory is bounded, whatever the number of its samples
FLOOR_DRAWS = 100  # histograms of real samples
FLOOR_LOOKS = 5  # whole measurements of real samples


class Observer(Protocol):
    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        """The measurements, by the name of their column, and what is to be shown.

        Raises Unmeasured where there is something to be shown, and the measurements raise.
        """
        ...

    def reference(self) -> dict[str, Any] | None:
        """What measurements of this data are compared with, JSON-able; None while it is not known yet.

        ``floors`` are what the numbers read on real data, ``histogram_n`` how many samples they are made of, but for
        those that ``sizes`` names; ``lacking`` says of a number without a floor what it lacks.
        """
        ...

    def birthday(self, game: Game) -> dict[str, float]:
        """How many distinct samples there are (`gan_core.metrics.diversity.birthday`); takes longer than a look."""
        ...


class Unmeasured(Exception):
    """The measurements raised; ``sight`` can be shown all the same."""

    def __init__(self, sight: Sight) -> None:
        super().__init__("the measurements raised")
        self.sight = sight


@contextmanager
def shown_in_any_case(sight: Sight) -> Iterator[None]:
    """Measurements whose exception must not take the pictures with it. Raises Unmeasured."""
    try:
        yield
    except BaseException as error:
        raise Unmeasured(sight) from error


class Blind:
    """In place of an observer that could not be made."""

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        return {}, Sight(round, {})

    def reference(self) -> dict[str, Any] | None:
        return None

    def birthday(self, game: Game) -> dict[str, float]:
        raise ValueError("nothing of this run can be measured")


class Shown(Protocol):
    """What is shown and measured of a game, made at every round from the same inputs."""

    n: int
    """How many samples are measured."""
    y: Tensor | None
    """Their labels (n,) in a game with classes."""
    in_rows: bool
    """Whether the picture has a row for each class, or for each category of z."""

    def samples(self, game: Game) -> Tensor:
        """What is measured, on the CPU."""
        ...

    def parts(self, game: Game) -> Iterator[Tensor]:
        """The same, a few at a time."""
        ...

    def shown(self, game: Game) -> Tensor:
        """What a picture without classes shows, as the game makes it."""
        ...

    def picture(self, game: Game) -> np.ndarray | ClassGrid:
        """What is shown, uint8."""
        ...


def shown_of(config: RunConfig, source: Source) -> Shown:
    """Samples of a game that makes them from noise; of one that does not, its reconstructions of the data.

    Of one between two kinds of data, of which ``source`` is the other, what it makes of the data of its config.
    """
    if isinstance(config, CycleganConfig):
        return FixedInputs(config, domains(config, load_source(config))[0])
    if isinstance(config, Pix2pixConfig) and isinstance(source, ImageSource) and source.inputs is not None:
        return FixedInputs(config, source.of_inputs)
    latent = GAMES[config.game].latent(config)
    return FixedData(config, source) if latent is None else FixedNoise(config, latent, source)


class FixedNoise:
    """Noise of the run's seed for pictures and for measurements, the same at every round.

    In a conditional game it comes with labels: ``y`` as frequent as in the data for measurements, and for the picture a
    row for each class, down which the noise is the same. More classes than fit are represented by some, evenly spaced. A
    prior of categories gives pictures a row for each of these instead.
    """

    def __init__(self, config: RunConfig, latent: Prior, source: Source) -> None:
        streams, device = Streams(config.seed), config.device
        self.n = config.diagnostics.samples
        self._grid = latent(config.diagnostics.grid, streams.generator("previews")).to(device)
        self.evaluation = latent(self.n, streams.generator("evaluation")).to(device)
        self.y: Tensor | None = None
        if isinstance(source, ImageSource | StackedSource) and GAMES[config.game].conditional(config):
            draw = source.asked if isinstance(source, StackedSource) else source.labels
            self.y = draw(self.n, streams.generator("evaluation", "labels")).to(device)
            self._classes, columns = _rows(source.num_classes, config.diagnostics.grid)
            self._grid = self._grid[:columns]
        self._coded = latent if isinstance(latent, Categorical) and latent.categories > 1 and self.y is None else None
        if self._coded is not None and len(source.shape) == 3:
            self._classes, columns = _rows(self._coded.categories, config.diagnostics.grid)
            self._grid = self._grid[:columns]
        else:
            self._coded = None
        self.in_rows = self.y is not None or self._coded is not None

    def samples(self, game: Game) -> Tensor:
        return torch.cat(list(self.parts(game)))

    def parts(self, game: Game) -> Iterator[Tensor]:
        z = self.evaluation.split(SAMPLES_AT_ONCE)
        y = repeat(None) if self.y is None else self.y.split(SAMPLES_AT_ONCE)
        for some, labels in zip(z, y, strict=False):
            yield sampled(game, some, labels).cpu()

    def shown(self, game: Game) -> Tensor:
        return sampled(game, self._grid)

    def picture(self, game: Game) -> np.ndarray | ClassGrid:
        if not self.in_rows:
            return to_uint8(self.shown(game)).cpu().numpy()
        rows = torch.tensor(self._classes, device=self._grid.device).repeat_interleave(len(self._grid))
        z = self._grid.repeat(len(self._classes), 1)
        made = sampled(game, z, rows) if self._coded is None else sampled(game, self._coded.with_category(z, rows))
        x = to_uint8(made).cpu().numpy().reshape(len(self._classes), len(self._grid), *made.shape[1:])
        return ClassGrid(x, self._classes, "class" if self._coded is None else "code")


class FixedData:
    """Samples of the data that never change, held-out ones where there are any, and what the game makes of them."""

    in_rows = False

    def __init__(self, config: RunConfig, source: Source) -> None:
        self.y: Tensor | None = None
        draw = Streams(config.seed).generator
        self.n = config.diagnostics.samples
        self._evaluation = _real(source, self.n, draw("evaluation")).to(config.device)
        self._grid = _real(source, config.diagnostics.grid, draw("previews")).to(config.device)

    def samples(self, game: Game) -> Tensor:
        return torch.cat(list(self.parts(game)))

    def parts(self, game: Game) -> Iterator[Tensor]:
        for some in self._evaluation.split(SAMPLES_AT_ONCE):
            yield reconstructed(game, some).cpu()

    def shown(self, game: Game) -> Tensor:
        return reconstructed(game, self._grid)

    def picture(self, game: Game) -> np.ndarray:
        x: np.ndarray = to_uint8(self.shown(game)).cpu().numpy()
        return x


class FixedInputs(FixedData):
    """Samples that never change, ``inputs`` (n, *shape), held-out ones where there are any, and what they are translated to."""

    def __init__(self, config: RunConfig, source: Source) -> None:
        super().__init__(config, source)
        self.inputs = self._evaluation

    def parts(self, game: Game) -> Iterator[Tensor]:
        for some in self.inputs.split(SAMPLES_AT_ONCE):
            yield translated(game, some).cpu()

    def shown(self, game: Game) -> Tensor:
        return translated(game, self._grid)


def sampled(game: Game, z: Tensor, y: Tensor | None = None) -> Tensor:
    """Samples of a game that makes them. Raises TypeError for another one."""
    if not isinstance(game, Samples):
        raise TypeError("this game makes no samples of noise")
    return game.sample(z, y)


def reconstructed(game: Game, x: Tensor) -> Tensor:
    """Reconstructions by a game that makes them. Raises TypeError for another one."""
    if not isinstance(game, Reconstructs):
        raise TypeError("this game makes neither samples of noise nor reconstructions")
    return game.reconstruct(x)


def translated(game: Game, x: Tensor) -> Tensor:
    """What a game makes of samples of another kind. Raises TypeError for a game that does not."""
    if not isinstance(game, Translates):
        raise TypeError("this game translates nothing")
    return game.translate(x)


def _real(source: Source, n: int, generator: torch.Generator) -> Tensor:
    """Samples of the data (n, *shape), in network units, on the CPU."""
    if isinstance(source, ImageSource):
        index = source.heldout_index if len(source.heldout_index) else source.train_index
        chosen = torch.randint(len(index), (n,), generator=generator)
        return to_unit(source.x[index[chosen.to(index.device)]]).cpu()
    if isinstance(source, StackedSource):
        return to_unit(source.sample(n, generator, heldout=True)[0]).cpu()
    return source.sample(n, generator)


def _rows(num_classes: int, samples: int) -> tuple[tuple[int, ...], int]:
    """Which classes a picture of about ``samples`` shows, a row each, and how many columns it has."""
    if 2 * num_classes <= samples:
        return tuple(range(num_classes)), samples // num_classes
    rows = min(num_classes, max(1, math.isqrt(samples)))
    chosen = np.linspace(0, num_classes - 1, rows).round().astype(int)
    return tuple(chosen.tolist()), max(1, samples // rows)


def real_bars(share: np.ndarray, n: int, measure: Callable[[np.ndarray], Numbers]) -> dict[str, Any]:
    """What n real samples look like: the bars with their sampling band, and what each number reads on average."""
    low, high = sampling_band(share, n)
    draws = np.random.default_rng(0).multinomial(n, share / share.sum(), size=FLOOR_DRAWS)
    measured = [measure(counts) for counts in draws]
    return {
        "real_share": share.tolist(),
        "band_low": (low / n).tolist(),
        "band_high": (high / n).tolist(),
        "histogram_n": n,
        "floors": {name: float(np.mean([one[name] for one in measured])) for name in measured[0]},
    }


def rounded(values: np.ndarray) -> list[Any]:
    """Nested lists for the wire, to five digits of the largest value; what is not finite becomes None."""
    array = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(array)
    largest = float(np.abs(array[finite]).max(initial=0.0))
    return _to_decimals(array, min(300, 4 - math.floor(math.log10(largest))) if largest > 0 else 0)


def rounded_within(values: np.ndarray, low: float, high: float) -> list[Any]:
    """The same to five digits of the side of a picture, however far from 0 that is."""
    return _to_decimals(np.asarray(values, np.float64), min(300, 5 - math.floor(math.log10(high - low))))


def _to_decimals(array: np.ndarray, decimals: int) -> list[Any]:
    rounded = np.round(array, decimals).astype(object)
    rounded[~np.isfinite(array)] = None
    nested: list[Any] = rounded.tolist()
    return nested

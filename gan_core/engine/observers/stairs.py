"""Looking at a game that makes pictures level by level: the steps of a sample beside one another, and what the details are
worth on real pictures made coarse, beside enlargements without any.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gan_core.config import RunConfig
from gan_core.data import ImageSource, Source, label_count, to_uint8
from gan_core.engine.messages import Sheet, Sight
from gan_core.engine.observers.base import GetClassifier, Observer, shown_in_any_case
from gan_core.engine.observers.held import HELD, samples_of
from gan_core.engine.observers.measuring import FEWEST_HELD_OUT, TOO_FEW, Numbers
from gan_core.metrics.distances import frechet_distance
from gan_core.metrics.histograms import label_accuracy
from gan_core.models import enlarged, shrunk
from gan_core.training import GAMES, Game
from gan_core.training.abilities import Climbs
from gan_core.training.classifier import FrozenClassifier
from gan_core.training.latent import Prior
from gan_core.training.streams import Streams

ROWS = 6
FROM = {"quarter": 0, "half": 1}
"""The level up to which a held-out picture is real, by what is left of its size."""
COLUMNS = tuple(f"from_{size}_{what}" for size in FROM for what in ("frechet", "class"))
NOTE = "Left: one sample from level to level. Right: held-out pictures, made coarse, and what the details make of them."


class StairsObserver:
    """What another observer sees, and besides it the levels of samples and of held-out pictures, from the same noise."""

    def __init__(
        self, inner: Observer, config: RunConfig, prior: Prior, source: ImageSource, classifier: GetClassifier
    ) -> None:
        self.inner = inner
        self._device, self._source, self._get_classifier = config.device, source, classifier
        held = samples_of(source, HELD, heldout=bool(len(source.heldout_index)))
        self.real, self._labels = held.x, held.y
        streams = Streams(config.seed)
        self._z = prior(len(self.real), streams.generator("evaluation", "stairs"))
        self._y: Tensor | None = None
        if GAMES[config.game].conditional(config):
            self._y = torch.arange(ROWS) % label_count(source)
        self._features: np.ndarray | None = None

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        numbers, sight = self.inner.look(game, round)
        if not isinstance(game, Climbs):
            return numbers, sight
        with shown_in_any_case(sight):
            sight = replace(sight, parts=sight.parts | {"staircase": self.sheet(game)})
        with shown_in_any_case(sight):
            more = self.measure(game) if numbers else {}
        return numbers | more, sight

    def reference(self) -> dict[str, Any] | None:
        reference = self.inner.reference()
        if reference is None:
            return None
        if len(self._source.heldout_index) < FEWEST_HELD_OUT:
            return reference | {"lacking": reference.get("lacking", {}) | dict.fromkeys(COLUMNS, TOO_FEW)}
        beside: dict[str, dict[str, float]] = {}
        for size, level in FROM.items():
            for name, value in self._read(size, self._smooth(level)).items():
                beside[name] = {"no details": value}
        sizes = dict.fromkeys(beside, len(self.real))
        return reference | {
            "beside": reference.get("beside", {}) | beside,
            "sizes": reference.get("sizes", {}) | sizes,
        }

    def birthday(self, game: Game) -> dict[str, float]:
        return self.inner.birthday(game)

    def sheet(self, game: Climbs) -> Sheet:
        """A row for each of a few samples and held-out pictures."""
        z, real = self._z[:ROWS].to(self._device), self.real[:ROWS].to(self._device)
        y = None if self._y is None else self._y[: len(z)].to(self._device)
        sample = game.climb(z, y)
        columns = list(sample)
        for level in FROM.values():
            steps = game.climb(z, real=real, level=level)
            columns += [steps[0], steps[-1]]
        columns.append(real)
        side = real.shape[2:]
        heads = [_size(picture) for picture in sample]
        for level in FROM.values():
            heads += [f"real {_size(sample[level])}", "with details"]
        whole = [to_uint8(interpolate(picture.cpu(), size=side, mode="nearest")).numpy() for picture in columns]
        return Sheet(np.stack(whole, axis=1), (*heads, "real"), NOTE)

    def measure(self, game: Climbs) -> Numbers:
        """Nothing of too few pictures, or where one is not finite."""
        if len(self._source.heldout_index) < FEWEST_HELD_OUT:
            return {}
        numbers: Numbers = {}
        for size, level in FROM.items():
            made = game.climb(self._z.to(self._device), real=self.real.to(self._device), level=level)[-1].cpu()
            if bool(made.isfinite().all()):
                numbers |= self._read(size, made)
        return numbers

    def _read(self, size: str, pictures: Tensor) -> Numbers:
        classifier = self._classifier()
        if classifier is None:
            return {}
        if self._features is None:
            self._features = classifier.features(self.real)
        seen, features = classifier.judge(pictures.contiguous())
        numbers = {f"from_{size}_frechet": frechet_distance(self._features, features)}
        if self._labels is not None:
            numbers[f"from_{size}_class"] = label_accuracy(seen, self._labels)
        return numbers

    def _smooth(self, level: int) -> Tensor:
        """Held-out pictures without details above ``level``."""
        x, above = self.real, len(FROM) - level
        for _ in range(above):
            x = shrunk(x)
        for _ in range(above):
            x = enlarged(x)
        return x

    def _classifier(self) -> FrozenClassifier | None:
        return self._get_classifier(self._source) if self._source.judged is not None else None


def with_stairs(observer: Observer, config: RunConfig, source: Source, classifier: GetClassifier) -> Observer:
    """The observer of a game's data, and of its levels where it has any."""
    declared = GAMES[config.game]
    prior = declared.latent(config)
    if "climb" not in declared.abilities or prior is None or not isinstance(source, ImageSource):
        return observer
    return StairsObserver(observer, config, prior, source, classifier)


def _size(pictures: Tensor) -> str:
    height, width = pictures.shape[2:]
    return f"{height}×{width}"

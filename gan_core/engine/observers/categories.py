"""How the categories of a prior agree with the classes of the data: those of samples, and those read off real data.

The bound on the information in a code says nothing of this. Beside both stands what chance reads, and k-means on the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.cluster.vq import kmeans2
from scipy.spatial.distance import cdist
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import ImageSource, MixtureSource, Source, to_unit
from gan_core.engine.messages import Sight
from gan_core.engine.observers.base import GetClassifier, Observer, sampled, shown_in_any_case
from gan_core.engine.observers.measuring import Numbers
from gan_core.metrics.histograms import UNSURE_BELOW
from gan_core.metrics.matching import code_agreement, code_by_chance
from gan_core.metrics.modes import mode_of
from gan_core.training import Categorises, Encodes, Game
from gan_core.training.latent import Categorical
from gan_core.training.streams import Streams

MOST_SAMPLES = 1_000  # of a measurement: the agreement is sure to three points
MOST_MEANS_FROM = 4_000  # training samples that k-means sees
STARTS, STEPS = 3, 20  # of k-means

Classify = Callable[[Tensor], np.ndarray | None]


@dataclass(frozen=True)
class Labelled:
    """Real samples ``x`` (n, *shape) in network units, with their classes ``y`` (n,)."""

    x: Tensor
    y: np.ndarray


class CategoryObserver:
    """Another observer, and the agreement of codes and classes beside what that one measures."""

    def __init__(
        self, observer: Observer, config: RunConfig, latent: Categorical, source: Source, classifier: GetClassifier
    ) -> None:
        self._observer, self._latent = observer, latent
        n = min(MOST_SAMPLES, config.diagnostics.samples)
        self._z = latent(n, Streams(config.seed).generator("evaluation", "codes")).to(config.device)
        self._device = config.device
        self._classify, self._classes = _judge_of(source, classifier)
        self._real = _labelled(source, MOST_SAMPLES, heldout=True)
        self._means: float | None = None
        self._source = source

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        numbers, sight = self._observer.look(game, round)
        with shown_in_any_case(sight):
            return numbers | self._measured(game), sight

    def reference(self) -> dict[str, Any] | None:
        reference = self._observer.reference()
        if reference is None:
            return None
        sizes = {"code_agreement": len(self._z), "code_by_chance": len(self._z)}
        sizes |= dict.fromkeys(("code_of_real", "kmeans_of_real"), len(self._real.y))
        return reference | {"sizes": reference.get("sizes", {}) | sizes}

    def birthday(self, game: Game) -> dict[str, float]:
        return self._observer.birthday(game)

    def _measured(self, game: Game) -> Numbers:
        x = sampled(game, self._z).cpu()
        classes = self._classify(x) if bool(x.isfinite().all()) else None
        if classes is None:
            return {}
        K, drawn = self._latent.categories, self._latent.category_of(self._z).cpu().numpy()
        numbers = {
            "code_agreement": code_agreement(drawn, classes, K, self._classes),
            "code_by_chance": code_by_chance(drawn, classes, K, self._classes),
        }
        read = self._read(game, self._real.x.to(self._device))
        if read is not None:
            numbers["code_of_real"] = code_agreement(read, self._real.y, K, self._classes)
            numbers["kmeans_of_real"] = self._kmeans()
        return numbers

    def _read(self, game: Game, x: Tensor) -> np.ndarray | None:
        """The category of each real sample (n,): what the game reads off it, or where in the prior its code lies."""
        if isinstance(game, Categorises):
            categories: np.ndarray = game.categorise(x).argmax(1).cpu().numpy()
            return categories
        if not isinstance(game, Encodes):
            return None
        codes = game.encode(x)
        lies = codes.shape[1] == self._latent.dim and bool(codes.isfinite().all())
        return self._latent.category_of(codes).cpu().numpy() if lies else None

    def _kmeans(self) -> float:
        if self._means is None:
            known = _labelled(self._source, MOST_MEANS_FROM, heldout=False)
            nearest = nearest_mean(known.x.flatten(1), self._real.x.flatten(1), self._latent.categories)
            self._means = code_agreement(nearest, self._real.y, self._latent.categories, self._classes)
        return self._means


def with_categories(
    observer: Observer, config: RunConfig, latent: object, source: Source, classifier: GetClassifier
) -> Observer:
    """The observer that also measures codes, where the prior has categories and the data has classes to compare them with."""
    told = source.judged is not None if isinstance(source, ImageSource) else bool(getattr(source, "num_modes", 0))
    if not isinstance(latent, Categorical) or latent.categories < 2 or not told:
        return observer
    return CategoryObserver(observer, config, latent, source, classifier)


def nearest_mean(x_train: Tensor, x: Tensor, k: int) -> np.ndarray:
    """Which of k means of ``x_train`` (m, d) is the nearest to each of ``x`` (n, d): (n,). The best of a few starts."""
    train, asked = x_train.numpy().astype(np.float64), x.numpy().astype(np.float64)
    draw, best, least = np.random.default_rng(0), train[:k], np.inf
    for _ in range(STARTS):
        means, _ = kmeans2(train, k, iter=STEPS, minit="++", missing="warn", rng=draw)
        off = cdist(train, means, "sqeuclidean").min(axis=1).sum()
        if off < least:
            best, least = means, off
    nearest: np.ndarray = cdist(asked, best, "sqeuclidean").argmin(axis=1)
    return nearest


def _judge_of(source: Source, classifier: GetClassifier) -> tuple[Classify, int]:
    """What places samples in classes, K for those it cannot place, and the number K of classes."""
    if isinstance(source, MixtureSource):
        return lambda x: mode_of(source.to_data(x.numpy()), source.centers, source.std), source.num_modes
    assert isinstance(source, ImageSource)

    def classify(x: Tensor) -> np.ndarray | None:
        frozen = classifier(source)
        if frozen is None:
            return None
        probabilities = frozen.probabilities(x)
        sure = probabilities.max(axis=1) >= UNSURE_BELOW
        return np.where(sure, probabilities.argmax(axis=1), source.num_classes)

    return classify, source.num_classes


def _labelled(source: Source, n: int, *, heldout: bool) -> Labelled:
    """Up to n real samples with their classes, drawn at random and the same for every run."""
    draw = Streams(0).generator("codes", "heldout" if heldout else "train")
    if isinstance(source, MixtureSource):
        x = source.sample(n, draw)
        return Labelled(x, mode_of(source.to_data(x.numpy()), source.centers, np.full(source.num_modes, np.inf)))
    assert isinstance(source, ImageSource)
    assert source.y is not None
    index = source.heldout_index if heldout else source.train_index
    chosen = index[torch.randperm(len(index), generator=draw)[:n]]
    return Labelled(to_unit(source.x[chosen]).cpu(), source.y[chosen].cpu().numpy())

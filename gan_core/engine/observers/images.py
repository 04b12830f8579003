"""Looking at images: a grid of them, and what the frozen classifier makes of many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import ImageSource, StackedSource, to_uint8, to_unit
from gan_core.engine.messages import Sight
from gan_core.engine.observers.base import (
    FLOOR_LOOKS,
    GetClassifier,
    real_bars,
    shown_in_any_case,
    shown_of,
)
from gan_core.engine.observers.by_heart import ByHeart
from gan_core.engine.observers.layers import PUSHED, push_on_images
from gan_core.engine.observers.measuring import (
    FEWEST,
    FEWEST_HELD_OUT,
    FEWEST_RANDOM,
    RANDOM_FIT,
    RANDOM_NEAR,
    RANDOM_POINTS,
    SHARP_IMAGES,
    TOO_FEW,
    TOO_FEW_OF_A_CLASS,
    FeatureComparison,
    Numbers,
    PixelComparison,
    RandomComparison,
    floors,
    sharpness_of_samples,
)
from gan_core.metrics.divergences import js_to_real, kl_to_real
from gan_core.metrics.diversity import class_diversity, class_spreads, classifier_score
from gan_core.metrics.histograms import (
    UNSURE_BELOW,
    class_histogram,
    effective_modes,
    entropy,
    label_accuracy,
    modes_covered,
    unsure_share,
)
from gan_core.metrics.modes import largest_share, modes_captured
from gan_core.metrics.random_cards import FRECHET
from gan_core.metrics.random_features import random_features
from gan_core.training import Game, Pushes
from gan_core.training.classifier import FrozenClassifier, reference_histogram
from gan_core.training.streams import Streams

REAL_IMAGES = 2_000  # for the spread inside each class


class _Judging(ABC):
    """What looks through the frozen classifier, as soon as there is one."""

    def __init__(self, get_classifier: Callable[[], FrozenClassifier | None]) -> None:
        self._get_classifier = get_classifier
        self._classifier: FrozenClassifier | None = None
        self._real_share = np.empty(0)

    @abstractmethod
    def _begin(self, classifier: FrozenClassifier) -> None:
        """Look at real data, once."""

    def _find_classifier(self) -> FrozenClassifier | None:
        if self._classifier is None and (classifier := self._get_classifier()) is not None:
            self._begin(classifier)
            self._classifier = classifier
        return self._classifier

    @staticmethod
    def _told_of(classifier: FrozenClassifier) -> dict[str, Any]:
        return {"classifier": {"accuracy": classifier.report.accuracy, "n_heldout": classifier.report.n_heldout}}


class ImageObserver(_Judging):
    """A grid of images, where the first of them are pushed, and for labelled data what the frozen classifier makes of samples.

    They are compared with training images; the floors are those of held-out images, which nobody has seen.
    """

    def __init__(self, config: RunConfig, source: ImageSource, classifier: GetClassifier) -> None:
        super().__init__(lambda: classifier(source))
        self._shown = shown_of(config, source)
        self._n = config.diagnostics.samples
        self._source = source
        real = self._real(source.train_index, 0)
        self._pixels = PixelComparison(_flat(real))
        self._sharp = dict.fromkeys(sharpness_of_samples(real.numpy()), min(SHARP_IMAGES, self._n))
        self._by_heart = ByHeart(config, source)
        self._random = None if source.judged is not None else self._random_comparison()
        # As many as are pushed, also where there are fewer real ones.
        self._beside = real[torch.arange(PUSHED) % len(real)].to(config.device)

    def reference(self) -> dict[str, Any] | None:
        if self._source.judged is None:
            return self._unjudged_reference()
        classifier = self._find_classifier()
        if classifier is None:
            return None
        looks = floors(self._judge(classifier, self._heldout(seed))[0] for seed in range(FLOOR_LOOKS))
        bars = real_bars(self._real_share, self._n, self._count)
        asked = {} if self._shown.y is None else {"label_accuracy": classifier.report.accuracy}
        lacking = self._lacking({*looks, *asked, *FEWEST} - set(bars["floors"]))
        known = {name: value for name, value in (looks | asked).items() if name not in lacking}
        return {
            "class_names": list(self._source.class_names),
            **bars,
            "floors": known | bars["floors"] | self._by_heart.floors,
            "lacking": lacking,
            "sizes": self._features.sizes | self._sharp | self._by_heart.sizes,
            **self._told_of(classifier),
        }

    def _unjudged_reference(self) -> dict[str, Any]:
        looks = floors(self._unjudged(self._heldout(seed)) for seed in range(FLOOR_LOOKS))
        looks |= self._by_heart.floors
        sizes = self._sharp | self._by_heart.sizes
        found = {"floors": looks, "samples": self._n, "sizes": sizes}
        if self._random is None:
            return found
        # Fewer held-out pictures than the measures take would read another floor than as many.
        enough = len(self._source.heldout_index) >= self._random.sizes[FRECHET]
        near = {name: looks[name] for name in RANDOM_NEAR if name in looks and enough}
        measured = {name: value for name, value in looks.items() if name not in self._random.sizes}
        lacking = {} if enough else dict.fromkeys(RANDOM_NEAR, TOO_FEW)
        floor = measured | self._random.floor | near
        return found | {"floors": floor, "lacking": lacking, "sizes": sizes | self._random.sizes}

    def _random_comparison(self) -> RandomComparison | None:
        """Of pictures without classes; None where there are too few for a space and a comparison."""
        index = self._source.train_index
        half = min(RANDOM_POINTS, self._n, len(index) // 2)
        if half < FEWEST_RANDOM or self._source.shape[0] not in (1, 3):
            return None
        order = index[
            torch.randperm(len(index), generator=Streams(0).generator("random features"))[: half + RANDOM_FIT]
        ]
        features = random_features(to_unit(self._source.x[order]))
        return RandomComparison(features[half:], features[:half])

    def _lacking(self, known: Collection[str]) -> dict[str, str]:
        """Which measures lack what: a few held-out pictures read what they are, not what real pictures are."""
        n = len(self._source.heldout_index)
        enough = known if n >= FEWEST_HELD_OUT else ("std_ratio",) if n > 1 else ()
        alone = {} if np.isfinite(self._class_spreads).any() else {"class_diversity": TOO_FEW_OF_A_CLASS}
        return {name: TOO_FEW for name in sorted(known) if name not in enough} | alone

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        sight = Sight(round, self._drawn(game))
        with shown_in_any_case(sight):
            numbers, more = self._measured(game)
        return numbers, replace(sight, parts=sight.parts | more)

    def _measured(self, game: Game) -> tuple[Numbers, dict[str, Any]]:
        labelled = self._source.judged is not None
        classifier = self._find_classifier() if labelled else None
        if labelled and classifier is None:
            return {}, {}
        samples = self._shown.samples(game)
        if not bool(samples.isfinite().all()):
            return {}, {}
        few = self._by_heart.measure(game, samples)
        if classifier is None:
            return self._unjudged(samples) | few, {}
        numbers, counts = self._judge(classifier, samples, self._shown.y)
        return numbers | few, {"histogram": {"counts": counts.tolist(), "n": self._n}}

    def _drawn(self, game: Game) -> dict[str, Any]:
        if self._shown.in_rows:
            return {"grid": self._shown.picture(game)}
        x = self._shown.shown(game)
        push = push_on_images(game, x[:PUSHED], self._beside) if isinstance(game, Pushes) else None
        return {"grid": to_uint8(x).cpu().numpy()} | ({} if push is None else {"push": push})

    def birthday(self, game: Game) -> dict[str, float]:
        samples = self._shown.samples(game)
        classifier = None if self._source.judged is None else self._find_classifier()
        if classifier is None:
            return self._pixels.birthday(_flat(samples))
        return self._features.birthday(classifier.features(samples))

    def _judge(self, classifier: FrozenClassifier, x: Tensor, y: Tensor | None = None) -> tuple[Numbers, np.ndarray]:
        probabilities, features = classifier.judge(x)
        counts = class_histogram(probabilities)
        pixels = _flat(x)
        numbers = {
            **self._count(counts),
            "classifier_score": classifier_score(probabilities),
            **self._features.measure(features),
            **self._unjudged(x),
        }
        if np.isfinite(self._class_spreads).any():
            numbers["class_diversity"] = class_diversity(pixels, _labels(probabilities), self._class_spreads)
        if y is not None:
            numbers["label_accuracy"] = label_accuracy(probabilities, y.cpu().numpy())
        return numbers, counts

    def _unjudged(self, x: Tensor) -> Numbers:
        """What needs no classifier."""
        random = {} if self._random is None else self._random.measure(random_features(x))
        return self._pixels.measure(_flat(x)) | random | sharpness_of_samples(x.numpy())

    def _count(self, counts: np.ndarray) -> Numbers:
        real = self._real_share[:-1]
        mode, share = largest_share(counts)
        return {
            "modes_covered": float(modes_covered(counts)),
            "effective_modes": effective_modes(counts),
            "entropy": entropy(counts),
            "kl_to_real": kl_to_real(counts, real),
            "js_to_real": js_to_real(counts, real),
            "largest_share": share,
            "largest_mode": float(mode),
            "unsure_share": unsure_share(counts),
        }

    def _begin(self, classifier: FrozenClassifier) -> None:
        self._real_share = self._shares(classifier)
        x = self._real(self._source.train_index, 0, REAL_IMAGES)
        probabilities, features = classifier.judge(x)
        self._class_spreads = class_spreads(_flat(x), _labels(probabilities), self._source.num_classes)
        self._features = FeatureComparison(features[: self._n])

    def _shares(self, classifier: FrozenClassifier) -> np.ndarray:
        """The shares of real images (K + 1,), unsure last; fewer held-out images than classes say nothing of the classes."""
        heldout, classes = self._source.heldout_index, self._source.num_classes
        if len(heldout) >= max(FEWEST_HELD_OUT, classes) or self._source.y is None:
            return reference_histogram(classifier, self._source.x[heldout])
        labels = self._source.y[self._source.train_index].numpy()
        return np.append(np.bincount(labels, minlength=classes) / len(labels), 0.0)

    def _heldout(self, seed: int) -> Tensor:
        return self._real(self._source.heldout_index, seed)

    def _real(self, index: Tensor, seed: int, n: int | None = None) -> Tensor:
        """The same real images for every run, as a network would make them, on the CPU."""
        wanted = min(self._n if n is None else n, len(index))
        chosen = torch.randperm(len(index), generator=Streams(seed).generator("reference"))[:wanted]
        return to_unit(self._source.x[index[chosen.to(index.device)]]).cpu()


def _flat(x: Tensor) -> np.ndarray:
    flat: np.ndarray = x.flatten(1).numpy()
    return flat


def _labels(probabilities: np.ndarray) -> np.ndarray:
    """The class of each sample (n,), K where the classifier is unsure."""
    sure = probabilities.max(axis=1) >= UNSURE_BELOW
    return np.where(sure, probabilities.argmax(axis=1), probabilities.shape[1])


class StackedObserver(_Judging):
    """A grid of images made of others; each of these is judged by the classifier of the images that were put together.

    A sample counts for a mode only if the classifier is sure of all that it is made of. Of labels that were never shown in
    training it is told apart how often they are right.
    """

    def __init__(self, config: RunConfig, source: StackedSource, classifier: GetClassifier) -> None:
        super().__init__(lambda: classifier(source.base))
        self._shown = shown_of(config, source)
        self._n = config.diagnostics.samples
        self._source = source

    def reference(self) -> dict[str, Any] | None:
        classifier = self._find_classifier()
        if classifier is None:
            return None
        bars = real_bars(self._real_share, self._n, self._measure)
        x, y = self._source.sample(min(REAL_IMAGES, self._n), Streams(0).generator("reference"), heldout=True)
        real = x[:SHARP_IMAGES]
        sharp = sharpness_of_samples(to_unit(real).cpu().numpy())
        asked = {} if self._shown.y is None else self._right(stack_modes(classifier, self._source, x), y.cpu().numpy())
        return {
            "class_names": list(self._source.class_names),
            **bars,
            "floors": bars["floors"] | sharp | asked,
            "sizes": dict.fromkeys(sharp, len(real)),
            **self._told_of(classifier),
        }

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        sight = Sight(round, {"grid": self._shown.picture(game)})
        with shown_in_any_case(sight):
            numbers, more = self._measured(game)
        return numbers, replace(sight, parts=sight.parts | more)

    def _measured(self, game: Game) -> tuple[Numbers, dict[str, Any]]:
        classifier = self._find_classifier()
        if classifier is None:
            return {}, {}
        found: list[np.ndarray] = []
        sharp: Numbers = {}
        for x in self._shown.parts(game):
            found.append(stack_modes(classifier, self._source, x))
            sharp = sharp or sharpness_of_samples(x.numpy())
        modes = np.concatenate(found)
        counts = np.bincount(modes, minlength=self._source.num_classes + 1)
        numbers = self._measure(counts) | sharp
        if self._shown.y is not None:
            numbers |= self._right(modes, self._shown.y.cpu().numpy())
        return numbers, {"histogram": {"counts": counts.tolist(), "n": self._n}}

    def _right(self, modes: np.ndarray, y: np.ndarray) -> Numbers:
        """How many are of the label that was asked for, in all their parts."""
        never = np.isin(y, self._source.never_shown)
        right = {"label_accuracy": modes[~never] == y[~never], "never_shown_accuracy": modes[never] == y[never]}
        return {name: float(hits.mean()) for name, hits in right.items() if len(hits)}

    def _measure(self, counts: np.ndarray) -> Numbers:
        return {
            "modes_captured": float(modes_captured(counts)),
            "modes_covered": float(modes_covered(counts)),
            "effective_modes": effective_modes(counts),
            "entropy": entropy(counts),
            "kl_to_real": kl_to_real(counts, self._real_share[:-1]),
            "js_to_real": js_to_real(counts, self._real_share[:-1]),
            "unsure_share": unsure_share(counts),
        }

    def birthday(self, game: Game) -> dict[str, float]:
        real, _ = self._source.sample(self._n, Streams(0).generator("reference"))
        return PixelComparison(_flat(to_unit(real))).birthday(_flat(self._shown.samples(game)))

    def _begin(self, classifier: FrozenClassifier) -> None:
        base = self._source.base
        one = reference_histogram(classifier, base.x[base.heldout_index])[:-1]
        sure = reduce(
            np.multiply.outer, [one] * self._source.COUNT
        ).ravel()  # the images are drawn apart from each other
        self._real_share = np.append(sure, max(0.0, 1 - sure.sum()))


def stack_modes(classifier: FrozenClassifier, source: StackedSource, x: Tensor) -> np.ndarray:
    """The label (n,) of each of the samples (n, *shape), or their number where the classifier is unsure of a part."""
    probabilities = classifier.probabilities(source.apart(x).flatten(0, 1))
    digits = torch.from_numpy(probabilities.argmax(axis=1).reshape(-1, source.COUNT))
    sure = (probabilities.max(axis=1) >= UNSURE_BELOW).reshape(-1, source.COUNT).all(axis=1)
    return np.where(sure, source.label_of(digits).numpy(), source.num_classes)

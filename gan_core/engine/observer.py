"""Looking at a game: samples from noise that never changes, and the measurements of them.

Never moves a weight and never draws from the run's own streams: looking at a run does not change it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any, Protocol

import numpy as np
import torch
from scipy.spatial.distance import pdist
from scipy.special import chdtr
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import ImageSource, MixtureSource, Source, StackedSource, to_uint8, to_unit
from gan_core.engine.comparison import FeatureComparison, Numbers, PixelComparison, PointComparison, floors
from gan_core.engine.layers import PUSHED, lines_of_grid, noise_grid, pull_on_points, push_on_images
from gan_core.engine.messages import ClassGrid, Sight
from gan_core.losses import LOSSES
from gan_core.metrics.densities import optimal_discriminator, smoothed_counts
from gan_core.metrics.divergences import js_to_real, kl_to_real
from gan_core.metrics.diversity import class_diversity, class_spreads, classifier_score
from gan_core.metrics.histograms import (
    UNSURE_BELOW,
    class_histogram,
    effective_modes,
    entropy,
    label_accuracy,
    modes_covered,
    sampling_band,
    unsure_share,
)
from gan_core.metrics.modes import high_quality_share, largest_share, mode_counts, modes_captured, nearest_mode
from gan_core.metrics.moments import moments
from gan_core.training.classifier import FrozenClassifier, reference_histogram
from gan_core.training.latent import Latent
from gan_core.training.streams import Streams

GetClassifier = Callable[[ImageSource], FrozenClassifier | None]

POINTS_DRAWN = 500
CRITIC_CELLS = 41
LINE_BINS = 80
SAMPLES_AT_ONCE = 1_000  # what a measurement takes of memory is bounded, whatever the number of its samples
FLOOR_DRAWS = 100  # histograms of real samples
FLOOR_LOOKS = 5  # whole measurements of real samples
REAL_POINTS = 40_000
REAL_IMAGES = 2_000  # for the spread inside each class


class Observable(Protocol):
    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor: ...
    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor: ...
    def judge_packs(self, x: Tensor, y: Tensor | None = None) -> Tensor: ...

    def pull(self, x_fake: Tensor, x_real: Tensor) -> Tensor | None: ...


class Observer(Protocol):
    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        """The measurements, by the name of their column, and what is to be shown."""
        ...

    def reference(self) -> dict[str, Any] | None:
        """What measurements of this data are compared with, JSON-able; None while it is not known yet.

        ``floors`` are what the numbers read on real data, ``histogram_n`` how many samples they are made of, but for
        those that ``sizes`` names.
        """
        ...

    def birthday(self, game: Observable) -> dict[str, float]:
        """How many distinct samples there are (`gan_core.metrics.diversity.birthday`); takes longer than a look."""
        ...


def observer_for(config: RunConfig, source: Source, classifier: GetClassifier) -> Observer:
    """The observer of a resolved config's data."""
    if isinstance(source, ImageSource):
        return ImageObserver(config, source, classifier)
    if isinstance(source, StackedSource):
        return StackedObserver(config, source, classifier)
    if source.shape == (1,):
        return CombObserver(config, source) if source.num_modes > 1 else LineObserver(config, source)
    return PlaneObserver(config, source) if source.has_modes else CloudObserver(config, source)


class _FixedNoise:
    """Noise of the run's seed for pictures and for measurements, the same at every round.

    In a conditional game it comes with labels: ``y`` as frequent as in the data for measurements, and for the picture a
    row for each class, down which the noise is the same. More classes than fit are represented by some, evenly spaced.
    """

    def __init__(self, config: RunConfig, source: ImageSource | StackedSource | None = None) -> None:
        latent = Latent(config.model.latent_dim, config.model.latent)
        streams, device = Streams(config.seed), config.device
        self._grid = latent(config.diagnostics.grid, streams.generator("previews")).to(device)
        self.evaluation = latent(config.diagnostics.samples, streams.generator("evaluation")).to(device)
        self.y: Tensor | None = None
        if source is not None and config.model.condition != "none":
            self.y = source.labels(config.diagnostics.samples, streams.generator("evaluation", "labels")).to(device)
            self._classes, columns = _rows(source.num_classes, config.diagnostics.grid)
            self._grid = self._grid[:columns]

    def samples(self, game: Observable) -> Tensor:
        """What is measured, on the CPU."""
        return torch.cat(list(self.parts(game)))

    def parts(self, game: Observable) -> Iterator[Tensor]:
        """The same, a few at a time."""
        z = self.evaluation.split(SAMPLES_AT_ONCE)
        y = repeat(None) if self.y is None else self.y.split(SAMPLES_AT_ONCE)
        for some, labels in zip(z, y, strict=False):
            yield game.sample(some, labels).cpu()

    def shown(self, game: Observable) -> Tensor:
        """What a picture without classes shows, as G makes it."""
        return game.sample(self._grid)

    def picture(self, game: Observable) -> np.ndarray | ClassGrid:
        """What is shown, uint8."""
        if self.y is None:
            return to_uint8(self.shown(game)).cpu().numpy()
        y = torch.tensor(self._classes, device=self._grid.device).repeat_interleave(len(self._grid))
        x = to_uint8(game.sample(self._grid.repeat(len(self._classes), 1), y)).cpu().numpy()
        return ClassGrid(x.reshape(len(self._classes), len(self._grid), *x.shape[1:]), self._classes)


def _rows(num_classes: int, samples: int) -> tuple[tuple[int, ...], int]:
    """Which classes a picture of about ``samples`` shows, a row each, and how many columns it has."""
    if 2 * num_classes <= samples:
        return tuple(range(num_classes)), samples // num_classes
    rows = min(num_classes, max(1, math.isqrt(samples)))
    chosen = np.linspace(0, num_classes - 1, rows).round().astype(int)
    return tuple(chosen.tolist()), max(1, samples // rows)


class ImageObserver:
    """A grid of images, where the first of them are pushed, and for labelled data what the frozen classifier makes of samples.

    They are compared with training images; the floors are those of held-out images, which nobody has seen.
    """

    def __init__(self, config: RunConfig, source: ImageSource, classifier: GetClassifier) -> None:
        self._noise = _FixedNoise(config, source)
        self._n = config.diagnostics.samples
        self._source = source
        self._get_classifier = classifier
        self._classifier: FrozenClassifier | None = None
        self._real_share = np.empty(0)
        real = self._real(source.train_index, 0)
        self._pixels = PixelComparison(_flat(real))
        self._beside = real[:PUSHED].to(config.device)

    def reference(self) -> dict[str, Any] | None:
        if self._source.judged is None:
            looks = [self._pixels.measure(_flat(self._heldout(seed))) for seed in range(FLOOR_LOOKS)]
            return {"floors": floors(looks), "samples": self._n, "sizes": {}}
        classifier = self._find_classifier()
        if classifier is None:
            return None
        looks = [self._judge(classifier, self._heldout(seed))[0] for seed in range(FLOOR_LOOKS)]
        bars = _real_bars(self._real_share, self._n, self._count)
        asked = {} if self._noise.y is None else {"label_accuracy": classifier.report.accuracy}
        return {
            "class_names": list(self._source.class_names),
            **bars,
            "floors": floors(looks) | bars["floors"] | asked,
            "sizes": self._features.sizes,
            "classifier": {"accuracy": classifier.report.accuracy, "n_heldout": classifier.report.n_heldout},
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        parts = self._drawn(game)
        labelled = self._source.judged is not None
        classifier = self._find_classifier() if labelled else None
        if labelled and classifier is None:
            return {}, Sight(round, parts)
        samples = self._noise.samples(game)
        if not bool(samples.isfinite().all()):
            return {}, Sight(round, parts)
        if classifier is None:
            return self._pixels.measure(_flat(samples)), Sight(round, parts)
        numbers, counts = self._judge(classifier, samples, self._noise.y)
        return numbers, Sight(round, {**parts, "histogram": {"counts": counts.tolist(), "n": self._n}})

    def _drawn(self, game: Observable) -> dict[str, Any]:
        if self._noise.y is not None:
            return {"grid": self._noise.picture(game)}
        x = self._noise.shown(game)
        push = push_on_images(game, x[:PUSHED], self._beside)
        return {"grid": to_uint8(x).cpu().numpy()} | ({} if push is None else {"push": push})

    def birthday(self, game: Observable) -> dict[str, float]:
        samples = self._noise.samples(game)
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
            "class_diversity": class_diversity(pixels, _labels(probabilities), self._class_spreads),
            "classifier_score": classifier_score(probabilities),
            **self._features.measure(features),
            **self._pixels.measure(pixels),
        }
        if y is not None:
            numbers["label_accuracy"] = label_accuracy(probabilities, y.cpu().numpy())
        return numbers, counts

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

    def _find_classifier(self) -> FrozenClassifier | None:
        if self._classifier is None:
            classifier = self._get_classifier(self._source)
            if classifier is not None:
                heldout = self._source.x[self._source.heldout_index]
                self._real_share = reference_histogram(classifier, heldout)
                x = self._real(self._source.train_index, 0, REAL_IMAGES)
                probabilities, features = classifier.judge(x)
                self._class_spreads = class_spreads(_flat(x), _labels(probabilities), self._source.num_classes)
                self._features = FeatureComparison(features[: self._n])
                self._classifier = classifier
        return self._classifier

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


class StackedObserver:
    """A grid of stacked images; each channel is judged by the classifier of the images that were stacked.

    A stack counts for a mode only if the classifier is sure of all three of its channels.
    """

    def __init__(self, config: RunConfig, source: StackedSource, classifier: GetClassifier) -> None:
        self._noise = _FixedNoise(config, source)
        self._n = config.diagnostics.samples
        self._source = source
        self._get_classifier = classifier
        self._classifier: FrozenClassifier | None = None
        self._real_share = np.empty(0)

    def reference(self) -> dict[str, Any] | None:
        classifier = self._find_classifier()
        if classifier is None:
            return None
        return {
            "class_names": list(self._source.class_names),
            **_real_bars(self._real_share, self._n, self._measure),
            "classifier": {"accuracy": classifier.report.accuracy, "n_heldout": classifier.report.n_heldout},
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        grid = self._noise.picture(game)
        classifier = self._find_classifier()
        if classifier is None:
            return {}, Sight(round, {"grid": grid})
        modes = np.concatenate([stack_modes(classifier, x) for x in self._noise.parts(game)])
        counts = np.bincount(modes, minlength=self._source.num_classes + 1)
        numbers = self._measure(counts)
        if self._noise.y is not None:
            numbers["label_accuracy"] = float((modes == self._noise.y.cpu().numpy()).mean())
        return numbers, Sight(round, {"grid": grid, "histogram": {"counts": counts.tolist(), "n": self._n}})

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

    def birthday(self, game: Observable) -> dict[str, float]:
        real, _ = self._source.sample(self._n, Streams(0).generator("reference"))
        return PixelComparison(_flat(to_unit(real))).birthday(_flat(self._noise.samples(game)))

    def _find_classifier(self) -> FrozenClassifier | None:
        if self._classifier is None:
            base = self._source.base
            classifier = self._get_classifier(base)
            if classifier is not None:
                one = reference_histogram(classifier, base.x[base.heldout_index])[:-1]
                # The channels are drawn apart from each other.
                sure = np.einsum("a,b,c->abc", one, one, one).ravel()
                self._real_share = np.append(sure, max(0.0, 1 - sure.sum()))
                self._classifier = classifier
        return self._classifier


def stack_modes(classifier: FrozenClassifier, x: Tensor) -> np.ndarray:
    """The mode (n,) of each of the stacks (n, 3, H, W): 100a + 10b + c, or K³ where a channel is unsure."""
    probabilities = classifier.probabilities(x.flatten(0, 1)[:, None])
    k = probabilities.shape[1]
    digits = probabilities.argmax(axis=1).reshape(-1, 3)
    sure = (probabilities.max(axis=1) >= UNSURE_BELOW).reshape(-1, 3).all(axis=1)
    return np.where(sure, (digits[:, 0] * k + digits[:, 1]) * k + digits[:, 2], k**3)


class CloudObserver:
    """Generated points on a plane and D's opinion of every place; where no modes are known, how unlike the real ones."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        self._noise = _FixedNoise(config)
        self._source = source
        (self._x0, self._x1), (self._y0, self._y1) = source.extent()
        self._xs = np.linspace(self._x0, self._x1, CRITIC_CELLS)
        self._ys = np.linspace(self._y0, self._y1, CRITIC_CELLS)
        cells = source.to_network(np.stack(np.meshgrid(self._xs, self._ys), axis=-1).reshape(-1, 2))
        self._cells = torch.as_tensor(cells, dtype=torch.float32, device=config.device)
        self._n = len(self._noise.evaluation)
        self._real = _real_points(source, self._n)
        self._comparison = PointComparison(self._real)
        self._device = config.device
        self._grid = noise_grid(config.model.latent_dim, config.model.latent).to(config.device)

    def reference(self) -> dict[str, Any]:
        looks = [self._measure(_real_points(self._source, self._n, seed)) for seed in range(1, 1 + FLOOR_LOOKS)]
        return {
            "points": _rounded(self._real[:POINTS_DRAWN]),
            "extent": [self._x0, self._x1, self._y0, self._y1],
            "floors": floors(looks),
            "sizes": self._comparison.sizes,
            "histogram_n": self._n,
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        points = self._points(game)
        numbers = self._measure(points) if np.isfinite(points).all() else {}
        return numbers, Sight(round, {"points": self._drawn(game, points)})

    def birthday(self, game: Observable) -> dict[str, float]:
        return self._comparison.birthday(self._points(game))

    def _points(self, game: Observable) -> np.ndarray:
        return self._source.to_data(self._noise.samples(game).numpy())

    def _drawn(self, game: Observable, points: np.ndarray) -> dict[str, Any]:
        critic = game.judge(self._cells).cpu().numpy().reshape(CRITIC_CELLS, CRITIC_CELLS)
        bent = self._source.to_data(game.sample(self._grid).cpu().numpy())
        return {
            "fake": _rounded(points[:POINTS_DRAWN]),
            "critic": _rounded(critic),
            "xs": _rounded(self._xs),
            "ys": _rounded(self._ys),
            "pull": _rounded(pull_on_points(game, self._source, points, self._real, self._device)),
            "grid": [_rounded(line) for line in lines_of_grid(bent)],
        }

    def _measure(self, points: np.ndarray) -> Numbers:
        return self._comparison.measure(points)


class PlaneObserver(CloudObserver):
    """The same where the modes are known, and how many points each of them holds."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        super().__init__(config, source)
        self._modes = _Modes(source, _share_of_modes(source))

    def reference(self) -> dict[str, Any]:
        return self._modes.reference(super().reference())

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        points = self._points(game)
        numbers, histogram = self._modes.look(points)
        if np.isfinite(points).all():
            numbers |= super()._measure(points)
        return numbers, Sight(round, {"points": self._drawn(game, points), "histogram": histogram})

    def _measure(self, points: np.ndarray) -> Numbers:
        return self._modes.look(points)[0] | super()._measure(points)


class LineObserver:
    """The generated density on a line beside the real one, D's opinion of every place, and what it should be."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        self._noise = _FixedNoise(config)
        self._source = source
        ((low, high),) = source.extent()
        self._edges = np.linspace(low, high, LINE_BINS + 1)
        self._xs = (self._edges[:-1] + self._edges[1:]) / 2
        cells = torch.as_tensor(source.to_network(self._xs[:, None]), dtype=torch.float32)
        self._cells = cells.to(config.device)
        self._n = len(self._noise.evaluation)
        self._density = source.density(self._xs[:, None])
        packing = config.model.discriminator.packing
        # p / (p + q) is the best answer to one sample, not to a pack.
        self._likely = LOSSES[config.objective.loss].output == "probability" and packing == 1
        self._company = (
            _around_zero(source, packing).to(config.device) if packing > 1 and source.num_modes == 1 else None
        )
        self._comparison = PointComparison(_real_points(source, self._n))

    def reference(self) -> dict[str, Any]:
        looks = [self._measure(_real_points(self._source, self._n, seed)) for seed in range(1, 11)]
        return {
            "xs": _rounded(self._xs),
            "real_density": _rounded(self._density),
            "floors": floors(looks),
            "sizes": self._comparison.sizes,
            "histogram_n": self._n,
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        points = self._points(game)
        finite = points[np.isfinite(points)]
        numbers = self._measure(points) if len(finite) == len(points) else {}
        # Density of all points, also of those outside the picture: the curve must not grow when points leave it.
        counts, _ = np.histogram(finite, bins=self._edges)
        density = counts / (len(points) * np.diff(self._edges))
        drawn = {
            "xs": _rounded(self._xs),
            "fake": _rounded(density),
            "critic": _rounded(self._opinions(game).cpu().numpy()),
        }
        if self._likely:
            drawn["optimal"] = _rounded(optimal_discriminator(self._density, smoothed_counts(density)))
        return numbers, Sight(round, {"points": drawn})

    def birthday(self, game: Observable) -> dict[str, float]:
        return self._comparison.birthday(self._points(game))

    def _opinions(self, game: Observable) -> Tensor:
        """D's opinion of every place; a D of packs is shown one real pack, moved so that its mean is there."""
        if self._company is None:
            return game.judge(self._cells)
        return game.judge_packs((self._cells[:, None] + self._company).flatten(0, 1))

    def _points(self, game: Observable) -> np.ndarray:
        return self._source.to_data(self._noise.samples(game).numpy())

    def _measure(self, points: np.ndarray) -> Numbers:
        return self._comparison.measure(points) | moments(points)._asdict()


class CombObserver(LineObserver):
    """A mixture on a line: the same, and the modes that hold points."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        super().__init__(config, source)
        real = source.to_data(source.sample(REAL_POINTS, Streams(0).generator("modes")).numpy())
        # Counted rather than computed: modes may overlap.
        self._modes = _Modes(source, mode_counts(real, source.centers, source.std) / REAL_POINTS)

    def reference(self) -> dict[str, Any]:
        return self._modes.reference(super().reference())

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        numbers, sight = super().look(game, round)
        counted, histogram = self._modes.look(self._points(game))
        return counted | numbers, Sight(round, {**sight.parts, "histogram": histogram})


class _Modes:
    """What can be counted where the modes are known."""

    def __init__(self, source: MixtureSource, real_share: np.ndarray) -> None:
        self._source = source
        self._real_share = real_share
        # A Gaussian's own: sqrt(tr cov) = std sqrt(d).
        self._spreads = source.std * math.sqrt(source.shape[0])

    def look(self, points: np.ndarray) -> tuple[Numbers, dict[str, Any]]:
        """The numbers of points (n, d), and their histogram as it is shown."""
        centers, num_modes = self._source.centers, self._source.num_modes
        counts = mode_counts(points, centers, self._source.std)
        nearest, _ = nearest_mode(points, centers)
        # Which mode a point is drawn to shows long before it is sharp enough to count as of high quality.
        drawn_to = np.append(np.bincount(nearest, minlength=num_modes), 0)
        mode, share = largest_share(drawn_to)
        numbers = self._count(counts) | {
            "effective_modes": effective_modes(drawn_to),
            "largest_share": share,
            "largest_mode": float(mode),
        }
        if np.isfinite(points).all():
            numbers["class_diversity"] = class_diversity(points, nearest, self._spreads)
        return numbers, {"counts": counts.tolist(), "n": len(points)}

    def _count(self, counts: np.ndarray) -> Numbers:
        return {
            "modes_captured": float(modes_captured(counts)),
            "modes_covered": float(modes_covered(counts)),
            "high_quality_share": high_quality_share(counts),
            "entropy": entropy(counts),
            "kl_to_real": kl_to_real(counts, self._real_share[:-1]),
        }

    def reference(self, reference: dict[str, Any]) -> dict[str, Any]:
        """``reference`` and what the modes of n real points look like."""
        n, share = reference["histogram_n"], self._real_share
        names = [str(mode + 1) for mode in range(self._source.num_modes)]
        seeds = range(1, 1 + FLOOR_LOOKS)
        looks = floors(self.look(_real_points(self._source, n, seed))[0] for seed in seeds)
        bars = _real_bars(share, n, self._count)
        return {
            **reference,
            **bars,
            "floors": reference["floors"] | looks | bars["floors"],
            "class_names": names,
            "unsure_label": "off mode",
        }


def _around_zero(source: MixtureSource, n: int) -> Tensor:
    """``n`` real points in network units, moved so that their mean is 0."""
    points = source.sample(n, Streams(0).generator("company"))
    return points - points.mean(0)


def _real_points(source: MixtureSource, n: int, seed: int = 0) -> np.ndarray:
    """The same real points (n, d) for every run, in data units."""
    return source.to_data(source.sample(n, Streams(seed).generator("reference")).numpy())


def _share_of_modes(source: MixtureSource, sigmas: float = 3.0) -> np.ndarray:
    """The share of real points that counts for each mode, and last of those that count for none."""
    apart = source.num_modes == 1 or pdist(source.centers).min() > (2 * sigmas + 2) * source.std.max()
    if apart:
        inside = float(chdtr(source.shape[0], sigmas**2))
        return np.array([*(source.weights * inside), 1 - inside])
    counts = mode_counts(_real_points(source, REAL_POINTS), source.centers, source.std)
    share: np.ndarray = counts / counts.sum()
    return share


def _real_bars(share: np.ndarray, n: int, measure: Callable[[np.ndarray], Numbers]) -> dict[str, Any]:
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


def _rounded(values: np.ndarray) -> list[Any]:
    """Nested lists for the wire, to five digits of the largest value; what is not finite becomes None."""
    array = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(array)
    largest = float(np.abs(array[finite]).max(initial=0.0))
    decimals = min(300, 4 - math.floor(math.log10(largest))) if largest > 0 else 0
    rounded = np.round(array, decimals).astype(object)
    rounded[~finite] = None
    nested: list[Any] = rounded.tolist()
    return nested

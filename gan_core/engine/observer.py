"""Looking at a game: samples from noise that never changes, and the measurements of them.

Never moves a weight and never draws from the run's own streams: looking at a run does not change it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from scipy.spatial.distance import pdist
from scipy.stats import chi2
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import ImageSource, MixtureSource, Source, StackedSource, to_uint8
from gan_core.engine.messages import Sight
from gan_core.metrics.distances import sliced_wasserstein, wasserstein_1d
from gan_core.metrics.divergences import js_to_real, kl_to_real
from gan_core.metrics.histograms import (
    UNSURE_BELOW,
    class_histogram,
    entropy,
    modes_covered,
    sampling_band,
    unsure_share,
)
from gan_core.metrics.modes import high_quality_share, mode_counts, modes_captured
from gan_core.metrics.moments import std_ratio
from gan_core.metrics.neighbors import precision_recall_density_coverage
from gan_core.training.classifier import FrozenClassifier, reference_histogram
from gan_core.training.latent import Latent
from gan_core.training.streams import Streams

GetClassifier = Callable[[ImageSource], FrozenClassifier | None]
Numbers = dict[str, float]

POINTS_DRAWN = 500
CRITIC_CELLS = 41
LINE_BINS = 80
SAMPLES_AT_ONCE = 1_000  # what a measurement takes of memory is bounded, whatever the number of its samples
FLOOR_DRAWS = 100
REAL_POINTS = 40_000
NEIGHBOURS_OF = 1_000  # points of each side whose neighbours are looked for: the cost is quadratic


class Observable(Protocol):
    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor: ...
    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor: ...


class Observer(Protocol):
    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        """The measurements, by the name of their column, and what is to be shown."""
        ...

    def reference(self) -> dict[str, Any] | None:
        """What measurements of this data are compared with, JSON-able; None while it is not known yet."""
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
    """Noise of the run's seed for pictures and for measurements, the same at every round."""

    def __init__(self, config: RunConfig) -> None:
        latent = Latent(config.model.latent_dim, config.model.latent)
        streams = Streams(config.seed)
        self.grid = latent(config.diagnostics.grid, streams.generator("previews")).to(config.device)
        self.evaluation = latent(config.diagnostics.samples, streams.generator("evaluation")).to(config.device)

    def samples(self, game: Observable) -> Tensor:
        """What is measured, on the CPU."""
        return torch.cat([game.sample(z).cpu() for z in self.evaluation.split(SAMPLES_AT_ONCE)])


class ImageObserver:
    """A grid of images and, for labelled data, the frozen classifier's histogram of generated samples."""

    def __init__(self, config: RunConfig, source: ImageSource, classifier: GetClassifier) -> None:
        self._noise = _FixedNoise(config)
        self._n = config.diagnostics.samples
        self._source = source
        self._get_classifier = classifier
        self._classifier: FrozenClassifier | None = None
        self._real_share = np.empty(0)

    def reference(self) -> dict[str, Any] | None:
        if self._source.judged is None:
            return {}
        classifier = self._find_classifier()
        if classifier is None:
            return None
        return {
            "class_names": list(self._source.class_names),
            **_real_bars(self._real_share, self._n, self._measure),
            "classifier": {"accuracy": classifier.report.accuracy, "n_heldout": classifier.report.n_heldout},
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        grid = to_uint8(game.sample(self._noise.grid)).cpu().numpy()
        classifier = None if self._source.judged is None else self._find_classifier()
        if classifier is None:
            return {}, Sight(round, {"grid": grid})
        counts = class_histogram(classifier.probabilities(self._noise.samples(game)))
        return self._measure(counts), Sight(
            round, {"grid": grid, "histogram": {"counts": counts.tolist(), "n": self._n}}
        )

    def _measure(self, counts: np.ndarray) -> Numbers:
        real = self._real_share[:-1]
        return {
            "modes_covered": float(modes_covered(counts)),
            "entropy": entropy(counts),
            "kl_to_real": kl_to_real(counts, real),
            "js_to_real": js_to_real(counts, real),
            "unsure_share": unsure_share(counts),
        }

    def _find_classifier(self) -> FrozenClassifier | None:
        if self._classifier is None:
            classifier = self._get_classifier(self._source)
            if classifier is not None:
                self._real_share = reference_histogram(classifier, self._source.x[self._source.heldout_index])
                self._classifier = classifier
        return self._classifier


class StackedObserver:
    """A grid of stacked images; each channel is judged by the classifier of the images that were stacked.

    A stack counts for a mode only if the classifier is sure of all three of its channels.
    """

    def __init__(self, config: RunConfig, source: StackedSource, classifier: GetClassifier) -> None:
        self._noise = _FixedNoise(config)
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
        grid = to_uint8(game.sample(self._noise.grid)).cpu().numpy()
        classifier = self._find_classifier()
        if classifier is None:
            return {}, Sight(round, {"grid": grid})
        counts = np.zeros(self._source.num_classes + 1, np.int64)
        for z in self._noise.evaluation.split(SAMPLES_AT_ONCE):
            counts += stack_counts(classifier, game.sample(z).cpu())
        return self._measure(counts), Sight(
            round, {"grid": grid, "histogram": {"counts": counts.tolist(), "n": self._n}}
        )

    def _measure(self, counts: np.ndarray) -> Numbers:
        return {
            "modes_captured": float(modes_captured(counts)),
            "modes_covered": float(modes_covered(counts)),
            "entropy": entropy(counts),
            "kl_to_real": kl_to_real(counts, self._real_share[:-1]),
            "js_to_real": js_to_real(counts, self._real_share[:-1]),
            "unsure_share": unsure_share(counts),
        }

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


def stack_counts(classifier: FrozenClassifier, x: Tensor) -> np.ndarray:
    """Stacks (n, 3, H, W) per mode, counts (K³ + 1,): the mode is 100a + 10b + c, the last bin has an unsure channel."""
    probabilities = classifier.probabilities(x.flatten(0, 1)[:, None])
    k = probabilities.shape[1]
    digits = probabilities.argmax(axis=1).reshape(-1, 3)
    sure = (probabilities.max(axis=1) >= UNSURE_BELOW).reshape(-1, 3).all(axis=1)
    mode = (digits[:, 0] * k + digits[:, 1]) * k + digits[:, 2]
    return np.bincount(np.where(sure, mode, k**3), minlength=k**3 + 1)


class CloudObserver:
    """Generated points on a plane where no modes are known: how far they are from the real ones, and what is left out."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        self._noise = _FixedNoise(config)
        self._source = source
        (self._x0, self._x1), (self._y0, self._y1) = source.extent()
        self._xs = np.linspace(self._x0, self._x1, CRITIC_CELLS)
        self._ys = np.linspace(self._y0, self._y1, CRITIC_CELLS)
        cells = source.to_network(np.stack(np.meshgrid(self._xs, self._ys), axis=-1).reshape(-1, 2))
        self._cells = torch.as_tensor(cells, dtype=torch.float32, device=config.device)
        self._real = self._real_points(0)

    def reference(self) -> dict[str, Any]:
        measured = [self._measure(self._real_points(seed)) for seed in range(1, 6)]
        return {
            "points": _rounded(self._real[:POINTS_DRAWN]),
            "extent": [self._x0, self._x1, self._y0, self._y1],
            "floors": {name: float(np.mean([one[name] for one in measured])) for name in measured[0]},
            "histogram_n": len(self._real),
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        points = self._source.to_data(self._noise.samples(game).numpy())
        numbers = self._measure(points) if np.isfinite(points).all() else {}
        critic = game.judge(self._cells).cpu().numpy().reshape(CRITIC_CELLS, CRITIC_CELLS)
        drawn = {
            "fake": _rounded(points[:POINTS_DRAWN]),
            "critic": _rounded(critic),
            "xs": _rounded(self._xs),
            "ys": _rounded(self._ys),
        }
        return numbers, Sight(round, {"points": drawn})

    def _measure(self, points: np.ndarray) -> Numbers:
        near = precision_recall_density_coverage(self._real[:NEIGHBOURS_OF], points[:NEIGHBOURS_OF])
        return {
            "sliced_wasserstein": sliced_wasserstein(self._real, points, np.random.default_rng(0)),
            "precision": near.precision,
            "recall": near.recall,
            "coverage": near.coverage,
            "std_ratio": std_ratio(self._real, points),
        }

    def _real_points(self, seed: int) -> np.ndarray:
        n = len(self._noise.evaluation)
        return self._source.to_data(self._source.sample(n, Streams(seed).generator("reference")).numpy())


class CombObserver:
    """A mixture on a line: what ``LineObserver`` sees, and the modes that hold points."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        self._line = LineObserver(config, source)
        self._noise = _FixedNoise(config)
        self._source = source
        real = source.to_data(source.sample(REAL_POINTS, Streams(0).generator("modes")).numpy())
        # Counted rather than computed: modes may overlap.
        self._real_share = mode_counts(real, source.centers, source.std) / REAL_POINTS

    def reference(self) -> dict[str, Any]:
        line = self._line.reference()
        bars = _real_bars(self._real_share, len(self._noise.evaluation), self._measure)
        names = [str(mode + 1) for mode in range(self._source.num_modes)]
        floors = {**line["floors"], **bars["floors"]}
        return {**line, **bars, "floors": floors, "class_names": names, "unsure_label": "off mode"}

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        numbers, sight = self._line.look(game, round)
        points = self._source.to_data(self._noise.samples(game).numpy())
        counts = mode_counts(points, self._source.centers, self._source.std)
        histogram = {"counts": counts.tolist(), "n": len(points)}
        return {**self._measure(counts), **numbers}, Sight(round, {**sight.parts, "histogram": histogram})

    def _measure(self, counts: np.ndarray) -> Numbers:
        return {
            "modes_captured": float(modes_captured(counts)),
            "modes_covered": float(modes_covered(counts)),
            "high_quality_share": high_quality_share(counts),
            "entropy": entropy(counts),
            "kl_to_real": kl_to_real(counts, self._real_share[:-1]),
        }


class PlaneObserver:
    """Generated points on a plane, D's opinion of every place, and the modes that hold points."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        self._noise = _FixedNoise(config)
        self._source = source
        self._real_share = _share_of_modes(source)
        (self._x0, self._x1), (self._y0, self._y1) = source.extent()
        self._xs = np.linspace(self._x0, self._x1, CRITIC_CELLS)
        self._ys = np.linspace(self._y0, self._y1, CRITIC_CELLS)
        cells = source.to_network(np.stack(np.meshgrid(self._xs, self._ys), axis=-1).reshape(-1, 2))
        self._cells = torch.as_tensor(cells, dtype=torch.float32, device=config.device)

    def reference(self) -> dict[str, Any]:
        return {
            "points": _rounded(_real_points(self._source, POINTS_DRAWN)),
            "extent": [self._x0, self._x1, self._y0, self._y1],
            "class_names": [str(mode + 1) for mode in range(self._source.num_modes)],
            **_real_bars(self._real_share, len(self._noise.evaluation), self._measure),
            "unsure_label": "off mode",
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        points = self._source.to_data(self._noise.samples(game).numpy())
        counts = mode_counts(points, self._source.centers, self._source.std)
        critic = game.judge(self._cells).cpu().numpy().reshape(CRITIC_CELLS, CRITIC_CELLS)
        drawn = {
            "fake": _rounded(points[:POINTS_DRAWN]),
            "critic": _rounded(critic),
            "xs": _rounded(self._xs),
            "ys": _rounded(self._ys),
        }
        histogram = {"counts": counts.tolist(), "n": len(points)}
        return self._measure(counts), Sight(round, {"points": drawn, "histogram": histogram})

    def _measure(self, counts: np.ndarray) -> Numbers:
        return {
            "modes_captured": float(modes_captured(counts)),
            "modes_covered": float(modes_covered(counts)),
            "high_quality_share": high_quality_share(counts),
            "entropy": entropy(counts),
            "kl_to_real": kl_to_real(counts, self._real_share[:-1]),
        }


class LineObserver:
    """The generated density on a line beside the real one, and D's opinion of every place."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        self._noise = _FixedNoise(config)
        self._source = source
        ((low, high),) = source.extent()
        self._edges = np.linspace(low, high, LINE_BINS + 1)
        self._xs = (self._edges[:-1] + self._edges[1:]) / 2
        cells = torch.as_tensor(source.to_network(self._xs[:, None]), dtype=torch.float32)
        self._cells = cells.to(config.device)
        self._real = _real_points(source, len(self._noise.evaluation))[:, 0]

    def reference(self) -> dict[str, Any]:
        n = len(self._real)
        others = [_real_points(self._source, n, seed)[:, 0] for seed in range(1, 11)]
        measured = [self._measure(other) for other in others]
        return {
            "xs": _rounded(self._xs),
            "real_density": _rounded(self._source.density(self._xs[:, None])),
            "floors": {name: float(np.mean([one[name] for one in measured])) for name in measured[0]},
            "histogram_n": n,
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        points = self._source.to_data(self._noise.samples(game).numpy())[:, 0]
        finite = points[np.isfinite(points)]
        numbers = self._measure(points) if len(finite) == len(points) else {}
        # Density of all points, also of those outside the picture: the curve must not grow when points leave it.
        counts, _ = np.histogram(finite, bins=self._edges)
        density = counts / (len(points) * np.diff(self._edges))
        drawn = {
            "xs": _rounded(self._xs),
            "fake": _rounded(density),
            "critic": _rounded(game.judge(self._cells).cpu().numpy()),
        }
        return numbers, Sight(round, {"points": drawn})

    def _measure(self, points: np.ndarray) -> Numbers:
        return {
            "wasserstein": wasserstein_1d(self._real, points),
            "mean": float(points.mean()),
            "std": float(points.std()),
        }


def _real_points(source: MixtureSource, n: int, seed: int = 0) -> np.ndarray:
    """The same real points (n, d) for every run, in data units."""
    return source.to_data(source.sample(n, Streams(seed).generator("reference")).numpy())


def _share_of_modes(source: MixtureSource, sigmas: float = 3.0) -> np.ndarray:
    """The share of real points that counts for each mode, and last of those that count for none."""
    apart = source.num_modes == 1 or pdist(source.centers).min() > (2 * sigmas + 2) * source.std.max()
    if apart:
        inside = float(chi2.cdf(sigmas**2, source.shape[0]))
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

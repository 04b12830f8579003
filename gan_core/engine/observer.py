"""Looking at a game: samples from noise that never changes, and the measurements of them.

Never moves a weight and never draws from the run's own streams: looking at a run does not change it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from scipy.stats import chi2
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import ImageSource, MixtureSource, Source, to_uint8
from gan_core.engine.messages import Sight
from gan_core.metrics.distances import wasserstein_1d
from gan_core.metrics.divergences import js_to_real, kl_to_real
from gan_core.metrics.histograms import class_histogram, entropy, modes_covered, sampling_band, unsure_share
from gan_core.metrics.modes import high_quality_share, mode_counts, modes_captured
from gan_core.training.classifier import FrozenClassifier, reference_histogram
from gan_core.training.latent import Latent
from gan_core.training.streams import Streams

GetClassifier = Callable[[ImageSource], FrozenClassifier | None]
Numbers = dict[str, float]

POINTS_DRAWN = 500
CRITIC_CELLS = 41
LINE_BINS = 80


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
    return LineObserver(config, source) if source.shape == (1,) else PlaneObserver(config, source)


class _FixedNoise:
    """Noise of the run's seed for pictures and for measurements, the same at every round."""

    def __init__(self, config: RunConfig) -> None:
        latent = Latent(config.model.latent_dim, config.model.latent)
        streams = Streams(config.seed)
        self.grid = latent(config.diagnostics.grid, streams.generator("previews")).to(config.device)
        self.evaluation = latent(config.diagnostics.samples, streams.generator("evaluation")).to(config.device)


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
        if self._source.y is None:
            return {}
        if not self._find_classifier():
            return None
        low, high = sampling_band(self._real_share, self._n)
        report = self._classifier.report  # type: ignore[union-attr]
        return {
            "class_names": list(self._source.class_names),
            "real_share": self._real_share.tolist(),
            "band_low": (low / self._n).tolist(),
            "band_high": (high / self._n).tolist(),
            "histogram_n": self._n,
            "classifier": {"accuracy": report.accuracy, "n_heldout": report.n_heldout},
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        grid = to_uint8(game.sample(self._noise.grid)).cpu().numpy()
        if self._source.y is None or not self._find_classifier():
            return {}, Sight(round, {"grid": grid})
        samples = game.sample(self._noise.evaluation).cpu()
        counts = class_histogram(self._classifier.probabilities(samples))  # type: ignore[union-attr]
        real = self._real_share[:-1]
        numbers = {
            "modes_covered": float(modes_covered(counts)),
            "entropy": entropy(counts),
            "kl_to_real": kl_to_real(counts, real),
            "js_to_real": js_to_real(counts, real),
            "unsure_share": unsure_share(counts),
        }
        return numbers, Sight(round, {"grid": grid, "histogram": {"counts": counts.tolist(), "n": self._n}})

    def _find_classifier(self) -> bool:
        if self._classifier is None:
            self._classifier = self._get_classifier(self._source)
            if self._classifier is not None:
                heldout = self._source.x[self._source.heldout_index]
                self._real_share = reference_histogram(self._classifier, heldout)
        return self._classifier is not None


class PlaneObserver:
    """Generated points on a plane, D's opinion of every place, and the modes that hold points."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        self._noise = _FixedNoise(config)
        self._source = source
        self._device = config.device
        (self._x0, self._x1), (self._y0, self._y1) = source.extent()
        self._xs = np.linspace(self._x0, self._x1, CRITIC_CELLS)
        self._ys = np.linspace(self._y0, self._y1, CRITIC_CELLS)
        cells = np.stack(np.meshgrid(self._xs, self._ys), axis=-1).reshape(-1, 2) / source.scale
        self._cells = torch.as_tensor(cells, dtype=torch.float32, device=config.device)

    def reference(self) -> dict[str, Any]:
        real = self._source.sample(POINTS_DRAWN, Streams(0).generator("reference")).numpy() * self._source.scale
        n = len(self._noise.evaluation)
        share = [*(self._source.weights * _inside(2)), 1 - _inside(2)]
        low, high = sampling_band(share, n)
        return {
            "points": _rounded(real),
            "extent": [self._x0, self._x1, self._y0, self._y1],
            "class_names": [str(mode + 1) for mode in range(self._source.num_modes)],
            "real_share": share,
            "band_low": (low / n).tolist(),
            "band_high": (high / n).tolist(),
            "histogram_n": n,
            "unsure_label": "off mode",
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        points = game.sample(self._noise.evaluation).cpu().numpy().astype(np.float64) * self._source.scale
        counts = mode_counts(points, self._source.centers, self._source.std)
        numbers = {
            "modes_captured": float(modes_captured(counts)),
            "modes_covered": float(modes_covered(counts)),
            "high_quality_share": high_quality_share(counts),
            "entropy": entropy(counts),
            "kl_to_real": kl_to_real(counts, self._source.weights),
        }
        critic = game.judge(self._cells).cpu().numpy().reshape(CRITIC_CELLS, CRITIC_CELLS)
        drawn = {
            "fake": _rounded(points[:POINTS_DRAWN]),
            "critic": _rounded(critic),
            "xs": _rounded(self._xs),
            "ys": _rounded(self._ys),
        }
        histogram = {"counts": counts.tolist(), "n": len(points)}
        return numbers, Sight(round, {"points": drawn, "histogram": histogram})


class LineObserver:
    """The generated density on a line beside the real one, and D's opinion of every place."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        self._noise = _FixedNoise(config)
        self._source = source
        ((low, high),) = source.extent()
        self._edges = np.linspace(low, high, LINE_BINS + 1)
        self._xs = (self._edges[:-1] + self._edges[1:]) / 2
        cells = torch.as_tensor(self._xs[:, None] / source.scale, dtype=torch.float32)
        self._cells = cells.to(config.device)
        n = len(self._noise.evaluation)
        self._real = source.sample(n, Streams(0).generator("reference")).numpy()[:, 0] * source.scale

    def reference(self) -> dict[str, Any]:
        other = self._source.sample(len(self._real), Streams(1).generator("reference")).numpy()[:, 0]
        return {
            "xs": _rounded(self._xs),
            "real_density": _rounded(self._source.density(self._xs[:, None])),
            "floors": {"wasserstein": wasserstein_1d(self._real, other * self._source.scale)},
            "histogram_n": len(self._real),
        }

    def look(self, game: Observable, round: int) -> tuple[Numbers, Sight]:
        points = game.sample(self._noise.evaluation).cpu().numpy().astype(np.float64)[:, 0] * self._source.scale
        finite = points[np.isfinite(points)]
        numbers = {}
        if len(finite) == len(points):
            numbers = {
                "wasserstein": wasserstein_1d(self._real, points),
                "mean": float(points.mean()),
                "std": float(points.std()),
            }
        # Density of all points, also of those outside the picture: the curve must not grow when points leave it.
        counts, _ = np.histogram(finite, bins=self._edges)
        density = counts / (len(points) * np.diff(self._edges))
        drawn = {
            "xs": _rounded(self._xs),
            "fake": _rounded(density),
            "critic": _rounded(game.judge(self._cells).cpu().numpy()),
        }
        return numbers, Sight(round, {"points": drawn})


def _inside(dimensions: int, sigmas: float = 3.0) -> float:
    """The share of a Gaussian's samples within so many standard deviations of its mean."""
    return float(chi2.cdf(sigmas**2, dimensions))


def _rounded(values: np.ndarray) -> list[Any]:
    """Nested lists with four significant decimals for the wire; what is not finite becomes None."""
    array = np.asarray(values, dtype=np.float64)
    nested: list[Any] = np.where(np.isfinite(array), np.round(array, 4), None).tolist()
    return nested

"""Looking at points on a plane or a line: where they are, D's opinion of every place, and the modes where they are known."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import pdist
from scipy.special import chdtr
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import MixtureSource
from gan_core.engine.messages import Sight
from gan_core.engine.observers.base import (
    FLOOR_LOOKS,
    real_bars,
    rounded,
    rounded_within,
    sampled,
    shown_in_any_case,
    shown_of,
)
from gan_core.engine.observers.layers import GRID_REACH, lines_of_grid, noise_grid, pull_on_points
from gan_core.engine.observers.measuring import Numbers, PointComparison, floors
from gan_core.metrics.densities import optimal_discriminator, smoothed_counts
from gan_core.metrics.divergences import kl_to_real
from gan_core.metrics.diversity import class_diversity
from gan_core.metrics.histograms import (
    effective_modes,
    entropy,
    modes_covered,
)
from gan_core.metrics.modes import high_quality_share, largest_share, mode_counts, modes_captured, nearest_mode
from gan_core.metrics.moments import moments
from gan_core.training import GAMES, Game, Judges, Pushes
from gan_core.training.streams import Streams

POINTS_DRAWN = 500
CRITIC_CELLS = 41
LINE_BINS = 80
REAL_POINTS = 40_000


class CloudObserver:
    """Generated points on a plane and D's opinion of every place; where no modes are known, how unlike the real ones."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        self._shown = shown_of(config, source)
        self._source = source
        self._sides = (self._x0, self._x1), (self._y0, self._y1) = source.extent()
        self._xs = np.linspace(self._x0, self._x1, CRITIC_CELLS)
        self._ys = np.linspace(self._y0, self._y1, CRITIC_CELLS)
        cells = source.to_network(np.stack(np.meshgrid(self._xs, self._ys), axis=-1).reshape(-1, 2))
        self._cells = torch.as_tensor(cells, dtype=torch.float32, device=config.device)
        self._n = self._shown.n
        self._real = _real_points(source, self._n)
        self._comparison = PointComparison(source.standardised(self._real))
        self._device = config.device
        latent = GAMES[config.game].latent(config)
        plain = latent is not None and latent.kind in GRID_REACH  # no plane is one of codes
        self._grid = noise_grid(latent.dim, latent.kind).to(config.device) if latent and plain else None

    def reference(self) -> dict[str, Any]:
        looks = [self._measure(_real_points(self._source, self._n, seed)) for seed in range(1, 1 + FLOOR_LOOKS)]
        reference = {
            "points": self._rounded(self._real[:POINTS_DRAWN]),
            "extent": [self._x0, self._x1, self._y0, self._y1],
            "floors": floors(looks),
            "sizes": self._comparison.sizes,
            "histogram_n": self._n,
        }
        if self._source.units:
            reference["units"] = list(self._source.units)
        if self._source.axes:
            reference["axes"] = list(self._source.axes)
        return reference

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        points = self._points(game)
        sight = Sight(round, {"points": self._drawn(game, points)})
        with shown_in_any_case(sight):
            return self._measure(points) if np.isfinite(points).all() else {}, sight

    def birthday(self, game: Game) -> dict[str, float]:
        return self._comparison.birthday(self._source.standardised(self._points(game)))

    def _points(self, game: Game) -> np.ndarray:
        return self._source.to_data(self._shown.samples(game).numpy())

    def _rounded(self, points: np.ndarray) -> list[Any]:
        """Points (n, 2) for the wire; axes with units of their own each to five digits of what is drawn of them."""
        if not self._source.units:
            return rounded(points)
        columns = [rounded_within(points[:, axis], *self._sides[axis]) for axis in (0, 1)]
        return [list(point) for point in zip(*columns, strict=True)]

    def _drawn(self, game: Game, points: np.ndarray) -> dict[str, Any]:
        xs, ys = self._xs, self._ys
        own = bool(self._source.units)
        drawn = {
            "fake": self._rounded(points[:POINTS_DRAWN]),
            "xs": rounded_within(xs, self._x0, self._x1) if own else rounded(xs),
            "ys": rounded_within(ys, self._y0, self._y1) if own else rounded(ys),
        }
        if isinstance(game, Judges):
            critic = game.judge(self._cells).cpu().numpy().reshape(CRITIC_CELLS, CRITIC_CELLS)
            drawn["critic"] = rounded(critic)
        if isinstance(game, Pushes):
            pull = pull_on_points(game, self._source, points, self._real, self._device)
            drawn["pull"] = [list(arrow) for arrow in zip(*map(rounded, pull.T), strict=True)] if own else rounded(pull)
        if self._grid is not None:
            bent = self._source.to_data(sampled(game, self._grid).cpu().numpy())
            drawn["grid"] = [self._rounded(line) for line in lines_of_grid(bent)]
        return drawn

    def _measure(self, points: np.ndarray) -> Numbers:
        return self._comparison.measure(self._source.standardised(points))


class PlaneObserver(CloudObserver):
    """The same where the modes are known, and how many points each of them holds."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        super().__init__(config, source)
        self._modes = _Modes(source, _share_of_modes(source))

    def reference(self) -> dict[str, Any]:
        return self._modes.reference(super().reference())

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        points = self._points(game)
        sight = Sight(round, {"points": self._drawn(game, points)})
        with shown_in_any_case(sight):
            numbers, histogram = self._modes.look(points)
            if np.isfinite(points).all():
                numbers |= super()._measure(points)
        return numbers, replace(sight, parts=sight.parts | {"histogram": histogram})

    def _measure(self, points: np.ndarray) -> Numbers:
        return self._modes.look(points)[0] | super()._measure(points)


class LineObserver:
    """The generated density on a line beside the real one, D's opinion of every place, and what it should be."""

    def __init__(self, config: RunConfig, source: MixtureSource) -> None:
        self._shown = shown_of(config, source)
        self._source = source
        ((low, high),) = source.extent()
        self._edges = np.linspace(low, high, LINE_BINS + 1)
        self._xs = (self._edges[:-1] + self._edges[1:]) / 2
        cells = torch.as_tensor(source.to_network(self._xs[:, None]), dtype=torch.float32)
        self._cells = cells.to(config.device)
        self._n = self._shown.n
        self._density = source.density(self._xs[:, None])
        self._likely = GAMES[config.game].reading(config).score_unit == "probability"
        self._company: Tensor | None = None
        self._comparison = PointComparison(_real_points(source, self._n))

    def reference(self) -> dict[str, Any]:
        looks = [self._measure(_real_points(self._source, self._n, seed)) for seed in range(1, 11)]
        return {
            "xs": rounded(self._xs),
            "real_density": rounded(self._density),
            "floors": floors(looks),
            "sizes": self._comparison.sizes,
            "histogram_n": self._n,
        }

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        points = self._points(game)
        finite = points[np.isfinite(points)]
        # Density of all points, also of those outside the picture: the curve must not grow when points leave it.
        counts, _ = np.histogram(finite, bins=self._edges)
        density = counts / (len(points) * np.diff(self._edges))
        drawn = {
            "xs": rounded(self._xs),
            "fake": rounded(density),
        }
        if isinstance(game, Judges):
            drawn["critic"] = rounded(self._opinions(game).cpu().numpy())
        # p / (p + q) is the best answer to one sample, not to a pack.
        if isinstance(game, Judges) and self._likely and game.packing == 1:
            drawn["optimal"] = rounded(optimal_discriminator(self._density, smoothed_counts(density)))
        sight = Sight(round, {"points": drawn})
        with shown_in_any_case(sight):
            return self._measure(points) if len(finite) == len(points) else {}, sight

    def birthday(self, game: Game) -> dict[str, float]:
        return self._comparison.birthday(self._points(game))

    def _opinions(self, game: Judges) -> Tensor:
        """D's opinion of every place; a D of packs is shown one real pack, moved so that its mean is there."""
        if game.packing == 1 or self._source.num_modes != 1:
            return game.judge(self._cells)
        if self._company is None:
            self._company = _around_zero(self._source, game.packing).to(self._cells.device)
        return game.judge_packs((self._cells[:, None] + self._company).flatten(0, 1))

    def _points(self, game: Game) -> np.ndarray:
        return self._source.to_data(self._shown.samples(game).numpy())

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

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        numbers, sight = super().look(game, round)
        with shown_in_any_case(sight):
            counted, histogram = self._modes.look(self._points(game))
        return counted | numbers, replace(sight, parts=sight.parts | {"histogram": histogram})


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
        bars = real_bars(share, n, self._count)
        return {
            **reference,
            **bars,
            "floors": reference["floors"] | looks | bars["floors"],
            "class_names": names,
            "centers": rounded(self._source.centers),
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

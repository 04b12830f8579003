"""Toy distributions with a known density. ``scale`` brings them to about [−1, 1], where the networks work."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial import KDTree

from gan_core.data.sources import MixtureSource

Place = tuple[tuple[float, ...], tuple[float, ...]]  # offset and unit of each axis


def ring(modes: int = 8, radius: float = 2.0, std: float = 0.02) -> MixtureSource:
    """``modes`` Gaussians on a circle (Metz et al. 2017). The end point is left out: 8 angles, 8 distinct modes."""
    angles = np.arange(modes) * (2 * math.pi / modes)
    centers = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return _equal_mixture("ring", centers, std, {"modes": modes, "radius": radius, "std": std})


def grid(side: int = 5, spacing: float = 2.0, std: float = 0.05) -> MixtureSource:
    """``side`` × ``side`` Gaussians on a square grid around 0 (VEEGAN's protocol: 5, spacing 2, std 0.05)."""
    axis = (np.arange(side) - (side - 1) / 2) * spacing
    centers = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    return _equal_mixture("grid", centers, std, {"side": side, "spacing": spacing, "std": std})


def gaussian(mean: float = 4.0, std: float = 1.25) -> MixtureSource:
    """One Gaussian on a line, N(mean, std²), seen by the networks in its own units as in the course example."""
    return MixtureSource(
        "gaussian", np.array([[mean]]), np.array([std]), np.array([1.0]), options={"mean": mean, "std": std}
    )


def mixture(modes: int = 5, spacing: float = 2.0, std: float = 0.2) -> MixtureSource:
    """``modes`` equal Gaussians on a line around 0, ``spacing`` apart: mode collapse that can be seen as a curve."""
    centers = ((np.arange(modes) - (modes - 1) / 2) * spacing)[:, None]
    return _equal_mixture("mixture", centers, std, {"modes": modes, "spacing": spacing, "std": std})


def spirals(arms: int = 2, turns: float = 1.5, std: float = 0.05) -> MixtureSource:
    """``arms`` Archimedean spirals wound around 0 out to a radius of 2, each even along its length."""
    angle = np.linspace(0, turns * 2 * math.pi, 4000)
    radius = 0.3 + 1.7 * angle / max(angle[-1], 1e-9)
    arm = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    around = np.arange(arms) * (2 * math.pi / arms)
    curves = [arm @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) for a in around]
    return _along("spirals", curves, std, {"arms": arms, "turns": turns, "std": std})


def moons(std: float = 0.08) -> MixtureSource:
    """Two half circles that reach into each other (scikit-learn's ``make_moons``, centred)."""
    angle = np.linspace(0, math.pi, 1000)
    upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    return _along("moons", [upper, -upper], std, {"std": std})


def lines(count: int = 3, spacing: float = 1.0, std: float = 0.04) -> MixtureSource:
    """``count`` parallel segments of length 2: a continuous G cannot leave one without crossing the gap to the next."""
    segment = np.stack([np.linspace(-1, 1, 500), np.zeros(500)], axis=1)
    heights = (np.arange(count) - (count - 1) / 2) * spacing
    options = {"count": count, "spacing": spacing, "std": std}
    return _along("lines", [segment + np.array([0, height]) for height in heights], std, options)


def smoothed(name: str, points: np.ndarray, place: Place | None = None, axes: tuple[str, ...] = ()) -> MixtureSource:
    """The density of given points (n, d), each blurred by a Gaussian about half as wide as the gap to its neighbours.

    Each axis is standardised first, by ``place`` or by ``place_of`` the points, so that neighbours are near on all axes
    and none is flattened. Densities and pictures stay in the units of the points.
    """
    points = np.asarray(points, np.float64)
    offset, units = place or place_of(points)
    width = _blur((points - offset) / units, 1.0)
    weights = np.full(len(points), 1 / len(points))
    std = np.full(len(points), width)
    return MixtureSource(name, points, std, weights, 2.0, {}, offset, has_modes=False, units=units, axes=axes)


def smoothed_on_one_scale(name: str, points: np.ndarray) -> MixtureSource:
    """The same with one scale and one blur for all axes, as sets were kept that have no place on their card."""
    points = np.asarray(points, np.float64)
    scale = float(points.std(axis=0).max()) or 1.0
    std = _blur(points, scale)
    weights = np.full(len(points), 1 / len(points))
    offset = tuple(points.mean(axis=0).tolist())
    return MixtureSource(name, points, np.full(len(points), std), weights, scale * 2, {}, offset, has_modes=False)


def _blur(points: np.ndarray, scale: float) -> float:
    """Half the gap from a point to its third neighbour, in the middle, and a thousandth of the spread at least."""
    nearest = KDTree(points).query(points, k=min(len(points), 4))[0][:, -1]
    return max(float(np.median(nearest)) / 2, 1e-3 * scale)


def place_of(points: np.ndarray) -> Place:
    """Middle and standard deviation of each axis of points (n, d); an axis that does not vary has a thousandth of its value."""
    points = np.asarray(points, np.float64)
    middle, spread = points.mean(axis=0), points.std(axis=0)
    size = np.where(middle == 0, 1.0, np.abs(middle))
    units = np.where(np.ptp(points, axis=0) > 0, spread, 1e-3 * size)
    return tuple(middle.tolist()), tuple(units.tolist())


def _along(name: str, curves: list[np.ndarray], std: float, options: dict[str, float]) -> MixtureSource:
    """Equal density along curves, each a polyline (n, 2), blurred by ``std``: Gaussians less than ``std`` apart."""
    centers, weights = [], []
    lengths = [_length(curve)[-1] for curve in curves]
    for curve, length in zip(curves, lengths, strict=True):
        n = min(4000, max(2, math.ceil(length / std * 1.5)))
        at = (np.arange(n) + 0.5) * length / n
        centers.append(np.stack([np.interp(at, _length(curve), curve[:, axis]) for axis in (0, 1)], axis=1))
        weights.append(np.full(n, length / sum(lengths) / n))
    every = np.concatenate(centers)
    scale = float(np.abs(every).max()) or 1.0
    share = np.concatenate(weights)
    return MixtureSource(name, every, np.full(len(every), float(std)), share, scale, options, has_modes=False)


def _length(curve: np.ndarray) -> np.ndarray:
    """The distance travelled along a polyline, at each of its points."""
    return np.concatenate([[0.0], np.linalg.norm(np.diff(curve, axis=0), axis=1).cumsum()])


def _equal_mixture(name: str, centers: np.ndarray, std: float, options: dict[str, float]) -> MixtureSource:
    return MixtureSource(
        name,
        centers,
        np.full(len(centers), float(std)),
        np.full(len(centers), 1 / len(centers)),
        scale=float(np.abs(centers).max()) or 1.0,
        options=options,
    )

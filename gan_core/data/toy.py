"""Toy distributions with a known density. ``scale`` brings them to about [−1, 1], where the networks work."""

from __future__ import annotations

import math

import numpy as np

from gan_core.data.sources import MixtureSource


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


def _equal_mixture(name: str, centers: np.ndarray, std: float, options: dict[str, float]) -> MixtureSource:
    return MixtureSource(
        name,
        centers,
        np.full(len(centers), float(std)),
        np.full(len(centers), 1 / len(centers)),
        scale=float(np.abs(centers).max()) or 1.0,
        options=options,
    )

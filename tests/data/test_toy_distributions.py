"""Toy distributions: the density integrates to one and the samples follow it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gan_core.data import DATASETS, MixtureSource
from gan_core.data.toy import (
    gaussian,
    grid,
    lines,
    mixture,
    moons,
    place_of,
    ring,
    smoothed,
    smoothed_on_one_scale,
    spirals,
)

GIVEN = np.random.default_rng(0).normal([30, -5], [2, 1], (200, 2))
SOURCES = {
    "ring": ring(),
    "ring, wide": ring(modes=3, radius=1.0, std=0.4),
    "grid": grid(),
    "grid of one": grid(side=1, std=0.3),
    "gaussian": gaussian(),
    "mixture": mixture(),
    "spirals": spirals(std=0.2),
    "moons": moons(std=0.15),
    "lines": lines(std=0.2),
    "given points": smoothed("given", GIVEN),
    "given points on one scale": smoothed_on_one_scale("given", GIVEN),
    "given points far away": smoothed("given", GIVEN * [1, 1e3] + [5e6, 0]),
    "unequal": MixtureSource(
        "m", np.array([[-2.0], [1.0], [3.0]]), np.array([0.3, 0.5, 1.0]), np.array([0.2, 0.5, 0.3]), scale=2.0
    ),
}
EACH = pytest.mark.parametrize("name", SOURCES)


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points_of(source: MixtureSource, n: int, seed: int = 0) -> np.ndarray:
    """Samples in data units."""
    return source.to_data(source.sample(n, stream(seed)).numpy())


@EACH
def test_the_density_integrates_to_one_over_the_extent(name: str) -> None:
    source = SOURCES[name]
    steps = source.std.min() / 2 * np.broadcast_to(source.units or 1.0, source.shape)
    axes = [np.arange(low, high, step) for (low, high), step in zip(source.extent(), steps, strict=True)]
    if len(axes) == 1:
        total = source.density(axes[0][:, None]).sum() * steps[0]
    else:
        total = sum(
            source.density(np.stack([np.full(len(axes[1]), x), axes[1]], axis=1)).sum() for x in axes[0]
        ) * steps.prod()  # fmt: skip
    assert total == pytest.approx(1, abs=1e-3)


@EACH
def test_the_density_is_the_mixture_of_normals(name: str) -> None:
    source = SOURCES[name]
    d = source.shape[0]
    centers = source.centers[:: max(1, len(source.centers) // 3)][:3].repeat(5, axis=0)
    units = np.broadcast_to(source.units or 1.0, d)
    points = centers + np.random.default_rng(0).normal(size=centers.shape) * source.std[0] * 2 * units
    expected = sum(
        weight * stats.multivariate_normal(center, std**2 * np.diag(units**2)).pdf(points)
        for weight, center, std in zip(source.weights, source.centers, source.std, strict=True)
    )
    np.testing.assert_allclose(source.density(points), expected, rtol=1e-9)


@EACH
def test_samples_follow_the_density(name: str) -> None:
    """Each projection has the distribution function of the mixture."""
    source = SOURCES[name]
    points = points_of(source, 4000)
    assert points.shape == (4000, *source.shape)
    for axis in range(source.shape[0]):

        def cdf(t: np.ndarray, axis: int = axis) -> np.ndarray:
            unit = source.units[axis] if source.units else 1.0
            parts = stats.norm.cdf(np.asarray(t)[..., None], source.centers[:, axis], source.std * unit)
            return parts @ source.weights

        assert stats.kstest(points[:, axis], cdf).pvalue > 0.005


@pytest.mark.parametrize(("source", "count"), [(ring(), 8), (grid(), 25), (ring(modes=5), 5), (grid(side=3), 9)])
def test_every_mode_gets_its_share_and_its_spread(source: MixtureSource, count: int) -> None:
    points = points_of(source, 8000)
    distances = np.linalg.norm(points[:, None] - source.centers[None], axis=-1)
    mode = distances.argmin(1)
    counts = np.bincount(mode, minlength=source.num_modes)
    assert source.num_modes == count
    assert stats.chisquare(counts).pvalue > 0.005
    residuals = (points - source.centers[mode]) / source.std[mode, None]
    assert residuals.std() == pytest.approx(1, abs=0.03)
    assert stats.kstest(residuals.flatten(), "norm").pvalue > 0.005


def test_the_ring_has_eight_distinct_modes() -> None:
    """`linspace(0, 2π, 8)` would put the first and the last on one spot."""
    centers = ring().centers
    assert centers.shape == (8, 2)
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 2.0)
    gaps = np.linalg.norm(centers[:, None] - centers[None], axis=-1)[~np.eye(8, dtype=bool)]
    assert gaps.min() == pytest.approx(2 * 2.0 * math.sin(math.pi / 8))
    np.testing.assert_allclose(centers.mean(0), 0, atol=1e-12)


def test_the_grid_has_twenty_five_modes_at_even_places() -> None:
    places = {(round(float(x), 9), round(float(y), 9)) for x, y in grid().centers}
    assert places == {(2.0 * i, 2.0 * j) for i in range(-2, 3) for j in range(-2, 3)}
    assert set(grid().std.tolist()) == {0.05}


def test_the_line_is_the_course_example() -> None:
    points = points_of(gaussian(), 20000)
    assert points.mean() == pytest.approx(4, abs=4 * 1.25 / math.sqrt(20000))
    assert points.std() == pytest.approx(1.25, rel=0.03)


@EACH
def test_networks_see_numbers_near_one(name: str) -> None:
    source = SOURCES[name]
    if name in ("ring", "grid"):
        assert np.abs(source.centers / source.scale).max() == pytest.approx(1)


@EACH
def test_sampling_uses_the_given_stream_alone(name: str) -> None:
    before = torch.get_rng_state()
    first, same, other = (SOURCES[name].sample(6, stream(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert first.dtype == torch.float32
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", [name for name, entry in DATASETS.items() if entry.options and entry.kind != "images"])
def test_options_reach_the_source_at_both_ends_of_their_bounds(name: str) -> None:
    dataset = DATASETS[name]
    assert set(dataset.bounds) == set(dataset.options)
    for option, (least, most) in dataset.bounds.items():
        default = dataset.options[option]
        assert least <= default <= most
        for value in (least, most):
            source = dataset.load(**{option: type(default)(value)})
            assert source.options[option] == value
            assert source.sample(5, stream()).isfinite().all()
            assert np.isfinite(source.density(source.centers)).all()


@pytest.mark.parametrize("name", ["spirals", "moons", "lines"])
@pytest.mark.parametrize("std", [0.01, 0.05, 0.3])
def test_a_curve_is_even_along_its_length(name: str, std: float) -> None:
    """No beads: the Gaussians that make up the curve stand closer than they are wide, and all weigh the same per length."""
    source = DATASETS[name].load(std=std)
    assert not source.has_modes
    assert source.num_modes == 0
    gaps = np.linalg.norm(np.diff(source.centers, axis=0), axis=1)
    along = gaps < 2 * std
    assert along.sum() >= len(gaps) - 8
    assert gaps[along].max() < std
    density = source.weights[:-1][along] / gaps[along]
    assert density.std() / density.mean() < 0.05
    assert source.weights.sum() == pytest.approx(1)


def test_the_curves_are_where_they_are_drawn() -> None:
    radius = np.linalg.norm(spirals().centers, axis=1)
    assert (radius.min(), radius.max()) == (pytest.approx(0.3, abs=0.02), pytest.approx(2, abs=0.03))
    assert set(lines(count=3).centers[:, 1].tolist()) == {-1.0, 0.0, 1.0}
    upper, lower = np.split(moons().centers, 2)
    np.testing.assert_allclose(upper, -lower)
    np.testing.assert_allclose(np.linalg.norm(upper + np.array([0.5, 0.25]), axis=1), 1, atol=1e-3)


@EACH
def test_the_extent_holds_every_mode(name: str) -> None:
    source = SOURCES[name]
    for axis, (low, high) in enumerate(source.extent()):
        reach = 4 * source.std * (source.units[axis] if source.units else 1.0)
        assert low < (source.centers[:, axis] - reach).min()
        assert high > (source.centers[:, axis] + reach).max()


@pytest.mark.parametrize("scale", [(1.0, 1.0), (1e-6, 1.0), (1.0, 1e12), (3e-9, 7e9), (1e25, 1e-25)])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (5e6, -3e6), (0.0, 1e5)])
def test_units_and_places_of_axes_change_nothing_for_the_network(
    scale: tuple[float, float], offset: tuple[float, float]
) -> None:
    """Two clusters, written in other units and counted from another 0, in steps that float64 has: the same to a network."""
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.normal([-1, 2], 0.2, (150, 2)), rng.normal([1, -2], 0.2, (150, 2))])
    written = (points + offset) * scale
    plain, other = smoothed("p", points), smoothed("p", written)
    np.testing.assert_allclose(other.sample(2000, stream()), plain.sample(2000, stream()), atol=1e-5)
    np.testing.assert_allclose(other.density(written) * np.prod(scale), plain.density(points), rtol=1e-4)
    np.testing.assert_allclose(other.to_network(other.to_data(points)), points, atol=1e-6)
    np.testing.assert_allclose(other.moved(points) / scale, plain.moved(points), rtol=1e-4)


def test_no_axis_is_flattened_beside_a_long_one() -> None:
    rng = np.random.default_rng(0)
    left = rng.random(400) < 0.5
    points = np.stack(
        [np.where(left, 0.2, 0.8) + rng.normal(0, 0.03, 400), np.where(left, 2e4, 6e4) + rng.normal(0, 3e3, 400)], 1
    )
    drawn = points_of(smoothed("shares and incomes", points), 4000)
    np.testing.assert_allclose(drawn.std(0), points.std(0), rtol=0.05)
    assert ((drawn[:, 0] > 0) & (drawn[:, 0] < 1)).mean() > 0.999
    assert ((drawn[:, 0] > 0.4) & (drawn[:, 0] < 0.6)).mean() < 0.01


def test_an_axis_that_does_not_vary_keeps_its_value() -> None:
    points = np.stack([np.linspace(0, 1, 100), np.full(100, 7.0)], axis=1)
    source = smoothed("flat", points)
    np.testing.assert_allclose(points_of(source, 500)[:, 1], 7.0, rtol=0.01)
    assert all(low < high for low, high in source.extent())
    assert place_of(points)[1][1] > 0

"""Oracles: points placed by hand, and the chi-square law of the distance to the centre of a Gaussian."""

import numpy as np
import pytest
from scipy import stats

from gan_core.metrics.divergences import kl_to_real
from gan_core.metrics.histograms import modes_covered
from gan_core.metrics.modes import high_quality_share, largest_share, mode_counts, modes_captured, nearest_mode

ANGLES = np.arange(8) * 2 * np.pi / 8  # no end point: np.linspace(0, 2 pi, 8) has 7 distinct modes
RING = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def ring_samples(n, std=0.02, seed=0):
    rng = np.random.default_rng(seed)
    return RING[rng.integers(8, size=n)] + std * rng.standard_normal((n, 2))


def test_nearest_mode_by_hand():
    index, distance = nearest_mode([[0.0, 0.0], [3.0, 4.0]], [[0.0, 1.0], [3.0, 0.0]])
    assert index.tolist() == [0, 1]
    assert distance.tolist() == [1.0, 4.0]


def test_nearest_mode_on_a_line():
    index, distance = nearest_mode([-2.5, 0.4, 9.0], [-2.0, 0.0, 2.0])
    assert index.tolist() == [0, 1, 2]
    np.testing.assert_allclose(distance, [0.5, 0.4, 7.0])


def test_nearest_mode_refuses_other_dimensions():
    with pytest.raises(ValueError, match="dimension"):
        nearest_mode(np.zeros((3, 2)), np.zeros((4, 3)))


def test_mode_counts_by_hand():
    centers = [[0.0, 0.0], [10.0, 0.0]]
    points = [[0.0, 0.3], [0.31, 0.0], [10.0, -0.2], [5.0, 5.0], [np.nan, 0.0], [np.inf, 0.0]]
    assert mode_counts(points, centers, std=0.1).tolist() == [1, 1, 4]
    assert mode_counts(points, centers, std=0.1, sigmas=4).tolist() == [2, 1, 3]
    assert mode_counts(points, centers, std=[0.2, 0.01]).tolist() == [2, 0, 4]


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_high_quality_share_of_real_samples_is_the_chi_square_law(dimension):
    points = np.random.default_rng(dimension).standard_normal((200_000, dimension)) * 0.05
    share = high_quality_share(mode_counts(points, np.zeros((1, dimension)), std=0.05))
    assert share == pytest.approx(stats.chi2.cdf(9, dimension), abs=0.001)


def test_real_ring_reads_its_floor():
    kl = []
    for seed in range(40):
        counts = mode_counts(ring_samples(2500, seed=seed), RING, std=0.02)
        assert modes_captured(counts) == modes_covered(counts) == 8
        assert high_quality_share(counts) == pytest.approx(1 - np.exp(-4.5), abs=0.008)
        kl.append(kl_to_real(counts, np.full(8, 1 / 8)))
    assert np.mean(kl) == pytest.approx(7 / 5000, rel=0.35)


def test_one_lucky_point_captures_a_mode_and_does_not_cover_it():
    points = np.concatenate([np.tile(RING[0], (999, 1)), RING[[3]]])
    counts = mode_counts(points, RING, std=0.02)
    assert modes_captured(counts) == 2
    assert modes_covered(counts) == 1


def test_nothing_near_a_mode():
    counts = mode_counts(np.zeros((100, 2)), RING, std=0.02)
    assert modes_captured(counts) == 0
    assert high_quality_share(counts) == 0
    assert kl_to_real(counts, np.full(8, 1 / 8)) == pytest.approx(np.log(8))


def test_the_fullest_mode_and_its_share_of_what_counts():
    assert largest_share([10, 30, 20, 40]) == (1, 0.5)
    assert largest_share([0, 0, 7]) == (0, 0.0)
    counts = np.bincount(np.random.default_rng(0).integers(8, size=8000), minlength=9)
    assert largest_share(counts)[1] == pytest.approx(1 / 8, abs=0.02)

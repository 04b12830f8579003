"""Oracles: scipy.stats."""

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from gan_core.metrics.moments import center, main_axes, moments, std_ratio


def test_moments_against_scipy():
    x = np.random.default_rng(0).gamma(2.0, size=5000)
    assert moments(x) == pytest.approx((x.mean(), x.std(), stats.skew(x), stats.kurtosis(x)))
    assert moments(x[:, None]) == moments(x)


def test_moments_of_one_point_are_defined():
    assert moments(np.full(7, 0.1)) == pytest.approx((0.1, 0, 0, 0))


def test_moments_need_a_line():
    with pytest.raises(ValueError, match="dimension 1"):
        moments(np.zeros((4, 2)))


def test_std_ratio():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(4000, 2))
    assert std_ratio(real, real) == 1
    assert std_ratio(real, real * 0.3 + 5) == pytest.approx(0.3)
    assert std_ratio(real, rng.normal(size=(4000, 2))) == pytest.approx(1, abs=4 / np.sqrt(8000))
    expected = np.sqrt(np.trace(np.cov((real * [1, 3]).T)) / np.trace(np.cov(real.T)))
    assert std_ratio(real, real * [1, 3]) == pytest.approx(expected)


def test_std_ratio_without_spread():
    point, cloud = np.ones((5, 2)), np.random.default_rng(0).normal(size=(5, 2))
    assert std_ratio(cloud, point) == 0
    assert std_ratio(point, point) == 1
    assert std_ratio(point, cloud) == np.inf


def test_main_axes_are_those_of_a_principal_component_analysis():
    x = np.random.default_rng(0).normal(size=(300, 5)) @ np.diag([5.0, 3.0, 1.0, 0.5, 0.2]) + 7
    axes = main_axes(x)
    oracle = PCA(2).fit(x)
    np.testing.assert_allclose(np.abs(np.sum(oracle.components_ * axes.directions.T, axis=1)), 1)
    np.testing.assert_allclose(axes.std, np.sqrt(oracle.explained_variance_ * 299 / 300))
    assert (axes.directions.max(axis=0) >= -axes.directions.min(axis=0)).all(), "the sign is fixed"


def test_the_center_is_counted_in_real_standard_deviations():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(2000, 2)) * [4.0, 1.0]
    axes = main_axes(real)
    np.testing.assert_allclose(center(real, axes), 0, atol=1e-12)
    np.testing.assert_allclose(np.abs(center(real + np.array([8.0, -1.0]), axes)), [2, 1], atol=0.1)
    assert np.abs(center(rng.normal(size=(2000, 2)) * [4.0, 1.0], axes)).max() < 0.1
    assert center(np.full((3, 1), 6.0), main_axes(np.array([1.0, 3.0]))) == pytest.approx([4.0])


def test_the_center_of_data_that_does_not_vary_is_zero():
    assert center(np.ones((3, 2)), main_axes(np.zeros((5, 2)))).tolist() == [0, 0]

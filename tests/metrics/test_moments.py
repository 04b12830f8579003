"""Oracles: scipy.stats."""

import numpy as np
import pytest
from scipy import stats

from gan_core.metrics.moments import moments, std_ratio


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

"""Oracles: scipy's Wasserstein distance, scikit-learn's kernel, scipy's matrix root, closed forms of Gaussians."""

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import rbf_kernel

from gan_core.metrics.distances import (
    frechet_distance,
    frechet_of_gaussians,
    mmd2,
    sliced_wasserstein,
    wasserstein_1d,
)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("n", "m"), [(500, 500), (500, 300), (1, 7), (3, 1)])
def test_wasserstein_against_scipy(n, m):
    x, y = rng(1).normal(size=n), rng(2).exponential(size=m).round(1)  # ties included
    assert wasserstein_1d(x, y) == pytest.approx(stats.wasserstein_distance(x, y))


def test_wasserstein_of_a_shift_is_the_shift():
    x = rng().normal(size=400)
    assert wasserstein_1d(x, x + 3) == pytest.approx(3)
    assert wasserstein_1d(x, x[::-1]) == 0


def test_wasserstein_floor():
    values = [wasserstein_1d(rng(s).normal(size=5000), rng(s + 99).normal(size=5000)) for s in range(30)]
    assert np.mean(values) == pytest.approx(2 / np.sqrt(5000), rel=0.15)


def test_wasserstein_needs_a_line():
    with pytest.raises(ValueError, match="dimension 1"):
        wasserstein_1d(np.zeros((3, 2)), np.zeros((3, 2)))


def test_sliced_wasserstein_of_a_shift():
    x = rng().normal(size=(300, 2))
    value = sliced_wasserstein(x, x + np.array([3.0, 4.0]), rng(1), directions=4000)
    assert value == pytest.approx(5 * 2 / np.pi, rel=0.03)


def test_sliced_wasserstein_is_the_mean_of_scipys_along_directions():
    x, y = rng(1).normal(size=(200, 3)), rng(2).normal(size=(150, 3)) * 2
    axes = rng(3).standard_normal((3, 50))
    axes /= np.linalg.norm(axes, axis=0)
    expected = np.mean([stats.wasserstein_distance(x @ u, y @ u) for u in axes.T])
    assert sliced_wasserstein(x, y, rng(3)) == pytest.approx(expected)
    assert sliced_wasserstein(x, x, rng(3)) == 0


def test_mmd_against_scikit_learn():
    x, y = rng(1).normal(size=(60, 2)), rng(2).normal(size=(80, 2)) + 0.5
    gamma = 1 / (2 * 0.3**2)
    expected = rbf_kernel(x, x, gamma).mean() + rbf_kernel(y, y, gamma).mean() - 2 * rbf_kernel(x, y, gamma).mean()
    assert mmd2(x, y, 0.3) == pytest.approx(expected)


def test_mmd_bounds_and_floor():
    assert mmd2(np.zeros((5, 2)), np.full((5, 2), 99.0), 0.3) == pytest.approx(2)
    x = rng().normal(size=(50, 2))
    assert mmd2(x, x, 0.3) == pytest.approx(0, abs=1e-12)
    # E k(x, x') of two standard Gaussians in 2-D is b^2 / (b^2 + 2).
    floor = (2 / 400) * (1 - 0.3**2 / (0.3**2 + 2))
    values = [mmd2(rng(s).normal(size=(400, 2)), rng(s + 99).normal(size=(400, 2)), 0.3) for s in range(20)]
    assert np.mean(values) == pytest.approx(floor, rel=0.1)
    with pytest.raises(ValueError, match="bandwidth"):
        mmd2(x, x, 0.0)


def test_frechet_of_diagonal_gaussians():
    mean_1, mean_2 = np.array([0.0, 1.0, 2.0]), np.array([3.0, 1.0, 0.0])
    std_1, std_2 = np.array([1.0, 2.0, 0.0]), np.array([4.0, 0.5, 3.0])
    expected = ((mean_1 - mean_2) ** 2).sum() + ((std_1 - std_2) ** 2).sum()
    assert frechet_of_gaussians(mean_1, np.diag(std_1**2), mean_2, np.diag(std_2**2)) == pytest.approx(expected)


def test_frechet_against_the_matrix_root_of_scipy():
    x, y = rng(1).normal(size=(200, 6)) @ rng(2).normal(size=(6, 6)), rng(3).normal(size=(150, 6)) + 1
    s_x, s_y, shift = np.cov(x.T), np.cov(y.T), x.mean(0) - y.mean(0)
    expected = shift @ shift + np.trace(s_x + s_y - 2 * sqrtm(s_x @ s_y).real)
    assert frechet_distance(x, y) == pytest.approx(expected)
    assert frechet_distance(y, x) == pytest.approx(expected)


def test_frechet_of_singular_covariances():
    """A generator collapsed onto one point or one line: the distance is exact there, not NaN."""
    real = rng().normal(size=(300, 64))
    point = np.tile(real.mean(axis=0), (300, 1))
    assert frechet_distance(real, point) == pytest.approx(np.trace(np.cov(real.T)))
    line = np.outer(rng(1).normal(size=300), rng(2).normal(size=64))
    assert frechet_distance(line, line) == pytest.approx(0, abs=1e-5 * np.trace(np.cov(line.T)))
    assert frechet_distance(line, line * 3) == pytest.approx(
        4 * np.trace(np.cov(line.T)) + 4 * (line.mean(0) ** 2).sum(), rel=1e-6
    )


def test_frechet_in_one_dimension_and_its_floor():
    x, y = rng(1).normal(size=500), rng(2).normal(size=500) * 2 + 1
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert frechet_distance(x, y) == pytest.approx(expected)
    floors = [frechet_distance(rng(n).normal(size=(n, 8)), rng(n + 1).normal(size=(n, 8))) for n in (200, 2000)]
    assert 0 < floors[1] < floors[0] / 5
    with pytest.raises(ValueError, match="two samples"):
        frechet_distance(np.zeros((1, 3)), np.zeros((9, 3)))


@pytest.mark.parametrize("function", [frechet_distance, lambda x, y: mmd2(x, y, 1.0)])
def test_samples_that_cannot_be_compared_are_refused(function):
    good = rng().normal(size=(20, 3))
    for bad, message in [(good[:, :2], "dimension"), (good * np.nan, "finite"), (good[:0], "at least one")]:
        with pytest.raises(ValueError, match=message):
            function(good, bad)

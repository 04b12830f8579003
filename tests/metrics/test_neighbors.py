"""Oracles: scikit-learn's nearest neighbours; the law of coverage of two equal distributions (Naeem et al. 2020)."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from gan_core.metrics.neighbors import precision_recall_density_coverage


def by_scikit_learn(real, fake, k):
    def radius(x):
        return NearestNeighbors(n_neighbors=k + 1).fit(x).kneighbors(x)[0][:, -1]

    def balls(centers, radii, points):
        return np.array([np.linalg.norm(points - c, axis=1) <= r for c, r in zip(centers, radii, strict=True)])

    in_real, in_fake = balls(real, radius(real), fake), balls(fake, radius(fake), real)
    return in_real.any(0).mean(), in_fake.any(0).mean(), in_real.sum(0).mean() / k, in_real.any(1).mean()


@pytest.mark.parametrize(("n", "m", "k"), [(120, 120, 5), (120, 60, 3), (40, 150, 1)])
def test_against_scikit_learn(n, m, k):
    rng = np.random.default_rng(n)
    real, fake = rng.normal(size=(n, 4)), rng.normal(size=(m, 4)) * 0.7 + 0.5
    assert precision_recall_density_coverage(real, fake, k) == pytest.approx(by_scikit_learn(real, fake, k))


def test_floor_of_two_real_sets():
    k, n, m = 5, 400, 300
    expected_coverage = 1 - np.prod([(n - i) / (n + m - i) for i in range(1, k + 1)])
    rng = np.random.default_rng(0)
    values = [precision_recall_density_coverage(rng.normal(size=(n, 2)), rng.normal(size=(m, 2)), k) for _ in range(40)]
    precision, recall, density, coverage = np.mean(values, axis=0)
    assert coverage == pytest.approx(expected_coverage, abs=0.01)
    assert density == pytest.approx(1, abs=0.05)
    assert precision > 0.93
    assert recall > 0.93


def test_a_set_against_itself():
    x = np.random.default_rng(0).normal(size=(100, 3))
    result = precision_recall_density_coverage(x, x)
    assert (result.precision, result.recall, result.coverage) == (1, 1, 1)
    assert result.density == pytest.approx(6 / 5, abs=1e-9)  # each point lies in its own ball as well


def test_collapse_onto_one_real_sample_is_precise_and_recalls_nothing():
    real = np.random.default_rng(0).normal(size=(500, 2))
    result = precision_recall_density_coverage(real, np.tile(real[0], (500, 1)))
    assert result.precision == 1
    assert result.recall <= 0.01
    assert result.coverage < 0.05


def test_far_away_samples_read_zero():
    real = np.random.default_rng(0).normal(size=(50, 2))
    assert precision_recall_density_coverage(real, real + 1000) == (0, 0, 0, 0)


@pytest.mark.parametrize("k", [0, 10])
def test_too_few_samples_are_refused(k):
    with pytest.raises(ValueError, match="neighbours"):
        precision_recall_density_coverage(np.zeros((10, 2)), np.zeros((99, 2)), k)

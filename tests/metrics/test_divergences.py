"""Oracles: scipy.stats.entropy, scipy's Jensen-Shannon distance, and the chi-square law of a sample's KL."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from gan_core.metrics.divergences import js, js_to_real, kl, kl_on_grid, kl_to_real

P = np.array([0.5, 0.25, 0.25, 0.0])
Q = np.array([0.1, 0.2, 0.3, 0.4])


def test_kl_and_js_against_scipy():
    assert kl(P, Q) == pytest.approx(stats.entropy(P, Q))
    assert js(P, Q) == pytest.approx(jensenshannon(P, Q) ** 2)


def test_kl_is_not_symmetric_and_generated_comes_first():
    assert kl(P, Q) == pytest.approx(0.5 * np.log(5) + 0.25 * np.log(1.25) + 0.25 * np.log(0.25 / 0.3))
    assert kl(Q, P) == np.inf
    assert js(P, Q) == pytest.approx(js(Q, P))


def test_equal_distributions_are_at_zero_and_disjoint_ones_at_the_bound():
    assert kl(Q, Q * 7) == pytest.approx(0, abs=1e-15)
    assert js(Q, Q) == 0
    assert js([1, 0], [0, 3]) == pytest.approx(np.log(2))
    assert kl([1, 0], [0, 3]) == np.inf


@pytest.mark.parametrize("weights", [[0, 0, 0, 0], [1, -1, 1, 1], [np.nan, 1, 1, 1], [1, 2, 3]])
def test_what_is_no_distribution_is_refused(weights):
    with pytest.raises(ValueError, match="distribution"):
        kl(weights, Q)
    with pytest.raises(ValueError, match="distribution"):
        js(Q, weights)


def test_class_mix_leaves_the_unsure_out():
    assert kl_to_real([50, 30, 20, 900], [0.2, 0.3, 0.5]) == pytest.approx(stats.entropy([5, 3, 2], [2, 3, 5]))
    assert js_to_real([50, 30, 20, 900], [0.2, 0.3, 0.5]) == pytest.approx(jensenshannon([5, 3, 2], [2, 3, 5]) ** 2)


def test_collapse_reads_log_k():
    assert kl_to_real([0, 0, 0, 1000] + [0] * 7, np.full(10, 0.1)) == pytest.approx(np.log(10))


def test_all_unsure_reads_as_the_worst_collapse():
    assert kl_to_real([0, 0, 0, 10], [0.5, 0.3, 0.2]) == pytest.approx(-np.log(0.2))
    assert kl_to_real([0, 0, 0, 10], [5, 5, 0]) == pytest.approx(np.log(2))  # an absent class is no collapse
    assert js_to_real([0, 0, 0, 10], [0.5, 0.3, 0.2]) == pytest.approx(np.log(2))


def test_class_mix_over_other_classes_is_refused():
    with pytest.raises(ValueError, match="shapes"):
        kl_to_real([1, 2, 3], [0.3, 0.3, 0.4])


def test_floors_of_real_samples():
    share = np.arange(1, 11) / 55
    draws = np.random.default_rng(0).multinomial(1000, share, size=600)
    histograms = np.hstack([draws, np.zeros((600, 1))])
    assert np.mean([kl_to_real(h, share) for h in histograms]) == pytest.approx(9 / 2000, rel=0.1)
    assert np.mean([js_to_real(h, share) for h in histograms]) == pytest.approx(9 / 8000, rel=0.1)


def gaussian_cells(edges):
    return np.diff(stats.norm.cdf(edges))


def test_grid_reads_its_floor_on_real_points():
    """GAN Lab binned a third of the true points, so that a perfect generator read .42."""
    edges = np.linspace(-2, 2, 21)
    rng = np.random.default_rng(0)
    values = [kl_on_grid(rng.standard_normal(5000), [edges], gaussian_cells(edges)) for _ in range(100)]
    assert np.mean(values) == pytest.approx(20 / 10_000, rel=0.1)  # 20 cells and the outside


def test_grid_in_the_plane_against_scipy():
    edges = np.linspace(-1, 1, 4)
    cells = np.outer(gaussian_cells(edges), gaussian_cells(edges))
    points = np.random.default_rng(0).standard_normal((2000, 2)) * 0.6 + 0.2
    inside, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=[edges, edges])
    expected = stats.entropy([*inside.ravel(), 2000 - inside.sum()], [*cells.ravel(), 1 - cells.sum()])
    assert kl_on_grid(points, [edges, edges], cells) == pytest.approx(expected)
    assert kl_on_grid(points[:, ::-1], [edges, edges], cells) == pytest.approx(expected, abs=0.05)


def test_points_outside_the_grid_count():
    edges = np.linspace(-1, 1, 3)
    assert kl_on_grid(np.full(10, 5.0), [edges], gaussian_cells(edges)) == pytest.approx(
        -np.log(1 - gaussian_cells(edges).sum())
    )
    assert kl_on_grid(np.full(10, 5.0), [edges], [0.5, 0.5]) == np.inf


def test_grid_refuses_masses_of_another_shape_or_above_one():
    for masses in ([0.5, 0.2, 0.3], [0.8, 0.8]):
        with pytest.raises(ValueError, match="probabilities"):
            kl_on_grid([0.0], [np.linspace(-1, 1, 3)], masses)

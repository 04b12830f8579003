"""Closed forms, and the loss that the optimal discriminator minimises."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from gan_core.metrics.densities import NOWHERE, optimal_discriminator, smoothed_counts

XS = np.linspace(-8, 8, 401)


def test_two_gaussians_give_a_logistic_curve():
    p, q = stats.norm.pdf(XS, 0.5), stats.norm.pdf(XS, -0.5)
    best = optimal_discriminator(p, q)
    there = np.isfinite(best)
    np.testing.assert_allclose(best[there], 1 / (1 + np.exp(-XS[there])), rtol=1e-9)
    assert (p + q)[~there].max() <= NOWHERE * (p + q).max()
    assert 0.3 < there.mean() < 0.7


def test_it_is_what_minimises_the_loss_at_each_point():
    for p, q in ((0.3, 0.1), (0.01, 0.4), (0.2, 0.2)):
        loss = minimize_scalar(lambda d, p=p, q=q: -p * np.log(d) - q * np.log(1 - d), bounds=(1e-6, 1 - 1e-6))
        assert optimal_discriminator([p], [q])[0] == pytest.approx(loss.x, abs=1e-4)


def test_equal_densities_cannot_be_told_apart():
    p = stats.norm.pdf(XS)
    best = optimal_discriminator(p, p)
    assert np.nanmin(best) == np.nanmax(best) == 0.5


def test_densities_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        optimal_discriminator([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="at least 0"):
        optimal_discriminator([-1.0], [1.0])


def test_smoothing_keeps_the_mass_and_halves_the_scatter():
    counts = np.random.default_rng(0).poisson(50, size=4000).astype(float)
    smooth = smoothed_counts(counts)
    assert smooth.sum() == pytest.approx(counts.sum())
    assert smooth.std() == pytest.approx(np.sqrt(6 / 16) * counts.std(), rel=0.05)

"""Two Gaussians dragged apart: quadrature against closed forms, and the theorems that tie the numbers together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm, wasserstein_distance

from gan_core.engine.theory import separation, sweep

WIDTHS = [(1.0, 1.0), (0.5, 1.5), (1.4, 0.3)]
THETAS = [-4.0, -0.7, 0.0, 1.3, 6.0]
LOG2 = math.log(2)


def kl_of_gaussians(theta: float, a: float, b: float) -> float:
    return math.log(b / a) + (a**2 + theta**2) / (2 * b**2) - 0.5


def wasserstein_of_gaussians(theta: float, a: float, b: float) -> float:
    """∫₀¹ |θ + (b − a) Φ⁻¹(u)| du, the mean of a folded normal."""
    spread = abs(b - a)
    if spread == 0:
        return abs(theta)
    return spread * math.sqrt(2 / math.pi) * math.exp(-((theta / spread) ** 2) / 2) + theta * (
        1 - 2 * norm.cdf(-theta / spread)
    )


@pytest.mark.parametrize(("a", "b"), WIDTHS)
def test_numbers_are_the_closed_forms(a: float, b: float) -> None:
    result = sweep(THETAS, a, b)
    assert result.kl == pytest.approx([kl_of_gaussians(t, a, b) for t in THETAS], abs=1e-8)
    assert result.wasserstein == pytest.approx([wasserstein_of_gaussians(t, a, b) for t in THETAS], abs=1e-5)
    assert result.value == pytest.approx(2 * result.js - 2 * LOG2)
    assert ((result.js >= 0) & (result.js <= LOG2)).all()


def test_js_is_that_of_many_samples() -> None:
    """An estimate that shares nothing with the quadrature: E_p log(p/m) and E_q log(q/m) over quantiles."""
    u = (np.arange(200_000) + 0.5) / 200_000
    for theta in (0.5, 2.0):
        p, q = norm(0, 1), norm(theta, 0.6)

        def against_mixture(own, p=p, q=q) -> float:
            x = own.ppf(u)
            return float(np.mean(own.logpdf(x) - np.log((p.pdf(x) + q.pdf(x)) / 2)))

        js = (against_mixture(p) + against_mixture(q)) / 2
        result = sweep([theta], 1.0, 0.6)
        assert result.js[0] == pytest.approx(js, abs=1e-4)
        assert result.wasserstein[0] == pytest.approx(wasserstein_distance(p.ppf(u), q.ppf(u)), abs=1e-3)


def test_equal_distributions_are_worth_minus_two_log_two() -> None:
    result = sweep([0.0], 1.0, 1.0)
    assert result.value[0] == pytest.approx(-2 * LOG2)
    assert [result.js[0], result.kl[0], result.wasserstein[0]] == pytest.approx([0, 0, 0], abs=1e-12)
    np.testing.assert_allclose(separation(0.0, 1.0, 1.0, np.linspace(-3, 3, 50)).D, 0.5)


def test_js_saturates_where_wasserstein_goes_on() -> None:
    far = sweep([20.0, 40.0], 1.0, 1.0)
    assert far.js == pytest.approx(LOG2, abs=1e-9)
    assert far.wasserstein == pytest.approx([20, 40], abs=1e-6)


@pytest.mark.parametrize(("a", "b"), WIDTHS)
def test_the_minimax_push_is_the_slope_of_the_value(a: float, b: float) -> None:
    """Goodfellow et al. 2014, theorem 1: against its best D, G descends 2 JS."""
    step = 1e-4
    for theta in (-3.0, -0.5, 0.8, 2.5):
        low, high = sweep([theta - step, theta + step], a, b).value
        assert sweep([theta], a, b).push_minimax[0] == pytest.approx(-(high - low) / (2 * step), abs=1e-6)


@pytest.mark.parametrize("theta", [0.3, 1.5, 4.0])
def test_the_non_saturating_push_is_that_of_arjovsky_and_bottou(theta: float) -> None:
    """Theorem 2.5: ∇ E_q[−log D] = ∇ (KL(q || p) − 2 JS)."""
    step = 1e-4
    low, high = sweep([theta - step, theta + step], 1.0, 1.0).js
    slope_of_reverse_kl = theta
    expected = -(slope_of_reverse_kl - 2 * (high - low) / (2 * step))
    assert sweep([theta], 1.0, 1.0).push_non_saturating[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("a", "b"), WIDTHS)
def test_the_wasserstein_push_is_the_slope_of_the_distance(a: float, b: float) -> None:
    step = 1e-3
    for theta in (-3.0, -0.5, 0.8, 2.5):
        slope = (wasserstein_of_gaussians(theta + step, a, b) - wasserstein_of_gaussians(theta - step, a, b)) / (
            2 * step
        )
        assert sweep([theta], a, b).push_wasserstein[0] == pytest.approx(-slope, abs=3e-3)


def test_far_apart_only_minimax_leaves_g_without_a_push() -> None:
    result = sweep([8.0], 1.0, 1.0)
    assert abs(result.push_minimax[0]) < 1e-3
    assert result.push_non_saturating[0] == pytest.approx(-8.0, rel=1e-3)
    assert result.push_wasserstein[0] == pytest.approx(-1.0)


@pytest.mark.parametrize(("a", "b"), WIDTHS)
def test_the_picture_is_the_ratio_and_the_critic_measures_the_distance(a: float, b: float) -> None:
    theta, xs = 1.7, np.linspace(-15, 15, 20_001)
    picture = separation(theta, a, b, xs)
    p, q = norm.pdf(xs, 0, a), norm.pdf(xs, theta, b)
    assert picture.p == pytest.approx(p, abs=1e-12)
    assert picture.q == pytest.approx(q, abs=1e-12)
    both = (p + q) > 1e-200
    assert picture.D[both] == pytest.approx((p / np.where(both, p + q, 1))[both])
    assert np.isfinite(picture.D).all()
    steepest = np.abs(np.diff(picture.critic) / np.diff(xs)).max()
    assert steepest <= 1 + 1e-9
    gain = np.trapezoid(picture.critic * (p - q), xs)
    assert gain == pytest.approx(wasserstein_of_gaussians(theta, a, b), abs=1e-3)


def test_two_parallel_lines_are_the_limit_of_thin_ones() -> None:
    """Arjovsky et al. 2017, example 1: JS = log 2 unless θ = 0, KL infinite, W = |θ|."""
    thetas = [-1.0, 0.0, 0.5]
    lines, thin = sweep(thetas, 0, 0), sweep(thetas, 0.01, 0.01)
    assert lines.js.tolist() == [LOG2, 0.0, LOG2]
    assert lines.kl.tolist() == [math.inf, 0.0, math.inf]
    assert lines.wasserstein.tolist() == [1.0, 0.0, 0.5]
    assert lines.push_wasserstein.tolist() == [1.0, 0.0, -1.0]
    assert lines.push_minimax.tolist() == [0.0, 0.0, 0.0]
    assert thin.js == pytest.approx(lines.js, abs=1e-9)
    assert thin.wasserstein == pytest.approx(lines.wasserstein, abs=1e-6)


@pytest.mark.parametrize("widths", [(0, 1), (1, 0), (-1, 1), (float("nan"), 1)])
def test_widths_must_be_positive(widths: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="positive"):
        sweep([1.0], *widths)
    with pytest.raises(ValueError, match="positive"):
        separation(1.0, *widths, [0.0])

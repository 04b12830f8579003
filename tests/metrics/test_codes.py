"""Measures of codes and reconstructions against what can be computed otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm

from gan_core.metrics.codes import (
    KERNEL_SCALES,
    code_correlation,
    code_mmd2,
    gaussian_kl,
    grey_share,
    knn_accuracy,
    laplacian_variance,
    linear_accuracy,
    mean_error,
    principal_error,
    reconstruction_error,
    reconstruction_ratio,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_the_unbiased_mmd_of_two_draws_of_the_prior_is_zero_on_average(rng: np.random.Generator) -> None:
    read = [code_mmd2(rng.normal(size=(300, 2)), rng.normal(size=(300, 2))) for _ in range(20)]
    assert abs(np.mean(read)) < 3 * np.std(read) / np.sqrt(20)
    assert max(map(abs, read)) < 0.05
    one = code_mmd2(rng.normal(size=(1000, 2)), rng.normal(size=(1000, 2)))
    assert abs(one) < 0.012


@pytest.mark.parametrize(("d", "floor"), [(2, 0.0025), (16, 0.001)])
def test_what_two_draws_of_the_prior_read_is_the_floor(rng: np.random.Generator, d: int, floor: float) -> None:
    """For 1,000 samples of each."""
    read = [code_mmd2(rng.normal(size=(1000, d)), rng.normal(size=(1000, d))) for _ in range(8)]
    assert floor / 3 < np.sqrt(np.mean(np.square(read))) < 3 * floor


def test_the_mmd_of_a_gaussian_beside_the_prior_is_the_integral(rng: np.random.Generator) -> None:
    """In one dimension the expectations of the kernel can be integrated."""

    def expected(shift: float, variance: float) -> float:
        def kernel(gap: float) -> float:
            return sum(2 * scale / (2 * scale + gap**2) for scale in KERNEL_SCALES)

        def mean_of(middle: float, spread: float) -> float:
            gaps = np.linspace(-12, 12, 20001)
            return float(np.trapezoid([kernel(g) for g in gaps] * norm.pdf(gaps, middle, np.sqrt(spread)), gaps))

        return mean_of(0, 2) + mean_of(0, 2 * variance) - 2 * mean_of(shift, 1 + variance)

    for shift, width in ((0.5, 1.0), (0.0, 0.5), (0.0, 2.0)):
        read = [code_mmd2(shift + width * rng.normal(size=(500, 1)), rng.normal(size=(500, 1))) for _ in range(12)]
        assert np.mean(read) == pytest.approx(expected(shift, width**2), abs=4 * np.std(read) / np.sqrt(12))


def test_the_mmd_tells_what_the_prior_is_not(rng: np.random.Generator) -> None:
    """The values that were found with n = 1,000 and q = 2 for one draw each: .151, .349 and .504."""
    codes, prior = rng.normal(size=(2, 1000, 2))
    assert code_mmd2(codes + np.array([0.5, 0]), prior) == pytest.approx(0.14, abs=0.08)
    assert code_mmd2(0.5 * codes, prior) == pytest.approx(0.36, abs=0.08)
    assert code_mmd2(2 * codes, prior) == pytest.approx(0.49, abs=0.08)
    wide = np.sqrt(1 / 3)
    assert code_mmd2(wide * codes, wide * prior, 1 / 3) == pytest.approx(code_mmd2(codes, prior))
    with pytest.raises(ValueError, match="two samples"):
        code_mmd2(codes[:1], prior)


def test_principal_components_leave_the_eigenvalues_that_they_lack(rng: np.random.Generator) -> None:
    x = rng.normal(size=(400, 6)) * np.array([5, 3, 2, 1, 0.5, 0.1]) @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    values = np.sort(np.linalg.eigvalsh(np.cov(x, rowvar=False, bias=True)))
    for q in (1, 3, 5):
        assert principal_error(x, x, q) == pytest.approx(values[: 6 - q].sum() / 6)
    assert principal_error(x, x, 6) == pytest.approx(0, abs=1e-12)
    assert mean_error(x, x) == pytest.approx(values.sum() / 6)
    few = x[:5]  # fewer samples than numbers: the smaller matrix has the same components
    assert principal_error(few, x, 2) == pytest.approx(principal_error(np.tile(few, (3, 1)), x, 2))


def test_reconstructions_that_do_not_depend_on_x_read_one(rng: np.random.Generator) -> None:
    x = rng.normal(size=(500, 4))
    assert reconstruction_ratio(x, x) == 0
    assert reconstruction_ratio(x, np.tile(x.mean(0), (500, 1))) == pytest.approx(1, abs=0.01)
    assert reconstruction_ratio(x, x[rng.permutation(500)]) == pytest.approx(1, abs=0.1)
    assert reconstruction_ratio(x, x + 0.5 * rng.normal(size=x.shape)) == pytest.approx(np.sqrt(0.25 / 2.25), abs=0.03)
    assert np.isnan(reconstruction_ratio(np.zeros((3, 2)), np.zeros((3, 2))))
    assert reconstruction_error(x, x + 0.5) == pytest.approx(0.25)


def test_blur_is_grey_and_without_edges() -> None:
    sharp = np.indices((8, 8)).sum(0)[None, None] // 4 % 2 * 1.0
    soft = 0.5 + 0.2 * (sharp - 0.5)
    assert (grey_share(sharp), grey_share(soft)) == (0, 1)
    assert laplacian_variance(soft) == pytest.approx(0.04 * laplacian_variance(sharp))
    ramp = np.linspace(0, 1, 8)[None, None, None].repeat(8, 2)
    assert laplacian_variance(ramp) == pytest.approx(0, abs=1e-20)
    spot = np.zeros((1, 1, 5, 5))
    spot[..., 2, 2] = 1
    inner = np.array([-4, 1, 1, 1, 1, 0, 0, 0, 0])
    assert laplacian_variance(spot) == pytest.approx(inner.var())


def test_probes_read_what_a_code_tells(rng: np.random.Generator) -> None:
    y_train, y = rng.integers(0, 4, 400), rng.integers(0, 4, 200)
    corners = np.array([[3.0, 0], [0, 3], [-3, 0], [0, -3]])
    told = [corners[labels] + 0.3 * rng.normal(size=(len(labels), 2)) for labels in (y_train, y)]
    rings = [part * np.array([[1], [-1]])[rng.integers(0, 2, len(part))] for part in told]  # 0 and 2 alike, 1 and 3
    noise = rng.normal(size=(400, 2)), rng.normal(size=(200, 2))
    for probe in (knn_accuracy, linear_accuracy):
        assert probe(told[0], y_train, told[1], y) == 1
        assert probe(rings[0], y_train, rings[1], y) == pytest.approx(0.5, abs=0.12)
        assert probe(noise[0], y_train, noise[1], y) == pytest.approx(0.25, abs=0.12)
    assert knn_accuracy([[0.0], [1.0], [1.1]], [0, 1, 1], [[0.1]], [0], k=1) == 1
    assert knn_accuracy([[0.0], [1.0]], [0, 1], [[0.1]], [0], k=2) == 1, "of a tie the nearer"


def test_a_code_that_is_found_again_correlates(rng: np.random.Generator) -> None:
    z = rng.normal(size=(400, 3))
    assert code_correlation(z, 2 * z + 1) == pytest.approx(1)
    assert code_correlation(z, z * [1, 1, -1]) == pytest.approx(1 / 3)
    assert code_correlation(z, z * [1, 0, 0]) == pytest.approx(1 / 3)
    assert abs(code_correlation(z, z[::-1])) < 0.1


def test_the_kl_is_that_of_torch(rng: np.random.Generator) -> None:
    mean, log_variance = torch.randn(2, 50, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    each = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (log_variance / 2).exp()), torch.distributions.Normal(0.0, 1.0)
    )
    np.testing.assert_allclose(gaussian_kl(mean, log_variance), each.mean(0).numpy(), rtol=1e-9)
    assert gaussian_kl([[0.7, -1.3]], [[-0.5, 0.8]]).sum() == pytest.approx(1.35604, abs=1e-5)

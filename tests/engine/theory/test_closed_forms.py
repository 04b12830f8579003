"""Games with a code where theory knows the answer: probabilistic PCA, the threshold of β, principal components, one pixel,
and the best discriminator of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from gan_core.engine.theory import (
    best_guess,
    cheapest_pictures,
    collapse_nats,
    digit_set,
    expected_error,
    pca_errors,
    ppca,
    principal_axes,
    right_pairs,
    swapped_pairs,
    train_linear_vae,
)
from gan_core.engine.theory.pairs import pair_game

EIGENVALUES = np.array([21.008, 6.572, 0.31, 0.26, 0.22, 0.16])
AXES = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0]
COVARIANCE = AXES @ np.diag(EIGENVALUES) @ AXES.T


def test_a_trained_linear_vae_is_probabilistic_pca() -> None:
    trained, best = train_linear_vae(COVARIANCE, 2), ppca(EIGENVALUES, 2)
    assert trained.elbo == pytest.approx(best.elbo, abs=1e-2)
    assert trained.variance == pytest.approx(EIGENVALUES[2:].mean(), rel=1e-3)
    assert trained.squared_norms == pytest.approx(EIGENVALUES[:2] - best.variance, rel=1e-3)
    assert trained.kl == pytest.approx(best.kl, abs=1e-3)


def test_the_likelihood_of_probabilistic_pca_is_that_of_its_gaussian() -> None:
    best = ppca(EIGENVALUES, 2)
    W = AXES[:, :2] * np.sqrt(best.squared_norms)
    model = W @ W.T + best.variance * np.eye(6)
    x = np.random.default_rng(1).multivariate_normal(np.zeros(6), COVARIANCE, 200_000)
    sampled = multivariate_normal(np.zeros(6), model).logpdf(x)
    assert best.elbo == pytest.approx(sampled.mean(), abs=4 * sampled.std() / np.sqrt(len(x)))


@pytest.mark.parametrize(("beta", "nats"), [(4, (1.549, 0.968)), (10, (1.091, 0.510)), (30, (0.541, 0.0))])
def test_a_dimension_is_off_where_beta_sigma_reaches_its_eigenvalue(beta: float, nats: tuple[float, float]) -> None:
    variance = 0.23722
    assert collapse_nats(EIGENVALUES[:2], beta, variance) == pytest.approx(nats, abs=1e-3)
    trained = train_linear_vae(COVARIANCE, 2, beta=beta, variance=variance)
    assert trained.kl == pytest.approx(nats, abs=2e-3)


def test_what_has_no_answer_is_refused() -> None:
    for beta, variance in ((0.0, 1.0), (1.0, 0.0), (1.0, -1.0)):
        with pytest.raises(ValueError, match="positive"):
            collapse_nats([1.0], beta, variance)
    with pytest.raises(ValueError, match="every direction"):
        train_linear_vae(np.diag([1.0, 0.0]), 1)
    for code_dim in (0, 6):
        with pytest.raises(ValueError, match="1 to 5"):
            ppca(EIGENVALUES, code_dim)
    with pytest.raises(ValueError, match="right"):
        right_pairs(10, 11)
    with pytest.raises(ValueError, match="swap"):
        swapped_pairs(1)


def test_principal_components_reconstruct_digits_as_the_projection_says() -> None:
    digits = digit_set()
    errors = pca_errors(digits.train, digits.heldout, (0, 2, 8, 16, 64))
    assert errors == pytest.approx([0.0673, 0.0558, 0.0377, 0.0270, 0.0093], abs=6e-5)
    assert np.square(digits.heldout).mean() == pytest.approx(0.1125, abs=6e-5)
    mean, axes = principal_axes(digits.train)
    kept = axes[:, :16]
    projected = mean + (digits.heldout - mean) @ kept @ kept.T
    assert np.square(projected - digits.heldout).mean() == pytest.approx(errors[3], rel=1e-9)
    assert kept.T @ kept == pytest.approx(np.eye(16), abs=1e-9)


def test_no_linear_autoencoder_is_better_than_the_principal_components() -> None:
    """With β and σ² near 0 the linear VAE is a linear autoencoder."""
    x = np.random.default_rng(2).multivariate_normal(np.zeros(6), COVARIANCE, 500)
    S = np.cov(x.T, bias=True)
    trained = train_linear_vae(S, 2, beta=1e-6, variance=1.0)
    left = -2 * (trained.elbo + trained.kl.sum()) - 6 * np.log(2 * np.pi)
    assert left / 6 == pytest.approx(pca_errors(x - x.mean(0), x - x.mean(0), (2,))[0], rel=1e-3)


@pytest.mark.parametrize("p", [0.0, 0.3, 0.7, 1.0])
def test_the_cheapest_guess_of_a_pixel(p: float) -> None:
    guesses = np.linspace(0, 1, 2001)
    for error, best in (("mse", p), ("bce", p), ("l1", round(p))):
        assert best_guess(error, p) == best
        assert guesses[np.argmin(expected_error(error, p, guesses))] == pytest.approx(best, abs=1e-3)
    drawn = np.random.default_rng(3).random(200_000) < p
    assert expected_error("mse", p, 0.4) == pytest.approx(np.square(drawn - 0.4).mean(), abs=0.01)
    assert expected_error("l1", p, 0.4) == pytest.approx(np.abs(drawn - 0.4).mean(), abs=0.01)
    nats = -np.where(drawn, np.log(0.4), np.log(0.6)).mean()
    assert expected_error("bce", p, 0.4) == pytest.approx(nats, abs=0.01)


def test_no_guess_is_cheapest_under_l1_where_black_and_white_are_as_likely() -> None:
    assert np.isnan(best_guess("l1", 0.5))
    assert np.ptp(expected_error("l1", 0.5, np.linspace(0, 1, 11))) < 1e-12


def test_no_one_picture_costs_less_than_the_mean_or_the_median() -> None:
    digits = digit_set()
    threes = digits.train[digits.train_classes == 3][:21]
    cheapest = cheapest_pictures(threes)
    for other in (*threes, np.zeros(784), cheapest.mean, cheapest.median):
        assert np.square(threes - cheapest.mean).sum() <= np.square(threes - other).sum() + 1e-9
        assert np.abs(threes - cheapest.median).sum() <= np.abs(threes - other).sum() + 1e-9
    assert np.abs(digits.train - cheapest_pictures(digits.train).median).mean() < np.abs(digits.train).mean() + 1e-9


@pytest.mark.parametrize("right", [0, 3, 6, 9, 10])
def test_pairs_are_worth_the_share_that_is_right(right: int) -> None:
    game = right_pairs(10, right)
    assert game.value == pytest.approx(-right / 10 * np.log(4))
    assert game.p_E.sum() == pytest.approx(1)
    assert np.isclose(game.D, 0.5).sum() == right
    assert (game.D == 1).sum() == (game.D == 0).sum() == 10 - right
    assert np.isnan(game.D).sum() == 100 - 20 + right


def test_swapped_pairs_leave_d_a_win_for_ever() -> None:
    game = swapped_pairs(10)
    assert game.value == pytest.approx(0.1 * np.log(1 / 11) + np.log(10 / 11))
    assert game.value == pytest.approx(-0.33510, abs=1e-5)


def test_no_discriminator_of_pairs_beats_the_best_one() -> None:
    draws = np.random.default_rng(4)
    p_E, p_G = (table / table.sum() for table in draws.random((2, 5, 5)))
    best = pair_game(p_E, p_G)
    m = (p_E + p_G) / 2
    js = ((p_E * np.log(p_E / m)).sum() + (p_G * np.log(p_G / m)).sum()) / 2
    assert best.value == pytest.approx(2 * js - np.log(4))
    for _ in range(20):
        D = draws.uniform(0.01, 0.99, (5, 5))
        assert (p_E * np.log(D)).sum() + (p_G * np.log(1 - D)).sum() < best.value

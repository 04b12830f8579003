"""Scores that no network learns: each picture by itself, stranger is larger, and what is known exactly of each."""

from __future__ import annotations

import numpy as np
import pytest

from gan_core.metrics.outliers import COMPONENTS, OUTLIERS, ink, nearest, principal, squared_residual

D = 36
SCORES = tuple(OUTLIERS)


def blobs(n: int, seed: int) -> np.ndarray:
    """Dark pictures of two squares that vary together: as much ink in all of them, and few dimensions."""
    draw = np.random.default_rng(seed)
    x = np.zeros((n, D))
    x[:, :6], x[:, 6:12] = draw.uniform(0.2, 0.8, (2, n, 1))
    return x + draw.normal(0, 0.01, x.shape)


TRAIN = blobs(200, 0)


@pytest.mark.parametrize("name", SCORES)
def test_a_picture_scores_alone_what_it_scores_in_a_batch(name: str) -> None:
    score, x = OUTLIERS[name].fit(TRAIN, 0), np.concatenate([blobs(99, 1), np.random.default_rng(2).random((1, D))])
    alone = np.concatenate([score(one[None]) for one in x])
    np.testing.assert_allclose(score(x), alone, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_noise_is_stranger_than_training(name: str) -> None:
    score = OUTLIERS[name].fit(TRAIN, 0)
    assert score(TRAIN).mean() < score(np.random.default_rng(3).random((100, D))).mean()


@pytest.mark.parametrize("name", SCORES)
def test_the_same_seed_fits_the_same_score(name: str) -> None:
    x = blobs(20, 4)
    np.testing.assert_array_equal(OUTLIERS[name].fit(TRAIN, 5)(x), OUTLIERS[name].fit(TRAIN, 5)(x))


@pytest.mark.parametrize("name", SCORES)
def test_few_normal_pictures_are_enough_to_be_scored(name: str) -> None:
    assert np.isfinite(OUTLIERS[name].fit(TRAIN[:3], 0)(blobs(5, 6))).all()


def test_components_leave_nothing_of_what_they_span() -> None:
    flat = np.random.default_rng(7).normal(size=(100, 4)) @ np.random.default_rng(8).normal(size=(4, D))
    again = principal(flat)
    np.testing.assert_allclose(again(flat), flat, atol=1e-9)
    away = np.linalg.svd(flat - flat.mean(0))[2][-1]  # orthogonal to all of it
    np.testing.assert_allclose(squared_residual(flat + 2 * away, again(flat + 2 * away)), 4 / D, rtol=1e-6)
    assert (
        np.linalg.matrix_rank(principal(np.random.default_rng(9).random((200, D)))(np.eye(D)) - 0.5) <= COMPONENTS + 1
    )


def test_the_nearest_picture_is_one_of_training() -> None:
    x = TRAIN[[3, 77]] + 1e-4
    np.testing.assert_array_equal(nearest(TRAIN)(x), TRAIN[[3, 77]])


def test_ink_is_the_mean_and_learns_nothing() -> None:
    np.testing.assert_allclose(ink(np.full((2, 3, 4, 4), 0.25)), 0.25)
    x = blobs(5, 10)
    np.testing.assert_array_equal(OUTLIERS["ink"].fit(TRAIN, 0)(x), OUTLIERS["ink"].fit(TRAIN[:3], 1)(x))


def test_a_residual_needs_pictures_of_one_shape() -> None:
    with pytest.raises(ValueError, match="one shape"):
        squared_residual(np.zeros((2, 3)), np.zeros((2, 4)))

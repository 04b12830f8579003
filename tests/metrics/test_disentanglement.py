"""Scores of disentanglement on representations whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from gan_core.metrics.disentanglement import (
    active,
    completeness_of,
    dci,
    disentanglement_of,
    entropy,
    factor_vae_score,
    in_bins,
    mig,
    mutual_information,
    mutual_information_gaps,
    sap,
)

SIZES, UNORDERED = (3, 4, 8, 8, 8), (True, False, True, False, False)
FACTORS = np.stack(np.meshgrid(*map(np.arange, SIZES), indexing="ij"), axis=-1).reshape(-1, 5)
STANDARD = (FACTORS - FACTORS.mean(0)) / FACTORS.std(0)


def noise(columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((len(FACTORS), columns))


TRUE = np.hstack([STANDARD, 1e-3 * noise(3)])
ROTATED = STANDARD @ np.linalg.qr(np.random.default_rng(1).standard_normal((5, 5)))[0]
RADIX = np.ravel_multi_index(tuple(FACTORS.T), SIZES)[:, None]
ONE_COLUMN = np.hstack([RADIX / len(RADIX), noise(7)])


# --- information ---


def test_information_of_a_table_of_two_by_two_by_hand() -> None:
    """Counts 3, 1, 1, 3: I = log 2 − H(¼)."""
    a, b = np.repeat([0, 0, 1, 1], [3, 1, 1, 3]), np.repeat([0, 1, 0, 1], [3, 1, 1, 3])
    by_hand = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
    assert mutual_information(a, b) == pytest.approx(by_hand)
    assert mutual_information(a, a) == pytest.approx(entropy(a)) == pytest.approx(np.log(2))
    gap = (np.log(2) - by_hand) / np.log(2)
    assert mig(np.stack([b, a], axis=1), a[:, None]) == pytest.approx(gap)
    assert mutual_information_gaps(a[:, None], a[:, None]) == pytest.approx([1])


def test_bins_are_equally_wide_and_the_largest_value_is_in_the_last() -> None:
    assert in_bins(np.array([[0.0], [0.24], [0.26], [0.99], [1.0]]), 4)[:, 0].tolist() == [0, 0, 1, 3, 3]
    assert in_bins(np.zeros((3, 1)))[:, 0].tolist() == [0, 0, 0]


# --- the table of oracles ---


def test_the_true_factors_have_every_score() -> None:
    assert mig(TRUE, FACTORS) > 0.99
    assert sap(TRUE, FACTORS, UNORDERED) > 0.99
    scores = dci(TRUE, FACTORS)
    assert min(scores) > 0.995
    assert factor_vae_score(TRUE, FACTORS) == 1


def test_a_rotation_costs_the_gaps_but_not_the_factor_vae_score() -> None:
    assert mig(ROTATED, FACTORS) < 0.3
    assert sap(ROTATED, FACTORS, UNORDERED) < 0.45
    scores = dci(ROTATED, FACTORS)
    assert max(scores[:2]) < 0.35
    assert scores.informativeness > 0.7
    assert factor_vae_score(ROTATED, FACTORS) > 0.6


def test_noise_has_no_score() -> None:
    assert mig(noise(8), FACTORS) < 0.01
    assert sap(noise(8), FACTORS, UNORDERED) < 0.01
    scores = dci(noise(8), FACTORS)
    assert max(scores[:2]) < 0.02
    assert scores.informativeness == pytest.approx(np.mean([1 / size for size in SIZES]), abs=0.04)
    assert factor_vae_score(noise(8), FACTORS) == pytest.approx(0.2, abs=0.06)


def test_one_number_with_every_factor_is_not_disentangled() -> None:
    """MIG measures completeness: in 20 bins the number tells shape and size, of which it is the only one to know."""
    assert mig(ONE_COLUMN, FACTORS) == pytest.approx(0.389, abs=0.01)
    assert sap(ONE_COLUMN, FACTORS, UNORDERED) == pytest.approx(0.2, abs=0.02)
    assert factor_vae_score(ONE_COLUMN, FACTORS) < 0.4


# --- the parts ---


def test_importances_by_hand() -> None:
    """Two numbers for one factor each are disentangled; one of them for two factors is complete, not disentangled."""
    assert disentanglement_of(np.eye(3)) == completeness_of(np.eye(3)) == pytest.approx(1)
    assert disentanglement_of(np.ones((4, 3))) == pytest.approx(0)
    shared = np.array([[1.0, 1.0], [0.0, 0.0]])
    assert disentanglement_of(shared) == pytest.approx(0)
    assert completeness_of(shared) == pytest.approx(1)
    uneven = np.array([[0.8, 0.0], [0.0, 0.1], [0.2, 0.9]])
    rows = [1, 1, 1 + (np.log(2 / 11) * 2 + np.log(9 / 11) * 9) / 11 / np.log(2)]
    assert disentanglement_of(uneven) == pytest.approx(np.dot([0.8, 0.1, 1.1], rows) / 2)


def test_a_number_that_does_not_vary_is_not_in_use_and_has_no_vote() -> None:
    codes = np.hstack([STANDARD, np.full((len(FACTORS), 1), 3.0), 0.01 * noise(2)])
    assert active(codes).tolist() == [True] * 5 + [False] * 3
    assert factor_vae_score(codes, FACTORS) == 1
    assert factor_vae_score(np.zeros((len(FACTORS), 4)), FACTORS) == pytest.approx(0.2)


def test_a_code_may_be_shorter_or_longer_than_the_factors() -> None:
    assert factor_vae_score(TRUE[:, :2], FACTORS) < 0.6
    assert factor_vae_score(np.hstack([TRUE, noise(4)]), FACTORS) == 1
    assert 0 < mig(STANDARD[:, :1], FACTORS) <= 0.21


def test_a_line_sees_no_circle() -> None:
    """cos and sin of the angle: each explains half of it, of η²; a line through an ordered factor sees the whole."""
    turn = FACTORS[:, 2] * (2 * np.pi / 8)
    around = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    assert sap(around, FACTORS[:, 2:3], (True,)) == pytest.approx(0, abs=1e-9)
    assert sap(STANDARD[:, 2:4], FACTORS[:, 2:3], (False,)) == pytest.approx(1)


def test_factors_are_a_table() -> None:
    with pytest.raises(ValueError, match=r"\(n, F\)"):
        mig(STANDARD, FACTORS[:, 0])

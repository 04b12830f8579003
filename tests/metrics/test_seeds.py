"""Means over seeds and paired differences, against SciPy and against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gan_core.metrics.seeds import bootstrap_interval, paired_difference, student_interval


@pytest.mark.parametrize("n", [2, 3, 5, 12])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_students_interval_is_scipys(n: int, level: float) -> None:
    values = np.random.default_rng(n).normal(3, 2, n)
    mine = student_interval(values, level)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(level)
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)
    assert (mine.mean, mine.std) == pytest.approx((values.mean(), np.std(values, ddof=1)))


@pytest.mark.parametrize("n", [5, 6, 12, 20])
def test_the_bootstraps_interval_is_scipys(n: int) -> None:
    values = np.random.default_rng(n).gamma(2, 1, n)
    mine = bootstrap_interval(values)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=50_000, method="percentile", rng=1).confidence_interval
    tolerance = 0.03 * values.std()  # of two sets of samples with replacement
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=tolerance)


def test_few_values_are_counted_whole() -> None:
    # Of 0 and 1, the four samples are 00, 01, 10, 11: means 0, ½, ½, 1.
    assert bootstrap_interval(np.array([0.0, 1.0]), level=0.5).high == pytest.approx(
        np.quantile([0, 0.5, 0.5, 1], 0.75)
    )
    assert bootstrap_interval(np.array([3.0, 1.0, 7.0])) == bootstrap_interval(np.array([7.0, 3.0, 1.0]))


def test_pairing_takes_the_spread_between_seeds_away() -> None:
    seeds = np.random.default_rng(0).normal(0, 10, 8)
    noise = np.random.default_rng(1).normal(0, 0.1, 8)
    paired = paired_difference(seeds + 1 + noise, seeds)
    assert paired.student.mean == pytest.approx(1, abs=0.1)
    assert paired.distinguishable
    assert paired.student.half < 0.2
    assert stats.ttest_ind(seeds + 1 + noise, seeds).pvalue > 0.5


def test_three_seeds_on_one_side_are_not_enough_to_tell() -> None:
    # The bootstrap alone would be sure of it; by chance all three lie on one side in a quarter of all cases.
    three = paired_difference(np.array([1.0, 4.0, 2.0]), np.zeros(3))
    assert three.bootstrap.without_zero
    assert not three.distinguishable
    assert paired_difference(np.array([1.0, 4.0, 2.0, 3.0, 2.0]), np.zeros(5)).distinguishable


@pytest.mark.slow
def test_equal_variants_are_called_different_in_one_of_twenty_at_most() -> None:
    rng = np.random.default_rng(5)
    for n in (3, 5, 8):
        called = np.mean(
            [paired_difference(rng.normal(size=n), rng.normal(size=n)).distinguishable for _ in range(400)]
        )
        assert called < 0.05 + 2.5 * (0.05 * 0.95 / 400) ** 0.5


def test_what_is_not_a_number_is_left_out_with_its_pair() -> None:
    whole = paired_difference(np.array([1.0, 2.0]), np.array([0.0, 3.0]))
    assert paired_difference(np.array([1.0, 2.0, np.nan, 5.0]), np.array([0.0, 3.0, 1.0, np.inf])) == whole
    assert whole.n == 2


@pytest.mark.parametrize("values", [[], [4.0]])
def test_one_seed_says_nothing_of_chance(values: list[float]) -> None:
    for interval in (student_interval(np.array(values)), bootstrap_interval(np.array(values))):
        assert interval.n == len(values)
        assert np.isnan([interval.low, interval.high, interval.std]).all()
        assert not interval.without_zero


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        paired_difference(np.zeros(3), np.zeros(2))

"""Oracles: counts by hand, scipy's binomial interval and entropy."""

import numpy as np
import pytest
from scipy import stats

from gan_core.metrics.histograms import (
    class_histogram,
    class_shares,
    effective_modes,
    entropy,
    label_accuracy,
    modes_covered,
    sampling_band,
    unsure_share,
)


def test_class_histogram_counts_by_hand():
    probabilities = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.9, 0.1, 0.0]]
    counts = class_histogram(probabilities)
    assert counts.tolist() == [2, 1, 1, 1]
    assert np.issubdtype(counts.dtype, np.integer)


def test_class_histogram_threshold_belongs_to_the_class():
    assert class_histogram([[0.6, 0.4], [0.599, 0.401]], threshold=0.6).tolist() == [1, 0, 1]


def test_class_histogram_puts_every_sample_in_one_bin_and_nan_into_unsure():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10) * 0.1, size=500)
    probabilities[:3] = np.nan
    counts = class_histogram(probabilities)
    assert counts.shape == (11,)
    assert counts.sum() == 500
    assert counts[-1] >= 3


def test_class_histogram_refuses_a_vector():
    with pytest.raises(ValueError, match="shape"):
        class_histogram([0.5, 0.5])


@pytest.mark.parametrize("n", [1, 100, 1000])
def test_sampling_band_is_the_exact_binomial_interval(n):
    share = np.array([0.0, 0.1, 0.02, 0.88])
    low, high = sampling_band(share, n)
    for bin_, p in enumerate(share):
        assert (low[bin_], high[bin_]) == stats.binom.interval(0.95, n, p)
        inside = stats.binom.cdf(high[bin_], n, p) - stats.binom.cdf(low[bin_] - 1, n, p)
        assert inside >= 0.95


def test_sampling_band_holds_real_samples():
    share = np.array([0.1] * 9 + [0.08, 0.02])
    draws = np.random.default_rng(0).multinomial(1000, share, size=4000)
    low, high = sampling_band(share, 1000)
    inside = ((draws >= low) & (draws <= high)).mean(axis=0)
    assert (inside >= 0.94).all()
    assert (inside <= 0.99).all()


@pytest.mark.parametrize(("share", "level"), [([0.5, 0.4], 0.95), ([1.2, -0.2], 0.95), ([0.5, 0.5], 1.0)])
def test_sampling_band_refuses_what_is_no_distribution(share, level):
    with pytest.raises(ValueError, match=r"sum to 1|level"):
        sampling_band(share, 100, level)


def test_modes_covered_needs_one_per_cent_of_all_samples():
    assert modes_covered([10, 9, 981, 0]) == 2
    assert modes_covered([7, 693, 0]) == 2  # 0.01 * 700 exceeds 7 in floating point
    assert modes_covered([5, 5, 5, 985]) == 0  # a few lucky samples among the unsure cover nothing
    assert modes_covered([5, 5, 5, 985], share=0.005) == 3


@pytest.mark.parametrize("num_modes", [2, 8, 10, 25, 1000])
def test_modes_covered_of_a_fair_mix_is_all_of_them(num_modes):
    counts = np.random.default_rng(1).multinomial(26 * num_modes, np.full(num_modes, 1 / num_modes))
    assert modes_covered([*counts, 0]) == num_modes


def test_entropy_and_effective_modes_against_scipy():
    counts = [40, 0, 25, 10, 25]
    assert entropy(counts) == pytest.approx(stats.entropy(counts[:-1]))
    assert effective_modes(counts) == pytest.approx(np.exp(stats.entropy(counts[:-1])))


def test_even_and_collapsed_mixes():
    assert entropy([50] * 10 + [7]) == pytest.approx(np.log(10))
    assert effective_modes([50] * 10 + [7]) == pytest.approx(10)
    assert entropy([500, 0, 0, 20]) == 0
    assert effective_modes([500, 0, 0, 20]) == 1


def test_all_unsure_is_no_mode_at_all():
    counts = [0, 0, 0, 100]
    assert modes_covered(counts) == 0
    assert entropy(counts) == 0
    assert effective_modes(counts) == 0
    assert unsure_share(counts) == 1
    assert class_shares(counts).tolist() == [0, 0, 0]


@pytest.mark.parametrize("counts", [[0, 0, 0], [3], [[1, 2], [3, 4]], [1, -1, 5], [np.nan, 1, 2]])
@pytest.mark.parametrize("function", [class_shares, unsure_share, modes_covered, entropy, effective_modes])
def test_what_is_no_histogram_is_refused(function, counts):
    with pytest.raises(ValueError, match="histogram"):
        function(counts)


def test_entropy_floor():
    counts = np.random.default_rng(2).multinomial(1000, np.full(10, 0.1), size=400)
    gap = np.log(10) - np.mean([entropy([*row, 0]) for row in counts])
    assert gap == pytest.approx(9 / 2000, rel=0.1)


def test_label_accuracy_counts_by_hand():
    probabilities = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.4, 0.35, 0.25], [np.nan, 0.0, 1.0], [0.1, 0.2, 0.7]]
    assert label_accuracy(probabilities, [0, 1, 1, 2, 2]) == 3 / 5
    assert label_accuracy(probabilities, [0, 1, 0, 0, 2]) == 4 / 5, "the best guess counts, also an unsure one"
    with pytest.raises(ValueError, match="labels"):
        label_accuracy(probabilities, [0, 1])
    with pytest.raises(ValueError, match="labels"):
        label_accuracy(np.empty((0, 3)), [])

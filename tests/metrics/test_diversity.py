"""Oracles: the entropy of scipy over the eigenvalues of the full similarity matrix of scikit-learn; closed forms."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics.pairwise import cosine_similarity, rbf_kernel

from gan_core.metrics.diversity import (
    ALIKE,
    alike_distance,
    birthday,
    class_diversity,
    class_spreads,
    classifier_score,
    vendi_score,
)


def vendi_of_matrix(kernel):
    eigenvalues = np.linalg.eigvalsh(kernel / len(kernel)).clip(0)
    return np.exp(stats.entropy(eigenvalues))


def test_vendi_against_the_full_matrix():
    x = np.random.default_rng(0).normal(size=(90, 7))
    assert vendi_score(x) == pytest.approx(vendi_of_matrix(cosine_similarity(x)))
    assert vendi_score(x, bandwidth=0.5) == pytest.approx(vendi_of_matrix(rbf_kernel(x, gamma=1 / (2 * 0.25))))


def test_vendi_counts_what_differs():
    directions = np.repeat(np.eye(5), 20, axis=0)
    assert vendi_score(directions) == pytest.approx(5)
    assert vendi_score(directions * 100, bandwidth=0.1) == pytest.approx(5)
    assert vendi_score(np.ones((50, 3))) == pytest.approx(1)
    assert vendi_score(np.eye(8)) == pytest.approx(8)


def test_vendi_takes_zero_features_as_one_more_kind():
    assert vendi_score(np.concatenate([np.repeat(np.eye(3), 10, axis=0), np.zeros((10, 3))])) == pytest.approx(4)
    assert vendi_score(np.zeros((10, 3))) == pytest.approx(1)


def test_vendi_of_two_real_sets_agree():
    rng = np.random.default_rng(0)
    scores = [vendi_score(rng.normal(size=(300, 2)), bandwidth=0.2) for _ in range(10)]
    assert np.std(scores) < 0.05 * np.mean(scores)


def test_vendi_refuses_a_bandwidth_of_zero():
    with pytest.raises(ValueError, match="bandwidth"):
        vendi_score(np.ones((3, 2)), bandwidth=0.0)


def test_classifier_score_bounds():
    assert classifier_score(np.repeat(np.eye(10), 5, axis=0)) == pytest.approx(10)
    assert classifier_score(np.tile(np.eye(10)[3], (50, 1))) == pytest.approx(1)
    assert classifier_score(np.full((50, 10), 0.1)) == pytest.approx(1)


def test_classifier_score_is_the_mutual_information_of_sample_and_label():
    p = np.random.default_rng(0).dirichlet(np.ones(4), size=30)
    information = stats.entropy(p.mean(axis=0)) - stats.entropy(p, axis=1).mean()
    assert classifier_score(p) == pytest.approx(np.exp(information))


@pytest.mark.parametrize("probabilities", [[[0.5, 0.4]], [[1.5, -0.5]], [[np.nan, 1.0]]])
def test_classifier_score_refuses_what_is_no_distribution(probabilities):
    with pytest.raises(ValueError, match=r"sum to 1|finite"):
        classifier_score(probabilities)


def test_spreads_inside_classes_are_those_of_each_class_alone():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [400, 300, 3])
    x = rng.normal(size=(703, 4)) * np.array([1.0, 2.0, 9.0])[labels][:, None] + 50 * labels[:, None]
    spreads = class_spreads(x, labels, 4)
    for index in (0, 1):
        assert spreads[index] == pytest.approx(np.sqrt(np.trace(np.cov(x[labels == index].T, bias=True))))
    assert np.isnan(spreads[2:]).all(), "three samples and none"
    assert class_diversity(x, labels, spreads) == pytest.approx(1)


def test_one_picture_of_each_digit_has_all_classes_and_no_diversity():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 10
    pictures = rng.normal(size=(10, 16))
    real = pictures[labels] + 0.3 * rng.normal(size=(200, 16))
    spreads = class_spreads(real, labels, 10)
    assert class_diversity(pictures[labels], labels, spreads) == pytest.approx(0, abs=1e-6)
    assert class_diversity(real, labels, spreads) == pytest.approx(1)
    assert class_diversity(pictures[labels] + 0.15 * rng.normal(size=(200, 16)), labels, spreads) == pytest.approx(
        0.5, abs=0.03
    )
    assert class_diversity(real, np.full(200, 10), spreads) == 0, "no sample counts for a class"


def test_half_the_batches_of_23_share_a_birthday():
    days = np.random.default_rng(0).integers(365, size=3000)[:, None]
    found = birthday(days, closer_than=0.5)
    assert found.distinct == pytest.approx(365, rel=0.03)
    assert found.batch == pytest.approx(23, abs=0.5)
    rng = np.random.default_rng(1)
    shared = [len(set(rng.integers(365, size=23))) < 23 for _ in range(2000)]
    assert np.mean(shared) == pytest.approx(0.5, abs=0.03)


def test_birthday_of_samples_that_are_all_alike_and_all_different():
    assert birthday(np.zeros((40, 3)), 0.1).distinct == 1
    assert birthday(np.arange(40)[:, None], 0.5).distinct == np.inf
    with pytest.raises(ValueError, match="two samples"):
        birthday(np.zeros((1, 2)), 0.1)


def test_real_data_reads_the_birthday_floor():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 1500, 2))
    assert birthday(one, alike_distance(one)).distinct == pytest.approx(1 / ALIKE, rel=1e-3)
    assert birthday(other, alike_distance(one)).distinct == pytest.approx(1 / ALIKE, rel=0.25)

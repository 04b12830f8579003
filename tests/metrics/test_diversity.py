"""Oracles: the entropy of scipy over the eigenvalues of the full similarity matrix of scikit-learn; closed forms."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics.pairwise import cosine_similarity, rbf_kernel

from gan_core.metrics.diversity import classifier_score, vendi_score


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

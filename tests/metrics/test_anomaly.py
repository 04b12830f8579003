"""Scores of anomalies: areas with a known value, a threshold that held-out normals alone move, and what changes nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import ndtr
from sklearn.metrics import average_precision_score, roc_auc_score

from gan_core.metrics.anomaly import (
    at_rates,
    auroc,
    auroc_among_alike,
    average_precision,
    disagreement,
    exceeding,
    floor,
    roc,
    stranger_than,
    threshold,
)

AREAS = (auroc, average_precision)
LABEL = np.repeat([False, True], [900, 100])


def test_thresholds_at_rates_are_those_of_held_out_normals():
    rng = np.random.default_rng(0)
    normal, asked = rng.standard_normal(500), rng.standard_normal(400)
    strange = rng.standard_normal(100) + 2
    scores, anomalous = np.concatenate([asked, strange]), np.repeat([False, True], [400, 100])
    table = at_rates(scores, anomalous, normal, (0.001, 0.05, 0.2))
    assert table[:, 0].tolist() == [0.05, 0.2]  # 500 normals promise no rate of one in a thousand
    limit = threshold(normal, 0.05)
    assert table[0, 1:].tolist() == [(asked > limit.value).sum(), (strange > limit.value).sum()]
    more = at_rates(np.append(scores, [9.0] * 50), np.append(anomalous, [True] * 50), normal, (0.05,))
    assert more[0, 1] == table[0, 1]
    assert more[0, 2] == table[0, 2] + 50


def draws(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def tied(seed: int) -> np.ndarray:
    """Scores of which many are equal, those of anomalies a little larger."""
    return np.round(draws(seed).normal(size=len(LABEL)) + LABEL, 1)


def test_the_label_as_score_tells_all_and_its_negative_the_contrary() -> None:
    assert auroc(LABEL.astype(float), LABEL) == 1.0
    assert auroc(-LABEL.astype(float), LABEL) == 0.0
    assert average_precision(LABEL.astype(float), LABEL) == 1.0


def test_a_constant_reads_one_half_and_the_share_of_anomalies() -> None:
    assert auroc(np.zeros(1000), LABEL) == 0.5
    assert average_precision(np.zeros(1000), LABEL) == pytest.approx(0.1) == floor(LABEL)


@pytest.mark.parametrize("delta", [0.0, 1.0, 2.0])
def test_two_gaussians_have_the_area_of_their_distance(delta: float) -> None:
    n = 20_000
    scores = draws().normal(size=2 * n) + delta * np.repeat([0, 1], n)
    assert auroc(scores, np.repeat([False, True], n)) == pytest.approx(ndtr(delta / np.sqrt(2)), abs=0.01)


@pytest.mark.parametrize(("own", "theirs"), [(auroc, roc_auc_score), (average_precision, average_precision_score)])
def test_areas_are_those_of_scikit_learn_with_ties(own: Callable, theirs: Callable) -> None:
    for seed in range(5):
        assert own(tied(seed), LABEL) == pytest.approx(theirs(LABEL, tied(seed)), abs=1e-12)


@pytest.mark.parametrize("area", AREAS)
def test_neither_units_nor_the_order_of_the_samples_change_an_area(area: Callable) -> None:
    scores, order = tied(1), draws(2).permutation(len(LABEL))
    assert area(np.exp(3 * scores) - 7, LABEL) == area(scores, LABEL)
    assert area(scores[order], LABEL[order]) == pytest.approx(area(scores, LABEL), abs=1e-12)


def test_the_curve_ends_at_both_corners_and_has_the_area() -> None:
    curve = roc(tied(3), LABEL)
    assert (curve.false_alarms[0], curve.found[0], curve.false_alarms[-1], curve.found[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(curve.found, curve.false_alarms) == pytest.approx(auroc(tied(3), LABEL), abs=1e-12)
    assert len(curve.thresholds) == len(np.unique(tied(3))) + 1


def test_one_kind_alone_has_no_area() -> None:
    for area in AREAS:
        assert np.isnan(area([1.0, 2.0], [False, False]))
        assert np.isnan(area([1.0, 2.0], [True, True]))
    with pytest.raises(ValueError, match="anomalies and normal"):
        roc([1.0, 2.0], [True, True])


@pytest.mark.parametrize("scores", [[1.0, np.nan], [[1.0], [2.0]], [1.0, np.inf]])
def test_what_is_no_list_of_numbers_is_refused(scores: list) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        auroc(scores, [True, False])


def test_the_threshold_keeps_its_rate_of_false_alarms() -> None:
    limit = threshold(draws(4).normal(size=400))
    fresh = exceeding(draws(5).normal(size=50_000), limit)
    assert fresh == pytest.approx(0.05, abs=2 * np.sqrt(0.05 * 0.95 / 400))  # as exact as 400 held-out ones can be


@pytest.mark.parametrize("n", [19, 60, 99])
def test_a_normal_sample_is_called_strange_at_most_at_the_set_rate(n: int) -> None:
    sets = draws(6).normal(size=(20_000, n + 1))
    alarms = np.mean([row[-1] > threshold(row[:-1]).value for row in sets])
    assert alarms <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(sets))
    assert alarms >= 0.05 - 1 / (n + 1) - 3 * np.sqrt(0.05 * 0.95 / len(sets))


def test_too_few_normals_promise_nothing() -> None:
    limit = threshold(np.arange(18.0))
    assert (limit.value, limit.n) == (np.inf, 18)
    assert exceeding([1e9], limit) == 0.0


def test_anomalies_have_no_say_in_the_threshold() -> None:
    assert list(inspect.signature(threshold).parameters) == ["normal", "rate"]
    normal = draws(7).normal(size=100)
    before = threshold(normal)
    auroc(np.append(normal, [50.0] * 20), np.repeat([False, True], [100, 20]))
    assert threshold(normal) == before


def test_how_strange_a_sample_is_among_held_out_normals() -> None:
    np.testing.assert_allclose(stranger_than([1.0, 2.0, 3.0, 4.0], [0.0, 2.0, 2.5, 9.0]), [0, 0.375, 0.5, 1])


def test_a_score_that_is_the_ink_tells_nothing_among_pictures_of_equal_ink() -> None:
    ink = draws(8).integers(0, 20, size=1000).astype(float)
    anomalous = draws(9).random(1000) < ink / 40  # more ink, more often strange
    assert auroc(ink, anomalous) > 0.65
    assert auroc_among_alike(ink, anomalous, ink) == pytest.approx(0.5, abs=0.03)
    assert auroc_among_alike(anomalous.astype(float), anomalous, ink) == 1.0


def test_scores_disagree_where_their_ranks_do() -> None:
    apart = disagreement([[1, 2, 3, 4], [1, 2, 4, 3], [10, 20, 40, 30]])
    assert apart[0] == apart[1] == 0.0
    assert apart[2] == apart[3] > 0
    assert (disagreement([[1, 2, 3], [10, 200, 3000]]) == 0).all()

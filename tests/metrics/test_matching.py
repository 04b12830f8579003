"""Agreement of a code and classes: by hand, under any naming, and what chance reads."""

from __future__ import annotations

import numpy as np
import pytest

from gan_core.metrics.matching import code_agreement, code_by_chance, contingency


def test_a_table_by_hand() -> None:
    """Codes 0, 0, 0, 1, 1, 2 of classes 1, 1, 0, 1, 0, none: the best naming is 0 → 1, 1 → 0."""
    categories, classes = [0, 0, 0, 1, 1, 2], [1, 1, 0, 1, 0, 2]
    assert contingency(categories, classes, 3, 2).tolist() == [[1, 2], [1, 1], [0, 0]]
    assert code_agreement(categories, classes, 3, 2) == pytest.approx(3 / 6)


def test_any_naming_is_as_good_and_two_codes_of_one_class_are_not() -> None:
    classes = np.repeat(np.arange(4), 25)
    for naming in ([0, 1, 2, 3], [3, 1, 0, 2]):
        assert code_agreement(np.array(naming)[classes], classes, 4, 4) == 1
    assert code_agreement(np.array([0, 1, 2, 2])[classes], classes, 4, 4) == pytest.approx(0.75)
    assert code_agreement(classes, np.array([0, 1, 2, 2])[classes], 4, 4) == pytest.approx(0.75)


def test_what_is_of_no_class_is_wrong() -> None:
    classes = np.repeat(np.arange(4), 25)
    unsure = np.where(np.arange(100) % 5 == 0, 4, classes)
    assert code_agreement(classes, unsure, 4, 4) == pytest.approx(0.8)
    assert code_agreement(classes, np.full(100, 4), 4, 4) == 0


def test_chance_is_above_one_in_k_and_follows_the_classes_there_are() -> None:
    draw = np.random.default_rng(0)
    categories, classes = draw.integers(10, size=1000), draw.integers(10, size=1000)
    assert 0.11 < code_by_chance(categories, classes, 10, 10) < 0.16
    halves = draw.integers(2, size=1000)
    assert code_by_chance(categories % 2, halves, 2, 2) == pytest.approx(0.51, abs=0.02)
    narrow = np.where(draw.random(1000) < 0.9, 0, 1)
    assert code_by_chance(categories % 2, narrow, 2, 2) == pytest.approx(0.5, abs=0.02)


def test_a_category_and_a_class_for_each_sample() -> None:
    with pytest.raises(ValueError, match="for each sample"):
        code_agreement([0, 1], [0], 2, 2)
    with pytest.raises(ValueError, match="of samples"):
        code_agreement([], [], 2, 2)

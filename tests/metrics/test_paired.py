"""Paired differences with a call, and the price in real samples: values that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gan_core.metrics.paired import Worth, binomial_half, effect, say, worth

ZEROS = np.zeros(5)


def test_the_interval_of_one_to_five_is_that_of_the_table() -> None:
    found = effect(np.array([1.0, 2, 3, 4, 5]), ZEROS)
    assert found.interval.mean == 3
    assert found.interval.half == pytest.approx(2.776 * 1.5811 / np.sqrt(5), abs=2e-3)
    assert found.call == "helps"
    assert say(found, "More", scale=1.0) == "More helps by 3.0 ± 2.0 points."


def test_the_sign_of_the_interval_makes_the_call() -> None:
    noise = np.array([-1.0, 1, -1, 1, 0])
    assert effect(noise + 9, ZEROS).call == "helps"
    assert effect(noise - 9, ZEROS).call == "hurts"
    assert say(effect(noise - 9, ZEROS), "It", scale=1.0).startswith("It hurts by 9.0 ±")
    even = effect(noise, ZEROS)
    assert even.call == "cannot be told"
    assert "from these 5 seeds (+0.0 ±" in say(even, "It", scale=1.0)


def test_one_seed_has_no_interval_and_none_says_so() -> None:
    one = effect(np.array([0.9, np.nan]), np.array([0.1, 0.1]))
    assert one.call == "cannot be told"
    assert np.isnan(one.interval.half)
    assert "one seed has no interval" in say(one, "It")
    assert "±" not in say(one, "It")
    assert say(effect(np.array([]), np.array([])), "It") == "It: nothing has been measured yet."


def test_pairs_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        effect(np.ones(2), np.ones(3))


SIZES, REAL = np.array([5, 20, 100]), np.array([0.6, 0.8, 0.9])


@pytest.mark.parametrize(
    ("reached", "expected"),
    [
        (0.6, Worth(5)),
        (0.7, Worth(10)),  # half way in log n between 5 and 20
        (0.8, Worth(20)),
        (0.9, Worth(100)),
        (0.5, Worth(5, "less")),
        (0.95, Worth(100, "more")),
    ],
)
def test_the_price_is_read_back_on_the_curve(reached: float, expected: Worth) -> None:
    found = worth(SIZES, REAL, reached)
    assert found.n == pytest.approx(expected.n)
    assert found.beyond == expected.beyond


def test_a_curve_that_falls_is_held_and_one_that_is_not_there_has_no_price() -> None:
    assert worth(SIZES, np.array([0.6, 0.5, 0.9]), 0.6).n == 5
    assert str(worth(SIZES, REAL, 0.99)) == "more than 100"
    assert str(worth(SIZES, REAL, 0.62)) == "5.7"
    assert [str(Worth(n)) for n in (3.98, 9.6, 16.2)] == ["4", "10", "16"]
    assert np.isnan(worth(SIZES, REAL * np.nan, 0.7).n)
    assert worth(SIZES, np.array([0.6, np.nan, 0.9]), 0.6 + 0.3 / 2).n == pytest.approx(np.sqrt(500))


def test_a_thousand_digits_tell_ninety_percent_to_two_points() -> None:
    assert binomial_half(0.9, 1000) == pytest.approx(0.0186, abs=1e-4)

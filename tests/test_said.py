"""Numbers as a person would say them, in Python and in the browser alike."""

from __future__ import annotations

import math

import numpy as np
import pytest
from node import evaluated

from gan_core.said import said


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "0"),
        (0.714382, "0.714"),
        (0.5, "0.5"),
        (0.009188, "0.0092"),
        (0.0099999, "0.01"),
        (7.96, "7.96"),
        (7.996, "8"),
        (999.6, "1,000"),
        (12_345.0, "12,300"),
        (250_000.0, "250,000"),
        (999_600.0, "1,000,000"),
        (1_234_567.0, "1.2e6"),
        (-0.123456, "−0.123"),
        (9.2e-5, "9.2e−5"),
        (9.99e-5, "1e−4"),
        (math.nan, "–"),
        (math.inf, "–"),
        (None, "–"),
    ],
)
def test_three_digits_at_most(value: float | None, told: str) -> None:
    assert said(value) == told


@pytest.mark.parametrize(
    ("share", "told"),
    [(0, "0 %"), (1, "100 %"), (0.0004, "below 0.1 %"), (0.042, "4.2 %"), (0.0996, "10 %"), (0.983, "98 %")],
)
def test_a_share_is_told_in_percent(share: float, told: str) -> None:
    assert said(share, "percent") == told


def test_a_count_is_told_whole() -> None:
    assert (said(12_345, "integer"), said(7.5, "integer"), said(-3, "integer")) == ("12,345", "8", "−3")


def test_the_browser_says_the_same() -> None:
    rng = np.random.default_rng(0)
    values = [
        *(rng.choice([-1, 1], 2000) * 10 ** rng.uniform(-8, 9, 2000)),
        *(mantissa * 10.0**power for power in range(-7, 8) for mantissa in (1, 1.125, 2.5, 9.95, 9.995, 9.9996)),
        *(0.0, -0.0, -0.3, 0.5, 1.5, 2.5, 0.0005, 0.000499, 0.0995, 0.09949, 1.0),
    ]
    forms = ("", "percent", "integer")
    told = "data[0].map((value) => data[1].map((form) => number(value, form)))"
    answer = evaluated("number", "live/said.js", told, [values, forms])
    assert answer == [[said(value, form) for form in forms] for value in values]

"""What a bench of forecasts counts as kept, and how its page tells it."""

from __future__ import annotations

import pytest

from benchmarks.forecasts import Found, document


def found(said: float, took: float, *, learnt: bool = False) -> Found:
    return Found("ring-mlp", 1000, said, learnt, took, took)


@pytest.mark.parametrize(("took", "kept"), [(6.6, False), (6.7, True), (10.0, True), (15.0, True), (15.1, False)])
def test_a_forecast_is_kept_within_a_factor_either_way(took: float, kept: bool) -> None:
    assert found(10.0, took).kept == kept


def test_the_page_counts_each_kind_of_forecast_for_itself() -> None:
    page = document([found(10, 12), found(10, 20), found(5, 5, learnt=True)], [(0.1, 0.1, 0.1)])
    assert "some turns: **1 of 2** took between 1/1.5 and 1.5 times what was said (1.20 to 2.00)" in page
    assert "a run like it: **1 of 1**" in page
    assert "| `ring-mlp` | 1,000 | some turns | 10.0 | 20.0 | 2.00 | 20.0 | **no** |" in page
    assert "**0 of 0**" in document([found(10, 12)], [(0.1, 0.1, 0.1)])

"""Curves over seeds: means and bands against NumPy, and only where something was measured."""

from __future__ import annotations

import numpy as np
import pytest

from gan_core.engine.standings import mean_over_seeds
from gan_core.ui import theme
from gan_core.ui.comparison_charts import over_seeds, variant_colours

X = np.array([0, 50, 100])
CURVES = [(X, np.array([1.0, 2.0, 6.0])), (X, np.array([3.0, 2.0, 2.0])), (X[:2], np.array([5.0, 5.0]))]


def test_the_band_is_numpys_standard_deviation() -> None:
    x, mean, low, high = mean_over_seeds(CURVES)
    assert x.tolist() == [0, 50, 100]
    assert mean == pytest.approx([3, 3, 4])
    std = [np.std([1, 3, 5], ddof=1), np.std([2, 2, 5], ddof=1), np.std([6, 2], ddof=1)]
    assert high - mean == pytest.approx(std)
    assert mean - low == pytest.approx(std)


def test_what_was_not_measured_is_not_made_up() -> None:
    x, mean, low, _ = mean_over_seeds(
        [(np.array([0, 10]), np.array([1.0, np.nan])), (np.array([0, 20]), np.array([3.0, 4]))]
    )
    assert x.tolist() == [0, 10, 20]
    assert mean[[0, 2]].tolist() == [2, 4]
    assert np.isnan(mean[1])
    assert np.isnan(low[1:]).all()


def test_a_variant_keeps_its_colour_and_shows_its_seeds() -> None:
    figure = over_seeds({"a": dict(enumerate(CURVES)), "b": {0: CURVES[0]}}, y_title="modes", floor=8.0)
    names = [trace.name for trace in figure.data]
    assert names == ["a, seed 0", "a, seed 1", "a, seed 2", None, None, "a", "b"]
    assert figure.data[-1].line.color == theme.VARIANTS[1]
    assert [shape.y0 for shape in figure.layout.shapes] == [8.0]
    assert len(over_seeds({"a": dict(enumerate(CURVES))}, y_title="", band="none").data) == 4


def test_eight_variants_have_eight_colours() -> None:
    assert len(set(variant_colours([str(i) for i in range(8)]).values())) == 8

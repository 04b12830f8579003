"""Curves as a page shows them: against the formula, against another library, and counted round by round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gan_core.config import RunConfig
from gan_core.engine.comparing.curves import CUT, places, robust_range, smooth, thinned
from gan_core.store import RunStore

NUMBERS = hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e6, 1e6))


@given(NUMBERS, st.floats(0, 0.99))
def test_smoothing_is_the_bias_corrected_average_that_pandas_computes(values: np.ndarray, weight: float) -> None:
    expected = pd.Series(values).ewm(alpha=1 - weight, adjust=True).mean().to_numpy()
    assert smooth(values, weight) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_smoothing_transcribed_and_where_nothing_was_measured() -> None:
    y, w = [4.0, 1.0, -2.0], 0.9
    s = [0.1 * 4, 0.9 * 0.4 + 0.1 * 1, 0.9 * (0.9 * 0.4 + 0.1) - 0.1 * 2]
    expected = [value / (1 - w ** (t + 1)) for t, value in enumerate(s)]
    assert smooth(np.array(y), w) == pytest.approx(expected)
    gaps = smooth(np.array([np.nan, 4, np.inf, 1, -2]), w)
    assert gaps[[1, 3, 4]] == pytest.approx(expected)
    assert np.isnan(gaps[0])
    assert np.isinf(gaps[2])
    assert smooth(np.array(y), 0).tolist() == y
    for wrong in (-0.1, 1.0):
        with pytest.raises(ValueError, match="weight"):
            smooth(np.array(y), wrong)


def test_a_wild_value_does_not_decide_the_range_and_is_counted() -> None:
    calm = np.sin(np.arange(99.0))
    found = robust_range([calm, np.array([1e9, np.nan, np.inf])])
    assert found is not None
    low, high = np.quantile(np.append(calm, 1e9), [CUT, 1 - CUT])
    assert found.low < low < high < found.high < 1.3
    assert found.outside == 1
    with_line = robust_range([calm], line=50.0)
    assert with_line is not None
    assert with_line.low < low < 50 < with_line.high
    flat = robust_range([np.full(5, 8.0)])
    assert flat is not None
    assert flat.low < 8 < flat.high
    assert flat.outside == 0
    assert robust_range([np.array([np.nan])]) is None


def test_places_are_what_the_run_had_done_by_then_knobs_included(tmp_path: Path) -> None:
    config = RunConfig.load({"objective": "wgan_gp", "data": {"name": "ring", "batch_size": 10}})
    with RunStore(tmp_path) as store:
        store.create("run", name="", config=config.to_dict())
        store.append("run", "turns", ["seconds"], np.array([1, 2, 3]), np.array([[0.5], [1.0], [2.0]], np.float32))
        store.add_event("run", 0, "started", {})
        store.flush()
        rounds = np.array([0, 1, 2, 3, 10])
        found = {axis: places(store, "run", config, rounds, axis).tolist() for axis in ("round", "images", "steps")}
        assert found == {"round": [0, 1, 2, 3, 10], "images": [0, 50, 100, 150, 500], "steps": [0, 6, 12, 18, 60]}
        assert places(store, "run", config, rounds[:4], "seconds").tolist() == [0, 0.5, 1, 2]
        store.add_event("run", 2, "knob", {"changes": {"schedule.n_critic": 1, "optimizers.generator.lr": 1e-3}})
        store.add_event("run", 3, "knob", {"changes": {"data.batch_size": 4}})
        store.flush()
        assert places(store, "run", config, rounds, "images").tolist() == [0, 50, 100, 110, 110 + 7 * 4]
        assert places(store, "run", config, rounds, "steps").tolist() == [0, 6, 12, 14, 28]


def test_a_long_curve_is_thinned_to_the_means_of_equal_stretches() -> None:
    rounds, values = np.arange(1, 8), np.array([1.0, 3, np.nan, 5, np.nan, np.nan, 4])
    x, y = thinned(rounds, values, 2)
    assert x.tolist() == [2, 4, 6, 7]
    assert y[[0, 1, 3]].tolist() == [2, 5, 4]
    assert np.isnan(y[2])
    assert thinned(rounds[2:], values[2:], 2)[0].tolist() == [4, 6, 7], "stretches begin at round 1 for everyone"
    assert thinned(rounds, values, 1)[1] is values

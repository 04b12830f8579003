"""The scripts of the pages: their unit tests, which Node runs, and what they compute as Python does."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
from node import ROOT, evaluated, node

from gan_core.engine.comparing.curves import robust_range, smooth
from gan_core.metrics import METRICS
from gan_core.ui import declared

TESTS = sorted((ROOT / "tests" / "scripts").glob("*.test.js"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_unit_tests_of_the_scripts_pass(path: Path) -> None:
    if not (ROOT / "node_modules").is_dir():
        pytest.fail("What checks the scripts is not installed; `make install-dev` does.")
    done = subprocess.run([node(), "--test", path], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_curves_are_smoothed_as_in_python() -> None:
    values = np.random.default_rng(0).normal(size=200)
    values[[3, 4, 90]] = math.nan
    told = [None if math.isnan(value) else value for value in values]
    weights = [0.0, 0.6, 0.98]
    drawn = evaluated("smooth", "live/scaling.js", "data[1].map((weight) => smooth(data[0], weight))", [told, weights])
    for weight, curve in zip(weights, drawn, strict=True):
        np.testing.assert_allclose(np.array(curve, float), smooth(values, weight), rtol=1e-12)


def test_one_spike_does_not_decide_the_range_of_an_axis() -> None:
    values = np.random.default_rng(0).normal(size=200)
    values[[7, 90]] = 1e4, math.nan
    told = [None if math.isnan(value) else value for value in values]
    each = "data[1].map((lines) => robustRange([data[0]], lines))"
    for line, drawn in zip(
        [None, -40.0], evaluated("robustRange", "live/scaling.js", each, [told, [[], [-40.0]]]), strict=True
    ):
        known = robust_range([values], line)
        assert known is not None
        assert (drawn["low"], drawn["high"], drawn["outside"]) == pytest.approx((known.low, known.high, known.outside))


def test_a_number_is_near_real_data_as_python_has_it() -> None:
    cases = [
        ({"better": metric.better, "slack": list(metric.slack)}, value, real, bool(metric.near_real(value, real)))
        for metric in METRICS.values()
        for real in (0.0, 0.5, 8.0)
        for value in (0.0, 0.4, 0.5, 0.7, 7.9, 8.0, 20.0)
    ]
    near = evaluated("nearReal", "live/numbers.js", "data.map((one) => nearReal(...one))", [case[:3] for case in cases])
    assert near == [case[3] for case in cases]
    assert {*near} == {True, False}


def test_the_scripts_are_told_what_python_has_decided() -> None:
    assert declared.FILE.read_text("utf-8") == declared.script(), "python -m gan_core.ui.declared writes it"

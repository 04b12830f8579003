import math
import subprocess
import sys

import pytest

from gan_core.metrics import METRICS


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_a_card_and_bounds(name):
    metric = METRICS[name]
    low, high = metric.bounds
    assert low < high
    assert metric.better in ("higher", "lower", "closer")
    assert metric.unit
    for text in (
        metric.about.title,
        metric.about.paper,
        metric.about.formula,
        metric.about.idea,
        metric.about.watch_for,
    ):
        assert text.strip()
    assert metric.about.formula.count("{") == metric.about.formula.count("}")
    assert "$" not in metric.about.formula


def test_metrics_need_no_torch():
    modules = ["histograms", "modes", "divergences", "distances", "moments", "neighbors", "diversity", "matching"]
    code = (
        "import sys; "
        + "; ".join(f"import gan_core.metrics.{m}" for m in modules)
        + "; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "real", "near", "far"),
    [
        ("modes_covered", 8.0, [8, 7.7], [7, 0]),
        ("high_quality_share", 0.99, [0.9, 1.0], [0.8]),
        ("unsure_share", 0.02, [0.0, 0.11], [0.2]),
        ("sliced_wasserstein", 0.08, [0.0, 0.23], [0.25]),
        ("std_ratio", 1.0, [0.86, 1.14], [0.8, 1.2]),
        ("skew", 0.0, [-0.29, 0.29], [0.31, -0.31]),
    ],
)
def test_what_is_near_real_data(name: str, real: float, near: list[float], far: list[float]) -> None:
    assert all(METRICS[name].near_real(value, real) for value in [real, *near])
    assert not any(METRICS[name].near_real(value, real) for value in far)
    assert not METRICS[name].near_real(math.nan, real)


def test_a_value_keeps_to_the_range_of_its_quantity() -> None:
    assert METRICS["precision"].within(1.2) == 1.0
    assert METRICS["modes_covered"].within(9.3, 8.0) == 8.0
    assert METRICS["modes_covered"].within(-2.0, 8.0) == 0.0
    assert METRICS["skew"].within(-3.0) == -3.0

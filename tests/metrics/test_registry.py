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
    modules = ["histograms", "modes", "divergences", "distances", "moments", "neighbors", "diversity"]
    code = (
        "import sys; "
        + "; ".join(f"import gan_core.metrics.{m}" for m in modules)
        + "; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

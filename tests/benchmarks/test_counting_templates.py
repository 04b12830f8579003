"""Templates of the Compare page: what their cards say was counted, with today's settings, and holds."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks import templates
from benchmarks.ledger import Ledger
from gan_core.config import OBJECTIVES, TEMPLATES, Order
from gan_core.config.gan.objectives import WEIGHT_ON_POINTS
from gan_core.metrics import METRICS
from gan_core.regularizers import PENALTIES


def test_an_order_holds_when_all_of_more_are_above_all_of_less() -> None:
    order = Order("modes_covered", ("a", "b"), ("c",))
    assert order.holds({"a": 8.0, "b": 3.1, "c": 3.0})
    assert not order.holds({"a": 8.0, "b": 3.0, "c": 3.0})
    assert order.holds({"a": 1.0, "b": 1.0, "c": math.nan}), "what has no number has nothing"
    assert not order.holds({"a": math.nan, "b": 1.0, "c": 0.0})


def test_what_counts_is_the_last_quarter_of_the_measurements() -> None:
    assert templates.end_of([9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 1.0, 2.0]) == 1.5
    assert templates.end_of([7.0]) == 7.0
    assert math.isnan(templates.end_of([]))


def test_what_a_template_says_is_counted() -> None:
    assert [name for name, template in TEMPLATES.items() if template.shows] == templates.PROMISING
    assert {"table-1", "n-critic", "rates"} <= set(templates.PROMISING)


@pytest.mark.parametrize("name", templates.PROMISING)
def test_what_a_template_shows_was_counted_on_held_out_seeds(name: str) -> None:
    """With the settings of today; and whoever starts it waits no longer than was promised."""
    template = TEMPLATES[name]
    assert all(order.measure in METRICS for order in template.orders)
    rows = templates.rows_of(Ledger(templates.RESULTS.with_suffix(".jsonl")), name, templates.HELD_OUT)
    assert sorted(rows) == list(templates.HELD_OUT), "run benchmarks/templates.py"
    assert templates.held(name, rows) == list(templates.HELD_OUT)
    assert templates.cost(rows) <= templates.AIM
    assert template.title in templates.RESULTS.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", templates.PROMISING)
def test_a_template_shows_its_order_on_held_out_seeds(name: str, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "templates.jsonl")
    templates.played(ledger, [name], templates.HELD_OUT, jobs=2)
    rows = templates.rows_of(ledger, name, templates.HELD_OUT)
    assert templates.held(name, rows) == list(templates.HELD_OUT)


def test_templates_use_the_weight_that_the_library_advises_for_points() -> None:
    advised = f"{WEIGHT_ON_POINTS:g}"
    used = {
        (config.objective.name, penalty): weight
        for name, template in TEMPLATES.items()
        for config in templates.configs_of(name, [0]).values()
        if config.data.name == "ring" and config.game == "gan"
        for penalty, weight in config.objective.penalties.items()
    }
    assert {"gradient_penalty", "dragan"} <= {penalty for _, penalty in used}
    for (objective, penalty), weight in used.items():
        assert weight == WEIGHT_ON_POINTS
        for about in (OBJECTIVES[objective].about, PENALTIES[penalty].about):
            assert advised in f"{about.idea} {about.watch_for}", about.title

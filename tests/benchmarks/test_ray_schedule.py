"""The simulation of a schedule on a cluster, where what comes out can be told by hand; and the page of the bench."""

from __future__ import annotations

import pytest

from benchmarks.ray_page import page
from benchmarks.ray_schedule import Costs, Plan, Simulation, outcome

PLAN = Plan(runs=40, nodes=2, cores=2, seconds=100.0, losses_per_hour=0.0)
FREE = Costs(bridge=0.0, server=0.0, start=5.0, back=20.0)


def test_with_nothing_in_between_cores_are_all_that_counts() -> None:
    found = Simulation(PLAN, FREE).play()
    assert found.ends == pytest.approx(40 / 4 * 105.0, rel=0.02)
    assert found.busy["cores"] == pytest.approx(4 * found.ends, rel=0.02)
    assert max(found.ages) < 1.0


def test_a_server_that_is_full_makes_points_old_and_runs_end_late() -> None:
    full = Simulation(PLAN, Costs(bridge=0.0, server=0.1, start=5.0)).play()
    assert full.ends > 1.5 * Simulation(PLAN, FREE).play().ends
    assert full.busy["server"] / full.ends == pytest.approx(1.0, abs=0.1)
    assert sorted(full.ages)[len(full.ages) // 2] > 1.0


def test_what_a_lost_node_had_not_saved_is_played_again() -> None:
    lost = Simulation(Plan(runs=40, nodes=2, cores=2, seconds=100.0, losses_per_hour=40.0), FREE).play()
    assert lost.played_again > 0
    assert lost.ends > Simulation(PLAN, FREE).play().ends


def test_the_page_names_what_was_measured_and_nothing_else() -> None:
    kill = {"lost": 1, "whole": True, "equal": True, "noticed": 2.0, "placed": 4.0, "back": 6.5, "machine": "two cores"}
    told = page({"kills/0": kill, "kills/1": {**kill, "back": 8.0}, "schedule/100/2": outcome(PLAN, FREE)})
    assert "| it plays anew | 7.2 | 8.0 |" in told
    assert "2 runs, one after another" in told
    assert "## Ten thousand runs on a hundred nodes" in told
    assert "## Memory" not in told

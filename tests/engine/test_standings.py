"""Who stands where: ranks by the good direction, only seeds that both have, and no result for what broke."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from scipy import stats

from gan_core.engine.comparing.standings import (
    Row,
    Standing,
    measures,
    outcomes,
    paired,
    read_floors,
    read_standings,
    sentence,
    sure,
    table,
    to_json,
    values_of,
    verdicts,
)
from gan_core.metrics.seeds import seeds_for, student_interval
from gan_core.store import Member, RunStore

MODES = {"NS": [3, 4, 3, 5, 4], "WGAN GP": [8, 8, 7, 8, 8]}


@pytest.fixture
def store(tmp_path: Any) -> Any:
    with RunStore(tmp_path / "runs") as opened:
        members = []
        for variant, values in MODES.items():
            for seed, modes in enumerate(values):
                run = f"{variant[0].lower()}{seed}"
                opened.create(run, name=run, config={})
                opened.update(run, status="finished")
                rows = np.array([[1.0, 2.5], [modes, 0.5 + seed]], np.float32)
                opened.append(run, "diagnostics", ["modes_covered", "kl_to_real"], np.array([0, 100]), rows)
                opened.add_event(run, 0, "reference", {"floors": {"modes_covered": 8.0}})
                members.append(Member(run, variant, seed))
        opened.flush()
        opened.create_comparison("duel", name="", spec={}, members=members)
        yield opened


def test_the_last_measurement_of_each_seed_counts(store: RunStore) -> None:
    found = read_standings(store, "duel")
    assert measures(found) == ["modes_covered", "kl_to_real"]
    assert values_of(found, "NS", "modes_covered") == dict(enumerate(map(float, MODES["NS"])))
    (ns, gp) = table(found, "modes_covered", 8.0)
    assert (ns.rank, gp.rank) == (2, 1)
    assert ns.interval.mean == pytest.approx(np.mean(MODES["NS"]))
    assert ns.interval.std == pytest.approx(np.std(MODES["NS"], ddof=1))
    assert [row.rank for row in table(found, "kl_to_real", None)] == [1, 1]
    assert read_floors(store, found) == {"modes_covered": 8.0}


def test_a_difference_is_a_sentence(store: RunStore) -> None:
    found = read_standings(store, "duel")
    expected = np.subtract(MODES["WGAN GP"], MODES["NS"])
    difference = paired(found, "modes_covered", "WGAN GP", "NS")
    assert difference.student.mean == expected.mean()
    half = f"{difference.student.half:.3g}"
    told = sentence(found, "modes_covered", "WGAN GP", "NS")
    assert told == f"WGAN GP covers 4 ± {half} more modes than NS, over 5 seeds."
    assert sentence(found, "modes_covered", "NS", "WGAN GP") == (
        f"NS covers 4 ± {half} fewer modes than WGAN GP, over 5 seeds."
    )
    t = stats.ttest_rel(MODES["WGAN GP"], MODES["NS"]).confidence_interval(0.95)
    assert (difference.student.low, difference.student.high) == pytest.approx((t.low, t.high))
    assert "not distinguishable with 5 seeds" in sentence(found, "kl_to_real", "NS", "WGAN GP")
    few = [standing for standing in found if standing.seed == 0]
    assert "1 seed in common" in sentence(few, "modes_covered", "NS", "WGAN GP")


def test_those_that_cannot_be_told_from_the_first_are_named_together(store: RunStore) -> None:
    members = list(store.comparison("duel").members)
    for variant in ("LS", "hinge"):
        for seed, modes in enumerate([8, 7, 8, 8, 7]):
            run = f"{variant[0].lower()}{seed}"
            store.create(run, name=run, config={})
            store.append(run, "diagnostics", ["modes_covered"], np.array([100]), np.array([[modes]], np.float32))
            members.append(Member(run, variant, seed))
    store.flush()
    store.create_comparison("four", name="", spec={}, members=members)
    told = verdicts(read_standings(store, "four"), "modes_covered", 8.0)
    assert told[0].startswith("WGAN GP covers 4 ±")
    assert told[1:] == [
        "Modes: WGAN GP is not distinguishable from LS and hinge with 5 seeds "
        "(more than 50 would not show differences of this size)."
    ]
    store.create_comparison("one", name="", spec={}, members=[member for member in members if member.seed == 0])
    assert verdicts(read_standings(store, "one"), "modes_covered", 8.0) == [
        "Modes: WGAN GP and NS, LS and hinge have 1 seed in common that ended; to tell them apart takes two or more."
    ]


def test_what_broke_has_no_result_and_is_counted(store: RunStore) -> None:
    store.update("n0", status="diverged")
    store.update("n3", status="diverged")
    found = read_standings(store, "duel")
    assert list(values_of(found, "NS", "modes_covered")) == [1, 2, 4]
    assert paired(found, "modes_covered", "WGAN GP", "NS").n == 3
    assert verdicts(found, "modes_covered", 8.0)[-1] == "2 of 5 seeds of NS diverged."
    assert outcomes(found, "NS") == {"finished": 3, "diverged": 2}
    assert to_json(found, {})["metrics"]["modes_covered"]["NS"]["values"] == {"1": 4.0, "2": 3.0, "4": 4.0}


def test_what_became_of_the_seeds_is_counted(store: RunStore) -> None:
    store.update("n0", summary={"verdict": {"state": "collapsed"}})
    store.update("n1", summary={"verdict": {"state": "healthy"}})
    store.add_event("n2", 50, "verdict", {"state": "narrowing"})
    store.add_event("n2", 80, "verdict", {"state": "collapsed"})  # it trains, and has no summary yet
    store.update("n3", summary={"verdict": "?"})
    store.update("n4", status="failed", summary={"verdict": {"state": "collapsed"}})
    store.flush()
    found = read_standings(store, "duel")
    assert list(outcomes(found, "NS").items()) == [("finished", 1), ("healthy", 1), ("collapsed", 2), ("failed", 1)]
    assert verdicts(found, "modes_covered", 8.0)[-2:] == ["2 of 5 seeds of NS collapsed.", "1 of 5 seeds of NS failed."]


def test_closer_is_closer_to_real_data(store: RunStore) -> None:
    for run, entropy in (("n0", 2.5), ("w0", 1.9)):
        store.append(run, "diagnostics", ["entropy"], np.array([100]), np.array([[entropy]], np.float32))
    store.flush()
    found: list[Standing] = [s for s in read_standings(store, "duel") if s.seed == 0]
    assert {row.variant: row.rank for row in table(found, "entropy", 2.08)} == {"NS": 2, "WGAN GP": 1}
    assert {row.rank for row in table(found, "entropy", None)} == {None}


def interval_of(metric: str, *values: float) -> Row:
    return Row("A", metric, dict(enumerate(values)), student_interval(np.array(values)), None)


def test_an_interval_keeps_to_the_range_of_its_quantity() -> None:
    assert sure(interval_of("modes_covered", 8, 7, 8, 8), 8.0) == "6.95 to 8"
    assert sure(interval_of("precision", 0.99, 0.97, 1.0), 0.98) == "95 % to 100 %"
    assert sure(interval_of("mean", -0.4, 0.2, 0.1), 0.0) == "−0.832 to 0.765"


def test_instead_of_a_useless_interval_stands_how_many_seeds_would_do() -> None:
    assert sure(interval_of("modes_covered", 0, 1), 8.0) == "too wide with 2 seeds; about 3 would do"
    assert sure(interval_of("sliced_wasserstein", 0.1, 0.9), None) == "too wide with 2 seeds; about 8 would do"
    assert sure(interval_of("kl_to_real", 0.0, 0.0, 0.0, 9.0), None) == "too wide with 4 seeds; about 18 would do"
    assert sure(interval_of("modes_covered", 5), 8.0) == "one seed has none"
    assert sure(interval_of("modes_covered"), 8.0) == "–"


@pytest.mark.parametrize("half", [0.4, 1.0, 3.0])
def test_as_many_seeds_as_are_asked_for_do_and_one_fewer_does_not(half: float) -> None:
    n = seeds_for(1.0, half)
    assert n is not None
    widths = {k: stats.t.ppf(0.975, k - 1) / np.sqrt(k) for k in (n - 1, n) if k > 1}
    assert widths[n] <= half
    assert all(width > half for k, width in widths.items() if k < n)


def test_nothing_is_promised_where_no_number_of_seeds_would_do() -> None:
    assert seeds_for(1.0, 0.01) is None
    assert seeds_for(1.0, 0.0) is None
    assert seeds_for(np.nan, 1.0) is None


def test_a_sentence_that_tells_nothing_apart_says_what_it_would_take(store: RunStore) -> None:
    told = sentence(read_standings(store, "duel"), "kl_to_real", "NS", "WGAN GP")
    assert re.search(r"not distinguishable with 5 seeds \((no difference|difference so far .* (seeds|show it)\))", told)

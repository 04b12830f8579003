"""What the recipes' benchmark reads off a run, on series whose story is known, and that it plays acts and forks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.ledger import Ledger
from benchmarks.outcomes import (
    AGREE,
    AGREE_BROKEN,
    KEEPS,
    Job,
    Outcome,
    Said,
    Series,
    is_kept,
    rules,
    said_of,
    truth_of,
)
from benchmarks.recipes import Kept, References, jobs, perform, train
from gan_core.config import RECIPES, Act, Preset, RunConfig
from gan_core.training import resolve


def series_of(nearest: list[list[int]], *, diverged: bool = False, gradient: float = 1.0) -> Series:
    rounds = 25 * np.arange(1, len(nearest) + 1)
    counts = np.array([[*row, 0] for row in nearest])
    return Series(
        rounds=rounds,
        seconds=rounds / 100,
        counts=counts,
        nearest=np.array(nearest),
        spread=np.ones(len(rounds)),
        diagnostics={},
        turns={"round": np.arange(1, rounds[-1] + 1), "G.grad_norm": np.full(rounds[-1], gradient)},
        diverged=diverged,
    )


WHOLE = [125] * 8
THREE = [400, 300, 300, 0, 0, 0, 0, 0]
FOUR = [400, 300, 200, 100, 0, 0, 0, 0]


def test_the_onset_is_the_first_of_three_in_a_row_after_there_was_more() -> None:
    truth = truth_of(series_of([THREE] * 3 + [WHOLE] * 4 + [THREE, FOUR, THREE, THREE, THREE, FOUR]))
    assert truth.onset == 25 * 10, "neither the start, where G is one cloud, nor a single measurement counts"
    assert truth.onset_seconds == pytest.approx(2.5)
    assert truth.stays == 0.75
    assert (truth.whole, truth.modes) == (False, 4)


def test_a_break_is_short() -> None:
    series = series_of([WHOLE] * 5 + [THREE] * 2 + [WHOLE] * 5)
    assert (truth_of(series).onset, truth_of(series, AGREE_BROKEN).onset) == (None, 150)


def test_a_run_that_never_spreads_has_collapsed_from_its_start() -> None:
    assert truth_of(series_of([THREE] * 5)).onset == 25


def test_a_run_that_spreads_late_and_stays_has_no_onset() -> None:
    assert truth_of(series_of([THREE] * 4 + [WHOLE] * 4)).onset is None


def test_a_run_that_stays_whole_has_no_onset() -> None:
    truth = truth_of(series_of([WHOLE] * 5))
    assert (truth.onset, truth.whole, truth.reached, truth.modes) == (None, True, 25, 8)


def test_what_was_there_before_the_break_is_no_cure() -> None:
    series = series_of([WHOLE] * 5 + [THREE] * 2 + [WHOLE] * 4)
    assert truth_of(series, AGREE_BROKEN, cured_at=175).reached == 200
    assert truth_of(series, AGREE_BROKEN, cured_at=225).reached is None, "two measurements are left, and it takes three"


def test_a_mode_is_held_by_a_sixth_of_its_share() -> None:
    assert truth_of(series_of([[979, 21, *[0] * 6]] * 3)).modes == 2
    assert truth_of(series_of([[980, 20, *[0] * 6]] * 3)).modes == 1


def test_a_mode_of_which_all_samples_are_of_low_quality_is_missing() -> None:
    series = series_of([WHOLE] * 3)
    series.counts[:, 0], series.counts[:, -1] = 0, 125
    assert not truth_of(series).whole


def digits(counts: list[int], spread: float = 1.0) -> Series:
    series = series_of([counts[:-1]] * 3)
    series.counts, series.nearest = np.array([counts] * 3), np.empty((3, 0))
    series.spread = np.full(3, spread)
    return series


def test_digits_collapse_into_two_classes_or_into_one_picture() -> None:
    assert truth_of(digits([450, 450, *[0] * 8, 100])).onset == 25
    assert truth_of(digits([450, 440, *[0] * 8, 110])).onset is None
    assert truth_of(digits([0] * 10 + [1000], spread=0.2)).onset == 25, "of which the classifier is unsure"


def test_digits_are_whole_with_a_third_of_every_share() -> None:
    assert truth_of(digits([40] + [96] * 9 + [96])).whole
    assert not truth_of(digits([20] + [98] * 9 + [98])).whole
    assert not truth_of(digits([0] * 10 + [1000])).whole, "noise covers no class"


def test_a_cure_is_there_with_three_measurements_in_a_row() -> None:
    truth = truth_of(series_of([THREE, WHOLE, WHOLE, THREE, WHOLE, WHOLE, WHOLE, THREE]))
    assert (truth.reached, truth.kept, truth.whole) == (125, 0.75, False)
    truth = truth_of(series_of([WHOLE, WHOLE, THREE, WHOLE, WHOLE]))
    assert (truth.reached, truth.kept, truth.whole) == (None, 0.0, True)


def test_what_diverged_is_not_whole() -> None:
    truth = truth_of(series_of([WHOLE] * 3, diverged=True))
    assert (truth.whole, truth.diverged_at) == (False, 75)


def test_half_of_the_variety_is_gone_before_few_modes_are_left() -> None:
    six = [350, 350, 60, 60, 60, 60, 60, 0]  # e to the entropy is 5.0
    three = [480, 480, 8, 8, 8, 8, 8, 0]  # and here 2.5, though two modes hold nearly all
    truth = truth_of(series_of([WHOLE] * 3 + [six] * 3 + [three] * 3))
    assert (truth.halved, truth.onset) == (25 * 7, 25 * 7)
    truth = truth_of(series_of([WHOLE] * 3 + [[700, 75, 75, 75, 75, 0, 0, 0]] * 3))
    assert (truth.halved, truth.onset) == (25 * 4, None)


@pytest.mark.parametrize(("onset", "near"), [(49, False), (50, True), (150, True), (151, False), (None, False)])
def test_near_is_ten_percent_or_two_measurements(onset: int | None, near: bool) -> None:
    truth = truth_of(series_of([WHOLE] * 3 + [THREE] * 3))
    assert truth.halved == 100
    assert Said("collapsed", 200, onset, ()).near(truth) is near


def measured(spreads: list[float]) -> Series:
    series = series_of([WHOLE] * len(spreads))
    return replace(series, diagnostics={"std_ratio": np.array(spreads), "vendi_score": 10 * np.array(spreads)})


def test_the_verdict_hears_what_was_recorded_and_nothing_else(tiny: RunConfig) -> None:
    floors = {"floors": {"std_ratio": 1.0, "vendi_score": 10.0}}
    collapse, healthy = RECIPES["ring-collapse"], RECIPES["ring-healthy"]
    falls = measured([1.0] * 20 + [0.2] * 10)
    said = said_of(collapse, tiny, falls, floors)
    assert (said.wanted, said.onset) == ("collapsed", 25 * 21)
    assert said.at is not None
    assert said.at > said.onset
    assert said_of(healthy, tiny, falls, floors).alarms[-1:] == ("collapsed",), "a false alarm, were it healthy"
    assert said_of(healthy, tiny, measured([1.0] * 30), floors).alarms == ()
    assert said_of(RECIPES["ring-diverge"], tiny, replace(measured([1.0] * 3), diverged=True), floors).at == 75


def test_real_data_is_looked_at_once_for_all_seeds(tiny: RunConfig) -> None:
    references = References(lambda source: None)
    first = references.of(tiny)
    assert {"floors", "lines"} <= set(first)
    assert references.of(tiny.replace({"seed": 9})) is first
    assert references.of(tiny.replace({"diagnostics.samples": 50})) is not first


@pytest.fixture
def tiny() -> RunConfig:
    settings = {
        "data": {"name": "ring", "batch_size": 8},
        "model": {"latent_dim": 3, "generator": {"widths": [8]}, "discriminator": {"widths": [8]}},
        "diagnostics": {"samples": 100},
        "device": "cpu",
    }
    return resolve(RunConfig.load(settings))


def test_acts_are_played_one_after_the_other_as_forks(tiny: RunConfig) -> None:
    preset = Preset("", "", {}, within=120, acts=(Act(50, "generator_ahead"), Act(75, "r1")))
    series = perform(preset, tiny, None)
    assert series.rounds.tolist() == [25, 50, 75, 100, 120]
    assert series.turns["round"].tolist() == list(range(1, 121))
    assert (np.diff(series.seconds) > 0).all()
    before, _ = train(tiny, 50, None)
    assert np.array_equal(series.turns["D.loss"][:50], before.turns["D.loss"])


def test_series_come_back_from_the_disk_as_they_were(tiny: RunConfig, tmp_path) -> None:
    series, state = train(tiny, 60, None)
    assert state["round"] == 60
    series.save(tmp_path / "a" / "1.npz")
    again = Series.load(tmp_path / "a" / "1.npz")
    for name in ("rounds", "seconds", "counts", "nearest", "spread", "diverged"):
        assert np.array_equal(getattr(series, name), getattr(again, name))
    for table in ("turns", "diagnostics"):
        assert {name: column.tolist() for name, column in getattr(series, table).items()} == {
            name: column.tolist() for name, column in getattr(again, table).items()
        }


def test_what_became_of_a_run_is_known_on_another_machine(tmp_path) -> None:
    first, second = Job("ring-healthy", 100), Job("ring-collapse", 100)
    table = tmp_path / "recipes.md"
    healthy = Outcome(truth_of(series_of([WHOLE] * 5)), Said(None, None, None, ()))
    fallen = Outcome(truth_of(series_of([THREE] * 5)), Said("collapsed", 100, 25, ("narrowing", "collapsed")))
    here = Kept(tmp_path / "here", table)
    here.add(second, fallen)
    here.add(first, healthy)
    here.publish([first, second])
    there = Kept(tmp_path / "there", table)
    assert there.rows([first, second, Job("ring-healthy", 101)]) == {first: healthy, second: fallen}
    there.add(first, fallen)
    there.publish([first])
    assert Kept(tmp_path / "elsewhere", table).rows([second, first]) == {second: fallen, first: fallen}
    stale = {"digest": "of other settings", **healthy.to_dict()}
    Ledger(tmp_path / "stale" / "runs.jsonl").add("ring-collapse/100", stale)
    assert Kept(tmp_path / "stale", table).rows([second]) == {second: fallen}


def test_a_run_with_a_cure_ends_when_it_has_been_kept(tiny: RunConfig) -> None:
    looks = KEEPS // 25 + 1
    assert not is_kept(series_of([THREE] + [WHOLE] * (looks - 1)))
    assert is_kept(series_of([THREE] + [WHOLE] * looks))
    assert is_kept(series_of([WHOLE] * AGREE + [THREE] * (looks - AGREE))), (
        "what is lost again is counted, not waited for"
    )
    series, state = train(tiny, 100, None, until=lambda seen: len(seen.rounds) == 2)
    assert (series.rounds.tolist(), state["round"], series.turns["round"][-1]) == ([25, 50], 50, 50)


def test_every_recipe_takes_its_turn_before_the_next_seed() -> None:
    planned = list(jobs((), range(100, 102)))
    seeds = [job.seed for job in planned]
    assert seeds == sorted(seeds)
    assert [job for job in planned if not job.cure] == [Job(name, seed) for seed in (100, 101) for name in RECIPES]
    for job in planned:
        if job.forked:
            assert planned.index(job) > planned.index(Job(job.preset, job.seed)), "it needs the collapsed run"


def test_what_was_said_by_older_rules_is_not_told(tmp_path) -> None:
    job, table = Job("ring-collapse", 100), tmp_path / "recipes.md"
    fallen = Outcome(truth_of(series_of([THREE] * 5)), Said("collapsed", 100, 25, ("collapsed",)))
    kept = Kept(tmp_path, table)
    kept.add(job, fallen)
    kept.publish([job])
    rows = table.with_suffix(".jsonl").read_text()
    table.with_suffix(".jsonl").write_text(rows.replace(rules(), "of old"))
    assert Kept(tmp_path / "elsewhere", table).rows([job]) == {job: Outcome(fallen.truth)}

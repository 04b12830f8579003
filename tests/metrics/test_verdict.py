"""Series written by hand, each the course of one kind of run: what is said, since when, and what is never said."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial
from typing import get_args

import numpy as np
import pytest

from gan_core.metrics import course
from gan_core.metrics.course import LiveChange
from gan_core.metrics.states import ALARMS, CURES, STATES, State
from gan_core.metrics.verdict import Judge, judged, verdict

EVERY, ROUNDS = 50, 3000
FLOORS = {
    "std_ratio": 1.0,
    "vendi_score": 10.0,
    "effective_modes": 7.9,
    "class_diversity": 1.0,
    "high_quality_share": 0.989,
}
READ = {
    "judge_loss": "D.loss",
    "judge_real": "D.real",
    "judge_fake": "D.fake",
    "judge_right_real": "D.accuracy_real",
    "judge_right_fake": "D.accuracy_fake",
    "maker_gradient": "G.grad_norm",
}
Facts = partial(course.Facts, columns=READ)
RING = Facts(FLOORS, 8, ROUNDS, "probability", {"D.loss": 2 * math.log(2)})
BALANCED = {"D.loss": 1.3, "D.real": 0.55, "D.fake": 0.45, "G.grad_norm": 2.0, "D.accuracy_real": 0.6}
LABELS = ("effective_modes", "largest_share", "largest_mode", "class_diversity", "high_quality_share")


def series(breadths, play=BALANCED, *, every=EVERY, **columns):
    """Tracks of a run whose breadth takes these values, one per measurement; ``columns`` replace what follows from it."""
    breadth = np.asarray(breadths, float)
    n = len(breadth)
    diagnostics = {
        "round": np.arange(n) * every,
        "std_ratio": np.minimum(1.2, breadth + 0.1),
        "vendi_score": 10 * breadth,
        "effective_modes": 7.9 * np.minimum(1.0, breadth),
        "class_diversity": np.full(n, 1.0),
        "high_quality_share": np.full(n, 0.97),
        "largest_share": 1 / np.maximum(1, 7.9 * breadth),
        "largest_mode": np.full(n, 3.0),
        "center_1": np.zeros(n),
        "center_2": np.zeros(n),
    } | {name: np.broadcast_to(np.asarray(values, float), (n,)) for name, values in columns.items()}
    rounds = np.arange(1, (n - 1) * every + 1)
    turns = {"round": rounds} | {
        name: np.broadcast_to(np.asarray(value, float), rounds.shape) for name, value in play.items()
    }
    return turns, diagnostics


def without_labels(diagnostics):
    return {name: values for name, values in diagnostics.items() if name not in LABELS}


GROWING = [0.05, 0.2, 0.25, 0.2, 0.3, 0.45, 0.6, 0.8, 0.95, 1.0]
WHOLE = [0.97, 1.0, 0.95, 0.98] * 10
LOST = [0.7, 0.45, 0.35, 0.3, 0.25, 0.2, 0.2, 0.18, 0.15]


IMAGES = Facts(
    {"std_ratio": 1.0, "vendi_score": 8.0, "effective_modes": 9.7, "class_diversity": 1.0}
    | {"unsure_share": 0.01, "frechet_distance": 8.0, "precision": 0.94, "modes_covered": 10.0},
    10,
    ROUNDS,
    images=True,
)
OWN = Facts({"std_ratio": 1.0, "vendi_score": 10.0, "precision": 0.97, "density": 1.0, "recall": 0.97, "mmd2": 0.008})


def states(judge):
    return [change.state for change in judge.changes]


@pytest.mark.parametrize("labels", [True, False])
def test_a_run_that_spreads_and_stays_is_learning_and_then_healthy(labels):
    turns, diagnostics = series(GROWING + WHOLE)
    judge = judged(turns, diagnostics if labels else without_labels(diagnostics), RING)
    assert states(judge) == (["part", "spread", "healthy"] if labels else ["learning", "varied"])
    assert judge.verdict.onset_round == 7 * EVERY
    assert judge.verdict.cures(images=False) == ()
    assert judge.verdict.evidence == ()


@pytest.mark.parametrize("labels", [True, False])
def test_a_loss_of_what_was_there_is_a_collapse_and_when_it_began(labels):
    turns, diagnostics = series(GROWING + WHOLE[:8] + LOST)
    judge = judged(turns, diagnostics if labels else without_labels(diagnostics), RING)
    assert judge.verdict.state == "collapsed"
    assert "narrowing" not in states(judge)[:2]
    # 18 measurements went well; the next is the first sign, the one after it the first below half.
    assert judge.verdict.onset_round == 19 * EVERY
    assert judge.verdict.first_sign in (18 * EVERY, 19 * EVERY)
    assert judge.healthy_round < judge.verdict.first_sign + EVERY
    names = {evidence.name for evidence in judge.verdict.evidence}
    assert "vendi_score" in names
    assert ("effective_modes" in names) == labels
    assert judge.verdict.cures(images=False)[0] == "r1"
    if labels:
        assert "1.2 effective modes of 8, it had 7." in judge.verdict.sentence


def test_a_d_that_memorises_few_pictures_is_an_alarm_without_classes():
    r_v = [0.1] * 12 + [0.7, 0.1] + [0.6, 0.7, 0.8, 0.45, 0.3, 0.45] + [0.3] * 6
    turns, diagnostics = series(WHOLE[: len(r_v)], d_overfitting=r_v)
    judge = judged(turns, without_labels(diagnostics), RING)
    assert states(judge) == ["varied", "memorising", "varied"]
    alarm, well = judge.changes[1:]
    assert (alarm.onset_round, alarm.round, well.round) == (14 * EVERY, 16 * EVERY, 21 * EVERY)
    assert alarm.alarming
    assert "held-out ones 80% of the way" in alarm.sentence
    assert [(one.name, one.value, one.threshold) for one in alarm.evidence] == [("d_overfitting", 0.8, 0.5)]
    assert "memorising" not in states(judged(turns, diagnostics, RING))


def test_every_number_of_the_evidence_crosses_its_threshold():
    turns, diagnostics = series(GROWING + WHOLE[:8] + LOST)
    for change in judged(turns, diagnostics, RING).changes:
        assert (change.state in ALARMS) == bool(change.evidence) == change.alarming
        for one in change.evidence:
            assert np.isfinite([one.value, one.threshold]).all()
            assert one.value < one.threshold if one.relation == "<" else one.value > one.threshold
        json.dumps(change.to_dict(), allow_nan=False)


def test_the_start_is_never_a_collapse():
    for start in (GROWING, [0.05] * 4 + GROWING, [0.1, 0.3, 0.1, 0.2, 0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 1.0]):
        judge = judged(*series(start + WHOLE), RING)
        assert not set(states(judge)) & ALARMS


def test_never_getting_there_is_a_collapse_too_but_only_after_long():
    judge = judged(*series([0.05, 0.3, 0.35, 0.3, 0.35, 0.3, 0.3, 0.3, 0.25, 0.25, 0.2]), RING)
    assert states(judge) == ["part", "collapsed"]
    assert judge.changes[1].round == 400
    assert judge.verdict.onset_round == 0
    assert "has not spread" in judge.verdict.sentence
    back = judged(*series([0.05, *[0.3] * 12, 0.4, 0.5, 0.55, 0.6]), RING)
    assert back.verdict.state == "collapsed"
    assert "stopped" not in back.verdict.sentence, "it grows again"
    course = [0.05, *[0.3] * 12, 0.4, 0.6, *[0.97] * 6]
    cured = judged(*series(course, high_quality_share=0.3), RING)
    assert states(cured)[-2:] == ["collapsed", "cloud"]
    assert cured.verdict.onset_round > 13 * EVERY, "a cloud all the time, and all the time collapsed"
    slow = judged(*series([0.05 + 0.02 * i for i in range(60)]), RING)
    assert not set(states(slow)) & ALARMS, "it grows"


@pytest.mark.parametrize(
    ("course", "onset"),
    [
        ([0.3, 0.6, 0.3, 0.4, 0.6, 0.4, 0.3, 0.3, 0.3, 0.3, 0.3], 2),  # it agrees with its neighbour from there on
        ([0.3, 0.3, 0.6, 0.7, 0.4, 0.6, 0.3, 0.3, 0.6, 0.3, 0.3], 0),  # two in a row were above half, for a moment
        ([0.3, 0.3, 0.6, 0.7, 0.6, 0.4, 0.3, 0.3, 0.6, 0.3, 0.3], 5),  # three were
    ],
)
def test_a_moment_above_half_does_not_move_the_onset(course, onset):
    judge = judged(*series(course), RING)
    assert states(judge)[-1] == "collapsed"
    assert judge.verdict.onset_round == onset * EVERY


def test_a_part_that_is_not_left_any_more_is_said_later():
    judge = judged(*series([0.05, 0.3, 0.5, *[0.6] * 40]), RING)
    assert states(judge) == ["part", "narrowing"]
    assert "only a part" in judge.verdict.sentence


def hopping(n):
    where = np.arange(n) * 3 % 8
    angle = where * 2 * np.pi / 8
    return {
        "largest_mode": where,
        "largest_share": np.full(n, 0.97),
        "center_1": 1.4 * np.cos(angle),
        "center_2": 1.4 * np.sin(angle),
    }


@pytest.mark.parametrize("labels", [True, False])
def test_a_rotating_collapse_is_caught_at_losses_of_equilibrium(labels):
    play = BALANCED | {"D.loss": 1.386, "D.real": 0.5, "D.fake": 0.5}
    turns, diagnostics = series([0.13, 0.2] * 10, play, **hopping(20))
    found = verdict(turns, diagnostics if labels else without_labels(diagnostics), RING)
    assert found.state == "collapsed"
    assert found.causes == ("rotating",)
    assert "The losses look like equilibrium and are not: D's loss is 1.39" in found.sentence
    assert "D(x) = 0.50" in found.sentence
    assert "two_time_scales" in found.cures(images=False)
    # The same samples beside a D that wins: no word of an equilibrium.
    turns, diagnostics = series([0.13, 0.2] * 10, BALANCED | {"D.loss": 0.4}, **hopping(20))
    assert "equilibrium" not in verdict(turns, diagnostics, RING).sentence
    # One that stays where it is does not rotate.
    turns, diagnostics = series([0.13, 0.2] * 10, play)
    assert verdict(turns, diagnostics, RING).causes == ("collapsed",)
    # One that has just spread over the modes does not either.
    spreads = verdict(*series([0.13, 0.2] * 10 + [0.86], play, **hopping(21)), RING)
    assert spreads.sentence == "G spreads, and is not whole yet: 86% of the variety of real data."


def test_a_cure_is_seen_and_a_second_collapse_too():
    course = GROWING + WHOLE[:6] + LOST + [0.4, 0.7, 0.9, 0.95, 1.0] + WHOLE[:4] + LOST
    judge = judged(*series(course), RING)
    calm = [state for state in states(judge) if state not in ("narrowing", "spread")]
    assert calm == ["part", "healthy", "collapsed", "recovered", "collapsed"]
    back = next(change for change in judge.changes if change.state == "recovered")
    assert back.onset_round == (len(GROWING + WHOLE[:6] + LOST) + 2) * EVERY
    assert judge.verdict.first_sign > back.onset_round


def test_six_modes_of_eight_are_no_recovery():
    before = GROWING + WHOLE[:6] + LOST
    climbing = [0.3, 0.4, 0.5, 0.6, 0.7, 0.76, 0.78, 0.8, 0.82]
    judge = judged(*series(before + climbing), RING)
    assert states(judge)[-1] == "collapsed"
    assert judge.verdict.sentence == "G spreads again, and is not whole yet: 6.5 effective modes of 8."
    assert [one.name for one in judge.verdict.evidence] == ["effective_modes"]
    whole = judged(*series(before + climbing + [0.9, 0.95]), RING)
    assert states(whole)[-2:] == ["collapsed", "recovered"]


def test_samples_that_spread_no_further_are_neither_collapsed_nor_whole():
    judge = judged(*series(GROWING + WHOLE[:6] + LOST + [0.5, 0.7] + [0.81] * 30), RING)
    assert states(judge)[-2:] == ["collapsed", "narrowing"]
    assert judge.verdict.sentence == "A part of what G had is still missing: 6.4 effective modes of 8."


def test_it_does_not_flicker():
    rng = np.random.default_rng(0)
    near_broad = judged(*series(np.concatenate([GROWING, 0.75 + 0.08 * rng.uniform(-1, 1, 200)])), RING)
    assert len(near_broad.changes) <= 5
    near_half = judged(*series(np.concatenate([GROWING, WHOLE[:4], 0.5 + 0.1 * rng.uniform(-1, 1, 200)])), RING)
    assert len(near_half.changes) <= 5
    one_bad_look = judged(*series(GROWING + WHOLE[:9] + [0.3] + WHOLE), RING)
    assert [state for state in states(one_bad_look) if state in ALARMS] == []


def test_one_picture_of_each_class_is_a_collapse():
    n = len(GROWING + WHOLE)
    inside = np.concatenate([np.ones(n - 6), [0.4, 0.2, 0.1, 0.05, 0.03, 0.02]])
    found = verdict(*series(GROWING + WHOLE, class_diversity=inside), RING)
    assert found.state == "collapsed"
    assert "inside each of them all samples are nearly alike" in found.sentence


def test_a_gradient_that_vanishes_is_not_called_a_collapse():
    play = {"D.loss": 1e-3, "D.real": 0.999, "D.fake": 1e-3, "G.grad_norm": 4e-3}
    found = verdict(*series([0.05] * 20, play), RING)
    assert found.state == "vanishing_gradient"
    assert found.cures(images=True)[0] == "non_saturating"
    # A critic's scores are no probabilities: small ones mean nothing.
    critic = Facts(FLOORS, 8, ROUNDS, "score")
    assert verdict(*series([0.05] * 20, play), critic).state == "collapsed"


def test_a_d_that_nothing_escapes_while_g_gets_nowhere():
    play = {"D.real": 0.99, "D.fake": 0.01, "D.accuracy_real": 1.0, "D.accuracy_fake": 1.0, "G.grad_norm": 30.0}
    found = verdict(*series([0.05, *[0.2] * 20], play), RING)
    assert found.state == "d_too_strong"
    # As sure a D beside samples that are varied is a matter for the eye.
    assert verdict(*series(GROWING + WHOLE, play), RING).state == "healthy"


def test_samples_that_fly_away_and_scores_without_bounds_diverge():
    n = 40
    away = np.concatenate([np.zeros(20), np.linspace(0, 60, 20)])
    assert verdict(*series([0.9] * n, center_1=away), RING).state == "diverged"
    assert (
        verdict(*series([0.9] * n, std_ratio=np.concatenate([np.ones(20), np.full(20, 9.0)])), RING).state == "diverged"
    )
    critic = Facts(FLOORS, 8, ROUNDS, "score")
    apart = series([0.2] * n, {"D.real": np.linspace(0, 400, (n - 1) * EVERY), "D.fake": 0.0})
    assert verdict(*apart, critic).state == "diverged"
    drifting = series(
        [1.0] * n, {"D.real": np.linspace(0, -400, (n - 1) * EVERY)} | {"D.fake": np.linspace(0, -400, (n - 1) * EVERY)}
    )
    assert verdict(*drifting, critic).state == "healthy", "a Wasserstein critic may drift as a whole"


def test_a_middle_that_swings_oscillates_and_one_that_wanders_does_not():
    n = 60
    circle = 0.8 * np.exp(2j * np.pi * np.arange(n) / 9)
    found = verdict(*series([1.0] * n, center_1=circle.real, center_2=circle.imag), RING)
    assert found.state == "oscillating"
    rng = np.random.default_rng(0)
    false_alarms = [
        verdict(*series([1.0] * n, center_1=rng.normal(0, 0.08, n), center_2=rng.normal(0, 0.08, n)), RING).state
        for _ in range(20)
    ]
    assert set(false_alarms) == {"healthy"}


def test_a_number_that_is_not_finite_ends_it():
    judge = judged(*series(GROWING), RING)
    assert judge.set_diverged(512, "D.loss is not finite at round 512").state == "diverged"
    assert judge.verdict.onset_round == 512
    assert states(judge)[-1] == "diverged"


def test_what_was_not_measured_is_not_asked_for():
    turns, diagnostics = series(GROWING + WHOLE[:8] + LOST)
    assert verdict({}, diagnostics, RING).state == "collapsed"
    assert verdict(turns, {}, RING).state == "starting"
    gaps = {name: np.where(np.arange(len(values)) % 7 == 3, np.nan, values) for name, values in diagnostics.items()}
    gaps["round"] = diagnostics["round"]
    assert verdict(turns, gaps, RING).state == "collapsed"
    assert verdict(turns, diagnostics, Facts({})).state in ("starting", "learning")
    unsure = diagnostics | {"unsure_share": np.full(len(diagnostics["round"]), 0.9)}
    assert {e.name for e in verdict(turns, unsure, RING).evidence} == {"vendi_score", "std_ratio"}


@pytest.mark.parametrize("course", [GROWING + WHOLE, GROWING + WHOLE[:8] + LOST, [0.13, 0.2] * 10])
def test_told_bit_by_bit_it_says_the_same(course):
    turns, diagnostics = series(course)
    whole = judged(turns, diagnostics, RING)
    rng = np.random.default_rng(0)
    judge, told = Judge(RING), 0
    for index, round in enumerate(diagnostics["round"]):
        # Rounds arrive in pieces, and some that follow the measurement arrive before it.
        upto = min(len(turns["round"]), int(round) + int(rng.integers(0, 20)))
        for piece in np.array_split(np.arange(told, upto), 3):
            judge.add_turns({name: values[piece] for name, values in turns.items()})
        told = max(told, upto)
        numbers = {name: float(values[index]) for name, values in diagnostics.items() if name != "round"}
        judge.add_check(int(round), numbers)
        judge.add_check(int(round), numbers)  # twice is once
    assert judge.changes == whole.changes
    assert judge.verdict == whole.verdict


def test_every_state_has_a_title_and_every_cause_its_cures():
    assert set(STATES) == set(get_args(State))
    assert all(title.strip() for title in STATES.values())
    assert all(names for both in CURES.values() for names in both)


def test_what_is_said_at_any_moment_is_true_at_that_moment():
    """Also while a state is only kept, on the way back from it."""
    rng = np.random.default_rng(0)
    course = (
        GROWING
        + WHOLE[:6]
        + LOST
        + [0.4, 0.55, 0.7, 0.6, 0.72, 0.9, 0.7, 0.9, 0.95, 1.0]
        + list(rng.uniform(0.4, 1, 60))
    )
    turns, diagnostics = series(course)
    judge = Judge(RING)
    judge.add_turns(turns)
    for index, round in enumerate(diagnostics["round"]):
        said = judge.add_check(int(round), {name: values[index] for name, values in diagnostics.items()})
        assert said.round == round
        assert said.sentence
        for one in said.evidence:
            assert one.value == pytest.approx(diagnostics[one.name][index])
            assert one.value < one.threshold if one.relation == "<" else one.value > one.threshold


# What was seen on the page and was not so


@pytest.mark.parametrize("on", [0.02, 0.1, 0.3])
def test_a_cloud_that_reaches_every_mode_is_a_cloud(on):
    judge = judged(*series(GROWING + WHOLE, high_quality_share=on), RING)
    assert judge.verdict.state == "cloud"
    assert f"{1 - on:.0%} of the samples are off every mode" in judge.verdict.sentence
    assert not {"healthy", "recovered"} & set(states(judge))


def test_the_shape_of_a_cloud_does_not_come_and_go():
    """Squared MMD about the value from which a ring can be told from its points."""
    like = FLOORS | {"mmd2": 0.007}
    excess = np.tile([0.0055, 0.0075, 0.0065, 0.008], 10)
    judge = judged(*series(WHOLE, high_quality_share=0.3, mmd2=0.007 + excess), replace(RING, floors=like))
    assert states(judge)[-1] == "spread"
    assert states(judge).count("spread") == 1


def test_a_cloud_wider_than_the_data_has_not_collapsed():
    """As a critic's game on the ring: three times as varied as real points, off every mode, now here and now there."""
    n = 60
    wide = {"std_ratio": 0.9, "vendi_score": 30.0, "high_quality_share": 0.01, "center_1": 1.2}
    few = np.where((np.arange(n) + 6) % 12 < 7, 2.2, 7.0)
    judge = judged(*series([0.9] * n, **wide, effective_modes=few), RING)
    assert states(judge) == ["cloud"]
    early = np.arange(n) < 40
    shrunk = wide | {"std_ratio": np.where(early, 0.9, 0.2), "vendi_score": np.where(early, 30.0, 2.0)}
    judge = judged(*series([0.9] * n, **shrunk, effective_modes=few), RING)
    assert (judge.verdict.state, judge.verdict.onset_round) == ("collapsed", 40 * EVERY)


def test_points_along_a_ring_show_its_shape_before_they_are_near_its_modes():
    ring = replace(RING, floors=FLOORS | {"mmd2": 0.008})

    def pictures(on, excess, variety=20.0, **columns):
        told = {"high_quality_share": on, "mmd2": 0.008 + np.asarray(excess), "vendi_score": variety}
        turns, diagnostics = series(WHOLE, **told | columns)
        judge = Judge(ring)
        judge.add_turns(turns)
        numbers = [{name: values[i] for name, values in diagnostics.items() if name != "round"} for i in range(40)]
        return [judge.add_check(i * EVERY, one).picture for i, one in enumerate(numbers)]

    assert set(pictures(0.25, 0.015)) == {"spread"}
    assert set(pictures(0.25, 0.06)) == {"cloud"}, "a disc has as many near a mode, if modes are wide"
    assert set(pictures(0.05, 0.015)) == {"cloud"}
    assert set(pictures(0.25, 0.06, variety=13.0)) == {"spread"}, "most of a ring, and thin"
    assert set(pictures(0.25, 0.015, center_2=np.nan)) == {"cloud"}, (
        "on a line nothing lies between modes but what is off them"
    )
    settling = pictures(np.tile([0.5, 0.36, 0.45, 0.34], 10), 0.03)
    assert set(settling) == {"spread"}, "while points settle on the modes the share on them wavers"


def test_points_between_the_modes_are_spread_and_not_healthy():
    found = verdict(*series(GROWING + WHOLE, high_quality_share=0.7), RING)
    assert found.state == "spread"
    assert "70% of the samples are on a mode" in found.sentence
    assert verdict(*series(GROWING + WHOLE, high_quality_share=0.96), RING).state == "healthy"


def test_a_mode_that_holds_nothing_is_missing_however_varied_the_rest():
    ring = replace(RING, floors=FLOORS | {"modes_covered": 8.0})
    found = verdict(*series([0.88] * 40, modes_covered=7.0), ring)
    assert found.state == "part"
    assert verdict(*series([0.88] * 40, modes_covered=8.0), ring).state == "healthy"


def test_quality_that_was_there_and_is_lost_is_an_alarm_with_its_onset():
    n = len(GROWING + WHOLE)
    on = np.where(np.arange(n) < 30, 0.95, 0.08)
    judge = judged(*series(GROWING + WHOLE, high_quality_share=on), RING)
    assert states(judge)[-2:] == ["cloud", "broken"] or states(judge)[-1] == "broken"
    assert judge.verdict.onset_round == 30 * EVERY
    assert judge.verdict.picture == "cloud"
    assert [one.name for one in judge.verdict.evidence] == ["high_quality_share"]
    assert judge.verdict.cures(images=False)
    back = np.where((np.arange(n) < 20) | (np.arange(n) > 40), 0.95, 0.08)
    assert verdict(*series(GROWING + WHOLE, high_quality_share=back), RING).state == "recovered"


def test_what_never_was_good_is_not_broken():
    noisy = 0.1 + 0.05 * np.random.default_rng(0).uniform(-1, 1, len(GROWING + WHOLE))
    assert "broken" not in states(judged(*series(GROWING + WHOLE, high_quality_share=noisy), RING))


def test_one_sharp_mode_that_spreads_over_all_again_is_not_broken():
    """As a cured fork does: its parent was sharper, on a single mode."""
    course = [*GROWING, *[0.13] * 20, 0.4, 0.6, 0.8, *WHOLE]
    on = np.interp(np.arange(len(course)), [0, 9, 10, 29, 33, len(course) - 1], [0.1, 0.3, 0.97, 0.97, 0.3, 0.55])
    judge = judged(*series(course, high_quality_share=on), RING)
    assert "collapsed" in states(judge)
    assert "broken" not in states(judge)
    assert judge.verdict.state == "spread"


def test_a_live_change_shortly_before_is_the_first_suspect():
    n = len(GROWING + WHOLE)
    turns, diagnostics = series(GROWING + WHOLE, high_quality_share=np.where(np.arange(n) < 30, 0.95, 0.08))
    change = LiveChange(
        29 * EVERY, "G's lr → 0.05", {"optimizers.generator.lr": 0.001}, "learning rate of G back to 0.001"
    )
    long_before = replace(change, round=12 * EVERY, label="D's lr → 1")
    later = replace(change, round=40 * EVERY, label="batch size → 8")
    found = verdict(turns, diagnostics, RING, [long_before, change, later])
    assert found.suspect == change
    assert found.sentence.startswith("Just after G's lr → 0.05 at round 1,450: ")
    assert verdict(turns, diagnostics, RING, [long_before, later]).suspect is None
    assert verdict(turns, diagnostics, RING).suspect is None
    json.dumps(found.to_dict(), allow_nan=False)
    judge = Judge(RING)
    judge.add_turns(turns)
    for index, round in enumerate(diagnostics["round"]):
        for one in (long_before, change, later):
            if one.round == round:
                judge.add_change(one)
        judge.add_check(int(round), {name: values[index] for name, values in diagnostics.items() if name != "round"})
    assert judge.verdict == found


def test_nothing_is_suspected_of_a_run_that_is_well():
    change = LiveChange(12 * EVERY, "G's lr → 0.002")
    assert verdict(*series(GROWING + WHOLE), RING, [change]).suspect is None


def test_one_dot_is_called_so_and_had_no_modes_that_a_cloud_had():
    """A cloud that shrinks to a dot had no modes to lose."""
    cloud, dot = [0.8, 0.9, 0.92, 0.9], [0.25] * 4
    on = [0.1] * 4 + [0.0] * 4
    turns, diagnostics = series(cloud + dot, std_ratio=[0.9] * 4 + [0.03] * 4, high_quality_share=on)
    found = verdict(turns, diagnostics, RING)
    assert found.picture == "one_point"
    assert "it had" not in found.sentence
    assert "one point" in found.sentence


def test_what_never_reached_the_data_has_not_lost_it():
    """It had three sharp modes at most, so its collapse is as old as the run."""
    turns, diagnostics = series([*[0.4] * 12, *[0.12] * 6], std_ratio=[0.5] * 12 + [0.03] * 6)
    found = verdict(turns, diagnostics, RING)
    assert (found.state, found.onset_round) == ("collapsed", 0)
    assert found.sentence == "All samples lie at one point: G has not spread over the data."


def test_samples_that_all_lie_outside_are_beside_the_data():
    found = verdict(*series([0.3, 0.25, 0.2, 0.2], center_1=3.0, high_quality_share=0.0), RING)
    assert found.state == "beside"
    assert "3.0 real standard deviations" in found.sentence
    assert "modes" not in found.sentence


def test_one_picture_that_is_judged_now_this_now_that_does_not_hop():
    n = 40
    columns = {"largest_mode": np.arange(n) % 2, "largest_share": 0.97, "std_ratio": 0.03, "unsure_share": 0.1}
    still = series([0.1] * n, precision=0.0, frechet_distance=400.0, **columns)
    found = verdict(*still, IMAGES)
    assert found.state == "collapsed"
    assert found.causes == ("collapsed",)
    assert "hops" not in found.sentence
    assert "one and the same picture" in found.sentence
    moving = still[1] | {"center_1": np.arange(n) % 2.0, "center_2": np.zeros(n)}
    assert verdict(still[0], moving, IMAGES).causes == ("rotating",)


def test_images_of_which_most_are_of_no_class_are_not_healthy():
    def state(unsure, precision, distance):
        measured = {"unsure_share": unsure, "precision": precision, "frechet_distance": distance, "modes_covered": 10.0}
        return verdict(*series(GROWING + WHOLE, **measured), IMAGES).state

    assert state(0.7, 0.9, 200.0) == "noise"
    assert state(0.4, 0.9, 150.0) == "spread"
    assert state(0.05, 0.15, 300.0) == "noise", "sure of what it cannot know"
    assert state(0.05, 0.9, 200.0) == "spread", "unlike real ones to the classifier's features"
    assert state(0.05, 0.9, 30.0) == "healthy"


def test_two_clusters_that_a_line_of_points_joins_are_not_healthy():
    def state(**measured):
        numbers = {"precision": 0.96, "density": 0.98, "recall": 0.95, "mmd2": 0.01} | measured
        turns, diagnostics = series(GROWING + WHOLE, **numbers)
        return verdict(turns, without_labels(diagnostics), OWN).state

    assert state() == "healthy"
    assert state(precision=0.7, density=0.6) == "spread"
    assert state(precision=0.2, density=0.1, mmd2=0.06) == "cloud"
    assert state(recall=0.2) == "part"
    assert state(mmd2=0.09) == "spread", "near the data, and not spread as they are"


def test_a_density_on_a_line_is_judged_by_how_unlike_the_real_one_it_is():
    line = Facts({"std_ratio": 1.0, "vendi_score": 6.4, "mmd2": 0.004})

    def found(breadth=1.0, **measured):
        _, diagnostics = series([breadth] * 6, **measured)
        kept = {name: diagnostics[name] for name in ("round", "std_ratio", "vendi_score", "center_1", "mmd2")}
        return verdict({}, kept | {"vendi_score": 6.4 * kept["vendi_score"] / 10}, line)

    assert found(mmd2=0.006).state == "healthy"
    assert found(0.6, mmd2=0.07).state == "spread"
    assert found(mmd2=0.2).state == "cloud"
    assert found(0.3, mmd2=1.2, center_1=-3.0).state == "beside"
    assert found(0.01, mmd2=0.9, std_ratio=0.02).state == "one_point"


def test_where_quality_was_not_measured_nothing_is_claimed_of_it():
    turns, diagnostics = series(GROWING + WHOLE[:6] + LOST + [0.4, 0.7, 0.9, 0.95, 1.0] + WHOLE)
    judge = judged(turns, without_labels(diagnostics), RING)
    assert not {"healthy", "recovered"} & set(states(judge))
    assert judge.verdict.state == "varied"
    assert judge.verdict.sentence.endswith("how good the samples are is not measured.")
    assert "collapsed" in states(judge)

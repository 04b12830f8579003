"""The verdict of games with a code, from synthetic series; and from series that were measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from gan_core.metrics.code_verdict import CodeJudge
from gan_core.metrics.course import Facts, LiveChange
from gan_core.metrics.states import ALARMS, TITLES

BESIDE = {"rec_error": {"mean image": 0.067, "4 principal components": 0.03}, "active_dimensions": {"dimensions": 4.0}}
FACTS = Facts({"code_mmd2": 0.003}, rounds=2000, beside=BESIDE)
WELL = {"rec_error": 0.025, "rec_ratio": 0.5, "class_kept": 0.8, "code_mmd2": 0.02, "rec_gap": 1.1}


def kls(*values: float) -> dict[str, float]:
    each = {f"code_kl_{index}": value for index, value in enumerate(values, start=1)}
    return {**each, "active_dimensions": float(sum(value > 0.1 for value in values))}


def told(series: Iterable[dict[str, Any]], every: int = 100, changes: Iterable[LiveChange] = ()) -> CodeJudge:
    judge = CodeJudge(FACTS)
    for change in changes:
        judge.add_change(change)
    for place, numbers in enumerate(series):
        judge.add_check(place * every, {**WELL, **numbers})
    return judge


def states(judge: CodeJudge) -> list[str]:
    return [change.state for change in judge.changes]


def test_a_code_that_does_its_duties_is_healthy() -> None:
    judge = told([{"rec_error": 0.06, "rec_ratio": 0.95, "class_kept": 0.1}] * 3 + [kls(2, 1, 1, 0.02)] * 4)
    assert states(judge) == ["learning", "healthy"]
    assert judge.verdict.sentence == (
        "Nothing is wrong with the code: 80% of the classes are kept, 3 of 4 dimensions carry information, codes lie where the "
        "prior draws."
    )
    assert (judge.verdict.onset_round, judge.healthy_round) == (300, 600)
    assert judge.changes[0].sentence == (
        "The code is still learnt: its error is 0.06 where that of 4 principal components is 0.03, and 10% of the classes are "
        "kept."
    )


def test_a_healthy_code_whose_samples_are_of_no_class_says_so() -> None:
    """A VAE of digits with a code of 64: all is reconstructed, and what is decoded of the prior is no digit."""
    said = told([{"unsure_share": 0.55}] * 3).verdict.sentence
    assert said.endswith("codes lie where the prior draws, but 55% of the samples are of no class.")
    assert "no class" not in told([{"unsure_share": 0.4}] * 3).verdict.sentence
    of_reconstructions = told([{"unsure_share": 0.55, "code_mmd2": float("nan")}] * 3)
    assert "no class" not in of_reconstructions.verdict.sentence


def test_a_blurred_code_is_healthy_only_if_it_keeps_the_class() -> None:
    assert told([{"rec_error": 0.05, "class_kept": 0.9}] * 3).verdict.state == "healthy"
    assert told([{"rec_error": 0.05, "class_kept": 0.5}] * 9).verdict.state == "learning"
    assert told([{"rec_error": 0.006, "class_kept": 0.5}] * 3).verdict.state == "healthy"


def test_what_is_well_stays_so_over_a_measurement_that_lacks_something() -> None:
    """Of a VAE with a code of 2, whose squared MMD passes .12 early on."""
    over = {"code_mmd2": 0.13}
    judge = told([{}] * 3 + [over, {}, over, {}, {}], every=20)
    assert states(judge) == ["healthy"]
    assert judge.healthy_round == 140
    worse = told([{}] * 3 + [{"rec_error": 0.06, "class_kept": 0.5}] * 4, every=20)
    assert states(worse) == ["healthy", "learning"]
    assert worse.changes[-1].onset_round == 60


def test_a_knob_that_collapses_the_posterior_is_its_suspect() -> None:
    turned = LiveChange(450, "β → 20", {"elbo.beta": 1.0}, "β back to 1")
    gone = {**kls(0.01, 0.02, 0.03, 0.0), "rec_ratio": 1.0, "rec_error": 0.07, "class_kept": 0.0}
    judge = told([kls(2, 1, 1, 0.4)] * 5 + [gone] * 4, changes=[turned])
    verdict = judge.verdict
    assert (verdict.state, verdict.onset_round, verdict.suspect) == ("posterior_collapsed", 500, turned)
    assert verdict.sentence.startswith(
        "Just after β → 20 at round 450: No dimension of the code tells the decoder anything"
    )
    assert verdict.cures(images=True)[0] == "beta_1"
    assert (verdict.evidence[0].name, verdict.evidence[0].value) == ("active_dimensions", 0)
    judge.add_check(1000, {**WELL, **kls(2, 1, 1, 0.4)})
    assert judge.verdict.state == "posterior_collapsed", "one measurement is not enough"
    for round in (1100, 1200):
        judge.add_check(round, {**WELL, **kls(2, 1, 1, 0.4)})
    assert states(judge) == ["healthy", "posterior_collapsed", "recovered"]
    assert judge.verdict.sentence.startswith("It is back")


def test_dimensions_that_go_dark_are_named() -> None:
    judge = told([kls(2, 1, 1, 0.4)] * 5 + [kls(2, 0.01, 0.02, 0.03)] * 4)
    assert judge.verdict.sentence == "1 dimension carries information where 4 did. Dark are 2, 3, 4."
    pruned = told([kls(2, 1, 0.01, 0.02)] * 9)
    assert pruned.verdict.state == "healthy", "dimensions that never told anything are not lost"
    assert told([kls(2, 1, 1, 0.4)] * 5 + [kls(2, 1, 1, 0.02)] * 4).verdict.state == "healthy", "nor is one of four"


def test_what_never_told_anything_is_an_alarm_only_after_some_time() -> None:
    dark = {**kls(0, 0, 0, 0), "rec_ratio": 1.0, "rec_error": 0.07, "class_kept": 0.0}
    assert not set(states(told([dark] * 3, every=100))) & ALARMS
    judge = told([dark] * 8, every=100)
    assert states(judge) == ["learning", "posterior_collapsed"]
    assert (judge.verdict.onset_round, judge.changes[-1].round) == (0, 300)
    assert told([dark] * 20, every=5).verdict.state == "learning"


def test_reconstructions_of_another_x_are_a_code_ignored() -> None:
    swapped = {"rec_ratio": 0.99, "rec_error": 0.12, "class_kept": 0.12, "code_correlation": 0.09, "code_mmd2": 0.1}
    judge = told([swapped] * 9)
    assert states(judge) == ["learning", "code_ignored"]
    assert "99% of what they are off as another x" in judge.verdict.sentence
    assert "correlates with z by 0.09" in judge.verdict.sentence
    assert "pairs_right" in judge.verdict.cures(images=True)
    later = told([{}] * 5 + [swapped] * 4)
    assert (later.verdict.state, later.verdict.onset_round) == ("code_ignored", 500)
    flickers = told([{}] * 5 + [swapped, {}] * 6)
    assert not set(states(flickers)) & ALARMS


def test_codes_that_leave_the_prior_or_never_come_near_are_off_it() -> None:
    far = {"code_mmd2": 1.77, "code_variance_least": 32.0, "code_variance_most": 40.0}
    left = told([{}] * 5 + [far] * 4, changes=[LiveChange(450, "D off")])
    assert (left.verdict.state, left.verdict.onset_round) == ("off_prior", 500)
    assert "squared MMD 1.8, two draws of the prior 0.003; variances from 32 to 40" in left.verdict.sentence
    assert left.verdict.suspect is not None
    assert told([far] * 9).verdict.state == "off_prior"
    nearing = told([{"code_mmd2": 1.7 * 0.8**place} for place in range(9)])
    assert not set(states(nearing)) & ALARMS, "it still comes nearer"


def test_training_samples_that_come_back_better_are_learnt_by_heart() -> None:
    assert told([{"rec_gap": 2.5}] * 9).verdict.state == "memorising"
    assert told([{"rec_gap": 1.5}] * 9).verdict.state == "healthy"


def test_what_is_not_measured_is_not_asked_for() -> None:
    judge = CodeJudge(Facts({}))
    judge.add_check(0, {"sliced_wasserstein": 5.0, "rec_ratio": float("nan")})
    assert (judge.verdict.state, judge.changes) == ("starting", [])
    for round in range(0, 1000, 100):
        judge.add_check(round, {"rec_ratio": 0.3, "rec_error": 0.2})
    assert judge.verdict.state == "healthy"
    judge.set_diverged(1000, "AE.loss is not finite.")
    assert (judge.verdict.state, judge.verdict.onset_round) == ("diverged", 1000)


@pytest.mark.parametrize("state", ["memorising", "off_prior", "code_ignored", "posterior_collapsed"])
def test_its_alarms_have_a_title_and_a_tone(state: str) -> None:
    assert state in ALARMS
    assert TITLES[state][0]  # type: ignore[index]

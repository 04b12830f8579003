"""The verdict of games from picture to picture, from synthetic series; and from series that were measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from gan_core.config import ALL_CURES, preset_config
from gan_core.engine.showing.judging import RunJudge
from gan_core.metrics.course import Facts, LiveChange
from gan_core.metrics.states import ALARMS, TITLES, TRANSLATION_CURES
from gan_core.metrics.translation_verdict import TranslationJudge

BESIDE = {
    "absolute_error": {"input as it is": 0.14, "mean target": 0.16, "nearest training picture": 0.103},
    "target_class": {"nearest training picture": 0.857},
}
FACTS = Facts({"open_edges": 1.0}, rounds=1000, images=True, beside=BESIDE)
WELL = {"absolute_error": 0.1, "pair_ratio": 0.5, "target_class": 0.84, "open_edges": 0.89}


def told(series: Iterable[dict[str, Any]], every: int = 100, changes: Iterable[LiveChange] = ()) -> TranslationJudge:
    judge = TranslationJudge(FACTS)
    for change in changes:
        judge.add_change(change)
    for place, numbers in enumerate(series):
        judge.add_check(place * every, {**WELL, **numbers})
    return judge


def states(judge: TranslationJudge) -> list[str]:
    return [change.state for change in judge.changes]


START = {"absolute_error": 0.3, "pair_ratio": 0.97, "target_class": 0.1, "open_edges": 0.05}
SOFT = {"open_edges": 0.33}
BLIND = {"absolute_error": 0.245, "pair_ratio": 0.98, "target_class": 0.4}


def test_outputs_that_are_answers_and_look_like_answers_are_healthy() -> None:
    judge = told([START] * 2 + [{}] * 4)
    assert states(judge) == ["learning", "healthy"]
    assert judge.verdict.sentence == (
        "Nothing is wrong: outputs are off by 50% of what they are off as answers to other inputs, where the input is silent "
        "they have 89% of the edges of their targets, 84% are read as the class of their target, of the nearest training "
        "picture 86%."
    )
    assert judge.verdict.onset_round == 200


def test_what_is_no_better_than_the_input_is_not_healthy() -> None:
    judge = told([{"absolute_error": 0.15}] * 9)
    assert judge.verdict.state == "learning"
    assert (
        judge.verdict.sentence == "The translation is still learnt: the error is 0.15, that of the input as it is 0.14."
    )


def test_outputs_that_ignore_their_inputs_late_are_an_alarm() -> None:
    judge = told([START] * 2 + [BLIND] * 8)
    assert states(judge)[-1] == "input_ignored"
    assert "98% of that" in judge.verdict.sentence
    assert judge.verdict.cures(images=True) == ("sees_input", "distance_100")
    assert not set(states(told([START, BLIND, BLIND], every=50))) & ALARMS, "every run begins so"
    turned = LiveChange(450, "λ → 0", {"translation.distance_weight": 100.0}, "λ back to 100")
    later = told([{}] * 5 + [BLIND] * 4, changes=[turned])
    assert (later.verdict.state, later.verdict.onset_round, later.verdict.suspect) == ("input_ignored", 500, turned)
    back = told([{}] * 5 + [BLIND] * 4 + [{}] * 3)
    assert back.verdict.state == "recovered"


def test_outputs_without_edges_are_blurred_once_they_gain_none() -> None:
    judge = told([SOFT] * 9)
    assert judge.verdict.state == "blurred"
    assert judge.verdict.sentence.startswith(
        "Outputs are blurred: where the input is silent they have 33% of the edges of their targets."
    )
    assert judge.verdict.cures(images=True) == ("adversarial_term",)
    growing = told([{"open_edges": 0.05 * 1.25**place} for place in range(9)])
    assert not set(states(growing)) & ALARMS, "they still become sharper"
    assert told([{"open_edges": 0.7}] * 9).verdict.state == "healthy"


MEASURED = {  # digits-half with seed 2, every 25 rounds: absolute error, error over that of another target, open edges
    "healthy": [  # as the preset is
        *((0.159, 0.995, 0.005), (0.082, 0.822, 0.114), (0.069, 0.762, 0.210), (0.067, 0.784, 0.210)),
        *((0.061, 0.720, 0.340), (0.067, 0.690, 0.465), (0.061, 0.702, 0.500), (0.063, 0.671, 0.651)),
        *((0.059, 0.638, 0.641), (0.057, 0.643, 0.603), (0.054, 0.642, 0.600), (0.060, 0.622, 0.773)),
        *((0.056, 0.662, 0.677), (0.059, 0.697, 0.583), (0.055, 0.618, 0.848), (0.055, 0.604, 0.759)),
    ],
    "blurred": [  # by the absolute error alone
        *((0.218, 0.998, 0.002), (0.103, 0.993, 0.025), (0.076, 0.912, 0.069), (0.067, 0.812, 0.140)),
        *((0.059, 0.692, 0.225), (0.061, 0.694, 0.237), (0.058, 0.699, 0.259), (0.062, 0.673, 0.370)),
        *((0.059, 0.649, 0.368), (0.054, 0.645, 0.283), (0.059, 0.772, 0.210), (0.052, 0.605, 0.381)),
        *((0.052, 0.631, 0.347), (0.052, 0.650, 0.351), (0.051, 0.615, 0.409), (0.051, 0.600, 0.409)),
    ],
    "input_ignored": [  # by a D that does not see the input, without a distance
        *((0.388, 0.998, 0.005), (0.100, 0.980, 0.043), (0.134, 0.990, 0.540), (0.114, 0.979, 0.567)),
        *((0.111, 0.908, 0.445), (0.099, 0.973, 0.493), (0.139, 0.965, 0.803), (0.119, 0.947, 0.821)),
        *((0.120, 0.963, 0.665), (0.109, 0.944, 0.773), (0.124, 0.972, 0.922), (0.116, 0.962, 0.732)),
        *((0.149, 0.966, 0.749), (0.116, 0.958, 0.935), (0.113, 0.944, 0.719), (0.161, 0.985, 0.554)),
    ],
}
OF_HALVES = {"absolute_error": {"input as it is": 0.068, "mean target": 0.150, "nearest training picture": 0.075}}


@pytest.mark.parametrize("label", MEASURED)
def test_a_series_that_was_measured_has_the_label_that_it_was_given_by_eye(label: str) -> None:
    judge = TranslationJudge(Facts({"open_edges": 1.0}, rounds=400, images=True, beside=OF_HALVES))
    for place, numbers in enumerate(MEASURED[label], start=1):
        judge.add_check(25 * place, dict(zip(("absolute_error", "pair_ratio", "open_edges"), numbers, strict=True)))
    assert states(judge) == ["learning", label]


def test_what_is_not_measured_is_not_asked_for() -> None:
    judge = TranslationJudge(Facts({}))
    judge.add_check(0, {"frechet_distance": 3.0})
    assert (judge.verdict.state, judge.changes) == ("starting", [])
    for round in range(0, 1000, 100):
        judge.add_check(round, {"pair_ratio": 0.4})
    assert judge.verdict.state == "healthy"
    assert (
        judge.verdict.sentence
        == "Nothing is wrong: outputs are off by 40% of what they are off as answers to other inputs."
    )


@pytest.mark.parametrize("state", TRANSLATION_CURES)
def test_its_alarms_have_a_title_and_cures_that_a_run_can_take(state: str) -> None:
    assert state in ALARMS
    assert TITLES[state][0]  # type: ignore[index]
    blind = preset_config("digits-half").replace(
        {
            "model.discriminator.sees_input": False,
            "translation.distance_weight": 0,
            "translation.adversarial_weight": 0.5,
        }
    )
    assert all(ALL_CURES[cure].fits(blind) for cure in TRANSLATION_CURES[state])  # type: ignore[index]


def test_a_run_from_picture_to_picture_is_judged_by_it() -> None:
    judge = RunJudge(400, preset_config("digits-half"))
    assert judge.verdict.state == "starting"
    assert isinstance(judge._judge, TranslationJudge)

"""The verdict of games on data without pairs, from synthetic series."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gan_core.config import ALL_CURES, preset_config
from gan_core.metrics.course import Facts
from gan_core.metrics.cycle_verdict import CycleJudge
from gan_core.metrics.states import ALARMS, CYCLE_CURES

RING = Facts({}, rounds=1000, images=False, beside={"cycle_error": {"input as it is": 0.0, "mean of all": 2.0}})
DIGITS = Facts(
    {},
    rounds=400,
    images=True,
    beside={
        "cycle_error": {"mean of all": 0.079},
        "translated_class": {"input as it is": 0.84},
        "frechet_distance": {"input as it is": 460.0},
    },
)
START = {"cycle_error": 2.0, "share_right": 0.5}
HOME, AWAY = {"cycle_error": 0.02, "share_right": 1.0}, {"cycle_error": 0.02, "share_right": 0.0}
UNLIKE = {"cycle_error": 0.4, "translated_class": 0.1, "frechet_distance": 900.0}
KEPT, LOST = ({"cycle_error": 0.025, "translated_class": kept, "frechet_distance": 70.0} for kept in (0.83, 0.6))


def told(facts: Facts, series: Iterable[dict[str, Any]], every: int = 50) -> CycleJudge:
    judge = CycleJudge(facts)
    for place, numbers in enumerate(series):
        judge.add_check(place * every, numbers)
    return judge


def states(judge: CycleJudge) -> list[str]:
    return [change.state for change in judge.changes]


def test_modes_in_place_are_healthy_and_exchanged_ones_an_alarm() -> None:
    assert states(told(RING, [START] * 2 + [HOME] * 6)) == ["learning", "healthy"]
    judge = told(RING, [START] * 2 + [AWAY] * 6)
    assert states(judge) == ["learning", "exchanged"]
    assert judge.verdict.onset_round == 100
    assert judge.verdict.sentence == (
        "Modes are exchanged: a cycle loses 1.0% of what could be lost, and 0% of the points keep their mode. Every "
        "bijection of the modes has a perfect cycle."
    )
    assert judge.verdict.cures(images=False) == ("identity_five", "identity_half")


def test_exchanged_modes_that_go_home_are_recovered() -> None:
    assert states(told(RING, [START] * 2 + [AWAY] * 6 + [HOME] * 3)) == ["learning", "exchanged", "recovered"]


def test_an_open_cycle_is_still_learnt_wherever_modes_are() -> None:
    judge = told(RING, [START] * 9)
    assert states(judge) == ["learning"]
    assert "100% of what could be lost is lost" in judge.verdict.sentence


def test_a_class_that_is_lost_late_is_an_alarm_and_a_kept_one_healthy() -> None:
    assert states(told(DIGITS, [UNLIKE] + [KEPT] * 4)) == ["starting", "learning", "healthy"][1:]
    judge = told(DIGITS, [UNLIKE] + [LOST] * 6)
    assert states(judge) == ["learning", "class_lost"]
    assert judge.verdict.evidence[0].name == "translated_class"
    assert states(told(DIGITS, [UNLIKE] + [LOST] * 2)) == ["learning"], "it may come yet"


def test_outputs_that_are_as_far_from_b_as_inputs_are_not_healthy() -> None:
    judge = told(DIGITS, [{**KEPT, "frechet_distance": 455.0}] * 8)
    assert states(judge) == ["learning"]
    assert "the distance of outputs to B is 455, that of the inputs as they are 460" in judge.verdict.sentence


def test_without_a_sign_of_what_belongs_together_nothing_is_healthy() -> None:
    judge = told(DIGITS, [{"cycle_error": 0.01}] * 9)
    assert states(judge) == ["learning"]
    assert "nothing here tells whether an output is that of its input" in judge.verdict.sentence


def test_the_cures_of_both_alarms_fit_the_presets_that_show_them() -> None:
    for state, preset in (("exchanged", "ring-cycle"), ("class_lost", "digits8-to-mnist")):
        config = preset_config(preset)
        assert all(ALL_CURES[name].fits(config) for name in CYCLE_CURES[state])
        assert state in ALARMS

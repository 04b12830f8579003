"""The verdict of games between two kinds of data without pairs, from series that were measured of the presets, and changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gan_core.config import ALL_CURES
from gan_core.metrics.course import Facts
from gan_core.metrics.cycle_verdict import CycleJudge

ROUNDS = [0, 12, 25, 50, 100, 150, 200, 250, 300]
RING = {
    "share_right": [0.507, 0.268, 0, 0, 0, 0, 0, 0, 0],
    "cycle_error": [2.025, 1.882, 1.005, 0.051, 0.053, 0.05, 0.049, 0.052, 0.05],
    "high_quality_share": [0, 0, 0, 0.367, 0.916, 0.971, 0.989, 0.972, 0.986],
}
"""`ring-cycle`: every mode goes to another one, and the cycle is perfect."""
DIGIT_ROUNDS = [0, 6, 12, 25, 50, 350, 400]
DIGITS = {
    "translated_class": [0.097, 0.083, 0.347, 0.84, 0.857, 0.827, 0.837],
    "cycle_error": [0.407, 0.228, 0.144, 0.068, 0.041, 0.024, 0.022],
    "frechet_distance": [921.86, 919.784, 897.89, 663.735, 209.738, 75.914, 71.158],
}
"""`digits8-to-mnist`."""
BESIDE = {"translated_class": {"input as it is": 0.839}, "frechet_distance": {"input as it is": 430.0}}


def told(
    series: Mapping[str, Sequence[float]], rounds: Sequence[int] = ROUNDS, **beside: Mapping[str, float]
) -> CycleJudge:
    judge = CycleJudge(Facts({}, rounds=rounds[-1], images=bool(beside), beside=beside))
    for place, round in enumerate(rounds):
        judge.add_check(round, {name: values[place] for name, values in series.items()})
    return judge


def test_modes_that_change_places_are_an_alarm_however_little_is_lost_there_and_back() -> None:
    judge = told(RING)
    assert [change.state for change in judge.changes] == ["learning", "permuted"]
    assert judge.verdict.sentence == (
        "Modes change places: 0% of the points keep theirs. Of that the cycle knows nothing: 0.05 is lost there and back."
    )
    assert judge.verdict.cures(images=False) == ("identity_half", "cycle_10")
    assert {ALL_CURES[name].part for name in judge.verdict.cures(images=False)} == {"cyclegan"}


def test_modes_that_stay_are_healthy_once_the_outputs_are_on_them() -> None:
    right = {**RING, "share_right": [0.5, 0.7, *[1.0] * 7]}
    judge = told(right)
    assert (judge.verdict.state, judge.verdict.onset_round) == ("healthy", 100)
    assert judge.verdict.sentence == "Nothing is wrong: 100% of the points keep their mode."
    assert told({**right, "high_quality_share": [0.3] * 9}).verdict.state == "learning"


def test_digits_that_keep_their_class_are_read_beside_the_untranslated_ones() -> None:
    judge = told(DIGITS, DIGIT_ROUNDS, **BESIDE)
    assert judge.verdict.state == "healthy"
    assert (
        judge.verdict.sentence
        == "Nothing is wrong: 84% of the outputs are of the class of their input, untranslated 84%."
    )
    lost = told({**DIGITS, "translated_class": [0.1, 0.1, 0.3, 0.5, 0.45, 0.46, 0.47]}, DIGIT_ROUNDS, **BESIDE)
    assert lost.verdict.state == "permuted"
    assert "47% keep theirs, untranslated 84%" in lost.verdict.sentence


def test_a_map_that_changes_nothing_has_not_arrived() -> None:
    same = {**DIGITS, "translated_class": [0.839] * 7, "frechet_distance": [430.0] * 7, "cycle_error": [0.0] * 7}
    judge = told(same, DIGIT_ROUNDS, **BESIDE)
    assert judge.verdict.state == "learning"
    assert "outputs do not look like B yet, their Fréchet distance is 430" in judge.verdict.sentence

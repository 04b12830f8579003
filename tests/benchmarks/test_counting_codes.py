"""The counting of promises over seeds."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import codes
from benchmarks.codes_promises import CASES, Case, Promise
from gan_core.config import PRESETS

BEST = Promise("as good as components", "rec_error", "≤", 1.0, 0, "components")
EARLY = Promise("modes by then", "modes_covered", "≥", 8, 30)
CASE = Case("tried", "digits-vae", "A code.", (BEST, EARLY))


def row(seed: int, error: float, modes: float) -> dict[str, Any]:
    seen = {"30": {"modes_covered": modes, "rec_error": 9.0}, "60": {"rec_error": error}}
    beside = {"rec_error": {"mean image": 1.0, "2 principal components": 0.5}}
    return {"case": "tried", "seed": seed, "seen": seen, "floors": {}, "beside": beside, "cpu": 2.0, "machine": "M"}


def test_a_promise_is_held_to_what_stands_beside_it_and_at_its_round() -> None:
    rows = [row(1, 0.4, 8), row(2, 0.6, 8), row(3, float("nan"), 7)]
    assert [codes.holds(BEST, one) for one in rows] == [True, False, False]
    assert [codes.holds(EARLY, one) for one in rows] == [True, True, False]
    page = codes.report(rows, [CASE], "python benchmarks/codes.py")
    assert (
        "| as good as components (≤ 0.5; 1 × its value by principal components) | 0.5 (0.4 – 0.6) | 1 of 3 | — |"
        in page
    )
    assert "| modes by then (≥ 8, round 30) | 8 (7 – 8) | 2 of 3 | — |" in page


def test_a_run_goes_on_to_the_last_look() -> None:
    assert CASE.looks(60) == (30, 60)
    assert Case("early", "digits-vae", "", (EARLY,)).looks(60) == (30,)


def test_what_is_not_there_is_left_out_and_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {case.preset for case in codes.known_cases(["digits-vae"])} == {"digits-vae"}
    monkeypatch.setattr(codes, "CASES", (*CASES, Case("gone", "no-such-preset", "", (BEST,))))
    assert all(case.preset in PRESETS for case in codes.known_cases([]))
    assert "there is no preset no-such-preset" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="no-such"):
        codes.known_cases(["no-such"])


def test_every_case_that_is_there_can_be_configured() -> None:
    for case in codes.known_cases([]):
        config = codes.config_of(case, 7)
        assert config.seed == 7
        assert case.looks(config.schedule.rounds)[-1] <= config.schedule.rounds
        assert codes.key(case, 7) != codes.key(case, 8)

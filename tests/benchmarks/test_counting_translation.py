"""The counting of promises of games from picture to picture, and what is said where a baseline wins."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import codes, translation
from benchmarks.codes_promises import Case, Promise
from benchmarks.translation_promises import Way
from gan_core.config import PRESETS

SHARP = Promise("as good as bicubic", "psnr", "≥", 1.0, 0, "bicubic")
CASE = Way("tried", "digits-sr", "Tried.", (SHARP,), since=3, shares=(0.0, 1.0))


def row(seed: int, psnr: float, kept: float) -> dict[str, Any]:
    way = {
        f"{name}@{share}": 1.0 for name in ("psnr", "target_frechet", "target_class", "consistency") for share in (0, 1)
    }
    seen = {"6": {"psnr": psnr, "target_class": kept, **way}}
    beside = {"psnr": {"bicubic": 15.0}, "target_class": {"bicubic": 0.6, "target itself": 0.99}}
    return {"case": "tried", "seed": seed, "seen": seen, "floors": {}, "beside": beside, "cpu": 2.0, "machine": "M"}


def test_a_page_says_where_a_baseline_wins_and_where_none_does() -> None:
    page = translation.report([row(1, 14.0, 0.9), row(2, 16.0, 0.5), row(3, 14.5, 0.7)], [CASE], "python x.py")
    assert "| as good as bicubic (≥ 15; 1 × its bicubic) | 14.5 (14 – 16) | 1 of 3 | — |" in page
    assert "Better than the run: bicubic in psnr of outputs." in page
    assert "| bicubic | 0.6 | 15 |" in page
    assert "| 1 | 1 (1 – 1) |" in page
    assert "Nothing that needs no training" in translation.report([row(1, 16.0, 0.9)], [CASE], "python x.py")


def test_what_lies_between_is_read_and_the_run_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {
        "data.name": "digits8",
        "model.generator.widths": [4],
        "model.discriminator.widths": [4, 4],
        "translation.degradation": "half_size",
        "optimizers.generator.lr": 0.02,
    }
    way = Way(
        "way", "digits-sr", "Tried.", (SHARP,), changes, {3: {"translation.adversarial_weight": 1.0}}, 6, "", 3, (0, 1)
    )
    plain = Case("plain", "digits-sr", "Tried.", (Promise("early", "psnr", "≥", 0, 3), SHARP), changes, way.knobs, 6)
    monkeypatch.setattr(codes, "_classifier", lambda source: None)
    monkeypatch.setattr(translation, "PAIRS", 40)
    between, other = translation.run(way, 1), translation.run(plain, 1)
    last = between["seen"]["6"]
    assert last["psnr@0"] == pytest.approx(other["seen"]["3"]["psnr"])
    assert last["psnr@1"] == pytest.approx(last["psnr"]) == other["seen"]["6"]["psnr"]
    assert last["psnr@0"] != last["psnr@1"]
    assert translation.key(way, 1) != translation.key(plain, 1)


def test_rows_of_presets_that_are_not_there_are_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translation, "CASES", (*translation.CASES, Case("gone", "no-such-preset", "", (SHARP,))))
    known = translation.known_cases([])
    assert all(case.preset in PRESETS for case in known)
    assert "there is no preset no-such-preset" in capsys.readouterr().err
    assert [case.name for case in translation.known_cases(["digits-half, L1 only"])] == ["digits-half, L1 only"]
    with pytest.raises(SystemExit, match="nothing"):
        translation.known_cases(["nothing"])
    for case in known:
        config = codes.config_of(case, 7)
        assert case.looks(config.schedule.rounds)[-1] <= config.schedule.rounds
    assert len({case.name for case in translation.CASES}) == len(translation.CASES)

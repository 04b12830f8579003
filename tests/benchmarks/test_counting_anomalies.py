"""The benchmark of anomalies: what is computed is not computed again, and its tables stand beside the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import anomalies
from benchmarks.ledger import Ledger
from gan_core.config.studies import AnomalySettings
from gan_core.engine.studies import anomaly

LEFT_OUT = "Anomalies: one digit left out"


def test_a_cell_is_known_whatever_else_is_asked() -> None:
    of_all = AnomalySettings(**anomalies.CASES[LEFT_OUT])
    of_some = of_all.model_copy(update={"seeds": (3,), "classes": ("7", "2")})
    keys = {(cell.arm, cell.seed): anomalies.key_of(of_all, cell) for cell in anomaly.cells(of_all)}
    assert len(set(keys.values())) == len(keys) == 5 * 10 * 5
    assert all(anomalies.key_of(of_some, cell) == keys[cell.arm, cell.seed] for cell in anomaly.cells(of_some))
    other = of_all.model_copy(update={"rounds": 7})
    assert all(anomalies.key_of(other, cell) not in keys.values() for cell in anomaly.cells(other))


def test_published_rows_have_their_mean_and_worst_digit() -> None:
    told = anomalies.published(LEFT_OUT)
    assert "| 0.855 | 9: 0.66 |" in told
    assert "| 0.718 | 1: 0.09 |" in told
    assert "not against them" in told
    assert anomalies.published("Anomalies: damaged digits") == ""


def test_what_is_known_is_not_computed_again_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = AnomalySettings(classes=("1", "7"), families=("outliers",), seeds=(0, 1))
    computed = []

    def made_up(settings: AnomalySettings, cell: object, bench: object) -> dict[str, float | str]:
        computed.append(cell)
        return {
            "nearest.auroc": 0.8,
            "nearest.ap": 0.4,
            "nearest.floor": 0.1,
            "nearest.n": 10.0,
            "nearest.board": "b.png",
        }

    monkeypatch.setattr(anomaly, "compute", made_up)
    ledger = Ledger(tmp_path / "anomalies.jsonl")
    for _ in range(2):
        anomalies.compute(LEFT_OUT, asked, ledger)
    assert len(computed) == len(ledger.rows) == 4
    anomalies.render(LEFT_OUT, asked, Ledger(tmp_path / "anomalies.jsonl"), tmp_path / "anomalies.md")
    text = (tmp_path / "anomalies.md").read_text()
    assert "4 of 4 cells, seeds 0, 1" in text
    assert "| Nearest neighbour | 0.80 | 0.80 | 0.800 |" in text
    assert "VAE, 2 numbers (Tonnaer" in text
    assert "b.png" not in text

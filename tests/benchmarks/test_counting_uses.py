"""The benchmark of what GANs are good for: what is computed is not computed again, and published tables stand beside."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmarks import uses
from benchmarks.ledger import Ledger
from gan_core.config.studies import load_study
from gan_core.data import shelf
from gan_core.engine.studies import anomaly, augmentation
from gan_core.engine.studies.protocols import PROTOCOLS
from gan_core.store import RunStore


@pytest.mark.parametrize("case", uses.CASES)
def test_a_cell_is_known_whatever_else_is_asked(case: str) -> None:
    of_all = load_study(uses.CASES[case])
    cells = PROTOCOLS[of_all.protocol].cells
    keys = {cell.key: uses.key_of(of_all, cell) for cell in cells(of_all)}
    assert len(set(keys.values())) == len(keys)
    of_some = of_all.model_copy(update={"seeds": (3,)})
    assert all(uses.key_of(of_some, cell) == keys[cell.key] for cell in cells(of_some))
    other = of_all.model_copy(update={"rounds": 7})
    assert all(uses.key_of(other, cell) not in keys.values() for cell in cells(other))


def test_what_was_computed_in_earlier_versions_is_still_known() -> None:
    """A new setting of a protocol would count all of it anew: whoever adds one says here that it is worth it."""
    known = Ledger(uses.RESULTS / "uses.jsonl").rows
    settings = load_study(uses.CASES["augmentation"])
    assert all(uses.key_of(settings, cell) in known for cell in augmentation.cells(settings))  # type: ignore[arg-type]


def test_published_rows_have_their_mean_and_worst_digit() -> None:
    told = uses.published("left-out")
    assert "| 0.855 | 9: 0.66 |" in told
    assert "| 0.718 | 1: 0.09 |" in told
    assert "not against them" in told
    assert uses.published("damaged") == ""


def test_what_is_known_is_not_computed_again_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = load_study({"protocol": "anomaly", "classes": ["1", "7"], "families": ["outliers"], "seeds": [0, 1]})
    computed = []

    def made_up(settings: object, cell: object, bench: object) -> dict[str, float | str]:
        computed.append(cell)
        told = {"auroc": 0.8, "ap": 0.4, "floor": 0.1, "n": 10.0, "board": "b.png"}
        return {f"nearest.{name}": value for name, value in told.items()}

    monkeypatch.setitem(PROTOCOLS, "anomaly", dataclasses.replace(PROTOCOLS["anomaly"], compute=made_up))
    ledger = Ledger(tmp_path / "uses.jsonl")
    for _ in range(2):
        uses.compute("left-out", asked, ledger)
    assert len(computed) == len(ledger.rows) == len(anomaly.cells(asked)) == 4  # type: ignore[arg-type]
    uses.render("left-out", asked, Ledger(tmp_path / "uses.jsonl"), tmp_path / "uses.md")
    text = (tmp_path / "uses.md").read_text()
    assert "4 of 4 cells, seeds 0, 1" in text
    assert "| Nearest neighbour | 0.80 | 0.80 | 0.800 |" in text
    assert "VAE, 2 numbers (Tonnaer" in text
    assert "b.png" not in text


def test_the_own_pictures_are_those_that_their_name_says(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        uses.bring(store)
        source = shelf.open_own(uses.OWN)
    assert source.shape == (3, uses.SIDE, uses.SIDE)
    assert source.y is None  # type: ignore[union-attr]

"""What a cycle hides, on translators whose message is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor

from gan_core import api
from gan_core.cli import main
from gan_core.config import RunConfig, preset_config
from gan_core.data import DATASETS, to_unit
from gan_core.data.images import framed
from gan_core.engine import Lab
from gan_core.engine.exchange import hiding
from gan_core.engine.exchange.hiding import can_hide, projected, shrunk
from gan_core.store import StoreError

QUIET = 0.05  # of what F keeps outside, and G makes loud again


class Messenger:
    """F writes small digits and, quietly, what they lack; G reads it where ``heard``, or makes do without."""

    def __init__(self, heard: bool) -> None:
        self.heard = heard

    def translate_back(self, b: Tensor) -> Tensor:
        seen = projected(b)
        return seen + QUIET * (b - seen)

    def translate(self, x: Tensor) -> Tensor:
        seen = projected(x)
        return seen + (x - seen) / QUIET if self.heard else seen


def digits() -> tuple[Tensor, Tensor]:
    a, b = (DATASETS[name].load() for name in ("digits8_framed", "mnist5k"))
    return to_unit(a.x[:60]), to_unit(b.x[::50])  # type: ignore[union-attr]


def found(heard: bool) -> Any:
    a, b = digits()
    return hiding._looked_at(Messenger(heard), b, None, a, None, 7)  # type: ignore[arg-type]


def test_real_pictures_have_nothing_outside_of_their_space() -> None:
    real = torch.as_tensor(load_digits().images[:100, None] / 8 - 1, dtype=torch.float32)
    exact = framed(real)
    assert (exact - projected(exact)).square().mean().sqrt() < 1e-5
    x = exact.clone()
    x[:, :, 0, 0] = 0.5  # in the frame, where every digit is black
    left = x - projected(x)
    torch.testing.assert_close(left[:, 0, 0, 0], torch.full((100,), 1.5))
    assert left.abs().sum() == pytest.approx(150, rel=1e-3)
    once = projected(torch.randn(5, 1, 28, 28, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(projected(once), once, atol=1e-5, rtol=0)


def test_shrinking_changes_a_picture_of_the_space_little() -> None:
    _, b = digits()
    small = shrunk(b)
    assert (small - projected(small)).abs().max() < 1e-5
    assert (b - small).abs().mean() > 0.05


def test_a_message_that_is_read_is_missed_or_misleads_when_changed() -> None:
    told = found(heard=True)
    error = {row.given: row.error for row in told.rows}
    assert error["F(b)"] == pytest.approx(0, abs=1e-4)
    assert error["F(b) without what is hidden"] > 0.03
    assert error["F(b) with what is hidden in another"] > error["F(b) without what is hidden"]
    assert error["F(b) and noise of 0.05"] < error["F(b) and noise of 0.2"]
    _, b = digits()
    expected = QUIET * (b - projected(b)).square().mean().sqrt()
    assert told.outside == pytest.approx(float(expected), rel=1e-4)
    assert told.of_real < 0.0025, "rounding to bytes"
    assert told.signal > 10 * told.outside
    assert told.picture.shape == (hiding.SHOWN, len(hiding.HEADS), 1, 28, 28)


def test_a_message_that_nobody_reads_is_not_missed() -> None:
    error = {row.given: row.error for row in found(heard=False).rows}
    assert error["F(b)"] == pytest.approx(error["F(b) without what is hidden"], abs=1e-5)
    assert error["F(b)"] == pytest.approx(error["F(b) with what is hidden in another"], abs=1e-5)


SMALL = {
    "model.generator.widths": [4],
    "model.discriminator.widths": [4, 4],
    "schedule.rounds": 2,
    "diagnostics.samples": 16,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    root = tmp_path_factory.mktemp("hiding")
    with Lab(root, executor="thread") as lab:
        runs = [
            lab.submit(preset_config("digits8-to-mnist", SMALL)),
            lab.submit(RunConfig.load({"game": "pix2pix"}).replace(SMALL)),
        ]
        for run in runs:
            lab.wait(run, 120)
    return root, *runs


def test_a_run_is_asked_from_python_and_from_a_terminal(
    store: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, run, pairs = store
    monkeypatch.setattr(hiding, "classifier_for", lambda *_: None)
    told = api.hidden(run, store=root)
    assert told.round == 2
    assert [row.label for row in told.rows] == [None] * len(told.rows)
    file = tmp_path / "what.png"
    assert main(["hidden", run, "--store", str(root), "--to", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outside"] == told.outside
    assert Image.open(file).size[0] == 30 * len(hiding.HEADS) - 2
    assert main(["hidden", run, "--store", str(root)]) == 0
    assert "without what is hidden" in capsys.readouterr().out
    with pytest.raises(StoreError, match="no cycle"):
        api.hidden(pairs, store=root)
    assert main(["hidden", run, "--store", str(root), "--to", "what.jpg"]) == 2


def test_only_data_of_which_it_is_known_what_lies_outside_is_asked() -> None:
    assert can_hide(preset_config("digits8-to-mnist"))
    assert not can_hide(preset_config("ring-cycle"))
    assert not can_hide(preset_config("digits8-to-mnist", {"data.name": "mnist5k"}))
    assert not can_hide(RunConfig())

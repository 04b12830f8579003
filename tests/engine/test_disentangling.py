"""Scoring the code of a stored run: in this process, from a terminal, and by a process of its own beside the server."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from gan_core import disentangle
from gan_core.cli import main
from gan_core.config import RunConfig
from gan_core.data import Factors, image_source
from gan_core.data.sprites import drawn
from gan_core.engine import Chores, Lab
from gan_core.engine.exchange import disentangling
from gan_core.engine.exchange.disentangling import can_be_scored, representations, scored
from gan_core.store import StoreError

SMALL = {
    "game": "vae",
    "data": {"name": "sprites", "batch_size": 8},
    "model": {"code_dim": 3, "encoder": {"widths": [6]}, "decoder": {"widths": [6]}},
    "elbo": {"likelihood": "bernoulli"},
    "schedule": {"rounds": 3},
    "diagnostics": {"samples": 16, "grid": 4},
    "device": "cpu",
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A store with a run of a VAE on sprites, and one of a GAN."""
    root = tmp_path_factory.mktemp("scored")
    gan = {"data": SMALL["data"], "model": {"generator": {"widths": [6]}, "discriminator": {"widths": [6]}}}
    rest = {name: SMALL[name] for name in ("schedule", "diagnostics", "device")}
    with Lab(root, executor="thread") as lab:
        lab.classifiers.cancel()
        runs = [lab.submit(RunConfig.load(settings)) for settings in (SMALL, gan | rest)]
        for run in runs:
            lab.wait(run)
    first, second = runs
    return root, first, second


TOLD: list[float] = []


@pytest.fixture(scope="module")
def table(stored: tuple[Path, str, str]) -> pd.DataFrame:
    root, run, _ = stored
    TOLD.clear()
    return disentangle(run, store=root, progress=lambda share, sentence: TOLD.append(share))


def test_scores_stand_beside_those_of_codes_that_are_known(table: pd.DataFrame) -> None:
    assert sorted(TOLD) == TOLD
    assert len(TOLD) == 6
    rows = table.set_index(["representation", "factors"])
    assert len(rows) == 10
    assert rows.loc["true factors"].min().min() > 0.98
    assert rows.loc["true factors, rotated"]["mig"].max() < 0.5 < rows.loc["true factors, rotated"]["factor_vae"].min()
    assert rows.loc["noise"][["mig", "sap", "disentanglement"]].max().max() < 0.02
    assert rows.loc[("noise", "all"), "factor_vae"] == pytest.approx(0.2, abs=0.08)
    assert rows.loc[("noise", "without angle"), "factor_vae"] == pytest.approx(0.25, abs=0.08)
    assert np.isfinite(table.select_dtypes(float).to_numpy()).all()


def test_a_circle_is_left_out_of_the_second_row() -> None:
    """A code that knows all but the angle."""
    sizes = (2, 3, 4)
    grid = torch.cartesian_prod(*(torch.arange(size) for size in sizes)).repeat(40, 1)
    factors = Factors(("kind", "place", "turn"), sizes, ("kind", "ordered", "round"), grid)
    codes = grid[:, :2].double().numpy()
    every, without = scored("code", codes, factors)
    assert (every.factors, without.factors) == ("all", "without turn")
    assert without.mig == pytest.approx(1)
    assert every.mig == pytest.approx(2 / 3, abs=0.01)
    assert without.informativeness == 1
    assert every.informativeness == pytest.approx((2 + 1 / 4) / 3, abs=0.05)


def test_main_components_are_those_of_the_pixels() -> None:
    factors = torch.cartesian_prod(
        torch.tensor([1]), torch.tensor([3]), torch.tensor([0]), torch.arange(8), torch.arange(8)
    )
    x = drawn(factors).mul(255).to(torch.uint8).numpy()
    source = image_source("few", x, None)
    table = Factors(("x", "y"), (8, 8), ("ordered", "ordered"), factors[:, 3:])
    found = representations(np.zeros((64, 2)), source, table)["main components of pixels"]
    pixels = x.reshape(64, -1).astype(np.float64)
    u, s, _ = np.linalg.svd(pixels - pixels.mean(0), full_matrices=False)
    np.testing.assert_allclose(np.abs(found), np.abs(u[:, :2] * s[:2]), rtol=1e-6, atol=1e-6)


def test_what_has_no_code_or_no_factors_is_refused_in_a_sentence(
    stored: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, run, gan = stored
    with pytest.raises(StoreError, match="no code"):
        disentangle(gan, store=root)
    with pytest.raises(StoreError, match="no checkpoint"):
        disentangle(run, at=2, store=root)
    assert can_be_scored(RunConfig.load(SMALL))
    assert not can_be_scored(RunConfig.load({"data": {"name": "sprites"}}))
    assert not can_be_scored(RunConfig.load({"game": "vae"}))


def test_the_terminal_says_them_as_a_table_and_as_json(
    stored: tuple[Path, str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, run, gan = stored
    row = disentangling.Scores("true factors", "all", 1.0, 0.5, 1.0, 1.0, 0.25, 1.0)
    monkeypatch.setattr("gan_core.cli.scoring.scores_of", lambda store, run, at, progress: (3, [row]))
    assert main(["disentangle", run, "--store", str(root)]) == 0
    head, first = capsys.readouterr().out.splitlines()
    assert head.split() == ["REPRESENTATION", "FACTORS", "MIG", "SAP", "D", "C", "I", "FACTORVAE"]
    assert first.split()[-6:] == ["1.000", "0.500", "1.000", "1.000", "0.250", "1.000"]
    assert main(["disentangle", run, "--store", str(root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["run"], found["round"], found["rows"][0]["sap"]) == (run, 3, 0.5)
    monkeypatch.undo()
    assert main(["disentangle", gan, "--store", str(root)]) == 2


def test_a_chore_scores_in_a_process_of_its_own(stored: tuple[Path, str, str], table: pd.DataFrame) -> None:
    root, run, gan = stored
    chores = Chores(root)
    chore = chores.disentangle(run)
    refused = chores.disentangle(gan)
    chore.cancel()
    chore.wait()
    assert chore.error == "Cancelled."
    refused.wait()
    assert refused.error is not None
    assert "no code" in refused.error
    again = chores.disentangle(run)
    again.wait()
    assert again.error is None
    assert again.result is not None
    found = json.loads(again.result)
    assert found["round"] == 3
    pd.testing.assert_frame_equal(pd.DataFrame(found["rows"]), table, rtol=1e-3)
    assert again.progress[0] > 0.5

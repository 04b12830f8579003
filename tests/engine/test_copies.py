"""Copies among the samples of stored runs: in this process, from a terminal, and by a process of its own beside the server."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_core import api
from gan_core.cli import main
from gan_core.config import RunConfig
from gan_core.config.studies import CopyingSettings
from gan_core.data import mnist5k
from gan_core.engine import Chores, Lab
from gan_core.engine.exchange import copies
from gan_core.engine.exchange.copies import can_copy
from gan_core.engine.exchange.generator import Generator
from gan_core.engine.studies import copying as study
from gan_core.engine.studies.findings import Cell, Row
from gan_core.store import StoreError

REST = {"schedule": {"rounds": 2}, "diagnostics": {"samples": 16, "grid": 4}, "device": "cpu"}
SMALL = {"model": {"latent_dim": 4, "generator": {"widths": [6]}, "discriminator": {"widths": [6]}}}
DIGITS = {"data": {"name": "mnist5k", "batch_size": 8}, **SMALL, **REST}
STACKED = {"data": {"name": "stacked", "batch_size": 8}, **SMALL, **REST}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A store with a run on digits, and one on stacked digits."""
    root = tmp_path_factory.mktemp("copies")
    with Lab(root, executor="thread") as lab:
        lab.classifiers.cancel()
        runs = [lab.submit(RunConfig.load(settings)) for settings in (DIGITS, STACKED)]
        for run in runs:
            lab.wait(run)
    return root, *runs  # type: ignore[return-value]


def test_a_g_that_draws_training_pictures_is_found_beside_them(
    stored: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, run, _ = stored
    source = mnist5k()
    copied = source.x[source.train_index].numpy()

    def drawn(self: Generator, z: np.ndarray, y: object = None) -> np.ndarray:
        return copied[(np.abs(z[:, 0]) * 1e5).astype(int) % len(copied)]

    monkeypatch.setattr(Generator, "__call__", drawn)
    shares: list[float] = []
    found = api.copying(run, store=root, progress=lambda share, sentence: shares.append(share))
    assert (found.round, found.found.verdict) == (2, "copies")
    assert found.found.near == 1
    assert (found.found.training, found.found.held_out, found.found.samples) == (4_000, 1_000, 1_000)
    assert found.picture.shape == (12, 3, 1, 28, 28)
    np.testing.assert_array_equal(found.picture[:, 0], found.picture[:, 1])
    held_out = {row.tobytes() for row in source.x[source.heldout_index].numpy()}
    assert all(picture.tobytes() in held_out for picture in found.picture[:, 2])
    assert shares == sorted(shares)
    assert shares[-1] > 0.9


def test_the_terminal_tells_and_draws(
    stored: tuple[Path, str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root, run, stacked = stored
    picture = tmp_path / "pairs.png"
    assert main(["copying", run, "--to", str(picture), "--store", str(root)]) == 0
    head, columns, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("round 2: ")
    assert columns.endswith("RATIO OF DISTANCES")
    assert len(rows) <= 12
    assert Image.open(picture).width == 6 * 30 - 2
    assert main(["copying", run, "--json", "--store", str(root)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] in ("no sign of copying", "cannot be told")
    assert found["sentence"] in head
    assert main(["copying", run, "--to", "pairs.txt", "--store", str(root)]) == 2
    assert main(["copying", stacked, "--store", str(root)]) == 2
    assert "nothing can be copied" in capsys.readouterr().err
    with pytest.raises(StoreError, match="no checkpoint"):
        api.copying(run, at=1, store=root)


def test_a_chore_tells_the_same_from_a_process_of_its_own(stored: tuple[Path, str, str]) -> None:
    root, run, stacked = stored
    chores = Chores(root)
    chore, refused = chores.copying(run), chores.copying(stacked)
    chore.wait()
    refused.wait()
    assert refused.error is not None
    assert "nothing can be copied" in refused.error
    assert chore.error is None
    assert chore.result is not None
    found, here = json.loads(chore.result), api.copying(run, store=root)
    assert {name: found[name] for name in copies.told(here)} == copies.told(here)
    assert Image.open(io.BytesIO(base64.b64decode(found["png"]))).width == 6 * 30 - 2


def test_what_draws_no_pictures_from_noise_has_no_such_section() -> None:
    assert can_copy(RunConfig.load(DIGITS))
    assert can_copy(RunConfig.load({"game": "vae"}))
    assert not can_copy(RunConfig.load({"data": {"name": "ring"}}))
    assert not can_copy(RunConfig.load({"game": "autoencoder"}))
    assert not can_copy(RunConfig.load({"game": "pix2pix"}))


def test_a_study_asks_seed_after_seed_beside_controls(stored: tuple[Path, str, str]) -> None:
    root, run, _ = stored
    settings = {"protocol": "copying", "run": run, "seeds": [0, 1], "samples": 200, "copies": [0.5]}
    with Lab(root, executor="thread") as lab:
        lab.classifiers.cancel()
        begun = lab.studies.start(settings)
        assert lab.studies.wait(begun, 60)
    found = api.read_study(begun, store=root)
    assert found.status == "finished", found.message
    assert list(found.table["arm"]) == ["samples of G", "control", "samples of G", "control"]
    assert found.findings.headline is not None
    assert found.findings.headline.text.startswith(("Cannot be told", "No sign of copying"))
    near = dict(zip(found.table["key"], found.table["near"], strict=True))
    assert near["500-0"] == pytest.approx(0.5 + near["0-0"] / 2, abs=0.15)
    assert found.sentences[1].startswith("With 50% copies among them")
    assert len(found.findings.boards[0].files) == 2
    assert found.findings.comparisons == 2


def test_what_seeds_disagree_about_cannot_be_told() -> None:
    numbers = {"near": 1.0, "chance": 0.5, "p": 0.001, "neighbours": 40.0, "pairs": ""}
    rows = [
        Row(
            Cell(f"0-{seed}", study.OF_G, 0, seed),
            {**numbers, "z": z, "verdict": verdict, "sentence": f"{verdict} {z}."},
        )
        for seed, (z, verdict) in enumerate([(4.0, "copies"), (5.0, "copies"), (9.0, "copies")])
    ]
    settings = CopyingSettings(run="a run", seeds=(0, 1, 2))
    agreed = study.findings(settings, rows).headline
    assert agreed is not None
    assert (agreed.text, agreed.tone) == ("copies 5.0. (3 seeds of noise say the same.)", "bad")
    other = Row(rows[0].cell, {**rows[0].values, "verdict": "cannot be told"})
    apart = study.findings(settings, [other, *rows[1:]]).headline
    assert apart is not None
    assert apart.tone == "unknown"
    assert "2 of 3 copies" in apart.text

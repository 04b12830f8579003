"""Latent spaces from Python and from a terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gan_core import api
from gan_core.cli import main
from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.store import StoreError

SMALL = {"schedule.rounds": 2, "data.batch_size": 8, "diagnostics.samples": 32, "device": "cpu", "data.name": "digits8"}
NETWORKS = {"architecture": "mlp", "widths": [8]}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A store, a VAE of pictures in it, and a GAN of points."""
    store = tmp_path_factory.mktemp("latent") / "runs"
    coders = {f"model.{part}.{name}": value for part in ("encoder", "decoder") for name, value in NETWORKS.items()}
    vae = RunConfig.load({"game": "vae"}).replace({**SMALL, **coders, "model.code_dim": 3})
    gan = RunConfig().replace({**SMALL, "data.name": "ring", "model.generator.widths": [8]})
    with Lab(store, executor="thread", tick=0.05) as lab:
        runs = [lab.submit(config) for config in (vae, gan)]
        assert all(lab.wait(run, 60).status == "finished" for run in runs)
    return store, runs[0], runs[1]


def test_the_same_from_python(kept: tuple[Path, str, str]) -> None:
    store, vae, gan = kept
    codes = api.encode(vae, store=store)
    assert list(codes.columns) == ["label", "z1", "z2", "z3"]
    assert set(codes["label"]) == set(range(10)), "held-out samples of every class"
    way = api.interpolate(vae, ["0", "1", "h2"], steps=5, store=store)
    assert (way.shape, way.dtype) == ((5, 1, 16, 16), np.uint8)
    straight = api.interpolate(vae, ["0", "1", "h2"], steps=5, straight=True, store=store)
    np.testing.assert_array_equal(way[[0, 2, 4]], straight[[0, 2, 4]])
    line = api.traverse(vae, "dim", 1, base="0", reach=2, steps=3, store=store)
    np.testing.assert_array_equal(line[1], way[0])
    assert api.interpolate(gan, steps=4, store=store).shape == (4, 2)
    for call in (lambda: api.encode(gan, store=store), lambda: api.traverse(vae, at=77, store=store)):
        with pytest.raises(StoreError):
            call()
    with pytest.raises(ValueError, match="no point"):
        api.interpolate(vae, ["0", "q"], store=store)


@pytest.mark.parametrize(
    ("of", "asked", "end"),
    [
        ("vae", ["interpolate", "--points", "0,5", "--steps", "4"], ".png"),
        ("vae", ["traverse", "--kind", "dim", "--index", "1", "--steps", "4"], ".gif"),
        ("vae", ["encode"], ".csv"),
        ("gan", ["interpolate", "--steps", "4"], ".csv"),
    ],
)
def test_the_same_from_a_terminal(
    kept: tuple[Path, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], of: str, asked: list[str], end: str
) -> None:
    store, vae, gan = kept
    file = tmp_path / f"made{end}"
    command, *options = asked
    assert main([command, {"vae": vae, "gan": gan}[of], *options, "--to", str(file), "--store", str(store)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bytes"] == file.stat().st_size
    if end == ".csv":
        assert len(pd.read_csv(file)) == told.get("codes", told.get("samples"))
    else:
        with Image.open(io.BytesIO(file.read_bytes())) as picture:
            assert picture.format == end[1:].upper()


@pytest.mark.parametrize(
    "asked",
    [
        ["interpolate", "--to", "x.csv"],
        ["interpolate", "--points", "0"],
        ["traverse", "--kind", "pca:no"],
        ["traverse", "--steps", "-1"],
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    kept: tuple[Path, str, str], asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command, *options = asked
    assert main([command, kept[1], *options, "--store", str(kept[0])]) == 2
    assert capsys.readouterr().err.endswith(".\n")

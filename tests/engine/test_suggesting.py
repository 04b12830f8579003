"""What a run on somebody's own pictures begins with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan_core.config import preset_config
from gan_core.data import shelf
from gan_core.engine import beginning_with, changes_for
from gan_core.engine.library import suggesting
from gan_core.engine.library.cards import suggestion_for
from gan_core.intake.pictures import Images
from gan_core.training import resolve


@pytest.fixture
def shelved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shelf, "shelf_root", lambda: tmp_path / "data")
    return tmp_path


@pytest.mark.parametrize(
    ("n", "shape", "widths", "batch", "augment"),
    [
        (60, (3, 64, 64), (128, 64, 32, 16), 16, "translation+cutout"),
        (400, (3, 32, 32), (64, 32, 16), 32, "translation+cutout"),
        (2_000, (1, 28, 28), (64, 32), 32, "off"),
    ],
)
def test_networks_batch_and_augmentation_come_from_the_pictures(
    shelved: Path, n: int, shape: tuple[int, ...], widths: tuple[int, ...], batch: int, augment: str
) -> None:
    x = np.random.default_rng(0).integers(0, 256, (n, *shape), np.uint8)
    name = shelf.keep("holidays", Images(x, None, (), ()), "a folder").name
    preset = beginning_with("datasets", name)
    assert preset is not None
    config = resolve(preset_config(preset, changes_for("datasets", name)))
    assert config.game == "gan"
    assert config.model.generator.widths == widths == config.model.discriminator.widths[::-1]  # type: ignore[attr-defined]
    assert config.model.generator.architecture == "dcgan"  # type: ignore[attr-defined]
    assert (config.data.batch_size, config.tricks.augment) == (batch, augment)  # type: ignore[attr-defined]
    assert 2_000 <= config.schedule.rounds <= 10_000
    own = suggestion_for(name)
    assert own is not None
    assert f"{len(shelf.open_own(name).heldout_index):,} are held out" in own.expected[0]  # type: ignore[union-attr]
    assert "not new photographs" in own.expected[1]
    assert own.expected[2].startswith("What the augmentation changes was measured on coloured digits, five seeds")
    assert "the networks, the batch, the rounds and the moving average of G follow habit" in own.expected[2]
    named = {key.rpartition(".")[0] if key.startswith("model") else key for key in suggesting.NAMES}
    for key in own.changes:
        known = key.replace("discriminator", "generator").rpartition(".")[0] if key.startswith("model") else key
        assert known.replace("ema_warm_up", "ema_decay") in named, "whoever adds a change says whether it was measured"


def test_pictures_of_odd_size_get_an_mlp_and_other_data_keep_theirs(shelved: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (60, 1, 15, 15), np.uint8)
    name = shelf.keep("odd", Images(x, None, (), ()), "a folder").name
    assert changes_for("datasets", name)["model.generator.architecture"] == "mlp"
    resolve(preset_config("digits-dcgan", changes_for("datasets", name)))
    assert changes_for("datasets", "mnist5k") == {"data.name": "mnist5k", "data.options": {}}
    assert suggestion_for("own:gone-0123456789abcdef") is None

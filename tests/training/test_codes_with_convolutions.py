"""Every game with a code, of convolutional networks, on somebody's own pictures of 32×32 in colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gan_core.config import SETTINGS, RunConfig
from gan_core.data import shelf
from gan_core.engine.observers import observer_for
from gan_core.intake.pictures import Images
from gan_core.training import GAMES, build, load_source, play, resolve
from gan_core.training.abilities import Encodes, Reconstructs, Samples

ENCODE = [name for name, game in GAMES.items() if "encode" in game.abilities]
OF_NUMBERS = {"aae": ("D",), "infogan": ("Q",)}  # networks of codes or of features, which are no pictures


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Discs and squares of any colour, of no class."""
    folder: Path = tmp_path_factory.mktemp("shelf")
    draw, rows = np.random.default_rng(0), np.indices((32, 32))
    x = np.zeros((60, 3, 32, 32), np.uint8)
    for index, picture in enumerate(x):
        away = np.abs(rows - draw.integers(10, 22, (2, 1, 1)))
        inside = (away.max(0) if index % 2 else np.hypot(*away)) < draw.integers(4, 9)
        picture[:, inside] = draw.integers(80, 256, (3, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "shelf_root", lambda: folder)
        yield shelf.keep("shapes", Images(x, None, (), ()), "zip").name


def config_of(game: str, data: str) -> RunConfig:
    changes: dict[str, Any] = {}
    for role, field in SETTINGS[game].ROLES.items():
        if role not in OF_NUMBERS.get(game, ()):
            changes |= {f"{field}.architecture": "convolutional", f"{field}.widths": [4, 4]}
    base = RunConfig.load({"game": game, "data": {"name": data, "batch_size": 8}, "device": "cpu", "seed": 1})
    return resolve(base.replace({**changes, "diagnostics.samples": 16, "diagnostics.grid": 4}))


def test_no_game_with_a_code_is_left_out() -> None:
    assert {"autoencoder", "vae", "bigan", "ali", "aae", "infogan", "regressor"} <= set(ENCODE)


@pytest.mark.parametrize("game", ENCODE)
def test_it_plays_and_is_looked_at_on_own_pictures(game: str, brought: str) -> None:
    config = config_of(game, brought)
    source = load_source(config)
    played = build(config, source)
    turns = []
    for turn in play(played):
        turns.append(turn)
        if turn.ends_round and turn.round == 2:
            break
    assert all(torch.isfinite(value).all() for turn in turns for value in turn.values.values())
    x = played.data.next().x
    assert x.shape == (8, 3, 32, 32)
    assert isinstance(played, Encodes)
    codes = played.encode(x)
    assert codes.shape[0] == 8
    assert codes.isfinite().all()
    if isinstance(played, Samples):
        prior = GAMES[game].latent(config)
        assert prior is not None
        assert played.sample(prior(3, torch.Generator().manual_seed(0))).shape == (3, 3, 32, 32)
    if isinstance(played, Reconstructs):
        again = played.reconstruct(x)
        assert again.shape == x.shape
        assert again.abs().max() <= 1 + 1e-6
    numbers, _ = observer_for(config, source, lambda _: None).look(played, 2)
    assert ("rec_error" in numbers) is isinstance(played, Reconstructs)
    assert "sample_grey_share" in numbers
    assert np.isfinite(list(numbers.values())).all()

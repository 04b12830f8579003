"""Generative latent optimisation: a code for each picture, and samples that are copies until they reach further."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_core.config import ConfigError, RunConfig
from gan_core.data import DATASETS, ImageSource, to_unit
from gan_core.training import build, capture, load_source, play, resolve, restore, state_hash
from gan_core.training.games.glo import Glo


def config_of(**changes: Any) -> RunConfig:
    base = {"game": "glo", "data": {"name": "few_digits", "batch_size": 8}, "device": "cpu", "seed": 7}
    small = {"data.options": {"pictures": 20}, "model.code_dim": 3, "model.decoder.widths": [6], "schedule.rounds": 40}
    return resolve(RunConfig.load(base).replace({**small, **changes}))


def game_of(config: RunConfig) -> Glo:
    game = build(config, load_source(config))
    assert isinstance(game, Glo)
    return game


def played(game: Glo, rounds: int, start: int = 0) -> list[float]:
    return [float(turn.values["rec"]) for turn in islice(play(game, start), rounds - start)]


def test_few_digits_are_as_many_to_train_on_as_held_out_and_of_all_kinds() -> None:
    source = DATASETS["few_digits"].load(pictures=30)
    assert isinstance(source, ImageSource)
    assert (len(source.train_index), len(source.heldout_index)) == (30, 30)
    whole = DATASETS["mnist5k"].load()
    label = {picture.numpy().tobytes(): int(y) for picture, y in zip(whole.x, whole.y, strict=True)}  # type: ignore[union-attr,arg-type]
    for index in (source.train_index, source.heldout_index):
        found = [label[picture.numpy().tobytes()] for picture in source.x[index]]
        assert sorted(found) == sorted(3 * list(range(10)))
    assert len({picture.numpy().tobytes() for picture in source.x}) == 60


def test_each_picture_is_told_from_the_others_by_its_own_code() -> None:
    """The error of a batch is that of the decoder at the codes of just these pictures, and moves their codes alone."""
    config = config_of()
    game = game_of(config)
    source = load_source(config)
    again = game_of(config)
    batch = again.data.next()
    assert batch.index is not None
    torch.testing.assert_close(batch.x, to_unit(source.x[source.train_index[batch.index]]))  # type: ignore[union-attr]
    expected = (again.Dec(again.codes()[batch.index]).sigmoid() - (batch.x + 1) / 2).square().mean()
    before = game.codes().clone()
    assert played(game, 1) == [pytest.approx(float(expected.detach()), rel=1e-5)]
    moved = (game.codes() - before).abs().amax(1) > 0
    assert set(moved.nonzero()[:, 0].tolist()) == set(batch.index.tolist())


def test_codes_lie_where_the_draws_of_the_prior_do() -> None:
    game = game_of(config_of())
    torch.testing.assert_close(game.codes().square().sum(1), torch.full((20,), 3.0))


def nearest_code(game: Glo, z: Tensor) -> Tensor:
    codes = game.codes()
    direction = z / z.norm(dim=1, keepdim=True) * 3**0.5
    return codes[torch.cdist(direction, codes).argmin(1)]


def test_a_sample_is_decoded_at_the_nearest_code_within_reach() -> None:
    game = game_of(config_of())
    played(game, 3)
    z = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        copies = game.Dec(nearest_code(game, z)).sigmoid() * 2 - 1
        own = game.Dec(z / z.norm(dim=1, keepdim=True) * 3**0.5).sigmoid() * 2 - 1
    torch.testing.assert_close(game.sample(z), copies)
    assert len(game.sample(z).unique(dim=0)) <= 20
    game.set_knob("sampling.reach", 1.0)
    torch.testing.assert_close(game.sample(z), own)
    with pytest.raises(ValueError, match="cannot change"):
        game.set_knob("model.code_dim", 4)


def test_it_learns_by_heart_and_goes_on_bit_for_bit() -> None:
    config = config_of(**{"model.decoder.widths": [32], "model.code_dim": 8, "optimizer.lr": 0.02})
    whole, first, second = game_of(config), game_of(config), game_of(config)
    errors = played(whole, 60)
    assert errors[-1] < errors[0] / 4
    played(first, 25)
    restore(second, capture(first, 25))
    played(second, 60, 25)
    assert state_hash(capture(second, 60)) == state_hash(capture(whole, 60))


def test_data_that_is_drawn_anew_has_no_code() -> None:
    for name in ("ring", "stacked"):
        with pytest.raises(ConfigError, match="code each"):
            resolve(RunConfig.load({"game": "glo", "data": {"name": name}, "device": "cpu"}))

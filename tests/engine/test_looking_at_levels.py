"""What is seen and measured of pictures that are made level by level."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import to_uint8
from gan_core.engine.messages import Sight
from gan_core.engine.observers import StairsObserver, observer_for
from gan_core.engine.observers.stairs import COLUMNS, ROWS
from gan_core.models import enlarged, shrunk
from gan_core.training import build, capture, load_source, resolve, state_hash


class Judge:
    """Reads class 3 in what is as light as the pictures that it knows, else class 0."""

    report = SimpleNamespace(accuracy=1.0, n_heldout=1)

    def probabilities(self, x: Tensor) -> np.ndarray:
        return np.eye(10)[np.where(x.mean((1, 2, 3)).numpy() > 0, 3, 0)]

    def features(self, x: Tensor) -> np.ndarray:
        return torch.stack([x.mean((1, 2, 3)), x.std((1, 2, 3))], dim=1).double().numpy()

    def judge(self, x: Tensor) -> tuple[np.ndarray, np.ndarray]:
        return self.probabilities(x), self.features(x)


class Plain:
    """What looks at the data, with nothing to say."""

    def look(self, game: Any, round: int) -> tuple[dict[str, float], Sight]:
        return {"modes_covered": 1.0}, Sight(round, {"grid": None})

    def reference(self) -> dict[str, Any]:
        return {"sizes": {"modes_covered": 32}, "beside": {}}


class Rebuilds:
    """Makes of a coarse picture what it was, or with ``smooth`` only its enlargement."""

    def __init__(self, smooth: bool) -> None:
        self.smooth = smooth

    def climb(self, z: Tensor, y: Any = None, *, real: Tensor | None = None, level: int = 0) -> list[Tensor]:
        x = torch.zeros(len(z), 1, 16, 16) if real is None else real
        steps = [x, shrunk(x), shrunk(shrunk(x))][: 3 - level][::-1]
        if self.smooth:
            for k in range(1, len(steps)):
                steps[k] = enlarged(steps[k - 1])
        return steps


@pytest.fixture
def observer() -> StairsObserver:
    changes = {"data.name": "digits8", "diagnostics.samples": 32, "model.detail_generator.widths": [4]}
    config = resolve(RunConfig.load({"game": "lapgan", "device": "cpu"}).replace(changes))
    made = observer_for(config, load_source(config), lambda _: Judge())  # type: ignore[arg-type,return-value]
    assert isinstance(made, StairsObserver)
    made.inner = Plain()  # type: ignore[assignment]
    return made


def test_details_are_measured_beside_none(observer: StairsObserver) -> None:
    reference = observer.reference()
    assert reference is not None
    assert set(COLUMNS) <= set(reference["beside"])
    none = {column: reference["beside"][column]["no details"] for column in COLUMNS}
    assert observer.measure(Rebuilds(smooth=True)) == pytest.approx(none)
    perfect = observer.measure(Rebuilds(smooth=False))
    assert perfect["from_half_frechet"] == pytest.approx(0, abs=1e-6) == perfect["from_quarter_frechet"]
    assert none["from_quarter_frechet"] > none["from_half_frechet"] > 1e-4


def test_the_staircase_has_all_levels_of_samples_and_coarse_pictures(observer: StairsObserver) -> None:
    sheet = observer.sheet(Rebuilds(smooth=False))
    assert sheet.heads == ("4×4", "8×8", "16×16", "real 4×4", "with details", "real 8×8", "with details", "real")
    assert sheet.images.shape == (ROWS, len(sheet.heads), 1, 16, 16)
    real = to_uint8(observer.real[:ROWS]).numpy()
    for column in (4, 6, 7):
        np.testing.assert_array_equal(sheet.images[:, column], real)
    coarse = to_uint8(shrunk(shrunk(observer.real[:ROWS]))).numpy()
    np.testing.assert_array_equal(sheet.images[:, 3], coarse.repeat(4, axis=2).repeat(4, axis=3))


def test_looking_changes_no_bit_of_the_game(observer: StairsObserver) -> None:
    changes = {"data.name": "digits8", "diagnostics.samples": 32, "model.detail_generator.widths": [4]}
    config = resolve(RunConfig.load({"game": "lapgan", "device": "cpu"}).replace(changes))
    game = build(config, load_source(config))
    before = state_hash(capture(game, 0))
    numbers, sight = observer.look(game, 0)
    assert {"grid", "staircase"} <= set(sight.parts)
    assert set(COLUMNS) <= set(numbers)
    assert state_hash(capture(game, 0)) == before

"""Runs on pictures without classes: measured in random features, with their floors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import DATASETS, ImageSource, to_unit
from gan_core.engine.observers import observer_for
from gan_core.engine.observers.by_heart import ByHeart
from gan_core.engine.observers.images import ImageObserver
from gan_core.engine.observers.measuring import TOO_FEW
from gan_core.engine.upkeep.best import judged
from gan_core.metrics.distances import frechet_floor
from gan_core.metrics.random_cards import COVERAGE, FRECHET, PRECISION, RANDOM_METRICS, RECALL
from gan_core.training import build, load_source, resolve


def looked_at(pictures: int, samples: int = 100) -> tuple[dict[str, Any], dict[str, float]]:
    config = resolve(
        RunConfig.load(
            {
                "data": {"name": "few_digits", "options": {"pictures": pictures}},
                "model": {"generator": {"widths": [6]}, "discriminator": {"widths": [6]}},
                "diagnostics": {"samples": samples, "grid": 4},
                "device": "cpu",
            }
        )
    )
    source = load_source(config)
    observer = observer_for(config, source, lambda source: None)
    reference = observer.reference()
    assert reference is not None
    return reference, observer.look(build(config, source), 0)[0]


def test_pictures_without_classes_are_measured_beside_their_floors() -> None:
    reference, numbers = looked_at(100)
    assert set(RANDOM_METRICS) <= set(numbers)
    assert reference["sizes"][FRECHET] == 50  # the other half is for the space
    assert reference["floors"][FRECHET] == pytest.approx(frechet_floor(8, 50, 50))
    assert numbers[FRECHET] > 5 * reference["floors"][FRECHET]
    assert numbers[RECALL] < 0.1 < 0.7 < reference["floors"][RECALL]
    assert reference["floors"][COVERAGE] > 0.8
    assert reference["lacking"] == {}
    scores, told = judged(numbers)  # type: ignore[misc]
    assert scores == (-numbers[FRECHET],)
    assert "Fréchet distance of random features" in told


def test_what_a_small_set_cannot_tell_is_lacking_or_left_out() -> None:
    reference, numbers = looked_at(40)
    assert not set(RANDOM_METRICS) & set(numbers)
    assert FRECHET not in reference["floors"]
    reference, numbers = looked_at(1_000, samples=40)
    assert reference["sizes"][FRECHET] == 40
    assert PRECISION in reference["floors"]


def test_too_few_held_out_pictures_have_no_floor_of_neighbours() -> None:
    config = resolve(RunConfig.load({"data": {"name": "few_digits"}, "device": "cpu", "diagnostics": {"samples": 100}}))
    source = load_source(config)
    assert isinstance(source, ImageSource)
    few = replace(source, heldout_index=source.heldout_index[:20])
    reference = ImageObserver(config, few, lambda source: None).reference()
    assert reference is not None
    assert reference["lacking"] == dict.fromkeys((PRECISION, RECALL, COVERAGE), TOO_FEW)
    assert reference["floors"][FRECHET] == pytest.approx(frechet_floor(8, 50, 50))


class Knowing:
    """A D that says 2 to training pictures, 1 to other real ones and 0 to anything else."""

    packing = 1

    def __init__(self, source: ImageSource) -> None:
        of = {2.0: source.train_index, 1.0: source.heldout_index}
        self._known = {x.numpy().tobytes(): said for said, index in of.items() for x in to_unit(source.x[index])}

    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return torch.tensor([self._known.get(one.numpy().tobytes(), 0.0) for one in x])

    def judge_packs(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.judge(x, y)


def test_a_d_that_memorises_is_seen_where_pictures_are_few() -> None:
    source = DATASETS["few_digits"].load(pictures=30)
    assert isinstance(source, ImageSource)
    config = resolve(RunConfig.load({"data": {"name": "few_digits"}, "objective": "wgan_gp", "device": "cpu"}))
    by_heart = ByHeart(config, source)
    assert by_heart.floors == {"d_overfitting": 0.0}
    fake = torch.zeros(40, 1, 28, 28)
    assert by_heart.measure(Knowing(source), fake) == {"d_overfitting": 0.5}  # type: ignore[arg-type]
    many = ByHeart(config, DATASETS["mnist5k"].load())  # type: ignore[arg-type]
    assert many.floors == {}
    assert many.measure(Knowing(source), fake) == {}  # type: ignore[arg-type]
    augmented = ByHeart(config.replace({"tricks.augment": "translation"}), source)
    found = augmented.measure(Knowing(source), fake)  # type: ignore[arg-type]
    assert (found["leaked_share"], augmented.floors["leaked_share"]) == (1.0, 0.0)

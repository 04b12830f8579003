"""Observers of data without modes, of mixtures on a line and of stacked digits: real samples read what they should."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import DATASETS, SideBySideSource, StackedSource, labelled_source, to_unit
from gan_core.engine.observers import CloudObserver, CombObserver, StackedObserver, observer_for, stack_modes
from gan_core.training import Streams, load_source

N = 1500


class Pretender:
    """A game whose generator gives what the test says, in order, and whose D prefers the right."""

    def __init__(self, x: Tensor) -> None:
        self.x = x
        self.given = 0

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if len(z) <= 64:  # for the picture
            return self.x[: len(z)]
        part = self.x[self.given : self.given + len(z)]
        self.given = (self.given + len(part)) % len(self.x)
        return part

    def pull(self, x_fake: Tensor, x_real: Tensor) -> None:
        return None

    packing = 1

    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return x.flatten(1)[:, 0]

    def judge_packs(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        raise AssertionError("D judges single samples")


class Oracle:
    """A classifier of images that are filled with 20 times their class, sure of itself up to 200."""

    report = SimpleNamespace(accuracy=1.0, n_heldout=10)

    def probabilities(self, x: Tensor) -> np.ndarray:
        value = ((x.double() + 1) * 127.5 if x.dtype != torch.uint8 else x.double()).mean((1, 2, 3)).numpy()
        label = np.rint(value / 20).astype(int)
        sure = np.where(label <= 9, 0.95, 0.1)[:, None]
        p = np.full((len(x), 10), (1 - sure) / 9)
        np.put_along_axis(p, np.minimum(label, 9)[:, None], sure, axis=1)
        return p


def config(name: str) -> RunConfig:
    return RunConfig().replace({"data.name": name, "diagnostics.samples": N, "device": "cpu"})


def real(name: str, seed: int = 5) -> Tensor:
    return load_source(config(name)).sample(N, Streams(seed).generator("x"))


def no_classifier(source: object) -> None:
    return None


@pytest.mark.parametrize("name", ["spirals", "moons", "lines"])
def test_where_no_modes_are_known_real_samples_read_the_floor(name: str) -> None:
    observer = observer_for(config(name), load_source(config(name)), no_classifier)
    assert isinstance(observer, CloudObserver)
    numbers, sight = observer.look(Pretender(real(name)), 3)
    floors = observer.reference()["floors"]
    assert set(numbers) == set(floors)
    for column, floor in floors.items():
        assert numbers[column] == pytest.approx(floor, abs=0.06, rel=0.05), column
    assert set(sight.parts) == {"points"}, "no histogram where there is nothing to count"
    assert "class_names" not in observer.reference()
    assert np.shape(sight.parts["points"]["critic"]) == (41, 41)


def test_a_collapse_is_seen_without_modes() -> None:
    observer = observer_for(config("spirals"), load_source(config("spirals")), no_classifier)
    numbers, _ = observer.look(Pretender(real("spirals")[:1].expand(N, 2) + 1e-3 * torch.randn(N, 2)), 3)
    assert numbers["recall"] < 0.05
    assert numbers["coverage"] < 0.05
    assert numbers["std_ratio"] < 0.01
    diverged, sight = observer.look(Pretender(torch.full((N, 2), float("nan"))), 4)
    assert diverged == {}
    assert sight.parts["points"]["fake"][0] == [None, None]


def test_modes_on_a_line_are_counted() -> None:
    observer = observer_for(config("mixture"), load_source(config("mixture")), no_classifier)
    assert isinstance(observer, CombObserver)
    reference = observer.reference()
    assert len(reference["real_share"]) == 6
    assert sum(reference["real_share"]) == pytest.approx(1)
    numbers, sight = observer.look(Pretender(real("mixture")), 0)
    assert numbers["modes_captured"] == 5
    assert numbers["high_quality_share"] == pytest.approx(0.9973, abs=0.006)
    assert numbers["kl_to_real"] < 0.01
    assert set(numbers) - {"mean", "std"} <= set(reference["floors"])
    points = real("mixture")
    left = points[points[:, 0] < -0.7]
    numbers, sight = observer.look(Pretender(left.repeat(10, 1)[:N]), 1)
    assert numbers["modes_captured"] == 1
    assert sum(sight.parts["histogram"]["counts"]) == N
    assert {"points", "histogram"} == set(sight.parts)


@pytest.fixture
def stacks() -> StackedSource:
    digits = np.repeat(np.arange(10, dtype=np.uint8), 20)
    x = np.broadcast_to((digits * 20)[:, None, None, None], (200, 1, 8, 8)).copy()
    return StackedSource("stacked", labelled_source("digits", x, digits, tuple("0123456789")))


def test_each_channel_of_a_stack_is_judged(stacks: StackedSource) -> None:
    x, y = stacks.sample(4000, Streams(0).generator("x"))
    assert np.array_equal(stack_modes(Oracle(), stacks, x), y.numpy())  # type: ignore[arg-type]
    x[:7, 1] = 250  # the classifier is unsure of one channel
    assert (stack_modes(Oracle(), stacks, x) == 1000).sum() == 7  # type: ignore[arg-type]


def test_a_thousand_modes_and_their_floor(stacks: StackedSource) -> None:
    observer = observer_for(config("stacked"), stacks, lambda source: Oracle())  # type: ignore[arg-type, return-value]
    assert isinstance(observer, StackedObserver)
    reference = observer.reference()
    assert len(reference["class_names"]) == 1000
    assert len(reference["real_share"]) == 1001
    expected = 1000 * (1 - (1 - 1 / 1000) ** N)
    assert reference["floors"]["modes_captured"] == pytest.approx(expected, rel=0.02)
    x, _ = stacks.sample(N, Streams(1).generator("x"))
    numbers, sight = observer.look(Pretender(to_unit(x)), 0)
    assert numbers["modes_captured"] == pytest.approx(expected, rel=0.04)
    assert sum(sight.parts["histogram"]["counts"]) == N
    one, _ = observer.look(Pretender(to_unit(x[:1]).expand(N, -1, -1, -1)), 1)
    assert one["modes_captured"] == 1
    assert one["kl_to_real"] == pytest.approx(np.log(1000), rel=0.01)


def test_what_was_never_shown_is_counted_apart(stacks: StackedSource) -> None:
    source = SideBySideSource("two_digits", stacks.base, (7, 10))
    settings = config("two_digits").replace({"model.condition": "spelled"})
    observer = observer_for(settings, source, lambda source: Oracle())  # type: ignore[arg-type, return-value]
    assert isinstance(observer, StackedObserver)
    y = np.array([7, 10, 10, 7, 37, 38, 39, 99, 0, 11])
    seen = np.array([7, 10, 1, 100, 37, 83, 39, 99, 100, 11])
    assert observer._right(seen, y) == {"label_accuracy": 4 / 6, "never_shown_accuracy": 0.5}
    floors = observer.reference()["floors"]  # type: ignore[index]
    assert (floors["label_accuracy"], floors["never_shown_accuracy"]) == (1, 1), "of real ones"


def test_without_a_classifier_there_are_pictures(stacks: StackedSource) -> None:
    observer = observer_for(config("stacked"), stacks, no_classifier)
    assert observer.reference() is None
    numbers, sight = observer.look(Pretender(torch.zeros(N, 3, 8, 8)), 0)
    assert numbers == {}
    assert set(sight.parts) == {"grid"}


@pytest.mark.parametrize("name", ["digits8", "stacked", "spirals", "mixture"])
def test_a_run_on_it_trains_and_goes_on_exactly(
    name: str, tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    settings = tiny("mlp", {"data.name": name})
    assert DATASETS[name].missing() is None
    whole = advance(game_of(settings), 4)
    assert whole == advance(game_of(settings), 4)
    assert whole != advance(game_of(settings), 3)

"""Looking: real data read as real, whatever the data set; the game is left as it was; bounds on memory and on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_core.data import DATASETS, ImageSource, to_unit
from gan_core.data.sources import MixtureSource
from gan_core.data.toy import smoothed
from gan_core.engine.observers import ImageObserver, LineObserver, PlaneObserver, observer_for
from gan_core.engine.observers.base import SAMPLES_AT_ONCE, rounded
from gan_core.engine.observers.points import CloudObserver
from gan_core.training import build, capture, load_source, state_hash
from gan_core.training.classifier import FrozenClassifier, classifier_for
from gan_core.training.streams import Streams


class RealGame:
    """A generator that has won: what it makes is real. D is at a loss."""

    def __init__(self, draw: Callable[[int, torch.Generator], Tensor], seed: int) -> None:
        self._draw = draw
        self._stream = Streams(seed).generator("a perfect generator")

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self._draw(len(z), self._stream)

    def pull(self, x_fake: Tensor, x_real: Tensor) -> None:
        return None

    packing = 1

    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return torch.full((len(x),), 0.5)

    def judge_packs(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        raise AssertionError("D judges single samples")


class MeanOfPacks(RealGame):
    """A D that answers with the mean of its pack."""

    packing = 20

    def judge_packs(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        self.packs = x.reshape(-1, 20)
        return self.packs.mean(1)


def held_out(source: ImageSource) -> Callable[[int, torch.Generator], Tensor]:
    def draw(n: int, stream: torch.Generator) -> Tensor:
        chosen = torch.randint(len(source.heldout_index), (n,), generator=stream)
        return to_unit(source.x[source.heldout_index[chosen]])

    return draw


def share_inside(
    observer: Any, reference: dict[str, Any], draw: Any, looks: int
) -> tuple[float, list[dict[str, float]]]:
    """How many of the bars of real data lie in their bands, and what was measured."""
    low, high = np.array(reference["band_low"]), np.array(reference["band_high"])
    inside, numbers = [], []
    for seed in range(looks):
        values, sight = observer.look(RealGame(draw, seed), seed)
        bars = np.array(sight.parts["histogram"]["counts"]) / sight.parts["histogram"]["n"]
        inside.append((low - 1e-12 <= bars) & (bars <= high + 1e-12))
        numbers.append(values)
    return float(np.mean(inside)), numbers


PLANES: dict[str, dict[str, Any]] = {
    "ring": {},
    "grid": {"data.name": "grid", "data.options": {}},
    "modes that run into one another": {"data.options": {"modes": 12, "radius": 1.0, "std": 0.3}},
    "one heap": {"data.options": {"radius": 0.05, "std": 10.0}},
    "a single mode": {"data.options": {"modes": 1}},
}


@pytest.mark.parametrize("name", PLANES)
def test_real_points_read_as_real(small: Callable, name: str) -> None:
    config = small({"diagnostics.samples": 1500, **PLANES[name]})
    source = load_source(config)
    assert isinstance(source, MixtureSource)
    observer = observer_for(config, source, lambda source: None)
    assert isinstance(observer, PlaneObserver)
    reference = observer.reference()
    json.dumps(reference, allow_nan=False)
    assert len(reference["class_names"]) == source.num_modes == len(reference["real_share"]) - 1
    assert np.allclose(reference["centers"], source.centers, atol=1e-4 * np.abs(source.centers).max())
    assert sum(reference["real_share"]) == pytest.approx(1)
    assert reference["histogram_n"] == 1500
    share, numbers = share_inside(observer, reference, source.sample, looks=40)
    assert share > 0.93, "a 95 % band holds 95 % of the bars"
    for column, floor in reference["floors"].items():
        values = [one[column] for one in numbers]
        spread = max(np.std(values), 0.02 * abs(floor), 1e-9)
        assert abs(np.mean(values) - floor) < 2 * spread, column
    if name == "ring":
        assert reference["floors"]["modes_covered"] == reference["floors"]["modes_captured"] == 8
        assert reference["floors"]["high_quality_share"] == pytest.approx(0.9889, abs=1e-3)
        assert reference["floors"]["kl_to_real"] == pytest.approx(7 / 3000, rel=0.3)


PLACES = {
    "as they are": ([1, 1], [0, 0]),
    "millions away": ([1, 1], [5e6, -3e6]),
    "in other units": ([1e-3, 1e12], [0, 7]),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_units_of_points_change_no_measure_and_stay_in_the_picture(small: Callable, name: str) -> None:
    """Twenty heaps of points that somebody brought: what is measured is the same wherever they lie."""
    rng = np.random.default_rng(2)
    points = np.repeat(rng.normal(0, 1, (20, 2)), 15, axis=0) + rng.normal(0, 0.02, (300, 2))
    scale, offset = (np.array(value) for value in PLACES[name])
    written = (points + offset) * scale
    source = smoothed("own", written, axes=("share", "income"))
    observer = CloudObserver(small({"diagnostics.samples": 600}), source)
    reference = observer.reference()
    json.dumps(reference, allow_nan=False)
    assert reference["axes"] == ["share", "income"]
    plain = CloudObserver(small({"diagnostics.samples": 600}), smoothed("own", points))
    for column, floor in plain.reference()["floors"].items():
        assert reference["floors"][column] == pytest.approx(floor, rel=1e-2, abs=1e-3), column
    numbers, sight = observer.look(RealGame(source.sample, 0), 0)
    expected, _ = plain.look(RealGame(source.sample, 0), 0)
    assert numbers == pytest.approx(expected, rel=1e-2, abs=1e-3)
    drawn = np.array(sight.parts["points"]["fake"])
    sides = np.ptp(written, axis=0)
    exact = source.to_data(source.sample(600, Streams(0).generator("a perfect generator")).numpy())[: len(drawn)]
    assert (np.abs(drawn - exact) < 1e-4 * sides).all(), "as many digits as can be seen, on each axis"
    for axis, along in enumerate(("xs", "ys")):
        assert len(set(sight.parts["points"][along])) == len(sight.parts["points"][along])
        assert (
            reference["extent"][2 * axis]
            < written[:, axis].min()
            < written[:, axis].max()
            < reference["extent"][2 * axis + 1]
        )


def test_a_collapse_is_far_from_the_floor(small: Callable) -> None:
    config = small({"diagnostics.samples": 500})
    source = load_source(config)
    observer = PlaneObserver(config, source)
    reference = observer.reference()

    def one_mode(n: int, stream: torch.Generator) -> Tensor:
        center = torch.as_tensor(source.centers[2] / source.scale, dtype=torch.float32)
        return center + 0.001 * torch.randn(n, 2, generator=stream)

    values, sight = observer.look(RealGame(one_mode, 0), 0)
    assert (values["modes_covered"], values["modes_captured"], values["entropy"]) == (1, 1, 0)
    assert values["kl_to_real"] == pytest.approx(np.log(8), rel=0.01)
    assert sight.parts["histogram"]["counts"] == [0, 0, 500, 0, 0, 0, 0, 0, 0]
    assert sum(not low <= bar / 500 <= high for bar, low, high in zip(
        sight.parts["histogram"]["counts"], reference["band_low"], reference["band_high"], strict=True
    )) >= 8  # fmt: skip


def test_real_points_on_a_line_read_as_real(small: Callable) -> None:
    config = small({"data.name": "gaussian", "data.options": {}, "diagnostics.samples": 2000})
    source = load_source(config)
    observer = observer_for(config, source, lambda source: None)
    assert isinstance(observer, LineObserver)
    reference = observer.reference()
    assert reference["floors"]["mean"] == pytest.approx(4, abs=0.1)
    assert reference["floors"]["std"] == pytest.approx(1.25, abs=0.05)
    assert reference["floors"]["skew"] == pytest.approx(0, abs=0.1)
    assert reference["floors"]["kurtosis"] == pytest.approx(0, abs=0.2)
    looks = [observer.look(RealGame(source.sample, seed), seed) for seed in range(8)]
    distances = [values["wasserstein"] for values, _ in looks]
    assert np.mean(distances) < 2 * reference["floors"]["wasserstein"]
    drawn = looks[0][1].parts["points"]
    assert drawn["xs"] == reference["xs"]
    area = np.sum(drawn["fake"]) * (drawn["xs"][1] - drawn["xs"][0])
    assert area == pytest.approx(1, abs=0.01)
    assert np.abs(np.array(drawn["fake"]) - reference["real_density"]).max() < 0.1
    far, _ = observer.look(RealGame(lambda n, stream: torch.full((n, 1), 40.0), 0), 0)
    assert far["wasserstein"] == pytest.approx(36, abs=0.2)
    assert [far[name] for name in ("mean", "std", "skew", "kurtosis")] == [40.0, 0.0, 0.0, 0.0]


def test_a_d_of_packs_is_shown_a_real_pack_moved_along_the_line(small: Callable) -> None:
    config = small({"data.name": "gaussian", "data.options": {}, "data.batch_size": 40})
    config = config.replace({"model.discriminator.packing": 20, "model.discriminator.summary": "moments"})
    source = load_source(config)
    game = MeanOfPacks(source.sample, 0)
    _, sight = observer_for(config, source, lambda source: None).look(game, 0)
    drawn = sight.parts["points"]
    np.testing.assert_allclose(drawn["critic"], drawn["xs"], atol=1e-3)
    assert game.packs.std(1).min() > 0.7, "the pack keeps its spread"
    assert "optimal" not in drawn, "p / (p + q) answers one sample"


@pytest.fixture(scope="module")
def digit_classifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrozenClassifier]:
    """The real frozen classifier after one pass over the digits: good enough to tell them apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gan_core.training.classifier.IMAGES_SEEN", 1)
        patch.setattr("gan_core.training.classifier.PASSES", 1)
        yield classifier_for(DATASETS["mnist5k"].load(), tmp_path_factory.mktemp("classifier"))


def test_real_digits_read_as_real(digits: Callable, digit_classifier: FrozenClassifier) -> None:
    config = digits({"diagnostics.samples": 400})
    source = load_source(config)
    observer = observer_for(config, source, lambda source: digit_classifier)
    assert isinstance(observer, ImageObserver)
    reference = observer.reference()
    json.dumps(reference, allow_nan=False)
    assert reference["class_names"] == [str(digit) for digit in range(10)]
    assert reference["classifier"]["n_heldout"] == 1000
    share, numbers = share_inside(observer, reference, held_out(source), looks=6)
    assert share > 0.9
    assert {one["modes_covered"] for one in numbers} == {10.0} == {reference["floors"]["modes_covered"]}
    assert set(numbers[0]) == set(reference["floors"])
    for column in set(numbers[0]) - {"largest_mode"}:
        values = [one[column] for one in numbers]
        near = 0.1 if column.startswith("center") else 3 * max(np.std(values), 0.02 * abs(np.mean(values)))
        assert abs(np.mean(values) - reference["floors"][column]) < near, column

    def one_digit(n: int, stream: torch.Generator) -> Tensor:
        threes = source.train_index[source.y[source.train_index] == 3]
        return to_unit(source.x[threes[torch.randint(len(threes), (n,), generator=stream)]])

    collapsed, _ = observer.look(RealGame(one_digit, 0), 0)
    assert collapsed["modes_covered"] <= 3
    assert collapsed["vendi_score"] < 0.75 * reference["floors"]["vendi_score"]
    assert collapsed["class_diversity"] > 0.7, "many pictures of the one digit"
    assert collapsed["kl_to_real"] > 20 * reference["floors"]["kl_to_real"]

    def blurred(n: int, stream: torch.Generator) -> Tensor:
        return torch.nn.functional.avg_pool2d(held_out(source)(n, stream), 3, 1, 1)

    soft, _ = observer.look(RealGame(blurred, 0), 0)
    assert soft["sample_laplacian_variance"] < 0.3 * reference["floors"]["sample_laplacian_variance"]
    assert soft["sample_grey_share"] > 2 * reference["floors"]["sample_grey_share"]


def test_ten_digits_one_picture_each_are_caught(digits: Callable, digit_classifier: FrozenClassifier) -> None:
    config = digits({"diagnostics.samples": 400})
    source = load_source(config)
    observer = observer_for(config, source, lambda source: digit_classifier)
    reference = observer.reference()
    probabilities = digit_classifier.probabilities(source.x)
    surest = [int(probabilities[:, digit].argmax()) for digit in range(10)]

    def one_of_each(n: int, stream: torch.Generator) -> Tensor:
        return to_unit(source.x[surest])[torch.randint(10, (n,), generator=stream)]

    values, _ = observer.look(RealGame(one_of_each, 0), 0)
    assert values["modes_covered"] == 10
    assert values["effective_modes"] == pytest.approx(reference["floors"]["effective_modes"], rel=0.05)
    assert values["class_diversity"] < 1e-3 < 0.8 < reference["floors"]["class_diversity"]
    assert observer.birthday(RealGame(one_of_each, 0))["distinct"] == pytest.approx(10, rel=0.1)
    assert observer.birthday(RealGame(held_out(source), 0))["distinct"] > 100


def test_looking_leaves_the_game_as_it_was(small: Callable, digits: Callable, stand_in: Callable) -> None:
    changes = {
        "model.generator.normalization": "batch",
        "model.generator.dropout": 0.5,
        "model.discriminator.normalization": "batch",
        "model.discriminator.dropout": 0.5,
    }
    line = {"data.name": "gaussian", "data.options": {}}
    for config in (small(changes), small(changes | line), digits(changes)):
        source = load_source(config)
        game = build(config, source)
        before = state_hash(capture(game, 0))  # type: ignore[arg-type]
        modes = [module.training for network in game.networks.values() for module in network.modules()]
        observer = observer_for(config, source, stand_in)
        observer.reference()
        one, other = (observer.look(game, 0) for _ in range(2))
        assert state_hash(capture(game, 0)) == before  # type: ignore[arg-type]
        assert [module.training for network in game.networks.values() for module in network.modules()] == modes
        assert one[0] == other[0], "the noise never changes"
        assert all(parameter.grad is None for network in game.networks.values() for parameter in network.parameters())


def test_an_exploded_generator_can_be_looked_at(small: Callable, digits: Callable, stand_in: Callable) -> None:
    for config in (small(), small({"data.name": "gaussian", "data.options": {}}), digits()):
        source = load_source(config)
        game = build(config, source)
        with torch.no_grad():
            for parameter in game.networks["G"].parameters():
                parameter.fill_(float("nan"))
        values, sight = observer_for(config, source, stand_in).look(game, 3)
        assert sight.round == 3
        if "points" in sight.parts:
            json.dumps(sight.parts, allow_nan=False)
        if "histogram" in sight.parts and config.data.name == "ring":
            assert sight.parts["histogram"]["counts"][-1] == 64
            assert values["modes_covered"] == 0


def test_many_samples_are_made_a_few_at_a_time(small: Callable) -> None:
    config = small({"diagnostics.samples": 4 * SAMPLES_AT_ONCE + 1})
    source = load_source(config)
    asked: list[int] = []

    def draw(n: int, stream: torch.Generator) -> Tensor:
        asked.append(n)
        return source.sample(n, stream)

    _, sight = observer_for(config, source, lambda source: None).look(RealGame(draw, 0), 0)
    assert asked[:5] == [SAMPLES_AT_ONCE] * 4 + [1]
    assert max(asked) == SAMPLES_AT_ONCE
    assert sum(sight.parts["histogram"]["counts"]) == sight.parts["histogram"]["n"] == sum(asked[:5])


@pytest.mark.parametrize("scale", [1e-30, 1e-5, 1.0, 3e4, 1e30])
def test_numbers_for_the_wire_keep_their_digits_at_any_scale(scale: float) -> None:
    values = scale * np.random.default_rng(0).uniform(-1, 1, (50, 2))
    short = np.array(rounded(values))
    assert np.abs(short - values).max() <= 1e-4 * scale
    if 1e-9 < scale < 1e9:
        assert len(json.dumps(rounded(values))) < 50 * 2 * 16


def test_numbers_that_are_not_finite_become_none() -> None:
    assert rounded(np.array([[1.0, np.nan], [np.inf, 0.0]])) == [[1.0, None], [None, 0.0]]
    assert rounded(np.zeros(2)) == [0.0, 0.0]
    assert rounded(np.array([])) == []

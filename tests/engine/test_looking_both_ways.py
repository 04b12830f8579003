"""What is seen and measured of a game on two kinds of data without pairs, each number beside the map that changes nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_core import api
from gan_core.config import RunConfig, preset_config
from gan_core.data import ImageSource, to_uint8, to_unit
from gan_core.engine import DataError, Lab
from gan_core.engine.observers import CycledObserver, observer_for
from gan_core.engine.observers.cycled import AS_IT_IS, HEADS, SHOWN
from gan_core.store import StoreError
from gan_core.training import build, load_source, resolve
from gan_core.training.domains import domains, judged_sources
from gan_core.ui.watching import panels_for

SMALL = {
    "data.name": "digits8",
    "data.options": {"size": 8},
    "data.batch_size": 4,
    "domain_b.name": "digits8",
    "domain_b.options": {"size": 8},
    "model.generator.widths": [4],
    "model.discriminator.widths": [4],
    "diagnostics.samples": 40,
    "schedule.rounds": 2,
}
RING = {"diagnostics.samples": 400, "device": "cpu"}


class Says:
    """A game whose translators are functions."""

    def __init__(self, there: Any, back: Any) -> None:
        self.translate, self.translate_back = there, back


class Judge:
    """Reads the class of every picture that it knows, of any other 0; ``asked`` has the data that it is of."""

    report = SimpleNamespace(accuracy=1.0, n_heldout=1)

    def __init__(self, source: ImageSource) -> None:
        assert source.y is not None
        self.known = {to_uint8(x).numpy().tobytes(): int(y) for x, y in zip(to_unit(source.x), source.y, strict=True)}

    def probabilities(self, x: Tensor) -> np.ndarray:
        seen = [self.known.get(one.numpy().tobytes(), 0) for one in to_uint8(x)]
        return np.eye(10)[seen]

    def features(self, x: Tensor) -> np.ndarray:
        flat: np.ndarray = x.flatten(1)[:, ::7].numpy()
        return flat

    def judge(self, x: Tensor) -> tuple[np.ndarray, np.ndarray]:
        return self.probabilities(x), self.features(x)


def same(x: Tensor) -> Tensor:
    return x


def negative(x: Tensor) -> Tensor:
    return -x


def digits(changes: dict[str, Any] | None = None) -> tuple[Any, Any]:
    config = resolve(RunConfig.load({"game": "cyclegan", "device": "cpu"}).replace({**SMALL, **(changes or {})}))
    return config, load_source(config)


def test_both_ways_are_measured_by_the_classifier_of_where_they_lead() -> None:
    config, source = digits()
    asked: list[str] = []

    def classifier(of: ImageSource) -> Any:
        asked.append(of.fingerprint)
        assert len(of.train_index) == len(source.train_index), "that of the whole set, not of a half"
        return Judge(source)

    observer = observer_for(config, source, classifier)
    assert isinstance(observer, CycledObserver)
    numbers, _ = observer.look(Says(same, same), 0)  # type: ignore[arg-type]
    assert (numbers["translated_class"], numbers["translated_class_back"]) == (1.0, 1.0)
    assert numbers["cycle_error"] == numbers["cycle_error_back"] == 0
    one_way, _ = observer.look(Says(negative, same), 0)  # type: ignore[arg-type]
    assert one_way["translated_class"] < 0.3
    assert one_way["translated_class_back"] == 1.0
    inverse, _ = observer.look(Says(negative, negative), 0)  # type: ignore[arg-type]
    assert inverse["cycle_error"] == 0, "nothing is lost, and no class is kept"
    reference = observer.reference()
    assert reference is not None
    beside = reference["beside"]
    assert beside["translated_class"] == {AS_IT_IS: 1.0, "real ones there": 1.0}
    assert beside["cycle_error"][AS_IT_IS] == 0 < beside["cycle_error"]["mean of all"]
    assert beside["frechet_distance"][AS_IT_IS] == pytest.approx(numbers["frechet_distance"])


def test_rows_show_each_sample_beside_what_is_made_of_it() -> None:
    config, source = digits()
    observer = observer_for(config, source, lambda _: None)
    _, sight = observer.look(Says(negative, lambda x: x / 2), 0)  # type: ignore[arg-type]
    sheet = sight.parts["translated"]
    assert sheet.heads == HEADS
    assert sheet.images.shape == (SHOWN, len(HEADS), 1, 8, 8)
    a, there, again, b, back, once_more = (to_unit(torch.from_numpy(sheet.images[:, place])) for place in range(6))
    step = 1.01 / 127.5
    for one, other in ((there, -a), (again, -a / 2), (back, b / 2), (once_more, -b / 2)):
        torch.testing.assert_close(one, other, atol=step, rtol=0)
    held = [to_unit(of.x[of.heldout_index]) for of in domains(config, source)]  # type: ignore[union-attr]
    for shown, known in ((a, held[0]), (b, held[1])):
        assert all((one == known).flatten(1).all(1).any() for one in shown), "held out, each of its own half"


def test_the_map_of_the_modes_of_a_ring_is_counted_and_drawn() -> None:
    config = resolve(preset_config("ring-cycle", RING))
    source = load_source(config)
    observer = observer_for(config, source, lambda _: None)

    def turn(x: Tensor) -> Tensor:
        return torch.stack([-x[:, 1], x[:, 0]], 1)

    kept, sight = observer.look(Says(same, same), 0)  # type: ignore[arg-type]
    assert (kept["modes_right"], kept["share_right"]) == (4, 1)
    moved, sight = observer.look(Says(turn, lambda x: -turn(x)), 0)  # type: ignore[arg-type]
    assert (moved["modes_right"], moved["share_right"]) == (0, 0)
    assert moved["cycle_error"] == pytest.approx(0, abs=1e-6)
    assert moved["modes_covered"] == 4, "every mode of B is reached"
    points = sight.parts["points"]
    assert points["told"] == "Modes of A go to modes of B: 1 → 2, 2 → 3, 3 → 4, 4 → 1."
    np.testing.assert_allclose(points["ways"][0], [2, 0, 0, 2], atol=0.02)
    assert len(points["from"]) == len(points["fake"])
    reference = observer.reference()
    assert reference is not None
    assert reference["beside"]["modes_right"] == {AS_IT_IS: 4.0, "a bijection at random": 1.0}


def test_points_between_modes_are_of_none() -> None:
    """A translator that has learned nothing sends all to the middle, which is nearest to one of the modes."""
    config = resolve(preset_config("ring-cycle", RING))
    observer = observer_for(config, load_source(config), lambda _: None)
    numbers, _ = observer.look(Says(lambda x: 0.1 * x, same), 0)  # type: ignore[arg-type]
    assert (numbers["modes_right"], numbers["share_right"]) == (0, 1)


def test_a_run_needs_the_classifiers_of_both_kinds_of_data() -> None:
    config = resolve(preset_config("digits8-to-mnist", {"device": "cpu"}))
    assert [one.name for one in judged_sources(config, load_source(config))] == ["digits8_framed", "mnist5k"]
    config, source = digits()
    assert judged_sources(config, source) == (source,)


def test_looking_moves_nothing_and_a_run_is_watched_and_asked(tmp_path: Any) -> None:
    config, _ = digits()
    with Lab(tmp_path, executor="thread") as lab:
        run = lab.submit(config)
        lab.wait(run, 120)
        record = lab.store.run(run)
        assert record.status == "finished"
        assert "translated" in lab.store.frames(run)[-1].parts
        slots = [panel["slot"] for panel in panels_for(record)]
        assert {"translated", "both-ways", "cycle-chart"} <= set(slots)
        assert "pair-numbers" not in slots
    x = np.zeros((2, 1, 8, 8), np.uint8)
    game: Any = build(config, load_source(config))
    assert api.translate(run, x, store=tmp_path).shape == x.shape
    with pytest.raises(DataError, match="degrades nothing"):
        api.translate(run, x, degrade=True, store=tmp_path)
    before = [parameter.clone() for parameter in game.G.parameters()]
    observer_for(config, load_source(config), lambda _: None).look(game, 0)
    assert all(torch.equal(one, other) for one, other in zip(before, game.G.parameters(), strict=True))


def test_a_ring_is_no_picture(tmp_path: Any) -> None:
    config = resolve(preset_config("ring-cycle", {"schedule.rounds": 1, "diagnostics.samples": 16, "device": "cpu"}))
    with Lab(tmp_path, executor="thread") as lab:
        run = lab.submit(config)
        lab.wait(run, 60)
    with pytest.raises(StoreError, match="does not go from picture to picture"):
        api.translate(run, np.zeros((1, 1, 8, 8), np.uint8), store=tmp_path)

"""Looking at a conditional game: a row for each class, the same noise down a column, and who got what was asked for."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gan_core.engine.messages import ClassGrid, Sight
from gan_core.engine.observers import observer_for
from gan_core.engine.observers.base import _rows
from gan_core.training import Turn, build, capture, checkpoints, load_source, round_of, state_hash

CLASSES = {"model.condition": "concatenation", "diagnostics.grid": 45}


class Obedient:
    """A generator that makes what it is asked for: the grey of the class, and z's first number in a corner."""

    def __init__(self, obeys: bool = True) -> None:
        self.obeys = obeys
        self.asked: list[Tensor] = []

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        assert y is not None
        self.asked.append(y)
        grey = (y if self.obeys else torch.zeros_like(y)) / 5 - 0.9
        x = grey[:, None, None, None].expand(-1, 1, 28, 28).clone()
        x[:, 0, 0, 0] = z[:, 0].clamp(-1, 1)
        return x

    def pull(self, x_fake: Tensor, x_real: Tensor) -> None:
        return None

    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return torch.zeros(len(x))


@pytest.mark.parametrize(
    ("classes", "samples", "rows", "columns"),
    [
        (10, 64, 10, 6),
        (10, 80, 10, 8),
        (10, 20, 10, 2),
        (10, 19, 4, 4),
        (1000, 64, 8, 8),
        (26, 64, 26, 2),
        (3, 1, 1, 1),
    ],
)
def test_a_row_for_each_class_while_two_columns_fit(classes: int, samples: int, rows: int, columns: int) -> None:
    chosen, width = _rows(classes, samples)
    assert (len(chosen), width) == (rows, columns)
    assert len(set(chosen)) == rows
    assert all(0 <= k < classes for k in chosen)
    assert rows * width <= samples
    if 1 < rows < classes:
        assert (chosen[0], chosen[-1]) == (0, classes - 1)


def test_rows_are_classes_and_columns_are_noise(digits: Callable, stand_in: Callable) -> None:
    config = digits(CLASSES)
    _, sight = observer_for(config, load_source(config), stand_in).look(Obedient(), 0)
    grid = sight.parts["grid"]
    assert isinstance(grid, ClassGrid)
    assert grid.classes == tuple(range(10))
    assert grid.images.shape == (10, 4, 1, 28, 28)
    for k, row in enumerate(grid.images):
        assert np.all(row[:, 0, 9, 9] == round((k / 5 - 0.9 + 1) * 127.5))
    corners = grid.images[:, :, 0, 0, 0]
    assert np.array_equal(corners, np.broadcast_to(corners[0], corners.shape))
    assert len(set(corners[0].tolist())) > 1


def test_who_makes_what_is_asked_for(digits: Callable, stand_in: Callable) -> None:
    config = digits({**CLASSES, "diagnostics.samples": 600})
    observer = observer_for(config, load_source(config), stand_in)
    obedient = Obedient()
    assert observer.look(obedient, 0)[0]["label_accuracy"] == 1
    asked = torch.bincount(obedient.asked[-1], minlength=10) / 600
    assert asked.tolist() == pytest.approx([0.1] * 10, abs=0.05)
    assert observer.look(Obedient(obeys=False), 0)[0]["label_accuracy"] == pytest.approx(asked[0].item())
    assert observer.reference()["floors"]["label_accuracy"] == 0.5, "what the classifier reads on real images"


def test_nobody_is_asked_without_classes(digits: Callable, stand_in: Callable) -> None:
    config = digits()
    source = load_source(config)
    numbers, sight = observer_for(config, source, stand_in).look(build(config, source), 0)
    assert "label_accuracy" not in numbers
    assert isinstance(sight.parts["grid"], np.ndarray)
    assert "label_accuracy" not in observer_for(config, source, stand_in).reference()["floors"]


@pytest.mark.parametrize("kind", ["concatenation", "embedding", "projection", "ac_gan"])
def test_looking_leaves_a_conditional_game_as_it_was(kind: str, digits: Callable, stand_in: Callable) -> None:
    config = digits({**CLASSES, "model.condition": kind, "model.generator.normalization": "batch"})
    source = load_source(config)
    game = build(config, source)
    before = state_hash(capture(game, 0))  # type: ignore[arg-type]
    observer = observer_for(config, source, stand_in)
    one, other = (observer.look(game, 0) for _ in range(2))
    assert state_hash(capture(game, 0)) == before  # type: ignore[arg-type]
    assert one[0] == other[0]
    assert np.array_equal(one[1].parts["grid"].images, other[1].parts["grid"].images)


def test_stacks_have_some_of_their_thousand_classes(digits: Callable) -> None:
    config = digits({"data.name": "stacked", "model.condition": "embedding"})
    source = load_source(config)
    _, sight = observer_for(config, source, lambda source: None).look(build(config, source), 0)
    assert sight.parts["grid"].images.shape == (2, 2, 3, 28, 28)
    assert sight.parts["grid"].classes == (0, 999)


def test_a_conditional_run_is_recorded_with_its_rows(
    open_lab: Callable, digits: Callable, until: Callable, tmp_path: Path
) -> None:
    lab = open_lab()
    run_id = lab.submit(digits({**CLASSES, "schedule.rounds": 3}))
    until(lambda: not lab.is_active(run_id), "the run ends")
    frames = lab.store.frames(run_id)
    grid: dict[str, Any] = frames[0].parts["grid"]
    assert (grid["count"], grid["columns"], grid["classes"]) == (40, 4, list(range(10)))
    picture = Image.open(io.BytesIO(lab.store.artefact_path(run_id, grid["file"]).read_bytes()))
    assert picture.size == (4 * 30 - 2, 10 * 30 - 2)
    assert lab.store.run(run_id).status == "finished"


def test_a_conditional_run_goes_on_exactly(
    digits: Callable, play_job: Callable, stand_in: Callable, tmp_path: Path
) -> None:
    """Stopped, resumed and measured on the way: the same state and the same last picture as in one go."""
    config = digits({**CLASSES, "model.condition": "ac_gan", "schedule.rounds": 12})

    def stop(turn: Turn, inbox: Any) -> None:
        if turn.round == 5:
            inbox.put("stop")

    whole = play_job(config, classifier=stand_in)
    first = play_job(config, classifier=stand_in, folder="parts", hook=stop)
    path = checkpoints(tmp_path / "parts")[-1]
    assert first.end.round == round_of(path) < 12
    second = play_job(config, classifier=stand_in, folder="parts", resume_from=path)
    assert second.end.summary["state_hash"] == whole.end.summary["state_hash"]
    assert np.array_equal(*(told.of(Sight)[-1].parts["grid"].images for told in (whole, second)))

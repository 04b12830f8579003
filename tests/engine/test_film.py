"""A run as a GIF: every frame once, in order, with what was drawn there."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from gan_core.config import Comparison
from gan_core.engine.exchange.film import GUTTER, HEADING, SIDE, SIDE_OF_MANY, STRIP, film
from gan_core.engine.showing.pictures import GENERATED
from gan_core.store import RunNotFound, StoreError


def frames_of(data: bytes) -> list[np.ndarray]:
    with Image.open(io.BytesIO(data)) as gif:
        assert gif.format == "GIF"
        pictures = []
        for index in range(gif.n_frames):
            gif.seek(index)
            pictures.append(np.asarray(gif.convert("RGB")).astype(int))
    return pictures


def test_points_are_where_they_were(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    run = lab.submit(small())
    lab.wait(run, 60)
    pictures = frames_of(film(lab.store, run))
    frames = lab.store.frames(run)
    assert len(pictures) == len(frames) == 5
    assert {picture.shape for picture in pictures} == {(SIDE + STRIP, SIDE, 3)}
    orange = [np.abs(picture[:SIDE] - GENERATED).sum(-1) < 60 for picture in pictures]
    assert all(found.any() for found in orange)
    assert (orange[0] != orange[-1]).any()  # G moved
    bars = [np.abs(picture[SIDE + 2] - (0, 114, 178)).sum(-1) < 60 for picture in pictures]
    assert [int(bar.sum()) for bar in bars] == sorted(int(bar.sum()) for bar in bars)
    assert bars[-1].all()


def test_images_are_the_stored_grids(open_lab: Callable, digits: Callable) -> None:
    lab = open_lab()
    lab.classifiers.get = lambda source: None  # type: ignore[method-assign]
    run = lab.submit(digits({"schedule.rounds": 4}))
    lab.wait(run, 60)
    frames = lab.store.frames(run)
    pictures = frames_of(film(lab.store, run))
    assert len(pictures) == len(frames)
    with Image.open(lab.store.artefact_path(run, frames[-1].parts["grid"]["file"])) as grid:
        scale = round(SIDE / grid.width)
        expected = np.asarray(grid.convert("RGB").resize((grid.width * scale, grid.height * scale), 0)).astype(int)
    assert np.abs(pictures[-1][: expected.shape[0]] - expected).mean() < 3  # a GIF has 256 colours


def test_variants_of_a_comparison_stand_beside_each_other_by_round(open_lab: Callable, small: Callable) -> None:
    lab = open_lab(executor="thread")
    variants = [{"name": name, "changes": {"objective": name}} for name in ("ns_gan", "ls_gan")]
    made = lab.compare(Comparison.load({"base": small(), "variants": variants, "seeds": [4, 2]}))
    members = lab.store.comparison(made).members
    for member in members:
        lab.wait(member.run, 60)
    pictures = frames_of(film(lab.store, made))
    assert len(pictures) == len(lab.store.frames(members[0].run))
    assert {picture.shape for picture in pictures} == {(SIDE_OF_MANY + HEADING + STRIP, 2 * SIDE_OF_MANY + GUTTER, 3)}
    columns = [
        (picture[HEADING:SIDE_OF_MANY, :SIDE_OF_MANY], picture[HEADING:SIDE_OF_MANY, -SIDE_OF_MANY:])
        for picture in pictures
    ]
    orange = [[np.abs(column - GENERATED).sum(-1) < 60 for column in beside] for beside in columns]
    assert (orange[0][0] == orange[0][1]).all()  # they begin with the same samples
    assert (orange[-1][0] != orange[-1][1]).any()


def test_a_run_of_which_nothing_was_seen_is_a_sentence(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    lab.capacity = 0
    with pytest.raises(StoreError, match="nothing to show"):
        film(lab.store, lab.submit(small()))
    with pytest.raises(RunNotFound):
        film(lab.store, "nobody")

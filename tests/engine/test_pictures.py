"""Small pictures of samples."""

from __future__ import annotations

import numpy as np

from gan_core.engine.showing.pictures import GENERATED, THUMB, sketch
from gan_core.ui import theme


def test_dots_stand_where_the_points_are_with_up_as_up() -> None:
    plane = {"xs": [-1.0, 1.0], "ys": [-1.0, 1.0], "fake": [[-0.5, 0.5], [9.0, 9.0], [float("nan"), 0.0]]}
    picture = sketch(plane)
    rows, columns = picture[..., 3].nonzero()
    assert picture.shape == (THUMB, THUMB, 4)
    assert abs(rows.mean() - THUMB / 4) < 1.5
    assert abs(columns.mean() - THUMB / 4) < 1.5
    assert len(rows) < 25  # one dot: a point outside and one that is not a number leave no trace
    assert (picture[rows, columns, :3] == GENERATED).all()


def test_a_narrow_density_is_a_spike_and_a_broad_one_is_low() -> None:
    at = np.linspace(-4, 4, 80)
    heights = []
    for std in (0.2, 1.5):
        picture = sketch({"xs": at.tolist(), "fake": np.exp(-((at / std) ** 2) / 2).tolist()})
        rows, columns = picture[..., 3].nonzero()
        assert abs(columns.mean() - THUMB / 2) < 2
        heights.append(THUMB - rows.min())
    assert heights[0] > 2 * heights[1] > 20


def test_nothing_finite_is_an_empty_picture() -> None:
    assert not sketch({"xs": [0, 1], "ys": [0, 1], "fake": [[float("nan"), 0.0]]})[..., 3].any()
    assert sketch({"xs": [0.0, 1.0], "fake": [float("nan"), 0.0]}).shape == (THUMB, THUMB, 4)


def test_generated_samples_have_one_colour_everywhere() -> None:
    assert "#{:02x}{:02x}{:02x}".format(*GENERATED) == theme.FAKE.lower()

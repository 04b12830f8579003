"""The networks that courses print: every layer as on the slide."""

from __future__ import annotations

import itertools

import pytest

from gan_core.config import PRESETS, preset_config
from gan_core.config.courses import COURSES
from gan_core.training import resolve
from gan_core.training.build import layer_tables

PRINTED = {
    "course-two-hidden": ([100, 256, 256, 784], [784, 256, 256, 1]),
    "course-one-hidden": ([64, 256, 784], [784, 128, 1]),
    "course-dropout": ([100, 32, 64, 128, 784], [784, 128, 64, 32, 1]),
}


@pytest.mark.parametrize("name", COURSES)
def test_the_layers_are_those_that_are_printed(name: str) -> None:
    tables = layer_tables(resolve(preset_config(name)))
    for rows, widths in zip(tables.values(), PRINTED[name], strict=True):
        linear = [f"Linear, {a} → {b}" for a, b in itertools.pairwise(widths)]
        assert [row.name for row in rows if row.name.startswith("Linear")] == linear
        assert sum(row.parameters for row in rows) == sum(a * b + b for a, b in itertools.pairwise(widths))
        dropped = [row.name for row in rows if row.name.startswith("Dropout")]
        assert dropped == (["Dropout, 0.3"] * (len(widths) - 2) if name == "course-dropout" else [])


def test_courses_are_presets_of_their_own_kind() -> None:
    assert COURSES.keys() == PRINTED.keys()
    for name in COURSES:
        assert PRESETS[name].kind == "course"

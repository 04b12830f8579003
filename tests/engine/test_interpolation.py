"""From one noise to another: both ends are what was drawn, and on the way z stays as likely as it was."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from PIL import Image

from gan_core.engine import Lab
from gan_core.engine.exchange.interpolation import PAIRS, STEPS, between, strip
from gan_core.engine.showing.pictures import GAP


@pytest.mark.parametrize("straight", [True, False])
def test_the_ends_are_the_two_draws_and_the_middle_is_as_far_from_either(straight: bool) -> None:
    start, end = torch.randn(2, 5, 40, generator=torch.Generator().manual_seed(1))
    way = between(start, end, 9, straight=straight)
    assert way.shape == (5, 9, 40)
    torch.testing.assert_close(way[:, 0], start)
    torch.testing.assert_close(way[:, -1], end)
    if straight:
        torch.testing.assert_close(way[:, 4], (start + end) / 2)
    else:
        torch.testing.assert_close(
            way[:, 4] / way[:, 4].norm(dim=1, keepdim=True), _unit(start + end), atol=0.1, rtol=0
        )
        assert (way.norm(dim=-1) > 0.9 * torch.minimum(start.norm(dim=1), end.norm(dim=1))[:, None]).all()


def test_two_orthogonal_draws_are_joined_by_a_quarter_of_a_circle() -> None:
    way = between(torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.0]]), 3, straight=False)
    torch.testing.assert_close(way[0, 1], torch.full((2,), 3 / 2**0.5))


@pytest.mark.parametrize("condition", ["none", "concatenation"])
def test_the_strip_of_a_run_shows_its_newest_checkpoint(lab: Lab, tiny: Callable, condition: str) -> None:
    run = lab.submit(tiny("mlp", {"data.name": "mnist5k", "schedule.rounds": 2, "model.condition": condition}))
    assert lab.wait(run, timeout=60).status == "finished"
    made = strip(lab.store, run)
    assert made is not None
    with Image.open(io.BytesIO(made)) as picture:
        assert picture.size == (STEPS * (28 + GAP) - GAP, PAIRS * (28 + GAP) - GAP)
    assert strip(lab.store, run) == made


def test_points_have_no_strip(lab: Lab, tiny: Callable) -> None:
    run = lab.submit(tiny("mlp", {"schedule.rounds": 2}))
    lab.wait(run, timeout=60)
    assert strip(lab.store, run) is None


def _unit(vectors: Any) -> Any:
    return vectors / vectors.norm(dim=1, keepdim=True)

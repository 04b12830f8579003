"""Sprites: every combination of the factors once, all to be told apart, and drawn as the factors say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gan_core.data import DATASETS, ImageSource
from gan_core.data.sprites import drawn


@pytest.fixture(scope="module")
def source() -> ImageSource:
    found = DATASETS["sprites"].load()
    assert isinstance(found, ImageSource)
    return found


def test_every_combination_stands_there_once(source: ImageSource) -> None:
    factors = source.factors
    assert factors is not None
    assert source.x.shape == (6144, 1, 28, 28)
    assert factors.table.shape == (6144, 5)
    assert len(torch.unique(factors.table, dim=0)) == 6144
    assert factors.table.amax(0).add(1).tolist() == list(factors.sizes) == [3, 4, 8, 8, 8]
    assert source.y is not None
    assert torch.equal(source.y, factors.table[:, 0])
    assert len(source.class_names) == 3


def test_no_two_look_the_same(source: ImageSource) -> None:
    """Also no shape at two angles, which a square would."""
    assert len(np.unique(source.x.flatten(1).numpy(), axis=0)) == 6144


def test_a_fifth_is_held_out_whatever_the_factors(source: ImageSource) -> None:
    factors = source.factors
    assert factors is not None
    heldout = factors.table[source.heldout_index]
    assert len(heldout) == pytest.approx(6144 / 5, abs=2)
    for index, size in enumerate(factors.sizes):
        shares = torch.bincount(heldout[:, index]).float() / len(heldout)
        assert shares.sub(1 / size).abs().max() < 0.04


def test_they_are_drawn_as_the_factors_say() -> None:
    """The centre of mass moves with x and y by 10/7 of a pixel, the area is as the square of the size, nothing is cut."""
    pixels = torch.arange(28.0)
    for shape in range(3):
        here = drawn(
            torch.tensor([[shape, 1, 0, 2, 5], [shape, 1, 0, 3, 5], [shape, 1, 0, 2, 6], [shape, 3, 0, 2, 5]])
        )[:, 0]
        mass = here.sum((1, 2))
        across, down = (here.sum(1) * pixels).sum(1) / mass, (here.sum(2) * pixels).sum(1) / mass
        assert (across[1] - across[0]).item() == pytest.approx(10 / 7, abs=0.1)
        assert (down[2] - down[0]).item() == pytest.approx(10 / 7, abs=0.1)
        assert (mass[3] / mass[0]).item() == pytest.approx((6.5 / 4.3) ** 2, rel=0.1)
    largest = drawn(torch.tensor([[0, 3, 0, 2, 5]]))[0, 0]
    assert largest.amax(0).sum().item() == largest.amax(1).sum().item() == pytest.approx(2 * 6.5), (
        "the scale is half its side"
    )
    every = torch.cartesian_prod(
        *(torch.arange(size) for size in (3, 4, 8)), torch.tensor([0, 7]), torch.tensor([0, 7])
    )
    mass = drawn(every).sum((1, 2, 3)).reshape(3, 4, -1)
    assert (mass.amax(2) - mass.amin(2)).div(mass.mean(2)).max() < 0.12, "no picture loses a part of it at an edge"


def test_a_quarter_turn_of_the_factor_is_one_of_the_picture() -> None:
    """About a centre between pixels 13 and 14 of a grid whose middle is 13.5."""
    row = torch.tensor([[0, 2, angle, 0, 0] for angle in (0, 2)])
    first, second = drawn(row)[:, 0]
    window = slice(0, 19)  # around the centre (9, 9)
    assert torch.allclose(torch.rot90(first[window, window], -1), second[window, window], atol=1e-4)

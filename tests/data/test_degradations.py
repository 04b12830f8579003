"""Degradations are pure functions of pictures and a generator, and do what their cards say."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from scipy.ndimage import label

from gan_core.config.games.pix2pix import DegradationName
from gan_core.data import DEGRADATIONS, coloured, mnist5k, to_unit
from gan_core.data.degradations import bicubic, coarser


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def digits(n: int = 6) -> torch.Tensor:
    source = mnist5k()
    return to_unit(source.x[source.heldout_index[:: len(source.heldout_index) // n][:n]])


def test_the_settings_name_what_there_is() -> None:
    assert get_args(DegradationName) == tuple(DEGRADATIONS)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_a_degradation_is_pure_and_keeps_to_the_range(name: str) -> None:
    degrade, grey = DEGRADATIONS[name].apply, digits().expand(-1, DEGRADATIONS[name].channels, -1, -1)
    tinted = grey if grey.shape[1] == 1 else torch.cat([grey[:, :1], grey[:, 1:] * 0.5 - 0.5], 1)
    for x in (tinted, torch.rand(2, 3, 9, 13, generator=seeded()) * 2 - 1):
        before = x.clone()
        given = degrade(x, seeded())
        assert given.shape == x.shape
        assert torch.equal(x, before), "the target stays as it is"
        assert torch.equal(degrade(x, seeded()), given)
        assert given.min() >= -1
        assert given.max() <= 1 + 1e-6
        assert not torch.equal(given, x)


def test_only_scratches_shadows_and_noise_depend_on_chance() -> None:
    x = digits()
    random = {
        name for name, one in DEGRADATIONS.items() if not torch.equal(one.apply(x, seeded(1)), one.apply(x, seeded(2)))
    }
    assert random == {"scratched", "shadowed", "noisy"}


@pytest.mark.parametrize(("name", "side"), [("half_size", 14), ("quarter_size", 7)])
def test_a_mosaic_keeps_the_mean_and_has_so_many_pixels(name: str, side: int) -> None:
    """Areas are averaged; picking every fourth pixel would keep neither the mean nor thin strokes."""
    x, one = digits(), DEGRADATIONS[name]
    given = one.apply(x, seeded())
    torch.testing.assert_close(given.mean((1, 2, 3)), x.mean((1, 2, 3)))
    low = coarser(given, one.factor)
    assert low.shape[2:] == (side, side)
    torch.testing.assert_close(low, coarser(x, one.factor))
    assert (bicubic(given, one.factor) - x).square().mean() < (given - x).square().mean()


def test_a_shadow_darkens_one_side_of_every_channel_by_its_share() -> None:
    white = torch.ones(200, 3, 28, 28)
    given = (DEGRADATIONS["shadowed"].apply(white, seeded()) + 1) / 2
    assert torch.equal(given[:, 0], given[:, 2]), "it has no colour"
    assert given.min() == pytest.approx(0.35, abs=0.01)
    assert given.max() == pytest.approx(1, abs=0.01)
    between = ((given > 0.4) & (given < 0.95)).float().mean()
    assert 0.02 < between < 0.2, "an edge, a few pixels wide"
    assert given.mean() == pytest.approx(1 - 0.65 / 2, abs=0.03), "half of the plane, on average"


def test_scratches_have_their_widths_and_differ_from_picture_to_picture() -> None:
    grey = torch.zeros(64, 1, 28, 28)
    given = DEGRADATIONS["scratched"].apply(grey, seeded())
    black, white = (given == -1).float().mean((1, 2, 3)) * 784, (given == 1).float().mean((1, 2, 3)) * 784
    assert not torch.equal(given[0], given[1])
    assert 60 < black.mean() < 140, "two lines of three pixels, of about 20 pixels inside of the picture each"
    assert 20 < white.mean() < 60, "two of one pixel"


def test_a_skeleton_is_one_pixel_thick_and_as_connected() -> None:
    bar = torch.full((1, 1, 9, 15), -1.0)
    bar[..., 3:6, 2:13] = 1.0
    thin = DEGRADATIONS["skeleton"].apply(bar, seeded())
    assert ((thin > 0).sum(2) <= 1).all()
    x = digits(20)
    strokes = DEGRADATIONS["skeleton"].apply(x, seeded())
    assert torch.equal(DEGRADATIONS["skeleton"].apply(strokes, seeded()), strokes), "nothing is left to thin"
    assert not ((strokes > 0) & (x <= 0)).any()
    for before, after in zip(x[:, 0].numpy() > 0, strokes[:, 0].numpy() > 0, strict=True):
        assert label(before, np.ones((3, 3)))[1] == label(after, np.ones((3, 3)))[1]


def test_a_grey_picture_does_not_tell_its_hue() -> None:
    """Each coloured digit has one channel, as light as the grey one; luma would tell red from green by its lightness."""
    colour, plain = coloured(), mnist5k()
    assert torch.equal(colour.heldout_index, plain.heldout_index)
    x, one = to_unit(colour.x[:300]), to_unit(plain.x[:300])
    assert torch.equal(DEGRADATIONS["grey"].apply(x, seeded()), one.expand(-1, 3, -1, -1))
    lit = (colour.x.flatten(2).amax(2) > 0).float()
    assert (lit.sum(1) == 1).all()
    shares = lit.mean(0)
    assert shares.numpy() == pytest.approx([1 / 3] * 3, abs=0.03)
    of_class = torch.stack([lit[colour.y == digit].mean(0) for digit in range(10)])  # type: ignore[arg-type]
    assert (of_class - 1 / 3).abs().max() < 0.1, "a hue says nothing of the class"


def test_an_outline_is_the_edge_of_its_stroke() -> None:
    square = torch.full((1, 1, 9, 9), -1.0)
    square[..., 2:7, 2:7] = 1.0
    edge = DEGRADATIONS["outline"].apply(square, seeded())
    inside = torch.full_like(square, -1.0)
    inside[..., 3:6, 3:6] = 1.0
    assert torch.equal(edge > 0, (square > 0) & (inside < 0))

"""Layers over a plane: arrows that are G's gradient, and the grid that G makes of its noise; looking changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gan_core.config import OBJECTIVES
from gan_core.engine.layers import ARROWS, GRID_LINES, GRID_POINTS, lines_of_grid, noise_grid, pull_on_points
from gan_core.engine.observer import observer_for
from gan_core.training import capture, load_source, state_hash


@pytest.mark.parametrize("objective", ["wgan_gp", "ns_gan", "mm_gan", "ls_gan"])
def test_the_pull_is_the_slope_of_gs_loss_in_each_sample(
    objective: str, tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    """Oracle: central differences of the loss of one sample alone, in double precision."""
    game = game_of(tiny(changes={"objective": objective}))
    advance(game, 3)
    x, real = torch.randn(5, 2, generator=torch.Generator().manual_seed(1)), torch.zeros(5, 2)
    before = state_hash(capture(game, 3))
    pull = game.pull(x, real)
    assert state_hash(capture(game, 3)) == before
    assert game.D.training

    D = game.D.double().eval()

    def loss(one: torch.Tensor) -> float:
        with torch.no_grad():
            return float(game.loss.g_loss(torch.zeros(0, dtype=torch.float64), D(one[None])))

    h = 1e-5
    for i in range(5):
        for axis in range(2):
            step = torch.zeros(2, dtype=torch.float64)
            step[axis] = h
            slope = (loss(x[i].double() + step) - loss(x[i].double() - step)) / (2 * h)
            assert float(pull[i, axis]) == pytest.approx(-slope, rel=1e-3, abs=1e-6)


AUTOENCODERS = ("began", "ebgan")  # which are told nothing about the batch
ALONE, PACKED, TOLD = {}, {"model.discriminator.packing": 2}, {"model.discriminator.minibatch_stddev": 4}


@pytest.mark.parametrize(
    ("objective", "changes"),
    [
        (objective, changes)
        for objective in OBJECTIVES
        for changes in (ALONE, PACKED, TOLD)
        if changes is not TOLD or objective not in AUTOENCODERS
    ],
)
def test_every_objective_pulls(objective: str, changes: dict, tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny(changes={"objective": objective, **changes}))
    pull = game.pull(torch.randn(8, 2), torch.randn(8, 2))
    assert pull.shape == (8, 2)
    assert pull.isfinite().all()


def test_arrows_are_in_data_units(tiny: Callable, game_of: Callable) -> None:
    config = tiny()
    game, source = game_of(config), load_source(config)
    points = np.random.default_rng(0).normal(size=(ARROWS + 20, 2))
    arrows = pull_on_points(game, source, points, points, "cpu")
    assert arrows.shape == (ARROWS, 2)
    in_network = game.pull(*2 * [torch.as_tensor(source.to_network(points[:ARROWS]), dtype=torch.float32)]).numpy()
    scale = source.to_data(np.array([[1.0, 0.0]])) - source.to_data(np.zeros((1, 2)))
    np.testing.assert_allclose(arrows, in_network * scale[0, 0], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("dim", "kind"), [(1, "normal"), (2, "normal"), (7, "uniform")])
def test_the_grid_is_made_of_straight_lines_through_the_noise(dim: int, kind: str) -> None:
    z = noise_grid(dim, kind)
    lines = lines_of_grid(z.numpy())
    assert len(lines) == (1 if dim == 1 else 2 * GRID_LINES)
    for line in lines:
        assert line.shape == (GRID_POINTS, dim)
        steps = np.diff(line, axis=0)
        np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-6)
        assert np.abs(steps[0]).max() > 0
    assert float(z.abs().max()) == (1.0 if kind == "uniform" else 2.0)
    assert not z[:, 2:].any()


def test_a_frame_of_a_plane_has_its_layers_and_leaves_the_game_as_it_was(tiny: Callable, game_of: Callable) -> None:
    config = tiny(changes={"objective": "ragan"})
    game = game_of(config)
    before = state_hash(capture(game, 0))
    observer = observer_for(config, load_source(config), lambda source: None)
    drawn = observer.look(game, 0)[1].parts["points"]
    assert state_hash(capture(game, 0)) == before
    assert len(drawn["pull"]) == ARROWS
    assert [len(line) for line in drawn["grid"]] == [GRID_POINTS] * 2 * GRID_LINES

"""Layers over what G makes: where it is pushed, and the grid that it makes of its noise; looking changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gan_core.config import OBJECTIVES
from gan_core.engine.messages import Push
from gan_core.engine.observers import observer_for
from gan_core.engine.observers.layers import (
    ARROWS,
    GRID_LINES,
    GRID_POINTS,
    PUSHED,
    lines_of_grid,
    noise_grid,
    pull_on_points,
    push_on_images,
)
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


class Asking:
    """A game that asks for a known change, and remembers what it was asked with."""

    def __init__(self, pull: torch.Tensor | None) -> None:
        self.pulled, self.seen = pull, None

    def pull(self, x_fake: torch.Tensor, x_real: torch.Tensor) -> torch.Tensor | None:
        self.seen = x_fake, x_real
        return self.pulled


def test_a_push_is_grey_around_the_middle_in_shares_of_the_largest() -> None:
    pull = torch.zeros(2, 2, 1, 3)  # the mean over two channels is half of it
    pull[0, :, 0] = torch.tensor([[4.0, -2.0, 0.0], [0.0, 0.0, 0.0]])
    pull[1, :, 0] = torch.tensor([[-3.0, 1.0, 0.0], [-1.0, -1.0, 0.0]])
    game = Asking(pull)
    push = push_on_images(game, torch.zeros(2, 2, 1, 3), torch.ones(8, 2, 1, 3))
    assert push is not None
    assert push.largest == 2.0
    assert push.images.shape == (2, 1, 1, 3)
    assert push.images.ravel().tolist() == [255, 64, 128, 1, 128, 128]
    assert [len(x) for x in game.seen] == [2, 2], "losses that compare need as many of each"
    nothing = push_on_images(Asking(torch.zeros(2, 1, 2, 2)), *2 * [torch.zeros(2, 1, 2, 2)])
    assert nothing is not None
    assert (nothing.images == 128).all()
    for undefined in (None, torch.full((2, 1, 2, 2), torch.inf)):
        assert push_on_images(Asking(undefined), *2 * [torch.zeros(2, 1, 2, 2)]) is None


@pytest.mark.parametrize("architecture", ["mlp", "dcgan"])
def test_a_look_at_images_has_their_push_and_leaves_the_run_as_it_was(
    architecture: str, tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    told = {"objective": "ragan", "model.discriminator.spectral_norm": True, "model.discriminator.dropout": 0.3}
    config = tiny(architecture, {"data.name": "mnist5k", "data.options": {}, **told, "tricks.instance_noise": 0.1})
    game, alone = game_of(config), game_of(config)
    observer = observer_for(config, load_source(config), lambda source: None)
    for played in range(2):
        before = state_hash(capture(game, played))
        push = observer.look(game, played)[1].parts["push"]
        assert state_hash(capture(game, played)) == before
        assert isinstance(push, Push)
        assert push.images.shape == (PUSHED, 1, 28, 28)
        assert push.largest > 0
        assert advance(game, 1, played) == advance(alone, 1, played), (
            "a run that is looked at plays on as one that is not"
        )


def test_the_classes_of_a_conditional_run_have_no_push(tiny: Callable, game_of: Callable) -> None:
    config = tiny(changes={"data.name": "mnist5k", "data.options": {}, "model.condition": "concatenation"})
    assert (
        "push" not in observer_for(config, load_source(config), lambda source: None).look(game_of(config), 0)[1].parts
    )

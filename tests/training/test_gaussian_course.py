"""The example that courses print: N(4, 1.25²), networks of five and ten units, D sees a batch as one vector."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from gan_core.config import preset_config
from gan_core.metrics.moments import moments
from gan_core.training import Streams, play, resolve
from gan_core.training.latent import Latent


@pytest.mark.parametrize(("summary", "seen"), [("none", 500), ("squared_differences", 1000), ("moments", 4)])
def test_the_networks_are_those_of_the_course(summary: str, seen: int, game_of: Callable) -> None:
    """1–5–5–1 with tanh, and 10–10–1 after a whole batch in one of the three forms; SGD with momentum; 20 D steps."""
    config = resolve(preset_config("gaussian-course", {"model.discriminator.summary": summary, "device": "cpu"}))
    game = game_of(config)
    sizes = {
        name: [(layer.in_features, layer.out_features) for layer in network if isinstance(layer, nn.Linear)]
        for name, network in game.networks.items()
    }
    assert sizes == {"G": [(1, 5), (5, 5), (5, 1)], "D": [(seen, 10), (10, 10), (10, 1)]}
    assert sum(isinstance(layer, nn.Tanh) for layer in game.G) == 2
    D, G = game.players
    assert (D.steps, G.steps) == (20, 1)
    for player in (D, G):
        assert isinstance(player.optimizer, torch.optim.SGD)
        assert player.optimizer.param_groups[0]["momentum"] == 0.9
    z = game._noise(1000)
    assert z.min() < -0.9
    assert z.max() > 0.9
    assert z.abs().max() <= 1
    turns = play(game)
    for _ in range(21):
        assert all(value.isfinite() for value in next(turns).values.values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_mean_and_spread_reach_those_of_the_data(seed: int, game_of: Callable) -> None:
    config = resolve(preset_config("gaussian-course", {"seed": seed, "device": "cpu"}))
    game = game_of(config)
    for turn in play(game):
        if turn.ends_round and turn.round == config.schedule.rounds:
            break
    z = Latent(1, "uniform")(5000, Streams(1).generator("test"))
    generated = moments(game.sample(z).numpy())
    assert generated.mean == pytest.approx(4, abs=0.2)
    assert generated.std == pytest.approx(1.25, abs=0.2)

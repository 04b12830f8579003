"""Conditional games: whose labels go where, the class term of an AC-GAN, and penalties that look inside one class."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_core.data import DATASETS, image_source, label_count, open_stream
from gan_core.losses import LOSSES
from gan_core.regularizers import PENALTIES
from gan_core.training import Streams, capture, play, restore, take_turn
from gan_core.training.games import AdversarialGame

KINDS = ("concatenation", "embedding", "projection", "ac_gan")
EACH = pytest.mark.parametrize("kind", KINDS)


def conditional(kind: str, **changes: Any) -> dict[str, Any]:
    return {"data.name": "digits8", "data.options": {"size": 8}, "model.condition": kind, **changes}


def heard(network: torch.nn.Module) -> list[tuple[Tensor, Tensor | None]]:
    """Every input and its labels from now on."""
    calls: list[tuple[Tensor, Tensor | None]] = []

    def note(module: torch.nn.Module, inputs: tuple, more: dict) -> None:
        y = inputs[1] if len(inputs) > 1 else more.get("y")
        calls.append((inputs[0].detach().clone(), y))

    network.register_forward_pre_hook(note, with_kwargs=True)
    return calls


@EACH
def test_in_ds_turn_real_and_generated_have_the_labels_of_the_data(
    kind: str, tiny: Callable, game_of: Callable
) -> None:
    game = game_of(tiny("mlp", conditional(kind, objective="wgan_gp")))
    state = capture(game, 0)
    batch = game.data.next()
    restore(game, state)
    to_d, to_g = heard(game.D), heard(game.G)
    take_turn(game, game.players[0])
    assert torch.equal(to_d[0][0], batch.x)
    assert len(to_d) == 3, "real, generated, and between them for the penalty"
    for _, y in (*to_d, *to_g):
        assert torch.equal(y, batch.y)


@EACH
def test_gs_turn_draws_labels_of_its_own_without_moving_the_data(kind: str, tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", conditional(kind)))
    before, to_d, to_g = game.data.state(), heard(game.D), heard(game.G)
    for _ in range(3):
        take_turn(game, game.players[1])
    assert game.data.state() == before
    assert all(torch.equal(d, g) for (_, d), (_, g) in zip(to_d, to_g, strict=True))
    assert not torch.equal(to_g[0][1], to_g[1][1]), "fresh each time"


@pytest.mark.parametrize("loss", ["relativistic_pairing", "relativistic_average"])
def test_a_relativistic_pair_is_of_one_class(loss: str, tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", conditional("projection", **{"objective.loss": loss})))
    to_d, state = heard(game.D), capture(game, 0)
    batch = game.data.next()
    restore(game, state)
    take_turn(game, game.players[1])
    assert [torch.equal(y, batch.y) for _, y in to_d] == [True, True]


def test_labels_are_as_frequent_as_in_the_data() -> None:
    y = np.repeat([0, 1, 2], [80, 10, 10])
    source = image_source("three", np.zeros((100, 1, 8, 8), np.uint8), y, ("a", "b", "c"))
    stream = open_stream(source, 16, Streams(0).generator, torch.device("cpu"))
    drawn = stream.labels(20_000, Streams(0).generator("labels"))
    shares = torch.bincount(drawn, minlength=3) / 20_000
    assert shares.tolist() == pytest.approx([0.8, 0.1, 0.1], abs=0.012)  # 4 standard deviations
    again = stream.labels(20_000, Streams(0).generator("labels"))
    assert torch.equal(drawn, again)


def test_labels_of_stacks_are_those_of_three_digits() -> None:
    source = DATASETS["stacked"].load()
    stream = open_stream(source, 4, Streams(0).generator, torch.device("cpu"))
    before = stream.state()["generator"]
    drawn = stream.labels(30_000, Streams(0).generator("labels"))
    assert torch.equal(stream.state()["generator"], before)
    assert 0 <= drawn.min() <= drawn.max() <= 999
    for place in (100, 10, 1):
        assert (drawn // place % 10).bincount(minlength=10).div(30_000).tolist() == pytest.approx([0.1] * 10, abs=0.01)


def test_what_has_labels_is_known() -> None:
    assert label_count(DATASETS["mnist5k"].load()) == 10
    assert label_count(DATASETS["stacked"].load()) == 1000
    assert label_count(DATASETS["ring"].load()) == 0
    bare = image_source("bare", np.zeros((10, 1, 8, 8), np.uint8), None)
    assert label_count(bare) == 0
    with pytest.raises(ValueError, match="no labels"):
        open_stream(bare, 4, Streams(0).generator, torch.device("cpu")).labels(2, torch.Generator())


# --- AC-GAN ---


def error_of(classes: Tensor, y: Tensor) -> float:
    """−mean log softmax(classes)[y], in plain arithmetic."""
    rows = zip(classes.tolist(), y.tolist(), strict=True)
    return -sum(row[k] - math.log(sum(map(math.exp, row))) for row, k in rows) / len(y)


def test_the_class_term_is_the_cross_entropy_of_real_and_generated(tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", conditional("ac_gan", **{"model.class_weight": 0.5})))
    state = capture(game, 0)
    batch = game.data.next()
    with torch.no_grad():
        real = game.D(batch.x, batch.y, classes=True)[1]
        x_fake = game.G(game._noise(8), batch.y)
        fake = game.D(x_fake, batch.y, classes=True)[1]
    restore(game, state)
    values = take_turn(game, game.players[0])
    expected = 0.5 * (error_of(real, batch.y) + error_of(fake, batch.y))
    assert values["class"].item() == pytest.approx(expected, rel=1e-5)
    assert values["loss"].item() == pytest.approx(values["adv"].item() + expected, rel=1e-5)


def test_g_is_asked_for_the_class_it_was_told(tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", conditional("ac_gan")))
    to_g, state = heard(game.G), capture(game, 0)
    before = {name: tensor.clone() for name, tensor in game.G.state_dict().items()}
    values = take_turn(game, game.players[1])
    (_, y), *_ = to_g
    restore(game, state)
    assert all(torch.equal(game.G.state_dict()[name], tensor) for name, tensor in before.items())
    with torch.no_grad():
        classes = game.D(game.G(game._noise(8), y), y, classes=True)[1]
    assert values["class"].item() == pytest.approx(error_of(classes, y), rel=1e-5)
    assert game.players[1].terms == ("adv", "class")
    assert game.players[0].terms == ("adv", "class")


def test_the_class_is_judged_in_the_same_pass(tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", conditional("ac_gan")))
    to_d = heard(game.D)
    take_turn(game, game.players[0])
    assert len(to_d) == 2
    take_turn(game, game.players[1])
    assert len(to_d) == 3


@pytest.mark.parametrize("kind", ["concatenation", "embedding", "projection"])
def test_other_conditions_have_no_term_of_their_own(kind: str, tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", conditional(kind)))
    assert [player.terms for player in game.players] == [("adv",), ("adv",)]


# --- with everything else ---


@EACH
@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_sees_d_at_the_labels_of_the_pair(name: str, kind: str, tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", conditional(kind, **{"objective.penalties": {name: 1.0}})))
    seen: list[tuple[Tensor, Tensor]] = []
    ((penalty, weight),) = game.penalties

    def measure(critic: Callable, x: Tensor, x_fake: Tensor, generator: torch.Generator, **known: Tensor) -> Tensor:
        seen.append((critic(x).detach(), x.detach()))
        return penalty.measure(critic, x, x_fake, generator, **known)

    game.penalties = ((dataclasses.replace(penalty, measure=measure), weight),)
    state = capture(game, 0)
    y = game.data.next().y
    restore(game, state)
    D = {key: tensor.clone() for key, tensor in game.D.state_dict().items()}
    values = take_turn(game, game.players[0])
    assert values[penalty.term].isfinite()
    game.D.load_state_dict(D)
    ((logits, x),) = seen
    torch.testing.assert_close(logits, game.D(x, y).detach())


@EACH
@pytest.mark.parametrize(
    "changes",
    [
        {"tricks.unrolled_steps": 2},
        {"tricks.feature_matching": "added"},
        {"tricks.feature_matching": "instead"},
        {"tricks.instance_noise": 0.3},
        {"tricks.ema_decay": 0.9},
        {"tricks.label_smoothing": 0.1, "tricks.label_flipping": 0.2},
        {"model.discriminator.minibatch_stddev": 4, "model.discriminator.minibatch_kernels": 3},
        {"objective": "hinge"},
        {"objective": "r3gan"},
        {"objective": "wgan"},
        {"model.discriminator.normalization": "batch", "model.generator.normalization": "batch"},
    ],
    ids=str,
)
def test_rounds_with_everything_else(kind: str, changes: dict, tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", {**changes, **conditional(kind)}))
    for turn in play(game):
        assert tuple(turn.values) == turn.player.columns
        assert all(value.isfinite() for value in turn.values.values()), turn.values
        assert turn.values["grad_norm"] > 0
        if turn.round == 2 and turn.ends_round:
            break
    x_fake = game.sample(torch.zeros(20, 3), torch.arange(20) % 10)
    assert x_fake.shape == (20, 1, 8, 8)
    assert game.judge(x_fake, torch.arange(20) % 10).shape == (20,)


@EACH
@pytest.mark.parametrize("architecture", ["dcgan", "resnet"])
@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if loss.output != "error"])
def test_convolutional_rounds(loss: str, architecture: str, kind: str, tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny(architecture, conditional(kind, **{"objective.loss": loss, "data.options": {"size": 16}})))
    assert game.conditional
    for turn in play(game):
        assert all(value.isfinite() for value in turn.values.values()), turn.values
        if turn.ends_round:
            break


def test_a_game_without_classes_is_what_it_was(tiny: Callable, game_of: Callable) -> None:
    """Labels in the data alone change nothing: no stream, no label on its way to a network."""
    game: AdversarialGame = game_of(tiny("mlp", {"data.name": "digits8"}))
    assert "labels" not in game.streams
    calls = heard(game.D) + heard(game.G)
    for player in game.players:
        take_turn(game, player)
    assert all(y is None for _, y in calls)


def test_the_embedding_learns(tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", conditional("embedding")))
    before = [game.G[0].table.weight.clone(), game.D[1].table.weight.clone()]
    for turn in play(game):
        if turn.ends_round and turn.round == 3:
            break
    for old, network in zip(before, (game.G[0], game.D[1]), strict=True):
        assert (network.table.weight - old).abs().max() > 0

"""The autoencoder: its units, what minimises its errors, and that a linear one finds the principal components."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gan_core.config import ConfigError, RunConfig, preset_config
from gan_core.data import mnist5k, to_unit
from gan_core.engine import describe
from gan_core.engine.showing.judging import RunJudge
from gan_core.metrics.codes import knn_accuracy, laplacian_variance, linear_accuracy
from gan_core.training import build, capture, count_parameters, explain, load_source, play, resolve, restore, state_hash
from gan_core.training.assembly import Assembly
from gan_core.training.games.autoencoder import AUTOENCODER, ERRORS, Autoencoder
from gan_core.training.games.coding import grey_share, shares
from gan_core.training.optimization import optimization_of
from gan_core.ui.watching import panels_for

SMALL = {"model.encoder.widths": [6], "model.decoder.widths": [5], "model.code_dim": 3, "data.batch_size": 8}
BLACK = -40.0
"""The logit of a pixel that is as good as black."""


def config_of(data: str, changes: dict[str, Any] | None = None) -> RunConfig:
    base = RunConfig.load({"game": "autoencoder", "data": {"name": data}, "device": "cpu", "seed": 7})
    return resolve(base.replace({**SMALL, **(changes or {})}))


def digits(part: str) -> Tensor:
    """Digits in network units, (n, 1, 28, 28)."""
    source = mnist5k()
    return to_unit(source.x[source.train_index if part == "train" else source.heldout_index])


def error(name: str, output: Tensor, x: Tensor, images: bool = True) -> float:
    return ERRORS[name][1](output, x, images).item()


# --- the error ---


@pytest.mark.parametrize(
    ("name", "of_black", "of_the_mean"), [("mse", 0.1125, 0.0673), ("l1", 0.131, 0.150)], ids=["mse", "l1"]
)
def test_constants_read_what_they_read_on_digits(name: str, of_black: float, of_the_mean: float) -> None:
    """Black beats the mean image in L1. Pixels count from 0 to 1: from −1 to 1 the squares would be four times as large."""
    x = digits("heldout")
    mean = shares(digits("train")).mean(0, keepdim=True).clamp(1e-6, 1 - 1e-6).logit().expand_as(x)
    assert error(name, torch.full_like(x, BLACK), x) == pytest.approx(of_black, abs=2e-3)
    assert error(name, mean, x) == pytest.approx(of_the_mean, abs=2e-3)


@pytest.mark.parametrize(("name", "least"), [("mse", 0.3), ("bce", 0.3), ("l1", 0.0)])
def test_a_pixel_that_is_white_three_times_in_ten_is_decoded_as(name: str, least: float) -> None:
    """Squared error and cross-entropy are least at the share, the absolute error at the median."""
    x = torch.tensor([1.0] * 3 + [-1.0] * 7)
    candidates = torch.linspace(0, 1, 101).clamp(1e-7, 1 - 1e-7)
    losses = [error(name, white.logit().expand(10), x) for white in candidates]
    assert candidates[losses.index(min(losses))].item() == pytest.approx(least, abs=1e-6)


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_a_mean_over_numbers_and_batch(name: str) -> None:
    output, x = torch.randn(4, 1, 6, 6), torch.rand(4, 1, 6, 6) * 2 - 1
    once = error(name, output, x)
    assert error(name, output.repeat(2, 1, 1, 1), x.repeat(2, 1, 1, 1)) == pytest.approx(once)
    assert error(name, output.repeat(1, 1, 2, 2), x.repeat(1, 1, 2, 2)) == pytest.approx(once)


@pytest.mark.parametrize(
    ("q", "train", "heldout"),
    [(2, 0.0559, 0.0558), (8, 0.0377, 0.0377), (16, 0.0271, 0.0270), (64, 0.0090, 0.0093)],
)
def test_principal_components_of_digits_read_what_they_read(q: int, train: float, heldout: float) -> None:
    x = {part: shares(digits(part)).flatten(1) for part in ("train", "heldout")}
    mean = x["train"].mean(0)
    _, _, components = torch.linalg.svd(x["train"] - mean, full_matrices=False)
    W = components[:q]
    for part, expected in (("train", train), ("heldout", heldout)):
        again = mean + (x[part] - mean) @ W.T @ W
        assert error("mse", again, x[part], images=False) == pytest.approx(expected, abs=3e-4)


def test_real_digits_have_few_grey_pixels() -> None:
    assert grey_share(shares(digits("train"))).item() == pytest.approx(0.0512, abs=2e-3)


def test_what_probes_and_edges_read_on_real_digits() -> None:
    """What a code and a blur are read beside: nearest neighbours on pixels, a line on 14×14 of them, the Laplacian."""
    source = mnist5k()
    assert source.y is not None
    parts = {"train": source.train_index, "heldout": source.heldout_index}
    x, y = ({part: values[index] for part, index in parts.items()} for values in (shares(to_unit(source.x)), source.y))
    raw = {part: white.flatten(1).numpy() for part, white in x.items()}
    small = {part: avg_pool2d(white, 2).flatten(1).numpy() for part, white in x.items()}
    labels = {part: of.numpy() for part, of in y.items()}

    some = torch.randperm(1000, generator=torch.Generator().manual_seed(0))[:300]  # they are sorted by class
    of_pixels = raw["train"], labels["train"], raw["heldout"][some], labels["heldout"][some]
    assert knn_accuracy(*of_pixels, k=1) == pytest.approx(0.942, abs=0.02)
    assert knn_accuracy(*of_pixels) == pytest.approx(0.924, abs=0.02)
    assert linear_accuracy(small["train"], labels["train"], small["heldout"], labels["heldout"]) == pytest.approx(
        0.826, abs=0.02
    )
    assert laplacian_variance(x["train"].numpy()) == pytest.approx(0.1857, abs=0.003)


# --- the game ---


class Table:
    """The same batch again and again, in place of a stream."""

    batch_size = 0

    def __init__(self, x: Tensor) -> None:
        self.x = x

    def next(self) -> Table:
        return self


def linear_game(x: Tensor, q: int) -> Autoencoder:
    """A linear autoencoder of points, which starts near nothing."""
    config = config_of("ring", {"optimizer.lr": 0.02})
    torch_E, torch_Dec = nn.Linear(x.shape[1], q), nn.Linear(q, x.shape[1])
    draw = torch.Generator().manual_seed(0)
    for parameter in (*torch_E.parameters(), *torch_Dec.parameters()):
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=draw)
    made = Assembly({"E": torch_E, "Dec": torch_Dec}, {}, Table(x))
    moves = optimization_of(config.optimizer, nn.ModuleDict(dict(made.networks)), steps=1, rounds=1)
    return Autoencoder(made, moves, AUTOENCODER.columns(config), "mse", images=False)


@pytest.mark.parametrize(("q", "left"), [(1, 3.5), (2, 1.5), (4, 0.0)])
def test_a_linear_autoencoder_finds_the_principal_components(q: int, left: float) -> None:
    """Baldi and Hornik (1989): the error is the variance that is left out, here per number; none with a full code."""
    draw = torch.Generator().manual_seed(1)
    x = torch.linalg.qr(torch.randn(400, 4, generator=draw)).Q * 20  # mean squares of 1
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=draw)).Q
    x = x * torch.tensor([4.0, 2.0, 1.0, 0.5]).sqrt() @ rotation
    game = linear_game(x, q)
    for turn in play(game):
        if turn.round == 1500:
            break
    assert turn.values["rec"].item() == pytest.approx(left / 4, abs=2e-3)


def test_the_network_of_the_course_has_its_parameters() -> None:
    counted = count_parameters(resolve(preset_config("digits-autoencoder")))
    assert counted == {"E": 105_216, "Dec": 105_153}
    assert sum(counted.values()) == 210_369


def test_the_course_stays_at_the_mean_image_and_then_leaves_it() -> None:
    """A prototype read 0.066 after two epochs of 63 rounds; the mean image reads 0.0673. It left between three and five."""
    config = resolve(preset_config("digits-autoencoder", {"device": "cpu"}))
    game = build(config, load_source(config))
    x, read = digits("heldout"), {}
    for turn in play(game):
        if turn.round in (126, 400):
            read[turn.round] = (shares(game.reconstruct(x)) - shares(x)).square().mean().item()
        if turn.round == 400:
            break
    assert 0.064 < read[126] < 0.070
    assert read[400] < 0.036


@pytest.mark.parametrize("data", ["mnist5k", "digits8", "stacked", "ring", "gaussian"])
@pytest.mark.parametrize("architecture", ["mlp", "convolutional", "dcgan", "resnet"])
def test_it_plays_on_data_of_every_kind(data: str, architecture: str) -> None:
    changes = {f"model.{part}.architecture": architecture for part in ("encoder", "decoder")}
    if architecture != "mlp" and data in ("ring", "gaussian"):
        with pytest.raises(ConfigError, match="choose an MLP"):
            config_of(data, changes)
        return
    config = config_of(data, changes)
    source = load_source(config)
    game = build(config, source)
    turn = next(play(game))
    assert tuple(turn.values) == turn.player.columns
    assert all(value.isfinite() for value in turn.values.values())
    x = game.data.next().x
    assert game.encode(x).shape == (8, 3)
    assert game.reconstruct(x).shape == x.shape
    if len(source.shape) == 3:
        assert game.reconstruct(x).abs().max() <= 1


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("data", ["digits8", "ring"])
def test_its_columns_are_those_that_it_declares(data: str, error: str) -> None:
    if (data, error) == ("ring", "bce"):
        with pytest.raises(ConfigError, match="coordinates are none"):
            config_of(data, {"reconstruction.error": error})
        return
    config = config_of(data, {"reconstruction.error": error})
    turn = next(play(build(config, load_source(config))))
    told = describe(config)
    json.dumps(told, allow_nan=False)
    assert list(told["labels"]) == [f"AE.{column}" for column in turn.values]
    assert len(set(told["labels"].values())) == len(told["labels"])
    panels = panels_for(SimpleNamespace(config=config.to_dict()))  # type: ignore[arg-type]
    assert all(panel["traces"] for panel in panels if panel["slot"].endswith("-chart")), "no chart without a curve"


def test_looking_leaves_it_as_it_was_and_reads_what_training_reads() -> None:
    game = build(config := config_of("digits8"), load_source(config))
    before = state_hash(capture(game, 0))
    x = game.data.next().x
    game.data.restore({"position": 0})
    reconstructed = game.reconstruct(x)
    assert game.E.training
    assert state_hash(capture(game, 0)) == before
    torch.testing.assert_close(reconstructed, game.Dec(game.E(shares(x))).sigmoid() * 2 - 1)
    turn = next(play(game))
    assert turn.values["rec"].item() == pytest.approx(
        (shares(reconstructed) - shares(x)).square().mean().item(), rel=1e-5
    )


def test_held_out_digits_are_never_in_its_batches() -> None:
    config = config_of("digits8", {"data.batch_size": 64})
    source = load_source(config)
    game = build(config, source)
    held = {row.numpy().tobytes() for row in to_unit(source.x[source.heldout_index]) if not _twice(row, source)}
    seen = {row.numpy().tobytes() for _ in range(40) for row in game.data.next().x}
    assert held
    assert not held & seen


def _twice(row: Tensor, source: Any) -> bool:
    return bool((to_unit(source.x[source.train_index]) == row).flatten(1).all(1).any())


def test_it_goes_on_bit_for_bit_with_its_knobs_where_they_stood(advance: Callable) -> None:
    config = config_of("digits8", {"model.encoder.dropout": 0.2, "optimizer.lr_schedule": "linear"})
    game, again = (build(config, load_source(config)) for _ in range(2))
    advance(game, 3)
    game.set_knob("optimizer.lr", 0.02)
    game.set_knob("data.batch_size", 11)
    restore(again, capture(game, 3))
    assert advance(again, 4, 3) == advance(game, 4, 3)
    assert again.data.next().x.shape[0] == 11
    with pytest.raises(ValueError, match="cannot change"):
        game.set_knob("model.code_dim", 3)


def test_the_weight_decay_reaches_the_optimiser() -> None:
    for name in ("adam", "rmsprop", "sgd"):
        config = config_of("ring", {"optimizer.name": name, "optimizer.weight_decay": 0.01})
        (group,) = build(config, load_source(config)).players[0].optimizer.param_groups
        assert group["weight_decay"] == 0.01


def test_what_goes_together_is_said() -> None:
    with pytest.raises(ConfigError, match="did you mean 'convolutional'"):
        config_of("digits8", {"model.encoder.architecture": "convolutionel"})
    (advice,) = explain(config_of("ring", {"model.code_dim": 2}))
    assert (advice.field, advice.fatal) == ("model.code_dim", False)
    assert "can copy the 2 of a sample" in advice.message


def test_no_verdict_of_a_gan_is_given_of_it() -> None:
    judge = RunJudge(100, config_of("ring"))
    judge.add_reference({"floors": {"std_ratio": 1.0}, "points": [], "beside": {"rec_error": {"mean": 1.0}}})
    of_samples = {"sliced_wasserstein": 5.0, "std_ratio": 0.01, "modes_covered": 1.0}
    ignored = of_samples | {"rec_ratio": 1.0, "rec_error": 1.0}
    for numbers, state in ((of_samples, "starting"), (ignored, "code_ignored")):
        judge._measured += [(5000 * len(numbers) + round, numbers) for round in range(0, 5000, 100)]
        judge.settle()
        assert judge.told()["state"] == state
    assert judge.told()["cures"] == [], "it has neither pairs nor a cycle term"

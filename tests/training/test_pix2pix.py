"""The game from picture to picture against what is known in closed form, and against mistakes that public code makes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_core.config import ConfigError, RunConfig, preset_config
from gan_core.data import Batch
from gan_core.engine import describe
from gan_core.metrics.translation import ink_brightness
from gan_core.models import layer_rows
from gan_core.training import build, capture, explain, load_source, play, resolve, restore, state_hash
from gan_core.training.build import skeletons
from gan_core.training.fork import fork
from gan_core.training.games.pix2pix import PIX2PIX, UNHEEDED, Pix2pix, degraded
from gan_core.training.knobs import check
from gan_core.training.loop import take_turn

SMALL = {
    "model.generator.widths": [4, 6],
    "model.discriminator.widths": [4, 6],
    "data.batch_size": 4,
    "data.name": "digits8",
}


def config_of(changes: dict[str, Any] | None = None) -> RunConfig:
    base = RunConfig.load({"game": "pix2pix", "device": "cpu", "seed": 7})
    return resolve(base.replace({**SMALL, **(changes or {})}))


def game_of(changes: dict[str, Any] | None = None) -> Pix2pix:
    config = config_of(changes)
    made = build(config, load_source(config))
    assert isinstance(made, Pix2pix)
    return made


def rounds(game: Pix2pix, n: int, played: int = 0) -> None:
    for turn in play(game, played):
        if turn.ends_round and turn.round == n:
            return


class Table:
    """The same batch again and again, in place of a stream."""

    def __init__(self, x: Tensor) -> None:
        self.x, self.batch_size = x, len(x)

    def next(self) -> Batch:
        return Batch(self.x)


class Constant(nn.Module):
    """The same picture whatever comes in."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(start))

    def forward(self, x: Tensor) -> Tensor:
        return self.value + 0 * x


class Linear(nn.Module):
    """A logit that is linear in output and input."""

    def __init__(self, of_output: float, of_input: float) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([of_output, of_input]))

    def forward(self, output: Tensor, given: Tensor | None = None) -> Tensor:
        return self.weights[0] * output + (0 if given is None else self.weights[1] * given)


@pytest.mark.parametrize(("distance", "best"), [("l1", 1.0), ("l2", 0.4)])
def test_a_distance_is_least_at_the_median_or_at_the_mean(distance: str, best: float) -> None:
    """Targets of one input that are +1 in seven cases of ten and −1 in three."""
    game = game_of(
        {"translation.distance": distance, "translation.distance_weight": 1, "translation.adversarial_weight": 0}
    )
    x = torch.ones(10, 1, 16, 16)
    x[:3] = -1
    game.data, game.G = Table(x), Constant(0.0)  # type: ignore[assignment]
    player = game.players[1]
    optimizer = torch.optim.SGD(game.G.parameters(), lr=0.02)
    for _ in range(200):
        optimizer.zero_grad()
        sum(player.objective().terms.values()).backward()  # type: ignore[union-attr]
        optimizer.step()
    assert game.G.value.item() == pytest.approx(best, abs=0.03)


def test_the_losses_are_those_of_the_paper() -> None:
    """Means over pixels and patches, D's halved, the input beside the output in D."""
    game = game_of(
        {"translation.degradation": "half", "translation.distance_weight": 100, "translation.adversarial_weight": 2}
    )
    x = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
    game.data, game.G, game.D = Table(x), Constant(0.25), Linear(0.7, -0.4)  # type: ignore[assignment]
    given = degraded(x, "half")
    assert not torch.equal(given, x)
    real, fake = 0.7 * x - 0.4 * given, 0.7 * 0.25 - 0.4 * given
    D, G = (player.objective() for player in game.players)
    expected = -(real.sigmoid().log().mean() + (1 - fake.sigmoid()).log().mean()) / 2
    torch.testing.assert_close(D.terms["adv"], expected)
    torch.testing.assert_close(G.terms["weighted_distance"], 100 * (x - 0.25).abs().mean())
    torch.testing.assert_close(G.terms["weighted_adv"], -2 * fake.sigmoid().log().mean())
    torch.testing.assert_close(G.readings["error"], (x - 0.25).abs().mean())


@pytest.mark.parametrize("sees_input", [True, False])
def test_a_swapped_pair_is_another_pair_only_to_a_d_that_sees_the_input(sees_input: bool) -> None:
    game = game_of({"model.discriminator.sees_input": sees_input})
    x = game.data.next().x
    given = degraded(x, "half").requires_grad_(True)
    logits = game._judged(given, x)
    assert torch.equal(game._judged(given.roll(1, 0), x), logits) != sees_input
    (gradient,) = torch.autograd.grad(logits.sum(), given, allow_unused=True)
    assert (gradient is not None and bool(gradient.abs().sum() > 0)) == sees_input


def test_a_turn_leaves_the_weights_of_the_other_as_they_were() -> None:
    game = game_of()
    D, G = game.players

    def weights(network: nn.Module) -> list[Tensor]:
        return [parameter.detach().clone() for parameter in network.parameters()]

    for mover, stays in ((D, game.G), (G, game.D)):
        before, own = weights(stays), weights(mover.networks[0])
        take_turn(game, mover)
        assert all(map(torch.equal, weights(stays), before))
        assert not all(map(torch.equal, weights(mover.networks[0]), own))


def test_a_d_that_nobody_heeds_stands_still_and_leaves_g_alone() -> None:
    """G trains as without a D, and the knob wakes D up."""
    game, other = (
        game_of({"translation.adversarial_weight": 0, "model.discriminator.widths": w}) for w in ([4, 6], [3])
    )
    before = [parameter.detach().clone() for parameter in game.D.parameters()]
    statistics = {name: value.clone() for name, value in game.G.state_dict().items()}
    take_turn(game, game.players[0])
    assert all(torch.equal(value, statistics[name]) for name, value in game.G.state_dict().items())
    take_turn(other, other.players[0])
    for one in (game, other):
        rounds(one, 3)
    assert all(map(torch.equal, game.D.parameters(), before))
    assert all(map(torch.equal, game.G.state_dict().values(), other.G.state_dict().values()))
    game.set_knob("translation.adversarial_weight", 1.0)
    take_turn(game, game.players[0])
    assert not all(map(torch.equal, game.D.parameters(), before))
    assert SMALL["data.batch_size"] > UNHEEDED  # type: ignore[operator]


def test_an_answer_is_always_the_same_and_leaves_no_trace() -> None:
    """Also with dropout, also alone in its batch, and for a degradation that draws."""
    game = game_of({"model.generator.dropout": 0.3, "translation.degradation": "scratched"})
    rounds(game, 2)
    before = state_hash(capture(game, 2))
    x = game.data.next().x
    game.data.restore({"position": game.data.state()["position"] - len(x)})  # type: ignore[operator]
    out = game.translate(x)
    torch.testing.assert_close(game.translate(x[:1]), out[:1])
    assert torch.equal(game.reconstruct(x), game.translate(degraded(x, "scratched")))
    assert torch.equal(game.reconstruct(x), game.reconstruct(x))
    assert state_hash(capture(game, 2)) == before


def test_a_run_goes_on_bit_for_bit_with_its_stream_and_its_knobs() -> None:
    changes = {"translation.degradation": "noisy", "translation.adversarial_weight": 0}
    whole = game_of(changes)
    rounds(whole, 2)
    whole.set_knob("translation.adversarial_weight", 0.5)
    kept = capture(whole, 2)
    rounds(whole, 4, played=2)
    resumed = game_of(changes)
    restore(resumed, kept)
    assert resumed.players[0].moves
    rounds(resumed, 4, played=2)
    assert state_hash(capture(resumed, 4)) == state_hash(capture(whole, 4))


@pytest.mark.parametrize("knob", PIX2PIX.knobs(config_of()))  # type: ignore[arg-type]
def test_a_knob_is_what_it_would_have_been_built_with(knob: str) -> None:
    value = {"data.batch_size": 3}.get(knob, 0.25)
    turned, built = game_of(), game_of({knob: value})
    check(config_of(), {knob: value})
    turned.set_knob(knob, value)
    for game in (turned, built):
        rounds(game, 2)
    turned.knobs.clear()
    assert state_hash(capture(turned, 2)) == state_hash(capture(built, 2))
    with pytest.raises(ValueError, match="cannot change"):
        turned.set_knob("translation.degradation", 0.0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"data.name": "ring", "data.options": {}}, "data.name"),
        ({"model.discriminator.widths": [4] * 4}, "model.discriminator.widths"),
        ({"model.generator.attention": True}, "model.generator.attention"),
        ({"model.generator.architecture": "srresnet"}, "translation.degradation"),
        ({"translation.degradation": "grey"}, "translation.degradation"),
        ({"translation.distance_weight": 0, "translation.adversarial_weight": 0}, "translation.distance_weight"),
        ({"model.generator.normalization": "instance", "model.generator.widths": [4] * 4}, "model.generator.widths"),
    ],
)
def test_what_cannot_play_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(changes)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_one_value_of_a_channel_cannot_be_normalised(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the rule refuses raises in a turn, and one level fewer plays."""
    instance = {"model.generator.normalization": "instance"}
    rounds(game_of({**instance, "model.generator.widths": [4] * 3}), 1)
    monkeypatch.setattr("gan_core.training.games.pix2pix.smallest_side", lambda *_: 2)
    with pytest.raises(ValueError, match="more than 1"):
        rounds(game_of({**instance, "model.generator.widths": [4] * 4}), 1)


def test_a_d_that_judges_no_patches_is_told_of() -> None:
    def advised(widths: list[int]) -> bool:
        problems = explain(
            config_of({"data.name": "mnist5k", "data.options": {}, "model.discriminator.widths": widths})
        )
        return any(problem.field == "model.discriminator.widths" and not problem.fatal for problem in problems)

    assert advised([4, 4, 4])
    assert not advised([4, 4])
    said = describe(config_of({"model.discriminator.widths": [4, 4]}))["reading"]
    assert "16×16 pixels" in said


def test_the_layers_of_both_networks_can_be_told() -> None:
    config = config_of()
    networks, source = skeletons(config), load_source(config)
    told = {role: layer_rows(networks[role], *PIX2PIX.inputs(config, source)[role]) for role in ("G", "D")}  # type: ignore[arg-type]
    assert told["G"][0].name == "U-Net, down and up again"
    assert told["G"][-1].output == (1, 16, 16)
    assert (told["D"][0].name, told["D"][0].output) == ("Input beside it", (2, 16, 16))
    assert math.prod(told["D"][-1].output) == 36


ENLARGING = {"model.generator.architecture": "srresnet", "translation.degradation": "half_size"}


def test_outputs_are_those_of_the_moving_average_which_no_player_moves() -> None:
    averaged, plain = (game_of({**ENLARGING, "tricks.ema_decay": decay}) for decay in (0.75, 0))
    mean = [parameter.detach().clone() for parameter in averaged.G.parameters()]
    for turn in play(averaged):
        if turn.player.name == "G":
            mean = [0.75 * m + 0.25 * p.detach() for m, p in zip(mean, averaged.G.parameters(), strict=True)]
        if turn.ends_round and turn.round == 3:
            break
    rounds(plain, 3)
    for name, tensor in plain.G.state_dict().items():
        assert torch.equal(tensor, averaged.G.state_dict()[name]), "G itself plays as ever"
    assert averaged.G_average is not None
    for ours, theirs in zip(mean, averaged.G_average.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    x = averaged.data.next().x
    assert torch.equal(averaged.translate(x), averaged.G_average.eval()(x).clamp(-1, 1))
    assert not torch.equal(averaged.translate(x), plain.translate(x))
    assert set(averaged.networks) == {"G", "D", "G_average"}
    assert set(plain.networks) == {"G", "D"}
    resumed = game_of({**ENLARGING, "tricks.ema_decay": 0.75})
    restore(resumed, capture(averaged, 3))
    for game in (resumed, averaged):
        rounds(game, 5, played=3)
    assert state_hash(capture(resumed, 5)) == state_hash(capture(averaged, 5))


def test_an_adversarial_stage_goes_on_with_all_of_g_and_a_new_d() -> None:
    """A fork of a run by the squared error, with a moving average that it had not."""
    by_error = {**ENLARGING, "translation.distance": "l2", "translation.adversarial_weight": 0}
    parent = game_of(by_error)
    rounds(parent, 4)
    state = capture(parent, 4)
    child = config_of({**by_error, "translation.adversarial_weight": 0.003, "tricks.ema_decay": 0.9})
    result = fork(state, config_of(by_error), child)
    game = build(child, load_source(child))
    assert isinstance(game, Pix2pix)
    restore(game, result.state)
    assert result.kept["G"] == 1
    assert result.anew == ("the moving average of G: it begins with G's present weights",)
    for name, tensor in parent.G.state_dict().items():
        assert torch.equal(game.G.state_dict()[name], tensor)
        assert torch.equal(game.networks["G_average"].state_dict()[name], tensor)
    first = game_of(by_error)
    assert all(map(torch.equal, game.D.parameters(), first.D.parameters()))
    assert not game.players[0].optimizer.state_dict()["state"], "D has no moments yet"
    rounds(game, 6, played=4)
    assert not all(map(torch.equal, game.D.parameters(), first.D.parameters()))


@pytest.mark.slow
@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_three_hues_as_likely_have_a_black_median_and_a_mean_of_a_third(distance: str) -> None:
    """The same targets for grey inputs that tell no hue: the distance alone decides what is drawn."""
    preset = preset_config(
        "digits-colour",
        {"device": "cpu", "translation.distance": distance, "translation.adversarial_weight": 0, "seed": 5}
        | {"translation.distance_weight": 100.0, "schedule.rounds": 300},
    )
    config = resolve(preset)
    source, game = load_source(config), build(config, load_source(config))
    rounds(game, 300)  # type: ignore[arg-type]
    x = source.x[source.heldout_index[:200]].float() / 127.5 - 1  # type: ignore[union-attr]
    white, out = (
        ((part + 1) / 2).numpy()
        for part in (x, game.reconstruct(x))  # type: ignore[attr-defined]
    )
    drawn, real = ink_brightness(white, out), ink_brightness(white, white)
    assert drawn < 0.05 if distance == "l1" else drawn == pytest.approx(real / 3, abs=0.04)


@pytest.mark.slow
def test_what_is_learnt_beats_the_input_on_held_out_pairs(game_of: Callable) -> None:
    """And running statistics are those that it trains with: another picture in evaluation is a classic."""
    config = resolve(
        RunConfig.load({"game": "pix2pix", "device": "cpu"}).replace(
            {"translation.degradation": "quarter_size", "translation.adversarial_weight": 0, "schedule.rounds": 300}
        )
    )
    game, source = game_of(config), load_source(config)
    rounds(game, 300)
    x = source.x[source.heldout_index[:200]].float() / 127.5 - 1
    given = degraded(x, "quarter_size")
    error = (game.translate(given) - x).abs().mean()
    assert error < 0.75 * (given - x).abs().mean()
    with torch.no_grad():
        trained = (game.G(given) - x).abs().mean()
    assert error == pytest.approx(trained.item(), rel=0.3)

"""The game of pictures made level by level against what is exact: pyramids, levels that hear of no other, the state."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_core.config import ConfigError, RunConfig
from gan_core.models import detail_generator, enlarged, pyramid, rebuilt, shrunk
from gan_core.models.blocks import Layers
from gan_core.training import build, capture, load_source, play, resolve, restore, state_hash
from gan_core.training.fork import fork
from gan_core.training.games.lapgan import LAPGAN, Lapgan, dim_of
from gan_core.training.knobs import check
from gan_core.training.loop import take_turn

SMALL = {
    "data.name": "digits8",
    "data.batch_size": 4,
    "schedule.coarse_steps": 2,
    "model.latent_dim": 3,
    "model.generator.widths": [5],
    "model.discriminator.widths": [5],
    "model.detail_generator.widths": [4],
    "model.detail_discriminator.widths": [4, 4],
}
SEEDED = torch.Generator().manual_seed(3)


def config_of(changes: dict[str, Any] | None = None) -> RunConfig:
    base = RunConfig.load({"game": "lapgan", "device": "cpu", "seed": 7})
    return resolve(base.replace({**SMALL, **(changes or {})}))


def game_of(changes: dict[str, Any] | None = None) -> Lapgan:
    config = config_of(changes)
    made = build(config, load_source(config))
    assert isinstance(made, Lapgan)
    return made


def rounds(game: Lapgan, n: int, played: int = 0) -> None:
    for turn in play(game, played):
        if turn.ends_round and turn.round == n:
            return


def weights(network: nn.Module) -> list[Tensor]:
    return [value.detach().clone() for value in network.state_dict().values()]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(map(torch.equal, one, other))


@pytest.mark.parametrize("size", [(28, 28), (12, 20)])
def test_a_pyramid_gives_its_picture_back_unless_its_details_are_clamped(size: tuple[int, int]) -> None:
    x = torch.rand(5, 2, *size, generator=SEEDED).round() * 2 - 1
    coarse, details = pyramid(x, 2)
    assert [tuple(part.shape[2:]) for part in (coarse, *details)] == [(size[0] // k, size[1] // k) for k in (4, 2, 1)]
    torch.testing.assert_close(coarse, nn.functional.adaptive_avg_pool2d(x, (size[0] // 4, size[1] // 4)))
    torch.testing.assert_close(rebuilt(coarse, details), x, atol=1e-6, rtol=0)
    clamped = rebuilt(coarse, [detail.clamp(-1, 1) for detail in details])
    assert (clamped - x).abs().max() > 0.3, "details lie between −2 and 2"


def test_details_are_not_held_to_the_range_of_pixels() -> None:
    network = detail_generator((1, 8, 8), Layers((4,), normalization="batch"))
    convolution = next(module for module in reversed(list(network)) if isinstance(module, nn.Conv2d))
    nn.init.constant_(convolution.bias, 9.0)  # type: ignore[arg-type]
    out = network.eval()(torch.zeros(1, 2, 8, 8))
    assert out.shape == (1, 1, 8, 8)
    assert out.min() > 1.99


def test_levels_are_independent_and_a_frozen_one_learns_nothing() -> None:
    """Bit for bit: the finest level trains as if the others did not, since it sees real pictures only."""
    alone = game_of({"levels.coarse": False, "levels.middle": False})
    whole, first = game_of(), game_of()
    for game in (alone, whole):
        rounds(game, 3)
    for role in ("G2", "D2"):
        assert same(weights(alone.networks[role]), weights(whole.networks[role]))
        assert not same(weights(whole.networks[role]), weights(first.networks[role]))
    for role in ("G0", "D0", "G1", "D1"):
        assert same(weights(alone.networks[role]), weights(first.networks[role]))
        assert not same(weights(whole.networks[role]), weights(first.networks[role]))


class Notes(nn.Module):
    """A D that keeps what it is shown, and finds a picture as real as it is light."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, picture: Tensor, smooth: Tensor) -> Tensor:
        self.seen.append((picture.detach(), smooth))
        return picture.mean((1, 2, 3))


class Adds(nn.Module):
    """Details of 1.5 everywhere."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.full_like(x[:, :-1], 1.5)


@pytest.mark.parametrize("level", [1, 2])
def test_a_level_sees_real_pictures_and_its_details_on_them_coarse(level: int) -> None:
    game = game_of({"model.detail_generator.normalization": "none"})
    notes = game.networks[f"D{level}"] = Notes()
    game.networks[f"G{level}"] = Adds()
    D, G = game.players[2 * level : 2 * level + 2]
    loss = D.objective().terms["adv"]
    (real, smooth), (made, beside) = notes.seen
    assert torch.equal(smooth, beside)
    torch.testing.assert_close(smooth, enlarged(shrunk(real)))
    assert real.shape[2] == 8 * level
    torch.testing.assert_close(made, smooth + 1.5)
    right, wrong = real.mean((1, 2, 3)).sigmoid(), made.mean((1, 2, 3)).sigmoid()
    torch.testing.assert_close(loss, -(right.log().mean() + (1 - wrong).log().mean()))
    term = G.objective().terms["adv"]
    torch.testing.assert_close(term, -notes.seen[-1][0].mean((1, 2, 3)).sigmoid().log().mean())


def test_a_turn_leaves_the_other_networks_as_they_were() -> None:
    game = game_of({"model.detail_generator.normalization": "none"})
    for player in game.players:
        before = {role: weights(network) for role, network in game.networks.items()}
        take_turn(game, player)
        moved = {role for role, network in game.networks.items() if not same(weights(network), before[role])}
        assert moved == {player.name}


def test_samples_go_all_the_way_up_and_leave_no_trace() -> None:
    game = game_of({"model.condition": "concatenation"})
    rounds(game, 2)
    before = state_hash(capture(game, 2))
    z = game.latent(4, torch.Generator().manual_seed(1))
    assert z.shape == (4, dim_of(3, (1, 16, 16))) == (4, 3 + 64 + 256)
    zero, one = torch.zeros(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)
    steps = game.climb(z, zero)
    assert [step.shape[2] for step in steps] == [4, 8, 16]
    assert torch.equal(game.sample(z, zero), steps[-1].clamp(-1, 1))
    torch.testing.assert_close(game.sample(z[:1], zero[:1]), game.sample(z, zero)[:1])
    assert not torch.equal(game.sample(z, one), game.sample(z, zero)), "the smallest picture is asked for by its class"
    for part in range(3):  # each level has noise of its own
        other = list(z.split(game.sizes, dim=1))
        other[part] = -other[part]
        changed = game.climb(torch.cat(other, dim=1), zero)
        assert [not torch.equal(a, b) for a, b in zip(changed, steps, strict=True)] == [k >= part for k in range(3)]
    x = game.data.next().x
    game.data.restore({"position": game.data.state()["position"] - len(x)})  # type: ignore[operator]
    for level, times in ((0, 2), (1, 1), (2, 0)):
        begun = game.climb(z, real=x, level=level)
        torch.testing.assert_close(begun[0], x if not times else shrunk(x) if times == 1 else shrunk(shrunk(x)))
        assert begun[-1].shape == x.shape
    nn.init.zeros_(list(game.networks["G2"])[1].weight)  # type: ignore[call-overload]
    nn.init.zeros_(list(game.networks["G2"])[1].bias)  # type: ignore[call-overload]
    torch.testing.assert_close(game.climb(z, real=x, level=1)[-1], enlarged(shrunk(x)))
    game = game_of({"model.condition": "concatenation"})
    rounds(game, 2)
    game.climb(z, zero)
    game.climb(z, real=x, level=1)
    assert state_hash(capture(game, 2)) == before


def test_samples_are_those_of_the_moving_averages() -> None:
    averaged, plain = game_of({"tricks.ema_decay": 0.75}), game_of()
    means = {role: list(averaged.networks[role].parameters()) for role in ("G0", "G1", "G2")}
    means = {role: [parameter.detach().clone() for parameter in kept] for role, kept in means.items()}
    for turn in play(averaged):
        if (role := turn.player.name) in means:
            now = averaged.networks[role].parameters()
            means[role] = [0.75 * m + 0.25 * p.detach() for m, p in zip(means[role], now, strict=True)]
        if turn.ends_round and turn.round == 2:
            break
    rounds(plain, 2)
    z = plain.latent(3, torch.Generator().manual_seed(1))
    assert not torch.equal(averaged.sample(z), plain.sample(z))
    for role, mean in means.items():
        assert same(weights(averaged.networks[role]), weights(plain.networks[role])), "G itself plays as ever"
        for ours, theirs in zip(mean, averaged.networks[f"{role}_average"].parameters(), strict=True):
            torch.testing.assert_close(ours, theirs)
        plain.networks[role].load_state_dict(averaged.networks[f"{role}_average"].state_dict())
    assert torch.equal(averaged.sample(z), plain.sample(z))


def test_a_run_goes_on_bit_for_bit_with_its_levels_where_they_stood() -> None:
    changes = {"levels.middle": False, "tricks.ema_decay": 0.9}
    whole = game_of(changes)
    rounds(whole, 2)
    for knob, value in (("levels.middle", 1.0), ("levels.fine", 0.0), ("schedule.coarse_steps", 1)):
        whole.set_knob(knob, value)
    kept = capture(whole, 2)
    rounds(whole, 4, played=2)
    resumed = game_of(changes)
    restore(resumed, kept)
    assert [player.moves for player in resumed.players] == [True, True, True, True, False, False]
    rounds(resumed, 4, played=2)
    assert state_hash(capture(resumed, 4)) == state_hash(capture(whole, 4))


def test_a_fork_takes_all_levels_over_and_lets_one_stand_still() -> None:
    parent = game_of()
    rounds(parent, 2)
    child = {"levels.middle": False, "tricks.ema_decay": 0.9}
    result = fork(capture(parent, 2), config_of(), config_of(child))
    assert {result.kept[role] for role in parent.networks} == {1.0}
    assert result.anew == tuple(
        f"the moving average of G{level}: it begins with G{level}'s present weights" for level in range(3)
    )
    game = game_of(child)
    restore(game, result.state)
    rounds(game, 3, played=2)
    assert same(weights(game.networks["G1"]), weights(parent.networks["G1"]))
    assert not same(weights(game.networks["G2"]), weights(parent.networks["G2"]))


@pytest.mark.parametrize("knob", LAPGAN.knobs(config_of()))  # type: ignore[arg-type]
def test_a_knob_is_what_it_would_have_been_built_with(knob: str) -> None:
    value: float = {"data.batch_size": 3, "schedule.coarse_steps": 1, "schedule.middle_steps": 1}.get(knob, 0.25)
    if knob.startswith("levels"):
        value = 0.0
    turned, built = game_of(), game_of({knob: value if not knob.startswith("levels") else False})
    check(config_of(), {knob: value})
    turned.set_knob(knob, value)
    for game in (turned, built):
        rounds(game, 2)
    turned.knobs.clear()
    assert state_hash(capture(turned, 2)) == state_hash(capture(built, 2))
    with pytest.raises(ValueError, match="cannot change"):
        turned.set_knob("model.latent_dim", 0.0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"data.name": "ring", "data.options": {}}, "data.name"),
        ({"data.options": {"size": 18}}, "data.name"),
        ({"model.detail_generator.attention": True}, "model.detail_generator.attention"),
        ({"model.detail_discriminator.widths": [4] * 4}, "model.detail_discriminator.widths"),
        (
            {"model.detail_generator.widths": [4] * 3, "model.detail_generator.normalization": "instance"},
            "model.detail_generator.widths",
        ),
    ],
)
def test_what_cannot_play_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(changes)
    assert [problem.field for problem in caught.value.problems] == [field]

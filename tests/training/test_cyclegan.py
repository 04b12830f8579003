"""CycleGAN against what is known in closed form, and against mistakes that public code makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from gan_core.config import ConfigError, RunConfig, preset_config
from gan_core.data import ImageSource
from gan_core.metrics.modes import nearest_mode
from gan_core.models import unet
from gan_core.models.blocks import Layers
from gan_core.training import build, capture, explain, fork, load_source, play, resolve, restore, state_hash
from gan_core.training.domains import domains
from gan_core.training.games.cyclegan import CYCLEGAN, CycleGan
from gan_core.training.knobs import check
from gan_core.training.loop import take_turn
from gan_core.training.pool import empty_pool, pooled

SMALL = {
    "data.name": "digits8",
    "data.options": {"size": 8},
    "data.batch_size": 3,
    "domain_b.name": "digits8",
    "domain_b.options": {"size": 8},
    "model.generator.widths": [4],
    "model.discriminator.widths": [4],
    "cycle.pool": 7,
}


def config_of(changes: dict[str, Any] | None = None) -> Any:
    base = RunConfig.load({"game": "cyclegan", "device": "cpu", "seed": 7})
    return resolve(base.replace({**SMALL, **(changes or {})}))


def game_of(changes: dict[str, Any] | None = None) -> CycleGan:
    config = config_of(changes)
    made = build(config, load_source(config))
    assert isinstance(made, CycleGan)
    return made


def rounds(game: CycleGan, n: int, played: int = 0) -> None:
    for turn in play(game, played):
        if turn.ends_round and turn.round == n:
            return


class Does(nn.Module):
    """A translator that is a function, and has a weight that changes nothing."""

    def __init__(self, does: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.does, self.weight = does, nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.does(x) + 0 * self.weight


def negative(x: Tensor) -> Tensor:
    return -x


def quarter(x: Tensor) -> Tensor:
    return x.rot90(1, (2, 3))


def three_quarters(x: Tensor) -> Tensor:
    return x.rot90(-1, (2, 3))


@pytest.mark.parametrize(("there", "back"), [(negative, negative), (quarter, three_quarters)])
def test_a_map_and_its_inverse_lose_nothing_in_a_cycle(there: Any, back: Any) -> None:
    game = game_of({"cycle.identity_weight": 0.5})
    game.G, game.F = Does(there), Does(back)
    outcome = game.players[2].objective()
    assert outcome.terms["weighted_cycle"] == 0
    assert outcome.terms["weighted_identity"] > 0, "it is another map than the identity"


def test_the_losses_are_those_of_the_paper() -> None:
    """Least squares, D's halved; λ of both cycles; the identity asks G about b and F about a."""
    game = game_of({"cycle.identity_weight": 0.5, "cycle.adversarial_weight": 2.0, "cycle.pool": 0})
    a, b = torch.rand(2, 3, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    game.both.next_both = lambda: (a, b)  # type: ignore[method-assign]
    game.G, game.F = Does(lambda x: 0.5 * x), Does(lambda x: x + 0.25)
    game.D_A, game.D_B = Does(lambda x: 0.3 * x), Does(lambda x: 0.7 * x)
    of_a, of_b, both = (player.objective().terms for player in game.players)
    torch.testing.assert_close(of_a["adv"], ((0.3 * a - 1) ** 2).mean() / 2 + ((0.3 * (b + 0.25)) ** 2).mean() / 2)
    torch.testing.assert_close(of_b["adv"], ((0.7 * b - 1) ** 2).mean() / 2 + ((0.7 * 0.5 * a) ** 2).mean() / 2)
    heard = ((0.7 * 0.5 * a - 1) ** 2).mean() + ((0.3 * (b + 0.25) - 1) ** 2).mean()
    torch.testing.assert_close(both["weighted_adv"], 2 * heard)
    lost = l1_loss(0.5 * a + 0.25, a) + l1_loss(0.5 * (b + 0.25), b)
    torch.testing.assert_close(both["weighted_cycle"], 10 * lost)
    torch.testing.assert_close(both["weighted_identity"], 10 * 0.5 * (l1_loss(0.5 * b, b) + torch.tensor(0.25)))


def test_the_identity_has_no_identity_term() -> None:
    game = game_of({"cycle.identity_weight": 0.5})
    game.G = game.F = Does(lambda x: x)
    assert game.players[2].objective().terms["weighted_identity"] == 0


class Times(nn.Module):
    """A translator of one number that is learnt."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def test_each_cycle_teaches_both_translators() -> None:
    """What is lost is (1 − fg)(E|a| + E|b|) λ, of which g hears by way of F too, and f by way of G."""
    game = game_of({"cycle.adversarial_weight": 1e-9, "cycle.pool": 0})
    a, b = (
        torch.rand(2, 3, 1, 8, 8, generator=torch.Generator().manual_seed(1))
        + torch.tensor([0.1, 1])[:, None, None, None, None]
    )
    game.both.next_both = lambda: (a, b)  # type: ignore[method-assign]
    game.G, game.F = Times(0.5), Times(0.25)
    lost = game.players[2].objective().terms["weighted_cycle"]
    told = torch.autograd.grad(lost, [game.G.factor, game.F.factor])
    whole = 10 * (a.mean() + b.mean())
    torch.testing.assert_close(torch.stack(told), torch.stack([-0.25 * whole, -0.5 * whole]))


def test_a_turn_moves_its_own_networks_alone() -> None:
    game = game_of({"cycle.identity_weight": 0.5})
    rounds(game, 1)
    for player in game.players:
        before = {name: state_hash(network.state_dict()) for name, network in game.networks.items()}
        grads = {name: [p.grad for p in network.parameters()] for name, network in game.networks.items()}
        take_turn(game, player)
        moved = {name for name, network in game.networks.items() if state_hash(network.state_dict()) != before[name]}
        assert moved == set({"GF": "GF"}.get(player.name, [player.name]))
        for name in set(game.networks) - moved:
            now = [p.grad for p in game.networks[name].parameters()]
            assert all(one is other for one, other in zip(grads[name], now, strict=True)), "no gradient came to it"


def test_a_full_pool_gives_back_new_outputs_half_of_the_time() -> None:
    stream = torch.Generator().manual_seed(0)
    made = torch.arange(4000.0).reshape(4000, 1).requires_grad_(True)
    none = empty_pool(0, (1,), "cpu")
    assert torch.equal(pooled(none, made[:9], stream), made[:9])
    pool = empty_pool(10, (1,), "cpu")
    first = pooled(pool, made[:7], stream)
    assert torch.equal(first, made[:7])
    assert int(pool["filled"]) == 7
    shown = torch.cat([first, *(pooled(pool, part, stream) for part in made[7:].split(8))]).flatten()
    assert torch.equal(shown[:10], made.detach()[:10, 0])
    assert not shown.requires_grad
    assert not pool["outputs"].requires_grad
    assert len(pool["outputs"]) == int(pool["filled"]) == 10
    new = (shown[10:] == made.detach()[10:, 0]).float().mean().item()
    assert new == pytest.approx(0.5, abs=0.03)
    assert sorted([*shown.tolist()[10:], *pool["outputs"].flatten().tolist()]) == made.flatten().tolist(), (
        "each is seen once"
    )


def test_a_game_goes_on_bit_for_bit_with_its_pool_and_both_streams() -> None:
    straight, stopped, resumed = game_of(), game_of(), game_of()
    rounds(straight, 6)
    rounds(stopped, 4)
    state = capture(stopped, 4)
    assert int(state["memory"]["pool_a"]["filled"]) == 7, "it is full: what it holds decides what comes"
    state["memory"]["pool_a"]["outputs"] = state["memory"]["pool_a"]["outputs"].clone()
    assert restore(resumed, state) == 4
    rounds(resumed, 6, 4)
    assert state_hash(capture(resumed, 6)) == state_hash(capture(straight, 6))


def test_pools_and_the_second_stream_are_part_of_what_is_resumed() -> None:
    """Without either in the state the last test would pass with anything."""
    game = game_of()
    rounds(game, 4)
    for part, changed in (("memory", "pool_a"), ("data", "b_position")):
        state = capture(game, 4)
        other = game_of()
        if part == "memory":
            state["memory"][changed]["outputs"] += 1
        else:
            state["data"][changed] += 1
        restore(other, state)
        rounds(other, 6, 4)
        straight = game_of()
        rounds(straight, 6)
        assert state_hash(capture(other, 6)["networks"]) != state_hash(capture(straight, 6)["networks"])


def test_a_and_b_of_one_set_are_disjoint_halves() -> None:
    config = config_of()
    source = load_source(config)
    assert isinstance(source, ImageSource)
    a, b = domains(config, source)
    assert isinstance(a, ImageSource)
    assert isinstance(b, ImageSource)
    for part in ("train_index", "heldout_index"):
        one, other, whole = (set(getattr(of, part).tolist()) for of in (a, b, source))
        assert not one & other
        assert one | other == whole
        assert abs(len(one) - len(other)) <= 1
        shares = np.bincount(source.y[getattr(a, part)], minlength=10) / len(one)  # type: ignore[index]
        assert shares.min() > 0.06, "every class is in both"
    assert not torch.equal(*(stream.next().x for stream in (game_of().both.a, game_of().both.b)))


def test_points_of_one_set_are_drawn_anew_for_each() -> None:
    config = resolve(preset_config("ring-cycle", {"device": "cpu"}))
    a, b = build(config, load_source(config)).data.next_both()  # type: ignore[attr-defined]
    assert a.shape == b.shape
    assert not torch.equal(a, b)


@pytest.mark.parametrize("knob", CYCLEGAN.knobs(config_of()))
def test_a_turned_knob_is_the_game_that_was_built_so(knob: str) -> None:
    value = 5 if knob == "data.batch_size" else 0.4
    check(config_of(), {knob: value})
    turned, built = game_of(), game_of({knob: value})
    turned.set_knob(knob, value)
    for game in (turned, built):
        rounds(game, 2)
    states = [capture(game, 2) for game in (turned, built)]
    states[0].pop("knobs")
    assert state_hash(states[0]) == state_hash(states[1])
    with pytest.raises(ValueError, match="cannot change"):
        turned.set_knob("cycle.pool", 3.0)


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"domain_b.name": "stacked", "cycle.identity_weight": 0.5}, "cycle.identity_weight", "1 channels and B has 3"),
        ({"domain_b.name": "mnist5k", "data.name": "digits8"}, "domain_b.name", "8×8"),
        ({"domain_b.name": "mnist6k"}, "domain_b.name", "unknown data set|unknown"),
        ({"domain_b.options": {"size": 7}}, "domain_b.options.size", "between 8 and 64"),
        ({"model.generator.architecture": "mlp"}, "model.generator.architecture", "pictures"),
        ({"cycle.cycle_weight": 0, "cycle.adversarial_weight": 0}, "cycle.cycle_weight", "nobody learns"),
        ({"model.generator.widths": [4, 4, 4]}, "model.generator.widths", "one value of a channel"),
        ({"model.discriminator.widths": [4, 4, 4, 4]}, "model.discriminator.widths", "no patch is left"),
    ],
)
def test_what_cannot_be_played_is_said(changes: dict[str, Any], field: str, said: str) -> None:
    base = dict(SMALL)
    if changes.get("domain_b.name"):
        base |= {"domain_b.options": {}}
    if changes.get("domain_b.name") == "stacked":
        base |= {"data.name": "mnist5k", "data.options": {}}
    with pytest.raises(ConfigError, match=said) as caught:
        resolve(RunConfig.load({"game": "cyclegan", "device": "cpu"}).replace({**base, **changes}))
    assert field in {problem.field for problem in caught.value.problems}


def test_a_grey_and_a_coloured_kind_of_data_can_be_translated() -> None:
    changes = {"data.name": "mnist5k", "data.options": {}, "domain_b.name": "stacked", "domain_b.options": {}}
    game = game_of(changes)
    rounds(game, 1)
    a, b = game.both.next_both()
    assert (game.translate(a).shape, game.translate_back(b).shape) == (b.shape, a.shape)


def test_without_a_cycle_a_warning_says_what_is_lost() -> None:
    told = explain(config_of({"cycle.cycle_weight": 0}))
    assert any("any b will do" in problem.message and not problem.fatal for problem in told)


def test_a_fork_begins_a_pool_of_another_size_anew_and_keeps_others() -> None:
    game, parent = game_of(), config_of()
    rounds(game, 4)
    state = capture(game, 4)
    kept = fork(state, parent, config_of({"cycle.identity_weight": 0.5}))
    assert torch.equal(kept.state["memory"]["pool_a"]["outputs"], state["memory"]["pool_a"]["outputs"])
    smaller = fork(state, parent, config_of({"cycle.pool": 5}))
    assert int(smaller.state["memory"]["pool_a"]["filled"]) == 0
    assert len(smaller.state["memory"]["pool_a"]["outputs"]) == 5


def test_outputs_do_not_depend_on_who_else_is_in_the_batch() -> None:
    game = game_of({"model.generator.dropout": 0.3})
    rounds(game, 2)
    a, b = game.both.next_both()
    for translate, x in ((game.translate, a), (game.translate_back, b)):
        torch.testing.assert_close(translate(x)[:1], translate(x[:1]))
        assert torch.equal(translate(x), translate(x))
    assert game.G.training


def test_the_last_layers_of_a_translator_are_a_convolution_and_tanh() -> None:
    """A normalisation before tanh would fix the mean and the contrast of every output."""
    network = unet((1, 8, 8), Layers((4,), normalization="instance"), 3)
    *_, convolution, last = network
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(last, nn.Tanh)


@pytest.mark.slow
@pytest.mark.parametrize("identity", [0.0, 0.5])
def test_a_perfect_cycle_may_exchange_modes_without_the_identity_term(identity: float) -> None:
    config = resolve(preset_config("ring-cycle", {"device": "cpu", "seed": 0, "cycle.identity_weight": identity}))
    source = load_source(config)
    game: Any = build(config, source)
    rounds(game, config.schedule.rounds)
    a = source.sample(400, torch.Generator().manual_seed(1))  # type: ignore[call-arg,union-attr]
    there = [
        nearest_mode(source.to_data(x.numpy()), source.centers)[0]  # type: ignore[union-attr]
        for x in (a, game.translate(a))
    ]
    kept = float((there[0] == there[1]).mean())
    assert (game.reconstruct(a) - a).abs().mean() < 0.05
    assert kept > 0.95 if identity else kept < 0.05

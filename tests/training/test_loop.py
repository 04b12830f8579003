"""Algorithm 1: who moves, how often, on which batch; what a turn returns; and that looking changes nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_core.config import OBJECTIVES
from gan_core.losses import LOSSES
from gan_core.training import Turn, capture, play, state_hash, take_turn
from gan_core.training.games import AdversarialGame

EVERY_OBJECTIVE = pytest.mark.parametrize("objective", OBJECTIVES)
BOTH = pytest.mark.parametrize("architecture", ["mlp", "dcgan"])
WITH_STATE = {
    "model.generator.normalization": "batch",
    "model.generator.dropout": 0.2,
    "model.discriminator.dropout": 0.2,
}


def weights(network: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def moved(network: nn.Module, before: list[Tensor]) -> bool:
    return any(not torch.equal(p, q) for p, q in zip(network.parameters(), before, strict=True))


def turns(game: AdversarialGame, rounds: int) -> Iterator[Turn]:
    """The turns of the first rounds; when one is yielded the game stands just after it."""
    for turn in play(game):
        yield turn
        if turn.ends_round and turn.round == rounds:
            return


# --- who moves ---


@BOTH
@EVERY_OBJECTIVE
def test_a_turn_moves_its_own_networks_and_no_other(
    objective: str, architecture: str, tiny: Callable, game_of: Callable
) -> None:
    game = game_of(tiny(architecture, {"objective": objective, **WITH_STATE}))
    for player in game.players * 2:
        before = {name: weights(network) for name, network in game.networks.items()}
        take_turn(game, player)
        for name, network in game.networks.items():
            assert moved(network, before[name]) == (network in player.networks), f"{name} in the turn of {player.name}"


def assert_frozen_during_turns(game: AdversarialGame) -> None:
    """Within a turn only its own networks require gradients, and the others get none."""
    for player in game.players:
        inside: dict[str, bool] = {}
        original = player.objective

        def watched(original: Callable = original, inside: dict[str, bool] = inside) -> Any:
            for name, network in game.networks.items():
                (inside[name],) = {p.requires_grad for p in network.parameters()}
            return original()

        player.objective = watched
        for network in game.networks.values():
            network.zero_grad(set_to_none=True)
        take_turn(game, player)
        player.objective = original
        for name, network in game.networks.items():
            own = network in player.networks
            assert inside[name] == own, f"{name} in the turn of {player.name}"
            assert all((p.grad is not None) == own for p in network.parameters()), f"gradients of {name}"


@EVERY_OBJECTIVE
def test_the_others_are_frozen_during_a_turn(objective: str, tiny: Callable, game_of: Callable) -> None:
    assert_frozen_during_turns(game_of(tiny("mlp", {"objective": objective})))


def test_the_test_notices_a_loop_that_forgets_to_freeze(
    tiny: Callable, game_of: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.Tensor, "requires_grad_", lambda self, requires_grad=True: self)
    with pytest.raises(AssertionError):
        assert_frozen_during_turns(game_of(tiny("mlp")))


def test_gradients_do_not_pile_up_over_turns(tiny: Callable, game_of: Callable) -> None:
    """After a turn the gradient is that of this turn alone: zeroing first, or doubling the noise, changes nothing."""
    hashes = []
    for tidy in (False, True):
        game = game_of(tiny("mlp", {"objective": "wgan_gp"}))
        for turn in turns(game, 3):
            if tidy:
                for network in game.networks.values():
                    network.zero_grad(set_to_none=True)
            else:
                for parameter in turn.player.parameters:
                    parameter.grad = torch.full_like(parameter, 100.0)
        hashes.append(state_hash(capture(game, 3)))
    assert hashes[0] == hashes[1]


# --- how often ---


@pytest.mark.parametrize(("n_critic", "generator_steps"), [(1, 1), (5, 1), (2, 3)])
def test_optimiser_counters_after_r_rounds(
    n_critic: int, generator_steps: int, tiny: Callable, game_of: Callable
) -> None:
    game = game_of(tiny("mlp", {"schedule.n_critic": n_critic, "schedule.generator_steps": generator_steps}))
    taken = list(turns(game, 4))
    for player, steps in zip(game.players, (n_critic, generator_steps), strict=True):
        counters = [entry["step"].item() for entry in player.optimizer.state.values()]
        assert counters == [4 * steps] * len(player.parameters)
    order = [(turn.round, turn.player.name, turn.step) for turn in taken]
    expected = [("D", step) for step in range(n_critic)] + [("G", step) for step in range(generator_steps)]
    assert order == [(round, *who) for round in range(1, 5) for who in expected]
    assert [turn.ends_round for turn in taken] == ([False] * (len(expected) - 1) + [True]) * 4


def test_play_goes_on_after_the_rounds_that_are_played(tiny: Callable, game_of: Callable) -> None:
    first = list(itertools.islice(play(game_of(tiny("mlp")), played=7), 3))
    assert [turn.round for turn in first] == [8, 8, 9]


def test_steps_changed_between_turns_hold_from_the_players_next_turn(tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp"))
    names = []
    for turn in itertools.islice(play(game), 10):
        names.append(turn.player.name)
        if turn.round == 2 and turn.ends_round:
            game.players[0].steps = 3
    assert "".join(names) == "DGDGDDDGDD"


@EVERY_OBJECTIVE
def test_a_fresh_batch_and_fresh_noise_for_every_turn(objective: str, tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", {"objective": objective}))
    batches, noises = [], []
    next_batch, draw = game.data.next, game.latent

    def watched_next() -> Any:
        batches.append(next_batch())
        return batches[-1]

    def watched_latent(n: int, generator: torch.Generator) -> Tensor:
        noises.append(draw(n, generator))
        return noises[-1]

    game.data.next, game.latent = watched_next, watched_latent
    taken = list(turns(game, 3))
    d_turns = sum(turn.player.name == "D" for turn in taken)
    assert len(noises) == len(taken)
    assert len(batches) == d_turns + (len(taken) - d_turns) * game.loss.g_sees_real
    for drawn in (noises, [batch.x for batch in batches]):
        assert len({tensor.numpy().tobytes() for tensor in drawn}) == len(drawn)
        assert {len(tensor) for tensor in drawn} == {8}


@pytest.mark.parametrize("generator_normalization", ["none", "batch"])
def test_clipping_bounds_d_after_each_of_its_steps_and_leaves_g(
    generator_normalization: str, tiny: Callable, game_of: Callable
) -> None:
    game = game_of(
        tiny(
            "mlp",
            {
                "objective": "wgan",
                "optimizers.discriminator.lr": 0.1,
                "model.generator.normalization": generator_normalization,
            },
        )
    )
    assert max(p.abs().max() for p in game.D.parameters()) > 0.01
    for turn in turns(game, 2):
        if turn.player.name == "D":
            assert max(p.abs().max() for p in game.D.parameters()) <= torch.tensor(0.01)
    assert max(p.abs().max() for p in game.G.parameters()) > 0.05


# --- what a turn returns ---


@BOTH
@EVERY_OBJECTIVE
def test_declared_columns_are_returned_columns(
    objective: str, architecture: str, tiny: Callable, game_of: Callable
) -> None:
    game = game_of(tiny(architecture, {"objective": objective}))
    for turn in turns(game, 2):
        assert tuple(turn.values) == turn.player.columns
        assert len(set(turn.player.columns)) == len(turn.player.columns)
        for name, value in turn.values.items():
            assert value.shape == (), name
            assert value.isfinite(), name
            assert not value.requires_grad, name
        total = sum(turn.values[term].item() for term in turn.player.terms)
        assert turn.values["loss"].item() == pytest.approx(total, rel=1e-5, abs=1e-6)
        norm = math.sqrt(sum(p.grad.double().square().sum().item() for p in turn.player.parameters))
        assert turn.values["grad_norm"].item() == pytest.approx(norm, rel=1e-4)
        for name in turn.player.readings:
            if name.startswith("accuracy") or game.loss.output == "probability":
                assert 0 <= turn.values[name] <= 1, name


def test_the_weight_of_a_penalty_is_in_its_term(tiny: Callable, game_of: Callable) -> None:
    """The same first step with λ = 1 and λ = 30: the term is thirty times larger, the rest of the loss is the same."""
    first = {}
    for weight in (1.0, 30.0):
        game = game_of(tiny("mlp", {"objective": "wgan_gp", "objective.penalties.gradient_penalty": weight}))
        first[weight] = take_turn(game, game.players[0])
    assert first[30.0]["gp"].item() == pytest.approx(30 * first[1.0]["gp"].item(), rel=1e-5)
    assert first[30.0]["adv"].item() == first[1.0]["adv"].item()


class Slope(nn.Module):
    """D(x) = a x + b on a line."""

    def __init__(self, a: float, b: float) -> None:
        super().__init__()
        self.a, self.b = nn.Parameter(torch.tensor(a)), nn.Parameter(torch.tensor(b))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return (self.a * x + self.b).flatten()


class Constant(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor([[value]]))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.value.expand(len(z), 1)


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t))


def stub_game(tiny: Callable, game_of: Callable, loss: str, a: float, b: float, fake: float) -> AdversarialGame:
    """Real data all but at 10, G always at ``fake``, D(x) = a x + b."""
    game = game_of(tiny("mlp", {"data.name": "gaussian", "data.options": {"mean": 10.0, "std": 0.001}}))
    game.G, game.D, game.loss = Constant(fake), Slope(a, b), LOSSES[loss]
    for player, network in zip(game.players, (game.D, game.G), strict=True):
        player.networks = (network,)
        player.optimizer = torch.optim.SGD(network.parameters(), lr=1e-9)
    return game


@pytest.mark.parametrize("loss", ["non_saturating", "minimax"])
@pytest.mark.parametrize(
    ("a", "b", "fake", "right"), [(0.2, 0.0, -5.0, (1, 1)), (-0.2, 0.5, -5.0, (0, 0)), (0.0, 2.0, 3.0, (1, 0))]
)
def test_readings_of_a_d_that_is_known(
    loss: str, a: float, b: float, fake: float, right: tuple[int, int], tiny: Callable, game_of: Callable
) -> None:
    """Real is real and fake is fake: in the loss, in the probabilities, in the accuracies."""
    game = stub_game(tiny, game_of, loss, a, b, fake)
    real_logit, fake_logit = 10 * a + b, fake * a + b
    values = take_turn(game, game.players[0])
    expected = {
        "adv": -math.log(sigmoid(real_logit)) - math.log(1 - sigmoid(fake_logit)),
        "real": sigmoid(real_logit),
        "fake": sigmoid(fake_logit),
        "accuracy_real": right[0],
        "accuracy_fake": right[1],
    }
    for name, value in expected.items():
        assert values[name].item() == pytest.approx(value, abs=1e-3), name
    values = take_turn(game, game.players[1])
    g_loss = -math.log(sigmoid(fake_logit)) if loss == "non_saturating" else math.log(1 - sigmoid(fake_logit))
    assert values["adv"].item() == pytest.approx(g_loss, abs=1e-3)
    assert values["fake"].item() == pytest.approx(sigmoid(fake_logit), abs=1e-3)


@pytest.mark.parametrize("loss", ["wasserstein", "least_squares"])
def test_readings_of_scores_are_the_scores(loss: str, tiny: Callable, game_of: Callable) -> None:
    game = stub_game(tiny, game_of, loss, 0.3, 0.1, -4.0)
    values = take_turn(game, game.players[0])
    assert values["real"].item() == pytest.approx(3.1, abs=1e-3)
    assert values["fake"].item() == pytest.approx(-1.1, abs=1e-3)
    expected = -3.1 - 1.1 if loss == "wasserstein" else (3.1 - 1) ** 2 + 1.1**2
    assert values["adv"].item() == pytest.approx(expected, abs=1e-2)


def test_a_critic_has_no_accuracy(tiny: Callable, game_of: Callable) -> None:
    assert game_of(tiny("mlp", {"objective": "wgan"})).players[0].readings == ("real", "fake")


# --- looking ---


@BOTH
@EVERY_OBJECTIVE
def test_looking_does_not_change_the_run(
    objective: str, architecture: str, tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    config = tiny(architecture, {"objective": objective, **WITH_STATE})
    game, watched = game_of(config), game_of(config)
    plain, noise, shape = advance(game, 5), torch.zeros(4, 3), (2,) if architecture == "mlp" else (1, 28, 28)
    for turn in play(watched):
        x_fake = watched.sample(noise)
        watched.judge(x_fake)
        watched.judge(torch.zeros(6, *shape))
        capture(watched, turn.round)
        assert watched.G.training
        assert watched.D.training
        if turn.ends_round and turn.round == 5:
            break
    assert state_hash(capture(watched, 5)) == plain


@BOTH
def test_looking_leaves_every_part_as_it_was(
    architecture: str, tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    game = game_of(tiny(architecture, WITH_STATE))
    before = advance(game, 2)
    first, again = game.sample(torch.ones(5, 3)), game.sample(torch.ones(5, 3))
    assert torch.equal(first, again), "in evaluation mode: no dropout, running statistics"
    assert not first.requires_grad
    assert torch.equal(game.judge(first), game.judge(first))
    assert not game.judge(first).requires_grad
    assert state_hash(capture(game, 2)) == before
    for mode in (True, False):
        game.G.train(mode), game.D.train(mode)
        game.judge(game.sample(torch.ones(1, 3)))
        assert all(module.training == mode for network in (game.G, game.D) for module in network.modules())


def test_looking_with_a_wrong_shape_leaves_training_mode(tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp"))
    with pytest.raises(RuntimeError):
        game.sample(torch.ones(5, 99))
    with pytest.raises(RuntimeError):
        game.judge(torch.ones(5, 99))
    assert game.G.training
    assert game.D.training


def test_judge_speaks_in_the_unit_of_the_loss(tiny: Callable, game_of: Callable) -> None:
    for loss in LOSSES:
        game = stub_game(tiny, game_of, loss, 0.5, 0.0, 0.0)
        x = torch.tensor([[-4.0], [0.0], [6.0]])
        logits = [-2.0, 0.0, 3.0]
        expected = [sigmoid(t) for t in logits] if LOSSES[loss].output == "probability" else logits
        assert game.judge(x).tolist() == pytest.approx(expected, abs=1e-6)

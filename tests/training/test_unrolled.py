"""The unrolled D against torch's own optimisers, and its gradient against finite differences through the whole unrolling."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from gan_core.training import Outcome, Player, capture, state_hash, take_turn
from gan_core.training.unroll import look_ahead

OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.02, betas=(0.5, 0.9)),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, lr=0.02),
    "rmsprop with momentum": lambda parameters: torch.optim.RMSprop(parameters, lr=0.02, momentum=0.7),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "sgd with momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.7),
}
EACH = pytest.mark.parametrize("optimiser", OPTIMISERS)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def critic() -> nn.Sequential:
    network = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    with torch.no_grad():
        for index, parameter in enumerate(network.parameters()):
            parameter.copy_(normal(*parameter.shape, seed=index))
    return network


def d_loss(D: Callable[[Tensor], Tensor], x: Tensor, x_fake: Tensor) -> Tensor:
    return nn.functional.softplus(-D(x)).mean() + nn.functional.softplus(D(x_fake)).mean()


def player_of(D: nn.Module, optimiser: str, warm: int, clip_gradient: float | None = None) -> Player:
    """D after ``warm`` real steps, so that there are moments to go on from."""
    optimizer = OPTIMISERS[optimiser](D.parameters())
    for _ in range(warm):
        optimizer.zero_grad()
        d_loss(D, normal(8, 2, seed=20), normal(8, 2, seed=21)).backward()
        optimizer.step()
    optimizer.zero_grad()
    return Player("D", (D,), lambda: Outcome({}), optimizer, ("adv",), clip_gradient=clip_gradient)


@EACH
@pytest.mark.parametrize("warm", [0, 3])
@pytest.mark.parametrize("clip_gradient", [None, 0.05])
def test_looking_ahead_is_what_the_optimiser_will_do(optimiser: str, warm: int, clip_gradient: float | None) -> None:
    D, x, x_fake = critic(), normal(8, 2, seed=1), normal(8, 2, seed=2)
    player = player_of(D, optimiser, warm, clip_gradient)
    ahead = look_ahead(D, player, lambda D: d_loss(D, x, x_fake), steps=4, clip=None)(x)
    for _ in range(4):
        player.optimizer.zero_grad()
        d_loss(D, x, x_fake).backward()
        if clip_gradient is not None:
            nn.utils.clip_grad_norm_(D.parameters(), clip_gradient)
        player.optimizer.step()
    torch.testing.assert_close(ahead, D(x), rtol=1e-5, atol=1e-7)


@EACH
def test_d_and_its_optimiser_stay_as_they_are(optimiser: str) -> None:
    D = nn.Sequential(nn.Linear(2, 5), nn.BatchNorm1d(5), nn.Linear(5, 1)).double()
    player = player_of(D, optimiser, 2)
    D.requires_grad_(False)
    before, memory = deepcopy(D.state_dict()), deepcopy(player.optimizer.state_dict())
    x_fake = normal(8, 2, seed=2).requires_grad_(True)
    ahead = look_ahead(D, player, lambda D: d_loss(D, normal(8, 2, seed=1), x_fake), steps=3, clip=None)
    ahead(x_fake).sum().backward()
    for name, tensor in D.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert str(player.optimizer.state_dict()) == str(memory)
    assert all(p.grad is None and not p.requires_grad for p in D.parameters())


@EACH
@pytest.mark.parametrize("warm", [0, 2])
def test_the_gradient_goes_through_all_steps(optimiser: str, warm: int) -> None:
    """d/dθ of G's loss at the D of three steps later, where D's steps depend on θ too, against finite differences."""
    D, x, z = critic(), normal(8, 2, seed=1), normal(8, 2, seed=2)
    player = player_of(D, optimiser, warm)

    def g_loss(theta: Tensor, steps: int = 3) -> Tensor:
        x_fake = z * theta + 0.3
        ahead = look_ahead(D, player, lambda D: d_loss(D, x, x_fake), steps=steps, clip=None)
        return nn.functional.softplus(-ahead(x_fake)).mean()

    theta = torch.tensor([0.7, -0.4], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(g_loss(theta), theta)
    (direct,) = torch.autograd.grad(g_loss(theta, steps=0), theta)
    for index in range(2):
        h = torch.zeros(2, dtype=torch.float64)
        h[index] = 1e-6
        slope = (g_loss(theta + h) - g_loss(theta - h)).item() / 2e-6
        assert gradient[index].item() == pytest.approx(slope, rel=1e-4, abs=1e-7)
    assert (gradient - direct).abs().max() > 1e-3, "the unrolled part matters"


def test_weights_without_a_gradient_make_no_nan() -> None:
    """A dead unit has v = 0, and √v no slope there."""
    D = critic()
    with torch.no_grad():
        D[2].weight.zero_()
    player = player_of(D, "adam", 0)
    x_fake = normal(8, 2, seed=2).requires_grad_(True)
    look_ahead(D, player, lambda D: d_loss(D, normal(8, 2), x_fake), 3, None)(x_fake).sum().backward()
    assert x_fake.grad.isfinite().all()


def test_clipping_bounds_the_d_ahead_too() -> None:
    D, x = critic(), normal(8, 2, seed=1)
    ahead = look_ahead(D, player_of(D, "sgd", 0), lambda D: d_loss(D, x, x + 1), steps=1, clip=0.01)
    largest = 5 * 0.01 + 0.01
    assert ahead(100 * x).abs().max() <= largest + 1e-9
    assert D(x).abs().max() > largest


def test_an_optimiser_that_is_not_known_is_refused() -> None:
    D = critic()
    player = Player("D", (D,), lambda: Outcome({}), torch.optim.Adagrad(D.parameters()), ("adv",))
    with pytest.raises(TypeError, match="Adagrad"):
        look_ahead(D, player, lambda D: d_loss(D, normal(4, 2), normal(4, 2)), 1, None)


# --- in the game ---


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"objective": "r3gan"},
        {"objective": "hinge"},
        {"objective": "began"},
        {"model.discriminator.normalization": "batch"},
        {"objective.penalties": {"lecam": 0.3}},
    ],
    ids=str,
)
def test_in_gs_turn_only_g_moves(changes: dict, tiny: Callable, game_of: Callable, advance: Callable) -> None:
    game = game_of(tiny("mlp", {**changes, "tricks.unrolled_steps": 2}))
    advance(game, 2)
    before = {name: value.clone() for name, value in game.D.named_parameters()}
    moments, memory = str(game.players[0].optimizer.state_dict()), str(game.memory)
    weights = [p.detach().clone() for p in game.G.parameters()]
    take_turn(game, game.players[1])
    assert all(torch.equal(before[name], value) for name, value in game.D.named_parameters())
    assert str(game.players[0].optimizer.state_dict()) == moments
    assert str(game.memory) == memory
    assert any(not torch.equal(p, q) for p, q in zip(game.G.parameters(), weights, strict=True))


def test_zero_steps_are_the_plain_game_and_one_is_not(tiny: Callable, game_of: Callable, advance: Callable) -> None:
    hashes = [advance(game_of(tiny("mlp", {"tricks.unrolled_steps": k})), 3) for k in (0, 1, 2)]
    plain = game_of(tiny("mlp"))
    assert hashes[0] == advance(plain, 3) == state_hash(capture(plain, 3))
    assert len(set(hashes)) == 3

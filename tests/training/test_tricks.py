"""Tricks in the game: what D sees, what it is told, what G minimises, what is sampled, what is carried along."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gan_core.losses import LOSSES
from gan_core.training import capture, play, restore, state_hash, take_turn
from gan_core.training.averaging import follow
from gan_core.training.games import AdversarialGame


def seen_by_d(game: AdversarialGame) -> list[Tensor]:
    """Every batch that D is called with from now on."""
    batches: list[Tensor] = []
    game.D.register_forward_pre_hook(lambda module, inputs: batches.append(inputs[0].detach().clone()))
    return batches


# --- labels ---


def logits_of(game: AdversarialGame) -> tuple[Tensor, Tensor]:
    """D's logits on the next turn's batches, without taking it."""
    state = capture(game, 0)
    with torch.no_grad():
        logits = game.D(game.data.next().x), game.D(game.G(game._noise(game.batch_size)))
    restore(game, state)
    return logits


@pytest.mark.parametrize("loss", ["non_saturating", "least_squares", "hinge"])
def test_smoothing_mixes_the_label_of_real_data_only(loss: str, tiny: Callable, game_of: Callable) -> None:
    """(1 − s) ℓ₁(real) + s ℓ₀(real) + ℓ₀(fake), in plain arithmetic."""
    pays = {
        "non_saturating": (lambda t: math.log(1 + math.exp(-t)), lambda t: math.log(1 + math.exp(t))),
        "least_squares": (lambda t: (t - 1) ** 2, lambda t: t**2),
        "hinge": (lambda t: max(0, 1 - t), lambda t: max(0, 1 + t)),
    }[loss]
    game = game_of(tiny("mlp", {"objective.loss": loss, "tricks.label_smoothing": 0.3}))
    real, fake = (logits.tolist() for logits in logits_of(game))
    expected = sum(0.7 * pays[0](t) + 0.3 * pays[1](t) for t in real) / 8 + sum(map(pays[1], fake)) / 8
    assert take_turn(game, game.players[0])["adv"].item() == pytest.approx(expected, rel=1e-5)


def test_flipping_exchanges_pairs_at_the_chosen_rate(tiny: Callable, game_of: Callable) -> None:
    game, told = game_of(tiny("mlp", {"tricks.label_flipping": 0.25})), []
    real, fake = torch.arange(1.0, 4001), -torch.arange(1.0, 4001)
    game.loss = type(game.loss)(
        **{**vars(LOSSES["wasserstein"]), "d_loss": lambda r, f: told.append((r, f)) or r.sum()}
    )
    game._d_adversarial(real, fake)
    ((as_real, as_fake),) = told
    assert torch.equal(as_real, -as_fake), "both of a pair, or neither"
    assert torch.equal(as_real.abs(), real)
    assert (as_real < 0).float().mean().item() == pytest.approx(0.25, abs=0.03)  # 4.4 standard deviations


def test_readings_are_of_the_true_labels(tiny: Callable, game_of: Callable) -> None:
    """Flipped or smoothed, accuracy and D(x) speak of what is real and what is not."""
    plain, told = (
        game_of(tiny("mlp")),
        game_of(tiny("mlp", {"tricks.label_flipping": 0.5, "tricks.label_smoothing": 0.5})),
    )
    first, second = (take_turn(game, game.players[0]) for game in (plain, told))
    for name in plain.players[0].readings:
        assert first[name] == second[name]
    assert first["adv"] != second["adv"]


# --- instance noise ---


def test_noise_is_on_all_that_d_sees_with_the_sigma_of_the_round(tiny: Callable, game_of: Callable) -> None:
    """Data without spread: what is left is the noise."""
    changes = {
        "data.name": "gaussian",
        "data.options": {"mean": 0.0, "std": 0.001},
        "data.batch_size": 2048,
        "tricks.instance_noise": 0.8,
        "tricks.instance_noise_rounds": 4,
    }
    game = game_of(tiny("mlp", changes))
    with torch.no_grad():
        for parameter in game.G.parameters():
            parameter.zero_()
    game.players[1].optimizer.param_groups[0]["lr"] = 0.0
    batches = seen_by_d(game)
    readings = []
    for turn in play(game):
        if turn.player.name == "D":
            readings.append(turn.values["noise"].item())
        if turn.ends_round and turn.round == 5:
            break
    assert readings == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.0], abs=1e-6)
    for round, sigma in enumerate(readings):
        for batch in batches[3 * round : 3 * round + 3]:  # real and generated in D's turn, generated in G's
            assert batch.std().item() == pytest.approx(sigma, abs=0.05 * sigma + 2e-3)
    assert len({batch.numpy().tobytes() for batch in batches[:12]}) == 12, "fresh noise every time"


def test_judging_and_sampling_are_without_noise(tiny: Callable, game_of: Callable) -> None:
    noisy, plain = game_of(tiny("mlp", {"tricks.instance_noise": 5.0})), game_of(tiny("mlp"))
    x = torch.ones(4, 2)
    assert torch.equal(noisy.judge(x), plain.judge(x))
    assert torch.equal(noisy.sample(torch.ones(4, 3)), plain.sample(torch.ones(4, 3)))


# --- packing ---


@pytest.mark.parametrize("architecture", ["mlp", "dcgan"])
@pytest.mark.parametrize("size", [2, 4])
def test_d_judges_packs(architecture: str, size: int, tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny(architecture, {"model.discriminator.packing": size, "objective": "wgan_gp"}))
    batches, shape = seen_by_d(game), (2,) if architecture == "mlp" else (1, 28, 28)
    for player in game.players:
        take_turn(game, player)
    packed = (8 // size, shape[0] * size, *shape[1:])
    assert [tuple(batch.shape) for batch in batches] == [packed] * 4, "real, generated, between, and in G's turn"
    assert game.D(torch.zeros(packed)).shape == (8 // size,)
    assert game.sample(torch.zeros(5, 3)).shape == (5, *shape)
    x = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))
    expected = game.D(torch.cat([x] * size, dim=1))
    torch.testing.assert_close(game.judge(x), expected)


def test_a_pack_holds_samples_of_one_kind(tiny: Callable, game_of: Callable) -> None:
    game = game_of(
        tiny("mlp", {"model.discriminator.packing": 4, "data.name": "gaussian", "data.options": {"mean": 50.0}})
    )
    batches = seen_by_d(game)
    take_turn(game, game.players[0])
    real, fake = batches
    assert real.min() > 40
    assert fake.max() < 40


def test_a_penalty_is_per_pack(tiny: Callable, game_of: Callable) -> None:
    """D(x₁ … x₄) = w·(x₁ … x₄) with |w| = 5: λ (5 − 1)² whatever m; per sample it would be less."""

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.full((8,), 5 / math.sqrt(8)))

        def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
            return x @ self.w

    game = game_of(tiny("mlp", {"model.discriminator.packing": 4, "objective": "wgan_gp"}))
    game.D = Linear()
    for player in game.players[:1]:
        player.networks, player.parameters = (game.D,), tuple(game.D.parameters())
        player.optimizer = torch.optim.SGD(game.D.parameters(), lr=1e-9)
    assert take_turn(game, game.players[0])["gp"].item() == pytest.approx(160, rel=1e-4)


@pytest.mark.parametrize(("summary", "told"), [("squared_differences", 8), ("moments", 4)])
@pytest.mark.parametrize("architecture", ["mlp", "dcgan"])
def test_d_is_told_what_sums_a_pack_up(
    architecture: str, summary: str, told: int, tiny: Callable, game_of: Callable
) -> None:
    changes = {"model.discriminator.packing": 4, "model.discriminator.summary": summary, "objective": "wgan_gp"}
    game = game_of(tiny(architecture, changes))
    batches, shape = seen_by_d(game), (2,) if architecture == "mlp" else (1, 28, 28)
    for player in game.players:
        assert take_turn(game, player)["grad_norm"] > 0
    packed = (2, told * shape[0], *shape[1:])
    assert [tuple(batch.shape) for batch in batches] == [packed] * 4
    assert game.judge(torch.zeros(3, *shape)).shape == (3,)


# --- feature matching ---


def test_features_are_matched_in_the_mean(tiny: Callable, game_of: Callable) -> None:
    """‖E f(x) − E f(G(z))‖², with f the input of D's last layer, by a hook of our own."""
    game = game_of(tiny("mlp", {"tricks.feature_matching": "instead"}))
    inputs: list[Tensor] = []
    last = [module for module in game.D if isinstance(module, nn.Linear)][-1]
    state = capture(game, 0)
    handle = last.register_forward_pre_hook(lambda module, given: inputs.append(given[0].detach()))
    z = game._noise(8)
    game.D(game.data.next().x), game.D(game.G(z))
    handle.remove()
    restore(game, state)
    expected = sum((a - b) ** 2 for a, b in zip(inputs[0].mean(0).tolist(), inputs[1].mean(0).tolist(), strict=True))
    values = take_turn(game, game.players[1])
    assert values["features"].item() == pytest.approx(expected, rel=1e-4)
    assert game.players[1].terms == ("features",)
    assert values["loss"] == values["features"]


def test_added_features_leave_the_adversarial_term(tiny: Callable, game_of: Callable) -> None:
    plain, added = game_of(tiny("mlp")), game_of(tiny("mlp", {"tricks.feature_matching": "added"}))
    first, second = (take_turn(game, game.players[1]) for game in (plain, added))
    assert first["adv"] == second["adv"]
    assert second["loss"].item() == pytest.approx((second["adv"] + second["features"]).item(), rel=1e-6)
    assert second["features"] > 0


@pytest.mark.parametrize("changes", [{}, {"objective": "ebgan"}, {"model.discriminator.packing": 2}], ids=str)
@pytest.mark.parametrize("architecture", ["mlp", "dcgan"])
def test_matching_features_moves_g(architecture: str, changes: dict, tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny(architecture, {**changes, "tricks.feature_matching": "instead"}))
    assert take_turn(game, game.players[1])["grad_norm"] > 0
    assert all(p.grad is None for p in game.D.parameters())


# --- moving average of G ---


def test_the_average_is_the_papers_recursion() -> None:
    average, network = nn.Linear(2, 2), nn.Linear(2, 2)
    expected = average.weight.detach().clone()
    for step in range(4):
        with torch.no_grad():
            network.weight.fill_(float(step))
        follow(average, network, 0.9)
        expected = 0.9 * expected + 0.1 * step
    torch.testing.assert_close(average.weight.detach(), expected)


def test_samples_come_from_the_average_and_training_does_not_see_it(
    tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    changes = {"model.generator.normalization": "batch", "model.generator.dropout": 0.2}
    plain, averaged = game_of(tiny("mlp", changes)), game_of(tiny("mlp", {**changes, "tricks.ema_decay": 0.9}))
    mean = [p.detach().clone() for p in averaged.G.parameters()]
    for turn in play(averaged):
        if turn.player.name == "G":
            mean = [0.9 * m + 0.1 * p.detach() for m, p in zip(mean, averaged.G.parameters(), strict=True)]
            if turn.round == 5:
                break
    advance(plain, 5)
    for name, tensor in plain.G.state_dict().items():
        assert torch.equal(tensor, averaged.G.state_dict()[name]), "G itself plays as ever"
    for ours, theirs in zip(mean, averaged.G_average.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs.detach())
        assert not theirs.requires_grad
    for kept, buffer in zip(averaged.G_average.buffers(), averaged.G.buffers(), strict=True):
        assert torch.equal(kept, buffer)
    z = torch.ones(4, 3)
    assert not torch.equal(averaged.sample(z), plain.sample(z))
    assert torch.equal(averaged.sample(z), averaged.G_average.eval()(z))
    assert set(averaged.networks) == {"G", "D", "G_average"}


# --- gradient clipping ---


@pytest.mark.parametrize("who", ["generator", "discriminator"])
def test_a_long_gradient_is_scaled_and_a_short_one_left(who: str, tiny: Callable, game_of: Callable) -> None:
    index = {"discriminator": 0, "generator": 1}[who]
    free = game_of(tiny("mlp"))
    norm = take_turn(free, free.players[index])["grad_norm"].item()
    gradients = [p.grad.clone() for p in free.players[index].parameters]
    for share in (0.25, 4.0):
        game = game_of(tiny("mlp", {f"optimizers.{who}.clip_gradient": share * norm}))
        values = take_turn(game, game.players[index])
        assert values["grad_norm"].item() == pytest.approx(norm, rel=1e-6), "drawn as it was"
        for ours, whole in zip(game.players[index].parameters, gradients, strict=True):
            torch.testing.assert_close(ours.grad, whole * min(1.0, share), rtol=1e-4, atol=1e-7)


# --- what is carried from turn to turn ---


def test_began_in_the_game_is_table_1(tiny: Callable, game_of: Callable) -> None:
    """Three D turns by hand: L(x) − k L(x̂), then k; the readings are k after the turn and M of the turn."""
    options = {"gamma": 0.4, "lambda_k": 0.5}
    game = game_of(tiny("mlp", {"objective": "began", "objective.options": options}))
    k = 0.0
    for _ in range(3):
        real, fake = (-logits.mean().item() for logits in logits_of(game))
        values = take_turn(game, game.players[0])
        assert values["adv"].item() == pytest.approx(real - k * fake, abs=1e-5)
        assert values["convergence"].item() == pytest.approx(real + abs(0.4 * real - fake), abs=1e-5)
        k = min(max(k + 0.5 * (0.4 * real - fake), 0), 1)
        assert values["k"].item() == pytest.approx(k, abs=1e-5)
        assert game.memory["loss"]["k"].item() == pytest.approx(k, abs=1e-5)
    g = take_turn(game, game.players[1])
    assert g["adv"].item() == pytest.approx(-g["fake"].item(), abs=1e-6)
    assert game.memory["loss"]["k"].item() == pytest.approx(k, abs=1e-5), "G's turn does not move k"


def test_lecam_in_the_game_pulls_to_the_anchors_of_the_turn_before(tiny: Callable, game_of: Callable) -> None:
    game = game_of(tiny("mlp", {"objective.penalties": {"lecam": 2.0}}))
    anchors = {"real": 0.0, "fake": 0.0}
    for _ in range(3):
        real, fake = logits_of(game)
        values = take_turn(game, game.players[0])
        expected = (real - anchors["fake"]).square().mean() + (fake - anchors["real"]).square().mean()
        assert values["lecam"].item() == pytest.approx(2 * expected.item(), rel=1e-4)
        anchors = {
            "real": 0.99 * anchors["real"] + 0.01 * real.mean().item(),
            "fake": 0.99 * anchors["fake"] + 0.01 * fake.mean().item(),
        }
        for kind in ("real", "fake"):
            assert values[f"lecam_{kind}"].item() == pytest.approx(anchors[kind], abs=1e-6)


CARRIED = {
    "k": ({"objective": "began"}, "memory/loss/k"),
    "anchor": ({"objective.penalties": {"lecam": 0.3}}, "memory/lecam/real"),
    "average": ({"tricks.ema_decay": 0.9}, "networks/G_average/0.weight"),
    "u": ({"objective": "hinge"}, "networks/D/1.parametrizations.weight.0.u"),
    "running statistic": ({"model.discriminator.minibatch_stddev": 4}, "networks/D/5.running"),
    "stream of the noise": ({"tricks.instance_noise": 0.3}, "streams/tricks"),
    "rate": ({"optimizers.generator.lr_schedule": "cosine"}, "optimizers/G/param_groups"),
}


@pytest.mark.parametrize("what", CARRIED)
def test_what_is_carried_is_in_the_state_and_in_its_hash(
    what: str, tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    changes, path = CARRIED[what]
    config = tiny("mlp", changes)
    game = game_of(config)
    before = advance(game, 3)
    state = capture(game, 3)
    *parents, last = path.split("/")
    place = state
    for name in parents:
        place = place[name]
    value = place[last]
    if isinstance(value, list):
        place[last] = [{**value[0], "initial_lr": 1.0}]
    elif value.dtype == torch.uint8:
        place[last] = torch.Generator().manual_seed(5).get_state()
    else:
        place[last] = value + 0.25
    assert state_hash(state) != before
    changed = game_of(config)
    restore(changed, state)
    assert state_hash(capture(changed, 3)) == state_hash(state)
    assert advance(changed, 1, 3) != advance(game, 1, 3)
    del place[last]
    with pytest.raises(ValueError, match=r"missing|does not fit"):
        restore(game_of(config), state)


def test_a_state_with_a_memory_does_not_fit_a_game_without(tiny: Callable, game_of: Callable) -> None:
    with_memory = capture(game_of(tiny("mlp", {"objective.penalties": {"lecam": 1.0}})), 0)
    without = capture(game_of(tiny("mlp")), 0)
    assert "memory" not in without, "states of plain games are what they were"
    for state, changes in ((with_memory, {}), (without, {"objective.penalties": {"lecam": 1.0}})):
        with pytest.raises(ValueError, match="memory"):
            restore(game_of(tiny("mlp", changes)), state)

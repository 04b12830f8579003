"""What D sees of pictures: differentiable augmentation, its adaptive share, lazy penalties, an average that warms up."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
import torch
from scipy.stats import ks_2samp
from torch import Tensor

from gan_core.config import ConfigError, RunConfig
from gan_core.training import augmenting as module
from gan_core.training import build, capture, load_source, play, resolve, restore, state_hash, take_turn
from gan_core.training.augmenting import POLICIES, TRANSFORMATIONS, augmented, next_share
from gan_core.training.games import AdversarialGame, adversarial
from gan_core.training.timetable import warmed_up

ALL = "colour+translation+cutout"
CHANGES = [change for changes in TRANSFORMATIONS.values() for change in changes]


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int = 6, channels: int = 3, side: int = 8, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(n, channels, side, side, generator=stream(9), dtype=dtype) * 2 - 1


def of(*draws: float) -> Callable[[], Tensor]:
    """A source of draws that are known, the same for every picture; the last again and again."""
    left = list(draws)
    return lambda: torch.full((6,), left.pop(0) if len(left) > 1 else left[0])


# --- the law ---


def test_off_is_the_identity_and_a_share_of_nothing_too() -> None:
    x = pictures()
    assert augmented(x, "off", stream()) is x
    assert torch.equal(augmented(x, ALL, stream(), 0.0), x)


def test_equal_streams_change_equally_and_each_picture_by_itself() -> None:
    x = pictures(1).expand(400, -1, -1, -1)
    first, again = augmented(x, ALL, stream(1)), augmented(x, ALL, stream(1))
    assert torch.equal(first, again)
    assert len(first.unique(dim=0)) > 390
    half = augmented(x, "translation", stream(2), 0.5)
    same = (half == x).flatten(1).all(1).float().mean()
    assert float(same) == pytest.approx(0.5 + 0.5 / 9, abs=0.1)  # and those that were shifted by nothing


@pytest.mark.parametrize("policy", [policy for policy in POLICIES if policy != "off"])
def test_the_gradient_passes_through(policy: str) -> None:
    x = pictures(2, side=4, dtype=torch.float64).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: augmented(x, policy, stream()), (x,))


def test_colours_are_changed_as_published() -> None:
    x = pictures()
    torch.testing.assert_close(module.brighter(x, of(0.75)), x + 0.25)
    grey = x.mean(1, keepdim=True)
    torch.testing.assert_close(module.more_colourful(x, of(0.75)), (x - grey) * 1.5 + grey)
    middle = x.mean((1, 2, 3), keepdim=True)
    torch.testing.assert_close(module.more_contrast(x, of(0.75)), (x - middle) * 1.25 + middle)
    one = pictures(channels=1)
    torch.testing.assert_close(module.more_colourful(one, of(0.9)), one)


def test_a_shift_keeps_what_stays_inside_and_fills_with_the_middle_grey() -> None:
    x = torch.zeros(2_000, 1, 16, 16)
    x[:, 0, 8, 8] = 1
    moved = augmented(x, "translation", stream())
    assert torch.equal(moved.sum((1, 2, 3)), torch.ones(2_000))
    rows, columns = (moved[:, 0].sum(axis).argmax(1) - 8 for axis in (2, 1))
    assert {int(row) for row in rows} == {int(column) for column in columns} == {-2, -1, 0, 1, 2}
    assert torch.bincount(rows + 2).min() > 300
    full = augmented(torch.ones(1_000, 1, 16, 16), "translation", stream(1))
    assert set(full.unique().tolist()) == {0.0, 1.0}


def test_the_square_has_the_share_of_the_picture_that_was_published() -> None:
    """Its middle is anywhere from border to border: (456 / 33 / 32)² of a picture of 32 pixels a side."""
    draws = stream()
    cut = module.cut_out(torch.ones(4_000, 1, 32, 32), lambda: torch.rand(4_000, generator=draws))
    assert float((cut == 0).float().mean()) == pytest.approx((456 / 33 / 32) ** 2, abs=0.006)
    one = module.cut_out(torch.ones(6, 1, 32, 32), of(0.5))[0, 0]
    assert int((one == 0).sum()) == 16 * 16


# --- in the game ---


def config_of(**changes: Any) -> RunConfig:
    base = {"data": {"name": "few_digits", "batch_size": 8}, "device": "cpu", "seed": 3}
    small = {"model.latent_dim": 4, "model.generator.widths": [6], "model.discriminator.widths": [6]}
    return resolve(RunConfig.load(base).replace({**small, "objective": "ns_gan", **changes}))


def game_of(**changes: Any) -> AdversarialGame:
    config = config_of(**changes)
    game = build(config, load_source(config))
    assert isinstance(game, AdversarialGame)
    return game


def test_what_d_judges_is_changed_in_both_turns_and_what_is_shown_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a change that blackens, D says one number to everything: L_D = softplus(−o) + softplus(o), and G learns nothing."""
    game = game_of(**{"tricks.augment": ALL})
    z = torch.randn(3, 4, generator=stream())
    before = game.sample(z)
    monkeypatch.setattr(adversarial, "augmented", lambda x, policy, generator, share: x * 0)
    with torch.no_grad():
        logit = game.D(torch.zeros(1, 1, 28, 28))
    said = take_turn(game, game.players[0])["adv"]
    expected = torch.nn.functional.softplus(-logit) + torch.nn.functional.softplus(logit)
    assert float(said) == pytest.approx(float(expected), rel=1e-5)
    assert float(take_turn(game, game.players[1])["grad_norm"]) == 0
    game = game_of(**{"tricks.augment": ALL})
    assert torch.equal(game.sample(z), before)


def test_real_and_generated_pictures_are_changed_by_one_law(monkeypatch: pytest.MonkeyPatch) -> None:
    game = game_of(**{"tricks.augment": "translation+cutout"})
    x = torch.ones(2_000, 1, 28, 28)
    real, fake = (1 - game._seen(x).mean((1, 2, 3)) for _ in range(2))
    assert ks_2samp(real.numpy(), fake.numpy()).pvalue > 0.01
    assert float(real.mean()) > 0.15


def test_g_learns_through_the_change() -> None:
    plain, through = game_of(), game_of(**{"tricks.augment": "translation"})
    assert all(torch.equal(a, b) for a, b in zip(plain.G.parameters(), through.G.parameters(), strict=True))
    for game in (plain, through):
        take_turn(game, game.players[1])
    assert any(not torch.equal(a, b) for a, b in zip(plain.G.parameters(), through.G.parameters(), strict=True))


def test_a_run_without_augmentation_has_the_old_streams_and_memory() -> None:
    game = game_of()
    assert set(game.streams) == {"z", "penalties", "dropout.G", "dropout.D"}
    assert game.memory == {}


def test_the_adaptive_share_goes_towards_its_target_by_pictures() -> None:
    share, sure, unsure = torch.tensor(0.5), torch.tensor(0.9), torch.tensor(0.1)
    assert float(next_share(share, sure, 0.6, 1_000, 8)) == pytest.approx(0.5 + 4 * 8 / 1_000)
    assert float(next_share(share, unsure, 0.6, 1_000, 8)) == pytest.approx(0.5 - 4 * 8 / 1_000)
    assert float(next_share(torch.tensor(0.99), sure, 0.6, 100, 8)) == 1
    assert float(next_share(torch.tensor(0.01), unsure, 0.6, 100, 8)) == 0


def test_the_adaptive_share_is_counted_over_four_turns_of_d_and_kept() -> None:
    changes = {"tricks.augment": ALL, "tricks.augment_target": 0.6, "tricks.augment_images": 100, "objective": "hinge"}
    game, again = game_of(**changes), game_of(**changes)
    turns = list(islice(play(game), 30))
    told = [float(turn.values["augment"]) for turn in turns if turn.player.name == "D"]
    right = [float(turn.values["accuracy_real"]) for turn in turns if turn.player.name == "D"]
    assert told[:3] == [0, 0, 0]
    r_t = 2 * sum(right[:4]) / 4 - 1
    assert told[3] == pytest.approx(0.32 if r_t > 0.6 else 0.0)
    state = capture(game, 10)
    restore(again, state)
    assert state_hash(capture(again, 10)) == state_hash(state)
    for one in (game, again):
        list(islice(play(one, 10), 20))
    assert state_hash(capture(again, 20)) == state_hash(capture(game, 20))


def test_d_that_knows_all_real_pictures_drives_the_share_up() -> None:
    game = game_of(**{"tricks.augment": ALL, "tricks.augment_target": 0.6, "tricks.augment_images": 1_000})
    for _ in range(8):
        game._remember(torch.ones(8), -torch.ones(8))
    assert float(game.memory["augment"]["share"]) == pytest.approx(2 * 4 * 8 / 1_000)
    for _ in range(4):
        game._remember(-torch.ones(8), -torch.ones(8))
    assert float(game.memory["augment"]["share"]) == pytest.approx(4 * 8 / 1_000)


def test_a_lazy_penalty_is_on_average_the_same() -> None:
    """On a fixed D the mean over k turns of k times the penalty, or 0, is the penalty."""
    lazy = game_of(**{"objective.penalties": {"r1": 10.0}, "tricks.penalty_interval": 4})
    always = game_of(**{"objective.penalties": {"r1": 10.0}})
    for game in (lazy, always):
        for group in game.players[0].optimizer.param_groups:
            group["lr"] = 0.0
    found, expected = ([float(take_turn(game, game.players[0])["r1"]) for _ in range(8)] for game in (lazy, always))
    assert [value > 0 for value in found] == 2 * [True, False, False, False]
    assert [found[0], found[4]] == pytest.approx([4 * expected[0], 4 * expected[4]], rel=1e-5)
    assert lazy.memory["lazy"]["step"] == 0


def test_an_average_that_warms_up_does_not_remember_the_first_rounds() -> None:
    assert [warmed_up(0.995, round) for round in (1, 10)] == [2 / 11, 11 / 20]
    assert warmed_up(0.995, 10_000) == 0.995
    game = game_of(**{"tricks.ema_decay": 0.995, "tricks.ema_warm_up": True})
    first = [parameter.clone() for parameter in game.G.parameters()]
    list(islice(play(game), 2))
    assert game.G_average is not None
    for start, now, mean in zip(first, game.G.parameters(), game.G_average.parameters(), strict=True):
        torch.testing.assert_close(mean, start + (1 - 2 / 11) * (now - start))


def test_channels_last_is_the_same_but_for_rounding_and_resumes_exactly(advance: Callable) -> None:
    convolutions = {
        f"model.{who}.{what}": value
        for who in ("generator", "discriminator")
        for what, value in {"architecture": "dcgan", "widths": [6, 5]}.items()
    }
    plain, last, resumed = (
        game_of(**convolutions, **{"model.channels_last": is_last}) for is_last in (False, True, True)
    )
    weights = [parameter for parameter in last.G.parameters() if parameter.dim() == 4]
    assert weights
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)
    for game in (plain, last):
        advance(game, 3)
    for mine, its in zip(plain.G.parameters(), last.G.parameters(), strict=True):
        torch.testing.assert_close(mine, its, rtol=1e-3, atol=1e-4)
    saved = capture(last, 3)
    through_a_file = {
        **saved,
        "networks": _contiguous(saved["networks"]),
        "optimizers": _contiguous(saved["optimizers"]),
    }
    assert restore(resumed, through_a_file) == 3
    assert advance(resumed, 3, 3) == advance(last, 3, 3)
    moments = [
        moment["exp_avg"] for moment in resumed.players[1].optimizer.state.values() if moment["exp_avg"].dim() == 4
    ]
    assert all(moment.is_contiguous(memory_format=torch.channels_last) for moment in moments)


def _contiguous(node: Any) -> Any:
    if isinstance(node, Tensor):
        return node.contiguous()
    return {key: _contiguous(value) for key, value in node.items()} if isinstance(node, dict) else node


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": {"name": "ring"}, "tricks": {"augment": "translation"}}, "only pictures"),
        ({"objective": "wgan_gp", "tricks": {"augment": "translation", "augment_target": 0.6}}, "no boundary"),
    ],
)
def test_what_cannot_be_augmented_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolve(RunConfig.load({"device": "cpu", **changes}))

"""What changes with the round is a function of the round, and a resumed run is on time."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from gan_core.training import capture, play, restore
from gan_core.training.timetable import instance_noise, share_of_rate


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("final", [0.0, 0.1, 1.0])
def test_from_one_in_the_first_round_to_the_final_share_in_the_last(schedule: str, final: float) -> None:
    shares = [share_of_rate(schedule, round, 101, final) for round in range(1, 102)]
    assert shares[0] == pytest.approx(1)
    assert shares[-1] == pytest.approx(final, abs=1e-12)
    assert shares[50] == pytest.approx((1 + final) / 2)
    assert shares == sorted(shares, reverse=True)
    assert share_of_rate(schedule, 500, 101, final) == pytest.approx(final, abs=1e-12), "beyond the end it stays there"


def test_the_quarter_tells_the_line_from_the_cosine() -> None:
    assert share_of_rate("linear", 26, 101, 0.2) == pytest.approx(0.2 + 0.8 * 0.75)
    assert share_of_rate("cosine", 26, 101, 0.2) == pytest.approx(0.2 + 0.8 * (1 + math.cos(math.pi / 4)) / 2)


def test_late_is_full_for_half_the_run_and_then_falls_by_equal_factors() -> None:
    shares = [share_of_rate("late", round, 101, 0.02) for round in range(1, 102)]
    assert shares[:51] == [1.0] * 51
    assert shares[75] == pytest.approx(math.sqrt(0.02))
    assert shares[100] == pytest.approx(0.02) == share_of_rate("late", 500, 101, 0.02)
    assert 0 < share_of_rate("late", 101, 101, 0.0) <= 1e-3, "an exponential never comes to 0"


def test_late_linear_is_full_for_six_tenths_and_then_falls_linearly() -> None:
    shares = [share_of_rate("late_linear", round, 101, 0.2) for round in range(1, 102)]
    assert shares[:61] == [1.0] * 61
    assert shares[80] == pytest.approx(0.6)
    assert shares[100] == pytest.approx(0.2) == share_of_rate("late_linear", 500, 101, 0.2)


def test_constant_is_one_and_a_single_round_divides_by_nothing() -> None:
    assert share_of_rate("constant", 77, 100, 0.0) == 1
    assert share_of_rate("cosine", 1, 1, 0.0) == 1


def test_instance_noise_fades_linearly_to_nothing() -> None:
    sigmas = [instance_noise(0.4, round, 4) for round in range(1, 8)]
    assert sigmas == pytest.approx([0.4, 0.3, 0.2, 0.1, 0, 0, 0])


RATES = {
    "optimizers.generator": {"lr": 0.01, "lr_schedule": "cosine"},
    "optimizers.discriminator": {"lr": 0.04, "lr_schedule": "linear", "lr_final": 0.5},
    "schedule.rounds": 5,
}


def rates(game: object) -> dict[str, float]:
    return {player.name: player.optimizer.param_groups[0]["lr"] for player in game.players}


def test_each_player_has_its_own_rate_in_each_round(tiny: Callable, game_of: Callable) -> None:
    game, seen = game_of(tiny("mlp", RATES)), []
    for turn in play(game):
        seen.append((turn.player.name, rates(game)[turn.player.name]))
        if turn.ends_round and turn.round == 5:
            break
    assert [lr for name, lr in seen if name == "D"] == pytest.approx([0.04, 0.035, 0.03, 0.025, 0.02])
    expected = [0.01 * (1 + math.cos(math.pi * t / 4)) / 2 for t in range(5)]
    assert [lr for name, lr in seen if name == "G"] == pytest.approx(expected)


def test_a_resumed_run_has_the_rate_and_the_noise_of_its_round(
    tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    config = tiny("mlp", {**RATES, "tricks.instance_noise": 0.5, "tricks.instance_noise_rounds": 4})
    game = game_of(config)
    advance(game, 2)
    state = capture(game, 2)
    advance(game, 1, 2)
    later = game_of(config)
    played = restore(later, state)
    advance(later, 1, played)
    assert rates(later) == rates(game)
    assert later.noise == game.noise == pytest.approx(0.5 * (1 - 2 / 4))


def test_a_constant_rate_changed_by_hand_stays(tiny: Callable, game_of: Callable, advance: Callable) -> None:
    game = game_of(tiny("mlp"))
    advance(game, 1)
    game.players[0].optimizer.param_groups[0]["lr"] = 0.123
    advance(game, 2, 1)
    assert rates(game)["D"] == 0.123

"""Comparisons in a lab: all or none start, they advance together, begin alike, and end as they would alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gan_core.config import Comparison, ConfigError
from gan_core.engine import Lab, Refused
from gan_core.engine.running.lockstep import WINDOW
from gan_core.engine.running.runner import _Runner
from gan_core.training import build, load_source

THREE = [
    {"name": "NS", "changes": {"objective": "ns_gan"}},
    {"name": "LS", "changes": {"objective": "ls_gan"}},
    {"name": "WGAN", "changes": {"objective": "wgan"}},
]


@pytest.fixture
def duel(small: Callable) -> Callable[..., Comparison]:
    def make(rounds: int = 40, **changes: Any) -> Comparison:
        return Comparison.load({"base": small(), "variants": THREE, "seeds": [1, 2], "rounds": rounds, **changes})

    return make


def finish(lab: Lab, comparison: str) -> dict[tuple[str, int], Any]:
    members = lab.store.comparison(comparison).members
    return {(member.variant, member.seed): lab.wait(member.run, 60) for member in members}


def test_they_end_as_they_would_alone_and_none_is_far_ahead_on_the_way(
    open_lab: Callable, duel: Callable, monkeypatch
) -> None:
    lab = open_lab()
    comparison = duel(60)
    config = comparison.config("WGAN", 2)
    alone = lab.wait(lab.submit(config), 60).summary["state_hash"]

    heard: list[tuple[str, int]] = []
    real = _Runner._play_round

    def play_round(self: _Runner) -> None:
        real(self)
        heard.append((self.job.run_id, self.round))

    monkeypatch.setattr(_Runner, "_play_round", play_round)
    runs = finish(lab, lab.compare(comparison))
    assert [run.status for run in runs.values()] == ["finished"] * 6
    assert runs["WGAN", 2].summary["state_hash"] == alone
    at = dict.fromkeys((run.id for run in runs.values()), 0)
    for run, round in heard:
        at[run] = round
        assert max(at.values()) - min(at.values()) <= WINDOW + 1
    assert set(at.values()) == {60}


def test_they_are_measured_at_the_same_rounds_and_begin_alike(open_lab: Callable, duel: Callable) -> None:
    lab = open_lab()
    runs = finish(lab, lab.compare(duel(40)))
    rounds = {name: lab.store.track(run.id, "diagnostics").rounds.tolist() for name, run in runs.items()}
    assert len(set(map(tuple, rounds.values()))) == 1
    first = {name: lab.store.frames(run.id)[0].parts["points"]["file"] for name, run in runs.items()}
    contents = {name: lab.store.artefact_path(runs[name].id, file).read_text() for name, file in first.items()}
    fake = {name: text[text.index('"fake"') : text.index('"critic"')] for name, text in contents.items()}
    assert fake["NS", 1] == fake["LS", 1] == fake["WGAN", 1]
    assert fake["NS", 1] != fake["NS", 2]


def test_variants_of_one_seed_share_weights_data_and_noise(duel: Callable) -> None:
    comparison = duel(variants=[*THREE, {"name": "wide D", "changes": {"model.discriminator.widths": [9]}}])
    games = {name: build(config, load_source(config)) for name, config in comparison.configs().items()}
    first = games["NS", 1]
    for variant, agreeing in (("LS", "GD"), ("WGAN", "GD"), ("wide D", "G")):
        other = games[variant, 1]
        for player in agreeing:
            theirs = other.networks[player].state_dict()
            for name, weight in first.networks[player].state_dict().items():
                assert np.array_equal(theirs[name].numpy(), weight.numpy())
    same = games["NS", 1], games["LS", 1], games["WGAN", 1]
    batches = [game.data.next() for game in same]
    noise = [game.latent(4, game.streams["z"]).numpy() for game in same]
    for batch, z in zip(batches, noise, strict=True):
        assert np.array_equal(batch.x.numpy(), batches[0].x.numpy())
        assert np.array_equal(z, noise[0])
    other_seed = games["NS", 2]
    assert not np.array_equal(other_seed.data.next().x.numpy(), batches[0].x.numpy())


def test_one_that_fails_or_diverges_does_not_hold_up_the_others(open_lab: Callable, duel: Callable) -> None:
    players = [f"optimizers.{player}" for player in ("generator", "discriminator")]
    wild = {f"{player}.{key}": value for player in players for key, value in (("name", "sgd"), ("lr", 10))}
    lab = open_lab()
    broken = {"name": "broken", "changes": {"objective": "wgan", "objective.clip_value": None, **wild}}
    runs = finish(lab, lab.compare(duel(300, variants=[THREE[0], broken], seeds=[1])))
    assert (runs["NS", 1].status, runs["broken", 1].status) == ("finished", "diverged")
    assert runs["broken", 1].rounds < 300


def test_all_or_none_of_them_start(open_lab: Callable, duel: Callable) -> None:
    lab = open_lab()
    wrong = [*THREE, {"name": "packed", "changes": {"model.discriminator.packing": 3}}]
    with pytest.raises(ConfigError, match="in 'packed'"):
        lab.compare(duel(variants=wrong))
    assert lab.store.runs() == []
    assert lab.store.comparisons() == []


def test_a_double_click_starts_one(open_lab: Callable, duel: Callable) -> None:
    lab = open_lab()
    assert lab.compare(duel(), key="click") == lab.compare(duel(), key="click")
    assert len(lab.store.comparisons()) == 1


def test_a_run_beside_a_comparison_gets_room_and_both_can_be_stopped(
    open_lab: Callable, duel: Callable, small: Callable, until: Callable
) -> None:
    lab = open_lab()
    comparison = lab.compare(duel(1_000_000))
    views = [lab.view(member.run) for member in lab.store.comparison(comparison).members]
    until(lambda: all(view.status["round"] > 2 for view in views), "all six train")
    own = lab.submit(small({"schedule.rounds": 30}))
    assert lab.wait(own, 60).status == "finished"
    with pytest.raises(Refused):
        lab.delete(lab.store.comparison(comparison).members[0].run)
    assert lab.command_all(comparison, "stop") == 6
    runs = finish(lab, comparison)
    assert {run.status for run in runs.values()} == {"stopped"}
    lab.delete_comparison(comparison)
    assert [run.id for run in lab.store.runs()] == [own]


def test_one_variant_is_paused_changed_and_stopped_and_the_others_go_on(
    open_lab: Callable, duel: Callable, until: Callable
) -> None:
    lab = open_lab()
    comparison = lab.compare(duel(1_000_000, seeds=[1, 2]))
    views = {which: [lab.view(run) for run in lab.members(comparison, which)] for which in ("NS", "LS", "WGAN")}
    every = [view for some in views.values() for view in some]
    until(lambda: all(view.status["round"] > 2 for view in every), "all six train")
    assert lab.command_all(comparison, "pause", "LS") == 2
    until(lambda: all(view.status["state"] == "paused" for view in views["LS"]), "one variant is paused")
    left = max(view.status["round"] for view in views["LS"])
    until(lambda: min(v.status["round"] for v in views["NS"] + views["WGAN"]) > left + 5 * WINDOW, "the others go on")
    assert lab.command_all(comparison, "resume", "LS") == 2
    until(lambda: min(view.status["round"] for view in views["LS"]) > left + 5 * WINDOW, "it catches up")
    assert lab.turn_all(comparison, {"schedule.n_critic": 2}, "WGAN") == 2
    assert lab.turn_all(comparison, {"optimizers.generator.lr": 1e-4}) == 6
    with pytest.raises(ConfigError, match="clip_value"):
        lab.turn_all(comparison, {"objective.clip_value": 0.1})  # two of the three have none
    knobs = {which: lambda which=which: lab.knobs(lab.members(comparison, which)[0]) for which in views}
    until(lambda: all(turned()["optimizers.generator.lr"] == 1e-4 for turned in knobs.values()), "all were changed")
    assert [knobs[which]()["schedule.n_critic"] for which in views] == [1, 1, 2]
    assert "objective.clip_value" not in [
        name for event in lab.store.events(lab.members(comparison, "WGAN")[0]) for name in event.data.get("changes", {})
    ]
    assert lab.command_all(comparison, "stop", "NS") == 2
    until(lambda: all(view.status["state"] == "stopped" for view in views["NS"]), "one variant has ended")
    now = max(view.status["round"] for view in views["WGAN"])
    until(lambda: all(view.status["round"] > now for view in views["WGAN"]), "the others go on")
    assert lab.resume_all(comparison, "NS") == 2
    until(lambda: all(view.status["state"] == "running" for view in map(lab.view, lab.members(comparison, "NS"))), "on")
    assert lab.command_all(comparison, "stop") == 6
    finish(lab, comparison)


def test_a_comparison_goes_on_together(open_lab: Callable, duel: Callable, until: Callable) -> None:
    lab = open_lab()
    comparison = lab.compare(duel(150, seeds=[1]))
    views = [lab.view(member.run) for member in lab.store.comparison(comparison).members]
    until(lambda: all(view.status["round"] > 2 for view in views), "all train")
    lab.close()
    again = Lab(lab.store.root)
    try:
        assert again.resume_all(comparison) == 3
        assert {run.status for run in finish(again, comparison).values()} == {"finished"}
    finally:
        again.close()


def test_finished_runs_are_collected_by_what_differs(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    made = {
        (steps, seed): lab.submit(small({"schedule.n_critic": steps, "seed": seed, "schedule.rounds": 3}))
        for steps in (1, 2)
        for seed in (5, 6)
    }
    for run in made.values():
        lab.wait(run, 60)
    record = lab.store.comparison(lab.collect(list(made.values())))
    assert record.collected
    assert [(member.variant, member.seed) for member in record.members] == [
        (f"n_critic {steps}", seed) for steps, seed in made
    ]
    assert record.spec["variants"][1] == {"name": "n_critic 2", "changes": {"schedule.n_critic": 2}}
    lab.delete_comparison(record.id)
    assert len(lab.store.runs()) == 4
    with pytest.raises(ConfigError, match="these 2 runs are 1 variants"):
        lab.collect([made[1, 5], made[1, 6]])

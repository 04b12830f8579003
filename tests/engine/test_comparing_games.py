"""A comparison of games: the same data in the same order, each game as it would be alone, and no rank for what is not alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gan_core.config import TEMPLATES, Comparison
from gan_core.engine import Lab
from gan_core.engine.comparing import standings
from gan_core.engine.comparing.standings import NO_ENCODER, NOT_MEASURED, OF_RECONSTRUCTIONS, Standing
from gan_core.engine.exchange.packs import results
from gan_core.metrics import METRICS
from gan_core.training import build, load_source


def games(base: Any, **changes: Any) -> Comparison:
    made = TEMPLATES["games"].comparison(base, [1]).to_dict()
    return Comparison.load({**made, "rounds": 12, **changes})


def test_three_games_advance_together_and_each_ends_as_it_would_alone(
    open_lab: Callable[..., Lab], small: Callable
) -> None:
    lab, comparison = open_lab(), games(small())
    alone = lab.wait(lab.submit(comparison.config("VAE", 1)), 60).summary["state_hash"]
    made = lab.compare(comparison)
    runs = {member.variant: lab.wait(member.run, 60) for member in lab.store.comparison(made).members}
    assert {name: run.status for name, run in runs.items()} == dict.fromkeys(("GAN", "VAE", "Autoencoder"), "finished")
    assert runs["VAE"].summary["state_hash"] == alone
    found = standings.read_standings(lab.store, made)
    assert {s.variant: s.samples for s in found} == {"GAN": True, "VAE": True, "Autoencoder": False}
    measured = standings.measures(found)
    assert "modes_covered" in measured
    rows = {row.variant: row for row in standings.table(found, "modes_covered", 8.0)}
    assert rows["Autoencoder"].rank is None
    assert {rows["GAN"].rank, rows["VAE"].rank} <= {1, 2}
    assert standings.cell(rows["Autoencoder"]).endswith(f"({OF_RECONSTRUCTIONS})")
    assert any("draws no samples" in line for line in standings.verdicts(found, "modes_covered", 8.0))
    assert results(lab.store, made).decode().splitlines()[0].count("modes_covered") == 1


def test_as_many_images_are_as_many_of_the_same_ones(small: Callable) -> None:
    comparison = games(small({"schedule.n_critic": 2}), rounds=None, images=96)
    configs = {name: config for (name, _), config in comparison.configs().items()}
    seen = {name: config.schedule.rounds * config.images_per_round for name, config in configs.items()}
    assert set(seen.values()) == {96}
    made = {name: build(config, load_source(config)) for name, config in configs.items()}
    batches = {name: [game.data.next().x.numpy() for _ in range(3)] for name, game in made.items()}
    for mine in batches.values():
        assert all(np.array_equal(a, b) for a, b in zip(mine, batches["GAN"], strict=True))


def standing(variant: str, game: str, **values: float) -> Standing:
    run: Any = SimpleNamespace(config={"game": game}, status="finished")
    curves = {name: (np.array([0.0]), np.array([value])) for name, value in values.items()}
    return Standing(variant, 0, run, curves, samples=standings._samples(run))


def test_what_a_game_does_not_have_is_an_empty_cell_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "mmd2", replace(METRICS["mmd2"], of="code"))
    found = [
        standing("GAN", "gan", frechet_distance=9.0, unsure_share=0.1),
        standing("VAE", "vae", frechet_distance=4.0, mmd2=0.2),
        standing("Coder", "autoencoder", frechet_distance=1.0, mmd2=0.1),
    ]
    assert standings.measures(found) == ["frechet_distance", "unsure_share", "mmd2"]

    def row(metric: str) -> dict[str, tuple[int | None, str]]:
        return {r.variant: (r.rank, r.why) for r in standings.table(found, metric, 0.0)}

    assert row("frechet_distance") == {"GAN": (2, ""), "VAE": (1, ""), "Coder": (None, OF_RECONSTRUCTIONS)}
    assert row("mmd2") == {"GAN": (None, NO_ENCODER), "VAE": (2, ""), "Coder": (1, "")}
    assert row("unsure_share")["VAE"] == (None, NOT_MEASURED)
    gan = next(r for r in standings.table(found, "mmd2", 0.0) if r.variant == "GAN")
    assert standings.cell(gan) == NO_ENCODER
    assert not any(
        "Coder and" in line or "and Coder" in line for line in standings.verdicts(found, "frechet_distance", 0.0)
    )

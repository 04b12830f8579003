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
from gan_core.engine.comparing.headlines import as_sentence, headlines
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


def seeds_of(variant: str, game: str, **values: tuple[float, ...]) -> list[Standing]:
    """A run for each seed, with what was measured of it last."""
    count = len(next(iter(values.values())))
    each = [standing(variant, game, **{name: told[seed] for name, told in values.items()}) for seed in range(count)]
    return [replace(one, seed=seed) for seed, one in enumerate(each)]


SHARP = {
    "sample_laplacian_variance": (0.19, 0.195, 0.2),
    "sample_grey_share": (0.05, 0.052, 0.054),
    "effective_modes": (6.5, 6.4, 6.6),
    "coverage": (0.22, 0.24, 0.23),
}
SOFT = {
    "sample_laplacian_variance": (0.06, 0.064, 0.07),
    "sample_grey_share": (0.08, 0.084, 0.085),
    "effective_modes": (8.0, 8.1, 8.2),
    "coverage": (0.12, 0.13, 0.14),
}
FLOORS = {"sample_laplacian_variance": 0.186, "sample_grey_share": 0.051, "effective_modes": 9.9, "coverage": 0.96}


def test_who_is_sharpest_and_who_covers_most_is_said_with_the_numbers() -> None:
    found = [*seeds_of("GAN", "gan", **SHARP), *seeds_of("VAE", "vae", **SOFT), *seeds_of("AE", "autoencoder", **SHARP)]
    sharpest, covers = headlines(found, FLOORS)
    assert (sharpest.question, sharpest.answer) == ("Sharpest", "GAN")
    assert sharpest.numbers[0] == "Sharpness of samples: GAN 0.195 ± 0.005, VAE 0.0647 ± 0.005; real data 0.186"
    assert "AE " not in sharpest.numbers[0].replace("VAE ", ""), "reconstructions are no samples"
    assert covers.answer == "VAE by effective modes, GAN by coverage"
    assert as_sentence(covers).startswith(
        "Covers most: VAE by effective modes, GAN by coverage. Effective modes: VAE 8.1"
    )


def test_what_chance_may_explain_is_left_open() -> None:
    close = SOFT | {"sample_laplacian_variance": (0.2, 0.18, 0.21), "sample_grey_share": (0.05, 0.055, 0.052)}
    sharpest = headlines([*seeds_of("GAN", "gan", **SHARP), *seeds_of("VAE", "vae", **close)], FLOORS)[0]
    assert sharpest.answer.startswith("open with 3 seeds; ")
    assert "GAN or VAE by" in sharpest.answer or "VAE or GAN by" in sharpest.answer
    one = [replace(s, seed=0) for s in (seeds_of("GAN", "gan", **SHARP)[0], seeds_of("VAE", "vae", **SOFT)[0])]
    assert headlines(one, FLOORS)[0].answer == ("open, since one seed may be chance; ahead is GAN")
    assert headlines(seeds_of("GAN", "gan", **SHARP), FLOORS) == [], "one alone is ahead of nobody"


def test_an_autoencoder_is_not_said_to_lack_an_encoder() -> None:
    found = [
        standing("VAE", "vae", code_mmd2=0.2),
        standing("AE", "autoencoder", rec_error=0.1),
        standing("GAN", "gan", recall=1),
    ]
    assert {row.variant: row.why for row in standings.table(found, "code_mmd2", 0.0)} == {
        "VAE": "",
        "AE": NOT_MEASURED,
        "GAN": NO_ENCODER,
    }

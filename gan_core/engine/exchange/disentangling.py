"""How far the code of a run tells the known factors of its data apart, beside codes whose scores are known.

On request; where a server asks, in a process of its own (`scorer`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gan_core.config import RunConfig
from gan_core.data import DATASETS, Factors, ImageSource, to_unit
from gan_core.engine.exchange.generator import NothingToPlay, open_game
from gan_core.metrics.disentanglement import (
    factor_vae_score,
    forests,
    mutual_information_gaps,
    of_forests,
    predictability_gaps,
)
from gan_core.store import RunStore
from gan_core.training import GAMES, Encodes

Progress = Callable[[float, str], None]

AT_ONCE = 512  # images
CODE = "code of this run"


@dataclass(frozen=True)
class Scores:
    """One representation by all scores, over ``factors``: all of them, or without those that come round."""

    representation: str
    factors: str
    mig: float
    sap: float
    disentanglement: float
    completeness: float
    informativeness: float
    factor_vae: float


def can_be_scored(config: RunConfig) -> bool:
    """Whether a run of these settings has a code and data of known factors."""
    return DATASETS[config.data.name].factored and "encode" in GAMES[config.game].abilities


def disentangle(
    store: RunStore, run_id: str, at: int | None = None, progress: Progress | None = None
) -> tuple[int, list[Scores]]:
    """The round of the checkpoint, and the scores of its code, of the true factors, of these rotated, of noise, and of the main
    components of the pixels. ``at`` is the round of a checkpoint, None the newest.

    Raises RunNotFound; NothingToPlay where there is no checkpoint, no code, or data whose factors nobody knows.
    """
    opened = open_game(store, run_id, at)
    game, source = opened.game, opened.source
    if not isinstance(game, Encodes):
        raise NothingToPlay(f"A run of the game {opened.config.game!r} has no code for a sample.")
    if not isinstance(source, ImageSource) or source.factors is None:
        raise NothingToPlay(f"Of the data {opened.config.data.name!r} nobody knows the factors; take 'sprites'.")
    say = progress or (lambda share, sentence: None)
    say(0.0, "encoding every picture")
    parts = [game.encode(to_unit(part)).cpu().numpy() for part in source.x.split(AT_ONCE)]
    code = np.concatenate(parts).astype(np.float64)
    if not np.isfinite(code).all():
        raise NothingToPlay("The code of this run is not finite.")
    rows: list[Scores] = []
    beside = representations(code, source, source.factors)
    for place, (name, codes) in enumerate(beside.items()):
        say((place + 0.5) / (len(beside) + 0.5), f"scoring the {name}")
        rows += scored(name, codes, source.factors)
    return opened.round, rows


def representations(code: np.ndarray, source: ImageSource, factors: Factors) -> dict[str, np.ndarray]:
    """A code (n, D), and what is set beside it, with as many numbers where that can be chosen; the same for every run."""
    draw, true = np.random.default_rng(0), factors.table.numpy().astype(np.float64)
    true = (true - true.mean(axis=0)) / true.std(axis=0)
    rotation = np.linalg.qr(draw.standard_normal((true.shape[1], true.shape[1])))[0]
    pixels = source.x.flatten(1).numpy().astype(np.float64)
    pixels -= pixels.mean(axis=0)
    axes = np.linalg.eigh(pixels.T @ pixels)[1][:, ::-1][:, : code.shape[1]]
    return {
        CODE: code,
        "true factors": true,
        "true factors, rotated": true @ rotation,
        "noise": draw.standard_normal(code.shape),
        "main components of pixels": pixels @ axes,
    }


def scored(name: str, codes: np.ndarray, factors: Factors) -> Iterator[Scores]:
    """All scores of codes (n, D), over all factors, then without those that come round: no number can follow a circle."""
    table = factors.table.numpy()
    gaps = mutual_information_gaps(codes, table)
    explained = predictability_gaps(codes, table, [kind != "ordered" for kind in factors.kinds])
    importance, right = forests(codes, table)
    straight = [index for index, kind in enumerate(factors.kinds) if kind != "round"]
    left_out = [name for name, kind in zip(factors.names, factors.kinds, strict=True) if kind == "round"]
    choices = {"all": list(range(len(factors.names)))}
    if left_out:
        choices[f"without {', '.join(left_out)}"] = straight
    for chosen, index in choices.items():
        dci = of_forests(importance[:, index], right[index])
        vae = factor_vae_score(codes, table[:, index])
        yield Scores(name, chosen, float(gaps[index].mean()), float(explained[index].mean()), *dci, vae)


def disentanglement_told(store: RunStore, run_id: str, at: int | None, progress: Progress) -> dict[str, Any]:
    """The same, JSON-able: ``{"round": …, "rows": [Scores as a dict, …]}``."""
    round, rows = disentangle(store, run_id, at, progress)
    return {"round": round, "rows": [asdict(row) for row in rows]}

"""What is told beside a drawing and takes longer: how held-out pictures are read, and what D says of samples and real ones.

Each is an iterator that gives way to whoever draws (None) and ends with its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.data import to_uint8
from gan_core.engine.drawing.board import Board, surely
from gan_core.engine.drawing.looks import Answer, sheet, unit
from gan_core.engine.exchange.generator import Opened
from gan_core.engine.latent.recipes import Recipe, Wrong
from gan_core.training import GAMES, Samples
from gan_core.training.abilities import Judges
from gan_core.training.streams import Streams

Study = Iterator[Answer | None]
SLICE = 50
LINED_UP, SHOWN = 200, 6
"""Samples and held-out pictures that D is asked about, and those of each that are shown."""


def figures(board: Board, at: int | None, recipe: Recipe) -> Study:
    """How many held-out pictures are surely read as another class: as they are, degraded, and as G makes them again."""
    translator = board.translator(at)
    targets, labels = board.held
    if not translator.degradation or board.judge is None or (labels < 0).any():
        raise Wrong("There is no classifier, or no label, by which outputs could be counted.")
    other = {"real": 0, "input": 0, "output": 0}
    for first in range(0, len(targets), SLICE):
        some, y = targets[first : first + SLICE], labels[first : first + SLICE]
        given = translator.degraded(some, first)
        for name, x in (("real", some), ("input", given), ("output", translator(given))):
            said = board.opinions(x) or []
            other[name] += sum(surely(one) and one[0] != label for one, label in zip(said, y.tolist(), strict=True))
            yield None
    yield {"n": len(targets), "round": translator.round, **other}


def line(board: Board, at: int | None, recipe: Recipe) -> Study:
    """What D says of samples of G and of held-out pictures, and a few of both."""
    found, game = board.forger(at)
    real = board.held[0][:LINED_UP]
    groups: dict[str, tuple[np.ndarray, Tensor | None]] = {}
    made, y = _samples(found, len(real))
    yield None
    if made is not None:
        groups["fake"] = made, y
    conditional = GAMES[found.config.game].conditional(found.config)
    groups["real"] = real, torch.from_numpy(board.held[1][:LINED_UP]) if conditional else None
    answer: Answer = {"round": found.round, "n": len(real)}
    for name, (x, classes) in groups.items():
        answer[name] = _opinions(game, unit(x), classes)
        yield None
    shown = np.concatenate([x[:SHOWN] for x, _ in groups.values()])
    yield answer | {"sheet": sheet(shown, SHOWN), "columns": SHOWN, "cells": [{} for _ in shown]}


def _samples(found: Opened, n: int) -> tuple[np.ndarray | None, Tensor | None]:
    declared, game = GAMES[found.config.game], found.game
    prior = declared.latent(found.config)
    if prior is None or not isinstance(game, Samples):
        return None, None
    y: Any = None
    if declared.conditional(found.config):
        y = torch.arange(n) % len(found.source.class_names)  # type: ignore[union-attr]
    made: np.ndarray = to_uint8(game.sample(prior(n, Streams(0).generator("previews")), y)).numpy()
    return made, y


def _opinions(game: Judges, x: Tensor, y: Tensor | None) -> list[float]:
    said = torch.cat([
        game.judge(part, None if y is None else y[first : first + SLICE])
        for first, part in zip(range(0, len(x), SLICE), x.split(SLICE), strict=True)
    ])  # fmt: skip
    return [round(one, 5) for one in said.tolist()]


STUDIES: dict[str, Callable[[Board, int | None, Recipe], Study]] = {"figures": figures, "line": line}
"""By the ``do`` of the recipes of the slow lane."""

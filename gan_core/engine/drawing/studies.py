"""What is told beside a drawing and takes longer: how held-out pictures are read, and what D says of samples and real ones.

Each is an iterator that gives way to whoever draws (None) and ends with its answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.data import to_uint8
from gan_core.engine.drawing.board import Board, surely
from gan_core.engine.drawing.looks import Answer, sheet, unit
from gan_core.engine.exchange.generator import Opened
from gan_core.engine.exchange.translating import translator_of
from gan_core.engine.latent.recipes import Recipe, Wrong
from gan_core.training import GAMES, Samples
from gan_core.training.abilities import Judges, Translates
from gan_core.training.streams import Streams

Study = Iterator[Answer | None]
SLICE = 50
LINED_UP, SHOWN = 200, 6
"""Samples and held-out pictures that D is asked about, and those of each that are shown."""


def figures(board: Board, at: int | None, recipe: Recipe) -> Study:
    """What held-out outputs are worth: how many are surely read as another class, beside inputs and targets, and, of pairs
    that were brought, how far they are from their targets, in shares of full brightness."""
    translator, (held, labels) = board.translator(at), board.held
    judge = board.judge(output=True)
    read = judge is not None and bool((labels >= 0).all()) and tuple(judge.report.class_names) == board.class_names
    if not read and not board.paired:
        raise Wrong("There is no classifier, or no label, by which outputs could be counted.")
    other, apart = Counter[str](), Counter[str]()
    for first in range(0, len(held), SLICE):
        some, y = held[first : first + SLICE], labels[first : first + SLICE]
        given = translator.degraded(some, first) if translator.degradation else board.examples[first : first + SLICE]
        seen = {"input": given, "output": translator(given)}
        if board.paired:
            apart.update({name: float(np.abs(x / 255 - some / 255).mean((1, 2, 3)).sum()) for name, x in seen.items()})
        if translator.degradation or board.paired:
            seen["real"] = some
        for name, x in seen.items():
            if read and x.shape[1:] == seen["output"].shape[1:]:
                said = board.opinions(x, output=True) or []
                other[name] += sum(surely(one) and one[0] != label for one, label in zip(said, y.tolist(), strict=True))
        yield None
    answer: Answer = {"n": len(held), "round": translator.round, **other}
    yield answer | ({"apart": {name: apart[name] / len(held) for name in apart}} if board.paired else {})


def line(board: Board, at: int | None, recipe: Recipe) -> Study:
    """What D says of samples of G and of held-out pictures, and a few of both."""
    found, game = board.forger(at)
    real = board.real[:LINED_UP]
    groups: dict[str, tuple[np.ndarray, Tensor | None]] = {}
    made, y = _samples(board, found, len(real))
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


def _samples(board: Board, found: Opened, n: int) -> tuple[np.ndarray | None, Tensor | None]:
    """What G makes of noise, or of held-out inputs, and the classes that it was told."""
    declared, game = GAMES[found.config.game], found.game
    prior = declared.latent(found.config)
    if isinstance(game, Translates):
        return translator_of(found)(board.examples[:n]), None
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

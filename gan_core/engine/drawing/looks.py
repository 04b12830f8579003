"""What is answered while somebody draws: what G makes of the drawing and what D says of it, in one pass for all who ask."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.data import DEGRADATIONS, to_unit
from gan_core.engine.drawing.board import Board, can, picture
from gan_core.engine.exchange.generator import Opened
from gan_core.engine.latent.recipes import Recipe, Wrong, whole
from gan_core.engine.observers.layers import push_on_images
from gan_core.engine.showing.pictures import png, tile
from gan_core.store import StoreError
from gan_core.training import GAMES, Pushes
from gan_core.training.abilities import Judges

Answer = dict[str, Any]
MOST_SEED = 10**6
BESIDE = 32
"""Real pictures that a loss which compares is given beside a drawing."""


def answers(board: Board, at: int | None, asked: Sequence[Recipe]) -> list[Answer]:
    """What each of the recipes shows of the game at a round, the newest for None; an ``error`` for one that is wrong."""
    found: list[Answer] = [{} for _ in asked]
    for do, answer in ANSWERS.items():
        chosen = [index for index, recipe in enumerate(asked) if recipe["do"] == do]
        if chosen:
            try:
                told = answer(board, at, [asked[index] for index in chosen])
            except (Wrong, StoreError) as error:  # what one asks spoils no answer of another
                told = [{"error": str(error)}] * len(chosen)
            for index, one in zip(chosen, told, strict=True):
                found[index] = one
    return found


def sheet(x: np.ndarray, columns: int) -> str:
    """Pictures uint8 (n, C, H, W) as one PNG in base64."""
    return base64.b64encode(png(tile(x, columns))).decode()


def unit(x: np.ndarray) -> Tensor:
    """Pictures uint8 in network units."""
    return to_unit(torch.from_numpy(np.ascontiguousarray(x)))


def _kept(board: Board, at: int | None, asked: Sequence[Recipe]) -> list[Answer]:
    return [{"rounds": board.kept()} for _ in asked]


def _board(board: Board, at: int | None, asked: Sequence[Recipe]) -> list[Answer]:
    found = board.opened(at)
    abilities = can(found)
    answer: Answer = {
        **abilities,
        "data": found.source.name,
        "shape": list(found.source.shape),
        "classes": list(board.class_names[:64]),
        "judged": board.judge(output=True) is not None,
        "paired": board.paired,
        "normalised": board.as_mnist,
        "examples": len(board.examples if abilities["translates"] else board.held[0]),
    }
    if abilities["translates"]:
        name = board.translator(at).degradation
        answer["degradation"] = name
        if name:
            known = DEGRADATIONS[name]
            answer |= {"title": known.about.title, "idea": known.about.idea, "drawn": known.drawn}
    if abilities["judges"]:
        declared = GAMES[found.config.game]
        answer |= {
            "unit": declared.reading(found.config).score_unit,
            "conditional": declared.conditional(found.config),
            "own": board.outputs is board.source,  # whether D judges what examples are of
        }
    return [answer for _ in asked]


def _drawing(board: Board, at: int | None, asked: Sequence[Recipe]) -> list[Answer]:
    """Sheets of the drawing as it is put, of what G is given, and of what G makes of that."""
    translator = board.translator(at)
    given: list[np.ndarray] = []
    entered: list[np.ndarray] = []
    answers: list[Answer] = []
    for recipe in asked:
        try:
            drawn = picture(board, recipe, translator.shape, board.examples)
            seed = whole(recipe, "seed", 0, MOST_SEED)
            # A held-out target is what inputs are made of: G never gets it as it is.
            makes = translator.degradation and (recipe.get("degrade") or str(recipe["picture"]).startswith("h"))
            enters = translator.degraded(drawn[None], seed)[0] if makes else drawn
        except Wrong as error:
            answers.append({"error": str(error)})
            continue
        given.append(drawn if recipe.get("degrade") else enters)
        entered.append(enters)
        answers.append({"columns": 3, "round": translator.round})
    if not given:
        return answers
    made = translator(np.stack(entered))
    one_kind = board.outputs is board.source and made.shape[1:] == translator.shape
    told = board.told(np.concatenate([np.stack(given), made])) if one_kind else board.told(np.stack(given))
    of_made = told[len(made) :] if one_kind else board.told(made, output=True)
    good = iter(zip(given, entered, made, of_made, told[: len(made)], strict=True))
    for answer in answers:
        if "error" not in answer:
            drawn, enters, output, of_output, of_drawing = next(good)
            answer["sheet"] = sheet(_alike([drawn, enters, output]), 3)
            answer["cells"] = [of_drawing, {}, of_output]
    return answers


def _alike(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures (C, H, W), grey ones among coloured ones in three channels: (n, C, H, W)."""
    channels = max(len(one) for one in pictures)
    return np.stack([np.repeat(one, channels, 0) if len(one) < channels else one for one in pictures])


def _forge(board: Board, at: int | None, asked: Sequence[Recipe]) -> list[Answer]:
    """The drawing, what D says of it, and where G's loss would push its pixels, grey around 128."""
    found, game = board.forger(at)
    answers: list[Answer] = []
    for recipe in asked:
        try:
            x = picture(board, recipe, board.outputs.shape, board.real)[None]
            answers.append(_forged(board, found, game, x, recipe))
        except Wrong as error:
            answers.append({"error": str(error)})
    return answers


def _forged(board: Board, found: Opened, game: Judges, x: np.ndarray, recipe: Recipe) -> Answer:
    told = board.told(x, output=True)
    conditional = GAMES[found.config.game].conditional(found.config)
    label = _asked_class(board, x, recipe) if conditional else None
    given = unit(x)
    # Alone, whoever else asks: a D may look at all of its batch.
    opinion = float(game.judge(given, None if label is None else torch.tensor([label]))[0])
    pictures, largest = [x[0]], None
    if isinstance(game, Pushes):
        push = push_on_images(game, given, unit(board.real[:BESIDE]))
        if push is not None:
            pictures.append(np.repeat(push.images[0], len(x[0]), 0))
            largest = push.largest
    answer: Answer = {
        "columns": len(pictures),
        "sheet": sheet(np.stack(pictures), len(pictures)),
        "cells": [told[0], {}][: len(pictures)],
        "opinion": opinion,
        "largest": largest,
        "round": found.round,
    }
    if label is not None:
        answer["class"] = board.class_names[label]
    return answer


def _asked_class(board: Board, x: np.ndarray, recipe: Recipe) -> int:
    """The class that D is told: the one that is asked for, else what the classifier reads, else the first."""
    if recipe.get("y") is not None:
        return whole(recipe, "y", 0, len(board.class_names) - 1)
    said = board.opinions(x)
    return said[0][0] if said is not None else 0


ANSWERS: dict[str, Callable[[Board, int | None, Sequence[Recipe]], list[Answer]]] = {
    "kept": _kept,
    "board": _board,
    "drawing": _drawing,
    "forge": _forge,
}
"""By the ``do`` of the recipes of the quick lane."""

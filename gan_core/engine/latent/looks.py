"""What a recipe shows: the z that it needs, made in one batch with those of others, and what is said of the pictures."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gan_core.data import MixtureSource, to_uint8
from gan_core.engine.exchange.interpolation import part_of_the_way
from gan_core.engine.latent import recipes
from gan_core.engine.latent.pictures import picture_of
from gan_core.engine.latent.recipes import POINT, Recipe, Wrong, code_of, number, whole, z_of
from gan_core.engine.latent.space import GRID, Space
from gan_core.engine.latent.vectors import arithmetic, nearest, on_shell, principal_plane
from gan_core.engine.showing.pictures import png, tile

Answer = dict[str, Any]
NEIGHBOURS = 5
MOST_STEPS = 31


Told = tuple[Tensor, Tensor] | None
"""The class (n,) and its probability (n,) of each; None without a classifier."""


@dataclass(frozen=True)
class Plan:
    """z (n, d) and y (n,) that are to be made, and the answer from x (n, *shape) and what the classifier says of it."""

    z: Tensor
    y: Tensor | None
    finish: Callable[[Tensor, Told], Answer]


def answers(space: Space, asked: Sequence[Recipe]) -> list[Answer]:
    """What each of the recipes of the quick lane shows, by one pass for all of them; an ``error`` for one that is wrong."""
    plans: list[Plan | str] = []
    for recipe in asked:
        try:
            plans.append(PLANS[recipe["do"]](space, recipe))
        except Wrong as error:
            plans.append(str(error))
    good = [plan for plan in plans if isinstance(plan, Plan)]
    made = iter(_made(space, good))
    return [{"error": plan} if isinstance(plan, str) else plan.finish(*next(made)) for plan in plans]


def _made(space: Space, plans: Sequence[Plan]) -> Iterator[tuple[Tensor, Told]]:
    """What is made for each plan and said of it, by one pass of the decoder and one of the classifier."""
    if not plans:
        return iter(())
    y = torch.cat([plan.y for plan in plans if plan.y is not None]) if space.conditional else None
    x = space.make_many(torch.cat([plan.z for plan in plans]), y)
    sizes = [len(plan.z) for plan in plans]
    told = space.judged(x)
    said: list[Told] = [None] * len(plans)
    if told is not None:
        said = list(zip(told[0].split(sizes), told[1].split(sizes), strict=True))
    return zip(x.split(sizes), said, strict=True)


def needs(recipe: Recipe) -> set[str]:
    """What has to be prepared before a recipe can be answered quickly, by the names of `Space.preparing`."""
    named = [recipe.get(name) for name in ("a", "b", "base", "point", "kind")] + list(recipe.get("points") or ())
    named += [move[0] for move in recipe.get("moves") or () if isinstance(move, list) and move]
    wanted = {one for one in named if isinstance(one, str) and one.startswith(("pca:", "logistic"))}
    means = any(
        isinstance(one, str) and (one == "class" or (one[:1] in ("c", "s") and one[1:2].isdigit())) for one in named
    )
    return wanted | ({"class"} if means else set())


# -- points ------------------------------------------------------------------------------------------------------


def point(space: Space, asked: str, seed: int) -> tuple[Tensor, int]:
    """The z (d,) of a point, and its class, 0 where there are none."""
    match = POINT.fullmatch(asked)
    if match is None:
        raise Wrong(f"{asked[:40]!r} is no point of a latent space.")
    z, y = _place(space, match, seed)
    if match["y"] is not None:
        y = int(match["y"])
    if space.conditional and not 0 <= y < len(space.class_names):
        raise Wrong(f"There is no class {y}.")
    return z, y


def _place(space: Space, match: Any, seed: int) -> tuple[Tensor, int]:
    if match["sample"] is not None:
        index = int(match["sample"])
        if index >= GRID:
            raise Wrong(f"The grid has {GRID} samples, counted from 0.")
        return space.draw(GRID, seed)[index], index % max(1, len(space.class_names))
    if match["code"] is not None:
        return torch.as_tensor(z_of(match["code"], space.dim)), 0
    index = int(match["index"])
    if match["kind"] == "h":
        if not space.encodes:
            raise Wrong("This game has no encoder; its z of a picture is found by a search.")
        x, labels = space.heldout
        if index >= len(x):
            raise Wrong(f"There are {len(x)} held-out samples to choose from, counted from 0.")
        return space.encode(x[index : index + 1])[0], max(0, int(labels[index]))
    mean = _mean(space, index)
    return (on_shell(mean, space.radius) if match["kind"] == "s" else mean), index


def _mean(space: Space, index: int) -> Tensor:
    if index >= len(space.judged_names or (space.class_names if space.conditional else ())):
        raise Wrong("There is no such class, or no classifier that would know it.")
    mean = space.means[index]
    if not torch.isfinite(mean).all():
        raise Wrong(f"No sample was judged to be of class {space.judged_names[index]}.")
    return mean


def asked_class(space: Space, recipe: Recipe) -> int:
    """The class that a recipe asks for where none of its points has one; the first, where it asks for none."""
    return whole(recipe, "y", 0, max(0, len(space.class_names) - 1))


def classes_of(space: Space, y: int, n: int) -> Tensor | None:
    """The one class for n samples, where the game asks for classes."""
    return torch.full((n,), y) if space.conditional else None


# -- what is told of pictures --------------------------------------------------------------------------------------


def shown(space: Space, x: Tensor, told: Told, columns: int, z: Tensor | None = None, **more: Any) -> Answer:
    """A sheet of x, or its points, and for each what the classifier says and the norm of its z."""
    answer: Answer = {"columns": columns, **more}
    if isinstance(space.source, MixtureSource):
        answer["at"] = space.source.to_data(x.numpy()).round(5).tolist()
        cells: list[Answer] = [{} for _ in x]
    else:
        answer["sheet"] = base64.b64encode(png(tile(to_uint8(x).numpy(), columns))).decode()
        cells = [{} for _ in x] if told is None else [
            {"label": _named(space, int(label)), "sure": round(float(sure), 3)} for label, sure in zip(*told, strict=True)
        ]  # fmt: skip
    if z is not None:
        for cell, norm in zip(cells, z.norm(dim=-1).tolist(), strict=True):
            cell["norm"] = round(norm, 3)
    return {**answer, "cells": cells}


def _named(space: Space, label: int) -> str:
    return str(space.class_names[label])


# -- the quick lane ------------------------------------------------------------------------------------------------


def _seed(recipe: Recipe) -> int:
    return whole(recipe, "seed", 0, 10**6)


def _grid(space: Space, recipe: Recipe) -> Plan:
    z = space.draw(GRID, _seed(recipe))
    return Plan(z, space.labels_for(torch.arange(GRID)), lambda x, told: shown(space, x, told, 8, z))


def corners_of(space: Space, recipe: Recipe) -> tuple[Tensor, int]:
    """The z (k, d) of the points of a way, and the class that is made along it."""
    found = [point(space, one, _seed(recipe)) for one in recipes.points(recipe, 2, 4)]
    return torch.stack([z for z, _ in found]), found[0][1]


def along(corners: Tensor, share: Tensor, *, straight: bool) -> Tensor:
    """z (n, d) at shares (n,), 0 to 1, of the way through all corners (k, d), each leg as long in share as the others."""
    legs = len(corners) - 1
    leg = (share * legs).floor().clamp(0, legs - 1).long()
    return part_of_the_way(corners[leg], corners[leg + 1], (share * legs - leg)[:, None], straight=straight)


def _both(corners: Tensor, share: Tensor) -> Tensor:
    return torch.cat([along(corners, share, straight=straight) for straight in (True, False)])


def _way(space: Space, recipe: Recipe) -> Plan:
    corners, y = corners_of(space, recipe)
    steps = whole(recipe, "steps", 2, MOST_STEPS, 11)
    z = _both(corners, torch.linspace(0, 1, steps))
    return Plan(z, classes_of(space, y, len(z)), lambda x, told: shown(space, x, told, steps, z))


def _at(space: Space, recipe: Recipe) -> Plan:
    corners, y = corners_of(space, recipe)
    share = min(1.0, max(0.0, number(recipe.get("t"), "t")))
    z = _both(corners, torch.tensor([share]))
    codes = [code_of(one.numpy()) for one in z]
    return Plan(z, classes_of(space, y, 2), lambda x, told: shown(space, x, told, 2, z, codes=codes))


def _sum(space: Space, recipe: Recipe) -> Plan:
    seed = _seed(recipe)
    (a, _), (b, _), (base, y) = (point(space, recipes.text(recipe, name), seed) for name in ("a", "b", "base"))
    plain = arithmetic(a, b, base, number(recipe.get("strength", 1.0), "strength"))
    z = torch.stack([a, b, base, plain, on_shell(plain, space.radius)])
    codes = [code_of(one.numpy()) for one in z]
    return Plan(z, classes_of(space, y, len(z)), lambda x, told: shown(space, x, told, 5, z, codes=codes))


def direction(space: Space, kind: object, index: object) -> Tensor:
    """One of the directions of a space, (d,), of length 1. Raises Wrong."""
    try:
        vectors = space.directions(str(kind)).vectors
    except KeyError:
        raise Wrong(f"This run has no directions called {str(kind)[:40]!r}.") from None
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(vectors):
        raise Wrong(f"Directions of this kind are counted from 0 to {len(vectors) - 1}.")
    return vectors[index]


def moved(space: Space, base: Tensor, moves: object) -> Tensor:
    """base (d,) moved along directions: ``[[kind, index, amount], …]``."""
    if not isinstance(moves, list) or len(moves) > 40:
        raise Wrong("moves has to be a list of [kind, index, amount].")
    z = base.clone()
    for move in moves:
        if not isinstance(move, list) or len(move) != 3:
            raise Wrong("moves has to be a list of [kind, index, amount].")
        z += number(move[2], "amount") * direction(space, move[0], move[1])
    return z


def _move(space: Space, recipe: Recipe) -> Plan:
    base, y = point(space, recipes.text(recipe, "base"), _seed(recipe))
    z = torch.stack([base, moved(space, base, recipe.get("moves", []))])
    code = code_of(z[1].numpy())

    def finish(x: Tensor, told: Told) -> Answer:
        return shown(space, x, told, 2, z, code=code, rms=round(float((x[1] - x[0]).square().mean().sqrt()), 4))

    return Plan(z, classes_of(space, y, 2), finish)


def _traverse(space: Space, recipe: Recipe) -> Plan:
    base, y = point(space, recipes.text(recipe, "base"), _seed(recipe))
    reach, steps = number(recipe.get("reach", 3.0), "reach"), whole(recipe, "steps", 3, MOST_STEPS, 9)
    base = moved(space, base, recipe.get("moves", []))
    amounts = torch.linspace(-reach, reach, steps)
    z = base + amounts[:, None] * direction(space, recipe.get("kind"), recipe.get("index"))
    along_it = [round(one, 3) for one in amounts.tolist()]
    return Plan(z, classes_of(space, y, steps), lambda x, told: shown(space, x, told, steps, z, amounts=along_it))


def _plane(space: Space, recipe: Recipe) -> Plan:
    u, v = number(recipe.get("u"), "u"), number(recipe.get("v"), "v")
    middle, axes = plane_of(space)
    z = (middle + u * axes[0] + v * axes[1])[None]
    code = code_of(z[0].numpy())
    y = asked_class(space, recipe)
    return Plan(z, classes_of(space, y, 1), lambda x, told: shown(space, x, told, 1, z, code=code))


def plane_of(space: Space) -> tuple[Tensor, Tensor]:
    """The plane of the map: that of a two-dimensional code, else of the principal components of held-out codes, or of draws
    where there is no encoder."""
    return principal_plane(space.codes)


def _near(space: Space, recipe: Recipe) -> Plan:
    z, y = point(space, recipes.text(recipe, "point"), _seed(recipe))

    def finish(x: Tensor, told: Told) -> Answer:
        parts, distances = [x], []
        for others, _ in (space.training, space.heldout):
            far, index = nearest(x, others, NEIGHBOURS)
            parts.append(others[index[0]])
            distances.append([round(one, 3) for one in far[0].tolist()])
        every = torch.cat(parts)
        return shown(space, every, space.judged(every), len(every), train=distances[0], heldout=distances[1])

    return Plan(z[None], classes_of(space, y, 1), finish)


def given_picture(space: Space, recipe: Recipe) -> Tensor:
    """The sample (1, *shape) that a recipe brings: ``h17``, or a picture file in base64."""
    asked = recipes.text(recipe, "picture", recipes.MOST_PICTURE)
    if asked.startswith("h") and asked[1:].isdigit():
        x, _ = space.heldout
        if int(asked[1:]) >= len(x):
            raise Wrong(f"There are {len(x)} held-out samples to choose from, counted from 0.")
        return x[int(asked[1:])][None]
    if isinstance(space.source, MixtureSource):
        raise Wrong("A picture cannot be a point.")
    return picture_of(asked, space.source.shape, drawn=bool(recipe.get("drawn")))


def _code(space: Space, recipe: Recipe) -> Plan:
    if not space.encodes:
        raise Wrong("This game has no encoder; its z of a picture is found by a search.")
    x = given_picture(space, recipe)
    z = space.encode(x)

    def finish(made: Tensor, _: Told) -> Answer:
        error = float(((made - x) / 2).square().mean())
        both = torch.cat([x, made])
        more = {"code": code_of(z[0].numpy()), "mse": round(error, 5)}
        return shown(space, both, space.judged(both), 2, torch.cat([z, z]), **more)

    return Plan(z, classes_of(space, 0, 1), finish)


PLANS: dict[str, Callable[[Space, Recipe], Plan]] = {
    "grid": _grid,
    "way": _way,
    "at": _at,
    "sum": _sum,
    "move": _move,
    "traverse": _traverse,
    "plane": _plane,
    "near": _near,
    "code": _code,
}
"""By what a recipe asks for."""

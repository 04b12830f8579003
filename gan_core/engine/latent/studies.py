"""What takes longer than a look: how often arithmetic succeeds, what a direction moves, the map, the search for a z.

Each is an iterator that gives way to whoever waits for a look (None) and ends with its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from gan_core.data import MixtureSource
from gan_core.engine.latent import recipes
from gan_core.engine.latent.inversion import search
from gan_core.engine.latent.looks import Answer, asked_class, classes_of, given_picture, plane_of, shown
from gan_core.engine.latent.recipes import Recipe, Wrong, code_of, number, whole
from gan_core.engine.latent.space import CHUNK, OF_CLASSES, Space
from gan_core.engine.latent.vectors import arithmetic, on_shell

Study = Iterator[Answer | None]
COUNTED, TRIED = 200, 64
MOST_DRAWS = 30
ASKED = 100  # classes that can be asked for by their names
STARTS, STEPS, FRAMES = 4, 100, 11
SIDE, REACH = 15, 2.0  # of the picture of the plane: so many samples a side, out to so many standard deviations


def about(space: Space, recipe: Recipe) -> Study:
    """What can be done in this space."""
    yield None
    points = isinstance(space.source, MixtureSource)
    names = list(space.judged_names or (space.class_names if space.conditional else ()))
    kinds = [*(["sefa"] if space.first_weight is not None else []), *(f"pca:{layer}" for layer in space.layers)]
    answer: Answer = {
        "dim": space.dim,
        "prior": space.prior.kind,
        "radius": round(space.radius, 3),
        "round": space.round,
        "points": points,
        "shape": list(space.source.shape),
        "encodes": space.encodes,
        "conditional": space.conditional,
        "asked": list(space.class_names[:ASKED]) if space.conditional else [],
        "judged": space.judge is not None,
        "classes": names[:ASKED],
        "kinds": [*kinds, "dim", *(OF_CLASSES if names else ())],
    }
    if points:
        answer["real"] = space.source.to_data(space.heldout[0].numpy()).round(4).tolist()  # type: ignore[union-attr]
    yield answer


def count(space: Space, recipe: Recipe) -> Study:
    """How often a − b + base is judged a, over ``COUNTED`` bases of class b, as it is and put back on the shell."""
    a, b = (whole(recipe, name, 0, len(space.judged_names) - 1) for name in ("a", "b"))
    strength = number(recipe.get("strength", 1.0), "strength")
    yield from space.preparing("class")
    if space.judge is None or not torch.isfinite(space.means[[a, b]]).all():
        raise Wrong("There is no classifier, or no sample of one of these classes.")
    z, labels = space.cloud
    bases = z[labels == b]
    for seed in range(MOST_DRAWS):  # a class that is seldom made
        if len(bases) >= COUNTED or space.conditional:
            break
        more = space.draw(CHUNK, 100 + seed)
        bases = torch.cat([bases, more[space.sure_labels(space.make(more)) == b]])
        yield None
    bases = bases[:COUNTED]
    moved = arithmetic(space.means[a], space.means[b], bases, strength)
    told: Answer = {"n": len(bases)}
    for name, way in (("plain", moved), ("shell", on_shell(moved, space.radius))):
        y = torch.full((len(way),), b) if space.conditional else None
        found = space.sure_labels(space.make_many(way, y))
        yield None
        shares = {"a": found == a, "b": found == b, "unsure": found == -1}
        told[name] = {what: round(float(which.float().mean()), 3) for what, which in shares.items()}
    means = space.means[[a, b]]
    told["norms"] = [round(one, 3) for one in means.norm(dim=1).tolist()]
    yield told


def effect(space: Space, recipe: Recipe) -> Study:
    """Of a step of ``amount`` along a direction, both ways: the rms change of the samples, and how many keep their class.

    Beside it the same for a direction drawn at random: what any push would do.
    """
    kind, index = recipes.text(recipe, "kind"), whole(recipe, "index", 0, 4096)
    yield from space.preparing(kind)
    try:
        direction = space.directions(kind).vectors[index]
    except (KeyError, IndexError):
        raise Wrong("This run has no such direction.") from None
    amount = number(recipe.get("amount", 2.0), "amount")
    z, y = space.draw(TRIED, seed=4), space.labels_for(torch.arange(TRIED))
    before = space.make(z, y)
    classes = space.sure_labels(before)
    random = torch.nn.functional.normalize(torch.randn(space.dim, generator=torch.Generator().manual_seed(5)), dim=0)
    told: Answer = {"n": TRIED, "amount": amount}
    for name, vector in (("direction", direction), ("random", random)):
        yield None
        changes, kept = [], []
        for sign in (1, -1):
            after = space.make(z + sign * amount * vector, y)
            changes.append(((after - before) / 2).square().mean().sqrt())
            kept.append(_kept(classes, space.sure_labels(after)))
        told[name] = {"rms": round(float(torch.stack(changes).mean()), 4), "kept": _mean(kept)}
    yield told


def _kept(before: Tensor, after: Tensor) -> float | None:
    sure = before >= 0
    return float((after[sure] == before[sure]).float().mean()) if sure.any() else None


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 3) if known else None


def map_of(space: Space, recipe: Recipe) -> Study:
    """The plane of the map: where the codes of held-out samples lie on it, and what is made of a raster of it."""
    yield None
    codes = space.codes
    middle, axes = plane_of(space)
    places = (codes - middle) @ axes.T
    yield None
    if space.encodes:
        labels = space.heldout[1]
    else:
        labels = space.sure_labels(space.make_many(codes, space.labels_for(torch.arange(len(codes)))))
    spread = float(places.std(0).max().clamp_min(1e-3)) if len(places) > 1 else 1.0
    reach = REACH * max(spread, 1e-3)
    line = torch.linspace(-reach, reach, SIDE)
    centre = places.mean(0) if len(places) else torch.zeros(2)
    u, v = (line + centre[0]).repeat(SIDE), (line.flip(0) + centre[1]).repeat_interleave(SIDE)
    z = middle + u[:, None] * axes[0] + v[:, None] * axes[1]
    parts = []
    for part in z.split(CHUNK // 2):
        parts.append(space.make(part, classes_of(space, asked_class(space, recipe), len(part))))
        yield None
    answer = shown(space, torch.cat(parts), None, SIDE)
    del answer["cells"]
    yield answer | {
        "own": space.dim == 2,
        "encoded": space.encodes,
        "places": places.numpy().round(3).tolist(),
        "labels": labels.tolist(),
        "centre": [round(one, 4) for one in centre.tolist()],
        "reach": round(reach, 4),
    }


def invert(space: Space, recipe: Recipe) -> Study:
    """The z whose sample is most like a picture, found by descent; the film of the search has ``FRAMES`` pictures."""
    x = given_picture(space, recipe)
    y = asked_class(space, recipe)
    starts = torch.randn(STARTS, 1, space.dim, generator=torch.Generator().manual_seed(_seed(recipe))) * 0.5

    def make(z: Tensor) -> Tensor:
        made = space.made_differentiably(z, torch.full((len(z),), y) if space.conditional else None)
        return (made + 1) / 2

    film: list[Tensor] = []
    errors: list[float] = []
    last = None
    for last in search(make, (x + 1) / 2, starts, STEPS):
        if last.step % (STEPS // (FRAMES - 1)) == 0:
            film.append(last.z)
            errors.append(round(float(last.error[0]), 5))
        yield None
    assert last is not None
    z = torch.cat(film)
    made = space.make(z, torch.full((len(z),), y) if space.conditional else None)
    every = torch.cat([x, made])
    told = shown(space, every, space.judged(every), len(every), torch.cat([z[-1:], z]))
    yield told | {"errors": errors, "mse": errors[-1], "code": code_of(last.z[0].numpy()), "steps": STEPS}


def _seed(recipe: Recipe) -> int:
    return whole(recipe, "seed", 0, 10**6)


STUDIES: dict[str, Callable[[Space, Recipe], Study]] = {
    "about": about,
    "count": count,
    "effect": effect,
    "map": map_of,
    "invert": invert,
}
"""By what a recipe asks for."""


def finished(study: Study) -> dict[str, Any]:
    """The answer of a study that is done at once."""
    answer: Answer | None = None
    for step in study:
        answer = step if step is not None else answer
    assert answer is not None
    return answer

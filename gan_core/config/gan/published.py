"""The published recipe that the name of an objective stands for: put into sparse settings, and taken out of them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from gan_core.config.errors import nearest
from gan_core.config.gan.objectives import OBJECTIVES
from gan_core.config.overriding import drop, flatten

RECIPE_KEYS = ("objective", "optimizers", "schedule.n_critic", "schedule.generator_steps")


def with_recipe(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with all that their objective states beneath them. Raises PydanticCustomError for an unknown objective."""
    given = dict(values)
    objective = given.get("objective", {})
    if isinstance(objective, str):
        objective = {"name": objective}
    if not isinstance(objective, Mapping):
        return given
    name = objective.get("name", "ns_gan")
    if not isinstance(name, str) or name not in OBJECTIVES:
        text = f"unknown objective {str(name)[:80]!r}{nearest(str(name)[:80], OBJECTIVES)}"
        raise PydanticCustomError("unknown_objective", "{text}", {"text": text})
    return _merge(OBJECTIVES[name].settings, {**given, "objective": {"name": name, **objective}})


def before_recipe(settings: dict[str, Any], path: str, value: Any) -> tuple[str, Any]:
    """Make room in ``settings`` for a change; returns the change itself, an objective as a group that names it.

    Naming an objective drops the loss, penalties, optimisers and steps per player that stood there before, whatever
    else the recipe before it had brought, and whatever else its own recipe states, so that the recipe arrives whole;
    later changes may alter it. A group that names one (``{"name": "wgan", "clip_value": 0.05}``) does the same, and its
    other values win. Naming a loss drops the options of the loss before it.
    """
    named = _named(path, value)
    if named is not None:
        for key in (*_brought(settings), *RECIPE_KEYS, *_stated(named["name"])):
            drop(settings, key)
        return "objective", named
    if path == "objective.loss":
        drop(settings, "objective.options")
    return path, value


def _named(path: str, value: Any) -> dict[str, Any] | None:
    """The group of settings that a change names an objective with, or None where it names none."""
    if path == "objective" and isinstance(value, Mapping) and "name" in value:
        return dict(value)
    return {"name": value} if path in ("objective", "objective.name") and isinstance(value, str) else None


def _stated(objective: Any) -> dict[str, Any]:
    """The dotted settings of a recipe; none for a name that is no recipe's."""
    known = isinstance(objective, str) and objective in OBJECTIVES
    return flatten(OBJECTIVES[objective].settings) if known else {}


def _brought(settings: dict[str, Any]) -> list[str]:
    """The keys at which ``settings`` still has what its own recipe states."""
    objective = settings.get("objective")
    name = objective.get("name") if isinstance(objective, dict) else objective
    present = flatten(settings)
    return [key for key, value in _stated(name).items() if key in present and present[key] == value]


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        under = merged.get(key)
        # Given penalties are the whole set: a stored run without the recipe's penalty must not get it back.
        if isinstance(under, Mapping) and isinstance(value, Mapping) and key != "penalties":
            merged[key] = _merge(under, value)
        else:
            merged[key] = value
    return merged

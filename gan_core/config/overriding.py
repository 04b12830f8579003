"""Settings as nested dicts: read from JSON, changed by dotted keys, completed by a published recipe, told in a few words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from gan_core.config.errors import ConfigError, Problem, nearest
from gan_core.config.objectives import OBJECTIVES

RECIPE_KEYS = ("objective", "optimizers", "schedule.n_critic", "schedule.generator_steps")


def override(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Sparse settings with dotted keys changed, in order.

    Naming an objective drops the loss, penalties, optimisers and steps per player that stood there before, whatever
    else the recipe before it had brought, and whatever else its own recipe states, so that the recipe arrives whole;
    later changes may alter it. A group that names one (``{"name": "wgan", "clip_value": 0.05}``) does the same, and its
    other values win. Naming a loss drops the options of the loss before it.
    """
    result = json.loads(json.dumps(settings))
    for path, value in changes.items():
        named = _named(path, value)
        if named is not None:
            for key in (*_brought(result), *RECIPE_KEYS, *_stated(named["name"])):
                _drop(result, key)
            value, path = named, "objective"
        elif path == "objective.loss":
            _drop(result, "objective.options")
        *parents, last = path.split(".")
        place = result
        for name in parents:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise ConfigError([Problem(path, f"{name!r} is a single value and has no settings inside")])
        place[last] = value
    return result


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


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level of dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def with_recipe(values: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value.model_dump() if isinstance(value, BaseModel) else value for key, value in values.items()}
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


def _drop(settings: dict[str, Any], path: str) -> None:
    *parents, last = path.split(".")
    for name in parents:
        settings = settings.get(name, {})
        if not isinstance(settings, dict):
            return
    settings.pop(last, None)


def read_settings(text: str | bytes, what: str, *, limit: int = 1_000_000) -> dict[str, Any]:
    """The settings in a JSON text. Raises ConfigError, in sentences about ``what``, for anything else."""
    if len(text) > limit:
        raise ConfigError([Problem("", f"{what} has at most {limit:,} characters, this has {len(text):,}")])
    settings = read_json(text)
    if not isinstance(settings, dict):
        raise ConfigError([Problem("", f"{what} is a group of settings, as in {{…}}")])
    return settings


def read_json(text: str | bytes, *, finite: bool = False) -> Any:
    """What a JSON text says. Raises ConfigError for anything else, for a key that stands there twice, and if all numbers
    have to be ``finite``, for NaN and infinities, which are Python's JSON alone."""

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is no number of JSON")

    try:
        return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=refuse if finite else None)
    except ConfigError:
        raise
    except (ValueError, RecursionError) as error:
        raise ConfigError([Problem("", f"this is not JSON: {error}")]) from None


def story_of(changes: Mapping[str, Any]) -> str:
    """What some changes change, in a few words: ``wgan_gp, G's lr 0.001``."""
    parts = []
    for path, value in changes.items():
        named = path in ("objective", "objective.name")
        if path != "schedule.rounds":
            parts.append(_brief(value) if named else f"{_whose(path)} {_brief(value)}")
    return ", ".join(parts) or "unchanged"


def turned(values: Mapping[str, Any]) -> str:
    """What knobs were set to, in a few words: ``G's lr → 0.05, n_critic → 2``."""
    return ", ".join(f"{_whose(path)} → {_brief(value)}" for path, value in values.items())


def _whose(path: str) -> str:
    """The last word of a dotted field, with the player whose it is: both have a learning rate."""
    *parents, last = path.split(".")
    player = next((name for word, name in (("generator", "G"), ("discriminator", "D")) if word in parents), "")
    return f"{player}'s {last}" if player else last


def _brief(value: Any) -> str:
    if isinstance(value, Mapping):
        return story_of(value) if value else "none"
    if isinstance(value, list | tuple | bool):
        return json.dumps(value, separators=(",", ":"))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        twice = min(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ConfigError([Problem("", f"the key {twice[:80]!r} stands there twice")])
    return told

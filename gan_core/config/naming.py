"""What settings are called, by the titles of their fields: on a form, on a page, and in a few words what was changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gan_core.config.games import SETTINGS


def title_of(name: str, info: FieldInfo) -> str:
    """The label of a field: its title, else its name in words."""
    return info.title or name.replace("_", " ")


def owner_of(path: str) -> str:
    """Whose settings a dotted field is among, as the innermost group with a title says it; "" where none does."""
    return next((info.title for info in reversed(_fields(path)[:-1]) if info.title), "")


def label_of(path: str) -> str:
    """What a setting is called where it stands alone: ``learning rate of D``; a penalty is called by its weight.

    What a field's title has in brackets stands on its form alone. A switch is a knob of 1 and 0.
    """
    group, _, last = path.rpartition(".")
    if group == "objective.penalties":
        return f"λ of {last.replace('_', ' ')}"
    fields = _fields(path)
    if not fields:
        return last.replace("_", " ")
    name = title_of(last, fields[-1]).partition(" (")[0]
    if fields[-1].annotation is bool:
        return f"{name} (1) or stand still (0)"
    owner = owner_of(path)
    return f"{name} of {owner}" if owner else name


def short_label_of(path: str) -> str:
    """The same where there is little room: ``D's lr``."""
    return _whose(path) if owner_of(path) else label_of(path)


def _whose(path: str) -> str:
    """The last word of a dotted field, with the player whose it is: both have a learning rate."""
    owner, last = owner_of(path), path.rpartition(".")[2]
    return f"{owner}'s {last}" if owner else last


def story_of(changes: Mapping[str, Any]) -> str:
    """What some changes change, in a few words: ``wgan_gp, G's lr 0.001``."""
    parts = []
    for path, value in changes.items():
        named = path in ("objective", "objective.name")
        if path != "schedule.rounds":
            parts.append(_brief(value) if named else f"{_whose(path)} {_brief(value)}")
    return ", ".join(parts) or "unchanged"


def turned(values: Mapping[str, Any]) -> str:
    """What knobs were set to, in a few words: ``G's lr → 0.05, batch_size → 64``."""
    return ", ".join(f"{_whose(path)} → {_brief(value)}" for path, value in values.items())


def _brief(value: Any) -> str:
    if isinstance(value, Mapping):
        return story_of(value) if value else "none"
    if isinstance(value, list | tuple | bool):
        return json.dumps(value, separators=(",", ":"))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _fields(path: str) -> list[FieldInfo]:
    """The fields that a dotted name goes through, in the first game that has them all; none where no game does."""
    return next((found for model in SETTINGS.values() if (found := _through(model, path))), [])


def _through(model: Any, path: str) -> list[FieldInfo]:
    found: list[FieldInfo] = []
    for name in path.split("."):
        if not (isinstance(model, type) and issubclass(model, BaseModel)) or name not in model.model_fields:
            return []
        found.append(model.model_fields[name])
        model = found[-1].annotation
    return found

"""What the Library says of one entry of the catalogue beyond its About card, as torch-free values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gan_core.config import OBJECTIVES, PRESETS, TRICKS, ConfigError, flatten, preset_config
from gan_core.data import DATASETS, DataError, ImageSource, shelf
from gan_core.engine.library.catalogue import Choice, catalogue
from gan_core.engine.library.loss_curves import Array, loss_curves, loss_named
from gan_core.engine.library.source_code import SourceCode, source_code
from gan_core.engine.library.suggesting import Suggestion, suggested
from gan_core.regularizers import PENALTIES
from gan_core.training import reference_lines, resolve

LOGITS = np.linspace(-8.0, 8.0, 321)
ERRORS = np.linspace(-2.0, 0.0, 201)
CLIP_VALUE = 0.01


@dataclass(frozen=True)
class LossPicture:
    """A loss as its picture needs it: ``curves`` as ``loss_curves`` gives them over ``axis``, the unit of which is named.

    ``compares`` is true where D is shown pairs: the axis is then the logit minus that of the other sample of the pair.
    ``equilibrium`` are (player, value, the value as a board would have it); ``reading`` is how to read the curve.
    """

    name: str
    title: str
    axis: str
    compares: bool
    curves: dict[str, Array]
    equilibrium: tuple[tuple[str, float, str], ...]
    reading: str


@dataclass(frozen=True)
class Card:
    """One entry: its choice, the loss that it plays with if it has one, its settings, and where it is written.

    ``settings`` are what it sets, as dotted fields; empty where it sets nothing.
    """

    kind: str
    choice: Choice
    picture: LossPicture | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    code: tuple[SourceCode, ...] = ()


def card(kind: str, name: str) -> Card:
    """The card of one entry. KeyError for what the catalogue does not have."""
    choice = catalogue()[kind][name]
    picture = loss_picture(name) if kind in ("objectives", "losses") else None
    settings = flatten(OBJECTIVES[name].settings) if kind == "objectives" else changes_for(kind, name)
    return Card(kind, choice, picture, settings, source_code(kind, name))


def loss_picture(name: str) -> LossPicture:
    """The picture of a loss, or of the loss that an objective plays with."""
    key, loss = loss_named(name)
    compares = loss.g_sees_real
    axis = {"probability": "logit", "score": "score", "error": "minus the error"}[loss.output]
    return LossPicture(
        key,
        loss.about.title,
        f"{axis} less that of its pair" if compares else f"{axis} that D gives",
        compares,
        loss_curves(key, ERRORS if loss.output == "error" else LOGITS),
        reference_lines(loss),
        loss.reading,
    )


def changes_for(kind: str, name: str) -> dict[str, Any]:
    """The dotted changes that put one entry into a configuration; none for what only looks on, as a metric does."""
    match kind:
        case "games":
            return {"game": name}
        case "objectives":
            return {"objective": name}
        case "losses":
            _, loss = loss_named(name)
            return {
                "objective.loss": name,
                "model.discriminator.output": "reconstruction" if loss.output == "error" else "logit",
            }
        case "regularizers" if name == "weight_clipping":
            return {"objective.clip_value": CLIP_VALUE}
        case "regularizers":
            return {"objective.penalties": {name: PENALTIES[name].default}}
        case "tricks":
            return flatten(TRICKS[name].settings)
        case "architectures":
            return {f"model.{player}.architecture": name for player in ("generator", "discriminator")}
        case "datasets":
            own = suggestion_for(name)
            return {"data.name": name, "data.options": {}, **({} if own is None else own.changes)}
    return {}


def suggestion_for(name: str) -> Suggestion | None:
    """What a run on somebody's own pictures begins with; None for any other data, for pairs, and for what is not here."""
    if not shelf.is_own(name) or DATASETS[name].kind != "images":
        return None
    try:
        source = DATASETS[name].load()
    except DataError:
        return None
    return suggested(source) if isinstance(source, ImageSource) and source.inputs is None else None


def beginning_with(kind: str, name: str) -> str | None:
    """The preset that takes this entry best: one that it can be built in, of its own kind first; None if none takes it."""
    changes = changes_for(kind, name)
    for preset in _in_order(kind, name):
        try:
            resolve(preset_config(preset, changes))
        except (ConfigError, DataError):
            continue
        return preset
    return None


def _in_order(kind: str, name: str) -> Iterator[str]:
    """The presets, those that are about an entry like this before the others."""

    def far(preset: str) -> bool:
        config = preset_config(preset)
        if kind == "datasets":
            return DATASETS[config.data.name].kind != DATASETS[name].kind
        if kind == "architectures":
            return all(network.architecture != name for network in config.networks.values())
        return DATASETS[config.data.name].kind != "points"  # a plane shows in seconds what a part does

    return iter(sorted(PRESETS, key=far))

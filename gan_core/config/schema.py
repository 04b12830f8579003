"""RunConfig: everything that decides what a run computes. Frozen, complete, JSON in and out.

`RunConfig` is what the settings of all games have in common; each game has a model of its own with its networks, its
objective and its optimisers (`gan_core.config.games`). Which one is meant stands in ``game``, "gan" where nothing does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from gan_core.about import About
from gan_core.config.errors import ConfigError, Problem, nearest, problems_of
from gan_core.config.fields import Data, Diagnostics, Network, Optimizer, Part, Schedule
from gan_core.config.overriding import flatten, read_settings

_BEFORE, _AFTER = ("game", "data"), ("schedule", "diagnostics", "seed", "device")
"""The settings of every game, as they stand before and after a game's own."""


@dataclass(frozen=True)
class Seat:
    """How a player moves: its optimiser, and its steps per round, each with the dotted name of its settings.

    ``steps_key`` is "" for a player whose steps no setting decides: it takes one.
    """

    optimizer: Optimizer
    steps: int
    optimizer_key: str
    steps_key: str


class RunConfig(Part):
    """Everything that decides what a run computes.

    A call, ``load`` and ``from_json`` give the settings of the game that is named: ``RunConfig(objective="wgan_gp", seed=1)``
    is a complete `GanConfig`. Raises pydantic's ``ValidationError``; ``RunConfig.load`` raises ``ConfigError`` with one
    sentence per field instead.
    """

    ABOUT: ClassVar[About]
    """The card of the game."""
    ROLES: ClassVar[Mapping[str, str]] = {}
    """The dotted settings of each network, by its role."""
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """The dotted settings of each player, its optimiser and its steps per round, in the order in which they move.

    The first is the one that sees the data."""

    game: str = Field("gan", max_length=80, description="Who plays, and for what")
    data: Data = Field(default_factory=Data)
    schedule: Schedule = Field(default_factory=Schedule)
    diagnostics: Diagnostics = Field(default_factory=Diagnostics)
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Decides the weights, the data order and the noise")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where it trains")

    def __new__(cls, **values: Any) -> Self:
        kind: Any = settings_of(values) if cls is RunConfig else cls
        return super().__new__(kind)

    @model_validator(mode="wrap")
    @classmethod
    def _as_its_game(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if cls is RunConfig and isinstance(values, Mapping):
            kind: Any = settings_of(values)
            return kind.model_validate(values)
        return handler(values)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        given = {key: value.model_dump() if isinstance(value, BaseModel) else value for key, value in values.items()}
        return cls.completed(given)

    @model_serializer(mode="wrap")
    def _in_order(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = write(self)
        own = (key for key in written if key not in _BEFORE + _AFTER)
        return {key: written[key] for key in (*_BEFORE, *own, *_AFTER) if key in written}

    @classmethod
    def completed(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Sparse settings with what they imply in this game: a name that stands for several."""
        return values

    @classmethod
    def before_change(cls, settings: dict[str, Any], path: str, value: Any) -> tuple[str, Any]:
        """Take out of ``settings`` what the change of a dotted key makes void; returns the change as it is to be made."""
        return path, value

    @classmethod
    def load(cls, settings: Mapping[str, Any]) -> Self:
        """A complete config from sparse settings. Raises ConfigError: each problem names field, value, what is allowed."""
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            raise ConfigError(problems_of(error)) from None

    @classmethod
    def from_json(cls, text: str | bytes, *, limit: int = 1_000_000) -> Self:
        """The config that ``to_json`` wrote. Raises ConfigError for anything else, also for duplicate keys."""
        return cls.load(read_settings(text, "a configuration", limit=limit))

    def to_json(self) -> str:
        return self.model_dump_json(indent=2)

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    @property
    def title(self) -> str:
        """What is played on the data, in a few words: the name of a run that nobody named."""
        return self.game

    @property
    def recipe(self) -> str:
        """The objective whose published recipe it starts from; "" in a game without recipes."""
        return ""

    @property
    def networks(self) -> dict[str, Network]:
        """The settings of each network, by its role."""
        return {role: attrgetter(key)(self) for role, key in self.ROLES.items()}

    @property
    def seats(self) -> dict[str, Seat]:
        """The settings of each player, in the order in which they move."""
        return {
            player: Seat(attrgetter(optimizer)(self), attrgetter(steps)(self) if steps else 1, optimizer, steps)
            for player, (optimizer, steps) in self.PLAYERS.items()
        }

    @property
    def images_per_round(self) -> int:
        """Real samples that the first player sees in a round, before any knob is set."""
        return next(iter(self.seats.values())).steps * self.data.batch_size

    def replace(self, changes: Mapping[str, Any]) -> RunConfig:
        """A copy with dotted keys changed: ``config.replace({"objective": "wgan_gp", "schedule.rounds": 500})``."""
        return RunConfig.load(override(self.to_dict(), changes))


def settings_of(values: Mapping[str, Any]) -> type[RunConfig]:
    """The model of the settings of the game that sparse settings name. Raises ValidationError for an unknown game."""
    # The registry imports the games, and these import this module.
    from gan_core.config.games import SETTINGS

    game = values.get("game", "gan")
    if not isinstance(game, str) or game not in SETTINGS:
        text = f"unknown game {str(game)[:80]!r}{nearest(str(game)[:80], SETTINGS)}"
        unknown = PydanticCustomError("unknown_game", "{text}", {"text": text})
        raise ValidationError.from_exception_data("RunConfig", [{"type": unknown, "loc": ("game",), "input": game}])
    return SETTINGS[game]


def losses_of(settings: Mapping[str, Any]) -> list[str]:
    """The columns of the losses in a run with these settings; none where they are of a version with other games."""
    game = _game(settings)
    return [] if game is None else [f"{player}.loss" for player in game.PLAYERS]


def override(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Sparse settings with dotted keys changed, in order. Raises ConfigError for a key inside of a single value.

    Naming a game drops the settings that it does not have. What else a change takes out, the game decides: naming an
    objective of a GAN makes room for its recipe.
    """
    result: dict[str, Any] = json.loads(json.dumps(settings))
    for key, changed in changes.items():
        game = _game(result)
        path, value = (key, changed) if game is None else game.before_change(result, key, changed)
        *parents, last = path.split(".")
        place = result
        for name in parents:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise ConfigError([Problem(path, f"{name!r} is a single value and has no settings inside")])
        place[last] = value
        if path == "game" and game is not None and (named := _game(result)) not in (None, game):
            result = _shared(result, game, named)
    return result


def _game(settings: Mapping[str, Any]) -> type[RunConfig] | None:
    """The model of these settings; None where they name no game that there is, which whoever reads them will say."""
    try:
        return settings_of(settings)
    except ValidationError:
        return None


def _shared(settings: dict[str, Any], before: type[RunConfig], after: type[RunConfig]) -> dict[str, Any]:
    """What both games understand alike: the groups of every game, without what one of them adds, and equal groups.

    Of a group that only both of them have, its settings that are of one kind in both.
    """
    kept = {}
    for key, value in settings.items():
        group = RunConfig.model_fields.get(key)
        both = [game.model_fields[key].annotation for game in (before, after) if key in game.model_fields]
        if group is None and (len(both) < 2 or both[0] != both[1]):
            parts = [part for part in both if isinstance(part, type) and issubclass(part, Part)]
            if len(parts) < 2 or not isinstance(value, dict):
                continue
            value = {name: entry for name, entry in value.items() if _alike(name, *parts)}
        inner = group.annotation if group else None
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, Part):
            value = {name: entry for name, entry in value.items() if name in inner.model_fields}
        kept[key] = value
    return kept


def _alike(name: str, one: type[Part], other: type[Part]) -> bool:
    """Whether both groups have a setting of this name, of one kind."""
    fields = [part.model_fields.get(name) for part in (one, other)]
    return all(fields) and len({str(field.annotation) for field in fields if field}) == 1


def diff(a: RunConfig, b: RunConfig) -> dict[str, tuple[Any, Any]]:
    """The dotted fields in which two configs differ, with both values; ``None`` where one has no such entry."""
    left, right = flatten(a.to_dict()), flatten(b.to_dict())
    paths = list(left) + [path for path in right if path not in left]
    return {path: (left.get(path), right.get(path)) for path in paths if left.get(path) != right.get(path)}

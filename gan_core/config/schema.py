"""RunConfig: everything that decides what a run computes. Frozen, complete, JSON in and out.

A configuration is written sparsely and read completely: naming an objective brings the whole published recipe
(loss, penalties, steps per player, optimisers), and any value given beside it wins. What is stored is the complete form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from gan_core.config.errors import ConfigError, problems_of
from gan_core.config.fields import Data, Diagnostics, Optimizer, Part
from gan_core.config.games.gan import NETWORKS, SEATS, Model, Network, Objective, Optimizers, Schedule, Tricks
from gan_core.config.overriding import flatten, override, read_settings, with_recipe


@dataclass(frozen=True)
class Seat:
    """How a player moves: its optimiser, and its steps per round, each with the dotted name of its settings."""

    optimizer: Optimizer
    steps: int
    optimizer_key: str
    steps_key: str


class RunConfig(Part):
    """Everything that decides what a run computes.

    ``RunConfig(objective="wgan_gp", seed=1)`` is complete: the recipe's values are in it. Raises pydantic's
    ``ValidationError``; ``RunConfig.load`` raises ``ConfigError`` with one sentence per field instead.
    """

    game: Literal["gan"] = Field("gan", description="Who plays, and for what")
    data: Data = Field(default_factory=Data)
    model: Model = Field(default_factory=Model)
    objective: Objective = Field(default_factory=Objective)
    tricks: Tricks = Field(default_factory=Tricks)
    optimizers: Optimizers = Field(default_factory=Optimizers)
    schedule: Schedule = Field(default_factory=Schedule)
    diagnostics: Diagnostics = Field(default_factory=Diagnostics)
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Decides the weights, the data order and the noise")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where it trains")

    @model_validator(mode="before")
    @classmethod
    def _bring_the_recipe(cls, values: Any) -> Any:
        return with_recipe(values) if isinstance(values, Mapping) else values

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
    def networks(self) -> dict[str, Network]:
        """The settings of each network, by its role."""
        return {role: attrgetter(key)(self) for role, key in NETWORKS.items()}

    @property
    def seats(self) -> dict[str, Seat]:
        """The settings of each player, in the order in which they move."""
        return {
            player: Seat(attrgetter(optimizer)(self), attrgetter(steps)(self), optimizer, steps)
            for player, (optimizer, steps) in SEATS.items()
        }

    @property
    def images_per_round(self) -> int:
        """Real samples that the first player sees in a round, before any knob is set."""
        return next(iter(self.seats.values())).steps * self.data.batch_size

    def replace(self, changes: Mapping[str, Any]) -> Self:
        """A copy with dotted keys changed: ``config.replace({"objective": "wgan_gp", "schedule.rounds": 500})``."""
        return type(self).load(override(self.to_dict(), changes))


def diff(a: RunConfig, b: RunConfig) -> dict[str, tuple[Any, Any]]:
    """The dotted fields in which two configs differ, with both values; ``None`` where one has no such entry."""
    left, right = flatten(a.to_dict()), flatten(b.to_dict())
    paths = list(left) + [path for path in right if path not in left]
    return {path: (left.get(path), right.get(path)) for path in paths if left.get(path) != right.get(path)}

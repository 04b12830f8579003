"""A comparison, as a value: one configuration, named variants of it, and seeds. No torch.

A variant is what differs, and only that. All that it does not name is the base's, so that two variants differ in what was
asked, and in what a named objective brings with its recipe: ``differences`` tells the two apart.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, SerializeAsAny, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from gan_core.config.errors import ConfigError, Problem, problems_of
from gan_core.config.fields import MOST_ROUNDS, Part
from gan_core.config.naming import story_of
from gan_core.config.overriding import flatten, read_settings
from gan_core.config.schema import RunConfig

MOST_VARIANTS = 8  # as many as there are colours that everybody can tell apart
MOST_RUNS = 100
MEASUREMENTS = 40  # at most, over a whole run
BUDGETS = ("rounds", "images", "seconds")
Changes = dict[str, Any]


class Variant(Part):
    name: str = Field(min_length=1, max_length=60, description="What the variant is called")
    changes: Changes = Field(default_factory=dict, description="Dotted settings in which it differs from the base")


class Comparison(Part):
    """Runs to be compared: each variant with each seed.

    All runs are measured at the same rounds, whatever measuring costs, so that their numbers can be compared round by
    round; that is the one thing in which they differ from the same runs started one by one. Where the budget is in images,
    they are measured when the first player has seen as many; where it is in seconds, every so many rounds as the base says.
    """

    base: SerializeAsAny[RunConfig]
    variants: tuple[Variant, ...] = Field(min_length=2, max_length=MOST_VARIANTS)
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1, max_length=50)
    rounds: int | None = Field(None, ge=1, le=MOST_ROUNDS, description="Rounds of each run; none: the base's")
    images: int | None = Field(None, ge=1, le=10**12, description="Real samples that each run sees, instead")
    seconds: float | None = Field(None, gt=0, le=1e7, description="Seconds that each run trains, instead")

    @model_validator(mode="after")
    def _has_one_budget(self) -> Self:
        given = [unit for unit in BUDGETS if getattr(self, unit) is not None]
        if len(given) > 1:
            text = f"a budget is in one unit, not in {' and in '.join(given)}"
            raise PydanticCustomError("budgets", "{text}", {"text": text})
        return self

    @model_validator(mode="after")
    def _tells_its_runs_apart(self) -> Self:
        told_apart: dict[str, list[Any]] = {"variant": [v.name for v in self.variants], "seed": list(self.seeds)}
        for what, entries in told_apart.items():
            for entry in entries:
                if entries.count(entry) > 1:
                    raise PydanticCustomError("twice", "{text}", {"text": f"the {what} {entry!r} stands there twice"})
        runs = len(self.variants) * len(self.seeds)
        if runs > MOST_RUNS:
            text = f"{len(self.variants)} variants with {len(self.seeds)} seeds are {runs} runs; at most {MOST_RUNS}"
            raise PydanticCustomError("too_many_runs", "{text}", {"text": text})
        for variant in self.variants:
            if "seed" in variant.changes:
                text = f"the variant {variant.name!r} changes the seed; seeds are given beside the variants"
                raise PydanticCustomError("seed", "{text}", {"text": text})
        return self

    @classmethod
    def load(cls, settings: Mapping[str, Any]) -> Self:
        """A comparison all of whose runs can be configured. Raises ConfigError: each problem names its variant."""
        try:
            comparison = cls.model_validate(settings)
        except ValidationError as error:
            raise ConfigError(problems_of(error)) from None
        comparison.configs()
        return comparison

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The comparison that ``to_json`` wrote. Raises ConfigError for anything else."""
        return cls.load(read_settings(text, "a comparison"))

    def to_json(self) -> str:
        return self.model_dump_json(indent=2)

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def config(self, variant: str, seed: int) -> RunConfig:
        """What one run of it computes. Raises ConfigError, naming the variant, where its changes do not fit the base."""
        (changes,) = (entry.changes for entry in self.variants if entry.name == variant)
        try:
            config = self.base.replace({**changes, "seed": seed})
            return config.replace({"diagnostics.budget": 1.0, **self._ends(config)})
        except ConfigError as error:
            raise ConfigError(Problem(p.field, f"{p.message} (in {variant!r})") for p in error.problems) from None

    def _ends(self, config: RunConfig) -> Changes:
        """When a run is over, and how often it is measured until then."""
        every = config.diagnostics.every
        if self.seconds is not None:
            falling = [
                f"{seat.optimizer_key}.lr_schedule"
                for seat in config.seats.values()
                if seat.optimizer.lr_schedule != "constant"
            ]
            if falling:
                message = "a learning rate that goes with the rounds needs a budget in rounds or images, not in seconds"
                raise ConfigError([Problem(falling[0], message)])
            return {"schedule.rounds": MOST_ROUNDS, "schedule.seconds": self.seconds}
        if self.images is not None:
            seen = config.images_per_round
            apart = max(every * self.base.images_per_round, self.images / MEASUREMENTS)
            return {"schedule.rounds": -(-self.images // seen), "diagnostics.every": math.ceil(apart / seen)}
        rounds = self.rounds or config.schedule.rounds
        return {"schedule.rounds": rounds, "diagnostics.every": max(every, -(-rounds // MEASUREMENTS))}

    def configs(self) -> dict[tuple[str, int], RunConfig]:
        """All its runs by variant and seed: seed after seed, so that the first answer comes from all variants."""
        return {
            (variant.name, seed): self.config(variant.name, seed) for seed in self.seeds for variant in self.variants
        }


@dataclass(frozen=True)
class Difference:
    """One field in which variants differ: its value per variant, None where one has no such entry.

    ``asked`` is false for what a game or an objective brought with it: with that, more than one thing differs.
    """

    field: str
    values: dict[str, Any]
    asked: bool


def differences(configs: Mapping[str, RunConfig], asked: Iterable[str] = ()) -> list[Difference]:
    """The fields in which these configs differ, but for the seed; ``asked`` are the dotted paths that were meant to."""
    paths = {"objective" if path == "objective.name" else path for path in asked}
    flat = {name: flatten(config.to_dict()) for name, config in configs.items()}
    fields = dict.fromkeys(field for settings in flat.values() for field in settings)
    found = []
    for field in fields:
        values = {name: settings.get(field) for name, settings in flat.items()}
        if field != "seed" and len({json.dumps(value) for value in values.values()}) > 1:
            meant = any(field == path or field.startswith(f"{path}.") for path in paths)
            meant |= "game" in paths and any(
                field not in settings for settings in flat.values()
            )  # what a game consists of
            found.append(Difference(field, values, meant))
    return found


def of_a_game(difference: Difference, among: Iterable[Difference]) -> bool:
    """Whether a setting differs because some of the games that are compared do not have it."""
    return None in difference.values.values() and any(other.field == "game" for other in among)


def differences_of(comparison: Comparison) -> list[Difference]:
    """In which fields the variants of a comparison differ."""
    seed = comparison.seeds[0]
    configs = {variant.name: comparison.config(variant.name, seed) for variant in comparison.variants}
    asked = [path for variant in comparison.variants for path in variant.changes]
    if comparison.images is not None:  # as many images take another number of rounds
        asked += ["schedule.rounds", "diagnostics.every"]
    return differences(configs, asked)


def parse_vary(texts: str | Iterable[str]) -> tuple[Variant, ...]:
    """Variants of ``objective=ns_gan,wgan_gp``; of several such texts, each value of one with each of the others.

    Values are JSON or words: ``model.generator.widths=[64],[64,64]``. Raises ConfigError for a text of another form.
    """
    axes: list[list[tuple[str, Any]]] = []
    for text in [texts] if isinstance(texts, str) else texts:
        path, equals, values = text.partition("=")
        if not equals or not path.strip() or not values.strip():
            raise ConfigError([Problem("--vary", f"{text[:80]!r} is not of the form key=value,value")])
        axes.append([(path.strip(), _value(part)) for part in _split(values)])
    every = [dict(choice) for choice in itertools.product(*axes)]
    names = [story_of(changes) for changes in every]
    if len(set(names)) < len(names):
        names = [", ".join(f"{path} {value}" for path, value in changes.items()) for changes in every]
    return tuple(Variant(name=name[:60], changes=changes) for name, changes in zip(names, every, strict=True))


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds of ``0-4``, ``0,3,7`` or ``0-2,9``. Raises ConfigError for anything else."""
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,10})\s*(?:-\s*(\d{1,10})\s*)?", part, re.ASCII)
        if found is None:
            raise ConfigError([Problem("--seeds", f"{part[:40]!r} is neither a seed nor a range such as 0-4")])
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last < first + 1000:
            raise ConfigError(
                [Problem("--seeds", f"{part[:40]!r} is not a range that goes up, of at most 1,000 seeds")]
            )
        seeds += range(first, last + 1)
    return tuple(seeds)


def parse_budget(text: str) -> dict[str, float]:
    """The budget of ``rounds=3000``, ``images=200000`` or ``seconds=60``. Raises ConfigError for anything else."""
    unit, _, amount = (part.strip() for part in text.partition("="))
    try:
        if unit in BUDGETS:
            number = float(amount)
            return {unit: int(number) if number.is_integer() else number}
    except ValueError:
        pass
    raise ConfigError([Problem("--budget", f"{text[:80]!r} is none of rounds=N, images=N, seconds=N")])


def _split(values: str) -> list[str]:
    """At the commas that stand in no brackets and no quotes."""
    parts, depth, quoted = [""], 0, False
    for letter in values:
        quoted ^= letter == '"'
        depth += 0 if quoted else (letter in "[{") - (letter in "]}")
        if letter == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()

"""RunConfig: everything that decides what a run computes. Frozen, complete, JSON in and out.

A configuration is written sparsely and read completely: naming an objective brings the whole published recipe
(loss, penalties, steps per player, optimisers), and any value given beside it wins. What is stored is the complete form.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from gan_core.config.errors import ConfigError, Problem, meant, nearest, problems_of
from gan_core.config.objectives import OBJECTIVES

MOST_ROUNDS = 100_000_000
"""As good as no limit: what a run has that only its seconds end."""
Width = Annotated[int, Field(ge=1, le=8192)]
OptionValue = int | float | str
Alarm = Literal["narrowing", "collapsed", "broken", "d_too_strong", "vanishing_gradient", "oscillating", "diverged"]
"""Verdicts that say that something is wrong (`gan_core.metrics.verdict`)."""


class Part(BaseModel):
    """A frozen group of settings that refuses keys it does not know and names the nearest one."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, ser_json_inf_nan="strings", extra="forbid")

    def __hash__(self) -> int:
        # Pydantic's own would hash the fields, and some of them are dicts.
        return hash((type(self), _frozen(self.model_dump())))

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            for key in values:
                if key not in cls.model_fields:
                    said, unknown = str(key)[:80], f"unknown key {str(key)[:80]!r}"
                    here = any(meant(said, [name]) for name in cls.model_fields)
                    below = [] if here else meant(said, _names_below(cls))
                    told = {"text": f"{unknown}{nearest(said, cls.model_fields)}", "unknown": unknown, "below": below}
                    raise PydanticCustomError("unknown_key", "{text}", told)
        return values


def _names_below(part: type[Part], prefix: str = "") -> list[str]:
    """The dotted names of all settings inside the groups of a group."""
    names = []
    for name, info in part.model_fields.items():
        if prefix:
            names.append(f"{prefix}{name}")
        if isinstance(info.annotation, type) and issubclass(info.annotation, Part):
            names += _names_below(info.annotation, f"{prefix}{name}.")
    return names


class Data(Part):
    name: str = Field("mnist5k", max_length=80, description="The real distribution that D sees")
    batch_size: int = Field(64, ge=2, le=4096, description="Samples per batch, for D and for G")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="What this data set lets you choose")


class Network(Part):
    architecture: str = Field("mlp", max_length=80, description="The family of network")
    widths: tuple[Width, ...] = Field(
        (256, 256),
        min_length=1,
        max_length=32,
        description="Units per hidden layer (MLP) or channels per stage (DCGAN, ResNet)",
    )
    normalization: Literal["none", "batch", "layer", "instance"] = Field(
        "none", description="What keeps the activations in range"
    )
    activation: Literal["relu", "leaky_relu", "tanh", "sigmoid"] = Field(
        "leaky_relu", description="Non-linearity between layers"
    )
    leaky_slope: float = Field(0.2, ge=0, le=1, description="Slope of leaky ReLU for negative inputs")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of units dropped in training")
    attention: bool = Field(
        False, description="Self-attention on the feature maps (SAGAN): every place sees every other; not for an MLP"
    )
    spectral_norm: bool = Field(False, description="Divide each weight by its largest singular value")
    spectral_gain: float = Field(1.0, gt=0, le=100, description="Largest singular value of a layer under spectral norm")


class Generator(Network):
    upsampling: Literal["transposed", "nearest", "bilinear"] = Field(
        "transposed", description="Convolutional G: transposed convolution, or upsample then convolve"
    )


class Discriminator(Network):
    output: Literal["logit", "reconstruction"] = Field(
        "logit", description="A logit, or minus the reconstruction error of an autoencoder (EBGAN, BEGAN)"
    )
    code_dim: int = Field(64, ge=1, le=4096, description="Length of the code between encoder and decoder")
    packing: int = Field(
        1,
        ge=1,
        le=4096,
        description="Samples that D judges together, as one (PacGAN: 2 to 4; a whole batch is possible)",
    )
    summary: Literal["none", "squared_differences", "moments"] = Field(
        "none",
        description="What D is told of a pack: its samples, these and their squared differences from their mean, or only "
        "mean, standard deviation, skewness and kurtosis",
    )
    minibatch_stddev: int = Field(
        0, ge=0, le=64, description="Show D how much samples differ, in groups of so many (ProGAN: 4); 0 is off"
    )
    minibatch_kernels: int = Field(
        0, ge=0, le=512, description="Minibatch discrimination: numbers that tell D how close samples lie; 0 is off"
    )
    minibatch_dims: int = Field(5, ge=1, le=64, description="Dimensions in which each kernel compares samples")


class Model(Part):
    latent_dim: int = Field(64, ge=1, le=4096, description="Length of the noise vector z")
    latent: Literal["normal", "uniform"] = Field("normal", description="z ~ N(0, 1) or U(−1, 1) per component")
    initialization: Literal["torch", "dcgan", "orthogonal"] = Field("torch", description="How the weights begin")
    condition: Literal["none", "concatenation", "embedding", "projection", "ac_gan"] = Field(
        "none", description="How G and D are told the class y of a sample; the data must have labels"
    )
    embedding_dim: int = Field(16, ge=1, le=1024, description="Length of the learned vector of a class, beside z")
    class_weight: float = Field(
        1.0, gt=0, le=1000, description="AC-GAN: weight of the classification error in D's and in G's loss"
    )
    generator: Generator = Generator()
    discriminator: Discriminator = Discriminator()


class Objective(Part):
    name: str = Field("ns_gan", max_length=80, description="The published recipe that the values start from")
    loss: str = Field("non_saturating", max_length=80, description="The pair of losses of D and G")
    penalties: dict[str, Annotated[float, Field(ge=0, le=1e6)]] = Field(
        default_factory=dict, description="Regularisers added to D's loss, each with its weight λ"
    )
    clip_value: float | None = Field(None, gt=0, le=100, description="Clip D's weights to ±this after each step")
    options: dict[str, Annotated[float, Field(ge=-1e6, le=1e6)]] = Field(
        default_factory=dict, description="What this loss lets you choose"
    )

    @field_validator("penalties")
    @classmethod
    def _zero_weight_is_off(cls, penalties: dict[str, float]) -> dict[str, float]:
        return {name: weight for name, weight in penalties.items() if weight > 0}


class Optimizer(Part):
    name: Literal["adam", "rmsprop", "sgd"] = Field("adam", description="The update rule")
    lr: float = Field(2e-4, gt=0, le=10, description="Learning rate")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam: decay of the mean gradient")
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam: decay of the squared gradient")
    momentum: float = Field(0.0, ge=0, lt=1, description="SGD, RMSProp: momentum")
    lr_schedule: Literal["constant", "linear", "cosine"] = Field(
        "constant", description="How the learning rate goes from the first round to the last"
    )
    lr_final: float = Field(0.0, ge=0, le=1, description="Share of the learning rate that is left in the last round")
    clip_gradient: float | None = Field(
        None, gt=0, le=1e6, description="Scale a gradient whose norm is larger than this down to it"
    )


class Optimizers(Part):
    generator: Optimizer = Optimizer()
    discriminator: Optimizer = Optimizer()


class Tricks(Part):
    """What combines with any objective and belongs to no single network."""

    label_smoothing: float = Field(
        0.0, ge=0, le=0.5, description="D's target for real data is 1 minus this; the one for generated stays 0"
    )
    label_flipping: float = Field(
        0.0, ge=0, le=0.5, description="Share of pairs whose labels, real and generated, D sees swapped"
    )
    instance_noise: float = Field(
        0.0, ge=0, le=10, description="Standard deviation of the noise on all that D sees, in the first round; 0 is off"
    )
    instance_noise_rounds: int = Field(
        2000, ge=1, le=100_000_000, description="Rounds in which the instance noise fades linearly to nothing"
    )
    feature_matching: Literal["off", "added", "instead"] = Field(
        "off", description="G matches the mean of D's last features, beside its adversarial loss or instead of it"
    )
    unrolled_steps: int = Field(
        0, ge=0, le=20, description="D steps that G looks ahead and differentiates through; 0 is off"
    )
    ema_decay: float = Field(
        0.0, ge=0, lt=1, description="Samples come from a moving average of G's weights with this decay; 0 is off"
    )


class Schedule(Part):
    rounds: int = Field(4000, ge=1, le=MOST_ROUNDS, description="In one round every player has moved")
    seconds: float | None = Field(
        None, gt=0, le=1e7, description="Seconds of training after which it ends, where its rounds do not end it before"
    )
    n_critic: int = Field(1, ge=1, le=1000, description="D steps per round (k of Algorithm 1)")
    generator_steps: int = Field(1, ge=1, le=1000, description="G steps per round")
    checkpoint_seconds: float = Field(30.0, ge=1, le=86400, description="Seconds of training between checkpoints")


class Diagnostics(Part):
    every: int = Field(100, ge=1, le=1_000_000, description="Rounds between two measurements")
    samples: int = Field(500, ge=16, le=50_000, description="Generated samples per measurement")
    grid: int = Field(64, ge=1, le=400, description="Samples in the picture, from noise that never changes")
    budget: float = Field(0.04, ge=0, le=1, description="Share of training time that measuring may take")
    pause_on: tuple[Alarm, ...] = Field((), description="Pause by itself as soon as the verdict becomes one of these")


class RunConfig(Part):
    """Everything that decides what a run computes.

    ``RunConfig(objective="wgan_gp", seed=1)`` is complete: the recipe's values are in it. Raises pydantic's
    ``ValidationError``; ``RunConfig.load`` raises ``ConfigError`` with one sentence per field instead.
    """

    game: Literal["gan"] = Field("gan", description="Who plays, and for what")
    data: Data = Data()
    model: Model = Model()
    objective: Objective = Objective()
    tricks: Tricks = Tricks()
    optimizers: Optimizers = Optimizers()
    schedule: Schedule = Schedule()
    diagnostics: Diagnostics = Diagnostics()
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Decides the weights, the data order and the noise")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where it trains")

    @model_validator(mode="before")
    @classmethod
    def _bring_the_recipe(cls, values: Any) -> Any:
        return _with_recipe(values) if isinstance(values, Mapping) else values

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
    def images_per_round(self) -> int:
        """Real samples that D sees in a round, before any knob is turned."""
        return self.schedule.n_critic * self.data.batch_size

    def replace(self, changes: Mapping[str, Any]) -> Self:
        """A copy with dotted keys changed: ``config.replace({"objective": "wgan_gp", "schedule.rounds": 500})``."""
        return type(self).load(override(self.to_dict(), changes))


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


def diff(a: RunConfig, b: RunConfig) -> dict[str, tuple[Any, Any]]:
    """The dotted fields in which two configs differ, with both values; ``None`` where one has no such entry."""
    left, right = flatten(a.to_dict()), flatten(b.to_dict())
    paths = list(left) + [path for path in right if path not in left]
    return {path: (left.get(path), right.get(path)) for path in paths if left.get(path) != right.get(path)}


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level of dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def _with_recipe(values: Mapping[str, Any]) -> dict[str, Any]:
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


def _frozen(node: Any) -> Any:
    """The same value as something that can be hashed; equal values stay equal, in whatever order their keys stand."""
    if isinstance(node, Mapping):
        return frozenset((key, _frozen(value)) for key, value in node.items())
    return tuple(map(_frozen, node)) if isinstance(node, list | tuple) else node


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        twice = min(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ConfigError([Problem("", f"the key {twice[:80]!r} stands there twice")])
    return told

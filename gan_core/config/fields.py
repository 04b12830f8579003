"""Groups of settings: what every group is, and those that any game has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from gan_core.alarms import Alarm
from gan_core.config.errors import meant, nearest

MOST_ROUNDS = 100_000_000
"""As good as no limit: what a run has that only its seconds end."""
Width = Annotated[int, Field(ge=1, le=8192)]
EmaDecay = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        title="moving average of G: decay",
        description="Samples come from a moving average of G's weights with this decay; 0 is off",
    ),
]
OptionValue = int | float | str


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


def _frozen(node: Any) -> Any:
    """The same value as something that can be hashed; equal values stay equal, in whatever order their keys stand."""
    if isinstance(node, Mapping):
        return frozenset((key, _frozen(value)) for key, value in node.items())
    return tuple(map(_frozen, node)) if isinstance(node, list | tuple) else node


class Data(Part):
    name: str = Field("mnist5k", max_length=80, description="The real distribution")
    batch_size: int = Field(64, ge=2, le=4096, description="Samples per batch")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="What this data set lets you choose")


class Optimizer(Part):
    name: Literal["adam", "rmsprop", "sgd"] = Field("adam", description="The update rule")
    lr: float = Field(2e-4, gt=0, le=10, title="learning rate", description="Learning rate")
    beta1: float = Field(0.5, ge=0, lt=1, title="β₁", description="Adam: decay of the mean gradient")
    beta2: float = Field(0.999, ge=0, lt=1, title="β₂", description="Adam: decay of the squared gradient")
    momentum: float = Field(0.0, ge=0, lt=1, description="SGD, RMSProp: momentum")
    lr_schedule: Literal["constant", "late_linear", "linear", "cosine", "late"] = Field(
        "constant",
        title="learning rate over the run",
        description="How the learning rate goes from the first round to the last; late is exponential in the second half, late "
        "linear constant for six tenths of the rounds",
    )
    lr_final: float = Field(
        0.0,
        ge=0,
        le=1,
        title="share of it left at the end",
        description="Share of the learning rate that is left in the last round",
    )
    clip_gradient: float | None = Field(
        None,
        gt=0,
        le=1e6,
        title="clip the gradient's norm to",
        description="Scale a gradient whose norm is larger than this down to it",
    )


class Network(Part):
    """Layers: their family, their sizes, and what stands between them."""

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
        False,
        title="self-attention",
        description="Self-attention on the feature maps (SAGAN): every place sees every other; not for an MLP",
    )
    spectral_norm: bool = Field(
        False, title="spectral normalisation", description="Divide each weight by its largest singular value"
    )
    spectral_gain: float = Field(
        1.0,
        gt=0,
        le=100,
        title="gain of spectral normalisation",
        description="Largest singular value of a layer under spectral norm",
    )


class Schedule(Part):
    rounds: int = Field(4000, ge=1, le=MOST_ROUNDS, description="In one round every player has moved")
    seconds: float | None = Field(
        None,
        gt=0,
        le=1e7,
        title="end after … seconds of training",
        description="Seconds of training after which it ends, where its rounds do not end it before",
    )
    checkpoint_seconds: float = Field(
        30.0, ge=1, le=86400, title="seconds between checkpoints", description="Seconds of training between checkpoints"
    )


class Diagnostics(Part):
    every: int = Field(
        100, ge=1, le=1_000_000, title="measure every … rounds", description="Rounds between two measurements"
    )
    samples: int = Field(
        500, ge=16, le=50_000, title="samples per measurement", description="Generated samples per measurement"
    )
    grid: int = Field(
        64,
        ge=1,
        le=400,
        title="samples in the picture",
        description="Samples in the picture, from noise that never changes",
    )
    budget: float = Field(
        0.04,
        ge=0,
        le=1,
        title="share of time for measuring",
        description="Share of training time that measuring may take",
    )
    pause_on: tuple[Alarm, ...] = Field(
        (), title="pause when it is", description="Pause by itself as soon as the verdict becomes one of these"
    )

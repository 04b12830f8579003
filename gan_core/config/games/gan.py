"""The settings of the GAN: its two networks, what they are trained for, how they move, and its tricks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from gan_core.about import About
from gan_core.config.fields import EmaDecay, Network, Optimizer, Part, Schedule
from gan_core.config.gan.published import before_recipe, with_recipe
from gan_core.config.schema import RunConfig


class Generator(Network):
    upsampling: Literal["transposed", "nearest", "bilinear"] = Field(
        "transposed", description="Convolutional G: transposed convolution, or upsample then convolve"
    )


class Discriminator(Network):
    output: Literal["logit", "reconstruction"] = Field(
        "logit",
        title="D gives",
        description="A logit, or minus the reconstruction error of an autoencoder (EBGAN, BEGAN)",
    )
    code_dim: int = Field(
        64, ge=1, le=4096, title="length of the code", description="Length of the code between encoder and decoder"
    )
    packing: int = Field(
        1,
        ge=1,
        le=4096,
        title="packing (samples judged as one)",
        description="Samples that D judges together, as one (PacGAN: 2 to 4; a whole batch is possible)",
    )
    summary: Literal["none", "squared_differences", "moments"] = Field(
        "none",
        title="of a pack D is told",
        description="What D is told of a pack: its samples, these and their squared differences from their mean, or only "
        "mean, standard deviation, skewness and kurtosis",
    )
    minibatch_stddev: int = Field(
        0,
        ge=0,
        le=64,
        title="minibatch standard deviation: group",
        description="Show D how much samples differ, in groups of so many (ProGAN: 4); 0 is off",
    )
    minibatch_kernels: int = Field(
        0,
        ge=0,
        le=512,
        title="minibatch discrimination: kernels",
        description="Minibatch discrimination: numbers that tell D how close samples lie; 0 is off",
    )
    minibatch_dims: int = Field(
        5,
        ge=1,
        le=64,
        title="minibatch discrimination: dims",
        description="Dimensions in which each kernel compares samples",
    )


class Model(Part):
    latent_dim: int = Field(
        64, ge=1, le=4096, title="latent_dim (length of z)", description="Length of the noise vector z"
    )
    latent: Literal["normal", "uniform"] = Field(
        "normal", title="z comes from", description="z ~ N(0, 1) or U(−1, 1) per component"
    )
    initialization: Literal["torch", "dcgan", "orthogonal"] = Field("torch", description="How the weights begin")
    condition: Literal["none", "concatenation", "spelled", "embedding", "projection", "ac_gan"] = Field(
        "none",
        title="condition (on the class y)",
        description="How G and D are told the class y of a sample; the data must have labels, and for spelled those of parts",
    )
    embedding_dim: int = Field(
        16,
        ge=1,
        le=1024,
        title="length of a class's vector",
        description="Length of the learned vector of a class, beside z",
    )
    class_weight: float = Field(
        1.0,
        gt=0,
        le=1000,
        title="weight of the classification error",
        description="AC-GAN: weight of the classification error in D's and in G's loss",
    )
    channels_last: bool = Field(
        False,
        title="channels last in memory",
        description="How convolutions keep pictures in memory: all channels of a pixel side by side. The same network, other "
        "rounding; on processors a round takes a tenth less (docs/results/memory_format.md)",
    )
    generator: Generator = Field(default_factory=Generator, title="G")
    discriminator: Discriminator = Field(default_factory=Discriminator, title="D")


class Objective(Part):
    name: str = Field("ns_gan", max_length=80, description="The published recipe that the values start from")
    loss: str = Field("non_saturating", max_length=80, description="The pair of losses of D and G")
    penalties: dict[str, Annotated[float, Field(ge=0, le=1e6)]] = Field(
        default_factory=dict, description="Regularisers added to D's loss, each with its weight λ"
    )
    clip_value: float | None = Field(
        None, gt=0, le=100, title="clip D's weights to ±", description="Clip D's weights to ±this after each step"
    )
    options: dict[str, Annotated[float, Field(ge=-1e6, le=1e6)]] = Field(
        default_factory=dict, description="What this loss lets you choose"
    )

    @field_validator("penalties")
    @classmethod
    def _zero_weight_is_off(cls, penalties: dict[str, float]) -> dict[str, float]:
        return {name: weight for name, weight in penalties.items() if weight > 0}


class Optimizers(Part):
    generator: Optimizer = Field(default_factory=Optimizer, title="G")
    discriminator: Optimizer = Field(default_factory=Optimizer, title="D")


class Tricks(Part):
    """What combines with any objective and belongs to no single network."""

    label_smoothing: float = Field(
        0.0,
        ge=0,
        le=0.5,
        title="one-sided label smoothing",
        description="D's target for real data is 1 minus this; the one for generated stays 0",
    )
    label_flipping: float = Field(
        0.0,
        ge=0,
        le=0.5,
        title="label flipping",
        description="Share of pairs whose labels, real and generated, D sees swapped",
    )
    instance_noise: float = Field(
        0.0,
        ge=0,
        le=10,
        title="instance noise σ₀",
        description="Standard deviation of the noise on all that D sees, in the first round; 0 is off",
    )
    instance_noise_rounds: int = Field(
        2000,
        ge=1,
        le=100_000_000,
        title="instance noise gone after … rounds",
        description="Rounds in which the instance noise fades linearly to nothing",
    )
    feature_matching: Literal["off", "added", "instead"] = Field(
        "off", description="G matches the mean of D's last features, beside its adversarial loss or instead of it"
    )
    unrolled_steps: int = Field(
        0,
        ge=0,
        le=20,
        title="unrolled D: steps looked ahead",
        description="D steps that G looks ahead and differentiates through; 0 is off",
    )
    ema_decay: EmaDecay = 0.0
    ema_warm_up: bool = Field(
        False,
        title="moving average of G: warm-up",
        description="The average follows faster at first: decay (1 + t)/(10 + t) in round t, until it is the one above",
    )
    augment: Literal["off", "translation", "translation+cutout", "colour+translation+cutout"] = Field(
        "off",
        title="augment what D sees",
        description="How pictures are changed before D sees them, real and generated ones alike (DiffAugment)",
    )
    augment_share: float = Field(
        1.0,
        ge=0,
        le=1,
        title="share of augmented pictures",
        description="Probability of each change for each picture; adaptive augmentation sets it by itself",
    )
    augment_target: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="adaptive share: target of E sign D(x)",
        description="Share of real pictures known by D, E sign D(x), that it is held at (ADA: 0.6); 0 is off",
    )
    augment_images: int = Field(
        20_000,
        ge=100,
        le=10**9,
        title="adaptive share: pictures from 0 to 1",
        description="Real pictures in which the adaptive probability can go from 0 to 1",
    )
    penalty_interval: int = Field(
        1,
        ge=1,
        le=1000,
        title="penalties in every … D step",
        description="Penalties in every k-th D step only, k times as strong (lazy regularisation: 16)",
    )


class Turns(Schedule):
    """A schedule with the steps that each player takes in a round."""

    n_critic: int = Field(
        1, ge=1, le=1000, title="D steps per round (n_critic)", description="D steps per round (k of Algorithm 1)"
    )
    generator_steps: int = Field(1, ge=1, le=1000, title="G steps per round", description="G steps per round")


class GanConfig(RunConfig):
    """A GAN. Naming an objective brings the whole published recipe (`gan_core.config.gan.published`)."""

    ABOUT: ClassVar[About] = About(
        title="Generative adversarial network",
        paper="Goodfellow et al., Generative Adversarial Nets, algorithm 1",
        year=2014,
        formula=r"\min_G \max_D\; \mathbb{E}\log D(x) + \mathbb{E}\log(1 - D(G(z)))",
        idea="D learns to tell real samples from generated ones, G to make samples that D takes for real. Every named "
        "objective plays this game with a loss of its own.",
        watch_for="Neither loss says how good the samples are: each is measured against the other player as it is just now.",
        url="https://arxiv.org/abs/1406.2661",
    )
    ROLES: ClassVar[Mapping[str, str]] = {"G": "model.generator", "D": "model.discriminator"}
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "D": ("optimizers.discriminator", "schedule.n_critic"),
        "G": ("optimizers.generator", "schedule.generator_steps"),
    }

    game: Literal["gan"] = Field("gan", description="Who plays, and for what")
    model: Model = Field(default_factory=Model)
    objective: Objective = Field(default_factory=Objective)
    tricks: Tricks = Field(default_factory=Tricks)
    optimizers: Optimizers = Field(default_factory=Optimizers)
    schedule: Turns = Field(default_factory=Turns)

    @classmethod
    def completed(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return with_recipe(values)

    @classmethod
    def before_change(cls, settings: dict[str, Any], path: str, value: Any) -> tuple[str, Any]:
        return before_recipe(settings, path, value)

    @property
    def recipe(self) -> str:
        return self.objective.name

    @property
    def title(self) -> str:
        return f"{self.objective.name} · {self.model.generator.architecture}"

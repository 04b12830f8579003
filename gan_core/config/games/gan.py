"""The settings of the GAN: its two networks, what they are trained for, how they move, and its tricks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from gan_core.config.fields import MOST_ROUNDS, Optimizer, Part, Width


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
    generator: Generator = Field(default_factory=Generator)
    discriminator: Discriminator = Field(default_factory=Discriminator)


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


class Optimizers(Part):
    generator: Optimizer = Field(default_factory=Optimizer)
    discriminator: Optimizer = Field(default_factory=Optimizer)


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


NETWORKS = {"G": "model.generator", "D": "model.discriminator"}
"""The settings of each network, by its role."""
SEATS = {
    "D": ("optimizers.discriminator", "schedule.n_critic"),
    "G": ("optimizers.generator", "schedule.generator_steps"),
}
"""The settings of each player in the order in which they move: its optimiser and its steps per round.

The first is the one that sees the data."""

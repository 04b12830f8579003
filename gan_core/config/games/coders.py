"""Settings that the games with a code have in common: an encoder, a decoder, and the optimiser that moves both."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gan_core.config.fields import Network, Optimizer, Part


class Decoder(Network):
    upsampling: Literal["transposed", "nearest", "bilinear"] = Field(
        "transposed", description="Convolutional decoder: transposed convolution, or upsample then convolve"
    )


class Coders(Part):
    """An encoder and a decoder with a code between them; both are ReLU networks unless they are told otherwise."""

    code_dim: int = Field(16, ge=1, le=4096, title="length of the code", description="Length of the code z")
    initialization: Literal["torch", "dcgan", "orthogonal"] = Field("torch", description="How the weights begin")
    encoder: Network = Field(default_factory=lambda: Network(activation="relu"))
    decoder: Decoder = Field(default_factory=lambda: Decoder(activation="relu"))


class DecayingOptimizer(Optimizer):
    """The optimiser of a minimisation: Adam's own decay of 0.9, where players of a GAN take 0.5."""

    lr: float = Field(1e-3, gt=0, le=10, title="learning rate", description="Learning rate")
    beta1: float = Field(0.9, ge=0, lt=1, title="β₁", description="Adam: decay of the mean gradient")
    weight_decay: float = Field(0.0, ge=0, le=1, description="Share of each weight that is added to its gradient (L2)")

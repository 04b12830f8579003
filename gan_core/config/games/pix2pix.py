"""The settings of the game from picture to picture: how pairs are made, a generator, a patch discriminator, and two terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gan_core.about import About
from gan_core.config.fields import Data, EmaDecay, Network, Optimizer, Part, Width
from gan_core.config.schema import RunConfig

DegradationName = Literal[
    "half", "scratched", "skeleton", "outline", "half_size", "quarter_size", "blurred", "shadowed", "noisy", "grey"
]
"""The names of `gan_core.data.DEGRADATIONS`."""


class Unet(Network):
    architecture: Literal["unet"] = Field("unet", description="The family of network")
    widths: tuple[Width, ...] = Field(
        (16, 32, 64), min_length=1, max_length=8, description="Channels of each level; each halves the picture"
    )
    normalization: Literal["none", "batch", "layer", "instance"] = Field(
        "batch", description="What keeps the activations in range"
    )


class Translator(Unet):
    architecture: Literal["unet", "srresnet"] = Field(  # type: ignore[assignment]
        "unet",
        description="A U-Net, or for super-resolution residual blocks at the coarse size, a block per width, over the bicubic "
        "enlargement",
    )


class PatchDiscriminator(Network):
    architecture: Literal["patchgan"] = Field("patchgan", description="The family of network")
    widths: tuple[Width, ...] = Field(
        (16, 32, 64),
        min_length=1,
        max_length=8,
        description="Channels of each layer; all but the last halve the map, so one, two, three, four of them see 7, 16, 34, "
        "70 pixels a side",
    )
    normalization: Literal["none", "batch", "layer", "instance"] = Field(
        "batch", description="What keeps the activations in range"
    )
    sees_input: bool = Field(
        True, description="D sees the input beside the output; without it an output need not belong to its input"
    )


class Translators(Part):
    """A generator from picture to picture, and a discriminator of pairs."""

    initialization: Literal["torch", "dcgan", "orthogonal"] = Field("dcgan", description="How the weights begin")
    generator: Translator = Field(default_factory=Translator, title="G")
    discriminator: PatchDiscriminator = Field(default_factory=PatchDiscriminator, title="D")


class Translation(Part):
    degradation: DegradationName = Field(
        "half", description="What makes the input of each pair out of its target, a picture of the data"
    )
    distance: Literal["l1", "l2"] = Field(
        "l1",
        description="Mean absolute or mean squared error of a pixel from −1 to 1: least at the median, or at the mean, of all "
        "targets of an input",
    )
    distance_weight: float = Field(
        100.0,
        ge=0,
        le=1e4,
        title="λ of the distance",
        description="λ, the weight of the distance in G's loss; 0 is the adversarial term alone",
    )
    adversarial_weight: float = Field(
        1.0,
        ge=0,
        le=1e4,
        title="weight of the adversarial term",
        description="Weight of the adversarial term in G's loss; with 0 D stands still",
    )


class TranslatorTricks(Part):
    ema_decay: EmaDecay = 0.0


class TranslatorOptimizers(Part):
    generator: Optimizer = Field(default_factory=lambda: Optimizer(lr=1e-3), title="G")
    discriminator: Optimizer = Field(default_factory=lambda: Optimizer(lr=1e-3), title="D")


class Pix2pixConfig(RunConfig):
    ABOUT: ClassVar[About] = About(
        title="pix2pix",
        paper="Isola et al., Image-to-Image Translation with Conditional Adversarial Networks",
        year=2017,
        formula=r"\min_G \max_D\; \mathbb{E}\log D(a, b) + \mathbb{E}\log(1 - D(a, G(a))) + \lambda\,\mathbb{E}\lVert b - G(a)"
        r" \rVert_1",
        idea="A U-Net makes a picture b of a picture a. The distance asks for the right answer, pixel by pixel; D sees a and b "
        "together, patch by patch, and asks for an answer that looks like one.",
        watch_for="Grey where several answers fit, with the distance alone; sharp strokes of the wrong digit, with D alone. "
        "Where a says all of b, the nearest training picture is the rival to beat, and D adds little.",
        url="https://arxiv.org/abs/1611.07004",
    )
    ROLES: ClassVar[Mapping[str, str]] = {"G": "model.generator", "D": "model.discriminator"}
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "D": ("optimizers.discriminator", ""),
        "G": ("optimizers.generator", ""),
    }

    game: Literal["pix2pix"] = Field("pix2pix", description="Who plays, and for what")
    data: Data = Field(default_factory=lambda: Data(name="mnist5k", batch_size=16))
    model: Translators = Field(default_factory=Translators)
    translation: Translation = Field(default_factory=Translation)
    tricks: TranslatorTricks = Field(default_factory=TranslatorTricks)
    optimizers: TranslatorOptimizers = Field(default_factory=TranslatorOptimizers)

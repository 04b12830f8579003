"""The settings of a CycleGAN: two kinds of data without pairs, a translator each way, a discriminator of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gan_core.about import About
from gan_core.config.fields import Data, Diagnostics, Network, Optimizer, OptionValue, Part, Schedule, Width
from gan_core.config.schema import RunConfig

MOST_POOLED = 1000


class Domain(Part):
    name: str = Field("mnist5k", max_length=80, description="The other data, B; A is the data of the run")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="What this data set lets you choose")


class UnpairedTranslator(Network):
    architecture: Literal["unet", "mlp"] = Field("unet", description="U-Nets for pictures, MLPs for points")
    widths: tuple[Width, ...] = Field(
        (16, 32), min_length=1, max_length=8, description="Channels of each level, of an MLP units of each layer"
    )
    normalization: Literal["none", "batch", "layer", "instance"] = Field(
        "instance", description="What keeps the activations in range"
    )


class DomainDiscriminator(Network):
    architecture: Literal["patchgan", "mlp"] = Field(
        "patchgan", description="The family of network: patches for pictures, MLPs for points"
    )
    widths: tuple[Width, ...] = Field(
        (16, 32, 64),
        min_length=1,
        max_length=8,
        description="Channels of each layer; all but the last halve the map. Of an MLP units of each layer",
    )
    normalization: Literal["none", "batch", "layer", "instance"] = Field(
        "instance", description="What keeps the activations in range"
    )


class Cyclists(Part):
    """Two translators of one form, and two discriminators of one form."""

    initialization: Literal["torch", "dcgan", "orthogonal"] = Field("dcgan", description="How the weights begin")
    generator: UnpairedTranslator = Field(default_factory=UnpairedTranslator, title="G")
    discriminator: DomainDiscriminator = Field(default_factory=DomainDiscriminator, title="D")


class Cycle(Part):
    cycle_weight: float = Field(
        10.0, ge=0, le=1e4, title="λ of the cycle", description="λ, the weight of what a cycle loses; 0 is D alone"
    )
    identity_weight: float = Field(
        0.0,
        ge=0,
        le=100,
        title="λ_id, in units of λ",
        description="λ_id, in units of λ: G leaves as it is what is of B already, and F what is of A; only where both are of "
        "one shape",
    )
    adversarial_weight: float = Field(
        1.0,
        ge=0,
        le=1e4,
        title="weight of the adversarial terms",
        description="Weight of the adversarial terms of G and F; with 0 both D stand still",
    )
    pool: int = Field(
        50,
        ge=0,
        le=MOST_POOLED,
        title="outputs that D is shown again (pool)",
        description="Outputs that each D is shown again later, mixed with new ones; 0 is none",
    )


class CycleOptimizers(Part):
    generator: Optimizer = Field(default_factory=lambda: Optimizer(lr=1e-3, lr_schedule="late_linear"), title="G")
    discriminator: Optimizer = Field(default_factory=lambda: Optimizer(lr=1e-3, lr_schedule="late_linear"), title="D")


class CycleganConfig(RunConfig):
    ABOUT: ClassVar[About] = About(
        title="CycleGAN",
        paper="Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
        year=2017,
        formula=r"\begin{aligned}\min_{G, F}\;&\mathbb{E}(D_B(G(a)) - 1)^2 + \mathbb{E}(D_A(F(b)) - 1)^2\\"
        r"&+ \lambda\,\mathbb{E}\lVert F(G(a)) - a \rVert_1 + \lambda\,\mathbb{E}\lVert G(F(b)) - b \rVert_1\\"
        r"&+ \lambda\lambda_{id}\,(\mathbb{E}\lVert G(b) - b \rVert_1 + \mathbb{E}\lVert F(a) - a \rVert_1)\end{aligned}",
        idea="Nobody says which b belongs to which a. G makes of an a what D_B takes for a b, F goes back, and what was put in "
        "has to come out again.",
        watch_for="A perfect cycle says that nothing is lost, not that the map is right: classes may be exchanged, and what "
        "cannot be seen may be hidden there by one translator for the other.",
        url="https://arxiv.org/abs/1703.10593",
    )
    ROLES: ClassVar[Mapping[str, str]] = {
        "G": "model.generator",
        "F": "model.generator",
        "D_A": "model.discriminator",
        "D_B": "model.discriminator",
    }
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "D_A": ("optimizers.discriminator", ""),
        "D_B": ("optimizers.discriminator", ""),
        "GF": ("optimizers.generator", ""),
    }

    game: Literal["cyclegan"] = Field("cyclegan", description="Who plays, and for what")
    data: Data = Field(default_factory=lambda: Data(name="digits8_framed", batch_size=8))
    domain_b: Domain = Field(default_factory=Domain)
    model: Cyclists = Field(default_factory=Cyclists)
    cycle: Cycle = Field(default_factory=Cycle)
    optimizers: CycleOptimizers = Field(default_factory=CycleOptimizers)
    schedule: Schedule = Field(default_factory=lambda: Schedule(rounds=400))
    diagnostics: Diagnostics = Field(default_factory=lambda: Diagnostics(every=25))

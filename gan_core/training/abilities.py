"""What a game can do besides being trained, each a protocol: what looks at a game asks for the ability, never for a network.

x are samples (n, *shape) in network units, z noise (n, latent_dim), y labels (n,) of a game with classes. Each call leaves the
game as it was.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Samples(Protocol):
    """Makes samples of noise; the declaration's ``latent`` draws it."""

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """x̂ (n, *shape)."""
        ...


@runtime_checkable
class Judges(Protocol):
    """Has an opinion of samples: a probability of being real, or a score."""

    packing: int
    """How many samples are judged as one."""

    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """(n,); where packs are judged, that of packs of equal samples."""
        ...

    def judge_packs(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """(n,) for packs of samples in a row, (n · packing, *shape)."""
        ...


@runtime_checkable
class Pushes(Protocol):
    """Says where its loss pushes a generated sample."""

    def pull(self, x_fake: Tensor, x_real: Tensor) -> Tensor | None:
        """−∂L/∂x̂ for each sample, (n, *shape); None where it is not defined."""
        ...


@runtime_checkable
class Encodes(Protocol):
    """Has a code for a sample."""

    def encode(self, x: Tensor) -> Tensor:
        """(n, code_dim)."""
        ...


@runtime_checkable
class Categorises(Protocol):
    """Says which category of its prior a sample is of (`gan_core.training.latent.Categorical`)."""

    def categorise(self, x: Tensor) -> Tensor:
        """Probabilities (n, categories)."""
        ...


@runtime_checkable
class EncodesToGaussians(Encodes, Protocol):
    """Has a Gaussian of codes for a sample, of which ``encode`` is the mean."""

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ², (n, code_dim) each."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """Makes a sample again from what it keeps of it."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """x̂ (n, *shape)."""
        ...


@runtime_checkable
class Decodes(Protocol):
    """Makes a sample of a code that is given, whether or not it has a prior to draw codes from."""

    def decode(self, z: Tensor) -> Tensor:
        """x̂ (n, *shape) for codes (n, code_dim)."""
        ...


@runtime_checkable
class Translates(Protocol):
    """Makes a sample of one kind from a sample of another."""

    def translate(self, x: Tensor) -> Tensor:
        """(n, *shape of the other kind)."""
        ...


@runtime_checkable
class Degrades(Protocol):
    """Makes the inputs of its pairs out of their targets, by the degradation of this name in ``DEGRADATIONS``."""

    @property
    def degradation(self) -> str: ...


@runtime_checkable
class TranslatesBack(Translates, Protocol):
    """Makes a sample of the first kind from one of the other, too."""

    def translate_back(self, x: Tensor) -> Tensor:
        """(n, *shape of the first kind) for x of the other kind."""
        ...


@runtime_checkable
class Climbs(Protocol):
    """Makes a sample level by level, from a small picture to a large one."""

    def climb(self, z: Tensor, y: Tensor | None = None, *, real: Tensor | None = None, level: int = 0) -> list[Tensor]:
        """The pictures (n, C, height, width) of each level from ``level`` on, the largest last: of z alone, or from real
        pictures (n, *shape) made as small as that level's.
        """
        ...


ABILITIES: dict[str, type] = {
    "sample": Samples,
    "judge": Judges,
    "push": Pushes,
    "encode": Encodes,
    "categorise": Categorises,
    "reconstruct": Reconstructs,
    "translate": Translates,
    "translate_back": TranslatesBack,
    "climb": Climbs,
}
"""By the names that a declaration uses."""

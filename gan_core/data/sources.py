"""What a data set is: images held as one tensor, or a distribution that can be sampled and has a density."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from scipy.spatial.distance import cdist
from torch import Tensor

SMALLEST_JUDGED = 8  # pixels a side; the classifier halves its picture three times
DENSITY_CELLS = 4_000_000  # numbers held at once while a density is computed, 32 MB


@dataclass(frozen=True)
class Batch:
    """``x`` (N, *shape) float32; ``y`` (N,) int64 labels, or None where there are none; ``given`` (N, *shape) the inputs
    of data of pairs, whose targets ``x`` are; ``index`` (N,) which of the training images x are, None of what is drawn anew."""

    x: Tensor
    y: Tensor | None = None
    given: Tensor | None = None
    index: Tensor | None = None


@dataclass(frozen=True)
class Factors:
    """What images were made of: ``table`` (N, F) has the value of each factor, 0 to its size less 1; ``names`` and ``sizes``
    are by factor. Of the values of a ``kind`` none is larger than another, nor of those that come ``round``, such as angles.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    kinds: tuple[Literal["ordered", "kind", "round"], ...]
    table: Tensor


@dataclass(frozen=True)
class ImageSource:
    """Decoded images: ``x`` uint8 (N, C, H, W), ``y`` int64 (N,) or None.

    Training and held-out images are disjoint: ``train_index`` is what a GAN and the classifier may see,
    ``heldout_index`` is what their measurements compare with. ``fingerprint`` is a hash of the content. ``factors`` are known
    of images that were made from them. Of pairs that somebody brought ``x`` are the targets, and ``inputs`` uint8 (N, C, H, W)
    what belongs to each. ``masks`` bool (N, H, W) is where pictures are damaged, where somebody said so.
    """

    name: str
    x: Tensor
    y: Tensor | None
    class_names: tuple[str, ...]
    train_index: Tensor
    heldout_index: Tensor
    fingerprint: str
    factors: Factors | None = None
    inputs: Tensor | None = None
    masks: Tensor | None = None

    @property
    def of_inputs(self) -> ImageSource:
        """The same data with the inputs of its pairs in place of the targets. Raises ValueError where it has none."""
        if self.inputs is None:
            raise ValueError("this data has no pairs of its own")
        return replace(self, x=self.inputs, inputs=None)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.x.shape[1:])

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def labels(self, n: int, generator: torch.Generator) -> Tensor:
        """Labels (n,) of training images drawn at random. Raises ValueError where there are none."""
        if self.y is None:
            raise ValueError("this data has no labels")
        drawn = torch.randint(len(self.train_index), (n,), generator=generator, device=generator.device)
        return self.y[self.train_index[drawn.to(self.train_index.device)]]

    @property
    def judged(self) -> ImageSource | None:
        """The labelled images whose frozen classifier can judge samples of this data; None where there are none."""
        can = self.y is not None and self.num_classes >= 2 and min(self.shape[1:]) >= SMALLEST_JUDGED
        return self if can and self._has_all_classes_to_learn else None

    @property
    def _has_all_classes_to_learn(self) -> bool:
        """Where classes are anomalies, none of them is there in training."""
        return self.y is not None and len(self.y[self.train_index].unique()) >= min(2, self.num_classes)


@dataclass(frozen=True)
class StackedSource:
    """Three images of ``base`` as the red, green and blue channel of one, put together as they are drawn.

    With ten classes there are 1,000 modes, all known: the label is 100a + 10b + c, red first. Labels of ``never_shown`` are
    of no training sample, though of held-out ones.
    """

    COUNT: ClassVar[int] = 3
    name: str
    base: ImageSource
    never_shown: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.COUNT, *self.base.shape[1:])

    @property
    def num_classes(self) -> int:
        return self.base.num_classes**self.COUNT

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple("".join(names) for names in product(self.base.class_names, repeat=self.COUNT))

    @property
    def judged(self) -> ImageSource:
        """Each of the images is judged by the classifier of ``base``."""
        return self.base

    def together(self, x: Tensor) -> Tensor:
        """Images of ``base`` (n, COUNT, 1, H, W) as one each, (n, *shape)."""
        return x[:, :, 0]

    def apart(self, x: Tensor) -> Tensor:
        """The inverse of ``together``: (n, *shape) to (n, COUNT, 1, H, W)."""
        return x[:, :, None]

    def sample(self, n: int, generator: torch.Generator, *, heldout: bool = False) -> tuple[Tensor, Tensor]:
        """``n`` samples: uint8 (n, *shape) and labels (n,), from the training images or from the held-out ones."""
        chosen = self._held_out(n, generator) if heldout else self._shown(n, generator)
        return self.together(self.base.x[chosen]), self._label_at(chosen)

    def labels(self, n: int, generator: torch.Generator) -> Tensor:
        """Labels (n,) as of ``n`` training samples."""
        return self._label_at(self._shown(n, generator))

    def asked(self, n: int, generator: torch.Generator) -> Tensor:
        """Labels (n,) that a conditional game is asked for where it is measured: also those that were never shown."""
        return self._label_at(self._drawn(n, generator, self.base.train_index))

    def _held_out(self, n: int, generator: torch.Generator) -> Tensor:
        return self._drawn(n, generator, self.base.heldout_index)

    def _shown(self, n: int, generator: torch.Generator) -> Tensor:
        chosen = self._drawn(n, generator, self.base.train_index)
        if self.never_shown:
            never = torch.tensor(self.never_shown, device=chosen.device)
            while len(again := torch.isin(self._label_at(chosen), never).nonzero()[:, 0]):
                chosen[again] = self._drawn(len(again), generator, self.base.train_index)
        return chosen

    def _drawn(self, n: int, generator: torch.Generator, index: Tensor) -> Tensor:
        drawn = torch.randint(len(index), (n, self.COUNT), generator=generator, device=generator.device)
        return index[drawn.to(index.device)]

    def _label_at(self, chosen: Tensor) -> Tensor:
        assert self.base.y is not None
        return self.label_of(self.base.y[chosen])

    def on(self, device: torch.device) -> Self:
        """The same with its images on ``device``."""
        base = self.base
        assert base.y is not None
        moved = replace(base, x=base.x.to(device), y=base.y.to(device), train_index=base.train_index.to(device))
        return replace(self, base=moved)

    def label_of(self, digits: Tensor) -> Tensor:
        """Class indices (n, COUNT) of the images to the label (n,) of what is made of them."""
        label = digits[:, 0]
        for place in range(1, self.COUNT):
            label = label * self.base.num_classes + digits[:, place]
        return label


class SideBySideSource(StackedSource):
    """Two images of ``base`` side by side, (C, H, 2W), put together as they are drawn: the label is 10a + b, left first."""

    COUNT: ClassVar[int] = 2

    @property
    def shape(self) -> tuple[int, ...]:
        channels, height, width = self.base.shape
        return channels, height, self.COUNT * width

    def together(self, x: Tensor) -> Tensor:
        return torch.cat(x.unbind(1), dim=-1)

    def apart(self, x: Tensor) -> Tensor:
        return torch.stack(x.chunk(self.COUNT, dim=-1), dim=1)


@dataclass(frozen=True)
class MixtureSource:
    """A mixture of isotropic Gaussians on a line or a plane, moved and scaled for the network.

    ``centers`` (K, d), ``std`` (K,), ``weights`` (K,), all in data units. Networks see (x − offset) / scale.
    Where there are ``units``, each axis has a unit of its own: a Gaussian is isotropic in (x − offset) / units, where
    ``std`` is measured, and networks see that over ``scale``. ``axes`` are the names of the axes, where they have any.
    Where ``has_modes`` is false the Gaussians are only a way to write a smooth density (a curve, a cloud of given points):
    there is nothing to count.
    """

    name: str
    centers: np.ndarray
    std: np.ndarray
    weights: np.ndarray
    scale: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)
    offset: tuple[float, ...] = ()
    has_modes: bool = True
    units: tuple[float, ...] = ()
    axes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.centers.shape[1],)

    @property
    def num_modes(self) -> int:
        """How many modes can be counted; 0 where none are known."""
        return len(self.centers) if self.has_modes else 0

    @property
    def judged(self) -> None:
        """Points need no classifier."""
        return None

    def to_network(self, points: np.ndarray) -> np.ndarray:
        """Points (n, d) from data units to what networks see."""
        if self.units:
            return self.standardised(points) / self.scale
        return (np.asarray(points, np.float64) - (self.offset or 0.0)) / self.scale

    def to_data(self, points: np.ndarray) -> np.ndarray:
        """Points (n, d) from what networks see to data units; the inverse of ``to_network``."""
        if self.units:
            return np.asarray(points, np.float64) * self.scale * self.units + self.offset
        return np.asarray(points, np.float64) * self.scale + (self.offset or 0.0)

    def moved(self, shifts: np.ndarray) -> np.ndarray:
        """Differences of points (n, d) from network units to data units: the place of the data drops out."""
        return np.asarray(shifts, np.float64) * self.scale * (self.units or 1.0)

    def standardised(self, points: np.ndarray) -> np.ndarray:
        """Points (n, d) in data units as they are measured: per axis in its own unit, where the axes have any."""
        points = np.asarray(points, np.float64)
        return (points - self.offset) / self.units if self.units else points

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """``n`` points in network units, (n, d) float32, on the generator's device."""
        device = generator.device
        weights = torch.as_tensor(self.weights, dtype=torch.float32, device=device)
        mode = torch.multinomial(weights, n, replacement=True, generator=generator)
        # In their own units float32 holds centers however far from 0, and however small, the data are.
        centers = torch.as_tensor(self.standardised(self.centers), dtype=torch.float32, device=device)
        std = torch.as_tensor(self.std, dtype=torch.float32, device=device)
        noise = torch.randn(n, self.centers.shape[1], generator=generator, device=device)
        x = centers[mode] + std[mode, None] * noise
        if self.offset and not self.units:
            x = x - torch.tensor(self.offset, dtype=torch.float32, device=device)
        return x / self.scale

    def density(self, points: np.ndarray) -> np.ndarray:
        """p(x) at ``points`` (n, d) in data units, (n,)."""
        points, centers = self.standardised(points), self.standardised(self.centers)
        d = self.centers.shape[1]
        peak = self.weights / (2 * np.pi * self.std**2) ** (d / 2) / np.prod(self.units or 1.0)
        rows = max(1, DENSITY_CELLS // len(self.centers))
        return np.concatenate(
            [
                np.exp(-cdist(part, centers, "sqeuclidean") / (2 * self.std**2)) @ peak
                for part in np.split(points, range(rows, len(points), rows))
            ]
        )

    def extent(self, margin: float = 0.25) -> tuple[tuple[float, float], ...]:
        """The range to draw per dimension, data units: all modes ± 4 standard deviations, and a margin.

        As long on every axis, so that a circle is one; axes with units of their own have a length of their own.
        """
        reach = 4 * self.std[:, None] * (self.units or 1.0)
        low, high = (self.centers - reach).min(0), (self.centers + reach).max(0)
        sides = high - low if self.units else np.full(len(low), (high - low).max())
        middle = (low + high) / 2
        lengths = sides * (0.5 + margin)
        return tuple((float(m - length), float(m + length)) for m, length in zip(middle, lengths, strict=True))


Source = ImageSource | StackedSource | MixtureSource


def label_count(source: Source) -> int:
    """K where every sample comes with its class y in 0 … K − 1; 0 where samples come alone."""
    if isinstance(source, MixtureSource) or (isinstance(source, ImageSource) and source.y is None):
        return 0
    return source.num_classes


def label_parts(source: Source) -> tuple[int, ...]:
    """Of how many classes each part of a label is: those of the images that a sample is made of, (K,) where it is made of none,
    () where samples come alone. A label has its parts as digits, the first weighing most."""
    if isinstance(source, StackedSource):
        return (source.base.num_classes,) * source.COUNT
    return (label_count(source),) if label_count(source) else ()


Progress = Callable[[float, str], None]

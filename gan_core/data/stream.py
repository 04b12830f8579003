"""Batch streams: an endless sequence of batches that is a function of the seed, and its position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from gan_core.data.images import to_unit
from gan_core.data.sources import Batch, ImageSource, MixtureSource, Source, StackedSource

GeneratorFor = Callable[..., torch.Generator]


class BatchStream(Protocol):
    batch_size: int  # may be changed between batches

    def next(self) -> Batch: ...
    def labels(self, n: int, generator: torch.Generator) -> Tensor:
        """Labels (n,) int64, distributed as those of the batches; drawn from ``generator``, the stream stays where it is."""
        ...

    def state(self) -> dict[str, Tensor | int]: ...
    def restore(self, state: dict[str, Tensor | int]) -> None: ...


class ImageStream:
    """Shuffled epochs over the training images, held on the device; no per-sample Python.

    The order of epoch e is a function of (seed, e), and the position is one integer: resuming is exact and costs nothing.
    Every batch is full; one that would cross the end of an epoch goes on in the next.
    """

    def __init__(self, source: ImageSource, batch_size: int, generator_for: GeneratorFor, device: torch.device) -> None:
        self._x = source.x[source.train_index].to(device)
        self._given = None if source.inputs is None else source.inputs[source.train_index].to(device)
        self._y = None if source.y is None else source.y[source.train_index].to(device)
        self.batch_size = batch_size
        self._generator_for = generator_for
        self._position = 0
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def next(self) -> Batch:
        size, n = self.batch_size, len(self._x)
        index = []
        while size:
            epoch, offset = divmod(self._position, n)
            part = self._order_of(epoch)[offset : offset + size]
            index.append(part)
            size -= len(part)
            self._position += len(part)
        chosen = index[0] if len(index) == 1 else torch.cat(index)
        # index_select takes a fifth of the time of indexing.
        x = to_unit(self._x.index_select(0, chosen))
        given = None if self._given is None else to_unit(self._given.index_select(0, chosen))
        return Batch(x, None if self._y is None else self._y.index_select(0, chosen), given, chosen)

    def labels(self, n: int, generator: torch.Generator) -> Tensor:
        if self._y is None:
            raise ValueError("this data has no labels")
        chosen = torch.randint(len(self._y), (n,), generator=generator, device=generator.device)
        return self._y.index_select(0, chosen.to(self._y.device))

    def state(self) -> dict[str, Tensor | int]:
        return {"position": self._position}

    def restore(self, state: dict[str, Tensor | int]) -> None:
        self._position = int(state["position"])

    def _order_of(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            order = torch.randperm(len(self._x), generator=self._generator_for("data", epoch))
            self._order, self._epoch = order.to(self._x.device), epoch
        return self._order


class SampledStream:
    """Fresh samples of a distribution or of stacked images, every batch."""

    def __init__(self, source: MixtureSource | StackedSource, batch_size: int, generator: torch.Generator) -> None:
        self._source = source
        self.batch_size = batch_size
        self._generator = generator

    def next(self) -> Batch:
        if isinstance(self._source, MixtureSource):
            return Batch(self._source.sample(self.batch_size, self._generator))
        x, y = self._source.sample(self.batch_size, self._generator)
        return Batch(to_unit(x), y)

    def labels(self, n: int, generator: torch.Generator) -> Tensor:
        if isinstance(self._source, MixtureSource):
            raise ValueError("this data has no labels")
        return self._source.labels(n, generator)

    def state(self) -> dict[str, Tensor | int]:
        return {"generator": self._generator.get_state()}

    def restore(self, state: dict[str, Tensor | int]) -> None:
        self._generator.set_state(state["generator"])  # type: ignore[arg-type]


def open_stream(
    source: Source, batch_size: int, generator_for: GeneratorFor, device: torch.device
) -> ImageStream | SampledStream:
    """The stream of training batches of ``source``; ``generator_for(*purpose, device=)`` gives the run's streams."""
    if isinstance(source, ImageSource):
        return ImageStream(source, batch_size, generator_for, device)
    if isinstance(source, StackedSource):
        source = source.on(device)
    return SampledStream(source, batch_size, generator_for("data", device=device))

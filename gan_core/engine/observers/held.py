"""Samples of a data set that every run is looked at with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gan_core.data import MixtureSource, Source, StackedSource, to_unit
from gan_core.metrics.modes import nearest_mode
from gan_core.training.streams import Streams

HELD = 300  # held-out samples that are encoded at every look


@dataclass(frozen=True)
class Labelled:
    """Samples in network units, on the CPU, and their classes or modes, where they have any."""

    x: Tensor
    y: np.ndarray | None


def samples_of(source: Source, n: int, *, heldout: bool) -> Labelled:
    """The same samples of a data set for every run, no image twice, in random order."""
    generator = Streams(0).generator("codes", "held out" if heldout else "train")
    if isinstance(source, MixtureSource):
        x = source.sample(n, generator)
        y = nearest_mode(source.to_data(x.numpy()), source.centers)[0] if source.num_modes > 1 else None
        return Labelled(x, y)
    if isinstance(source, StackedSource):
        return Labelled(to_unit(source.sample(n, generator, heldout=heldout)[0]).cpu(), None)
    index = (source.heldout_index if heldout else source.train_index).cpu()
    chosen = index[torch.randperm(len(index), generator=generator)[:n]]
    labels = source.y.cpu()[chosen].numpy() if source.y is not None and source.num_classes > 1 else None
    return Labelled(to_unit(source.x.cpu()[chosen]), labels)

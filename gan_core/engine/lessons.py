"""How a lesson on collapse ended: which modes or classes are left, to be held against what the class predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gan_core.config import RunConfig
from gan_core.data import MixtureSource
from gan_core.metrics.histograms import class_shares, unsure_share
from gan_core.store import RunStore
from gan_core.training import load_source

SURVIVES = 1 / 6
"""A mode that holds at least this share of its fair share 1/K, of the samples that count for a mode, has survived."""


@dataclass(frozen=True)
class Outcome:
    """What was counted at ``round``: ``names`` and ``shares`` of all K modes, ``survivors`` by name, in that order.

    ``unsure`` is the share of samples that count for no mode.
    """

    round: int
    names: tuple[str, ...]
    shares: tuple[float, ...]
    survivors: tuple[str, ...]
    unsure: float


def outcome(store: RunStore, run_id: str) -> Outcome | None:
    """The newest count of a run; None before there is one, or where data have no modes. Raises RunNotFound."""
    frame = store.latest_frame(run_id, "histogram")
    if frame is None:
        return None
    counts = np.asarray(frame.parts["histogram"]["counts"])
    if not counts.sum():
        return None
    known = [event.data["class_names"] for event in store.events(run_id) if "class_names" in event.data]
    names = tuple(str(name) for name in (known[-1] if known else range(1, len(counts))))
    shares = class_shares(counts)
    left = tuple(name for name, share in zip(names, shares, strict=True) if share >= SURVIVES / len(names))
    return Outcome(frame.round, names, tuple(shares.tolist()), left, unsure_share(counts))


def mode_names(config: RunConfig) -> tuple[str, ...]:
    """The names of the modes or classes of a run's data, none where they are not counted. Raises DataError."""
    source = load_source(config)
    if isinstance(source, MixtureSource):
        return tuple(str(mode + 1) for mode in range(source.num_modes))
    return tuple(map(str, source.class_names))

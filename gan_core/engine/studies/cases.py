"""Cases of a study of anomalies: which pictures are learnt from, which set the threshold, and which are asked about.

Nothing that is learnt from is asked about, no anomaly is learnt from or sets a threshold, and what sets it is not learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gan_core.config.errors import nearest
from gan_core.config.studies import AnomalySettings
from gan_core.data import DEGRADATIONS, ImageSource, to_unit
from gan_core.intake.errors import DataError
from gan_core.intake.kinds import UNTOLD
from gan_core.training import Streams

SET_APART, LEAST_SET_APART = 0.1, 20  # of the normal training pictures, for the threshold
CHANGED = 0.1  # of the range, by which a pixel of a damaged picture differs at least


@dataclass(frozen=True)
class Case:
    """``source`` has the normal pictures to learn from as its training pictures. ``normal`` (m, C, H, W) are others that set
    the threshold; ``x`` (n, C, H, W) is asked about, and ``anomalous`` (n,) what is true of it. ``mask`` (n, H, W) is where a
    picture is damaged, where that is known. Pictures are in network units. Where nobody says what is anomalous, ``told`` is
    false, and so is all of ``anomalous``.
    """

    name: str
    source: ImageSource
    normal: Tensor
    x: Tensor
    anomalous: np.ndarray
    mask: np.ndarray | None = None
    told: bool = True

    @property
    def learnt_from(self) -> int:
        return len(self.source.train_index)


def case_of(settings: AnomalySettings, name: str, source: ImageSource, seed: int) -> Case:
    """The case of a class or of a damage. Raises DataError where there is no such thing, or nothing to learn or to tell."""
    if settings.question == "damaged":
        return _damaged(name, source, seed)
    known = list(source.class_names)
    if settings.question == "kinds" and name not in known:
        raise DataError(
            f"{source.name} has no normal pictures and others: bring it from the folders normal, test/KIND and masks/KIND, "
            "or ask about its classes."
        )
    if name not in known or source.y is None:
        raise DataError(f"{source.name} has no class {name!r}{nearest(name, known)}.")
    is_named = source.y == known.index(name)
    normal = ~is_named if settings.question == "leave_one_out" else is_named
    learnt, normals = _apart(source.train_index[normal[source.train_index]], seed)
    asked = source.heldout_index
    anomalous = ~normal[asked].numpy()
    told = UNTOLD not in known or not bool((source.y[asked] == known.index(UNTOLD)).any())
    _must_have(name, len(learnt), int(anomalous.sum()), int((~anomalous).sum()) if told else 1)
    return Case(
        name,
        replace(source, train_index=learnt, heldout_index=normals),
        to_unit(source.x[normals]),
        to_unit(source.x[asked]),
        anomalous & told,
        None if source.masks is None else source.masks[asked].numpy(),
        told,
    )


def _damaged(name: str, source: ImageSource, seed: int) -> Case:
    """Half of the held-out pictures are damaged; which, and how, is a function of the seed."""
    if name not in DEGRADATIONS:
        raise DataError(f"There is no damage {name!r}{nearest(name, DEGRADATIONS)}.")
    if source.shape[0] < DEGRADATIONS[name].channels:
        raise DataError(f"Pictures of {source.name} have no colours that {name!r} could take away.")
    learnt, normals = _apart(source.train_index, seed)
    draws = Streams(seed).generator("study", "damage", name)
    order = torch.randperm(len(source.heldout_index), generator=draws)
    intact, other = to_unit(source.x[source.heldout_index[order]]).chunk(2)
    damaged = DEGRADATIONS[name].apply(other, draws)
    mask = ((damaged - other).abs() > 2 * CHANGED).any(1)
    hit = mask.flatten(1).any(1)
    _must_have(name, len(learnt), int(hit.sum()), len(intact))
    masks = torch.cat([torch.zeros(len(intact), *mask.shape[1:], dtype=torch.bool), mask[hit]])
    return Case(
        name,
        replace(source, train_index=learnt, heldout_index=normals),
        to_unit(source.x[normals]),
        torch.cat([intact, damaged[hit]]),
        np.repeat([False, True], [len(intact), int(hit.sum())]),
        masks.numpy(),
    )


def _apart(normal: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Normal training pictures to learn from, and a tenth of them, at least 20 where there are 40, to set the threshold."""
    count = max(round(SET_APART * len(normal)), min(LEAST_SET_APART, len(normal) // 2))
    order = torch.randperm(len(normal), generator=Streams(seed).generator("study", "threshold"))
    return normal[order[count:]].sort().values, normal[order[:count]].sort().values


def _must_have(name: str, learnt: int, anomalies: int, normals: int) -> None:
    for count, what in (
        (learnt, "normal picture to learn from"),
        (anomalies, "anomaly to be found"),
        (normals, "held-out normal picture"),
    ):
        if not count:
            raise DataError(f"In the case {name!r} there is no {what}.")

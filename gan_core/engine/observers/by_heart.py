"""What is watched where pictures are few: whether D knows them by heart, and whether augmentation leaks into samples."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gan_core.config import GanConfig, RunConfig
from gan_core.data import ImageSource, to_unit
from gan_core.engine.observers.measuring import FEWEST_HELD_OUT, Numbers
from gan_core.metrics.overfitting import d_overfitting, leaked_share
from gan_core.training import GAMES, Game, Judges
from gan_core.training.streams import Streams

FEW = 2_000
"""Training pictures up to which a D may know them by heart within a run."""
AT_MOST = 200
ALMOST = 1e-6  # of 0 or 1: the logit of a probability that has reached either is not known


class ByHeart:
    """r_v from the same training and held-out pictures at every look, and traces of augmentation where there is any."""

    def __init__(self, config: RunConfig, source: ImageSource) -> None:
        self._likely = GAMES[config.game].reading(config).score_unit == "probability"
        self._augments = isinstance(config, GanConfig) and config.tricks.augment != "off"
        self._known = self._new = None
        conditional = GAMES[config.game].conditional(config)
        few = len(source.train_index) <= FEW and len(source.heldout_index) >= FEWEST_HELD_OUT
        if few and not conditional and "judge" in GAMES[config.game].abilities and len(source.shape) == 3:
            self._known, self._new = (
                _some(source, index).to(config.device) for index in (source.train_index, source.heldout_index)
            )
        self._real = _some(source, source.heldout_index) if self._augments and len(source.heldout_index) else None

    @property
    def floors(self) -> Numbers:
        judged = {} if self._known is None else {"d_overfitting": 0.0}
        return judged | ({} if self._real is None else {"leaked_share": leaked_share(self._real.numpy())})

    @property
    def sizes(self) -> dict[str, int]:
        judged = {} if self._new is None else {"d_overfitting": len(self._new)}
        return judged | ({} if self._real is None else {"leaked_share": AT_MOST})

    def measure(self, game: Game, samples: Tensor) -> Numbers:
        numbers = {"leaked_share": leaked_share(samples[:AT_MOST].numpy())} if self._augments else {}
        if self._known is None or self._new is None or not isinstance(game, Judges) or game.packing > 1:
            return numbers
        fake = samples[:AT_MOST].to(self._known.device)
        found = d_overfitting(*(self._raw(game.judge(x)) for x in (self._known, self._new, fake)))
        return numbers | ({"d_overfitting": found} if np.isfinite(found) else {})

    def _raw(self, opinion: Tensor) -> np.ndarray:
        raw: np.ndarray = (torch.logit(opinion, eps=ALMOST) if self._likely else opinion).cpu().numpy()
        return raw


def _some(source: ImageSource, index: Tensor) -> Tensor:
    order = torch.randperm(len(index), generator=Streams(0).generator("by heart"))[:AT_MOST]
    return to_unit(source.x[index[order]])

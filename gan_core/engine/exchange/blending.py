"""Between two runs of one network: their weights mixed, and what that reads (Wang et al. 2018, ESRGAN).

Where one run goes on from the other, as an adversarial one from one by the squared error, the networks between them work too:
a way from small errors to sharp pictures that takes no training.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gan_core.config import RunConfig, diff
from gan_core.config.games.pix2pix import Pix2pixConfig
from gan_core.engine.exchange.generator import NothingToPlay, Opened, open_game
from gan_core.engine.observers.translated import SHOWN, HeldPairs
from gan_core.store import RunNotFound, RunStore
from gan_core.training import build
from gan_core.training.classifier import FrozenClassifier, cached_classifier
from gan_core.training.games.pix2pix import Pix2pix

PAIRS = 1_000  # held-out pairs that are measured
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
SAME = ("model.generator.", "translation.degradation", "data.name", "data.options.")
"""Settings, or their beginnings, without which two runs have no networks between them."""


class Way:
    """The networks between a run and another one, which went on from it, and held-out pairs on which they are looked at.

    Of each end those weights count whose outputs it shows, which may be a moving average; both are taken from their newest
    checkpoints, or from those of the rounds ``at`` and ``other_at``. Raises as `open_game`, NothingToPlay where the networks,
    the pairs or the games differ.
    """

    def __init__(
        self, store: RunStore, run_id: str, other: str, at: int | None = None, other_at: int | None = None
    ) -> None:
        self._ends = _ends(store, (run_id, at), (other, other_at))
        opened = self._ends[0]
        judge: FrozenClassifier | None = None
        if (judged := opened.source.judged) is not None:
            judge = cached_classifier(judged, store.root / "cache")
        self._pairs = HeldPairs(opened.config, opened.source, lambda _: judge, n=PAIRS)  # type: ignore[arg-type]

    @property
    def rounds(self) -> tuple[int, int]:
        """Of both ends."""
        return self._ends[0].round, self._ends[1].round

    def opened(self, share: float) -> Opened:
        """The game at a share of the way, 0 to 1. Raises ValueError for another share."""
        return _between(*self._ends, share)

    def measure(self, share: float) -> dict[str, float]:
        """``share`` and the measures of pairs; those of a classifier are there where the store has one of the data."""
        return {"share": float(share), **self._pairs.measure(self._outputs(share, PAIRS))}

    def rows(self, share: float) -> np.ndarray:
        """The first pairs as the page of a run shows them, uint8 (rows, columns, C, H, W)."""
        return self._pairs.rows(self._outputs(share, SHOWN)).images

    def _outputs(self, share: float, n: int) -> Tensor:
        game = self.opened(share).game
        assert isinstance(game, Pix2pix)
        return self._pairs.outputs(game, n)


def open_blend(
    store: RunStore, run_id: str, other: str, share: float, at: int | None = None, other_at: int | None = None
) -> Opened:
    """The game of a run with the weights that lie at ``share``, 0 to 1, of the way to those of another run; raises as `Way`
    and ValueError for another share."""
    return _between(*_ends(store, (run_id, at), (other, other_at)), share)


def along(
    store: RunStore,
    run_id: str,
    other: str,
    shares: Sequence[float] = SHARES,
    at: int | None = None,
    other_at: int | None = None,
) -> list[dict[str, float]]:
    """What held-out outputs read at each share of the way between two runs, a row each. Raises as `open_blend`."""
    way = Way(store, run_id, other, at, other_at)
    return [way.measure(share) for share in shares]


def has_way(store: RunStore, run_id: str, other: str) -> bool:
    """Whether there can be networks between two stored runs, by their settings alone."""
    try:
        first, second = (RunConfig.load(store.run(run).config) for run in (run_id, other))
    except RunNotFound:
        return False
    return isinstance(first, Pix2pixConfig) and isinstance(second, Pix2pixConfig) and not _apart(first, second)


def _apart(first: RunConfig, second: RunConfig) -> list[str]:
    return [key for key in diff(first, second) if key.startswith(SAME)]


def _ends(store: RunStore, *ends: tuple[str, int | None]) -> tuple[Opened, Opened]:
    first, second = (open_game(store, run_id, at) for run_id, at in ends)
    for one in (first, second):
        if not isinstance(one.game, Pix2pix):
            raise NothingToPlay(f"A run of the game {one.config.game!r} has no network between it and another run's.")
    if differ := _apart(first.config, second.config):
        raise NothingToPlay(f"These runs have no networks between them: they differ in {', '.join(differ)}.")
    return first, second


@torch.no_grad()
def _between(first: Opened, second: Opened, share: float) -> Opened:
    """A game of its own, of which only what it shows is anything."""
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1, not at {share:g}")
    assert isinstance(first.game, Pix2pix)
    assert isinstance(second.game, Pix2pix)
    mixed = {}
    theirs = second.game.sampled.state_dict()
    for name, tensor in first.game.sampled.state_dict().items():
        near = theirs[name] if share > 0.5 else tensor  # a counter has nothing between
        mixed[name] = torch.lerp(tensor, theirs[name], share) if tensor.is_floating_point() else near
    game = build(first.config, first.source)
    assert isinstance(game, Pix2pix)
    game.sampled.load_state_dict(mixed)
    return Opened(first.config, first.source, first.round, game)

"""Between two runs of one network: their weights mixed, and what that reads (Wang et al. 2018, ESRGAN).

Where one run goes on from the other, as an adversarial one from one by the squared error, the networks between them work too:
a way from small errors to sharp pictures that takes no training.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from gan_core.config import diff
from gan_core.engine.exchange.generator import NothingToPlay, Opened, open_game
from gan_core.engine.observers.translated import HeldPairs
from gan_core.store import RunStore
from gan_core.training import build
from gan_core.training.classifier import FrozenClassifier, cached_classifier
from gan_core.training.games.pix2pix import Pix2pix

PAIRS = 1_000  # held-out pairs that are measured
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
SAME = ("model.generator.", "translation.degradation", "data.name", "data.options.")
"""Settings, or their beginnings, without which two runs have no networks between them."""


def open_blend(
    store: RunStore, run_id: str, other: str, share: float, at: int | None = None, other_at: int | None = None
) -> Opened:
    """The game of a run with the weights that lie at ``share``, 0 to 1, of the way to those of another run.

    Both are taken from their newest checkpoints, or from those of the rounds ``at`` and ``other_at``; of each those weights
    whose outputs it shows, which may be a moving average. Raises as `open_game`, NothingToPlay where the networks, the pairs
    or the games differ, ValueError for another share.
    """
    ends = _ends(store, (run_id, at), (other, other_at))
    return _between(*ends, share)


def along(
    store: RunStore,
    run_id: str,
    other: str,
    shares: Sequence[float] = SHARES,
    at: int | None = None,
    other_at: int | None = None,
) -> list[dict[str, float]]:
    """What held-out outputs read at each share of the way between two runs, a row each: ``share`` and the measures of pairs.

    Those of a classifier are there where the store has one of the data. Raises as `open_blend`.
    """
    ends = _ends(store, (run_id, at), (other, other_at))
    opened = ends[0]
    judge: FrozenClassifier | None = None
    if (judged := opened.source.judged) is not None:
        judge = cached_classifier(judged, store.root / "cache")
    pairs = HeldPairs(opened.config, opened.source, lambda _: judge, n=PAIRS)  # type: ignore[arg-type]
    rows = []
    for share in shares:
        game = _between(*ends, share).game
        assert isinstance(game, Pix2pix)
        rows.append({"share": float(share), **pairs.measure(pairs.outputs(game))})
    return rows


def _ends(store: RunStore, *ends: tuple[str, int | None]) -> tuple[Opened, Opened]:
    first, second = (open_game(store, run_id, at) for run_id, at in ends)
    for one in (first, second):
        if not isinstance(one.game, Pix2pix):
            raise NothingToPlay(f"A run of the game {one.config.game!r} has no network between it and another run's.")
    differ = [key for key in diff(first.config, second.config) if key.startswith(SAME)]
    if differ:
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

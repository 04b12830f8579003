"""Which state of a run is its best: by measures of its samples, never by a loss, which says nothing of quality in a GAN."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gan_core.metrics import METRICS
from gan_core.metrics.random_cards import FRECHET
from gan_core.said import said

# The first row that was measured decides; later columns of it where earlier ones are equal.
JUDGES = (
    ("frechet_distance",),
    (FRECHET,),
    ("modes_covered", "sliced_wasserstein"),
    ("modes_covered", "wasserstein"),
    ("sliced_wasserstein",),
    ("wasserstein",),
)


def judged(values: Mapping[str, float]) -> tuple[tuple[float, ...], str] | None:
    """How good a measurement is, as scores to compare (larger is better, the first counts most), and that in words.

    None where nothing was measured that could tell, or a number is not finite. ``values`` by the names of `METRICS`.
    """
    judges = next((names for names in JUDGES if all(name in values for name in names)), ())
    if not judges or not all(math.isfinite(values[name]) for name in judges):
        return None
    scores = tuple(values[name] if METRICS[name].better == "higher" else -values[name] for name in judges)
    told = ", ".join(f"{METRICS[name].about.title} {said(values[name], METRICS[name].form)}" for name in judges)
    return scores, f"the best: {told}"

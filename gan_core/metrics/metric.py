"""What a metric is to a chart: its card, its unit, which way is good, and the values it can take."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from gan_core.about import About


@dataclass(frozen=True)
class Metric:
    """One column of the ``diagnostics`` track.

    ``better`` is the good direction; ``"closer"`` means closer to the value of the real data, drawn beside the curve.
    ``bounds`` are the smallest and the largest value that can occur, infinite where there is no bound.
    """

    about: About
    unit: str
    better: Literal["higher", "lower", "closer"]
    bounds: tuple[float, float] = (0.0, inf)

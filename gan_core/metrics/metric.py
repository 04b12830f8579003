"""What a metric is to a chart: its card, its unit, which way is good, and the values it can take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Literal

from gan_core.about import About
from gan_core.said import Form

AMONG_REAL = ("precision", "density")
MUSH = {
    "unsure_share": (-inf, 0.5, "says nothing while most samples are of no class"),
    "high_quality_share": (0.5, inf, "says nothing while most points are off every mode"),
}
"""By another column the least and the most at which those `AMONG_REAL` say something: samples that are no good lie among real
ones too, as long as the neighbourhoods of those are wide."""


def says_nothing(name: str, values: Mapping[str, float]) -> str:
    """Why a measure says nothing beside the others of the same samples; empty where it says something."""
    if name not in AMONG_REAL:
        return ""
    return next((why for other, (low, high, why) in MUSH.items() if not low <= values.get(other, low) <= high), "")


@dataclass(frozen=True)
class Metric:
    """One column of the ``diagnostics`` track.

    ``better`` is the good direction; ``"closer"`` means closer to the value of the real data, drawn beside the curve.
    ``bounds`` are the smallest and the largest value that can occur, infinite where there is no bound. ``floor_of`` is whose
    value its floor is. ``of`` is what is measured: samples, or what an encoder makes of data, or the outputs of
    pairs, which other games do not have.
    """

    about: About
    unit: str
    better: Literal["higher", "lower", "closer"]
    bounds: tuple[float, float] = (0.0, inf)
    floor_of: str = "real data"
    of: Literal["samples", "code", "pairs"] = "samples"

    @property
    def way(self) -> str:
        """Which way is good, in words."""
        return f"best near {self.floor_of}" if self.better == "closer" else f"{self.better} is better"

    @property
    def form(self) -> Form:
        """How one value of it is said."""
        return (
            "percent" if self.unit == "share" else "integer" if (self.unit, self.better) == ("modes", "higher") else ""
        )

    @property
    def slack(self) -> tuple[float, float]:
        """How far from the value of real data is still near it: (share of that value, and besides).

        Ten points of a share, a twentieth of a count, twice a distance over its floor, 15 % of what should be as real.
        """
        if self.unit == "share":
            return 0.0, 0.1
        if self.unit == "modes":
            return 0.05, 0.0
        if self.better == "lower":
            return 2.0, 0.0
        return (0.0, 0.3) if self.unit == "standardised" else (0.15, 0.1 if self.bounds[0] == -inf else 0.0)

    def near_real(self, value: float, real: float) -> bool:
        """Whether a value is about as good as ``real``, what real data reads."""
        share, besides = self.slack
        slack = share * abs(real) + besides
        return (value >= real - slack or self.better == "lower") and (value <= real + slack or self.better == "higher")

    def within(self, value: float, real: float | None = None) -> float:
        """The value kept to the range of the quantity: no share above 1, no more modes than real data has."""
        low, high = self.bounds
        if self.unit == "modes" and real is not None:
            high = float(round(real))
        return min(max(value, low), high)

"""About cards: what a part of the laboratory is, for a person choosing it and for a person reading its curve."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """The card of one part (a loss, a penalty, an architecture, a data set, a metric, a recipe).

    ``formula`` is LaTeX without dollar signs; ``watch_for`` says what a reader should look at while it trains.
    """

    title: str
    paper: str
    year: int
    formula: str
    idea: str
    watch_for: str
    url: str = ""

    @property
    def citation(self) -> str:
        return f"{self.paper} ({self.year})"

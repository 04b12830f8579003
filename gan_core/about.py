"""About cards: what a part of the laboratory is, for a person choosing it and for a person reading its curve."""

from __future__ import annotations

from dataclasses import dataclass


def inside(title: str) -> str:
    """A title inside a sentence: its first letter small, unless it begins a name such as R1, D or LeCam."""
    return title[:1].lower() + title[1:] if title.split()[0][1:].islower() else title


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

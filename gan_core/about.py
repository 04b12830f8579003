"""About cards: what a part of the laboratory is, for a person choosing it and for a person reading its curve."""

from __future__ import annotations

from dataclasses import dataclass


def inside(title: str) -> str:
    """A title inside a sentence: its first letter small, unless it begins a name such as R1, D or LeCam."""
    return title[:1].lower() + title[1:] if title.split()[0][1:].islower() else title


def means(text: str) -> str:
    """LaTeX in which ``Ex[…]`` and ``Eg[…]`` stand for the means over real and over generated data, and ``xh`` for x̂."""
    for short, long in (
        ("Ex[", r"\mathbb{E}_{x \sim p_d}["),
        ("Eg[", r"\mathbb{E}_{\hat x \sim p_g}["),
        ("xh", r"\hat x"),
    ):
        text = text.replace(short, long)
    return text


def players(d: str, g: str, *rules: str) -> str:
    """What D and what G minimise, a line each, and what else holds, in the notation of Lucic et al. (2018), Table 1.

    All are written as ``means`` takes them.
    """
    lines = r" \\[4pt] ".join([rf"\mathcal{{L}}_D &= {d}", rf"\mathcal{{L}}_G &= {g}", *rules])
    return rf"\begin{{aligned}} {means(lines)} \end{{aligned}}"


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

"""What a preset is: a whole run with a name and, for a lesson, what will be seen and what to ask before pressing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["start", "course", "code", "healthy", "collapse", "vanishes", "diverges", "lesson"]
Effect = Literal["cures", "helps"]


@dataclass(frozen=True)
class Act:
    """In ``round`` of a lesson the run is forked, and the fork goes on with a change-set of ``CURES`` or ``BREAKS``."""

    round: int
    change: str


@dataclass(frozen=True)
class Preset:
    """``settings`` are sparse; ``story`` says in one or two sentences what will be seen.

    A recipe (any ``kind`` but "start") says what is expected within ``within`` rounds, about ``seconds`` on two cores, of a
    collapse those until the page calls it (docs/results/lesson.md): ``seen``. ``question`` is for the class, before Start
    is pressed. ``cures`` names change-sets of ``CURES``, those that also bring a collapsed run back soonest first, and what
    each is expected to do from the first round on within ``cured_within`` rounds; a fork may need longer.
    ``benchmarks/recipes.py`` counts over seeds how often all that holds.
    """

    title: str
    story: str
    settings: dict[str, Any]
    kind: Kind = "start"
    seen: str = ""
    question: str = ""
    within: int = 0
    seconds: float = 0.0
    cures: Mapping[str, Effect] = field(default_factory=dict)
    cured_within: int = 0
    acts: tuple[Act, ...] = ()

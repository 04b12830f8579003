"""The judges of runs by name: a game's declaration says which of them speaks of its runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import numpy as np

from gan_core.metrics.code_verdict import CodeJudge
from gan_core.metrics.course import Facts, LiveChange
from gan_core.metrics.cycle_verdict import CycleJudge
from gan_core.metrics.states import Verdict
from gan_core.metrics.translation_verdict import TranslationJudge
from gan_core.metrics.verdict import Judge

JudgeName = Literal["", "adversarial", "code", "translation", "cycle"]


class Judges(Protocol):
    """The verdict of a run that is told bit by bit: rounds, what was turned, and the measurement that follows them.

    ``changes`` are its verdicts whenever the state changed, ``healthy_round`` the last measurement at which nothing was wrong.
    """

    verdict: Verdict
    changes: list[Verdict]
    healthy_round: int | None

    @property
    def facts(self) -> Facts: ...
    @facts.setter
    def facts(self, facts: Facts) -> None: ...
    def add_turns(self, turns: Mapping[str, np.ndarray]) -> None: ...
    def add_change(self, change: LiveChange) -> None: ...
    def add_check(self, round: int, numbers: Mapping[str, float]) -> Verdict: ...
    def set_diverged(self, round: int, sentence: str) -> Verdict: ...


JUDGES: dict[str, Callable[[Facts], Judges]] = {
    "adversarial": Judge,
    "code": CodeJudge,
    "translation": TranslationJudge,
    "cycle": CycleJudge,
}

"""The verdict of a run on data without pairs: whether what goes there and back is also the right thing in between.

A cycle that loses nothing says that both maps are inverse to each other, and no more. The rules ask for measures by name
(`gan_core.metrics.cycle_cards`). The thresholds come from a ring onto itself, with and without the identity term, and from
digits of two sets, with and without the cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from gan_core.metrics.course import Facts
from gan_core.metrics.measured_verdict import Check, MeasuredJudge
from gan_core.metrics.states import Verdict

CLOSED = 0.1  # of what answering with the mean of all would lose: so little is lost in a cycle that closes
AWAY, AT_HOME = 0.5, 0.9  # share of the points that keep their mode
LOST, STAYS_LOST = 0.85, 0.9  # of the share that is read right of inputs as they are
COMES_NEAR = 0.5  # of the distance to B that inputs have as they are


class CycleJudge(MeasuredJudge):
    """The verdict of a run that translates both ways."""

    LABELS: ClassVar = {
        "cycle_error": "lost from A to B and back",
        "share_right": "points that keep their mode",
        "translated_class": "class kept from A to B",
    }
    PATIENT = (150, 2000)
    _learner = "The map"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self._at_home = self._kept = False  # whether modes stayed in place once, and classes were kept

    def _remember(self, recent: list[Check]) -> None:
        last = recent[-1]
        self._at_home = self._at_home or last.get("share_right") > AT_HOME
        self._kept = self._kept or self._of_inputs(last) > STAYS_LOST

    def _rules(self) -> tuple[Callable[[], Verdict | None], ...]:
        return self._exchanged, self._class_lost

    def _exchanged(self) -> Verdict | None:
        """Nothing is lost in a cycle, and most points come to the modes of others."""
        ill = self._run_of(lambda check: check.get("share_right") < AWAY and self._lost(check) < CLOSED)
        well = lambda check: not check.get("share_right") < AT_HOME  # noqa: E731
        if not self._holds(ill, "exchanged", well, had=self._at_home, late=self._is_late()):
            return None
        if not ill:
            return self._still()
        share = self._last.get("share_right")
        sentence = (
            f"Modes are exchanged: a cycle loses {self._lost(self._last):.1%} of what could be lost, and {share:.0%} of the "
            "points keep their mode. Every bijection of the modes has a perfect cycle."
        )
        return self._verdict("exchanged", ill, sentence, [self._evidence("share_right", share, "<", AWAY)])

    def _class_lost(self) -> Verdict | None:
        """Outputs are of their own class far more seldom than the inputs as they are."""
        ill = self._run_of(lambda check: self._of_inputs(check) < LOST)
        well = lambda check: not self._of_inputs(check) < STAYS_LOST  # noqa: E731
        if not self._holds(ill, "class_lost", well, had=self._kept, late=self._is_late()):
            return None
        if not ill:
            return self._still()
        kept, rival = self._last.get("translated_class"), self._rival("translated_class")
        sentence = (
            f"Classes are lost from A to B: {kept:.0%} are read as their own, of the inputs as they are {rival:.0%}."
        )
        evidence = self._evidence("translated_class", kept, "<", LOST * rival)
        return self._verdict("class_lost", ill, sentence, [evidence])

    def _lost(self, check: Check) -> float:
        """The error of a cycle as a share of what answering with the mean of all would lose."""
        mean = self.facts.beside.get("cycle_error", {}).get("mean of all", float("nan"))
        return check.get("cycle_error") / mean if mean else float("nan")

    def _of_inputs(self, check: Check) -> float:
        """The class that is kept as a share of what is read right of inputs as they are."""
        rival = self._rival("translated_class")
        return check.get("translated_class") / rival if rival else float("nan")

    def _rival(self, measure: str) -> float:
        return float(self.facts.beside.get(measure, {}).get("input as it is", float("nan")))

    def _lacks(self, check: Check) -> str:
        if not self._lost(check) < AWAY:
            return f"from A to B and back {self._lost(check):.0%} of what could be lost is lost"
        share, kept = check.get("share_right"), check.get("translated_class")
        if not np.isfinite(share) and not np.isfinite(kept):
            return "a cycle closes, and nothing here tells whether an output is that of its input"
        if share < AT_HOME:
            return f"{share:.0%} of the points keep their mode"
        if self._of_inputs(check) < STAYS_LOST:
            rival = self._rival("translated_class")
            return f"{kept:.0%} are read as their own class in B, of the inputs as they are {rival:.0%}"
        distance, apart = check.get("frechet_distance"), self._rival("frechet_distance")
        if distance >= COMES_NEAR * apart:
            return f"the distance of outputs to B is {distance:.3g}, that of the inputs as they are {apart:.3g}"
        return ""

    def _told(self, check: Check) -> str:
        said = [f"from A to B and back {self._lost(check):.1%} of what could be lost is lost"]
        if np.isfinite(share := check.get("share_right")):
            said.append(f"{share:.0%} of the points keep their mode")
        if np.isfinite(kept := check.get("translated_class")):
            rival = self._rival("translated_class")
            said.append(f"{kept:.0%} are read as their own class in B, of the inputs as they are {rival:.0%}")
        return ", ".join(said)

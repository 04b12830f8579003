"""The verdict of a run between two kinds of data without pairs: whether what came from one kind is still itself in the other.

No target says what an output ought to be, and a perfect cycle says nothing: every bijection of classes has one. Where classes
are known, or both kinds are one mixture, they tell (`gan_core.metrics.cycle_cards`). The thresholds come from four modes on a
ring and from digits of two sets, with and without the cycle and the identity term.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from gan_core.metrics.measured_verdict import Check, MeasuredJudge
from gan_core.metrics.states import Verdict

PERMUTED, STAYS_PERMUTED, KEPT = 0.6, 0.7, 0.9  # of the points, or of the classes that are read without a translation
ARRIVED = 0.5  # of the Fréchet distance that the input itself has
ON_A_MODE = 0.8  # of the outputs


class CycleJudge(MeasuredJudge):
    """The verdict of a run that translates there and back, without pairs."""

    LABELS: ClassVar = {
        "share_right": "points that keep their mode",
        "translated_class": "class kept from A to B",
    }
    PATIENT = (150, 2000)
    _learner = "The translation"

    def _remember(self, recent: list[Check]) -> None:
        """Nothing: a map that exchanges classes may have done so from the beginning."""

    def _rules(self) -> tuple[Callable[[], Verdict | None], ...]:
        return (self._permuted,)

    def _permuted(self) -> Verdict | None:
        """What comes out is of another class, or mode, than what went in."""
        ill = self._run_of(lambda check: self._kept(check) < PERMUTED)
        well = lambda check: not self._kept(check) < STAYS_PERMUTED  # noqa: E731
        if not self._holds(ill, "permuted", well, had=False, late=self._is_late()):
            return None
        if not ill:
            return self._still()
        name = next(name for name in self.LABELS if np.isfinite(self._last.get(name)))
        if name == "share_right":
            what = f"Modes change places: {self._last.get(name):.0%} of the points keep theirs"
        else:
            what = f"Outputs are of another class than their inputs: {self._last.get(name):.0%} keep theirs"
            what += f", untranslated {self._untranslated(name):.0%}" if np.isfinite(self._untranslated(name)) else ""
        back = self._last.get("cycle_error")
        cycle = f" Of that the cycle knows nothing: {back:.2g} is lost there and back." if np.isfinite(back) else ""
        evidence = self._evidence(name, self._last.get(name), "<", PERMUTED * self._whole(name))
        return self._verdict("permuted", ill, f"{what}.{cycle}", [evidence])

    def _untranslated(self, measure: str) -> float:
        return float(self.facts.beside.get(measure, {}).get("input as it is", float("nan")))

    def _whole(self, name: str) -> float:
        """What a map that keeps everything reads."""
        untranslated = self._untranslated(name)
        return untranslated if name == "translated_class" and untranslated > 0 else 1.0

    def _kept(self, check: Check) -> float:
        """The share that is kept of what could be, by the first measure that there is."""
        return next(
            (check.get(name) / self._whole(name) for name in self.LABELS if np.isfinite(check.get(name))), np.nan
        )

    def _lacks(self, check: Check) -> str:
        if not self._kept(check) >= KEPT:
            return f"{self._kept(check):.0%} of what could be kept is of its own class or mode"
        on_a_mode = check.get("high_quality_share")
        if on_a_mode < ON_A_MODE:
            return f"{on_a_mode:.0%} of the outputs are on a mode"
        distance, itself = check.get("frechet_distance"), self._untranslated("frechet_distance")
        if distance > ARRIVED * itself:
            return f"outputs do not look like B yet, their Fréchet distance is {distance:.3g}, that of the inputs {itself:.3g}"
        return ""

    def _told(self, check: Check) -> str:
        name = next(name for name in self.LABELS if np.isfinite(check.get(name)))
        whole = f", untranslated {self._whole(name):.0%}" if name == "translated_class" else ""
        what = (
            "of the points keep their mode"
            if name == "share_right"
            else "of the outputs are of the class of their input"
        )
        return f"{check.get(name):.0%} {what}{whole}"

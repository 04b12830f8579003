"""The verdict of a run from picture to picture: what its outputs are like, in one word, with the round at which that began.

An output has two duties: to be an answer to its own input, and to look like an answer. The rules ask for measures by name
(`gan_core.metrics.translation_cards`), never for a game. The thresholds come from digits: thin strokes inked, halves
guessed, by a distance alone, with D, and by a D that does not see the input.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from gan_core.metrics.course import AGREE, AGREE_EARLY, Facts
from gan_core.metrics.measured_verdict import Check, MeasuredJudge
from gan_core.metrics.states import Verdict

IGNORES, STAYS_IGNORING, HEEDS = 0.92, 0.85, 0.8  # of the error to the target of another pair
BLURRED, STAYS_BLURRED = 0.5, 0.6  # of the edges of targets, where the input is silent
SHARPENS = 1.15  # times the most edges so far: outputs that still become sharper


class TranslationJudge(MeasuredJudge):
    """The verdict of a run whose outputs have targets."""

    LABELS: ClassVar = {
        "pair_ratio": "error over that of another target",
        "open_edges": "edges where the input is silent",
    }
    PATIENT = (150, 2000)
    _learner = "The translation"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self._heeded = self._sharp = False  # whether outputs were those of their inputs once, and had edges

    def _remember(self, recent: list[Check]) -> None:
        if len(recent) < AGREE:
            return
        self._heeded = self._heeded or all(check.get("pair_ratio") < HEEDS for check in recent)
        self._sharp = self._sharp or all(check.get("open_edges") > STAYS_BLURRED for check in recent)

    def _rules(self) -> tuple[Callable[[], Verdict | None], ...]:
        return self._ignored, self._blurred

    def _ignored(self) -> Verdict | None:
        """Outputs are no more answers to their own inputs than to others."""
        ill = self._run_of(lambda check: check.get("pair_ratio") >= IGNORES)
        well = lambda check: not check.get("pair_ratio") >= STAYS_IGNORING  # noqa: E731
        if not self._holds(ill, "input_ignored", well, had=self._heeded, late=self._is_late()):
            return None
        if not ill:
            return self._still()
        ratio = self._last.get("pair_ratio")
        sentence = (
            "Outputs hardly depend on their inputs: from their own targets they are as far as from those of other pairs, "
            f"{ratio:.0%} of that."
        )
        return self._verdict("input_ignored", ill, sentence, [self._evidence("pair_ratio", ratio, ">", IGNORES)])

    def _blurred(self) -> Verdict | None:
        """Outputs have far fewer edges than their targets where the input does not tell them, and gain none."""
        ill = self._run_of(lambda check: check.get("open_edges") < BLURRED)
        well = lambda check: not check.get("open_edges") < STAYS_BLURRED  # noqa: E731
        late = self._is_late() and len(ill) >= AGREE_EARLY and not self._sharpens()
        if not self._holds(ill, "blurred", well, had=self._sharp, late=late):
            return None
        if not ill:
            return self._still()
        edges = self._last.get("open_edges")
        sentence = (
            f"Outputs are blurred: where the input is silent they have {edges:.0%} of the edges of their targets. Of several "
            "answers that fit, a distance is least at their middle."
        )
        return self._verdict("blurred", ill, sentence, [self._evidence("open_edges", edges, "<", BLURRED)])

    def _sharpens(self) -> bool:
        read = [check.get("open_edges") for check in self._checks]
        return max(read[-2:]) > SHARPENS * max(read[:-2], default=np.inf)

    def _lacks(self, check: Check) -> str:
        ratio = check.get("pair_ratio")
        if not ratio < HEEDS and np.isfinite(ratio):
            return f"outputs are off by {ratio:.0%} of what they are off as answers to other inputs"
        error, beside = check.get("absolute_error"), self.facts.beside.get("absolute_error", {})
        for rival in ("input as it is", "mean target"):
            if error >= beside.get(rival, float("inf")):
                return f"the error is {error:.2g}, that of the {rival} {beside[rival]:.2g}"
        if check.get("open_edges") < BLURRED:
            return f"where the input is silent outputs have {check.get('open_edges'):.0%} of the edges of their targets"
        return ""

    def _told(self, check: Check) -> str:
        """Also what the nearest training picture reads, where looking up would do better."""
        said = [f"outputs are off by {check.get('pair_ratio'):.0%} of what they are off as answers to other inputs"]
        if np.isfinite(edges := check.get("open_edges")):
            said.append(f"where the input is silent they have {edges:.0%} of the edges of their targets")
        kept, rival = check.get("target_class"), self._rival("target_class")
        if np.isfinite(kept):
            beside = f", of the nearest training picture {rival:.0%}" if np.isfinite(rival) else ""
            said.append(f"{kept:.0%} are read as the class of their target{beside}")
        return ", ".join(said)

    def _rival(self, measure: str) -> float:
        return float(self.facts.beside.get(measure, {}).get("nearest training picture", float("nan")))

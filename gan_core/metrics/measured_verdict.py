"""A verdict by measurements on held-out data alone: what is remembered of them, and when they agree.

What holds for games with a code (`gan_core.metrics.code_verdict`) and for those from picture to picture
(`gan_core.metrics.translation_verdict`): two measurements in a row must agree, it takes more to leave a state than to keep it,
and long after the beginning what was never met is as much an alarm as what was given up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import ClassVar, NamedTuple

import numpy as np

from gan_core.metrics.course import AGREE, AGREE_EARLY, Facts, LiveChange, suspect_of
from gan_core.metrics.states import Evidence, State, Verdict

PATIENT_CHECKS, PATIENT_SHARE = 3, 0.1  # long after the start: so many measurements, and this share of the rounds
NOTHING_YET = "Nothing can be said before a few measurements."


class Check(NamedTuple):
    """One measurement: the numbers that are finite."""

    round: int
    numbers: Mapping[str, float]

    def get(self, name: str) -> float:
        return self.numbers.get(name, float("nan"))


class MeasuredJudge:
    """The verdict of a run that is still told of. Tell it what was turned before the measurement that follows.

    ``LABELS`` are the measures without any of which a measurement says nothing, by what evidence calls them; ``PATIENT`` bounds
    the rounds after which it is late.
    """

    LABELS: ClassVar[Mapping[str, str]]
    PATIENT: ClassVar[tuple[int, int]] = (400, 2000)

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.verdict = Verdict("starting", 0, sentence=NOTHING_YET)
        self.changes: list[Verdict] = []
        self.healthy_round: int | None = None
        self._checks: list[Check] = []
        self._turned: list[LiveChange] = []
        self._fell = False

    def add_turns(self, turns: Mapping[str, np.ndarray]) -> None:
        """Rounds say nothing here: all that is judged is measured on held-out samples."""

    def add_change(self, change: LiveChange) -> None:
        """Something that was turned while the run trained; before the measurements after it."""
        self._turned.append(change)

    def add_check(self, round: int, numbers: Mapping[str, float]) -> Verdict:
        """A measurement; returns the verdict at it. One without such measures, or not after the last, says nothing new."""
        known = {name: float(value) for name, value in numbers.items() if np.isfinite(value)}
        judged = any(name in known for name in self.LABELS)
        if judged and not (self._checks and round <= self._last.round):
            self._checks.append(Check(round, known))
            self._remember(self._checks[-AGREE:])
            found = next((said for rule in self._rules() if (said := rule()) is not None), None)
            found = found or self._well() or self._well_but_for_now() or self._learning()
            self._adopt(found)
            if not found.alarming:
                self.healthy_round = self._last.round
        return self.verdict

    def set_diverged(self, round: int, sentence: str) -> Verdict:
        """The run itself ended because a number was not finite."""
        self._adopt(Verdict("diverged", round, round, None, sentence, (), ("diverged",), suspect=self._suspect(round)))
        return self.verdict

    # --- what a kind of verdict says for itself ---

    def _remember(self, recent: list[Check]) -> None:
        """What the last measurements add to what was once there; they are fewer than two at first."""
        raise NotImplementedError

    def _rules(self) -> tuple[Callable[[], Verdict | None], ...]:
        """What may be wrong, in the order of precedence; each says what it sees, or None."""
        raise NotImplementedError

    def _lacks(self, check: Check) -> str:
        """What is not done yet, in words; empty where all is done that can be measured."""
        raise NotImplementedError

    def _told(self, check: Check) -> str:
        """What is done, in the numbers that there are."""
        raise NotImplementedError

    # --- what is remembered and asked ---

    @property
    def _last(self) -> Check:
        return self._checks[-1]

    def _run_of(self, condition: Callable[[Check], bool]) -> list[Check]:
        """The measurements at the end that all meet a condition."""
        return list(takewhile(condition, reversed(self._checks)))[::-1]

    def _is_late(self, bounds: tuple[int, int] | None = None) -> bool:
        least, most = bounds or self.PATIENT
        patience = min(most, max(least, PATIENT_SHARE * self.facts.rounds))
        return len(self._checks) > PATIENT_CHECKS and self._last.round >= patience

    def _holds(self, ill: list[Check], state: State, well: Callable[[Check], bool], *, had: bool, late: bool) -> bool:
        """Whether an alarm is to be given: it is kept until it is well twice, begins where it was well or should long be."""
        if self.verdict.state == state and len(self._run_of(well)) < AGREE:
            return True
        return len(ill) >= self._agreeing(late) and (had or late)

    def _agreeing(self, late: bool = False) -> int:
        """How many measurements in a row must agree that something is wrong."""
        return AGREE if self._is_late() or late else AGREE_EARLY

    def _well(self) -> Verdict | None:
        """All that can be measured is done."""
        well = self._run_of(lambda check: not self._lacks(check))
        if len(well) < AGREE:
            return None
        back = self._fell or self.verdict.state == "recovered"
        start = "It is back" if back else self._fine
        return self._verdict("recovered" if back else "healthy", well, f"{start}: {self._told(self._last)}.", [])

    def _well_but_for_now(self) -> Verdict | None:
        """What was well lacks something at fewer measurements in a row than an alarm would take."""
        if self.verdict.state not in ("healthy", "recovered"):
            return None
        lacking = self._run_of(lambda check: bool(self._lacks(check)))
        return self._still() if len(lacking) < self._agreeing() else None

    def _learning(self) -> Verdict:
        if len(self._checks) < AGREE:
            return self._verdict("starting", [self._last], NOTHING_YET, [])
        lacking = self._run_of(lambda check: bool(self._lacks(check))) or [self._last]
        what = self._lacks(self._last) or "all is well at this measurement, and two must agree"
        return self._verdict("learning", lacking, f"{self._learner} is still learnt: {what}.", [])

    _fine, _learner = "Nothing is wrong", "It"

    # --- what is said ---

    def _still(self) -> Verdict:
        """A state that is kept although this very measurement does not give it."""
        return replace(self.verdict, round=self._last.round)

    def _verdict(self, state: State, since: list[Check], sentence: str, evidence: list[Evidence]) -> Verdict:
        before = self.verdict
        onset = since[0].round if since else self._last.round
        if state == before.state and before.onset_round is not None:
            onset = before.onset_round
        alarm = bool(evidence)
        suspect = self._suspect(onset) if alarm else None
        if suspect:
            sentence = f"Just after {suspect.label} at round {suspect.round:,}: {sentence}"
        causes = (state,) if alarm else ()
        return Verdict(state, self._last.round, onset, None, sentence, tuple(evidence), causes, suspect=suspect)

    def _evidence(self, name: str, value: float, relation: str, threshold: float) -> Evidence:
        return Evidence(name, self.LABELS[name], value, ">" if relation == ">" else "<", threshold)

    def _suspect(self, onset: int) -> LiveChange | None:
        return suspect_of(self._turned, [check.round for check in self._checks], onset)

    def _adopt(self, new: Verdict) -> None:
        if new.state != self.verdict.state:
            self.changes.append(new)
        self._fell = (self._fell or new.alarming) and new.state not in ("healthy", "recovered")
        self.verdict = new

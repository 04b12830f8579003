"""The verdict: what a run's curves say, in one word, with the round at which it began and the numbers that say so.

`verdict` is a pure function of what was recorded: the columns of the ``turns`` and ``diagnostics`` tracks. `Judge` is the
same bit by bit, for a run that trains: it is told rounds and measurements as they come, and does the same to each.

A verdict has two sides, coverage and quality (`gan_core.metrics.appearance`): "healthy" and "recovered" are said only
where both are near real data, and what lies between is called by what its picture shows. Where quality is not measured
nothing is claimed of it. A low breadth alone says nothing: a collapse is the loss of a breadth that was there, or, long
after the start, a breadth that is low and does not grow. Two measurements in a row must agree, and it takes more to leave
a state than to stay in it, so that the verdict does not flicker. What is measured, and what the rules ask of it, is in
`gan_core.metrics.course`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from gan_core.metrics.course import (
    AGREE,
    BROAD,
    COLLAPSED,
    FALLEN,
    FAR_AWAY,
    FAR_SCORES,
    FAR_TOO_WIDE,
    LOST,
    NARROW,
    PATIENT_CHECKS,
    REGAINED,
    SURE_FAKE,
    SURE_REAL,
    TINY_GRADIENT,
    VANISHED_FAKE,
    Check,
    Course,
    Facts,
    LiveChange,
    Signal,
    is_low,
)
from gan_core.metrics.states import ALARMS, LOSSES, Evidence, State, Verdict
from gan_core.metrics.telling import LABELS, Telling

FAR_CHECKS = 3
SWING, SWING_DIP, SWING_CHECKS = 0.3, -0.4, 16  # in real standard deviations; a correlation; measurements
R_V, BY_HEART, NOT_BY_HEART = "d_overfitting", 0.5, 0.4  # it takes more to say so than to keep to it
BY_HEART_CHECKS = 3  # with twenty pictures held out r_v moves by a tenth by chance

NOTHING_YET = "Nothing can be said before a few measurements."


def verdict(
    turns: Mapping[str, np.ndarray],
    diagnostics: Mapping[str, np.ndarray],
    facts: Facts,
    changes: Iterable[LiveChange] = (),
) -> Verdict:
    """Return the verdict at the last measurement of a run.

    ``turns`` and ``diagnostics`` are columns (n,) by name, a column ``round`` among them, as the tracks hold them. NaN
    is a number that was not measured. Columns that a run does not have are not asked for: without labels the same
    rules judge by what needs none. ``changes`` are what was turned while the run trained. For all verdicts on the way see
    `judged`.
    """
    return judged(turns, diagnostics, facts, changes).verdict


def judged(
    turns: Mapping[str, np.ndarray],
    diagnostics: Mapping[str, np.ndarray],
    facts: Facts,
    changes: Iterable[LiveChange] = (),
) -> Judge:
    """Return a judge that has seen a whole run; ``changes`` are its verdicts whenever the state changed."""
    judge = Judge(facts)
    judge.add_turns(turns)
    for change in changes:
        judge.add_change(change)
    names = [name for name in diagnostics if name != "round"]
    for index, round in enumerate(diagnostics.get("round", ())):
        judge.add_check(int(round), {name: float(diagnostics[name][index]) for name in names})
    return judge


class Judge:
    """The verdict of a run that is still told of. Tell it the rounds before the measurement that follows them."""

    def __init__(self, facts: Facts) -> None:
        self.verdict = Verdict("starting", 0, sentence=NOTHING_YET)
        self.changes: list[Verdict] = []
        self.healthy_round: int | None = None  # the last measurement at which nothing was wrong
        self._course = Course(facts)
        self._say = Telling(self._course)
        self._fell = False

    @property
    def facts(self) -> Facts:
        """May be replaced while nothing has been measured: what real data reads is known later than the run begins."""
        return self._course.facts

    @facts.setter
    def facts(self, facts: Facts) -> None:
        self._course.facts = facts

    def add_turns(self, turns: Mapping[str, np.ndarray]) -> None:
        """Rounds in order: columns (n,), ``round`` among them."""
        self._course.add_turns(turns)

    def add_change(self, change: LiveChange) -> None:
        """Something that was turned while the run trained; before the measurements after it."""
        self._course.changes.append(change)

    def add_check(self, round: int, numbers: Mapping[str, float]) -> Verdict:
        """A measurement; returns the verdict at it. One that is not after the last says nothing new."""
        if self._course.add(round, numbers):
            self._decide()
        return self.verdict

    def set_diverged(self, round: int, sentence: str) -> Verdict:
        """The run itself ended because a number was not finite."""
        suspect = self._course.suspect(round)
        picture = self._last.picture if self._course.checks else "unknown"
        self._adopt(Verdict("diverged", round, round, None, sentence, (), ("diverged",), picture, suspect))
        return self.verdict

    # --- the rules, in the order of their precedence; each says what it sees, or None ---

    def _decide(self) -> None:
        rules: tuple[Callable[[], Verdict | None], ...] = (
            self._without_gradient,
            self._flown_away,
            self._collapse,
            self._stuck,
            self._broken,
            self._narrowing,
            self._overpowered,
            self._oscillating,
            self._by_heart,
            self._well,
            self._varied,
        )
        found = next((said for rule in rules if (said := rule()) is not None), None) or self._described()
        self._adopt(found)
        if not found.alarming and not self._course.is_narrow(self._last):
            self.healthy_round = self._last.round

    def _column(self, signal: Signal) -> str:
        return self._course.facts.columns.get(signal, signal)

    def _without_gradient(self) -> Verdict | None:
        """D throws out all that G makes, and G's loss is flat there."""
        vanished = self._course.run_of(self._course.has_no_gradient)
        calm = self._course.run_of(lambda check: not self._course.has_no_gradient(check))
        stays = self.verdict.state == "vanishing_gradient" and len(calm) < AGREE
        if not stays and (len(vanished) < AGREE + 1 or self._course.is_broad()):
            return None
        if not vanished:
            return self._still()
        gradient, fake = self._course.read(self._last, "maker_gradient", "judge_fake")
        evidence = [
            Evidence(self._column("maker_gradient"), "G's gradient norm", gradient, "<", TINY_GRADIENT),
            Evidence(self._column("judge_fake"), "D(G(z))", fake, "<", VANISHED_FAKE),
        ]
        sentence = (
            f"D rejects every generated sample (D(G(z)) = {fake:.2g}), and where it is that sure its curve is flat: "
            f"a gradient of {gradient:.2g} tells G nothing about where to go."
        )
        return self._verdict("vanishing_gradient", vanished, sentence, evidence, ("vanishing",))

    def _flown_away(self) -> Verdict | None:
        """The samples or the numbers have left the place where real data is, and stay away."""
        away = self._course.run_of(self._course.is_far_away)
        stays = self.verdict.state == "diverged" and not self._course.is_broad()
        if not stays and (len(away) < FAR_CHECKS or len(self._course.checks) <= PATIENT_CHECKS):
            return None
        if not away:
            return self._still()
        far, wide = float(np.linalg.norm(self._last.middle)), self._last.numbers.get("std_ratio", np.nan)
        apart = self._course.score_gap(self._last)
        evidence = [
            Evidence(self._column("judge_real"), "scores of real and generated data apart", apart, ">", FAR_SCORES)
        ]
        sentence = (
            f"D's scores grow without bound: real and generated data are {apart:.3g} apart, and nothing holds them."
        )
        if not apart > FAR_SCORES:
            evidence = [Evidence("center_1", "distance of the middle from real data", far, ">", FAR_AWAY)]
            if wide > FAR_TOO_WIDE:
                evidence = [Evidence("std_ratio", LABELS["std_ratio"], wide, ">", FAR_TOO_WIDE)]
            sentence = "The generated samples have flown far away from the data, and nothing pulls them back."
        return self._verdict("diverged", away, sentence, evidence, ("diverged",))

    def _collapse(self) -> Verdict | None:
        """A breadth that was there is lost; it counts until it is back, or grows no more."""
        course = self._course
        spreads = course.is_broad() and not course.grows()
        stays = self.verdict.state == "collapsed" and not course.is_whole() and not spreads and not course.scatters()
        if not stays and not (course.reached and len(course.run_of(course.is_lost)) >= course.agreed()):
            return None
        return self._collapsed()

    def _stuck(self) -> Verdict | None:
        """Long after the start the breadth is low and does not grow, or the samples hop and go nowhere."""
        course = self._course
        low = course.run_of(course.is_lost)
        if course.reached or len(low) < AGREE or not course.is_late() or (course.grows() and not course.hops()):
            return None
        return self._overpowered(low) or self._collapsed()

    def _broken(self) -> Verdict | None:
        """A quality that was there is lost; it counts until it is back."""
        course = self._course
        broken = course.run_of(course.is_broken)
        back = course.run_of(lambda check: check.sides.good >= REGAINED * course.best)
        stays = self.verdict.state == "broken" and len(back) < AGREE
        if not stays and len(broken) < course.agreed():
            return None
        evidence = self._say.poor(LOST * course.best) or self._say.poor(REGAINED * course.best)
        if not evidence:  # for a moment it is as good as it was
            return self._still()
        lost = (
            "G had samples near the data, and they are no longer" if broken else "G's samples are not yet as good again"
        )
        return self._verdict("broken", broken, f"{lost}: {self._say.quality()}.", evidence, ("broken",))

    def _narrowing(self) -> Verdict | None:
        course = self._course
        narrow = course.run_of(course.is_narrow)
        had = self.verdict.state in ("narrowing", "collapsed")
        stays = had and not course.is_whole() and not course.scatters()
        partial = not course.reached and course.is_late(2) and not course.grows()
        if not stays and not ((course.reached or partial) and len(narrow) >= course.agreed()):
            return None
        evidence = self._say.low_parts(NARROW) or self._say.fewer_modes(FALLEN) or self._say.not_whole()
        sentence = f"G's samples are losing variety: {self._say.variety()}."
        if not course.is_narrow(self._last):
            sentence = f"A part of what G had is still missing: {self._say.variety()}."
        if not course.reached:
            sentence = f"G covers only a part of the data and no longer spreads: {self._say.variety()}."
        return self._verdict("narrowing", narrow, sentence, evidence, ("collapsed",))

    def _overpowered(self, stuck: list[Check] | None = None) -> Verdict | None:
        """Nothing escapes D, and G does not get anywhere."""
        sure = self._course.run_of(self._course.is_sure)
        stays = self.verdict.state == "d_too_strong" and bool(sure) and not self._course.is_broad()
        if not stays and (not stuck or len(sure) < AGREE + 1):
            return None
        real, fake = self._course.read(self._last, "judge_real", "judge_fake")
        evidence = [
            Evidence(self._column("judge_real"), "D(x)", real, ">", SURE_REAL),
            Evidence(self._column("judge_fake"), "D(G(z))", fake, "<", SURE_FAKE),
        ]
        sentence = (
            f"D knows real from generated at once (D(x) = {real:.2f}, D(G(z)) = {fake:.2f}), "
            f"and G does not catch up: {self._say.variety()}."
        )
        return self._verdict("d_too_strong", sure, sentence, evidence, ("d_too_strong",))

    def _oscillating(self) -> Verdict | None:
        """The samples are broad enough, but their middle swings around that of the data."""
        recent = self._course.run_of(lambda check: check.breadth >= COLLAPSED and len(check.middle) > 0)[-SWING_CHECKS:]
        if len(recent) < SWING_CHECKS or not self._course.reached:
            return None
        path = np.array([check.middle for check in recent])
        half = SWING_CHECKS // 2
        swing, dip = min(_swing(path[:half])[0], _swing(path[half:])[0]), _swing(path)[1]
        relaxed = 0.6 if self.verdict.state == "oscillating" else 1.0
        if not (swing > relaxed * SWING and dip < relaxed * SWING_DIP):
            return None
        evidence = [
            Evidence("center_1", "swing of the middle, in real standard deviations", swing, ">", SWING),
            Evidence("center_1", "correlation with itself half a swing later", dip, "<", SWING_DIP),
        ]
        sentence = (
            f"G and D chase each other: the middle of the samples swings by {swing:.2f} real standard deviations "
            "around the data instead of settling."
        )
        return self._verdict("oscillating", recent, sentence, evidence, ("oscillating",))

    def _by_heart(self) -> Verdict | None:
        """D knows its few pictures by heart; where classes are known, what becomes of them says more."""
        known = self._course.run_of(lambda check: check.numbers.get(R_V, np.nan) > BY_HEART)
        well = self._course.run_of(lambda check: not check.numbers.get(R_V, np.nan) > NOT_BY_HEART)
        stays = self.verdict.state == "memorising" and len(well) < AGREE
        if "effective_modes" in self._last.numbers or (not stays and len(known) < BY_HEART_CHECKS):
            return None
        r_v = self._last.numbers.get(R_V, np.nan)
        if not r_v > NOT_BY_HEART:
            return self._still()
        sentence = (
            f"D knows its pictures by heart: it puts held-out ones {r_v:.0%} of the way from those to generated ones, and "
            "tells G no more how such pictures look. Augment what D sees, or bring more pictures."
        )
        bound = BY_HEART if r_v > BY_HEART else NOT_BY_HEART
        return self._verdict("memorising", known, sentence, [Evidence(R_V, "r_v", r_v, ">", bound)])

    def _well(self) -> Verdict | None:
        """Both sides are near real data."""
        well = self._course.run_of(lambda check: check.picture == "real")
        if len(well) < AGREE:
            return None
        back = self.verdict.state == "recovered" or (self.verdict.alarming and self._fell)
        start = "It is back" if back else "Nothing is wrong"
        return self._verdict(
            "recovered" if back else "healthy", well, f"{start}: {self._say.variety()}, {self._say.quality()}.", ()
        )

    def _varied(self) -> Verdict | None:
        """The data are covered, and nothing can be said of quality."""
        if np.isfinite(self._last.sides.good):
            return None
        course = self._course
        broad = course.run_of(lambda check: check.breadth >= BROAD)
        stays = self.verdict.state == "varied" and course.reached
        if len(broad) < AGREE and not stays:
            return None
        back = "It is back" if self.verdict.alarming and self._fell else "Nothing is missing"
        sentence = f"{back}: {self._say.variety()}; how good the samples are is not measured."
        if len(broad) < AGREE:
            sentence = f"{self._say.variety(capital=True)}; how good the samples are is not measured."
        return self._verdict("varied", broad or [self._last], sentence, ())

    def _described(self) -> Verdict:
        """Neither well nor ill: what its picture shows."""
        course = self._course
        picture = self._last.picture
        if picture in ("unknown", "varied", "real"):  # of a state that two measurements have to agree on
            if len(course.checks) <= 3:
                return self._verdict("starting", [self._last], NOTHING_YET, ())
            if picture != "real":
                return self._verdict(
                    "learning", [self._last], f"G is still spreading over the data: {self._say.variety()}.", ()
                )
            picture = "spread"
        alike = course.run_of(lambda check: check.picture == picture) or [self._last]
        if self.verdict.alarming:  # whose picture may have been the same
            alike = alike[-1:]
        return self._verdict(cast(State, picture), alike, self._say.looks_like(picture), ())

    # --- what is said ---

    @property
    def _last(self) -> Check:
        return self._course.last

    def _still(self) -> Verdict:
        """A state that is kept although nothing says so at this very measurement."""
        return replace(self.verdict, round=self._last.round, picture=self._last.picture)

    def _collapsed(self) -> Verdict:
        variety = self._say.variety()
        causes = ["collapsed"]
        evidence = self._say.low_parts(COLLAPSED) or self._say.not_whole()
        if self._course.hops():
            causes = ["rotating"]
            sentence = (
                f"G makes one mode at a time and hops from one to the next: {variety}.{self._say.looks_balanced()}"
            )
            share = self._last.numbers.get("largest_share", np.nan)
            if np.isfinite(share):
                evidence.append(Evidence("largest_share", LABELS["largest_share"], share, ">", 0.5))
        elif self._last.breadth >= BROAD:
            again = " again" if self._course.reached else ""
            sentence = f"G spreads{again}, and is not whole yet: {variety}."
        elif self._last.picture in ("one_point", "one_picture"):
            had = self._course.reached and self._course.had_modes
            before = "G has lost what it had" if had else "G has not spread over the data"
            sentence = f"{self._say.looks_like(self._last.picture).removesuffix('.')}: {before}."
        elif self._last.worst == "class_diversity":
            sentence = f"The classes are there, but inside each of them all samples are nearly alike: {variety}."
        elif self._course.reached:
            sentence = f"G has lost what it had: {variety}."
        elif is_low(self._last) and not self._course.grows():
            sentence = f"G has not spread over the data, and has stopped trying: {variety}."
        else:
            sentence = f"G has not spread over all of the data yet: {variety}."
        return self._verdict("collapsed", self._course.began(is_low), sentence, evidence, tuple(causes))

    def _verdict(
        self,
        state: State,
        since: Sequence[Check],
        sentence: str,
        evidence: Sequence[Evidence],
        causes: tuple[str, ...] = (),
    ) -> Verdict:
        before = self.verdict
        onset = since[0].round if since else self._last.round
        first = None
        if state in ("narrowing", "collapsed") and self._course.reached:
            narrow = self._course.run_of(self._course.is_narrow)
            first = min(onset, narrow[0].round) if narrow else onset
            if before.state in ("narrowing", "collapsed") and before.first_sign is not None:
                first = min(first, before.first_sign)
        if state == before.state:
            onset, first = before.onset_round if before.onset_round is not None else onset, before.first_sign
        suspect = self._course.suspect(onset if first is None else first) if state in ALARMS else None
        if suspect:
            sentence = f"Just after {suspect.label} at round {suspect.round:,}: {sentence}"
        return Verdict(
            state, self._last.round, onset, first, sentence, tuple(evidence), causes, self._last.picture, suspect
        )

    def _adopt(self, new: Verdict) -> None:
        if new.state != self.verdict.state:
            self._fell = new.state in LOSSES
            if new.state == "recovered":
                self._course.most_modes = self._course.had_modes = 0.0
            self.changes.append(new)
        self.verdict = new


def _swing(path: np.ndarray) -> tuple[float, float]:
    """How far a path (n, k) swings about its own straight line, and its deepest correlation with itself later.

    A path that wanders or settles has no lag at which it is the opposite of itself; one that circles has.
    """
    time = np.arange(len(path)) - (len(path) - 1) / 2
    rest = path - path.mean(axis=0)
    rest = rest - np.outer(time, time @ rest) / (time @ time)
    power = float((rest**2).sum())
    if not power > 0:
        return 0.0, 0.0
    lags = range(1, len(path) // 2 + 1)
    dip = min(float((rest[lag:] * rest[:-lag]).sum()) / power * len(path) / (len(path) - lag) for lag in lags)
    return float(np.sqrt(power / len(path))), dip

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
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from gan_core.metrics.appearance import FRECHET, HIGH, UNSURE, Picture, reading
from gan_core.metrics.course import (
    AGREE,
    BACK,
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
    SHAPELESS,
    SURE_FAKE,
    SURE_REAL,
    TINY_GRADIENT,
    VANISHED_FAKE,
    Check,
    Course,
    Facts,
    LiveChange,
    is_low,
)

State = Literal[
    "starting",
    "learning",
    "beside",
    "cloud",
    "noise",
    "one_point",
    "one_picture",
    "spread",
    "part",
    "varied",
    "healthy",
    "recovered",
    "narrowing",
    "collapsed",
    "broken",
    "d_too_strong",
    "vanishing_gradient",
    "oscillating",
    "diverged",
]
Tone = Literal["quiet", "fair", "good", "warning", "alarm"]

TITLES: dict[State, tuple[str, Tone]] = {
    "starting": ("Starting", "quiet"),
    "learning": ("Learning", "fair"),
    "beside": ("Beside the data", "fair"),
    "cloud": ("A cloud", "fair"),
    "noise": ("Not recognisable", "fair"),
    "one_point": ("One point", "fair"),
    "one_picture": ("One picture", "fair"),
    "spread": ("Spread, not sharp yet", "fair"),
    "part": ("Sharp, a part missing", "fair"),
    "varied": ("Varied", "fair"),
    "healthy": ("Healthy", "good"),
    "recovered": ("Recovered", "good"),
    "narrowing": ("Narrowing", "warning"),
    "collapsed": ("Collapsed", "alarm"),
    "broken": ("Broken", "alarm"),
    "d_too_strong": ("D too strong", "alarm"),
    "vanishing_gradient": ("G's gradient vanishes", "alarm"),
    "oscillating": ("Oscillating", "warning"),
    "diverged": ("Diverged", "alarm"),
}
STATES: dict[State, str] = {state: title for state, (title, _) in TITLES.items()}
"""Every state with its title, from the first that a run can be in to the worst."""

ALARMS: frozenset[State] = frozenset(state for state, (_, tone) in TITLES.items() if tone in ("warning", "alarm"))
BEGINNING: tuple[State, ...] = (
    "starting",
    "learning",
    "beside",
    "cloud",
    "noise",
    "one_point",
    "one_picture",
    "spread",
    "part",
)
"""No news, for every run begins so."""
LOSSES: tuple[State, ...] = ("narrowing", "collapsed", "broken")

AT_EQUILIBRIUM = 0.1  # of D's loss at equilibrium: so near it lies
FAR_CHECKS = 3
SWING, SWING_DIP, SWING_CHECKS = 0.3, -0.4, 16  # in real standard deviations; a correlation; measurements

NOTHING_YET = "Nothing can be said before a few measurements."
LABELS = {
    "std_ratio": "spread over that of real data",
    "vendi_score": "Vendi score",
    "effective_modes": "effective modes",
    "class_diversity": "diversity inside the classes",
    "largest_share": "share of the fullest mode",
    "high_quality_share": "share of the samples on a mode",
    "precision": "share of the samples among real ones",
    "density": "density of real samples where they lie",
    "unsure_share": "share of no class",
    "frechet_distance": "Fréchet distance",
    "mmd2": "squared MMD",
}


CURES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "collapsed": (("r1", "wgan_gp", "minibatch_stddev", "packing_4"), ("wgan_gp_10", "spectral_norm")),
    "rotating": (("two_time_scales", "unrolled_10"), ("wgan_gp_10",)),
    "vanishing": (("non_saturating", "wgan_gp"), ("non_saturating", "wgan_gp_10")),
    "d_too_strong": (("r1", "wgan_gp"), ("wgan_gp_10",)),
    "oscillating": (("r1", "wgan_gp"), ("wgan_gp_10",)),
    "broken": (("r1", "wgan_gp"), ("wgan_gp_10", "spectral_norm")),
    "diverged": (("wgan_gp", "clipping"), ("wgan_gp_10",)),
}
"""What to try, by cause: named change-sets of the configuration, first for points, then for images. The most likely first."""


@dataclass(frozen=True)
class Evidence:
    """One number that crossed a threshold: ``name`` is its column, ``relation`` how it stands to the threshold."""

    name: str
    label: str
    value: float
    relation: Literal["<", ">"]
    threshold: float


@dataclass(frozen=True)
class Verdict:
    """What a run is like at ``round``.

    ``onset_round`` is when the state began, known only afterwards; None before there is one. ``first_sign`` is when the
    breadth began to fall, at or before the onset. ``causes`` names what the cures are chosen by. ``picture`` is what the
    samples look like at ``round``, whatever else is wrong; ``suspect`` is a live change shortly before the onset, and its
    undo the first cure.
    """

    state: State
    round: int
    onset_round: int | None = None
    first_sign: int | None = None
    sentence: str = ""
    evidence: tuple[Evidence, ...] = ()
    causes: tuple[str, ...] = ()
    picture: Picture = "unknown"
    suspect: LiveChange | None = None

    @property
    def title(self) -> str:
        return STATES[self.state]

    @property
    def alarming(self) -> bool:
        return self.state in ALARMS

    def cures(self, *, images: bool) -> tuple[str, ...]:
        """The names of the change-sets to try, the most likely first; none where nothing is wrong."""
        return tuple(dict.fromkeys(name for cause in self.causes for name in CURES[cause][images]))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        told = {"title": self.title, "tone": TITLES[self.state][1]}
        return {**asdict(self), **told, "alarming": self.alarming}


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
            self._well,
            self._varied,
        )
        found = next((said for rule in rules if (said := rule()) is not None), None) or self._described()
        self._adopt(found)
        if not found.alarming and not self._course.is_narrow(self._last):
            self.healthy_round = self._last.round

    def _without_gradient(self) -> Verdict | None:
        """D throws out all that G makes, and G's loss is flat there."""
        vanished = self._course.run_of(self._course.has_no_gradient)
        calm = self._course.run_of(lambda check: not self._course.has_no_gradient(check))
        stays = self.verdict.state == "vanishing_gradient" and len(calm) < AGREE
        if not stays and (len(vanished) < AGREE + 1 or self._course.is_broad()):
            return None
        if not vanished:
            return self._still()
        gradient, fake = (self._last.play.get(name, np.nan) for name in ("G.grad_norm", "D.fake"))
        evidence = [
            Evidence("G.grad_norm", "G's gradient norm", gradient, "<", TINY_GRADIENT),
            Evidence("D.fake", "D(G(z))", fake, "<", VANISHED_FAKE),
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
        apart = self._last.score_gap
        evidence = [Evidence("D.real", "scores of real and generated data apart", apart, ">", FAR_SCORES)]
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
        stays = self.verdict.state == "collapsed" and not course.is_whole() and not spreads
        if not stays and not (course.reached and len(course.run_of(is_low)) >= course.agreed()):
            return None
        return self._collapsed()

    def _stuck(self) -> Verdict | None:
        """Long after the start the breadth is low and does not grow, or the samples hop and go nowhere."""
        course = self._course
        low = course.run_of(is_low)
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
        evidence = self._poor(LOST * course.best) or self._poor(REGAINED * course.best)
        if not evidence:  # for a moment it is as good as it was
            return self._still()
        lost = (
            "G had samples near the data, and they are no longer" if broken else "G's samples are not yet as good again"
        )
        return self._verdict("broken", broken, f"{lost}: {self._quality()}.", evidence, ("broken",))

    def _narrowing(self) -> Verdict | None:
        course = self._course
        narrow = course.run_of(course.is_narrow)
        stays = self.verdict.state in ("narrowing", "collapsed") and not course.is_whole()
        partial = not course.reached and course.is_late(2) and not course.grows()
        if not stays and not ((course.reached or partial) and len(narrow) >= course.agreed()):
            return None
        evidence = self._low_parts(NARROW) or self._fewer_modes(FALLEN) or self._not_whole()
        sentence = f"G's samples are losing variety: {self._variety()}."
        if not course.is_narrow(self._last):
            sentence = f"A part of what G had is still missing: {self._variety()}."
        if not course.reached:
            sentence = f"G covers only a part of the data and no longer spreads: {self._variety()}."
        return self._verdict("narrowing", narrow, sentence, evidence, ("collapsed",))

    def _overpowered(self, stuck: list[Check] | None = None) -> Verdict | None:
        """Nothing escapes D, and G does not get anywhere."""
        sure = self._course.run_of(self._course.is_sure)
        stays = self.verdict.state == "d_too_strong" and bool(sure) and not self._course.is_broad()
        if not stays and (not stuck or len(sure) < AGREE + 1):
            return None
        real, fake = (self._last.play.get(name, np.nan) for name in ("D.real", "D.fake"))
        evidence = [
            Evidence("D.real", "D(x)", real, ">", SURE_REAL),
            Evidence("D.fake", "D(G(z))", fake, "<", SURE_FAKE),
        ]
        sentence = (
            f"D knows real from generated at once (D(x) = {real:.2f}, D(G(z)) = {fake:.2f}), "
            f"and G does not catch up: {self._variety()}."
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

    def _well(self) -> Verdict | None:
        """Both sides are near real data."""
        well = self._course.run_of(lambda check: check.picture == "real")
        if len(well) < AGREE:
            return None
        back = self.verdict.state == "recovered" or (self.verdict.alarming and self._fell)
        start = "It is back" if back else "Nothing is wrong"
        return self._verdict(
            "recovered" if back else "healthy", well, f"{start}: {self._variety()}, {self._quality()}.", ()
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
        sentence = f"{back}: {self._variety()}; how good the samples are is not measured."
        if len(broad) < AGREE:
            sentence = f"{self._variety(capital=True)}; how good the samples are is not measured."
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
                    "learning", [self._last], f"G is still spreading over the data: {self._variety()}.", ()
                )
            picture = "spread"
        alike = course.run_of(lambda check: check.picture == picture) or [self._last]
        return self._verdict(cast(State, picture), alike, self._looks_like(picture), ())

    def _looks_like(self, picture: Picture) -> str:
        """The sentence of a picture, with the numbers that say so."""
        far = float(np.linalg.norm(self._last.middle))
        sentences = {
            "beside": f"All samples lie beside the data: their middle is {far:.1f} real standard deviations away.",
            "cloud": f"The shape of the data cannot be seen: {self._quality()}.",
            "noise": f"Nothing can be recognised yet: {self._quality()}.",
            "one_point": "All samples lie at one point.",
            "one_picture": "All samples are nearly one and the same picture.",
            "spread": f"Spread over the data, and not sharp yet: {self._variety()}; {self._quality()}.",
            "part": f"Sharp, and a part of the data is missing: {self._variety()}; {self._quality()}.",
        }
        return sentences[picture]

    # --- what is said ---

    @property
    def _last(self) -> Check:
        return self._course.last

    def _still(self) -> Verdict:
        """A state that is kept although nothing says so at this very measurement."""
        return replace(self.verdict, round=self._last.round, picture=self._last.picture)

    def _collapsed(self) -> Verdict:
        variety = self._variety()
        causes = ["collapsed"]
        evidence = self._low_parts(COLLAPSED) or self._not_whole()
        if self._course.hops():
            causes = ["rotating"]
            sentence = f"G makes one mode at a time and hops from one to the next: {variety}.{self._looks_balanced()}"
            share = self._last.numbers.get("largest_share", np.nan)
            if np.isfinite(share):
                evidence.append(Evidence("largest_share", LABELS["largest_share"], share, ">", 0.5))
        elif self._last.breadth >= BROAD:
            sentence = f"G spreads again, and is not whole yet: {variety}."
        elif self._last.picture in ("one_point", "one_picture"):
            before = "G has lost what it had" if self._course.had_modes else "G has not spread over the data"
            sentence = f"{self._looks_like(self._last.picture).removesuffix('.')}: {before}."
        elif self._last.worst == "class_diversity":
            sentence = f"The classes are there, but inside each of them all samples are nearly alike: {variety}."
        elif self._course.reached:
            sentence = f"G has lost what it had: {variety}."
        else:
            sentence = f"G has not spread over the data, and has stopped trying: {variety}."
        return self._verdict("collapsed", self._course.began(is_low), sentence, evidence, tuple(causes))

    def _looks_balanced(self) -> str:
        """The sentence that a class must read: the losses say equilibrium, the samples say otherwise."""
        play, calm = self._last.play, self.facts.equilibrium.get("D.loss")
        loss = play.get("D.loss", np.nan)
        if calm is None or not abs(loss - calm) < AT_EQUILIBRIUM:
            return ""
        said = (
            f" The losses look like equilibrium and are not: D's loss is {loss:.2f}, as when D cannot tell ({calm:.2f})"
        )
        if self.facts.output == "probability":
            said += f", and D(x) = {play.get('D.real', np.nan):.2f}"
        return f"{said}. D is one step behind, wherever G goes."

    def _variety(self, *, capital: bool = False) -> str:
        """How varied the samples are, in the number that says it worst."""
        parts = self._last.parts
        worst = self._last.worst
        if worst is None:
            return "There is nothing to measure" if capital else "there is nothing to measure"
        modes = self._last.numbers.get("effective_modes", 0.0)
        most = self._course.had_modes * self.facts.floors.get("effective_modes", 0.0)
        missing = parts.get("effective_modes", 1.0) < max(BROAD, BACK * self._course.most_modes)
        if self.facts.num_modes and (worst == "effective_modes" or missing):
            had = f", it had {most:.1f}" if most > 1.25 * modes else ""
            shown = self._last.picture not in SHAPELESS
            return f"{'' if shown else 'around '}{modes:.1f} effective modes of {self.facts.num_modes}{had}"
        share = min(1.0, parts[worst])
        what = {"std_ratio": "spread", "vendi_score": "variety", "class_diversity": "variety inside the classes"}
        of = parts[worst] / (2 if worst == "class_diversity" else 1)
        return (
            f"{min(1.0, of):.0%} of the {what.get(worst, 'modes')} of real data"
            if share < 1
            else "as varied as real data"
        )

    def _quality(self) -> str:
        """How good the samples are, in the measure that says it worst."""
        numbers, quality = self._last.numbers, self._last.sides.quality
        worst = min(quality, key=quality.__getitem__, default="")
        if worst == HIGH:
            on = numbers[HIGH]
            return (
                f"{on:.0%} of the samples are on a mode"
                if on >= 0.5
                else f"{1 - on:.0%} of the samples are off every mode"
            )
        if worst in ("precision", "density"):
            # Samples can lie among real ones, and only where these are few.
            return f"they lie among real ones to {quality[worst]:.0%}"
        if worst == UNSURE:
            return f"{numbers[UNSURE]:.0%} of the samples are of no class"
        if worst == FRECHET:
            times = numbers[FRECHET] / self.facts.floors[FRECHET]
            return f"the Fréchet distance is {max(1.0, times):.1f} times that of real samples"
        if worst == "mmd2":
            return f"squared MMD is {numbers['mmd2']:.2g}, of real samples {self.facts.floors['mmd2']:.2g}"
        return "how good the samples are is not measured"

    def _poor(self, limit: float) -> list[Evidence]:
        """The measures of quality below ``limit``."""
        found = []
        for name, good in self._last.sides.quality.items():
            if good < limit:
                threshold, more = reading(name, limit, self.facts.floors)
                value = self._last.numbers[name]
                found.append(Evidence(name, LABELS[name], value, ">" if more else "<", threshold))
        return found

    def _low_parts(self, threshold: float) -> list[Evidence]:
        low = [name for name, part in self._last.parts.items() if part < threshold]
        return [self._evidence(name, threshold) for name in sorted(low, key=self._last.parts.__getitem__)]

    def _fewer_modes(self, share: float) -> list[Evidence]:
        """Whether there are fewer modes than this share of the most so far."""
        threshold = share * self._course.most_modes
        few = self._last.parts.get("effective_modes", 1.0) < threshold
        return [self._evidence("effective_modes", threshold)] if few else []

    def _not_whole(self) -> list[Evidence]:
        return self._low_parts(BROAD) or self._fewer_modes(BACK)

    def _evidence(self, name: str, share: float) -> Evidence:
        scale = 0.5 if name == "class_diversity" else 1.0
        return Evidence(name, LABELS[name], self._last.numbers[name], "<", scale * share * self.facts.floors[name])

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

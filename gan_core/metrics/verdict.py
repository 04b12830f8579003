"""The verdict: what a run's curves say, in one word, with the round at which it began and the numbers that say so.

`verdict` is a pure function of what was recorded: the columns of the ``turns`` and ``diagnostics`` tracks. `Judge` is the
same bit by bit, for a run that trains: it is told rounds and measurements as they come, and does the same to each.

Everything about samples is relative to real data, so that one set of rules serves all data sets. At the heart is the
*breadth* of a measurement: the smallest of the spread, the Vendi score and the number of effective modes, each over
what real samples read. It is 1 for a perfect generator, 1/K for one that makes a single one of K modes, and near 0 for
one that has just begun. So a low breadth alone says nothing: a collapse is the loss of a breadth that was there, or,
long after the start, a breadth that is low and does not grow. Two measurements in a row must agree, and it takes more
to leave a state than to stay in it, so that the verdict does not flicker.

The thresholds come from rings, grids and lines of Gaussians and from digits, on seeds 0 to 9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise, takewhile
from typing import Any, Literal, NamedTuple

import numpy as np

State = Literal[
    "starting",
    "learning",
    "healthy",
    "narrowing",
    "collapsed",
    "recovered",
    "d_too_strong",
    "vanishing_gradient",
    "oscillating",
    "diverged",
]

STATES: dict[State, str] = {
    "starting": "Starting",
    "learning": "Learning",
    "healthy": "Healthy",
    "narrowing": "Narrowing",
    "collapsed": "Collapsed",
    "recovered": "Recovered",
    "d_too_strong": "D too strong",
    "vanishing_gradient": "G's gradient vanishes",
    "oscillating": "Oscillating",
    "diverged": "Diverged",
}
"""Every state with its title, from the first that a run can be in to the worst."""

ALARMS: frozenset[State] = frozenset(
    {"narrowing", "collapsed", "d_too_strong", "vanishing_gradient", "oscillating", "diverged"}
)

BROAD = 0.75  # breadth from which a generator has reached the data
NARROW = 0.65
COLLAPSED = 0.5  # half of the modes
FALLEN, BACK = 0.78, 0.87  # of the most effective modes so far: two of eight lost, one of eight
AGREE, AGREE_EARLY = 2, 4  # measurements in a row
ENDED = 3  # measurements in a row without what had begun: what begins after them has begun anew
# Long after the start: so many measurements, and this share of the rounds within these bounds.
PATIENT_CHECKS, PATIENT_SHARE, PATIENT_ROUNDS = 8, 0.1, (400, 2000)
GROWTH = 0.02  # of the mean breadth of the last four measurements over that of any four before
GROWTH_CHECKS = 16  # measurements that are looked back on for that
MOSTLY_UNSURE = 0.5  # share of samples of no class, above which the class mix says little
HOPS = 8  # measurements in which hopping from mode to mode is looked for
HOP_LENGTH = 0.75  # real standard deviations that the middle of the samples moves
SURE_REAL, SURE_FAKE, SURE_RIGHT = 0.9, 0.1, 0.97  # a D that nothing escapes
TINY_GRADIENT, VANISHED_FAKE = 0.05, 0.1
AT_EQUILIBRIUM = 0.1  # of D's loss at equilibrium: so near it lies
FAR_AWAY, FAR_TOO_WIDE = 6.0, 4.0  # real standard deviations from the middle; times the real spread
FAR_SCORES, FAR_CHECKS = 100.0, 3
SWING, SWING_DIP, SWING_CHECKS = 0.3, -0.4, 16  # in real standard deviations; a correlation; measurements

NOTHING_YET = "Nothing can be said before a few measurements."
LABELS = {
    "std_ratio": "spread over that of real data",
    "vendi_score": "Vendi score",
    "effective_modes": "effective modes",
    "class_diversity": "diversity inside the classes",
    "largest_share": "share of the fullest mode",
}


@dataclass(frozen=True)
class Facts:
    """What the rules need to know of a run beside its curves.

    ``floors`` are what each measurement reads on real data, ``output`` what D's logits mean (as the loss says),
    ``equilibrium`` the losses at which D cannot tell, by column; ``rounds`` how many the run is to play.
    """

    floors: Mapping[str, float]
    num_modes: int = 0
    rounds: int = 0
    output: Literal["probability", "score", "error"] = "probability"
    equilibrium: Mapping[str, float] = field(default_factory=dict)


CURES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "collapsed": (("r1", "wgan_gp", "minibatch_stddev", "packing_4"), ("wgan_gp_10",)),
    "rotating": (("two_time_scales", "unrolled_10"), ("wgan_gp_10",)),
    "vanishing": (("non_saturating", "wgan_gp"), ("non_saturating", "wgan_gp_10")),
    "d_too_strong": (("r1", "wgan_gp"), ("wgan_gp_10",)),
    "oscillating": (("r1", "wgan_gp"), ("wgan_gp_10",)),
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
    breadth began to fall, at or before the onset. ``causes`` names what the cures are chosen by.
    """

    state: State
    round: int
    onset_round: int | None = None
    first_sign: int | None = None
    sentence: str = ""
    evidence: tuple[Evidence, ...] = ()
    causes: tuple[str, ...] = ()

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
        return {**asdict(self), "title": self.title, "alarming": self.alarming}


def verdict(turns: Mapping[str, np.ndarray], diagnostics: Mapping[str, np.ndarray], facts: Facts) -> Verdict:
    """Return the verdict at the last measurement of a run.

    ``turns`` and ``diagnostics`` are columns (n,) by name, a column ``round`` among them, as the tracks hold them. NaN
    is a number that was not measured. Columns that a run does not have are not asked for: without labels the same
    rules judge by what needs none. For all changes on the way see `judged`.
    """
    return judged(turns, diagnostics, facts).verdict


def judged(turns: Mapping[str, np.ndarray], diagnostics: Mapping[str, np.ndarray], facts: Facts) -> Judge:
    """Return a judge that has seen a whole run; ``changes`` are its verdicts whenever the state changed."""
    judge = Judge(facts)
    judge.add_turns(turns)
    names = [name for name in diagnostics if name != "round"]
    for index, round in enumerate(diagnostics.get("round", ())):
        judge.add_check(int(round), {name: float(diagnostics[name][index]) for name in names})
    return judge


class Check(NamedTuple):
    """One measurement as the rules see it.

    ``parts`` are the breadth's ingredients over real data; ``play`` is the mean of each column of the turns since the
    measurement before.
    """

    round: int
    parts: dict[str, float]
    numbers: Mapping[str, float]
    play: dict[str, float]

    @property
    def breadth(self) -> float:
        return min(self.parts.values(), default=float("nan"))


class Judge:
    """The verdict of a run that is still told of. Tell it the rounds before the measurement that follows them."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.verdict = Verdict("starting", 0, sentence=NOTHING_YET)
        self.changes: list[Verdict] = []
        self.healthy_round: int | None = None  # the last measurement at which nothing was wrong
        self._checks: list[Check] = []
        self._turns: list[tuple[np.ndarray, Mapping[str, np.ndarray]]] = []
        self._reached = False
        self._fell = False
        self._most_modes = 0.0

    def add_turns(self, turns: Mapping[str, np.ndarray]) -> None:
        """Rounds in order: columns (n,), ``round`` among them."""
        if len(turns.get("round", ())):
            columns = {name: np.asarray(values) for name, values in turns.items() if name != "round"}
            self._turns.append((np.asarray(turns["round"]), columns))

    def add_check(self, round: int, numbers: Mapping[str, float]) -> Verdict:
        """A measurement; returns the verdict at it. One that is not after the last says nothing new."""
        if self._checks and round <= self._checks[-1].round:
            return self.verdict
        check = Check(round, self._parts(numbers), numbers, self._play_until(round))
        if check.parts or check.play:
            self._checks.append(check)
            self._decide()
        return self.verdict

    def set_diverged(self, round: int, sentence: str) -> Verdict:
        """The run itself ended because a number was not finite."""
        self._adopt(Verdict("diverged", round, round, None, sentence, (), ("diverged",)))
        return self.verdict

    # --- what the rules look at ---

    def _parts(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Each ingredient over its floor; a number that is missing or not finite is none."""
        names = ["std_ratio", "vendi_score"]
        if numbers.get("unsure_share", 0.0) < MOSTLY_UNSURE:
            names += ["effective_modes", "class_diversity"]
        parts = {}
        for name in names:
            value, floor = numbers.get(name, np.nan), self.facts.floors.get(name, np.nan)
            if np.isfinite(value) and np.isfinite(floor) and floor > 0:
                # Half the real spread inside a class is sharp, not collapsed: it counts as whole.
                parts[name] = float(value / floor) * (2 if name == "class_diversity" else 1)
        if parts.get("effective_modes", 1.0) <= 0:
            del parts["effective_modes"]
        return parts

    def _play_until(self, round: int) -> dict[str, float]:
        """The mean of every column over the rounds up to ``round`` that no earlier measurement has had."""
        due: dict[str, list[np.ndarray]] = {}
        later: list[tuple[np.ndarray, Mapping[str, np.ndarray]]] = []
        for rounds, columns in self._turns:
            until = int(np.searchsorted(rounds, round, side="right"))
            if until:
                for name, values in columns.items():
                    due.setdefault(name, []).append(values[:until])
            if until < len(rounds):
                later.append((rounds[until:], {name: values[until:] for name, values in columns.items()}))
        self._turns = later
        return {name: _mean(np.concatenate(parts) if len(parts) > 1 else parts[0]) for name, parts in due.items()}

    # --- the rules, in the order of their precedence; each says what it sees, or None ---

    def _decide(self) -> None:
        self._remember()
        rules: tuple[Callable[[], Verdict | None], ...] = (
            self._without_gradient,
            self._flown_away,
            self._collapse,
            self._stuck,
            self._narrowing,
            self._overpowered,
            self._oscillating,
            self._breadth_reached,
        )
        found = next((said for rule in rules if (said := rule()) is not None), None) or self._undecided()
        self._adopt(found)
        if not found.alarming and not self._is_narrow(self._last):
            self.healthy_round = self._last.round

    def _remember(self) -> None:
        """What was there once: a breadth that was reached, and the most that two measurements in a row have seen."""
        self._reached = self._reached or self._is_broad()
        if len(self._checks) >= AGREE:
            modes = [check.parts.get("effective_modes", 0.0) for check in self._checks[-AGREE:]]
            self._most_modes = max(self._most_modes, min(1.0, *modes))

    def _without_gradient(self) -> Verdict | None:
        """D throws out all that G makes, and G's loss is flat there."""
        vanished = self._run_of(self._has_no_gradient)
        calm = self._run_of(lambda check: not self._has_no_gradient(check))
        stays = self.verdict.state == "vanishing_gradient" and len(calm) < AGREE
        if not stays and (len(vanished) < AGREE + 1 or self._is_broad()):
            return None
        if not vanished:
            return replace(self.verdict, round=self._last.round)
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
        away = self._run_of(self._is_far_away)
        stays = self.verdict.state == "diverged" and not self._is_broad()
        if not stays and (len(away) < FAR_CHECKS or len(self._checks) <= PATIENT_CHECKS):
            return None
        if not away:
            return replace(self.verdict, round=self._last.round)
        far, wide = float(np.linalg.norm(_middle(self._last))), self._last.numbers.get("std_ratio", np.nan)
        apart = _score_gap(self._last)
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
        spreads = self._is_broad() and not self._grows()
        stays = self.verdict.state == "collapsed" and not self._is_whole() and not spreads
        if not stays and not (self._reached and len(self._run_of(_is_low)) >= self._agreed()):
            return None
        return self._collapsed()

    def _stuck(self) -> Verdict | None:
        """Long after the start the breadth is low and does not grow, or the samples hop and go nowhere."""
        low = self._run_of(_is_low)
        if self._reached or len(low) < AGREE or not self._is_late() or (self._grows() and not self._hops()):
            return None
        return self._overpowered(low) or self._collapsed()

    def _narrowing(self) -> Verdict | None:
        narrow = self._run_of(self._is_narrow)
        stays = self.verdict.state in ("narrowing", "collapsed") and not self._is_whole()
        partial = not self._reached and self._is_late(2) and not self._grows()
        if not stays and not ((self._reached or partial) and len(narrow) >= self._agreed()):
            return None
        evidence = self._low_parts(NARROW) or self._fewer_modes(FALLEN) or self._not_whole()
        sentence = f"G's samples are losing variety: {self._variety()}."
        if not self._is_narrow(self._last):
            sentence = f"A part of what G had is still missing: {self._variety()}."
        if not self._reached:
            sentence = f"G covers only a part of the data and no longer spreads: {self._variety()}."
        return self._verdict("narrowing", narrow, sentence, evidence, ("collapsed",))

    def _overpowered(self, stuck: list[Check] | None = None) -> Verdict | None:
        """Nothing escapes D, and G does not get anywhere."""
        sure = self._run_of(self._is_sure)
        stays = self.verdict.state == "d_too_strong" and bool(sure) and not self._is_broad()
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
        recent = self._run_of(lambda check: check.breadth >= COLLAPSED and len(_middle(check)) > 0)[-SWING_CHECKS:]
        if len(recent) < SWING_CHECKS or not self._reached:
            return None
        path = np.array([_middle(check) for check in recent])
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

    def _breadth_reached(self) -> Verdict | None:
        if not self._is_broad():
            return None
        broad = self._run_of(lambda check: check.breadth >= BROAD)
        back = self.verdict.state == "recovered" or (self.verdict.alarming and self._fell)
        state: State = "recovered" if back else "healthy"
        blur = self._blur()
        start = "It is back" if back else "Nothing is missing" if blur else "Nothing is wrong"
        return self._verdict(state, broad, f"{start}: {self._variety()}{blur}.", ())

    def _undecided(self) -> Verdict:
        """Neither clearly well nor clearly ill: what it was."""
        if self._reached and self.verdict.state in ("healthy", "recovered"):
            return self._verdict(self.verdict.state, [self._last], f"{self._variety(capital=True)}.", ())
        if len(self._checks) <= 3:
            return self._verdict("starting", [self._last], NOTHING_YET, ())
        return self._verdict("learning", [self._last], f"G is still spreading over the data: {self._variety()}.", ())

    # --- what the rules ask ---

    @property
    def _last(self) -> Check:
        return self._checks[-1]

    def _is_broad(self) -> bool:
        return len(self._run_of(lambda check: check.breadth >= BROAD)) >= AGREE

    def _is_whole(self) -> bool:
        """What it takes to stop narrowing: more than not to begin, or a breadth between the two would flicker."""
        whole = self._run_of(
            lambda check: check.breadth >= BROAD and check.parts.get("effective_modes", 1.0) >= BACK * self._most_modes
        )
        return len(whole) >= AGREE

    def _is_narrow(self, check: Check) -> bool:
        modes = check.parts.get("effective_modes")
        return check.breadth < NARROW or (modes is not None and modes < FALLEN * self._most_modes)

    def _is_late(self, times: float = 1) -> bool:
        least, most = PATIENT_ROUNDS
        patience = min(most, max(least, PATIENT_SHARE * self.facts.rounds))
        return len(self._checks) > PATIENT_CHECKS and self._last.round >= times * patience

    def _agreed(self) -> int:
        """How many measurements in a row are a loss: more while the networks have hardly begun, and all is in motion."""
        return AGREE if self._is_late() else AGREE_EARLY

    def _grows(self) -> bool:
        breadths = np.array([check.breadth for check in self._checks[-GROWTH_CHECKS:]])
        before = [float(breadths[at : at + 4].mean()) for at in range(len(breadths) - 7)]
        return float(breadths[-4:].mean()) > max(before, default=-np.inf) + GROWTH

    def _hops(self) -> bool:
        """Whether the samples jump from mode to mode: by the fullest mode where there are labels, else by their middle."""
        recent = self._checks[-HOPS:]
        if len(recent) < HOPS or sum(map(_is_low, recent)) < 0.75 * HOPS or not _is_low(self._last):
            return False
        modes = [check.numbers.get("largest_mode", np.nan) for check in recent]
        shares = [check.numbers.get("largest_share", np.nan) for check in recent]
        if np.isfinite(modes).all() and max(shares) > 0:
            mostly_one = sum(share > 0.5 for share in shares) >= 0.75 * HOPS
            return mostly_one and sum(a != b for a, b in pairwise(modes)) >= HOPS / 2
        steps = [np.linalg.norm(b - a) for a, b in pairwise(map(_middle, recent)) if len(a) and len(b)]
        return bool(sum(step > HOP_LENGTH for step in steps) >= HOPS / 2)

    def _is_far_away(self, check: Check) -> bool:
        near = any(np.linalg.norm(_middle(other)) < FAR_AWAY / 2 for other in self._checks)
        far = near and float(np.linalg.norm(_middle(check))) > FAR_AWAY
        apart = self.facts.output == "score" and _score_gap(check) > FAR_SCORES
        return bool(far or apart or check.numbers.get("std_ratio", 0.0) > FAR_TOO_WIDE)

    def _has_no_gradient(self, check: Check) -> bool:
        gradient, fake = check.play.get("G.grad_norm", np.nan), check.play.get("D.fake", np.nan)
        flat = gradient < TINY_GRADIENT and fake < VANISHED_FAKE
        return bool(flat and self.facts.output == "probability")

    def _is_sure(self, check: Check) -> bool:
        real, fake, *right = (
            check.play.get(name, np.nan) for name in ("D.real", "D.fake", "D.accuracy_real", "D.accuracy_fake")
        )
        sure = real > SURE_REAL and fake < SURE_FAKE and min(right) > SURE_RIGHT
        return bool(sure and self.facts.output == "probability")

    def _run_of(self, condition: Callable[[Check], bool]) -> list[Check]:
        """The measurements at the end that all meet a condition."""
        return list(takewhile(condition, reversed(self._checks)))[::-1]

    def _began(self, condition: Callable[[Check], bool]) -> list[Check]:
        """The measurements since a condition has held, give or take one or two that say otherwise for a moment."""
        met = [condition(check) for check in self._checks]
        since = 0
        for end in range(ENDED, len(met) + 1):
            if not any(met[end - ENDED : end]):
                since = end
        while since + 1 < len(met) and not (met[since] and met[since + 1]):
            since += 1
        return self._checks[since:]

    # --- what is said ---

    def _collapsed(self) -> Verdict:
        variety = self._variety()
        causes = ["collapsed"]
        evidence = self._low_parts(COLLAPSED) or self._not_whole()
        if self._hops():
            causes = ["rotating"]
            sentence = f"G makes one mode at a time and hops from one to the next: {variety}.{self._looks_balanced()}"
            share = self._last.numbers.get("largest_share", np.nan)
            if np.isfinite(share):
                evidence.append(Evidence("largest_share", LABELS["largest_share"], share, ">", 0.5))
        elif self._last.breadth >= BROAD:
            sentence = f"G spreads again, and is not whole yet: {variety}."
        elif list(self._last.parts) and min(self._last.parts, key=self._last.parts.__getitem__) == "class_diversity":
            sentence = f"The classes are there, but inside each of them all samples are nearly alike: {variety}."
        elif self._reached:
            sentence = f"G has lost what it had: {variety}."
        else:
            sentence = f"G has not spread over the data, and has stopped trying: {variety}."
        return self._verdict("collapsed", self._began(_is_low), sentence, evidence, tuple(causes))

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
        if not parts:
            return "There is nothing to measure" if capital else "there is nothing to measure"
        worst = min(parts, key=parts.__getitem__)
        modes = self._last.numbers.get("effective_modes", 0.0)
        most = self._most_modes * self.facts.floors.get("effective_modes", 0.0)
        missing = parts.get("effective_modes", 1.0) < max(BROAD, BACK * self._most_modes)
        if self.facts.num_modes and (worst == "effective_modes" or missing):
            had = f", it had {most:.1f}" if most > 1.25 * modes else ""
            return f"{modes:.1f} of {self.facts.num_modes} modes{had}"
        share = min(1.0, parts[worst])
        what = {"std_ratio": "spread", "vendi_score": "variety", "class_diversity": "variety inside the classes"}
        of = parts[worst] / (2 if worst == "class_diversity" else 1)
        return (
            f"{min(1.0, of):.0%} of the {what.get(worst, 'modes')} of real data"
            if share < 1
            else "as varied as real data"
        )

    def _blur(self) -> str:
        """Samples can be varied long before they are any good."""
        numbers = self._last.numbers
        off = 1 - numbers.get("high_quality_share", np.nan)
        if off >= MOSTLY_UNSURE:
            return f"; {off:.0%} of the samples are still off every mode"
        unsure = numbers.get("unsure_share", np.nan)
        return f"; {unsure:.0%} of the samples are still of no class" if unsure >= MOSTLY_UNSURE else ""

    def _low_parts(self, threshold: float) -> list[Evidence]:
        low = [name for name, part in self._last.parts.items() if part < threshold]
        return [self._evidence(name, threshold) for name in sorted(low, key=self._last.parts.__getitem__)]

    def _fewer_modes(self, share: float) -> list[Evidence]:
        """Whether there are fewer modes than this share of the most so far."""
        threshold = share * self._most_modes
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
        if state in ("narrowing", "collapsed") and self._reached:
            narrow = self._run_of(self._is_narrow)
            first = min(onset, narrow[0].round) if narrow else onset
            if before.state in ("narrowing", "collapsed") and before.first_sign is not None:
                first = min(first, before.first_sign)
        if state == before.state:
            onset, first = before.onset_round if before.onset_round is not None else onset, before.first_sign
        return Verdict(state, self._last.round, onset, first, sentence, tuple(evidence), causes)

    def _adopt(self, new: Verdict) -> None:
        if new.state != self.verdict.state:
            self._fell = new.state in ("narrowing", "collapsed")
            if new.state == "recovered":
                self._most_modes = 0.0
            self.changes.append(new)
        self.verdict = new


def _mean(values: np.ndarray) -> float:
    # What `mean` does besides takes five times as long as the sum of a few hundred rounds.
    return float(np.add.reduce(values, dtype=np.float64)) / len(values)


def _is_low(check: Check) -> bool:
    return check.breadth < COLLAPSED


def _score_gap(check: Check) -> float:
    return abs(check.play.get("D.real", np.nan) - check.play.get("D.fake", np.nan))


def _middle(check: Check) -> np.ndarray:
    """Where the middle of the samples lies, (k,), in real standard deviations; empty if it was not measured."""
    places = [check.numbers.get(name, np.nan) for name in ("center_1", "center_2")]
    return np.array([place for place in places if np.isfinite(place)])


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

"""The course of a run as the verdict sees it: its measurements, and what can be asked of them.

Everything about samples is relative to real data, so that one set of rules serves all data sets. At the heart is the
*breadth* of a measurement: the smallest of the spread, the Vendi score and the number of effective modes, each over
what real samples read. It is 1 for a perfect generator, 1/K for one that makes a single one of K modes, and near 0 for
one that has just begun.

The thresholds come from rings, grids and lines of Gaussians and from digits, on seeds 0 to 9.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from typing import Literal, NamedTuple

import numpy as np

from gan_core.metrics.appearance import COVERS, Picture, Sides, picture_of, sides

BROAD = COVERS  # breadth from which a generator has reached the data
NARROW = 0.65
COLLAPSED = 0.5  # half of the modes
FALLEN, BACK = 0.78, 0.87  # of the most effective modes so far: two of eight lost, one of eight
AGREE, AGREE_EARLY = 2, 4  # measurements in a row
ENDED = 3  # measurements in a row without a condition, after which its next occurrence is a new onset
# Long after the start: so many measurements, and this share of the rounds within these bounds.
PATIENT_CHECKS, PATIENT_SHARE, PATIENT_ROUNDS = 8, 0.1, (400, 2000)
GROWTH = 0.02  # of the mean breadth of the last four measurements over that of any four before
GROWTH_CHECKS = 16  # measurements that are looked back on for that
MOSTLY_UNSURE = 0.5  # share of samples of no class, above which the class mix says little
WIDE = 1.5  # of the Vendi score of real points, from which a cloud lies everywhere: what it is nearest to says little
HOPS = 8  # measurements in which hopping from mode to mode is looked for
HOP_LENGTH = 0.75  # real standard deviations that the middle of the samples moves
MOVES = 0.25  # the same beside a fullest mode that is another one
SURE_REAL, SURE_FAKE, SURE_RIGHT = 0.9, 0.1, 0.97  # a D that nothing escapes
TINY_GRADIENT, VANISHED_FAKE = 0.05, 0.1
FAR_AWAY, FAR_TOO_WIDE = 6.0, 4.0  # real standard deviations from the middle; times the real spread
FAR_SCORES = 100.0
GOOD, LOST, REGAINED = (
    0.5,
    0.5,
    0.8,
)  # a quality that can be lost; of the best so far: when it is, and when it is not any more
SUSPECT_CHECKS = 8  # measurements before an onset in which a live change is the first suspect


Signal = Literal["judge_loss", "judge_real", "judge_fake", "judge_right_real", "judge_right_fake", "maker_gradient"]
"""What the rules read off the turns of a game with a judge: its loss, its scores of real and of generated data, its share
of both that is right, and the norm of the gradient that reaches the maker of samples."""


@dataclass(frozen=True)
class Facts:
    """What the rules need to know of a run beside its curves.

    ``floors`` are what each measurement reads on real data, ``output`` what D's logits mean (as the loss says),
    ``equilibrium`` the losses at which D cannot tell, by column; ``rounds`` how many the run is to play; ``images``
    whether samples are images, or points. ``beside`` is by column what else it is read beside, by what that is called.
    ``columns`` are those of the turns in which the game has what the rules read.
    """

    floors: Mapping[str, float]
    num_modes: int = 0
    rounds: int = 0
    output: Literal["probability", "score", "error"] = "probability"
    equilibrium: Mapping[str, float] = field(default_factory=dict)
    images: bool = False
    beside: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    columns: Mapping[Signal, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LiveChange:
    """What was changed in a run that trains, after ``round`` rounds.

    ``label`` is how it is said. ``undo`` are the knobs as they were, ``undo_label`` how that is said; empty where they
    are not known.
    """

    round: int
    label: str
    undo: Mapping[str, float] = field(default_factory=dict)
    undo_label: str = ""


class Check(NamedTuple):
    """One measurement as the rules see it.

    ``parts`` are the breadth's ingredients over real data; ``play`` is the mean of each column of the turns since the
    measurement before; ``sides`` are coverage and quality, ``picture`` the word for both.
    """

    round: int
    parts: dict[str, float]
    numbers: Mapping[str, float]
    play: dict[str, float]
    sides: Sides
    picture: Picture

    @property
    def breadth(self) -> float:
        return min(self.parts.values(), default=float("nan"))

    @property
    def worst(self) -> str | None:
        """The name of the smallest part."""
        return min(self.parts, key=self.parts.__getitem__, default=None)

    @property
    def middle(self) -> np.ndarray:
        """Where the middle of the samples lies, (k,), in real standard deviations; empty if it was not measured."""
        places = [self.numbers.get(name, np.nan) for name in ("center_1", "center_2")]
        return np.array([place for place in places if np.isfinite(place)])


def is_low(check: Check) -> bool:
    return check.breadth < COLLAPSED


def suspect_of(changes: Sequence[LiveChange], measured: Iterable[int], onset: int) -> LiveChange | None:
    """The last live change shortly before the round at which something began, ``measured`` being the rounds of the looks."""
    earliest = min([round for round in measured if round < onset][-SUSPECT_CHECKS:], default=0)
    return next((change for change in reversed(changes) if earliest <= change.round < onset), None)


SHAPELESS: tuple[Picture, ...] = ("cloud", "noise", "beside", "one_point", "one_picture")


class Course:
    """The measurements so far. Tell it the rounds before the measurement that follows them.

    ``reached`` says whether the data were reached once, ``most_modes`` the most effective modes over those of real data
    that two measurements in a row have had, ``best`` the best quality of as many that were not collapsed. ``had_modes`` is
    ``most_modes`` of those measurements alone whose samples were more than a cloud: what a sentence may say that G had.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.checks: list[Check] = []
        self.reached = False
        self.most_modes = 0.0
        self.had_modes = 0.0
        self.best = 0.0
        self.changes: list[LiveChange] = []
        self._turns: list[tuple[np.ndarray, Mapping[str, np.ndarray]]] = []

    def add_turns(self, turns: Mapping[str, np.ndarray]) -> None:
        """Rounds in order: columns (n,), ``round`` among them."""
        if len(turns.get("round", ())):
            columns = {name: np.asarray(values) for name, values in turns.items() if name != "round"}
            self._turns.append((np.asarray(turns["round"]), columns))

    def add(self, round: int, numbers: Mapping[str, float]) -> bool:
        """A measurement; returns whether it says anything. One that is not after the last says nothing new."""
        if self.checks and round <= self.last.round:
            return False
        parts, play = self._parts(numbers), self._play_until(round)
        if not (parts or play):
            return False
        seen = sides(numbers, self.facts.floors, min(parts.values(), default=np.nan), images=self.facts.images)
        before = self.last.picture if self.checks else "unknown"
        picture = picture_of(numbers, seen, before, images=self.facts.images)
        check = Check(round, parts, numbers, play, seen, picture)
        self.checks.append(check)
        self._remember()
        return True

    def _remember(self) -> None:
        """What was there once: a breadth that was reached, and the most that two measurements in a row have seen."""
        self.reached = self.reached or self.is_broad()
        if len(self.checks) >= AGREE:
            modes = [check.parts.get("effective_modes", 0.0) for check in self.checks[-AGREE:]]
            self.most_modes = max(self.most_modes, min(1.0, *modes))
            if all(check.picture not in SHAPELESS for check in self.checks[-AGREE:]):
                self.had_modes = max(self.had_modes, min(1.0, *modes))
            good = min(check.sides.good for check in self.checks[-AGREE:])
            # As sharp as a single mode no G is that reaches all: one that comes back to the others has lost nothing.
            if np.isfinite(good) and not any(map(is_low, self.checks[-AGREE:])):
                self.best = max(self.best, good)

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

    # --- what the rules ask ---

    @property
    def last(self) -> Check:
        return self.checks[-1]

    def is_broad(self) -> bool:
        return len(self.run_of(lambda check: check.breadth >= BROAD)) >= AGREE

    def is_good(self) -> bool:
        """Whether both sides are near real data."""
        return len(self.run_of(lambda check: check.picture == "real")) >= AGREE

    def is_broken(self, check: Check) -> bool:
        """Whether quality that was there is lost."""
        return bool(self.best >= GOOD and check.sides.good < LOST * self.best)

    def suspect(self, onset: int) -> LiveChange | None:
        """The last live change shortly before the round at which something began."""
        return suspect_of(self.changes, [check.round for check in self.checks], onset)

    def is_whole(self) -> bool:
        """Hysteresis: more is needed to leave *narrowing* than not to enter it, or a breadth between the two would flicker."""
        whole = self.run_of(
            lambda check: check.breadth >= BROAD and check.parts.get("effective_modes", 1.0) >= BACK * self.most_modes
        )
        return len(whole) >= AGREE

    def is_narrow(self, check: Check) -> bool:
        modes = check.parts.get("effective_modes")
        few = check.breadth < NARROW or (modes is not None and modes < FALLEN * self.most_modes)
        return few and not self.is_wide(check)

    def is_wide(self, check: Check) -> bool:
        """Whether points lie all over the place, more varied than real ones: which mode they are nearest to says no more."""
        spread, variety = (check.parts.get(name, 0.0) for name in ("std_ratio", "vendi_score"))
        scattered = check.picture in ("cloud", "beside") and not self.facts.images
        return scattered and spread >= COLLAPSED and variety >= WIDE

    def is_lost(self, check: Check) -> bool:
        return is_low(check) and not self.is_wide(check)

    def scatters(self) -> bool:
        return len(self.run_of(self.is_wide)) >= AGREE

    def is_late(self, times: float = 1) -> bool:
        least, most = PATIENT_ROUNDS
        patience = min(most, max(least, PATIENT_SHARE * self.facts.rounds))
        return len(self.checks) > PATIENT_CHECKS and self.last.round >= times * patience

    def agreed(self) -> int:
        """How many measurements in a row are a loss: more while the networks have hardly begun, and all is in motion."""
        return AGREE if self.is_late() else AGREE_EARLY

    def grows(self) -> bool:
        breadths = np.array([check.breadth for check in self.checks[-GROWTH_CHECKS:]])
        before = [float(breadths[at : at + 4].mean()) for at in range(len(breadths) - 7)]
        return float(breadths[-4:].mean()) > max(before, default=-np.inf) + GROWTH

    def hops(self) -> bool:
        """Whether the samples jump from mode to mode: by the fullest mode where there are labels, else by their middle."""
        recent = self.checks[-HOPS:]
        if len(recent) < HOPS or sum(map(is_low, recent)) < 0.75 * HOPS or not is_low(self.last):
            return False
        modes = [check.numbers.get("largest_mode", np.nan) for check in recent]
        shares = [check.numbers.get("largest_share", np.nan) for check in recent]
        steps = [np.linalg.norm(b - a) for a, b in pairwise(check.middle for check in recent) if len(a) and len(b)]
        if np.isfinite(modes).all() and max(shares) > 0:
            mostly_one = sum(share > 0.5 for share in shares) >= 0.75 * HOPS
            # One picture at the border of two classes is judged as now this one and now the other, and stays where it is.
            moves = not steps or bool(sum(step > MOVES for step in steps) >= HOPS / 2)
            return mostly_one and moves and sum(a != b for a, b in pairwise(modes)) >= HOPS / 2
        return bool(sum(step > HOP_LENGTH for step in steps) >= HOPS / 2)

    def read(self, check: Check, *signals: Signal) -> list[float]:
        """What the rules read off the turns before a measurement; NaN of what the game does not have."""
        return [check.play.get(self.facts.columns.get(signal, ""), np.nan) for signal in signals]

    def score_gap(self, check: Check) -> float:
        """How far apart D's scores of real and generated data are."""
        real, fake = self.read(check, "judge_real", "judge_fake")
        return abs(real - fake)

    def is_far_away(self, check: Check) -> bool:
        near = any(np.linalg.norm(other.middle) < FAR_AWAY / 2 for other in self.checks)
        far = near and float(np.linalg.norm(check.middle)) > FAR_AWAY
        apart = self.facts.output == "score" and self.score_gap(check) > FAR_SCORES
        return bool(far or apart or check.numbers.get("std_ratio", 0.0) > FAR_TOO_WIDE)

    def has_no_gradient(self, check: Check) -> bool:
        gradient, fake = self.read(check, "maker_gradient", "judge_fake")
        flat = gradient < TINY_GRADIENT and fake < VANISHED_FAKE
        return bool(flat and self.facts.output == "probability")

    def is_sure(self, check: Check) -> bool:
        real, fake, *right = self.read(check, "judge_real", "judge_fake", "judge_right_real", "judge_right_fake")
        sure = real > SURE_REAL and fake < SURE_FAKE and min(right) > SURE_RIGHT
        return bool(sure and self.facts.output == "probability")

    def run_of(self, condition: Callable[[Check], bool]) -> list[Check]:
        """The measurements at the end that all meet a condition."""
        return list(takewhile(condition, reversed(self.checks)))[::-1]

    def began(self, condition: Callable[[Check], bool]) -> list[Check]:
        """The measurements since a condition has held, give or take one or two that say otherwise for a moment."""
        met = [condition(check) for check in self.checks]
        since = 0
        for end in range(ENDED, len(met) + 1):
            if not any(met[end - ENDED : end]):
                since = end
        while since + 1 < len(met) and not (met[since] and met[since + 1]):
            since += 1
        return self.checks[since:]


def _mean(values: np.ndarray) -> float:
    # What `mean` does besides takes five times as long as the sum of a few hundred rounds.
    return float(np.add.reduce(values, dtype=np.float64)) / len(values)

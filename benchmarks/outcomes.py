"""What became of a run of a recipe: the numbers that were recorded of it, and what is read off them."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from gan_core.config import BREAKS, Preset, RunConfig, preset_config
from gan_core.engine.showing.judging import RunJudge
from gan_core.metrics.histograms import effective_modes
from gan_core.metrics.states import State
from gan_core.training import resolve

LOOK_EVERY = 25
COUNTED = 1_000  # samples per measurement whose modes are counted for the truth
HOLDS = 1 / 6  # of its share of the samples: a mode that fewer are nearest to is given up
AGREE = 3  # measurements in a row
AGREE_BROKEN = 2  # of a lesson's break, which lasts three to six
KEEPS = 250  # rounds over which a cure is watched once it is there
KEPT_LOOKS = KEEPS // LOOK_EVERY + 1
FEW = 3 / 8
FEW_CLASSES, IN_FEW = 2, 0.90
ONE_PICTURE = 1 / 3  # of the real spread
ALIVE = 0.1  # a gradient norm of G that moves something
THIRD = 1 / 3


@dataclass(frozen=True)
class Job:
    """A run of a recipe: as it stands, with a cure from the first round, or forked with it where it had collapsed."""

    preset: str
    seed: int
    cure: str = ""
    forked: bool = False

    @property
    def name(self) -> str:
        return self.preset + (f"+{self.cure}" if self.cure else "") + ("~fork" if self.forked else "")

    @property
    def config(self) -> RunConfig:
        name = f"{self.preset}+{self.cure}" if self.cure else self.preset
        return resolve(preset_config(name, {"seed": self.seed, "device": "cpu", "diagnostics.samples": COUNTED}))


@dataclass
class Series:
    """What was recorded: a row per round in ``turns``, a row per measurement in all others.

    ``counts`` (n, K + 1) are of high quality or surely of a class, the rest last; ``nearest`` (n, K), of points, counts
    each for its nearest mode. ``spread`` is the mean standard deviation of the numbers of a sample over that of real ones.
    ``seconds`` is CPU time of training alone.
    """

    rounds: np.ndarray
    seconds: np.ndarray
    counts: np.ndarray
    nearest: np.ndarray
    spread: np.ndarray
    diagnostics: dict[str, np.ndarray]
    turns: dict[str, np.ndarray]
    diverged: bool

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {f"diagnostics/{name}": values for name, values in self.diagnostics.items()}
        columns |= {f"turns/{name}": values for name, values in self.turns.items()}
        temporary = path.with_suffix(".tmp.npz")
        np.savez_compressed(
            temporary,
            rounds=self.rounds,
            seconds=self.seconds,
            counts=self.counts,
            nearest=self.nearest,
            spread=self.spread,
            diverged=np.array(self.diverged),
            **columns,
        )
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Series:
        with np.load(path) as file:
            held = {name: file[name] for name in file.files}
        parts: dict[str, dict[str, np.ndarray]] = {"diagnostics": {}, "turns": {}}
        for name in [name for name in held if "/" in name]:
            table, column = name.split("/", 1)
            parts[table][column] = held.pop(name)
        return cls(**held | {"diverged": bool(held["diverged"])}, **parts)  # type: ignore[arg-type]


# What became of it


@dataclass(frozen=True)
class Truth:
    """Read off the full counts of every measurement, not off what the verdict sees.

    ``onset`` is the first of three measurements in a row (of a lesson's break, two) with few modes left, after there had
    been more for as many; where there never were more, the first of all. ``halved`` is the same of two with half of the
    variety. ``stays`` is the share of the measurements from ``onset`` on that have few. ``whole`` says whether at the last
    measurement no mode was missing; ``reached`` is the first of three in a row without one missing (of a lesson, after its
    last act), ``kept`` the share of the measurements in the ``KEEPS`` rounds from there on.
    """

    onset: int | None
    halved: int | None
    onset_seconds: float
    stays: float
    whole: bool
    reached: int | None
    kept: float
    modes: int
    gradient: float
    diverged_at: int | None
    last_round: int
    seconds: float


def truth_of(series: Series, agree: int = AGREE, cured_at: int = 0) -> Truth:
    """What became of a run; so many measurements in a row with few modes are a collapse, cured from ``cured_at`` on."""
    diverged_at = int(series.turns["round"][-1]) if series.diverged else None
    if not len(series.rounds):
        return Truth(None, None, 0.0, 0.0, False, None, 0.0, 0, 0.0, diverged_at, 0, 0.0)
    modes, few = modes_held(series), has_few(series)
    onset, halved = first_fall(few, agree), first_fall(has_half(series), 2)
    whole = is_whole(series) & (not series.diverged)
    reached = first_whole(whole & (series.rounds > cured_at))
    gradient = series.turns["G.grad_norm"]
    return Truth(
        onset=None if onset is None else int(series.rounds[onset]),
        halved=None if halved is None else int(series.rounds[halved]),
        onset_seconds=0.0 if onset is None else float(series.seconds[onset]),
        stays=0.0 if onset is None else float(few[onset:].mean()),
        whole=bool(whole[-1]),
        reached=None if reached is None else int(series.rounds[reached]),
        kept=0.0 if reached is None else float(whole[reached : reached + KEPT_LOOKS].mean()),
        modes=int(modes[-1]),
        gradient=float(np.median(gradient[-100:])),
        diverged_at=diverged_at,
        last_round=int(series.turns["round"][-1]),
        seconds=float(series.seconds[-1]),
    )


def first_whole(whole: np.ndarray) -> int | None:
    """Where the first so many in a row begin that lack no mode."""
    reached = np.flatnonzero(_runs(whole, AGREE))
    return int(reached[0]) if len(reached) else None


def is_kept(series: Series) -> bool:
    """Whether no mode has been missing, and it has been seen for how long: what comes later is not counted."""
    whole = is_whole(series)
    reached = first_whole(whole)
    return reached is not None and len(whole) >= reached + KEPT_LOOKS


def first_fall(low: np.ndarray, agree: int) -> int | None:
    """Where the first so many in a row begin that are low, after as many that were not; without such, the first of all."""
    high = _runs(~low, agree)
    since = int(np.argmax(high)) if high.any() else 0
    falls = np.flatnonzero(_runs(low, agree)[since:])
    return int(falls[0]) + since if len(falls) else None


def modes_held(series: Series) -> np.ndarray:
    """How many modes, of points, a sixth of their share of the samples is nearest to; how many digits one in a hundred is."""
    if series.nearest.size:
        n, k = series.nearest.sum(1, keepdims=True), series.nearest.shape[1]
        return (series.nearest >= n / k * HOLDS).sum(1)
    return (series.counts[:, :-1] >= 0.01 * series.counts.sum(1, keepdims=True)).sum(1)


def has_few(series: Series) -> np.ndarray:
    """Points: at most three of eight modes, or as large a share. Digits: 90 % of all in two classes, or hardly any spread."""
    if series.nearest.size:
        return modes_held(series) <= FEW * series.nearest.shape[1]
    fullest = np.sort(series.counts[:, :-1], axis=1)[:, -FEW_CLASSES:].sum(1)
    return (fullest >= IN_FEW * series.counts.sum(1)) | (series.spread < ONE_PICTURE)


def has_half(series: Series) -> np.ndarray:
    """Less than half of the variety, which is what the verdict calls collapsed: of the effective modes, or of the spread."""
    counts = np.pad(series.nearest, ((0, 0), (0, 1))) if series.nearest.size else series.counts
    effective = np.array([effective_modes(row) for row in counts])
    return (effective < (counts.shape[1] - 1) / 2) | (series.spread < 1 / 2)


def is_whole(series: Series) -> np.ndarray:
    """Points: every mode is held, and captured as VEEGAN counts it. Digits: no class under a third of its share."""
    k = series.counts.shape[1] - 1
    if series.nearest.size:
        return (modes_held(series) == k) & (series.counts[:, :-1] > 0).all(1)
    sure = series.counts[:, :-1]
    return (sure >= THIRD * sure.sum(1, keepdims=True) / k).all(1) & (sure.sum(1) > 0)


def _runs(mask: np.ndarray, length: int) -> np.ndarray:
    """Where so many in a row begin."""
    if len(mask) < length:
        return np.zeros(0, bool)
    return np.lib.stride_tricks.sliding_window_view(mask, length).all(-1)


# What the page would have said of it

METRICS = Path(__file__).resolve().parent.parent / "gan_core" / "metrics"
RULES = ("verdict", "course", "appearance", "histograms")


@cache
def rules() -> str:
    """Which rules the verdict goes by: what says what a number means, whatever is commented on it."""
    trees = [ast.dump(ast.parse((METRICS / f"{name}.py").read_text("utf-8"))) for name in RULES]
    return hashlib.sha256("".join(trees).encode()).hexdigest()[:12]


WANTED: dict[str, State] = {
    **dict.fromkeys(("collapse", "lesson"), "collapsed"),
    "vanishes": "vanishing_gradient",
    "diverges": "diverged",
}
NEAR = 0.1  # of the true onset
RESOLUTION = 2 * LOOK_EVERY  # rounds; an onset cannot be told more exactly than by two measurements


@dataclass(frozen=True)
class Said:
    """The verdict on one run. ``wanted`` is the state that its recipe asks for, None where every alarm is a false one.

    ``at`` is the round at which the page first said so, ``onset`` the round that it then gave; ``alarms`` are all states
    that it warned of, in order.
    """

    wanted: State | None
    at: int | None
    onset: int | None
    alarms: tuple[State, ...]

    def near(self, truth: Truth) -> bool:
        if self.onset is None or truth.halved is None:
            return False
        return abs(self.onset - truth.halved) <= max(NEAR * truth.halved, RESOLUTION)


def said_of(preset: Preset, config: RunConfig, series: Series, reference: dict[str, Any]) -> Said:
    """Judge the recorded series as the laboratory does while it records; of a lesson its break is a change that it knows of."""
    judge = RunJudge(config.schedule.rounds)
    judge.add_reference(reference)
    for act in preset.acts[:1]:
        judge.add_event(act.round, "forked", {"changes": BREAKS[act.change].changes})
    for track, rounds, columns in (
        ("turns", series.turns["round"], series.turns),
        ("diagnostics", series.rounds, series.diagnostics),
    ):
        names = tuple(name for name in columns if name != "round")
        if len(rounds) and names:
            judge.add_rows(track, names, rounds, np.stack([columns[name] for name in names], axis=1))
    changes = judge.settle()
    if series.diverged:
        changes += judge.set_diverged(int(series.turns["round"][-1]), "a loss is not finite")
    wanted = WANTED.get(preset.kind)
    first = next((change for change in changes if change.state == wanted), None)
    alarms = tuple(change.state for change in changes if change.alarming)
    return Said(wanted, first.round if first else None, first.onset_round if first else None, alarms)


# What is written down of it


@dataclass(frozen=True)
class Outcome:
    """All that the tables need of a run; ``said`` is None where no verdict was asked for, or none by the rules of today."""

    truth: Truth
    said: Said | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, with no more digits than mean something."""
        return {name: part and _rounded(asdict(part)) for name, part in vars(self).items()}

    @classmethod
    def from_dict(cls, row: dict[str, Any], rules: str = "") -> Self:
        """What was written down; without what was said by other ``rules`` than these."""
        said = row["said"] if row.get("rules", "") == rules else None
        return cls(Truth(**row["truth"]), Said(**{**said, "alarms": tuple(said["alarms"])}) if said else None)


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in values.items()}

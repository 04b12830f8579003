"""How often each recipe does what it says, over seeds: collapses, stays healthy, is cured from scratch and as a fork.

    nice -n 19 python benchmarks/recipes.py                  # everything; writes docs/results/recipes.md
    python benchmarks/recipes.py --only ring-collapse --seeds 0-7 --out /tmp/tried.md
    python benchmarks/recipes.py --render                    # only the table, of what has been run

One process and one thread. Each run is written to ``build/recipes`` as it ends, numbers and whole series, so the command can
be stopped and started again; a run whose settings have changed since is run anew. All recipes take turns seed by seed.
Settings were chosen on seeds 0 to 9 and are reported on others.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import psutil
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ledger import Ledger, key_of, said_by
from benchmarks.sections import command_line
from gan_core.config import BREAKS, CURES, PRESETS, RECIPES, Preset, RunConfig, parse_seeds, preset_config
from gan_core.data import ImageSource, MixtureSource, Source, open_stream
from gan_core.engine.describe import describe
from gan_core.engine.judging import RunJudge
from gan_core.engine.observers import observer_for
from gan_core.metrics.histograms import effective_modes
from gan_core.metrics.modes import mode_counts, nearest_mode
from gan_core.metrics.verdict import STATES, State
from gan_core.training import (
    build,
    capture,
    checkpoints,
    fork,
    load_checkpoint,
    load_source,
    play,
    resolve,
    restore,
    save_checkpoint,
)
from gan_core.training.classifier import FrozenClassifier, classifier_for
from gan_core.training.latent import Latent
from gan_core.training.state import Tree
from gan_core.training.streams import Streams

LOOK_EVERY = 25
COUNTED = 1_000  # samples per measurement whose modes are counted for the truth
HOLDS = 1 / 6  # of its share of the samples: a mode that fewer are nearest to is given up
AGREE = 3  # measurements in a row
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


# Training


class Seen(NamedTuple):
    """One measurement, as a row of ``Series``."""

    round: int
    numbers: dict[str, float]
    counts: np.ndarray
    nearest: np.ndarray
    spread: float


class Look:
    """Counts and measurements of a game, from noise that never changes."""

    def __init__(self, config: RunConfig, source: Source, classifier: FrozenClassifier | None) -> None:
        self._observer = observer_for(config, source, lambda _: classifier)
        self._source, self._classifier = source, classifier
        latent = Latent(config.model.latent_dim, config.model.latent)
        self._z = latent(COUNTED, Streams(config.seed).generator("counted"))
        streams = Streams(config.seed + 1)  # real samples that the run itself does not see
        real = open_stream(source, COUNTED, streams.generator, torch.device("cpu")).next().x
        self._real_spread = float(real.std(0).mean())

    def __call__(self, game: Any, round: int) -> Seen:
        numbers, sight = self._observer.look(game, round)
        x = game.sample(self._z)
        spread = float(x.std(0).mean()) / self._real_spread
        if not isinstance(self._source, MixtureSource):
            return Seen(round, numbers, np.array(sight.parts["histogram"]["counts"]), np.zeros(0), spread)
        points = self._source.to_data(x.numpy())
        centers, std = self._source.centers, self._source.std
        nearest = np.bincount(nearest_mode(points, centers)[0], minlength=len(centers))
        return Seen(round, numbers, mode_counts(points, centers, std), nearest, spread)


def train(
    config: RunConfig, rounds: int, classifier: FrozenClassifier | None, state: Tree | None = None
) -> tuple[Series, Tree]:
    """Play until round ``rounds``, from ``state`` if given, and look every so often; also the last state."""
    source = load_source(config)
    game = build(config, source)
    played = 0 if state is None else restore(game, state)
    look = Look(config, source, classifier)
    columns = [f"{player.name}.{column}" for player in game.players for column in player.columns]
    turns: list[torch.Tensor] = []
    seen: list[Seen] = []
    clock: list[float] = []
    last: dict[str, torch.Tensor] = {}
    seconds, started = 0.0, time.process_time()
    diverged = False
    for turn in play(game, played):
        last |= {f"{turn.player.name}.{column}": value for column, value in turn.values.items()}
        if not turn.ends_round:
            continue
        turns.append(torch.stack([last[column] for column in columns]))
        if turn.round % LOOK_EVERY == 0 or turn.round == rounds:
            seconds += time.process_time() - started
            diverged = not bool(torch.stack(turns[-LOOK_EVERY:]).isfinite().all())
            if not diverged:
                seen.append(look(game, turn.round))
                clock.append(seconds)
            started = time.process_time()
        if diverged or turn.round == rounds:
            break
    table = torch.stack(turns).float().numpy()
    names = list(seen[-1].numbers) if seen else []
    series = Series(
        rounds=np.array([row.round for row in seen]),
        seconds=np.array(clock),
        counts=np.array([row.counts for row in seen]),
        nearest=np.array([row.nearest for row in seen]),
        spread=np.array([row.spread for row in seen]),
        diagnostics={name: np.array([row.numbers.get(name, np.nan) for row in seen]) for name in names},
        turns={"round": np.arange(played + 1, played + 1 + len(table)), **dict(zip(columns, table.T, strict=True))},
        diverged=diverged,
    )
    return series, capture(game, int(series.turns["round"][-1]))


def run(job: Job, folder: Path, classifier: FrozenClassifier | None) -> None:
    """Do what the recipe says and keep the series; of a run that can be cured, its last state too."""
    preset, config = PRESETS[job.preset], job.config
    states = folder / "states" / f"{job.preset}-{job.seed}"
    if job.forked:
        parent = Job(job.preset, job.seed).config
        state = fork(load_checkpoint(checkpoints(states)[-1]), parent, config).state
        series, _ = train(config, state["round"] + preset.cured_within, classifier, state)
    elif preset.acts:
        series = perform(preset, config, classifier)
    else:
        series, state = train(config, preset.cured_within if job.cure else preset.within, classifier)
        if preset.cures and not job.cure and not series.diverged:
            save_checkpoint(states, state, keep=1)
    series.save(folder / job.name / f"{job.seed}.npz")


def perform(preset: Preset, config: RunConfig, classifier: FrozenClassifier | None) -> Series:
    """The acts of a lesson, one fork after the other."""
    ends = [*(act.round for act in preset.acts), preset.within]
    series, state = train(config, ends[0], classifier)
    parts = [series]
    for act, end in zip(preset.acts, ends[1:], strict=True):
        changed = resolve(config.replace((CURES | BREAKS)[act.change].changes))
        state = fork(state, config, changed).state
        config = changed
        series, state = train(config, end, classifier, state)
        series.seconds += parts[-1].seconds[-1]
        parts.append(series)
    shared = set.intersection(*(set(part.turns) for part in parts))
    return Series(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("rounds", "seconds", "counts", "nearest", "spread")
        ),
        diagnostics={name: np.concatenate([part.diagnostics[name] for part in parts]) for name in parts[0].diagnostics},
        turns={name: np.concatenate([part.turns[name] for part in parts]) for name in parts[0].turns if name in shared},
        diverged=parts[-1].diverged,
    )


# What became of it


@dataclass(frozen=True)
class Truth:
    """Read off the full counts of every measurement, not off what the verdict sees.

    ``onset`` is the first of three measurements in a row with few modes left, after there had been more for three; where
    there never were more, the first three of all. ``halved`` is the same of two with half of the variety. ``stays`` is the
    share of the measurements from ``onset`` on that have few. ``whole`` says whether at the last measurement no mode was
    missing, ``whole_since`` from which one on that was so; ``reached`` is the first of three in a row without one missing,
    ``kept`` the share of the measurements from there on.
    """

    onset: int | None
    halved: int | None
    onset_seconds: float
    stays: float
    whole: bool
    whole_since: int | None
    reached: int | None
    kept: float
    modes: int
    gradient: float
    diverged_at: int | None
    last_round: int
    seconds: float


def truth_of(series: Series) -> Truth:
    diverged_at = int(series.turns["round"][-1]) if series.diverged else None
    if not len(series.rounds):
        return Truth(None, None, 0.0, 0.0, False, None, None, 0.0, 0, 0.0, diverged_at, 0, 0.0)
    modes, few = modes_held(series), has_few(series)
    onset, halved = first_fall(few, AGREE), first_fall(has_half(series), 2)
    whole = is_whole(series) & (not series.diverged)
    lacking = np.flatnonzero(~whole)
    since = int(lacking[-1]) + 1 if len(lacking) else 0
    reached = np.flatnonzero(_runs(whole, AGREE))
    gradient = series.turns["G.grad_norm"]
    return Truth(
        onset=None if onset is None else int(series.rounds[onset]),
        halved=None if halved is None else int(series.rounds[halved]),
        onset_seconds=0.0 if onset is None else float(series.seconds[onset]),
        stays=0.0 if onset is None else float(few[onset:].mean()),
        whole=bool(whole[-1]),
        whole_since=int(series.rounds[since]) if since < len(whole) else None,
        reached=int(series.rounds[reached[0]]) if len(reached) else None,
        kept=float(whole[reached[0] :].mean()) if len(reached) else 0.0,
        modes=int(modes[-1]),
        gradient=float(np.median(gradient[-100:])),
        diverged_at=diverged_at,
        last_round=int(series.turns["round"][-1]),
        seconds=float(series.seconds[-1]),
    )


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

WANTED: dict[str, State] = {"collapse": "collapsed", "vanishes": "vanishing_gradient", "diverges": "diverged"}
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
    """Judge the recorded series as the laboratory does while it records."""
    judge = RunJudge(config.schedule.rounds)
    judge.add_reference(reference)
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


class References:
    """What the verdict is told of real data: the same for every seed of a config."""

    def __init__(self, classifier: Callable[[Source], FrozenClassifier | None]) -> None:
        self._classifier = classifier
        self._known: dict[str, dict[str, Any]] = {}

    def of(self, config: RunConfig) -> dict[str, Any]:
        key = config.replace({"seed": 0}).to_json()
        if key not in self._known:
            source = load_source(config)
            observer = observer_for(config, source, lambda _: self._classifier(source))
            self._known[key] = describe(config) | (observer.reference() or {})
        return self._known[key]


# All of it


def jobs(only: Sequence[str], seeds: Sequence[int]) -> Iterator[Job]:
    """Seed by seed, so that whatever has been run when somebody stops it is a whole table of fewer seeds."""
    chosen = {name: preset for name, preset in RECIPES.items() if not only or name in only}
    for seed in seeds:
        for name, preset in chosen.items():
            yield Job(name, seed)
            for cure in preset.cures:
                yield Job(name, seed, cure)
                if preset.kind == "collapse":
                    yield Job(name, seed, cure, forked=True)


def digest(job: Job) -> str:
    """What the outcome depends on, but for the code."""
    preset = PRESETS[job.preset]
    acts = [(act.round, (CURES | BREAKS)[act.change].changes) for act in preset.acts]
    told: list[Any] = [preset.cured_within if job.cure else preset.within, acts]
    if job.forked:
        told += [said_by(Job(job.preset, job.seed).config), preset.within]
    return key_of(job.config, *told)


def ledger_in(folder: Path) -> Ledger:
    """Every run that has been kept, by name and seed, with its digest."""
    return Ledger(folder / "runs.jsonl")


def report(folder: Path, only: Sequence[str], seeds: Sequence[int], command: str) -> str:
    kept = ledger_in(folder).rows
    rows: dict[tuple[str, str, bool], list[Truth]] = {}
    heard: dict[str, list[tuple[Truth, Said]]] = {}
    references = References(lambda source: classifier_for(source, folder) if isinstance(source, ImageSource) else None)
    for job in jobs(only, seeds):
        if kept.get(f"{job.name}/{job.seed}") == {"digest": digest(job)}:
            series = Series.load(folder / job.name / f"{job.seed}.npz")
            truth = truth_of(series)
            rows.setdefault((job.preset, job.cure, job.forked), []).append(truth)
            if not job.cure and not PRESETS[job.preset].acts:
                said = said_of(PRESETS[job.preset], job.config, series, references.of(job.config))
                heard.setdefault(job.preset, []).append((truth, said))
    planned = {(job.preset, job.cure, job.forked) for job in jobs(only, seeds)}
    fewest = min(len(rows.get(row, ())) for row in planned)
    lines = [
        *PREAMBLE,
        "",
        f"Planned are {len(seeds)} seeds a row; so far {sum(map(len, rows.values()))} of {len(planned) * len(seeds)} runs have",
        f"been made, at least {fewest} a row. A row of few seeds is an example, not a rate; the command goes on where it was",
        "stopped.",
        "",
        "## Recipes",
        "",
        "| recipe | what it should do | seeds | did so | since round | CPU seconds | ",
    ]
    lines[-1] += "modes at the end |"
    lines.append("|---|---|---|---|---|---|---|")
    for (name, cure, _), truths in rows.items():
        if not cure:
            lines.append(_recipe_row(name, PRESETS[name], truths))
    lines += [
        "",
        "## Cures",
        "",
        "| recipe | cure | from scratch: all modes | since round | and after it | as a fork: all modes | ",
    ]
    lines[-1] += "since, rounds after the fork | and after it | expected |"
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for name, cure in dict.fromkeys((name, cure) for name, cure, _ in rows if cure):
        lines.append(_cure_row(name, cure, rows))
    lines += ["", "## The verdict", "", *VERDICT, ""]
    lines.append(
        "| recipe | should be called | seeds | called so | onset near the true one | onset off by, rounds | other alarms |"
    )
    lines.append("|---|---|---|---|---|---|---|")
    lines += [_verdict_row(name, pairs) for name, pairs in heard.items()]
    lines += ["", _verdict_in_all([pair for pairs in heard.values() for pair in pairs])]
    lines += ["", "## Machine and command", "", f"`{command}`", ""]
    lines.append(
        f"{psutil.cpu_count()} cores, one of them used, beside other work; {platform.system()}, Python "
        f"{platform.python_version()}, torch {torch.__version__}, one thread. CPU seconds are of training alone."
    )
    return "\n".join([*lines, ""])


def _recipe_row(name: str, preset: Preset, truths: list[Truth]) -> str:
    wish, hits, first, seconds = _achieved(preset, truths)
    ends = sorted(truth.modes for truth in truths)
    return (
        f"| `{name}` | {wish} within {preset.within} rounds | {len(truths)} | {_share(hits)} | {_spread(first)} | "
        f"{_spread(seconds, 1)} | {median(ends):g} ({ends[0]}–{ends[-1]}) |"
    )


def _achieved(preset: Preset, truths: list[Truth]) -> tuple[str, list[bool], list[float], list[float]]:
    """What a recipe promises, in how many seeds it came, and when."""
    if preset.kind == "collapse":
        fallen = [truth for truth in truths if truth.onset is not None]
        return (
            "collapses",
            [truth.onset is not None for truth in truths],
            [truth.onset for truth in fallen if truth.onset is not None],
            [truth.onset_seconds for truth in fallen],
        )
    if preset.kind == "diverges":
        gone = [truth for truth in truths if truth.diverged_at is not None]
        hits = [truth.diverged_at is not None for truth in truths]
        return "no number left", hits, [truth.last_round for truth in gone], [truth.seconds for truth in gone]
    if preset.kind == "vanishes":
        return "G's gradient norm below 0.01", [truth.gradient < 0.01 for truth in truths], [], []
    whole = [truth for truth in truths if truth.whole_since is not None]
    wish = "breaks and is whole again" if preset.acts else "has all modes"
    hits = [truth.whole and (not preset.acts or truth.onset is not None) for truth in truths]
    return wish, hits, [truth.whole_since for truth in whole if truth.whole_since is not None], []


def _cure_row(name: str, cure: str, rows: dict[tuple[str, str, bool], list[Truth]]) -> str:
    preset, cells = PRESETS[name], []
    for forked in (False, True):
        truths = rows.get((name, cure, forked), [])
        start = preset.within if forked else 0
        there = [truth for truth in truths if truth.reached is not None]
        first = [truth.reached - start for truth in there if truth.reached is not None]
        hits = [truth.gradient > ALIVE if preset.kind == "vanishes" else truth.reached is not None for truth in truths]
        kept = f"{100 * median(truth.kept for truth in there):.0f} %" if there else "–"
        cells += [_share(hits) if truths else "–", _spread(first), kept]
    return f"| `{name}` | {CURES[cure].title} (`{cure}`) | {' | '.join(cells)} | {preset.cures[cure]} |"


def _verdict_row(name: str, pairs: list[tuple[Truth, Said]]) -> str:
    wanted = pairs[0][1].wanted
    others = Counter(state for _, said in pairs for state in set(said.alarms) - {wanted, *ON_THE_WAY.get(wanted, ())})
    alarms = ", ".join(f"{STATES[state]} {count}" for state, count in others.most_common()) or "none"
    if wanted is None:
        calm = [not said.alarms for _, said in pairs]
        return f"| `{name}` | no alarm | {len(pairs)} | {_share(calm)} | | | {alarms} |"
    fallen = [(truth, said) for truth, said in pairs if wanted != "collapsed" or truth.onset is not None]
    called = _share([said.at is not None for _, said in fallen])
    cells = "| | "
    if wanted == "collapsed":
        off = [
            said.onset - truth.halved for truth, said in fallen if said.onset is not None and truth.halved is not None
        ]
        cells = f"| {_share([said.near(truth) for truth, said in fallen])} | {_spread(off)} "
    return f"| `{name}` | {STATES[wanted]} | {len(fallen)} | {called} {cells}| {alarms} |"


def _verdict_in_all(pairs: Sequence[tuple[Truth, Said]]) -> str:
    fallen = [(t, said) for t, said in pairs if said.wanted == "collapsed" and t.onset is not None]
    calm = [not said.alarms for _, said in pairs if said.wanted is None]
    if not fallen or not calm:
        return ""
    called, near = [said.at is not None for _, said in fallen], [said.near(t) for t, said in fallen]
    return (
        f"Of all runs that collapsed {_share(called)} were called so, {_share(near)} with an onset near the true one; "
        f"of all healthy ones {_share([not c for c in calm])} raised a false alarm."
    )


def _share(hits: list[bool]) -> str:
    return f"{sum(hits)} of {len(hits)} ({100 * sum(hits) / len(hits):.0f} %)"


def _spread(values: Sequence[float], digits: int = 0) -> str:
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})" if values else "–"


PREAMBLE = [
    "# Recipes, over seeds",
    "",
    "Every recipe of `gan_core/config/recipes.py`, trained by the loop of the laboratory over seeds that were not used to",
    "choose its settings. Medians, with the least and the greatest in brackets. What happened is read off 1,000 samples",
    f"every {LOOK_EVERY} rounds, from noise that never changes:",
    "",
    "* **collapses** (points): in three measurements in a row at most three of eight modes, or as large a share of them, are",
    "  the nearest to a sixth of their share of the samples, whatever the quality of these. Digits: 90 % of the samples lie",
    "  in two classes, or they differ by less than a third of what real ones do. The first of the three is the onset.",
    "* **has all modes** (points): at the last measurement every mode is held in that sense and captured as VEEGAN defines it",
    "  (a sample within 3 standard deviations). Digits: no class has less than a third of its share.",
    "* a cure has **all modes** where three measurements in a row have; *and after it* is the share of the measurements from",
    "  the first of these on that have, the median of the seeds. Of a gradient that vanished its norm must come back.",
    "* a cure **from scratch** is the recipe with the change-set from its first round on; **as a fork** the collapsed run of",
    "  the same seed goes on with it, from the exact weights.",
]


VERDICT = [
    "What the page says of the same runs, without being told the counts above: its rules were fixed on seeds 0 to 9. *Called",
    "so* counts the runs that became what their recipe asks for. The verdict calls a run collapsed from half of the variety",
    "on, so the true onset here is the first of two measurements in a row at which the counts have less than half of the",
    f"effective modes (e to the entropy) or of the spread. *Near* is within 10 % of it or two measurements, {RESOLUTION}",
    "rounds. *Narrowing* on the way to a collapse is no other alarm.",
]
ON_THE_WAY: dict[State | None, tuple[State, ...]] = {"collapsed": ("narrowing",)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], choices=RECIPES, help="a recipe; may be given again")
    parser.add_argument("--seeds", default="100-119", help="as in 0-9,12 (default: %(default)s)")
    parser.add_argument("--plain", action="store_true", help="without the cures")
    parser.add_argument("--render", action="store_true", help="train nothing, write the table of what is there")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "recipes")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "recipes.md")
    options = parser.parse_args()
    seeds = parse_seeds(options.seeds)
    torch.set_num_threads(1)
    classifier: FrozenClassifier | None = None
    ledger = ledger_in(options.folder)
    for job in () if options.render else jobs(options.only, seeds):
        name, mark = f"{job.name}/{job.seed}", {"digest": digest(job)}
        if ledger.rows.get(name) == mark or (options.plain and job.cure):
            continue
        source = load_source(job.config)
        if isinstance(source, ImageSource) and classifier is None:
            classifier = classifier_for(source, options.folder)
        run(job, options.folder, classifier)
        ledger.add(name, mark)
        truth = truth_of(Series.load(options.folder / job.name / f"{job.seed}.npz"))
        print(name, json.dumps(asdict(truth)), flush=True)
    command = command_line("--render")
    options.out.write_text(report(options.folder, options.only, seeds, command))
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()

"""How often each recipe does what it says, over seeds: collapses, stays healthy, is cured from scratch and as a fork.

    nice -n 19 python benchmarks/recipes.py                  # everything; writes docs/results/recipes.md
    python benchmarks/recipes.py --only ring-collapse --seeds 0-7 --out /tmp/tried.md
    python benchmarks/recipes.py --render                    # only the table, of what has been run

One process and one thread; others may work on other seeds beside it. A run's whole series is kept in ``build/recipes`` as it
ends, and what became of it beside the table, in ``docs/results/recipes.jsonl``, so the command can be stopped and goes on from
there, on another machine too; a run whose settings have changed since is run anew. All recipes take turns seed by seed.
Settings were chosen on seeds 0 to 9 and are reported on others; ``--fresh`` are seeds of collapses alone, without cures,
which nobody had looked at when the verdict's rules were last changed.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import psutil
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ledger import Ledger, Row, key_of, said_by
from benchmarks.outcomes import (
    AGREE_BROKEN,
    ALIVE,
    COUNTED,
    KEEPS,
    LOOK_EVERY,
    RESOLUTION,
    Outcome,
    Said,
    Series,
    Truth,
    is_kept,
    said_of,
    truth_of,
)
from benchmarks.sections import command_line
from gan_core.config import BREAKS, CURES, PRESETS, RECIPES, Preset, RunConfig, parse_seeds, preset_config
from gan_core.data import ImageSource, MixtureSource, Source, open_stream
from gan_core.engine.describe import describe
from gan_core.engine.executors import compute_on_one_thread
from gan_core.engine.observers import observer_for
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
    config: RunConfig,
    rounds: int,
    classifier: FrozenClassifier | None,
    state: Tree | None = None,
    until: Callable[[Series], bool] | None = None,
) -> tuple[Series, Tree]:
    """Play until round ``rounds``, from ``state`` if given, and look every so often; also the last state.

    ``until`` is asked after every look, and ends it sooner.
    """
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
            if diverged or turn.round == rounds or (until and until(_series(seen, clock))):
                break
    table = torch.stack(turns).float().numpy()
    series = _series(seen, clock)
    series.turns = {"round": np.arange(played + 1, played + 1 + len(table)), **dict(zip(columns, table.T, strict=True))}
    series.diverged = diverged
    return series, capture(game, int(series.turns["round"][-1]))


def _series(seen: Sequence[Seen], clock: Sequence[float]) -> Series:
    """The measurements alone."""
    return Series(
        rounds=np.array([row.round for row in seen]),
        seconds=np.array(clock),
        counts=np.array([row.counts for row in seen]),
        nearest=np.array([row.nearest for row in seen]),
        spread=np.array([row.spread for row in seen]),
        diagnostics={
            name: np.array([row.numbers.get(name, np.nan) for row in seen])
            for name in (seen[-1].numbers if seen else ())
        },
        turns={},
        diverged=False,
    )


def run(job: Job, folder: Path, classifier: FrozenClassifier | None) -> Series:
    """Do what the recipe says and keep the series; of a run that can be cured, its last state too."""
    preset, config = PRESETS[job.preset], job.config
    states = folder / "states" / f"{job.preset}-{job.seed}"
    until = None if preset.kind == "vanishes" else is_kept  # there the gradient at the end decides
    if job.forked:
        parent = Job(job.preset, job.seed)
        if not checkpoints(states):
            run(parent, folder, classifier)
        state = fork(load_checkpoint(checkpoints(states)[-1]), parent.config, config).state
        series, _ = train(config, state["round"] + preset.cured_within, classifier, state, until)
    elif job.cure:
        series, _ = train(config, preset.cured_within, classifier, until=until)
    elif preset.acts:
        series = perform(preset, config, classifier)
    else:
        series, state = train(config, preset.within, classifier)
        if preset.kind == "collapse":
            save_checkpoint(states, state, keep=1)
    series.save(series_of(job, folder))
    return series


def series_of(job: Job, folder: Path) -> Path:
    return folder / job.name / f"{job.seed}.npz"


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


def jobs(only: Sequence[str], seeds: Sequence[int], fresh: Sequence[int] = ()) -> Iterator[Job]:
    """Seed by seed, so that whatever has been run when somebody stops it is a whole table of fewer seeds.

    Of ``fresh`` seeds only what collapses, as it stands.
    """
    chosen = {name: preset for name, preset in RECIPES.items() if not only or name in only}
    for seed in seeds:
        for name, preset in chosen.items():
            yield Job(name, seed)
            for cure in preset.cures:
                yield Job(name, seed, cure)
                if preset.kind == "collapse":
                    yield Job(name, seed, cure, forked=True)
    for seed in fresh:
        yield from (Job(name, seed) for name, preset in chosen.items() if preset.kind == "collapse")


@cache
def digest(job: Job) -> str:
    """What the outcome depends on, but for the code."""
    preset = PRESETS[job.preset]
    acts = [(act.round, (CURES | BREAKS)[act.change].changes) for act in preset.acts]
    told: list[Any] = [*((preset.cured_within, KEEPS) if job.cure else (preset.within,)), acts]
    if job.forked:
        told += [said_by(Job(job.preset, job.seed).config), preset.within]
    return key_of(job.config, *told)


class Kept:
    """What became of every run that has been made: beside the table, and of this machine in the folder of its series."""

    def __init__(self, folder: Path, table: Path) -> None:
        self._made = Ledger(folder / "runs.jsonl")
        self._path = table.with_suffix(".jsonl")
        self._beside = Ledger(self._path)

    def rows(self, planned: Iterable[Job]) -> dict[Job, Outcome]:
        """Of these jobs the ones that are done, in their order."""
        known = [(job, row) for job in planned if (row := self._row(job))]
        return {job: Outcome.from_dict(row) for job, row in known}

    def _row(self, job: Job) -> Row | None:
        rows = (ledger.rows.get(_key(job)) for ledger in (self._made, self._beside))
        return next((row for row in rows if row and row["digest"] == digest(job)), None)

    def add(self, job: Job, outcome: Outcome) -> None:
        self._made.add(_key(job), {"digest": digest(job), **outcome.to_dict()})

    def publish(self, planned: Iterable[Job]) -> None:
        """Write the rows of these jobs beside the table, one a line in their order; after them what else stood there."""
        rows = {_key(job): row for job in planned if (row := self._row(job))}
        rows |= {key: row for key, row in self._beside.rows.items() if key not in rows}
        lines = [{"key": key, **row} for key, row in rows.items()]
        self._path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def _key(job: Job) -> str:
    return f"{job.name}/{job.seed}"


def report(outcomes: Mapping[Job, Outcome], planned: Sequence[Job], fresh: Sequence[int], command: str) -> str:
    rows: dict[tuple[str, str, bool], list[Truth]] = {}
    heard: dict[str, list[tuple[Truth, Said]]] = {}
    for job, outcome in outcomes.items():
        rows.setdefault((job.preset, job.cure, job.forked), []).append(outcome.truth)
        if outcome.said is not None:
            heard.setdefault(job.preset, []).append((outcome.truth, outcome.said))
    fewest = min(len(rows.get((job.preset, job.cure, job.forked), ())) for job in planned)
    lines = [
        *PREAMBLE,
        "",
        *_progress(len(planned), len(outcomes), fewest),
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
    unseen = [(outcome.truth, outcome.said) for job, outcome in outcomes.items() if job.seed in fresh and outcome.said]
    if _fallen(unseen):
        lines += ["", f"On the seeds {fresh[0]} to {fresh[-1]} alone: {_collapses(unseen)}."]
    lines += ["", "## Machine and command", "", f"`{command}`", ""]
    lines.append(
        f"{psutil.cpu_count()} cores, one of them used, beside other work; {platform.system()}, Python "
        f"{platform.python_version()}, torch {torch.__version__}, one thread. CPU seconds are of training alone."
    )
    return "\n".join([*lines, ""])


def _progress(planned: int, made: int, fewest: int) -> list[str]:
    if made == planned:
        return [
            f"{made} runs, at least {fewest} a row; what became of each stands in `recipes.jsonl` beside this file."
        ]
    return [
        f"So far {made} of {planned} planned runs have been made, at least {fewest} a row. A row of few seeds is an example,",
        "not a rate; the command goes on where it was stopped.",
    ]


def _recipe_row(name: str, preset: Preset, truths: list[Truth]) -> str:
    wish, hits, first, seconds = _achieved(preset, truths)
    ends = sorted(truth.modes for truth in truths)
    whole = f", whole in {_share([truth.whole for truth in truths])}" if preset.acts else ""
    return (
        f"| `{name}` | {wish} within {preset.within} rounds | {len(truths)} | {_share(hits)} | {_spread(first)} | "
        f"{_spread(seconds, 1)} | {median(ends):g} ({ends[0]}–{ends[-1]}){whole} |"
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
    since = [truth.reached for truth in truths if truth.reached is not None]
    if preset.acts:
        hits = [truth.reached is not None and truth.onset is not None for truth in truths]
        return "breaks, and has all modes again", hits, since, []
    return "has all modes", [truth.reached is not None for truth in truths], since, []


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
    calm = [not said.alarms for _, said in pairs if said.wanted is None]
    if not calm or not _fallen(pairs):
        return ""
    alarmed = _share([not c for c in calm])
    return f"Of all runs that collapsed {_collapses(pairs)}; of all healthy ones {alarmed} raised a false alarm."


def _fallen(pairs: Sequence[tuple[Truth, Said]]) -> list[tuple[Truth, Said]]:
    """The runs that were to collapse and did."""
    return [(truth, said) for truth, said in pairs if said.wanted == "collapsed" and truth.onset is not None]


def _collapses(pairs: Sequence[tuple[Truth, Said]]) -> str:
    fallen = _fallen(pairs)
    called, near = [said.at is not None for _, said in fallen], [said.near(truth) for truth, said in fallen]
    return f"{_share(called)} were called so, {_share(near)} with an onset near the true one"


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
    "* **has all modes** (points): in three measurements in a row every mode is held in that sense and captured as VEEGAN",
    "  defines it (a sample within 3 standard deviations). Digits: no class has less than a third of its share. *Again* is",
    f"  after the cure; of the break, which soon gives way to it, {AGREE_BROKEN} measurements with few modes count. Such a",
    "  run goes on to its last round, and is *whole* if at that very measurement no mode is missing.",
    "* a cure has **all modes** where three measurements in a row have; *and after it* is the share of the measurements in the",
    f"  {KEEPS} rounds from the first of these on that have, the median of the seeds; there the run ends. Of a gradient that",
    "  vanished its norm must come back.",
    "* a cure **from scratch** is the recipe with the change-set from its first round on; **as a fork** the collapsed run of",
    "  the same seed goes on with it, from the exact weights.",
]


VERDICT = [
    "What the page says of the same runs, without being told the counts above. Its rules were fixed on seeds 0 to 9, but for",
    "one: how many measurements may say otherwise before an onset is dated anew was settled on seeds 100 to 119. *Called",
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
    parser.add_argument(
        "--fresh", default="120-129", help="of these seeds only what collapses; '' for none (%(default)s)"
    )
    parser.add_argument("--plain", action="store_true", help="without the cures")
    parser.add_argument("--render", action="store_true", help="train nothing, write the table of what is there")
    parser.add_argument(
        "--again", action="store_true", help="judge the series that are here by the rules as they are now"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "recipes")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "recipes.md")
    options = parser.parse_args()
    seeds, fresh = parse_seeds(options.seeds), parse_seeds(options.fresh) if options.fresh else ()
    compute_on_one_thread()
    classifier: FrozenClassifier | None = None

    def judge_of(source: Source) -> FrozenClassifier | None:
        nonlocal classifier
        if isinstance(source, ImageSource) and classifier is None:
            classifier = classifier_for(source, options.folder)
        return classifier if isinstance(source, ImageSource) else None

    kept, references = Kept(options.folder, options.out), References(judge_of)
    planned = [job for job in jobs(options.only, seeds, fresh) if not (options.plain and job.cure)]
    done = kept.rows(planned)
    for job in done if options.again else ():
        if (path := series_of(job, options.folder)).exists():
            kept.add(job, outcome_of(job, Series.load(path), references))
    for job in () if options.render else (job for job in planned if job not in done):
        series = run(job, options.folder, judge_of(load_source(job.config)))
        outcome = outcome_of(job, series, references)
        kept.add(job, outcome)
        print(_key(job), json.dumps(outcome.to_dict()), flush=True)
    done = kept.rows(planned)
    kept.publish(planned)
    options.out.write_text(report(done, planned, fresh, command_line("--render", "--again")))
    print(f"written: {options.out}")


def outcome_of(job: Job, series: Series, references: References) -> Outcome:
    """What became of a run; of a recipe as it stands also what the verdict said."""
    preset = PRESETS[job.preset]
    truth = truth_of(series, AGREE_BROKEN, preset.acts[-1].round) if preset.acts else truth_of(series)
    if job.cure or preset.acts:
        return Outcome(truth)
    return Outcome(truth, said_of(preset, job.config, series, references.of(job.config)))


if __name__ == "__main__":
    main()

"""How often each recipe does what it says, over seeds: collapses, stays healthy, is cured from scratch and as a fork.

    nice -n 19 python benchmarks/recipes.py                  # everything; writes docs/results/recipes.md
    python benchmarks/recipes.py --only ring-collapse --seeds 0-7 --out /tmp/tried.md
    python benchmarks/recipes.py --render                    # only the table, of what has been run
    python benchmarks/recipes.py --again                     # judge by the rules as they are now; trains what left no series

One process and one thread; others may work on other seeds beside it. A run's whole series is kept in ``build/recipes`` as it
ends, and what became of it beside the table, in ``docs/results/recipes.jsonl``, so the command can be stopped and goes on from
there, on another machine too; a run whose settings have changed since is run anew. All recipes take turns seed by seed.
Settings were chosen on seeds 0 to 9 and are reported on others; ``--fresh`` are seeds of collapses alone, without cures,
which nobody had looked at when the verdict's rules were last changed, and ``--calm`` those of healthy points alone, for the
false alarms. What a verdict said by older rules is not told; what became of a run does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ledger import Ledger, Row, key_of, said_by
from benchmarks.outcomes import (
    AGREE_BROKEN,
    COUNTED,
    KEEPS,
    LOOK_EVERY,
    Job,
    Outcome,
    Series,
    is_kept,
    rules,
    said_of,
    truth_of,
)
from benchmarks.recipes_table import report
from benchmarks.sections import command_line
from gan_core.config import BREAKS, CURES, PRESETS, RECIPES, Preset, RunConfig, parse_seeds
from gan_core.data import ImageSource, MixtureSource, Source, open_stream
from gan_core.engine.environment import compute_on_one_thread
from gan_core.engine.library.describe import describe
from gan_core.engine.observers import observer_for
from gan_core.metrics.modes import mode_counts, nearest_mode
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


def jobs(
    only: Sequence[str], seeds: Sequence[int], fresh: Sequence[int] = (), calm: Sequence[int] = ()
) -> Iterator[Job]:
    """Seed by seed, so that whatever has been run when somebody stops it is a whole table of fewer seeds.

    Of ``fresh`` seeds only what collapses, as it stands; of ``calm`` ones points that stay whole.
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
    for seed in calm:
        yield from (Job(name, seed) for name in chosen if name == "ring-healthy")


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
        return {job: Outcome.from_dict(row, rules()) for job, row in known}

    def _row(self, job: Job) -> Row | None:
        rows = (ledger.rows.get(_key(job)) for ledger in (self._made, self._beside))
        return next((row for row in rows if row and row["digest"] == digest(job)), None)

    def add(self, job: Job, outcome: Outcome) -> None:
        self._made.add(_key(job), {"digest": digest(job), "rules": rules(), **outcome.to_dict()})

    def publish(self, planned: Iterable[Job]) -> None:
        """Write the rows of these jobs beside the table, one a line in their order; after them what else stood there."""
        rows = {_key(job): row for job in planned if (row := self._row(job))}
        rows |= {key: row for key, row in self._beside.rows.items() if key not in rows}
        lines = [{"key": key, **row} for key, row in rows.items()]
        self._path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def _key(job: Job) -> str:
    return f"{job.name}/{job.seed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], choices=RECIPES, help="a recipe; may be given again")
    parser.add_argument("--seeds", default="100-119", help="as in 0-9,12 (default: %(default)s)")
    parser.add_argument(
        "--fresh", default="120-129", help="of these seeds only what collapses; '' for none (%(default)s)"
    )
    parser.add_argument(
        "--calm", default="120-159", help="of these seeds only healthy points; '' for none (%(default)s)"
    )
    parser.add_argument("--plain", action="store_true", help="without the cures")
    parser.add_argument("--render", action="store_true", help="train nothing, write the table of what is there")
    parser.add_argument("--again", action="store_true", help="judge by the rules as they are now, anew")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "recipes")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "recipes.md")
    options = parser.parse_args()
    seeds = parse_seeds(options.seeds)
    fresh, calm = (parse_seeds(given) if given else () for given in (options.fresh, options.calm))
    compute_on_one_thread()
    classifier: FrozenClassifier | None = None

    def judge_of(source: Source) -> FrozenClassifier | None:
        nonlocal classifier
        if isinstance(source, ImageSource) and classifier is None:
            classifier = classifier_for(source, options.folder)
        return classifier if isinstance(source, ImageSource) else None

    kept, references = Kept(options.folder, options.out), References(judge_of)
    planned = [job for job in jobs(options.only, seeds, fresh, calm) if not (options.plain and job.cure)]
    done = kept.rows(planned)
    stale = {job for job, outcome in done.items() if options.again and not job.cure and outcome.said is None}
    for job in sorted(stale, key=planned.index):
        if (path := series_of(job, options.folder)).exists():
            kept.add(job, outcome_of(job, Series.load(path), references))
            stale.remove(job)
    for job in () if options.render else (job for job in planned if job not in done or job in stale):
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
    if job.cure:
        return Outcome(truth)
    return Outcome(truth, said_of(preset, job.config, series, references.of(job.config)))


if __name__ == "__main__":
    main()

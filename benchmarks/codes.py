"""What the presets with a code promise, counted over seeds that nobody chose their settings by.

    nice -n 19 python benchmarks/codes.py                            # seeds 100-109; writes docs/results/codes.md
    python benchmarks/codes.py --presets digits-vae,ring-bigan --seeds 100-102 --jobs 2 --out /tmp/codes.md
    python benchmarks/codes.py --render                              # only the table, of what has been run

Each run is trained by the loop of the laboratory on one torch thread and looked at by its observer. A finished one is a line of
``docs/results/codes.jsonl``, so the command can be stopped and goes on from there; one whose settings or looks have changed
since is run anew. The promises stand in ``benchmarks/codes_promises.py``; presets that this version does not have are left out.
"""

from __future__ import annotations

import argparse
import math
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.codes_promises import CASES, Case, Promise
from benchmarks.ledger import Ledger, Row, key_of
from benchmarks.sections import command_line
from gan_core.config import PRESETS, RunConfig, parse_seeds, preset_config
from gan_core.data import ImageSource, MixtureSource, Source, to_unit
from gan_core.engine.environment import compute_on_one_thread
from gan_core.engine.observers import observer_for
from gan_core.engine.observers.held import samples_of
from gan_core.metrics.disentanglement import factor_vae_score, mig
from gan_core.metrics.matching import code_agreement
from gan_core.metrics.modes import mode_of
from gan_core.training import GAMES, Game, build, load_source, play, resolve
from gan_core.training.abilities import Encodes, Samples
from gan_core.training.classifier import FrozenClassifier, classifier_for
from gan_core.training.evaluation import evaluated
from gan_core.training.games.vae import Vae, draw, kl_of
from gan_core.training.latent import Categorical, Prior
from gan_core.training.streams import Streams

CACHE = ROOT / "build" / "codes"
HELD_OUT = 1_000  # samples, for the ELBO
OF = {
    "components": "value by principal components",
    "raw pixels": "value on raw pixels",
    "mean": "value of the mean image",
}


def config_of(case: Case, seed: int) -> RunConfig:
    changes = {**case.changes, "seed": seed, "device": "cpu"}
    if case.rounds:
        changes["schedule.rounds"] = case.rounds
    return preset_config(case.preset, changes)


def key(case: Case, seed: int) -> str:
    """Of a run and of what is done and seen on its way."""
    config = config_of(case, seed)
    return key_of(config, case.looks(config.schedule.rounds), {str(at): knobs for at, knobs in case.knobs.items()})


def run(case: Case, seed: int) -> Row:
    """Train one run; returns what was measured, by round and column, and the CPU seconds of training and of looking."""
    compute_on_one_thread()
    config = resolve(config_of(case, seed))
    source = load_source(config)
    game = build(config, source)
    observer = observer_for(config, source, _classifier)
    reference = observer.reference() or {}
    looks = case.looks(config.schedule.rounds)
    seen: dict[str, dict[str, float]] = {}
    turns = play(game)
    began, training, row = time.process_time(), 0.0, {}
    for turn in turns:
        row |= {f"{turn.player.name}.{name}": value for name, value in turn.values.items()}
        if not turn.ends_round:
            continue
        training += time.process_time() - began
        if turn.round in looks:
            numbers, _ = observer.look(game, turn.round)
            numbers |= at_nearest(game, GAMES[config.game].latent(config), source) | of_factors(game, source)
            told = {name: float(value) for name, value in row.items()}
            seen[str(turn.round)] = _finite(told | numbers | more_of(game, source, numbers))
        for knob, value in case.knobs.get(turn.round, {}).items():
            game.set_knob(knob, value)
        if turn.round >= max(looks):
            break
        began = time.process_time()
    known = {name: reference.get(name, {}) for name in ("floors", "beside")}
    return {"case": case.name, "seed": seed, "seen": seen, "cpu": round(training, 2), **known, "machine": machine()}


def more_of(game: Game, source: Source, numbers: Mapping[str, float]) -> dict[str, float]:
    """What no column has: the ELBO of held-out samples, the KL in all, blur over real."""
    kls = [value for name, value in numbers.items() if name.startswith("code_kl_")]
    more = {"kl": math.fsum(kls)} if kls else {}
    if isinstance(game, Vae):
        x = samples_of(source, HELD_OUT, heldout=True).x
        mean, log_variance = game.posterior(x)
        with evaluated(game.Dec):
            output = game.Dec(draw(mean, log_variance, Streams(0).generator("codes", "elbo")))
            rec = game.reconstruction(output, x).mean()
        more["negative_elbo"] = float(rec + kl_of(mean, log_variance).sum(1).mean())
    return more


def at_nearest(game: Game, prior: Prior | None, source: Source) -> dict[str, float]:
    """How far the categories of samples agree with the modes that these are nearest to, however far away they are."""
    if not (isinstance(prior, Categorical) and isinstance(source, MixtureSource) and isinstance(game, Samples)):
        return {}
    z = prior(HELD_OUT, Streams(0).generator("codes", "nearest"))
    modes = mode_of(source.to_data(game.sample(z).numpy()), source.centers, np.full(source.num_modes, np.inf))
    drawn = prior.category_of(z).numpy()
    return {"code_at_nearest": code_agreement(drawn, modes, prior.categories, source.num_modes)}


def of_factors(game: Game, source: Source) -> dict[str, float]:
    """How far the code tells apart the factors of data of which these are known: MIG and the FactorVAE score of all images."""
    if not (isinstance(source, ImageSource) and source.factors is not None and isinstance(game, Encodes)):
        return {}
    codes = torch.cat([game.encode(to_unit(part)) for part in source.x.split(HELD_OUT)]).numpy()
    factors = source.factors.table
    return {"mig": mig(codes, factors), "factor_vae": factor_vae_score(codes, factors)}


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.6g}") for name, value in numbers.items() if math.isfinite(value)}


_CLASSIFIERS: dict[str, FrozenClassifier] = {}


def _classifier(source: ImageSource) -> FrozenClassifier | None:
    if source.judged is None:
        return None
    if source.fingerprint not in _CLASSIFIERS:
        _CLASSIFIERS[source.fingerprint] = classifier_for(source, CACHE)
    return _CLASSIFIERS[source.fingerprint]


def machine() -> str:
    name = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine()
    )
    return f"{name}, torch {torch.__version__}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


# The table


def value_of(promise: Promise, row: Row) -> float:
    """What a run read of a promise's measure at its round; NaN where that was not measured."""
    at = str(promise.round or max(map(int, row["seen"])))
    return float(row["seen"].get(at, {}).get(promise.measure, float("nan")))


def bound_of(promise: Promise, row: Row) -> float:
    """The number that the measure is held to: of its own, or so many times what stands beside it."""
    if not promise.of:
        return promise.bound
    beside = row["beside"].get(promise.measure, {})
    named = [value for name, value in beside.items() if promise.of in name]
    known = row["floors"].get(promise.measure) if promise.of == "floor" else (named or [None])[0]
    return float("nan") if known is None else promise.bound * float(known)


def holds(promise: Promise, row: Row) -> bool:
    value, bound = value_of(promise, row), bound_of(promise, row)
    return value >= bound if promise.relation == "≥" else value <= bound


def report(rows: Sequence[Row], cases: Sequence[Case], command: str) -> str:
    """The page."""
    machines = sorted({row["machine"] for row in rows})
    whole = math.fsum(row["cpu"] for row in rows)
    lines = [
        "# Games with a code, over seeds",
        "",
        f"Made by `{command}`. Each row is a promise of a preset, on seeds that were not used to choose its settings. Medians,",
        "with the least and the greatest in brackets; *keeps it* counts the seeds. Measures are of held-out samples. Published",
        "figures are of other sizes and lengths of training; what differs stands below each table. A dash: none that is known.",
        "",
        f"Trained on {'; '.join(machines)}, one thread a run, {whole / 60:.1f} CPU minutes of training for {len(rows)} runs.",
    ]
    for case in cases:
        mine = [row for row in rows if row["case"] == case.name]
        lines += ["", f"## {case.name}", "", *_section(case, mine)]
    return "\n".join([*lines, ""])


def _section(case: Case, rows: Sequence[Row]) -> list[str]:
    if not rows:
        return ["Not run."]
    seeds, cpu = [row["seed"] for row in rows], [row["cpu"] for row in rows]
    lines = [
        f"{case.says} Seeds {min(seeds)} to {max(seeds)}, {len(rows)} in all, {spread(cpu)} CPU seconds of training each.",
        "",
        "| promise | measured | keeps it | published |",
        "|---|---|---|---|",
    ]
    for promise in case.promises:
        values = [value for row in rows if math.isfinite(value := value_of(promise, row))]
        kept = sum(holds(promise, row) for row in rows)
        told = spread(values) if values else "not measured"
        lines.append(
            f"| {promise.said} ({_limit(promise, rows)}) | {told} | {kept} of {len(rows)} | {promise.published} |"
        )
    return [*lines, *(["", case.differs] if case.differs else [])]


def _limit(promise: Promise, rows: Sequence[Row]) -> str:
    bounds = [bound for row in rows if math.isfinite(bound := bound_of(promise, row))]
    at = f", round {promise.round:,}" if promise.round else ""
    if not bounds:
        return f"{promise.relation} ?{at}"
    said = f"{promise.relation} {number(median(bounds))}{at}"
    return f"{said}; {promise.bound:g} × its {OF.get(promise.of, promise.of)}" if promise.of else said


def spread(values: Sequence[float]) -> str:
    return f"{number(median(values))} ({number(min(values))} – {number(max(values))})"


def number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.1f}"


# Running


def planned(cases: Sequence[Case], seeds: Sequence[int], ledger: Ledger) -> Iterator[tuple[Case, int]]:
    """Seed by seed, so that all cases have as many."""
    asked = ((case, seed + case.skips) for seed in seeds for case in cases)
    return ((case, seed) for case, seed in asked if key(case, seed) not in ledger.rows)


def known_cases(wanted: Sequence[str]) -> list[Case]:
    """The cases of the presets that are there, of these names where there are any; says which are left out."""
    for name in sorted({case.preset for case in CASES} - set(PRESETS)):
        print(f"left out: there is no preset {name}", file=sys.stderr)
    known = [case for case in CASES if case.preset in PRESETS]
    unknown = set(wanted) - {case.preset for case in known}
    if unknown:
        raise SystemExit(f"no promises are known of {', '.join(sorted(unknown))}")
    return [case for case in known if not wanted or case.preset in wanted]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", default="", help="names with commas; all where none is given")
    parser.add_argument("--seeds", default="100-109", help="%(default)s")
    parser.add_argument("--jobs", type=int, default=1, help="processes; one thread each (%(default)s)")
    parser.add_argument("--render", action="store_true", help="train nothing, write the table of what has been run")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "codes.md")
    options = parser.parse_args()
    cases, seeds = known_cases([name for name in options.presets.split(",") if name]), parse_seeds(options.seeds)
    ledger = Ledger(options.out.with_suffix(".jsonl"))
    todo = [] if options.render else list(planned(cases, seeds, ledger))
    if todo:
        psutil.Process().nice(max(psutil.Process().nice(), 10))
        compute_on_one_thread()
        for case in cases:  # one process trains each classifier, for all
            source = load_source(resolve(config_of(case, seeds[0])))
            if isinstance(source, ImageSource):
                _classifier(source)
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        waiting = [(case, seed, pool.submit(run, case, seed)) for case, seed in todo]
        for case, seed, future in waiting:
            row = future.result()
            ledger.add(key(case, seed), row)
            print(f"{case.name}, seed {seed}: {row['cpu']:.1f} CPU s", flush=True)
    keys = {key(case, seed + case.skips) for case in cases for seed in seeds}
    rows = [row for name, row in ledger.rows.items() if name in keys]
    if rows:
        options.out.write_text(report(rows, cases, command_line("--render")))
        print(f"written: {options.out}")


if __name__ == "__main__":
    main()

"""What the presets from picture to picture promise, counted over held-out seeds beside what needs no training.

    nice -n 19 python benchmarks/translation.py                      # seeds 100-104; writes docs/results/translation.md
    python benchmarks/translation.py --presets digits-colour --seeds 100 --out /tmp/translation.md
    python benchmarks/translation.py --render                        # only the tables, of what has been run

Each run is trained by the loop of the laboratory on one torch thread, one process at a time; its outputs are measured on a
thousand held-out pairs. A finished one is a line of ``docs/results/translation.jsonl``, so the command can be stopped and goes
on from there. The promises stand in ``benchmarks/translation_promises.py``; presets that are not there are left out.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import psutil
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import codes
from benchmarks.codes_promises import Case
from benchmarks.ledger import Ledger, Row, key_of
from benchmarks.sections import command_line
from benchmarks.translation_promises import CASES, Way
from gan_core.config import PRESETS, RunConfig, parse_seeds
from gan_core.config.games.pix2pix import Pix2pixConfig
from gan_core.data import ImageSource, Source
from gan_core.engine.environment import compute_on_one_thread
from gan_core.engine.observers import observer_for
from gan_core.engine.observers.translated import HeldPairs
from gan_core.metrics import METRICS
from gan_core.training import Game, build, load_source, play, resolve
from gan_core.training.games.pix2pix import Pix2pix

PAIRS = 1_000
TOLD = (
    *("target_class", "absolute_error", "psnr", "ssim", "target_frechet"),
    *("consistency", "ink_brightness", "ink_saturation"),
)
"""Measures of pairs, as the tables have them."""


class Looks:
    """What a run reads: of pairs those of a thousand, else what its observer sees."""

    def __init__(self, config: RunConfig, source: Source) -> None:
        self._pairs, self._observer = None, None
        if isinstance(config, Pix2pixConfig):
            self._pairs = HeldPairs(config, source, codes._classifier, n=PAIRS)
        else:
            self._observer = observer_for(config, source, codes._classifier)

    def reference(self) -> Row:
        looked = self._pairs or self._observer
        assert looked is not None
        return looked.reference() or {}

    def at(self, game: Game, round: int) -> dict[str, float]:
        if self._pairs is not None:
            assert isinstance(game, Pix2pix)
            return self._pairs.measure(self._pairs.outputs(game))
        assert self._observer is not None
        return self._observer.look(game, round)[0]


def run(case: Case, seed: int) -> Row:
    """Train one run; returns what was measured, by round and column, and the CPU seconds of training."""
    compute_on_one_thread()
    config = resolve(codes.config_of(case, seed))
    source = load_source(config)
    game, looks = build(config, source), Looks(config, source)
    reference, rounds = looks.reference(), case.looks(config.schedule.rounds)
    seen: dict[str, dict[str, float]] = {}
    began, training, start = time.process_time(), 0.0, dict[str, Tensor]()
    for turn in play(game):
        if not turn.ends_round:
            continue
        training += time.process_time() - began
        if isinstance(case, Way) and turn.round == case.since:
            start = _weights(game)
        if turn.round in rounds:
            numbers = looks.at(game, turn.round)
            if start:
                assert isinstance(case, Way)
                numbers |= _between(looks, game, start, case.shares)
            seen[str(turn.round)] = codes._finite(numbers)
        for knob, value in case.knobs.get(turn.round, {}).items():
            game.set_knob(knob, value)
        if turn.round >= max(rounds):
            break
        began = time.process_time()
    known = {name: reference.get(name, {}) for name in ("floors", "beside")}
    told = {"case": case.name, "seed": seed, "seen": seen, "cpu": round(training, 2)}
    return {**told, **known, "machine": codes.machine()}


def _weights(game: Game) -> dict[str, Tensor]:
    assert isinstance(game, Pix2pix)
    return {name: tensor.clone() for name, tensor in game.sampled.state_dict().items()}


def _between(looks: Looks, game: Game, start: Mapping[str, Tensor], shares: Sequence[float]) -> dict[str, float]:
    """The measures of pairs by name and share; leaves the game as it was."""
    assert isinstance(game, Pix2pix)
    end, numbers = _weights(game), {}
    for share in shares:
        game.sampled.load_state_dict({name: torch.lerp(start[name], end[name], share) for name in end})
        numbers |= {f"{name}@{share:g}": value for name, value in looks.at(game, 0).items()}
    game.sampled.load_state_dict(end)
    return numbers


# The page


def report(rows: Sequence[Row], cases: Sequence[Case], command: str) -> str:
    machines, whole = sorted({row["machine"] for row in rows}), math.fsum(row["cpu"] for row in rows)
    lines = [
        "# From picture to picture, over seeds",
        "",
        f"Made by `{command}`. Each row is a promise of a preset, or of one with a part left out, on seeds that were not used",
        "to choose its settings. Medians, with the least and the greatest in brackets; *keeps it* counts the seeds. Outputs",
        f"are of {PAIRS:,} held-out pairs; below the promises stands what they read beside what needs no training, and in a",
        "sentence where that wins.",
        "",
        f"Trained on {'; '.join(machines)}, one thread a run, {whole / 60:.1f} CPU minutes of training for {len(rows)} runs.",
    ]
    for case in cases:
        mine = [row for row in rows if row["case"] == case.name]
        lines += ["", f"## {case.name}", "", *codes._section(case, mine)]
        if mine:
            lines += beside(case, mine) + between(case, mine)
    return "\n".join([*lines, ""])


def beside(case: Case, rows: Sequence[Row]) -> list[str]:
    """The table of the run and of what needs no training, and the sentence that says what of it wins; [] without one."""
    last = [row["seen"][max(row["seen"], key=int)] for row in rows]
    columns = [name for name in TOLD if all(name in numbers for numbers in last)]
    if not columns:
        return []
    run = {name: median(numbers[name] for numbers in last) for name in columns}
    rivals: dict[str, dict[str, float]] = {}
    for name in columns:
        for rival, value in rows[0]["beside"].get(name, {}).items():
            rivals.setdefault(rival, {})[name] = value
    heads = [METRICS[name].about.title for name in columns]
    table = ["", f"| held-out outputs | {' | '.join(heads)} |", f"|---|{'---|' * len(columns)}"]
    for told, numbers in ((f"**{case.name}**", run), *rivals.items()):
        cells = [codes.number(numbers[name]) if name in numbers else "" for name in columns]
        table.append(f"| {told} | {' | '.join(cells)} |")
    won = [
        f"{rival} in {', '.join(METRICS[name].about.title.lower() for name in better)}"
        for rival, numbers in rivals.items()
        if rival != "target itself" and (better := [name for name in numbers if wins(name, numbers[name], run[name])])
    ]
    said = (
        f"Better than the run: {'; '.join(won)}." if won else "Nothing that needs no training is better than the run."
    )
    return [*table, "", said]


def wins(name: str, rival: float, run: float) -> bool:
    better = METRICS[name].better
    return rival > run if better == "higher" else rival < run


def between(case: Case, rows: Sequence[Row]) -> list[str]:
    """Perception against distortion: medians at each share of a way; [] without one."""
    if not isinstance(case, Way) or not case.since:
        return []
    names = ("psnr", "target_frechet", "target_class", "consistency")
    last = [row["seen"][max(row["seen"], key=int)] for row in rows]
    heads = " | ".join(METRICS[name].about.title for name in names)
    table = ["", f"| share of the way from round {case.since} to the last | {heads} |", f"|---|{'---|' * len(names)}"]
    for share in case.shares:
        cells = [codes.spread([numbers[f"{name}@{share:g}"] for numbers in last]) for name in names]
        table.append(f"| {share:g} | {' | '.join(cells)} |")
    return table


def known_cases(wanted: Sequence[str]) -> list[Case]:
    """The cases of the presets that are there, of these names where there are any; says which are left out."""
    for name in sorted({case.preset for case in CASES} - set(PRESETS)):
        print(f"left out: there is no preset {name}", file=sys.stderr)
    known = [case for case in CASES if case.preset in PRESETS]
    unknown = set(wanted) - {case.preset for case in known} - {case.name for case in known}
    if unknown:
        raise SystemExit(f"no promises are known of {', '.join(sorted(unknown))}")
    return [case for case in known if not wanted or case.preset in wanted or case.name in wanted]


def key(case: Case, seed: int) -> str:
    """Of a run, of what is done and seen on its way, and of the pairs that are measured."""
    config = codes.config_of(case, seed)
    knobs = {str(at): turned for at, turned in case.knobs.items()}
    way = [case.since, case.shares] if isinstance(case, Way) else []
    return key_of(config, case.looks(config.schedule.rounds), knobs, way, PAIRS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--presets", default="", help="names of presets or of rows, with ; between; all where none is given"
    )
    parser.add_argument("--seeds", default="100-104", help="%(default)s")
    parser.add_argument("--render", action="store_true", help="train nothing, write the tables of what has been run")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "translation.md")
    options = parser.parse_args()
    cases, seeds = known_cases([name for name in options.presets.split(";") if name]), parse_seeds(options.seeds)
    ledger = Ledger(options.out.with_suffix(".jsonl"))
    todo = (
        []
        if options.render
        else [(case, seed) for seed in seeds for case in cases if key(case, seed) not in ledger.rows]
    )
    if todo:
        psutil.Process().nice(max(psutil.Process().nice(), 10))
        compute_on_one_thread()
        for case in cases:  # trained once, before what is timed
            if isinstance(source := load_source(resolve(codes.config_of(case, seeds[0]))), ImageSource):
                codes._classifier(source)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for case, seed in todo:
            row = pool.submit(run, case, seed).result()
            ledger.add(key(case, seed), row)
            print(f"{case.name}, seed {seed}: {row['cpu']:.1f} CPU s", flush=True)
    keys = {key(case, seed) for case in cases for seed in seeds}
    rows = [row for name, row in ledger.rows.items() if name in keys]
    if rows:
        options.out.write_text(report(rows, cases, command_line("--render")))
        print(f"written: {options.out}")


if __name__ == "__main__":
    main()

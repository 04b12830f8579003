"""The templates of the Compare page: does each show what it says, on seeds that nobody chose its settings by?

    nice -n 19 python benchmarks/templates.py                     # seeds 100-104; writes docs/results/templates.md
    python benchmarks/templates.py --only table-1 --seeds 0-2 --out /tmp/templates.md
    python benchmarks/templates.py --render                       # only the page, of what has been run

Each run is trained by ``gan_core.train`` on one torch thread, with the settings that the page would start. A finished one is a
line of ``templates.jsonl`` beside the page, so the command goes on where it was stopped; what was changed is run anew.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ledger import Ledger, Row, key_of
from benchmarks.sections import command_line
from benchmarks.serving import signed
from gan_core import train
from gan_core.config import TEMPLATES, RunConfig, Template, parse_seeds, preset_config
from gan_core.engine.environment import compute_on_one_thread
from gan_core.metrics import METRICS
from gan_core.said import said

HELD_OUT = parse_seeds("100-104")
SEEDS_OF_THE_PAGE, CORES, AIM = 3, 2, 180.0  # seconds
PROMISING = [name for name, template in TEMPLATES.items() if template.orders]
RESULTS = ROOT / "docs" / "results" / "templates.md"
# Beside those that an order asks for, as far as a game has them.
TOLD = ("modes_covered", "high_quality_share", "sliced_wasserstein", "effective_modes", "frechet_distance")


def configs_of(name: str, seeds: Sequence[int]) -> dict[tuple[str, int], RunConfig]:
    """What the page would start for a template, by variant and seed."""
    template = TEMPLATES[name]
    return template.comparison(preset_config(template.preset, {"device": "cpu"}), seeds).configs()


def measures_of(template: Template) -> list[str]:
    return list(dict.fromkeys([*(order.measure for order in template.orders), *TOLD]))


def run(config: RunConfig, measures: Sequence[str]) -> Row:
    """Train one run; what it read of each measure, as an ``Order`` counts it, and the CPU seconds of all of it."""
    compute_on_one_thread()
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        result = train(config, store=folder)
        seen = {name: list(result.diagnostics[name]) for name in measures if name in result.diagnostics}
    read = {name: float(f"{end_of(values):.4g}") for name, values in seen.items()}
    told = {name: value if math.isfinite(value) else None for name, value in read.items()}
    return {
        "status": result.status,
        "rounds": result.rounds,
        "cpu": round(time.process_time() - began, 1),
        "read": told,
    }


def end_of(values: Sequence[float]) -> float:
    """The mean over the last quarter of the measurements; not a number where one of them is none."""
    return fmean(values[-max(1, len(values) // 4) :]) if values else math.nan


def played(ledger: Ledger, names: Sequence[str], seeds: Sequence[int], jobs: int) -> None:
    """Train what is not in the ledger, seed after seed."""
    wanted = [
        (name, variant, seed, config)
        for seed in seeds
        for name in names
        for (variant, _), config in configs_of(name, [seed]).items()
        if key_of(config, *measures_of(TEMPLATES[name])) not in ledger.rows
    ]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        made = {pool.submit(run, job[3], measures_of(TEMPLATES[job[0]])): job for job in wanted}
        for done in as_completed(made):
            name, variant, seed, config = made[done]
            row = {"template": name, "variant": variant, "seed": seed, **done.result()}
            ledger.add(key_of(config, *measures_of(TEMPLATES[name])), row)
            print(row, file=sys.stderr, flush=True)


def rows_of(ledger: Ledger, name: str, seeds: Sequence[int]) -> dict[int, dict[str, Row]]:
    """What is known of today's settings of a template: by seed and variant, the seeds of which all variants are there."""
    found: dict[int, dict[str, Row]] = {}
    for seed in seeds:
        configs = configs_of(name, [seed])
        keys = {variant: key_of(config, *measures_of(TEMPLATES[name])) for (variant, _), config in configs.items()}
        if all(key in ledger.rows for key in keys.values()):
            found[seed] = {variant: ledger.rows[key] for variant, key in keys.items()}
    return found


def held(name: str, rows: Mapping[int, Mapping[str, Row]]) -> list[int]:
    """The seeds in which every order of a template holds."""
    return [
        seed
        for seed, variants in rows.items()
        if all(
            order.holds({variant: number(row["read"].get(order.measure)) for variant, row in variants.items()})
            for order in TEMPLATES[name].orders
        )
    ]


def number(value: float | None) -> float:
    return math.nan if value is None else value


def report(ledger: Ledger, seeds: Sequence[int], command: str, load: list[tuple[float, float, float]]) -> str:
    lines = [
        "# Templates of the Compare page, over seeds",
        "",
        f"Each with the settings that the page starts, on seeds {seeds[0]} to {seeds[-1]}, by which nobody chose them. A",
        "number is the mean over the last quarter of a run's measurements: over the seeds their mean, with the least and the",
        f"greatest in brackets. The time is that of the page's {SEEDS_OF_THE_PAGE} seeds on {CORES} free cores, from CPU",
        f"seconds of one torch thread; the aim is {AIM / 60:.0f} minutes. What each run read stands in `templates.jsonl`.",
    ]
    for name in PROMISING:
        if rows := rows_of(ledger, name, seeds):
            lines += ["", *_section(name, rows)]
    return "\n".join([*lines, *signed(command, load)])


def _section(name: str, rows: Mapping[int, Mapping[str, Row]]) -> Iterator[str]:
    template = TEMPLATES[name]
    good, seconds = held(name, rows), cost(rows)
    yield f"## {template.title} (`{name}`)"
    yield ""
    yield f"*{template.question}* {template.shows}"
    yield ""
    for order in template.orders:
        more, less = (", ".join(names) for names in (order.more, order.less))
        yield f"* {METRICS[order.measure].about.title}: {more} above {less}"
    yield f"* held by **{len(good)} of {len(rows)}** seeds; {seconds / 60:.1f} minutes"
    yield ""
    any_seed = next(iter(rows.values()))
    measures = [m for m in measures_of(template) if any(m in row["read"] for row in any_seed.values())]
    yield "| | " + " | ".join(METRICS[measure].about.title for measure in measures) + " | CPU s |"
    yield "|---" * (len(measures) + 2) + "|"
    for variant in any_seed:
        told = [_spread([number(seen[variant]["read"].get(measure)) for seen in rows.values()]) for measure in measures]
        cpu = fmean(seen[variant]["cpu"] for seen in rows.values())
        yield f"| {variant} | " + " | ".join(told) + f" | {cpu:.0f} |"


def cost(rows: Mapping[int, Mapping[str, Row]]) -> float:
    """Seconds that the seeds of the page take on two free cores."""
    each = fmean(sum(row["cpu"] for row in variants.values()) for variants in rows.values())
    return each * SEEDS_OF_THE_PAGE / CORES


def _spread(values: Sequence[float]) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "–"
    return f"{said(fmean(known))} ({said(min(known))} – {said(max(known))})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=PROMISING, help="a template; may be given again")
    parser.add_argument("--seeds", type=parse_seeds, default=HELD_OUT, help="(default: 100-104)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--render", action="store_true", help="train nothing")
    options = parser.parse_args()
    load = [os.getloadavg()]
    ledger = Ledger(options.out.with_suffix(".jsonl"))
    if not options.render:
        played(ledger, options.only or PROMISING, options.seeds, options.jobs)
    load.append(os.getloadavg())
    text = report(ledger, options.seeds, command_line("--render"), load)
    options.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()

"""The tables of what became of the recipes, over seeds."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

import psutil
import torch

from benchmarks.outcomes import AGREE_BROKEN, ALIVE, KEEPS, LOOK_EVERY, RESOLUTION, Job, Outcome, Said, Truth
from gan_core.config import CURES, PRESETS, Preset
from gan_core.metrics.states import STATES, State

PREAMBLE = [
    "# Recipes, over seeds",
    "",
    "Every recipe of `gan_core/config/gan/recipes.py`, trained by the loop of the laboratory over seeds that were not used to",
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
    "What the page says of these runs by its rules of today, without being told the counts above; a run that only older rules",
    "have judged is not among them. Of a lesson what is said of its break. The rules were settled on seeds 0 to 9 and on the",
    "runs of [verdict.md](verdict.md), but for one: how many measurements may say otherwise before an onset is dated anew was",
    "settled on seeds 100 to 119. *Called so* counts the runs that became what their recipe asks for. The verdict calls a run",
    "collapsed from half of the variety on, so the true onset here is the first of two measurements in a row at which the",
    "counts have less than half of the effective modes (e to the entropy) or of the spread. *Near* is within 10 % of it or two",
    f"measurements, {RESOLUTION} rounds. *Narrowing* on the way to a collapse is no other alarm.",
]
ON_THE_WAY: dict[State | None, tuple[State, ...]] = {"collapsed": ("narrowing",)}


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

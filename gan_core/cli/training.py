"""Commands that train: one run, a fork, a comparison; and what a data set needs before."""

from __future__ import annotations

import argparse
import math
import shlex
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gan_core import api
from gan_core.cli.terminal import (
    FAILED,
    INTERRUPTED,
    Progress,
    Row,
    StatusLine,
    print_rows,
    progress_bar,
    tell,
    to_json,
)
from gan_core.cli.typed import as_typed, changes_of, comparison_of, config_of, cures_of, knobs_of
from gan_core.config import RunConfig, differences_of
from gan_core.engine import Lab, Refused, advice, prepare_classifier, resume_interrupted, use_store
from gan_core.exhaustion import brace
from gan_core.said import said
from gan_core.store import must_be_there


def train(options: argparse.Namespace) -> int:
    use_store(options.store)  # where a data set of one's own is looked for, also before there is a lab
    config = config_of(options)
    for problem in advice(config):  # also refuses what cannot be trained, before a store is made for it
        tell(f"note: {problem}")
    with _open_lab(options) as lab:
        _prepare_for(lab, config)
        run_id = lab.submit(config, name=options.name, knobs=knobs_of(options), until=options.until)
        return _report(run_id, options, lambda progress: api.follow(lab, run_id, progress))


def resume(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    if options.set:
        fork = shlex.join(["python", "-m", "gan_core", "fork", options.run or "RUN", "--set", *options.set[:1]])
        raise Refused(f"A run goes on as it began. To change a setting from where it is, fork it: {fork}")
    if bool(options.run) == options.all:
        raise Refused("Say which run to go on with, or --all for every one that was interrupted.")
    with _open_lab(options) as lab:
        if options.all:
            return _resume_all(lab)
        lab.resume(options.run)
        return _report(options.run, options, lambda progress: api.follow(lab, options.run, progress))


def _resume_all(lab: Lab) -> int:
    """Go on with all that was interrupted, to the end; prints a line of JSON for each."""
    resumed = resume_interrupted(lab)
    for run_id, why in resumed.refused.items():
        tell(f"{run_id}: {why}")
    try:
        ended = [lab.wait(run_id) for run_id in resumed.gone_on]
    except KeyboardInterrupt:
        tell("interrupted and saved")
        return INTERRUPTED
    for run in ended:
        print(to_json({"run": run.id, "status": run.status, "rounds": run.rounds} | run.summary))
    return 0 if not resumed.refused and all(run.status in ("finished", "stopped") for run in ended) else FAILED


def fork(options: argparse.Namespace) -> int:
    changes = {**cures_of(options), **changes_of(options)}
    with _open_lab(options) as lab:
        live = {"knobs": knobs_of(options), "until": options.until}
        child = lab.fork(options.run, changes, at=options.at, name=options.name, **live)
        (told,) = (event for event in lab.store.events(child) if event.data.get("parent") == options.run)
        tell(f"{child} goes on from round {told.round:,} of {options.run}")
        for line in told.data["anew"]:
            tell(f"begins anew: {line}")
        return _report(child, options, lambda progress: api.follow(lab, child, progress))


def compare(options: argparse.Namespace) -> int:
    use_store(options.store)
    comparison = comparison_of(options)
    for problem in advice(comparison.base):
        tell(f"note: {problem}")
    for difference in differences_of(comparison):
        if not difference.asked:
            values = ", ".join(f"{as_typed(value)} in {variant}" for variant, value in difference.values.items())
            tell(f"note: {difference.field} differs as well: {values}")
    with _open_lab(options) as lab:
        _prepare_for(lab, comparison.base)
        comparison_id = lab.compare(comparison, name=options.name)
        try:
            result = api.follow_comparison(lab, comparison_id, None if options.quiet else _comparison_progress())
        except KeyboardInterrupt:
            tell(f"\ninterrupted and saved; the dashboard goes on with comparison {comparison_id}")
            return INTERRUPTED
    if not options.json:
        _print_standings(result)
    fields = ("comparison", "metrics", "sentences", "headlines", "floors")
    runs = [
        {"run": run.run, "variant": variant, "seed": seed, "status": run.status, "rounds": run.rounds}
        for (variant, seed), run in result.runs.items()
    ]
    print(to_json({name: getattr(result, name) for name in fields} | {"runs": runs}))
    return 0 if all(run["status"] in ("finished", "stopped") for run in runs) else FAILED


def _comparison_progress() -> Callable[[list[Row]], None]:
    line = StatusLine()

    def show(statuses: list[Row]) -> None:
        done = sum(status["share"] for status in statuses) / max(1, len(statuses))
        states = Counter(status["state"] for status in statuses)
        told = ", ".join(f"{count} {state}" for state, count in states.items())
        rounds = [status["round"] for status in statuses if status["state"] in ("queued", "running", "paused")]
        where = f"round {min(rounds):,} to {max(rounds):,}" if rounds else ""
        line.show(f"{done:4.0%} {where} · {told}")
        if not rounds:
            line.end()

    return show


def _print_standings(result: Any) -> None:
    """A row per variant: mean ± standard deviation over the seeds; and what can be told apart by the first measure."""
    variants = list(dict.fromkeys(variant for variant, _ in result.runs))
    shown = list(result.metrics)[:6]
    rows = []
    for variant in variants:
        cells = {metric: result.metrics[metric][variant] for metric in shown}
        rows.append({"variant": variant} | {metric: _mean(cell) for metric, cell in cells.items()})
    rows.append({"variant": "real data"} | {m: said(result.floors[m]) if m in result.floors else "" for m in shown})
    print_rows(rows, as_json=False)
    for metric in shown[:1]:
        print("\n".join([*result.sentences[metric], *result.headlines]))


def _mean(cell: Row) -> str:
    return said(cell["mean"]) + (f" ± {said(cell['std'])}" if math.isfinite(cell["std"]) else "")


def prepare(options: argparse.Namespace) -> int:
    with Lab(options.store) as lab:
        _prepare_for(lab, RunConfig())
    return 0


def _prepare_for(lab: Lab, config: RunConfig) -> None:
    """Train the data set's frozen classifier first, where it has none: a run from a terminal can wait for it."""
    line = StatusLine()

    def progress(share: float, sentence: str) -> None:
        line.show(f"{sentence} {share:4.0%}")

    prepare_classifier(lab, config, progress)
    line.end()


@contextmanager
def _open_lab(options: argparse.Namespace) -> Iterator[Lab]:
    """A lab that saves its runs on the way out, however often it is asked to terminate meanwhile.

    A second Ctrl-C leaves at once: raises SystemExit.
    """
    brace()
    lab = Lab(options.store, executor=options.executor, ray=options.ray)
    try:
        yield lab
    finally:
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # `timeout` asks twice, and saving takes a moment
        try:
            lab.close()
        except KeyboardInterrupt:
            tell("interrupted again, before all was saved: a run goes on from its last checkpoint")
            raise SystemExit(INTERRUPTED) from None
        finally:
            signal.signal(signal.SIGTERM, before)


def _report(run_id: str, options: argparse.Namespace, follow: Callable[[Progress | None], Any]) -> int:
    """Follow a run to its end and print the one JSON line that a script reads."""
    try:
        result = follow(None if options.quiet else progress_bar())
    except KeyboardInterrupt:
        # The lab saves the run when it closes, on the way out.
        go_on = shlex.join(["python", "-m", "gan_core", "resume", run_id, "--store", str(options.store)])
        tell(f"\ninterrupted; to go on: {go_on}")
        return INTERRUPTED
    fields = ("run", "status", "rounds", "seconds", "metrics", "verdict", "state_hash", "message")
    print(to_json({name: getattr(result, name) for name in fields if getattr(result, name) != ""}))
    return {"finished": 0, "stopped": 0, "interrupted": INTERRUPTED}.get(result.status, FAILED)

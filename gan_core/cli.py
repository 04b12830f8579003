"""The engine from a terminal: ``python -m gan_core train --preset ring-mlp --set seed=1``.

Tables and JSON go to stdout, progress and errors to stderr. Exit status: 0 finished, 1 failed or diverged, 2 bad input,
130 interrupted (Ctrl-C or SIGTERM; the run is saved).
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, NoReturn

from gan_core.config import (
    BUDGETS,
    OBJECTIVES,
    PRESETS,
    TEMPLATES,
    Comparison,
    ConfigError,
    Problem,
    RunConfig,
    diff,
    differences_of,
    nearest,
    override,
    parse_budget,
    parse_seeds,
    parse_vary,
    preset_config,
)
from gan_core.engine import (
    SETTINGS,
    DataError,
    Lab,
    Refused,
    advice,
    default_root,
    film,
    prepare_classifier,
    resume_interrupted,
    use_store,
)
from gan_core.engine.packs import look_up, write_pack
from gan_core.engine.tensorboard import event_files
from gan_core.engine.unpacking import read_pack
from gan_core.store import DamagedRun, RunNotFound, RunStore, StoreError, backup, fsck, restore_backup

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
MOST_SAID = 400  # characters of what is wrong with the arguments, which may be of any length
Row = dict[str, Any]
Progress = Callable[[Row], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    if "store" in options:
        use_store(options.store)  # where a data set of one's own is looked for, also before there is a lab
    try:
        status: int = options.command(options)
        return status
    except (ConfigError, DataError, Refused, RunNotFound, StoreError) as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted before a run had begun", file=sys.stderr)
        return INTERRUPTED


def _train(options: argparse.Namespace) -> int:
    from gan_core import api

    changes = dict(_assignment(text) for text in options.set)
    if options.config is not None:
        config = RunConfig.load(override(_read_json(options.config), changes))
    else:
        config = preset_config(options.preset, changes)
    for problem in advice(config):  # also refuses what cannot be trained, before a store is made for it
        print(f"note: {problem}", file=sys.stderr)
    with _open_lab(options) as lab:
        _prepare_for(lab, config)
        run_id = lab.submit(config, name=options.name)
        return _report(run_id, options, lambda progress: api.follow(lab, run_id, progress))


def _bring(options: argparse.Namespace) -> int:
    """Keep a table as a data set; prints its name and what was left out as JSON."""
    from gan_core import api

    try:
        kept = api.bring_table(options.file, options.columns, name=options.name, store=options.store)
    except OSError as error:
        raise DataError(f"{options.file} cannot be read: {error.strerror}.") from None
    for note in (*kept.warnings, *kept.notes):
        print(f"note: {note}", file=sys.stderr)
    left_out = [asdict(problem) for problem in kept.problems]
    print(_to_json({"name": kept.name, "points": kept.count, "columns": list(kept.columns), "left_out": left_out}))
    return 0


def _resume(options: argparse.Namespace) -> int:
    from gan_core import api

    _must_have_a_store(options.store)

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
        print(f"{run_id}: {why}", file=sys.stderr)
    try:
        ended = [lab.wait(run_id) for run_id in resumed.gone_on]
    except KeyboardInterrupt:
        print("interrupted and saved", file=sys.stderr)
        return INTERRUPTED
    for run in ended:
        print(_to_json({"run": run.id, "status": run.status, "rounds": run.rounds} | run.summary))
    return 0 if not resumed.refused and all(run.status in ("finished", "stopped") for run in ended) else FAILED


def _fork(options: argparse.Namespace) -> int:
    from gan_core import api

    changes = dict(_assignment(text) for text in options.set)
    with _open_lab(options) as lab:
        child = lab.fork(options.run, changes, at=options.at, name=options.name)
        (told,) = (event for event in lab.store.events(child) if event.data.get("parent") == options.run)
        print(f"{child} goes on from round {told.round:,} of {options.run}", file=sys.stderr)
        for line in told.data["anew"]:
            print(f"begins anew: {line}", file=sys.stderr)
        return _report(child, options, lambda progress: api.follow(lab, child, progress))


def _export(options: argparse.Namespace) -> int:
    with _open_store(options.store) as store:
        _, runs = look_up(store, options.what)
        path = options.to or Path(f"{options.what}.zip")
        if not path.suffix:
            return _export_folder(path, event_files(store, options.what), runs)
        write = EXPORTS.get(path.suffix.lower())
        if write is None:
            raise StoreError(f"{path.name} is none of the files that can be written: {', '.join(EXPORTS)}.")
        data = io.BytesIO()
        write(store, options.what, data, options)
    _write(path, data.getvalue())
    print(_to_json({"file": str(path), "bytes": len(data.getvalue()), "runs": runs}))
    return 0


def _report_page(store: RunStore, what: str) -> bytes:
    from gan_core.ui.report import report  # Plotly takes a second

    return report(store, what).encode()


def _export_folder(folder: Path, files: dict[str, bytes], runs: list[str]) -> int:
    for name, data in files.items():
        try:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder} cannot be made: {error.strerror}.") from error
        _write(folder / name, data)
    print(_to_json({"folder": str(folder), "files": list(files), "runs": runs}))
    return 0


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error


EXPORTS: dict[str, Callable[[RunStore, str, IO[bytes], argparse.Namespace], Any]] = {
    ".zip": lambda store, what, file, options: write_pack(store, what, file, with_checkpoints=options.checkpoints),
    ".gif": lambda store, what, file, options: file.write(film(store, what)),
    ".html": lambda store, what, file, options: file.write(_report_page(store, what)),
}
"""What ``export`` writes, by the ending of the file's name."""


def _checkpoints(options: argparse.Namespace) -> int:
    """Pin and unpin, then list what is there."""
    with _open_store(options.store) as store:
        if options.pin is not None:
            store.pin(options.run, options.pin)
        if options.unpin is not None:
            store.unpin(options.run, options.unpin)
        rows = [asdict(saved) for saved in store.checkpoints(options.run)]
    return _print_rows(rows, options.json)


def _import(options: argparse.Namespace) -> int:
    try:
        file = options.file.open("rb")
    except OSError as error:
        raise DataError(f"{options.file} cannot be read: {error.strerror}.") from error
    with file, RunStore(options.store) as store:
        came = read_pack(store, file, copies=options.copies)
    print(_to_json({"comparison": came.comparison, "runs": list(came.runs)}))
    return 0


def _class(options: argparse.Namespace) -> int:
    from gan_core.server.class_mode import class_command

    command, environment = class_command(
        address=options.address,
        port=options.port,
        hosts=options.host,
        student_runs=options.student_runs,
        store=options.store,
    )
    os.execve(command[0], command, environment)


def _compare(options: argparse.Namespace) -> int:
    from gan_core import api

    comparison = _comparison(options)
    for problem in advice(comparison.base):
        print(f"note: {problem}", file=sys.stderr)
    for difference in differences_of(comparison):
        if not difference.asked:
            values = ", ".join(f"{value} in {variant}" for variant, value in difference.values.items())
            print(f"note: {difference.field} differs as well: {values}", file=sys.stderr)
    with _open_lab(options) as lab:
        _prepare_for(lab, comparison.base)
        comparison_id = lab.compare(comparison, name=options.name)
        try:
            result = api.follow_comparison(lab, comparison_id, None if options.quiet else _comparison_progress())
        except KeyboardInterrupt:
            print(f"\ninterrupted and saved; the dashboard goes on with comparison {comparison_id}", file=sys.stderr)
            return INTERRUPTED
    if not options.json:
        _print_standings(result)
    fields = ("comparison", "metrics", "sentences", "floors")
    runs = [
        {"run": run.run, "variant": variant, "seed": seed, "status": run.status, "rounds": run.rounds}
        for (variant, seed), run in result.runs.items()
    ]
    print(_to_json({name: getattr(result, name) for name in fields} | {"runs": runs}))
    return 0 if all(run["status"] in ("finished", "stopped") for run in runs) else FAILED


def _comparison(options: argparse.Namespace) -> Comparison:
    """What the options ask for: a template, or a base with what varies."""
    changes = dict(_assignment(text) for text in options.set)
    seeds = parse_seeds(options.seeds)
    if options.template is not None:
        if options.template not in TEMPLATES:
            hint = nearest(options.template[:80], TEMPLATES)
            raise ConfigError([Problem("--template", f"unknown template {options.template[:80]!r}{hint}")])
        template = TEMPLATES[options.template]
        made = template.comparison(preset_config(options.base or template.preset, changes), seeds).to_dict()
    elif options.vary:
        base = preset_config(options.base or "ring-mlp", changes)
        made = {"base": base, "variants": parse_vary(options.vary), "seeds": seeds}
    else:
        raise ConfigError([Problem("--vary", "say what to compare: --vary objective=ns_gan,wgan_gp, or --template")])
    budget = (
        {"rounds": options.rounds} if options.rounds is not None else options.budget and parse_budget(options.budget)
    )
    return Comparison.load({**made, **dict.fromkeys(BUDGETS), **budget} if budget else made)


def _comparison_progress() -> Callable[[list[Row]], None]:
    line = _StatusLine()

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
    rows.append({"variant": "real data"} | {m: f"{result.floors[m]:.3g}" if m in result.floors else "" for m in shown})
    _print_rows(rows, as_json=False)
    for metric in shown[:1]:
        print("\n".join(result.sentences[metric]))


def _mean(cell: Row) -> str:
    spread = f" ± {cell['std']:.2g}" if math.isfinite(cell["std"]) else ""
    return f"{cell['mean']:.3g}{spread}" if math.isfinite(cell["mean"]) else "–"


def _presets(options: argparse.Namespace) -> int:
    rows = [{"preset": name, "title": preset.title, "story": preset.story} for name, preset in PRESETS.items()]
    return _print_rows(rows, options.json)


def _objectives(options: argparse.Namespace) -> int:
    rows = [
        {"objective": name, "title": recipe.about.title, "paper": recipe.about.citation}
        for name, recipe in OBJECTIVES.items()
    ]
    return _print_rows(rows, options.json)


def _runs(options: argparse.Namespace) -> int:
    with _open_store(options.store) as store:
        rows: list[Row] = []
        for run in store.runs(limit=options.limit):
            if isinstance(run, DamagedRun):
                rows.append({"run": run.id, "status": "damaged", "rounds": "", "name": run.reason})
            else:
                rows.append({"run": run.id, "status": run.status, "rounds": run.rounds, "name": run.name})
    return _print_rows(rows, options.json)


def _show(options: argparse.Namespace) -> int:
    with _open_store(options.store) as store:
        run = store.run(options.run)
        track = store.track(run.id, "turns")
        config = RunConfig.load(run.config)
        shown: Row = {
            "run": run.id,
            "name": run.name,
            "status": run.status,
            "rounds": run.rounds,
            "message": run.message,
            **run.summary,
            "recorded_rounds": len(track.rounds),
            "tags": list(run.tags),
            "note": run.note,
            "environment": run.environment,
            "changed_from_default": {field: value for field, (_, value) in diff(RunConfig(), config).items()},
        }
    if options.json:
        print(_to_json(shown | {"config": run.config}))
    else:
        for key, value in shown.items():
            if value not in ("", [], {}):
                print(f"{key:22} {json.dumps(value) if isinstance(value, dict | list) else value}")
    return 0


def _fsck(options: argparse.Namespace) -> int:
    _must_have_a_store(options.store)
    faults = fsck(options.store, thorough=not options.quick)
    if options.json:
        print(_to_json([asdict(fault) for fault in faults]))
    else:
        for fault in faults:
            print(f"{fault.run or 'the store'}: {fault}")
        print("nothing is wrong" if not faults else f"{len(faults)} faults; nothing was changed", file=sys.stderr)
    return FAILED if faults else 0


def _backup(options: argparse.Namespace) -> int:
    count = backup(options.store, options.file)
    print(_to_json({"file": str(options.file), "files": count, "bytes": options.file.stat().st_size}))
    return 0


def _restore(options: argparse.Namespace) -> int:
    count = restore_backup(options.file, options.store)
    faults = fsck(options.store)
    print(_to_json({"store": str(options.store), "files": count, "faults": [str(fault) for fault in faults]}))
    return FAILED if faults else 0


def _prepare(options: argparse.Namespace) -> int:
    with Lab(options.store) as lab:
        _prepare_for(lab, RunConfig())
    return 0


def _prepare_for(lab: Lab, config: RunConfig) -> None:
    """Train the data set's frozen classifier first, where it has none: a run from a terminal can wait for it."""
    line = _StatusLine()

    def progress(share: float, sentence: str) -> None:
        line.show(f"{sentence} {share:4.0%}")

    prepare_classifier(lab, config, progress)
    line.end()


def _open_lab(options: argparse.Namespace) -> Lab:
    return Lab(options.store, executor=options.executor)


def _open_store(root: Path) -> RunStore:
    _must_have_a_store(root)
    return RunStore(root)


def _must_have_a_store(root: Path) -> None:
    if not (root / "ganscope.db").exists():
        raise StoreError(f"There is no store in {root}.")


def _report(run_id: str, options: argparse.Namespace, follow: Callable[[Progress | None], Any]) -> int:
    """Follow a run to its end and print the one JSON line that a script reads."""
    try:
        result = follow(None if options.quiet else _progress_bar())
    except KeyboardInterrupt:
        # The lab saves the run when it closes, on the way out.
        go_on = shlex.join(["python", "-m", "gan_core", "resume", run_id, "--store", str(options.store)])
        print(f"\ninterrupted; to go on: {go_on}", file=sys.stderr)
        return INTERRUPTED
    fields = ("run", "status", "rounds", "seconds", "metrics", "verdict", "state_hash", "message")
    print(_to_json({name: getattr(result, name) for name in fields if getattr(result, name) != ""}))
    return {"finished": 0, "stopped": 0, "interrupted": INTERRUPTED}.get(result.status, FAILED)


def _to_json(value: Any) -> str:
    """JSON in which a number that is not finite is null, as everywhere on the wire."""

    def finite(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: finite(item) for key, item in node.items()}
        if isinstance(node, list):
            return list(map(finite, node))
        return None if isinstance(node, float) and not math.isfinite(node) else node

    return json.dumps(finite(value), allow_nan=False)


def _progress_bar() -> Progress:
    line = _StatusLine()

    def show(status: Row) -> None:
        bar = ("█" * round(24 * status["share"])).ljust(24, "·")
        left = "" if status["eta"] is None else f"{_duration(status['eta'])} left"
        pace = f"{status['rounds_per_second'] or 0:,.0f} rounds/s"
        of_all = f"/{status['rounds']:,}" if status["rounds"] else ""
        line.show(f"{bar} {status['round']:,}{of_all} {pace} {left} {status['state']}")
        if status["state"] not in ("queued", "running", "paused"):
            line.end()

    return show


class _StatusLine:
    """One line on stderr, rewritten in place on a terminal, else printed at most every ten seconds."""

    def __init__(self) -> None:
        self._shown_at = 0.0
        self._used = False

    def show(self, text: str) -> None:
        now = time.monotonic()
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif now - self._shown_at > 10 or not self._used:
            print(text, file=sys.stderr, flush=True)
            self._shown_at = now
        self._used = True

    def end(self) -> None:
        if self._used and sys.stderr.isatty():
            print(file=sys.stderr)
        self._used = False


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02}"


def _assignment(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError([Problem("--set", f"{text[:80]!r} is not of the form key=value")])
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return RunConfig.from_json(path.read_bytes()).to_dict()
    except OSError as error:
        raise ConfigError([Problem("--config", f"{path} cannot be read: {error.strerror}")]) from None


def _print_rows(rows: list[Row], as_json: bool) -> int:
    if as_json:
        print(json.dumps(rows))
        return 0
    if not rows:
        print("nothing there yet", file=sys.stderr)
        return 0
    widths = {key: max(len(key), *(len(str(row[key])) for row in rows)) for key in rows[0]}
    for row in [{key: key.upper() for key in rows[0]}, *rows]:
        print("  ".join(str(row[key]).ljust(widths[key]) for key in rows[0]).rstrip())
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(message if len(message) <= MOST_SAID else f"{message[:MOST_SAID]}…")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m gan_core", description="GANscope without a browser.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(command=run)
        return sub

    def with_store(sub: argparse.ArgumentParser) -> argparse.ArgumentParser:
        sub.add_argument("--store", type=Path, default=default_root(), help="folder of the runs (default: %(default)s)")
        return sub

    def with_json(sub: argparse.ArgumentParser) -> argparse.ArgumentParser:
        sub.add_argument("--json", action="store_true", help="print JSON instead of a table")
        return sub

    def with_executor(sub: argparse.ArgumentParser) -> argparse.ArgumentParser:
        help = "what a run trains in (default: GANSCOPE_EXECUTOR, or auto: a thread for one run, processes for a comparison)"
        sub.add_argument("--executor", choices=SETTINGS, help=help)
        return with_store(sub)

    train = with_executor(command("train", _train, "train one run; the last line on stdout is its result as JSON"))
    source = train.add_mutually_exclusive_group()
    source.add_argument("--preset", default="digits-mlp", help="see `presets` (default: %(default)s)")
    source.add_argument("--config", type=Path, help="a JSON file, as the dashboard exports it")
    train.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="e.g. schedule.rounds=2000")
    train.add_argument("--name", default="", help="what to call the run")
    train.add_argument("--quiet", action="store_true", help="no progress on stderr")

    resume = with_executor(command("resume", _resume, "go on with a run that did not finish"))
    resume.add_argument("run", nargs="?")
    resume.add_argument("--all", action="store_true", help="every run that was interrupted, at once")
    resume.add_argument("--quiet", action="store_true", help="no progress on stderr")

    fork = with_executor(
        command("fork", _fork, "go on from a checkpoint of a run as another run, with settings changed")
    )
    fork.add_argument("run")
    fork.add_argument("--at", type=int, metavar="ROUND", help="round of the checkpoint (default: the newest)")
    fork.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="e.g. objective=wgan_gp")
    fork.add_argument("--name", default="", help="what to call the fork")
    fork.add_argument("--quiet", action="store_true", help="no progress on stderr")

    export = with_store(command("export", _export, "write a run or a comparison as a file"))
    export.add_argument("what", metavar="RUN_OR_COMPARISON")
    kinds = ".html a report that opens offline, .zip a pack for another store, .gif its samples over time"
    kinds = f"the ending decides: {kinds}, none a folder for TensorBoard"
    export.add_argument("--to", type=Path, metavar="FILE", help=f"{kinds} (default: its id, as .zip)")
    export.add_argument("--checkpoints", action="store_true", help="put checkpoints into the pack too")

    importing = with_store(command("import", _import, "take the runs of a pack into a store"))
    importing.add_argument("file", type=Path)
    importing.add_argument("--copies", action="store_true", help="under new ids, so that what is there may stay")

    bring = with_store(command("bring", _bring, "keep two columns of a table (CSV, text) as a data set"))
    bring.add_argument("file", type=Path)
    bring.add_argument("--columns", nargs=2, metavar=("X", "Y"), help="their names, or their places from 1")
    bring.add_argument("--name", default="", help="what to call the set (default: as the file)")

    compare = with_json(
        with_executor(command("compare", _compare, "train variants side by side; the last line on stdout is JSON"))
    )
    compare.add_argument("--base", help="a preset, see `presets` (default: the template's, or ring-mlp)")
    compare.add_argument("--vary", action="append", default=[], metavar="KEY=A,B", help="e.g. objective=ns_gan,wgan_gp")
    compare.add_argument("--template", help=f"instead of --vary: {', '.join(TEMPLATES)}")
    compare.add_argument("--seeds", default="0-2", help="e.g. 0-4 or 1,5,9 (default: %(default)s)")
    budget = compare.add_mutually_exclusive_group()
    budget.add_argument("--budget", metavar="UNIT=N", help="of each run: rounds=N, images=N or seconds=N")
    budget.add_argument("--rounds", type=int, help="the same as --budget rounds=N (default: the base's)")
    compare.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="changes of the base")
    compare.add_argument("--name", default="", help="what to call the comparison")
    compare.add_argument("--quiet", action="store_true", help="no progress on stderr")

    school = with_store(
        command("class", _class, "serve the dashboard to the network: one teacher, and everyone else may watch")
    )
    school.add_argument("--port", type=int, default=8501, help="(default: %(default)s)")
    school.add_argument("--address", default="0.0.0.0", help="the interface to open (default: every one)")
    school.add_argument("--host", action="append", default=[], help="another name by which students reach this machine")
    school.add_argument("--student-runs", type=int, default=0, metavar="N", help="runs that each student may start")

    with_json(command("presets", _presets, "list the presets"))
    with_json(command("objectives", _objectives, "list the objectives"))
    runs = with_json(with_store(command("runs", _runs, "list the runs, newest first")))
    runs.add_argument("--limit", type=int, default=50, help="how many (default: %(default)s)")
    saved = with_json(
        with_store(command("checkpoints", _checkpoints, "list the checkpoints of a run, pin and unpin them"))
    )
    saved.add_argument("run")
    saved.add_argument("--pin", type=int, metavar="ROUND", help="let the checkpoint of this round stay")
    saved.add_argument("--unpin", type=int, metavar="ROUND", help="let it be one like the others")
    show = with_json(with_store(command("show", _show, "show one run")))
    show.add_argument("run")
    check = with_json(
        with_store(command("fsck", _fsck, "look for damage in a store, and change nothing; exits 1 if there is any"))
    )
    check.add_argument("--quick", action="store_true", help="only what costs milliseconds per run")
    for name, run, help in (
        ("backup", _backup, "write the whole store as one zip file, while runs train"),
        ("restore", _restore, "make a store from a backup; never overwrites one"),
    ):
        with_store(command(name, run, help)).add_argument("file", type=Path)
    with_store(command("prepare", _prepare, "train the frozen classifier of the embedded digits"))
    return parser

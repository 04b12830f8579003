"""The command that asks what a GAN is good for: computes a study, goes on with one, lists, shows and exports them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gan_core.cli.terminal import INTERRUPTED, Row, StatusLine, print_rows, tell, to_json
from gan_core.cli.typed import assignment
from gan_core.config import ConfigError, Problem, nearest, parse_seeds
from gan_core.config.overriding import read_settings
from gan_core.config.studies import STUDY_SETTINGS
from gan_core.store import RunStore, StoreError, must_be_there


def study(options: argparse.Namespace) -> int:
    asked = ACTIONS.get(options.what)
    if asked is not None:
        return asked(options)
    if options.what not in STUDY_SETTINGS:
        known = [*STUDY_SETTINGS, *ACTIONS]
        raise ConfigError([Problem("study", f"unknown {options.what[:80]!r}{nearest(options.what[:80], known)}")])
    if options.id:
        raise ConfigError([Problem(options.what, "takes options only; the run that is asked is --run")])
    return _computed(options, lambda store: _begin(store, options))


def _begin(store: RunStore, options: argparse.Namespace) -> str:
    from gan_core.engine.studies.computing import begin

    return begin(store, settings_of(options), name=options.name).id


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """What the options ask for. Raises ConfigError."""
    settings: dict[str, Any] = {}
    if options.config is not None:
        try:
            settings = dict(read_settings(options.config.read_bytes(), "a study"))
        except OSError as error:
            raise ConfigError([Problem("--config", f"{options.config} cannot be read: {error.strerror}")]) from None
    if options.seeds:
        settings["seeds"] = parse_seeds(options.seeds)
    if options.sizes:
        settings["sizes"] = [_whole(part) for part in options.sizes.split(",")]
    named = {"data": options.data, "run": options.run, "at": options.at}
    settings |= {key: value for key, value in named.items() if value is not None}
    return {**settings, **dict(assignment(text) for text in options.set), "protocol": options.what}


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigError([Problem("--sizes", f"{text[:40]!r} is no whole number")]) from None


def _resume(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    return _computed(options, lambda store: _known(store, options))


def _computed(options: argparse.Namespace, which: Callable[[RunStore], str]) -> int:
    """Compute what is missing of a study; its sentences, then as the last line of stdout what it found as JSON."""
    from gan_core.engine.studies.computing import compute_here, must_be_idle
    from gan_core.engine.studies.side_by_side import compute_apart, processes_for

    with RunStore(options.store) as store:
        study_id = which(store)
        line = StatusLine()

        def show(share: float, sentence: str) -> None:
            if not options.quiet:
                line.show(f"{share:4.0%} {sentence}")

        try:
            if store.studies.read(study_id).status != "queued":
                must_be_idle(store, study_id)
            processes = options.processes or processes_for(store, store.studies.read(study_id).settings)
            if processes == 1:
                compute_here(store, study_id, show)
            else:
                compute_apart(store, study_id, processes, show, lambda: False)
        except KeyboardInterrupt:
            tell(f"\ninterrupted; what was computed is kept: python -m gan_core study resume {study_id}")
            return INTERRUPTED
        finally:
            line.end()
        _tell_findings(store, study_id, options.json)
    return 0


def _tell_findings(store: RunStore, study_id: str, as_json: bool) -> None:
    from gan_core.engine.studies.taken import told

    found = told(store, store.studies.read(study_id))
    if not as_json:
        findings = found["findings"]
        for sentence in filter(None, [findings["headline"], *findings["sentences"]]):
            print(sentence["text"])
        for table in findings["tables"]:
            print(f"\n{table['title']}")
            print_rows([_row(table, row) for row in table["rows"]], False)
        if findings["comparisons"]:
            print(
                f"\n{findings['comparisons']} differences were judged, each at 95 %: one of twenty is called falsely."
            )
        for note in found["notes"]:
            print(note)
    print(to_json({"study": study_id, **{key: value for key, value in found.items() if key not in ("id", "notes")}}))


def _row(table: dict[str, Any], row: tuple[Any, ...]) -> Row:
    """With the digits that a page shows."""
    cells = dict(zip(table["columns"], row, strict=True))
    forms = table["forms"]
    return {
        name: ""
        if value is None
        else format(value, forms[name])
        if name in forms and not isinstance(value, str)
        else value
        for name, value in cells.items()
    }


def _list(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    with RunStore(options.store) as store:
        rows: list[Row] = [
            {
                "study": one.id,
                "protocol": one.protocol,
                "status": one.status,
                "computed": f"{one.done}/{one.cells}",
                "seconds": round(one.seconds),
                "name": one.name,
            }
            for one in store.studies.listed()
        ]
    return print_rows(rows, options.json)


def _show(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    with RunStore(options.store) as store:
        study_id = _known(store, options)
        one = store.studies.read(study_id)
        if not options.json:
            print(f"{one.name}: {one.status}, {one.done} of {one.cells} computed in {one.seconds:.0f} s. {one.message}")
            print(f"settings: {json.dumps(one.settings)}\n")
        _tell_findings(store, study_id, options.json)
    return 0


def _export(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    from gan_core.engine.studies.taken import STUDY_EXPORTS

    with RunStore(options.store) as store:
        study_id = _known(store, options)
        path = Path(options.to or f"{study_id}.zip")
        write = STUDY_EXPORTS.get(path.suffix.lower())
        if write is None:
            raise StoreError(f"{path.name} is none of the files that can be written: {', '.join(STUDY_EXPORTS)}.")
        data = write(store, study_id)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    print(to_json({"file": str(path), "bytes": len(data), "study": study_id}))
    return 0


def _known(store: RunStore, options: argparse.Namespace) -> str:
    """The id of the study that is meant."""
    if not options.id:
        raise ConfigError([Problem(f"study {options.what}", "say which study, see `study list`")])
    return store.studies.read(options.id).id


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "export": _export,
    "resume": _resume,
}
"""What is done with studies that are there; any other word is a protocol."""

"""Commands that look: presets, objectives, runs, one run. They load neither torch nor the engine."""

from __future__ import annotations

import argparse
import json

from gan_core.cli.terminal import Row, print_rows, to_json
from gan_core.store import DamagedRun, RunStore, must_be_there


def presets(options: argparse.Namespace) -> int:
    from gan_core.config import PRESETS

    rows = [{"preset": name, "title": preset.title, "story": preset.story} for name, preset in PRESETS.items()]
    return print_rows(rows, options.json)


def objectives(options: argparse.Namespace) -> int:
    from gan_core.config import OBJECTIVES

    rows = [
        {"objective": name, "title": recipe.about.title, "paper": recipe.about.citation}
        for name, recipe in OBJECTIVES.items()
    ]
    return print_rows(rows, options.json)


def games(options: argparse.Namespace) -> int:
    from gan_core.config import SETTINGS

    rows = [
        {"game": name, "title": settings.ABOUT.title, "paper": settings.ABOUT.citation}
        for name, settings in SETTINGS.items()
    ]
    return print_rows(rows, options.json)


def runs(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    if options.deleted:
        return _deleted(options)
    with RunStore(options.store) as store:
        rows: list[Row] = []
        for run in store.runs(limit=options.limit):
            if isinstance(run, DamagedRun):
                rows.append({"run": run.id, "status": "damaged", "rounds": "", "name": run.reason})
            else:
                rows.append({"run": run.id, "status": run.status, "rounds": run.rounds, "name": run.name})
    return print_rows(rows, options.json)


def _deleted(options: argparse.Namespace) -> int:
    """The bin as a table."""
    with RunStore(options.store) as store:
        rows: list[Row] = [
            {"deleted": entry.id, "what": entry.kind, "frees": store.bin.frees(entry), "name": entry.name}
            for entry in store.bin.listed()
        ]
    return print_rows(rows, options.json)


def show(options: argparse.Namespace) -> int:
    from gan_core.cli.typed import as_typed
    from gan_core.config import RunConfig, diff

    must_be_there(options.store)
    with RunStore(options.store) as store:
        run = store.run(options.run)
        track = store.track(run.id, "turns", [])
        config = RunConfig.load(run.config)
        changed = {field: value for field, (_, value) in diff(RunConfig(), config).items()}
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
            "changed_from_default": changed,
        }
    if options.json:
        print(to_json(shown | {"config": run.config}))
        return 0
    del shown["changed_from_default"]
    for key, value in shown.items():
        if value not in ("", [], {}):
            print(f"{key:22} {json.dumps(value) if isinstance(value, dict | list) else value}")
    for index, (field, value) in enumerate(changed.items()):  # as `train --set` takes them
        print(f"{'' if index else 'changed_from_default':22} {field}={as_typed(value)}")
    return 0

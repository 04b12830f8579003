"""Names of runs in a list: alike names are told apart, and long ones keep their end, where they differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gan_core.config import flatten
from gan_core.store import RunRecord

FITS = 33  # letters of a name in the table, whose column is `WIDTH` pixels wide
WIDTH = 264
NAMED = 2  # settings that tell alike names apart, at most
TOO_LONG = 18  # letters of a value that is not told


def told_apart(runs: Sequence[RunRecord]) -> dict[str, str]:
    """A name for each run by its id: of runs with one name it ends in the settings in which they differ, the seed last."""
    alike: dict[str, list[RunRecord]] = {}
    for run in runs:
        alike.setdefault(run.name, []).append(run)
    names = {}
    for name, those in alike.items():
        settings = [flatten(run.config) for run in those] if len(those) > 1 else []
        fields = _differing(settings)
        for run, said in zip(those, settings or [{}], strict=True):
            told = [f"{field.rpartition('.')[2]} {said[field]}" for field in fields if field in said]
            names[run.id] = shortened(" · ".join([name, *told]))
    return names


def _differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    values: dict[str, set[str]] = {}
    for said in settings:
        for field, value in said.items():
            values.setdefault(field, set()).add(json.dumps(value))
    missing = {field for field in values if not all(field in said for said in settings)}
    found = [
        field
        for field, seen in values.items()
        if (len(seen) > 1 or field in missing) and all(len(one) <= TOO_LONG for one in seen)
    ]
    return sorted(found, key=lambda field: field == "seed")[:NAMED]


def shortened(name: str, fits: int = FITS) -> str:
    """A name that is no longer than ``fits`` letters: its middle is left out, since its end is where names differ."""
    if len(name) <= fits:
        return name
    tail = fits * 3 // 5
    return f"{name[: fits - tail - 1].rstrip()}…{name[-tail:].lstrip()}"

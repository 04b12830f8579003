"""What is taken away of a study: its rows and findings as CSV, as JSON, and with its pictures as one zip file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import gan_core
from gan_core.engine.exchange.packs import to_json
from gan_core.engine.exchange.tables import table
from gan_core.engine.studies.computing import asked, findings_of, rows_of
from gan_core.engine.studies.findings import Cell, Findings, Row
from gan_core.store import RunStore, StoreError, StudyRecord

FORMAT = 1
README = """A study of GANscope {version}: {name}.

study.json has its settings and all that it found; rows.csv a row for each cell that was computed; tables/ its tables.
The same again: python -m gan_core study {protocol} --config settings.json
"""


def flat_rows(rows: list[Row]) -> list[dict[str, Any]]:
    """A row for each cell: its key, arm, size and seed, and its values that are one number or text."""
    return [
        {**_place(row.cell), **{name: value for name, value in row.values.items() if not isinstance(value, list)}}
        for row in rows
    ]


def _place(cell: Cell) -> dict[str, Any]:
    return {"key": cell.key, "arm": cell.arm, "size": cell.size, "seed": cell.seed}


def as_csv(store: RunStore, study_id: str) -> bytes:
    """The rows of a study. Raises StudyNotFound, ConfigError for settings of another version."""
    rows = flat_rows(rows_of(store, store.studies.read(study_id)))
    return table(rows, list(dict.fromkeys(name for row in rows for name in row)) or ["key", "arm", "size", "seed"])


def told(store: RunStore, study: StudyRecord) -> dict[str, Any]:
    """All that is known of a study, JSON-able: settings, state, rows, findings, and what must stand beside them."""
    one = asked(study.settings)
    known = ("id", "name", "protocol", "run", "status", "message", "cells", "done", "seconds", "created_at", "settings")
    return {
        "format": FORMAT,
        "version": gan_core.__version__,
        **{name: getattr(study, name) for name in known},
        "rows": [{**_place(row.cell), "values": dict(row.values)} for row in rows_of(store, study)],
        "findings": asdict(findings_of(store, study)),
        "notes": list(one.protocol.notes),
    }


def as_json(store: RunStore, study_id: str) -> bytes:
    """The same as strict JSON."""
    return to_json(told(store, store.studies.read(study_id)))


def as_zip(store: RunStore, study_id: str) -> bytes:
    """JSON, tables and pictures; of the same study the same bytes."""
    study = store.studies.read(study_id)
    found = findings_of(store, study)
    files = {
        "README.txt": README.format(version=gan_core.__version__, name=study.name, protocol=study.protocol).encode(),
        "study.json": as_json(store, study_id),
        "settings.json": to_json(study.settings),
        "rows.csv": as_csv(store, study_id),
        **{f"tables/{place}.csv": content for place, content in enumerate(_tables(found), start=1)},
    }
    for name in pictures(found):
        with suppress(StoreError, OSError):  # one that is gone
            files[f"pictures/{name}"] = store.studies.file(study_id, name).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # of 1980
    return packed.getvalue()


def pictures(found: Findings) -> list[str]:
    """The files that the boards of a study show."""
    return list(dict.fromkeys(name for board in found.boards for name, _ in board.files))


def _tables(found: Findings) -> list[bytes]:
    return [
        table([dict(zip(one.columns, row, strict=True)) for row in one.rows], list(one.columns)) for one in found.tables
    ]


STUDY_EXPORTS: dict[str, Callable[[RunStore, str], bytes]] = {".csv": as_csv, ".json": as_json, ".zip": as_zip}
"""What can be written of a study, by the ending of the file's name."""

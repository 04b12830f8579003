"""What a benchmark has finished, as lines of JSON: it can be stopped at any moment and started again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from gan_core.config import RunConfig, diff

Row = dict[str, Any]


class Ledger:
    """The rows of one file by key; the last one of a key counts. A line torn by an interruption is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: dict[str, Row] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                row = json.loads(line)
                self.rows[row.pop("key")] = row
            except (ValueError, KeyError):
                continue

    def add(self, key: str, row: Row) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps({"key": key, **row}) + "\n")
        self.rows[key] = row


def said_by(config: RunConfig) -> Row:
    """What a configuration says beside the defaults: a setting that the project gains does not make it another run."""
    return {field: ours for field, (_, ours) in diff(RunConfig(), config).items()}


def key_of(config: RunConfig, *more: Any) -> str:
    """The key of a run: of its configuration, and of what more its outcome depends on."""
    said = said_by(config)
    return hashlib.sha256(json.dumps([said, *more] if more else said, sort_keys=True).encode()).hexdigest()[:16]

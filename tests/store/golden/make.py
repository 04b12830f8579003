"""Writes the golden stores: each format of the index that there ever was, as SQL, with a run that has everything.

``python tests/store/golden/make.py`` writes the file of the newest format, unless it is there: those of older formats are
history, as the migrations are, and cannot be made again.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from gan_core.store import tracks
from gan_core.store.schema import MIGRATIONS, open_database

HERE = Path(__file__).resolve().parent


def fill(connection: object, version: int) -> None:
    execute = connection.execute  # type: ignore[attr-defined]
    execute(
        """INSERT INTO runs (id, name, config, status, created_at, rounds, tags, note, summary, owner)
           VALUES ('golden', 'An old run', '{"seed": 7}', 'stopped', 1.0, 5, '["kept"]', 'noted', '{"seconds": 1.5}', '{}')"""
    )
    rounds, values = np.arange(1, 6), np.array([[0.5, np.nan], [1, -0.0], [2, np.inf], [3, 1e30], [4, 5]])
    tracks.insert(connection, "golden", "turns", tracks.pack(["D.loss", "G.loss"], rounds, values))  # type: ignore[arg-type]
    execute("INSERT INTO frames VALUES ('golden', 3, 'histogram', '{\"counts\": [1, 2], \"n\": 3}')")
    execute("INSERT INTO events (run, round, at, kind, data) VALUES ('golden', 0, 2.0, 'started', '{}')")
    if version >= 2:
        execute(
            """INSERT INTO comparisons (id, name, spec, collected, created_at)
               VALUES ('both', 'A comparison', '{}', 1, 3.0)"""
        )
        execute("INSERT INTO members VALUES ('both', 'golden', 'as it is', 7)")
    if version >= 4:
        execute(
            """INSERT INTO studies (id, name, protocol, settings, run, status, cells, created_at)
               VALUES ('asked', 'A study', 'price', '{"protocol": "price", "seeds": [0]}', 'golden', 'stopped', 7, 4.0)"""
        )
        execute("INSERT INTO study_rows VALUES ('asked', 'real-5-0', '{\"accuracy\": 0.5}', 1.25)")
    if version >= 5:
        execute("INSERT INTO leases VALUES ('golden', 3, '{\"cpus\": 0.5}')")


def main(version: int = len(MIGRATIONS)) -> None:
    target = HERE / f"v{version}.sql"
    if target.exists():
        return
    path = HERE / "golden.tmp.db"
    try:
        with closing(open_database(path, MIGRATIONS[:version])) as connection:
            fill(connection, version)
            statements = [line for line in connection.iterdump() if "sqlite_sequence" not in line]
        target.write_text("\n".join([*statements, f"PRAGMA user_version = {version};"]) + "\n")
    finally:
        for left in HERE.glob("golden.tmp.db*"):
            left.unlink()


if __name__ == "__main__":
    main()

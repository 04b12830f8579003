"""Every format of the index that there ever was can be opened, is migrated after a copy, and keeps all that it held."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from gan_core.store import RunStore, StoreError, fsck
from gan_core.store.schema import MIGRATIONS

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = range(1, len(MIGRATIONS) + 1)


def old_store(root: Path, version: int) -> Path:
    root.mkdir()
    with closing(sqlite3.connect(root / "ganscope.db")) as database:
        database.executescript((GOLDEN / f"v{version}.sql").read_text())
    return root


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_every_format_is_migrated_and_keeps_all(version: int, tmp_path: Path) -> None:
    root = old_store(tmp_path / "runs", version)
    with RunStore(root) as store:
        run = store.run("golden")
        assert (run.name, run.config, run.status, run.rounds) == ("An old run", {"seed": 7}, "stopped", 5)
        assert (run.tags, run.note, run.summary) == (("kept",), "noted", {"seconds": 1.5})
        turns = store.track("golden")
        assert turns.rounds.tolist() == [1, 2, 3, 4, 5]
        assert turns.column("G.loss")[:2].tobytes() == np.array([np.nan, -0.0], np.float32).tobytes()
        assert store.frames("golden")[0].parts == {"histogram": {"counts": [1, 2], "n": 3}}
        assert [event.kind for event in store.events("golden")] == ["started"]
        assert [comparison.name for comparison in store.comparisons()] == ["A comparison"] * (version >= 2)
        assert [study.name for study in store.studies.of_run("golden")] == ["A study"] * (version >= 4)
        if version >= 4:
            (row,) = store.studies.rows("asked")
            assert (row.key, row.values, row.seconds) == ("real-5-0", {"accuracy": 0.5}, 1.25)
        assert store.leases.takes("golden") == ({"cpus": 0.5} if version >= 5 else {})
        assert store.leases.next("golden") == (4 if version >= 5 else 1)
        store.create("new", name="goes on", config={})
        store.update("new", status="stopped")
    assert fsck(root) == []
    copies = [f"ganscope.db.v{version}.bak"] if version < len(MIGRATIONS) else []
    assert sorted(path.name for path in root.glob("*.bak")) == copies
    for copy in copies:
        with closing(sqlite3.connect(root / copy)) as database:
            assert database.execute("PRAGMA user_version").fetchone() == (version,)
            assert database.execute("SELECT name FROM runs").fetchall() == [("An old run",)]


def test_a_newer_store_is_refused_and_named_by_fsck(tmp_path: Path) -> None:
    root = old_store(tmp_path / "runs", len(MIGRATIONS))
    with closing(sqlite3.connect(root / "ganscope.db")) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = (root / "ganscope.db").read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        RunStore(root)
    (fault,) = fsck(root)
    assert f"format {len(MIGRATIONS) + 1}" in fault.sentence
    assert (root / "ganscope.db").read_bytes() == before

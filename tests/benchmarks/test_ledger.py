"""A benchmark that was stopped knows what it has done."""

from __future__ import annotations

from pathlib import Path

from benchmarks.ledger import Ledger


def test_rows_are_there_again_and_a_torn_line_is_none(tmp_path: Path) -> None:
    path = tmp_path / "build" / "runs.jsonl"
    ledger = Ledger(path)
    ledger.add("a", {"modes": 8.0})
    ledger.add("b", {"modes": 1.0})
    ledger.add("b", {"modes": 2.0})
    path.write_text(path.read_text() + '{"modes": 3.0}\n{"key": "c", "mod')
    assert Ledger(path).rows == ledger.rows == {"a": {"modes": 8.0}, "b": {"modes": 2.0}}

"""What the bench of a class calls flat, and that a class of a minute meets no fault."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.class_hour import report
from benchmarks.class_people import Told
from benchmarks.soak import Usage

ROOT = Path(__file__).resolve().parents[2]
MINUTES = 10


def a_class(*, files: int = 0, left: int = 1, fault: str = "") -> tuple[str, bool]:
    """The report of a class whose handles have grown by ``files`` at its end."""
    late = 60 * MINUTES * 0.75
    seen = [
        Usage(at, 900, 500, 18, 360 + (files if at > late else 0), 30 + at % 60) for at in range(0, 60 * MINUTES, 3)
    ]
    told = Told()
    told.seconds = [(float(at), 0.05) for at in range(60 * MINUTES)]
    if fault:
        told.fault(fault)
    said: list[dict[str, Any]] = [
        {"state": "running", "round": 1000 * minute, "notes": 1, "answers": 3, "runs": 2, "teachers": 0}
        for minute in range(10)
    ]
    meter: Any = SimpleNamespace(seen=seen)
    return report(said, told, meter, left, MINUTES, [(0.0, 0.0, 0.0)] * 2)


def test_sockets_may_come_and_go_while_the_class_is_there() -> None:
    text, well = a_class()
    assert well
    assert "30 to 87 open sockets" in text
    assert "and 1 when all had gone" in text


@pytest.mark.parametrize(
    "of", [{"files": 60}, {"left": 4}, {"fault": "no page"}], ids=["handles", "sockets", "a fault"]
)
def test_what_grows_or_stays_open_or_fails_is_not_well(of: dict[str, Any]) -> None:
    assert not a_class(**of)[1]


@pytest.mark.slow
def test_a_class_of_a_minute_meets_no_fault(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "benchmarks/class_hour.py"),
        "--minutes",
        "1",
        "--out",
        str(tmp_path / "class.md"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    text = (tmp_path / "class.md").read_text()
    assert "Faults that somebody met: **0**" in text, text + done.stderr[-3000:]
    assert "and 1 when all had gone" in text

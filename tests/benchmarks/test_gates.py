"""What a gate came to is told as it was: by its page, and by the script that CI runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gates import document, tallied

ROW = {
    "date": "2026-01-01 00:00",
    "commit": "abc",
    "order": "its own",
    "machine": "2 cores",
    "seconds": 9,
    "cpu_seconds": 8,
    "load_before": 0.1,
    "passed": 5,
}


def test_who_passed_and_who_did_not_is_told_by_name(tmp_path: Path, root: Path) -> None:
    tally = tmp_path / "tally.json"
    assert tallied(tally) == (0, []), "the tests never began"
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_torn.py").write_text("import nothing_of_that_name")
    (tmp_path / "tests" / "test_it.py").write_text(
        "import os, pytest\n"
        "@pytest.fixture\ndef broken():\n    yield\n    assert False\n"
        "@pytest.mark.parametrize('way', ['a/b.py', 'c'])\ndef test_good(way): pass\n"
        "@pytest.mark.parametrize('way', ['a/b.py'])\ndef test_bad(way): assert False\n"
        "def test_ends_badly(broken): pass\n"
        "def test_dies(): os._exit(3)\n"
        "@pytest.mark.skip\ndef test_left_out(): pass\n"
    )
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "benchmarks.tally", "-p", "no:randomly", "-n", "1", "tests"],
        cwd=tmp_path,
        env=alone | {"GANSCOPE_TALLY": str(tally), "PYTHONPATH": str(root)},
        capture_output=True,
    )
    passed, failed = tallied(tally)
    bad = ["test_it::test_bad[a/b.py]", "test_it::test_dies", "test_it::test_ends_badly", "test_torn"]
    assert (passed, sorted(failed)) == (3, [f"tests.{name}" for name in bad])


def test_the_page_counts_what_is_green_in_a_row() -> None:
    green = {**ROW, "status": 0, "failed": [], "busy": False}
    red = {**ROW, "status": 2, "failed": ["tests.a::bad"], "busy": True}
    died = {**ROW, "status": 2, "failed": [], "passed": 0, "busy": False}
    assert "**3 of 3 green, the last 3 in a row.**" in document([green] * 3)
    page = document([green, red, green, green])
    assert "**3 of 4 green, the last 2 in a row.**" in page
    assert "| `tests.a::bad` | 1 |" in page
    assert "**0 of 1 green, the last 0 in a row.** " in document([died])
    assert "exit status 2" in document([died])


@pytest.mark.parametrize(
    ("printed", "made", "status", "last"),
    [
        ("12 passed in 3.40s", 0, 0, "12 passed in 3.40s"),
        ("7000 passed, 3 warnings in 600.10s (0:10:00)", 0, 0, "7000 passed, 3 warnings in 600.10s (0:10:00)"),
        ("1 failed, 11 passed in 3.40s", 2, 2, "1 failed, 11 passed in 3.40s"),
        ("11 passed, 1 error in 3.40s", 2, 2, "11 passed, 1 error in 3.40s"),
        ("12 passed in 3.40s", 2, 2, "yet make ended with status 2"),
        ("1 failed, 11 passed in 3.40s", 0, 1, "yet make ended with status 0"),
        ("no tests ran in 0.10s", 5, 5, "no test ran to its end"),
        ("12 deselected in 0.10s", 0, 1, "no test ran to its end"),
        ("make: *** [Makefile:3: lint] Error 1", 2, 2, "no test ran to its end"),
        ("", 0, 1, "no test ran to its end"),
    ],
)
def test_what_ci_prints_last_agrees_with_its_exit_status(
    printed: str, made: int, status: int, last: str, tmp_path: Path, root: Path
) -> None:
    script = tmp_path / "clone" / ".ci" / "run"
    script.parent.mkdir(parents=True)
    shutil.copy(root / ".ci" / "run", script)
    make = tmp_path / "make"
    make.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\nexit {made}\n")
    make.chmod(0o755)
    done = subprocess.run(
        ["bash", str(script)],
        env=os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status
    assert last in (done.stdout if last == printed else done.stderr).splitlines()[-1]


def test_a_process_that_dies_amid_a_test_fails_that_test(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("import os\ndef test_dies(): os._exit(3)\ndef test_lives(): pass\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:randomly",
        "-n",
        "1",
        "--dist",
        "worksteal",
        str(tmp_path),
    ]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("1 failed, 1 passed in ")

"""A plugin of pytest for `gates.py`: how many tests passed, and the names of those that did not, as JSON in the file that the
environment names. pytest's own report in JUnit's format costs a millisecond for every test of the gate, this one nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

FILE = "GANSCOPE_TALLY"


class Tally:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._passed = 0
        self._failed: dict[str, None] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed[named(report.nodeid)] = None
        elif report.when == "call" and report.passed:
            self._passed += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._failed[named(report.nodeid)] = None

    def pytest_sessionfinish(self) -> None:
        self._file.write_text(json.dumps({"passed": self._passed, "failed": list(self._failed)}), "utf-8")


def named(nodeid: str) -> str:
    """`tests/a/test_b.py::test_c[1/2]` as `tests.a.test_b::test_c[1/2]`."""
    file, colons, test = nodeid.partition("::")
    return file.removesuffix(".py").replace("/", ".") + colons + test


def pytest_configure(config: pytest.Config) -> None:
    if FILE in os.environ and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Tally(Path(os.environ[FILE])))

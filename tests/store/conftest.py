from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gan_core.store import RunStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore(tmp_path / "runs") as opened:
        yield opened


@pytest.fixture
def run(store: RunStore) -> str:
    return store.create("a-run", name="A run", config={"seed": 1}).id


@pytest.fixture
def other_process(store: RunStore) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start Python on a program in which ``root`` is the folder of the store."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str) -> subprocess.Popen[str]:
        prelude = f"from gan_core.store import *; import numpy as np; root = {str(store.root)!r}\n"
        process = subprocess.Popen(
            [sys.executable, "-c", prelude + program],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()

"""docs/reliability.md names tests that exist: a promise without one is none."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLE = (ROOT / "docs" / "reliability.md").read_text()
ROWS = [line for line in TABLE.splitlines() if re.match(r"\| \d+ \|", line)]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)))


@cache
def functions_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_promise_names_a_test(row: str) -> None:
    cells = row.split(" | ")
    assert len(cells) == 6
    assert re.search(r"`tests/[\w/]+\.py::test_\w+`", cells[-1])


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    assert name in functions_in(file)


def test_every_file_that_is_said_to_keep_a_promise_exists() -> None:
    named = {path for row in ROWS for path in re.findall(r"`((?:\w+/)*\w+\.py)`", row.split(" | ")[4])}
    assert named
    assert [path for path in named if not ((ROOT / "gan_core" / path).exists() or (ROOT / path).exists())] == []


def test_no_page_holds_a_lock() -> None:
    """A rerun stops a page anywhere, also inside a `with`."""
    files = [*(ROOT / "gan_core" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    assert [
        file.name for file in files if re.search(r"\bthreading\b|\b(R?Lock|Semaphore|Condition)\(", file.read_text())
    ] == []


def test_nothing_is_told_to_anybody() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["browser"]["gatherUsageStats"] is False


FETCHES = re.compile(
    r"(?m)^\s*(?:import|from)\s+(?:urllib\.request|urllib3|http\.client|requests|httpx|aiohttp|ftplib)\b"
)


def test_no_part_asks_an_address_that_somebody_gave() -> None:
    """What is downloaded comes by torchvision's own addresses; there is no field for another."""
    files = [*(ROOT / "gan_core").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]
    assert [file.name for file in files if FETCHES.search(file.read_text())] == []
    assert FETCHES.search("    from urllib.request import urlopen")


# The first version without the holes that were known when it was written down.
FLOORS = {"pillow": (12, 3), "streamlit": (1, 54), "starlette": (1, 1), "torch": (2, 10)}


@pytest.mark.parametrize("package", FLOORS)
def test_no_dependency_is_older_than_its_last_known_hole(package: str) -> None:
    numbers = re.match(r"(\d+)\.(\d+)", version(package))
    assert numbers is not None
    assert tuple(map(int, numbers.groups())) >= FLOORS[package]

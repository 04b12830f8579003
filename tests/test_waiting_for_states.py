"""No test depends on a moment: what is waited for is a state, what is bounded is work and not the clock on the wall."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
WALL = {"monotonic", "perf_counter", "time"}
EXCUSES = ("# nothing may happen meanwhile", "# of any length")
"""Of a sleep that does not hope: a machine as slow or as quick as can be only makes the test see less, never fail."""


def offences(text: str) -> Iterator[str]:
    """What in the text of a test hopes that a machine is quick enough, or slow enough, as ``line: reason``."""
    lines, tree = text.splitlines(), ast.parse(text)
    polls = [loop for loop in ast.walk(tree) if isinstance(loop, ast.While)]
    polled = {id(node) for loop in polls for node in ast.walk(loop)}
    for node in ast.walk(tree):
        if _is_sleep(node) and id(node) not in polled and not lines[node.lineno - 1].endswith(EXCUSES):
            yield f"{node.lineno}: a sleep outside of a loop that waits for a state"
        if isinstance(node, ast.Assert) and _bounds_the_wall(node.test):
            yield f"{node.lineno}: seconds of a machine that may be busy; count CPU seconds (thread_time) or turns"


def _is_sleep(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return ast.unparse(node.func) == "time.sleep" or getattr(node.func, "attr", "") == "wait_for_timeout"


def _bounds_the_wall(test: ast.expr) -> bool:
    """Whether ``test`` says that the clock on the wall went on for less than a constant."""
    for compared in (node for node in ast.walk(test) if isinstance(node, ast.Compare)):
        sides = [compared.left, *compared.comparators]
        for (left, right), operator in zip(pairwise(sides), compared.ops, strict=True):
            least, most = (left, right) if isinstance(operator, ast.Lt | ast.LtE) else (right, left)
            if (
                isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
                and _reads_the_wall(least)
                and _is_number(most)
            ):
                return True
    return False


def _reads_the_wall(node: ast.expr) -> bool:
    calls = (call for call in ast.walk(node) if isinstance(call, ast.Call))
    return any(ast.unparse(call.func) in {f"time.{name}" for name in WALL} for call in calls)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


@pytest.mark.parametrize("file", sorted(TESTS.rglob("*.py")), ids=lambda file: file.relative_to(TESTS).as_posix())
def test_it_waits_for_states_and_bounds_work(file: Path) -> None:
    assert list(offences(file.read_text())) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("time.sleep(1)", 1),
        *((f"time.sleep(1)  {excuse}", 0) for excuse in EXCUSES),
        ("while not ready():\n    time.sleep(0.01)", 0),
        ("assert time.monotonic() - began < 5", 1),
        ("assert 5 > time.perf_counter() - began", 1),
        ("assert 0 < time.monotonic() - began < 5", 1),
        ("assert time.monotonic() - began > 0.1", 0),
        ("assert time.thread_time() - began < 5", 0),
        ("assert len(reads) <= 3 + (time.monotonic() - began)", 0),
        ("page.wait_for_timeout(500)", 1),
        ("while not shown():\n    page.wait_for_timeout(50)", 0),
    ],
)
def test_an_offence_is_seen(text: str, found: int) -> None:
    assert len(list(offences(text))) == found

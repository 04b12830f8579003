"""Every bench still finds the names that it imports: docs/results are made by these commands, and no type check reads them."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

BENCHES = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.stem)
def test_a_bench_finds_what_it_imports(path: Path) -> None:
    missing = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("gan_core", "benchmarks"))
        for alias in node.names
        if not found(node.module or "", alias.name)
    ]
    assert missing == []


def found(module: str, name: str) -> bool:
    if hasattr(import_module(module), name):
        return True
    try:  # `from package import module`
        import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True

"""The notebook of the documentation: every cell runs as it is printed, and what a notebook would show of it can be shown."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "docs").glob("*.ipynb"))


def run(cell: str, names: dict[str, Any]) -> Any:
    """What a notebook shows below the cell: the value of its last line, where that is an expression."""
    tree = ast.parse(cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_cell_runs_and_is_kept_without_its_output(
    path: Path, tmp_path: Path, prepared: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(tmp_path / "runs")
    monkeypatch.setenv("GANSCOPE_STORE", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert cells
    for cell in cells:
        assert cell["outputs"] == []
        shown = run("".join(cell["source"]), names)
        if hasattr(shown, "_repr_html_"):
            assert "<" in shown._repr_html_()
    assert names["result"].status == names["digits"].status == names["forked"].status == "finished"
    assert names["sevens"].shape == (8, 1, 28, 28)
    assert len(names["path"]) == 50
    assert sorted(names["table"]["variant"].unique()) == ["LS GAN", "NS GAN"]


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS

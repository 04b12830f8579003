"""Break each guard of the access rules on purpose, one at a time, and look whether a test notices; write what came of it.

    python benchmarks/mutations.py                 # every module of MODULES, then docs/results/mutations.md
    python benchmarks/mutations.py names roles     # these alone, and only print what survives

A *guard* is a condition, a `raise`, a call that asks for a right, or the right itself. Each mutant is one module in the memory
of a child process, which plays the tests that are named for that module; nothing on disk is touched.
"""

from __future__ import annotations

import ast
import copy
import importlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results" / "mutations.md"
SERVER = "tests/server/test_"
MODULES = {
    "server/access.py": [f"{SERVER}{name}.py" for name in ("access", "class_routes", "live_routes")],
    "server/names.py": [f"{SERVER}{name}.py" for name in ("names", "class_routes")],
    "server/roles.py": [f"{SERVER}{name}.py" for name in ("roles", "class_routes")],
    "server/tickets.py": [f"{SERVER}{name}.py" for name in ("tickets", "live_routes")],
    "server/classroom.py": [f"{SERVER}{name}.py" for name in ("classroom_state", "class_routes")],
    "server/class_routes.py": [f"{SERVER}{name}.py" for name in ("class_routes",)],
    "server/class_mode.py": [f"{SERVER}{name}.py" for name in ("class_routes",)],
    "server/headers.py": [f"{SERVER}{name}.py" for name in ("lifespan",)],
    "server/live.py": [f"{SERVER}{name}.py" for name in ("live_routes", "slow_viewers")],
    "server/connections.py": [f"{SERVER}{name}.py" for name in ("connections",)],
    "ui/rights.py": ["tests/ui/test_rights.py", "--deselect=tests/ui/test_rights.py::test_a_watcher_sees_every_page"],
}
"""The modules whose guards are broken, and the tests that shall notice, the quickest first."""
NEEDED = (
    *("hypothesis", "pandas", "plotly.graph_objects", "starlette.testclient", "streamlit.testing.v1", "uvicorn"),
    *("gan_core.engine", "gan_core.data", "gan_core.training.classifier", "gan_core.training.games"),
)
"""What all children share; no module of `MODULES` may be among what these import."""
RIGHTS = ("start", "steer", "edit", "bring", "teach")
MOST_SECONDS = 120
"""After which a mutant that hangs is taken for noticed."""
EQUAL: dict[tuple[str, str, str], str] = {}
"""Why a survivor is no fault: by its module, the text of its line, and what was done to it."""


@dataclass(frozen=True)
class Mutant:
    """One guard that was broken: where, how, and the module with it."""

    line: int
    text: str
    change: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Each guard of a module broken in each way, one at a time."""
    lines = source.splitlines()
    parsed = ast.parse(source)
    for index, node in enumerate(ast.walk(parsed)):
        for change, broken in changes(node):
            tree = copy.deepcopy(parsed)
            target = next(one for position, one in enumerate(ast.walk(tree)) if position == index)
            broken(target)
            line = getattr(node, "lineno", 1)
            yield Mutant(line, lines[line - 1].strip(), change, ast.fix_missing_locations(tree))


def changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """The ways in which a node is a guard, and what breaks it."""
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        for value in (True, False):
            if not (isinstance(node, ast.While) and value):
                yield f"the condition is {value}", lambda found, value=value: _set(found, "test", ast.Constant(value))
    if isinstance(node, ast.comprehension):
        for number in range(len(node.ifs)):
            yield "a condition of the comprehension is left out", lambda found, number=number: found.ifs.pop(number)
    if isinstance(node, ast.BoolOp):
        for number, value in enumerate(node.values):
            yield f"without `{ast.unparse(value)}`", lambda found, number=number: found.values.pop(number)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        shifted = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}.get(type(node.ops[0]))
        if shifted is not None:
            yield "the bound is shifted by one", lambda found: _set(found, "ops", [shifted()])
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from _of_body(node.body)
    if isinstance(node, ast.If | ast.For | ast.With | ast.Try | ast.AsyncWith | ast.While | ast.ExceptHandler):
        yield from _of_body(node.body)
    if isinstance(node, ast.Constant) and node.value in RIGHTS:
        other = "teach" if node.value == "start" else "start"
        yield f"asks for `{other}` instead of `{node.value}`", lambda found: _set(found, "value", other)


def _of_body(body: list[ast.stmt]) -> Iterator[tuple[str, Callable[[Any], None]]]:
    for number, statement in enumerate(body):
        asks = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        if isinstance(statement, ast.Raise) or asks:
            yield f"`{ast.unparse(statement)}` is left out", lambda found, number=number: _pass(found.body, number)
        if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Compare | ast.BoolOp):
            yield f"not `{ast.unparse(statement.value)}`", lambda found, number=number: _negate(found.body[number])


def _set(node: Any, name: str, value: Any) -> None:
    setattr(node, name, value)


def _pass(body: list[ast.stmt], number: int) -> None:
    body[number] = ast.Pass()


def _negate(statement: Any) -> None:
    statement.value = ast.UnaryOp(ast.Not(), statement.value)


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Hands out the mutant where the module is imported."""

    def __init__(self, module: str, path: Path, tree: ast.Module) -> None:
        self.module, self.path, self.tree = module, path, tree

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)  # type: ignore[arg-type]

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)

    def get_filename(self, fullname: str) -> str:
        return str(self.path)


def notices(file: str, mutant: Mutant | None, tests: list[str]) -> bool:
    """Whether one of the tests fails on the mutant, in a process of its own; without one, on the code as it is."""
    child = os.fork()
    if child == 0:
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        code = 2
        try:
            if mutant is not None:
                module = "gan_core." + file.removesuffix(".py").replace("/", ".")
                assert module not in sys.modules
                sys.meta_path.insert(0, Instead(module, ROOT / "gan_core" / file, mutant.tree))
            import pytest

            options = [
                "-x",
                "-n",
                "0",
                "-p",
                "no:cacheprovider",
                "--timeout",
                str(MOST_SECONDS // 2),
                "-m",
                "not browser",
            ]
            code = int(pytest.main([*options, *tests]))
        finally:
            os._exit(code)
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def look_at(file: str) -> list[tuple[Mutant, bool]]:
    """Every mutant of a module, and whether it was noticed."""
    tests = MODULES[file]
    if notices(file, None, tests):
        raise SystemExit(f"The tests of {file} fail on the code as it is.")
    found = []
    for mutant in mutants((ROOT / "gan_core" / file).read_text("utf-8")):
        noticed = notices(file, mutant, tests)
        found.append((mutant, noticed))
        print(".", end="", flush=True)
        if not noticed:
            print(f"survives: {file}:{mutant.line} {mutant.change}: {mutant.text}", flush=True)
    print(f"{file}: {sum(noticed for _, noticed in found)} of {len(found)} noticed", flush=True)
    return found


def table(found: dict[str, list[tuple[Mutant, bool]]]) -> str:
    """What docs/results/mutations.md says."""
    lines = ["# Guards broken on purpose", "", "`python benchmarks/mutations.py`", ""]
    lines += ["| module | mutants | noticed | equal | unexplained |", "|---|---|---|---|---|"]
    left = []
    for file, all_of_it in found.items():
        survivors = [mutant for mutant, noticed in all_of_it if not noticed]
        equal = [one for one in survivors if (file, one.text, one.change) in EQUAL]
        counts = (len(all_of_it), len(all_of_it) - len(survivors), len(equal), len(survivors) - len(equal))
        lines.append(f"| `{file}` | {' | '.join(map(str, counts))} |")
        left += [(file, one, EQUAL.get((file, one.text, one.change), "**unexplained**")) for one in survivors]
    lines += ["", "What no test notices:", "", "| where | what was done | why that is no fault |", "|---|---|---|"]
    for file, mutant, why in left:
        cells = (f"`{file}`: `{mutant.text}`", mutant.change, why)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def main(asked: list[str]) -> None:
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT)]
    # What every child needs and none changes.
    for needed in NEEDED:
        importlib.import_module(needed)
    files = [file for file in MODULES if not asked or Path(file).stem in asked]
    found = {}
    for file in files:
        found[file] = look_at(file)
        if not asked:
            RESULTS.write_text(table(found), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

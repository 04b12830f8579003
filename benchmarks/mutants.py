"""Every guard of a module broken in each way, one at a time, and which tests come past it.

A *guard* is a condition under which something is refused, left out or given up, a `raise`, a handler of exceptions, a call that
asks for a right, or the right itself.
"""

from __future__ import annotations

import ast
import copy
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

RIGHTS = ("start", "steer", "edit", "bring", "teach")
IMPORTED = "import"
"""In place of a test: lines that ran while the module was imported."""
LEAVES = (ast.Raise, ast.Return, ast.Continue, ast.Break)

Break = Callable[[Any], None]


@dataclass(frozen=True)
class Mutant:
    """One guard that was broken: where, how, and the module with it; ``ordinal`` counts those that read the same."""

    line: int
    text: str
    change: str
    ordinal: int
    tree: ast.Module

    @property
    def key(self) -> str:
        return f"{self.text} | {self.change}" + (f" | {self.ordinal}" if self.ordinal else "")


def mutants(source: str) -> Iterator[Mutant]:
    """Each guard of a module broken in each way, one at a time."""
    lines, seen = source.splitlines(), defaultdict[tuple[str, str], int](int)
    parsed = ast.parse(source)
    types = {id(one) for node in ast.walk(parsed) if _is_type(node) for one in ast.walk(node)}
    for index, node in enumerate(ast.walk(parsed)):
        for line, change, broken in () if id(node) in types else changes(node):
            tree = copy.deepcopy(parsed)
            broken(next(one for position, one in enumerate(ast.walk(tree)) if position == index))
            text = lines[line - 1].strip()
            yield Mutant(line, text, change, seen[text, change], ast.fix_missing_locations(tree))
            seen[text, change] += 1


def _is_type(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal"


def changes(node: ast.AST) -> Iterator[tuple[int, str, Break]]:
    """The ways in which a node is a guard: the line, what is done to it in words, and what does it."""
    if isinstance(node, ast.If) and isinstance(node.body[-1], LEAVES):
        yield node.lineno, "never so", lambda found: _set(found, "test", ast.Constant(False))
        yield from _parts(node.test, lambda found: found.test)
    if isinstance(node, ast.Return) and isinstance(node.value, ast.BoolOp | ast.Compare):
        yield node.lineno, "the opposite", lambda found: _set(found, "value", ast.UnaryOp(ast.Not(), found.value))
        yield from _parts(node.value, lambda found: found.value)
    if isinstance(node, ast.comprehension):
        for number, one in enumerate(node.ifs):
            yield one.lineno, "whatever it is", lambda found, number=number: found.ifs.pop(number)
    if isinstance(node, ast.Try):
        for number, handler in enumerate(node.handlers):
            yield from _of_handler(number, handler)
    for field in ("body", "orelse"):
        for number, statement in enumerate(getattr(node, field, ()) if isinstance(node, ast.stmt) else ()):
            asks = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            alone = isinstance(node, ast.If) and field == "body" and len(node.body) == 1  # as never so
            if asks or (isinstance(statement, ast.Raise) and not alone):
                yield statement.lineno, f"without `{_said(statement)}`", _left_out(field, number)
    if isinstance(node, ast.Constant) and node.value in RIGHTS:
        other = "teach" if node.value == "start" else "start"
        yield node.lineno, f"asks for `{other}`, not for `{node.value}`", lambda found: _set(found, "value", other)
    yield from _names(node)


def _parts(test: ast.expr, of: Callable[[Any], Any]) -> Iterator[tuple[int, str, Break]]:
    """A condition without each of its parts, and with each bound shifted by one."""
    for depth, one in enumerate(ast.walk(test)):

        def there(found: Any, depth: int = depth) -> Any:
            return next(node for position, node in enumerate(ast.walk(of(found))) if position == depth)

        if isinstance(one, ast.BoolOp):
            for number, value in enumerate(one.values):
                what = f"without `{_said(value)}`"
                yield value.lineno, what, lambda found, there=there, number=number: _neutral(there(found), number)
        if isinstance(one, ast.Compare) and len(one.ops) == 1:
            shifted = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}.get(type(one.ops[0]))
            if shifted is not None:
                what = f"the bound of `{_said(one)}` shifted by one"
                yield (
                    one.lineno,
                    what,
                    lambda found, there=there, shifted=shifted: _set(there(found), "ops", [shifted()]),
                )


def _of_handler(number: int, handler: ast.ExceptHandler) -> Iterator[tuple[int, str, Break]]:
    """An exception that is not caught any more: all of a handler, or one of the kinds that it names."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else []
    if len(kinds) < 2:
        nothing = ast.Tuple([], ast.Load())
        yield handler.lineno, "not caught", lambda found: _set(found.handlers[number], "type", nothing)
    for place, kind in enumerate(kinds):
        what = f"`{_said(kind)}` is not caught"
        yield handler.lineno, what, lambda found, place=place: found.handlers[number].type.elts.pop(place)


def _names(node: ast.AST) -> Iterator[tuple[int, str, Break]]:
    """The names of a table of rights, one by one: under another right, or under none."""
    if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "dict.fromkeys" and len(node.args) == 2):
        return
    names, right = node.args
    if not (isinstance(names, ast.Tuple) and isinstance(right, ast.Constant) and right.value in RIGHTS):
        return
    for depth, one in enumerate(ast.walk(names)):
        if isinstance(one, ast.Constant):
            other = "teach" if right.value == "start" else "start"
            what = f"`{one.value}` asks for `{other}`, not for `{right.value}`"
            yield one.lineno, what, lambda found, depth=depth, other=other: _moved(found, depth, other)


def _moved(call: Any, depth: int, other: str) -> None:
    """Take a name out of ``dict.fromkeys(names, right)`` and give it the other right."""
    name = next(one for position, one in enumerate(ast.walk(call.args[0])) if position == depth)
    given = ast.Dict([ast.Constant(name.value)], [ast.Constant(other)])
    before = ast.Call(call.func, call.args, [])
    call.func, call.args = ast.Name("dict", ast.Load()), [ast.BinOp(before, ast.BitOr(), given)]


def _neutral(both: Any, number: int) -> None:
    both.values[number] = ast.Constant(isinstance(both.op, ast.And))


def _left_out(field: str, number: int) -> Break:
    return lambda found: getattr(found, field).__setitem__(number, ast.Pass())


def _set(node: Any, name: str, value: Any) -> None:
    setattr(node, name, value)


def _said(node: ast.AST) -> str:
    """A piece of code in a line of a table."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 70 else text[:69] + "…"


# Which tests come past a line


class Passing:
    """A plug-in of pytest: the lines of some modules that each test executes in this process, and how long it takes.

    ``names`` are those of the modules by their paths; ``lines`` are by name and test.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names, self._test = names, IMPORTED
        self.lines: dict[str, dict[str, set[int]]] = {name: defaultdict(set) for name in names.values()}
        self.seconds: dict[str, float] = {}

    def watch(self) -> None:
        """From now on, in every thread that begins."""
        sys.settrace(self._called)
        threading.settrace(self._called)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._test, began = item.nodeid, time.perf_counter()
        yield
        self.seconds[item.nodeid] = time.perf_counter() - began

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        name = self._names.get(frame.f_code.co_filename)
        if name is None:
            return None
        of_file = self.lines[name]
        of_file[self._test].add(frame.f_lineno)

        def stepped(frame: FrameType, event: str, argument: Any) -> Any:
            of_file[self._test].add(frame.f_lineno)
            return stepped

        return stepped

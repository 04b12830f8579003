"""Guards that are broken one at a time: which there are, and what becomes of each."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from benchmarks.mutants import mutants


@pytest.mark.parametrize(
    ("source", "broken"),
    [
        ("if n < 3 and ok: raise Bad", {"if False: raise Bad", "if n <= 3 and ok: raise Bad"}),
        ("if n < 3 and ok: raise Bad", {"if n < 3 and True: raise Bad", "if True and ok: raise Bad"}),
        (
            "def may(a):\n    return a or b",
            {"def may(a):\n    return not (a or b)", "def may(a):\n    return a or False"},
        ),
        ("try: f()\nexcept (A, B): g()", {"try: pass\nexcept (A, B): g()", "try: f()\nexcept (B,): g()"}),
        ("try: x = 1\nexcept A: x = 2", {"try: x = 1\nexcept (): x = 2"}),
        ("def f():\n    need(1)\n    return 2", {"def f():\n    pass\n    return 2"}),
        ("for a in b:\n    if c: continue\n    d(a)", {"for a in b:\n    if False: continue\n    d(a)"}),
        ("x = [a for a in b if a > 1]", {"x = [a for a in b]"}),
        ("T = {'fork': 'teach'}", {"T = {'fork': 'start'}"}),
        (
            "T = dict.fromkeys(('fork', 'close'), 'teach')",
            {"T = dict(dict.fromkeys(('fork', 'close'), 'teach') | {'fork': 'start'})"},
        ),
        ("if n < 3: x = 1", set()),
        ("Action = Literal['start', 'teach']", set()),
    ],
)
def test_a_guard_is_broken_in_each_way(source: str, broken: set[str]) -> None:
    found = [ast.unparse(one.tree) for one in mutants(source)]
    assert {ast.unparse(ast.parse(one)) for one in broken} <= set(found)
    assert len(found) == len(set(found)), "one twice"
    assert ast.unparse(ast.parse(source)) not in found
    assert bool(found) == bool(broken)


def test_two_guards_that_read_the_same_have_two_names() -> None:
    source = dedent("""
        def f(a):
            if a:
                raise B
        def g(a):
            if a:
                raise B
    """)
    keys = [one.key for one in mutants(source)]
    assert keys == ["if a: | never so", "if a: | never so | 1"]

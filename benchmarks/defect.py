"""A classic defect of public code, and the tests that are to notice it."""

from __future__ import annotations

from dataclasses import dataclass

GAMES, TESTS = "training/games", "tests/training/test_"
"""Below the package; before the name of a file."""


@dataclass(frozen=True)
class Defect:
    """``seen`` is where it stood; ``texts`` are what is put in place of what, in ``file``; ``tests`` are to notice."""

    name: str
    seen: str
    file: str
    texts: tuple[tuple[str, str], ...]
    tests: str

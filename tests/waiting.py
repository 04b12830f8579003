"""Waiting for a condition that stays true once it is so; a limit only ends a test that has failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

LIMIT_SECONDS = 60.0


def until(check: Callable[[], Any], what: str) -> None:
    """Look again until ``check`` holds; fails with ``what`` was waited for."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not check():
        assert time.monotonic() < deadline, f"not within {LIMIT_SECONDS:g} s: {what}"
        time.sleep(0.02)

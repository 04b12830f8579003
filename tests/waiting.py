"""Waiting for a condition that stays true once it is so; a limit only ends a test that has failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

LIMIT_SECONDS = 60.0


def until(check: Callable[[], Any], what: str = "", seconds: float = LIMIT_SECONDS) -> None:
    """Look again until ``check`` holds; fails with ``what`` was waited for."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.005)

"""A process of its own that gives way to training and tells what it does in lines of JSON; it ends with whoever asked."""

from __future__ import annotations

import json
import select
from collections.abc import Callable, Iterator
from typing import Any

from gan_core.engine.programs import Program, let_go, start
from gan_core.intake.errors import Cancelled

POLL_SECONDS = 0.2


def told_by(module: str, *arguments: str, cancel: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """What a module says, line by line, until it is done; it is killed when nobody reads on. Raises Cancelled."""
    program = start(module, *arguments)
    try:
        yield from _lines(program, cancel)
    finally:
        let_go(program)


def _lines(program: Program, cancel: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    assert program.stdout is not None
    ready, rest = select.poll(), b""
    ready.register(program.stdout)
    while True:
        if cancel():
            raise Cancelled("Cancelled.")
        if not ready.poll(1000 * POLL_SECONDS):
            continue
        came = program.stdout.read1()  # type: ignore[attr-defined]
        *lines, rest = (rest + came).split(b"\n")
        yield from map(json.loads, lines)
        if not came:
            return

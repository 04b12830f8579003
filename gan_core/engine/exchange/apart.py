"""A process of its own that gives way to training and tells what it does in lines of JSON; it ends with whoever asked."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gan_core.intake.errors import Cancelled

POLL_SECONDS = 0.2


def told_by(module: str, *arguments: str, cancel: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """What a module says, line by line, until it is done; it is killed when nobody reads on. Raises Cancelled."""
    command = [sys.executable, "-m", "gan_core.lifeline", module, *arguments]
    home = Path(__file__).resolve().parents[3]
    with subprocess.Popen(command, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield from _lines(process, cancel)
        finally:
            process.kill()


def _lines(process: subprocess.Popen[bytes], cancel: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    ready, rest = select.poll(), b""
    ready.register(process.stdout)
    while True:
        if cancel():
            raise Cancelled("Cancelled.")
        if not ready.poll(1000 * POLL_SECONDS):
            continue
        came = process.stdout.read1()  # type: ignore[attr-defined]
        *lines, rest = (rest + came).split(b"\n")
        yield from map(json.loads, lines)
        if not came:
            return

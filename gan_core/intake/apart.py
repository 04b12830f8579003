"""What somebody brought is read by a process of its own first: a file that crashes it, hangs, or bursts it is one sentence.

That process, ``python -m gan_core.intake.reader``, may take so much memory and so many seconds, may write into one folder that
goes with it, and is the first to go where the machine has no memory left.
"""

from __future__ import annotations

import json
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gan_core.intake.errors import Cancelled, DataError
from gan_core.intake.pictures import Progress

Cancel = Callable[[], bool]

ROOT = Path(__file__).resolve().parents[2]
READER = [sys.executable, "-m", "gan_core.intake.reader"]
SILENT_SECONDS = 30.0  # after which a reader without a word is taken to hang
POLL_SECONDS = 0.2
MEMORY = {
    "table": 2**29,
    "pack": 2 * 2**30,
    "zip": 5 * 2**30,
    "folder": 5 * 2**30,
}  # bytes, beside what the reader itself takes
PROCESSOR_SECONDS = {"table": 60, "pack": 120, "zip": 1800, "folder": 1800}


@dataclass(frozen=True)
class Reading:
    """What a reader left: ``found`` in ``folder``, and ``file``, which holds the very bytes that it read."""

    found: Any
    folder: Path
    file: IO[bytes]


@contextmanager
def read_apart(
    what: str,
    file: IO[bytes] | None = None,
    details: dict[str, Any] | None = None,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Iterator[Reading]:
    """Let a process of its own read ``file`` as ``what``, see ``reader.TASKS``; what it leaves is there for the block.

    Raises DataError where the reader refuses, dies, hangs or needs too much, each in a sentence; Cancelled.
    """
    with tempfile.TemporaryDirectory(prefix="ganscope-") as name:
        folder = Path(name)
        with open(folder / "brought", "w+b") as copy:
            if file is not None:
                _copy(file, copy)
            limits = {"memory": MEMORY[what], "seconds": PROCESSOR_SECONDS[what]}
            asked = {"what": what, "folder": name, "details": details or {}, **limits}
            found = _hear(asked, copy, progress, cancel)
            copy.seek(0)
            yield Reading(found, folder, copy)


def _copy(file: IO[bytes], copy: IO[bytes]) -> None:
    """What is read is a copy: nobody can alter it between its reader and the server."""
    try:
        file.seek(0)
        shutil.copyfileobj(file, copy)
        copy.seek(0)
    except (OSError, ValueError) as error:
        raise DataError(f"This file cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _hear(asked: dict[str, Any], file: IO[bytes], progress: Progress | None, cancel: Cancel | None) -> Any:
    """What the reader found, once it has said so."""
    with subprocess.Popen(
        [*READER, json.dumps(asked)],
        cwd=ROOT,
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in a terminal is for this process alone
    ) as process:
        try:
            for told in _words(process, cancel):
                if "found" in told:
                    return told["found"]
                if "refused" in told:
                    raise DataError(told["refused"])
                if progress is not None:
                    progress(*told["progress"])
        finally:
            process.kill()
    raise DataError("Reading this file ended the process that read it; it is damaged, or made to do harm.")


def _words(process: subprocess.Popen[bytes], cancel: Cancel | None) -> Iterator[dict[str, Any]]:
    """What the reader says, line by line, until it is gone."""
    assert process.stdout is not None
    heard, rest = time.monotonic(), b""
    ready = select.poll()  # `select` knows no handle above 1024, which a server with a class may have
    ready.register(process.stdout)
    while True:
        if cancel is not None and cancel():
            raise Cancelled("Cancelled; nothing was kept.")
        if not ready.poll(1000 * POLL_SECONDS):
            if time.monotonic() - heard > SILENT_SECONDS:
                raise DataError(f"This file could not be read within {SILENT_SECONDS:g} seconds.")
            continue
        heard, came = time.monotonic(), process.stdout.read1()  # type: ignore[attr-defined]
        *lines, rest = (rest + came).split(b"\n")
        yield from map(json.loads, lines)
        if not came:
            return

"""Programs of tests, forked by the fork server of this process: an interpreter would take seconds to import torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from types import ModuleType
from typing import IO
from unittest.mock import patch

from gan_core.engine import programs

TEXT = "forking"


def begun(module: str, *arguments: object, errors: IO[bytes] | None = None, **environment: str) -> programs.Program:
    """A program that runs, with pipes of bytes; to be let go."""
    with patch.dict(os.environ, environment):
        return programs.start(module, *map(str, arguments), errors=errors)


def tell(program: programs.Program, what: object) -> None:
    """Write a line of JSON to what it reads."""
    assert program.stdin is not None
    program.stdin.write(json.dumps(what).encode() + b"\n")
    program.stdin.flush()


def said(program: programs.Program) -> str:
    """The next line that it prints, and waits for until it does; "" after its last one."""
    assert program.stdout is not None
    return program.stdout.readline().decode()


def forked(
    module: str, *arguments: object, seconds: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """What came of a program: ``main`` of a module with these arguments, or, as module ``TEXT``, Python that comes first.

    ``environment`` is added to that of this process. Raises subprocess.TimeoutExpired.
    """
    with tempfile.TemporaryFile() as errors:
        program = begun(module, *arguments, errors=errors, **environment)
        try:
            assert program.stdout is not None
            out = program.stdout.read()
            status = program.wait(seconds)
        finally:
            programs.let_go(program)
        errors.seek(0)
        return subprocess.CompletedProcess([module, *arguments], status, out.decode(), errors.read().decode())


def main(text: str, *arguments: str) -> None:
    """Run Python as ``python -c`` does; what it defines is gone with the process."""
    sys.argv[:] = ["-c", *arguments]
    sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(text, "<string>", "exec"), sys.modules["__main__"].__dict__)


if __name__ == "__main__":
    main(*sys.argv[1:])

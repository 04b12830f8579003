"""The engine from a terminal: ``python -m gan_core train --preset ring-mlp --set seed=1``.

Tables and JSON go to stdout, progress and errors to stderr. Exit status: 0 finished, 1 failed or diverged, 2 bad input,
130 interrupted (Ctrl-C or SIGTERM; the run is saved), 141 when nobody reads on (`| head`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from gan_core.cli import terminal
from gan_core.cli.parser import parser as _parser

# What is said in a sentence. By name, since a command loads no more of the program than it needs.
_SENTENCES = {
    "gan_core.config": ("ConfigError",),
    "gan_core.store": ("RunNotFound", "StoreError"),
    "gan_core.engine": ("DataError", "Refused"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    terminal.say_in_any_encoding()
    try:
        try:
            return _run(_parser(given[:1]).parse_args(given))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        terminal.say_no_more()
        return terminal.NOBODY_READS
    except OSError as error:
        if error.filename is not None or error.filename2 is not None:
            raise
        terminal.say_no_more()
        terminal.tell(f"What was found cannot be written: {error.strerror or error}.")
        return terminal.FAILED


def _run(options: argparse.Namespace) -> int:
    module, _, function = options.command.partition(":")
    try:
        command: Callable[[argparse.Namespace], int] = getattr(import_module(f"gan_core.cli.{module}"), function)
        return command(options)
    except KeyboardInterrupt:
        terminal.tell("interrupted before a run had begun")
        return terminal.INTERRUPTED
    except Exception as error:
        if not isinstance(error, _refusals()):
            raise
        terminal.tell(str(error))
        return terminal.BAD_INPUT


def _refusals() -> tuple[type[BaseException], ...]:
    loaded = [(sys.modules[name], kinds) for name, kinds in _SENTENCES.items() if name in sys.modules]
    return tuple(getattr(module, kind) for module, kinds in loaded for kind in kinds if hasattr(module, kind))


__all__ = ["main"]

"""``python -m gan_core``, or ``ganscope`` where the package is installed; see ``gan_core/cli/``."""

import signal
import sys

from gan_core.cli import main


def entry() -> int:
    """The program of a terminal; returns the exit status."""
    # A system that shuts down, or a scheduler whose time is up, asks as Ctrl-C does: the run is saved on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return main()


if __name__ == "__main__":
    sys.exit(entry())

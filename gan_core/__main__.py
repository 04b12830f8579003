"""``python -m gan_core``; see ``gan_core/cli/``."""

import signal
import sys

from gan_core.cli import main

if __name__ == "__main__":
    # A system that shuts down, or a scheduler whose time is up, asks as Ctrl-C does: the run is saved on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())

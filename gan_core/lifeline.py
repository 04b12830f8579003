"""``python -m gan_core.lifeline MODULE …``: runs a module as a program that ends with whoever holds its standard input.

What imports for a long time reads nothing meanwhile, and would outlive a server that was killed. Here a thread that needs
no more than the interpreter watches the pipe from the first moment on, reads nothing from it, and ends the process when
the other end is closed.
"""

from __future__ import annotations

import os
import runpy
import select
import sys
import threading


def hold(handle: int) -> None:
    """End this process at once when the other end of the pipe ``handle`` is closed, whatever it is doing."""
    threading.Thread(target=_watch, args=(os.dup(handle),), name="lifeline", daemon=True).start()


def _watch(handle: int) -> None:
    watched = select.poll()
    watched.register(handle, 0)  # nothing but that it is closed: what is written there is for another
    while not any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in watched.poll()):
        pass
    os._exit(1)


if __name__ == "__main__":
    hold(sys.stdin.fileno())
    module = sys.argv[1]
    del sys.argv[0]
    runpy.run_module(module, run_name="__main__", alter_sys=True)

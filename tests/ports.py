"""A port for a server that a test starts in a process of its own."""

from __future__ import annotations

import os
import socket
from itertools import chain, count

# Below those that the system gives to outgoing connections, one of which could take a port before the server does.
FIRST, SIZE = 15_000, 15_000
_numbers = count(os.getpid() * 61)  # processes that test at once look in different places


def free_port(*wanted: int) -> int:
    """A port at which nobody listens: one that is wanted, else the next one each time."""
    for port in chain(wanted, (FIRST + number % SIZE for number in _numbers)):
        with socket.socket() as probe:
            # As servers do: the connections of one that ended linger, and keep nobody from its port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("there is always another number")

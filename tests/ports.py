"""A port for a server that a test starts in a process of its own."""

from __future__ import annotations

import os
import socket
from itertools import count

# Below those that the system gives to outgoing connections, one of which could take a port before the server does.
FIRST, SIZE = 15_000, 15_000
_numbers = count(os.getpid() * 61)  # processes that test at once look in different places


def free_port() -> int:
    """A port at which nobody listens; the next one each time."""
    for number in _numbers:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", FIRST + number % SIZE))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise AssertionError("there is always another number")

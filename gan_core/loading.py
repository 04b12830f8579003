"""Programs load without looking for garbage among what they load."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def for_good() -> Iterator[None]:
    """No garbage collection within the block, and none later that looks at what is there at its end.

    For the imports of a program. An import of torch makes hundreds of thousands of objects that stay: the collector would
    go through all of them each time that they have become a quarter more, and once more before the server opens.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if collects:
            gc.enable()

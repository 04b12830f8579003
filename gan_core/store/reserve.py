"""Room that is kept on the disk for a store to be opened, and for runs to be deleted from it, when there is none left."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from gan_core.checkpoints import SPARE_BYTES

NAME = ".reserve"
BYTES = 512 * 2**10  # the index needs 32 kB to be opened, and some for what a deletion changes in it
DISK_FULL = "The disk is full: the runs can be looked at, none can be trained; make room, and this goes on by itself."


def keep(root: Path) -> None:
    """Have the reserve, where the disk has four times as much to spare."""
    path = root / NAME
    with suppress(OSError):
        if path.exists() or shutil.disk_usage(root).free < 4 * BYTES:
            return
        try:
            path.write_bytes(os.urandom(BYTES))  # nothing that a file system could make smaller
        except OSError:
            path.unlink(missing_ok=True)


def give_up(root: Path) -> bool:
    """Hand the reserve to the disk; whether there was one."""
    try:
        (root / NAME).unlink()
    except OSError:
        return False
    return True


def is_full(root: Path) -> bool:
    """Whether the disk has no more room than the index needs."""
    with suppress(OSError):
        return shutil.disk_usage(root).free < SPARE_BYTES
    return False

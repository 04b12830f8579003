"""One server per store: the first one keeps a lock on it, which the system takes away when its process ends."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from gan_core.store.fields import from_json

LOCK = "server.lock"
SHORT_LIFE = 60.0  # seconds
# Shared by several machines: SQLite's write-ahead log needs memory that its readers and its writer share.
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "sshfs", "fuse.sshfs", "afs", "ceph", "glusterfs"})


class Tenancy:
    """The wish to be the server of a store.

    ``taken_by`` names the other one as long as the wish was not granted; ``crashes`` counts the servers before this one
    that ended, one after the other, within a minute of their start and without a word.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / LOCK
        self._file: IO[str] | None = None
        self.taken_by = ""
        self.crashes = 0
        self.claim()

    @property
    def only_reads(self) -> str:
        """Why this process may only look, in a sentence; "" if it may do everything."""
        return (
            f"This store is served by {self.taken_by} already; here it can only be looked at." if self.taken_by else ""
        )

    def claim(self) -> bool:
        """Try to become the server; True if this is it now, or if the folder lets nobody keep a lock."""
        if self._file is not None:
            return True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = open(self._path, "a+", encoding="utf-8")  # noqa: SIM115 (kept for as long as the server lives)
        except OSError:
            return True  # a disk that takes nothing: whoever opens the store will say so
        file.seek(0)
        before = file.read()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.taken_by = _told(before)
            file.close()
            return False
        self.crashes = _crashes(before)
        file.truncate(0)
        now = {"pid": os.getpid(), "host": platform.node(), "since": time.time(), "crashes": self.crashes}
        file.write(json.dumps(now))
        file.flush()
        self._file, self.taken_by = file, ""
        return True

    def close(self) -> None:
        """Let the next one in, and tell it that all was well."""
        if self._file is not None:
            with suppress(OSError):
                self._file.truncate(0)
            self._file.close()
            self._file = None


def network_file_system(root: Path) -> str:
    """The kind of network file system that ``root`` lies on, "" if it is a disk of this machine or nobody knows."""
    with suppress(OSError, psutil.Error):
        where = str(root.resolve())
        mounts = psutil.disk_partitions(all=True)
        over = [mount for mount in mounts if where == mount.mountpoint or _inside(where, mount.mountpoint)]
        if over:
            kind = str(max(over, key=lambda mount: len(mount.mountpoint)).fstype).lower()
            return kind if kind in NETWORK else ""
    return ""


def _inside(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def _crashes(before: str) -> int:
    """What the one before left: nothing if it was closed. How long it lived is not known, but when the next one came."""
    told = from_json(before)
    if not isinstance(told, dict):
        return 0
    since, crashes = told.get("since"), told.get("crashes")
    if not isinstance(since, int | float) or not isinstance(crashes, int):
        return 0
    return crashes + 1 if 0 <= time.time() - since < SHORT_LIFE else 0


def _told(text: str) -> str:
    try:
        told = json.loads(text)
        since = time.strftime("%H:%M on %d %B", time.localtime(float(told["since"])))
        return f"another server, process {int(told['pid'])} on {str(told['host'])[:80]} since {since}"
    except (ValueError, KeyError, TypeError, OverflowError):
        return "another server"

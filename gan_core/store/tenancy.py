"""One server per store: the first one keeps a lock on it, which the system takes away when its process ends."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from gan_core.exhaustion import cannot_tell
from gan_core.store.fields import from_json, line

LOCK = "server.lock"
SHORT_LIFE = 60.0  # seconds
TAKES_NOTHING = frozenset(
    {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST}
)
KEEPS_NO_LOCKS = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})
# Shared by several machines: SQLite's write-ahead log needs memory that its readers and its writer share.
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "sshfs", "fuse.sshfs", "afs", "ceph", "glusterfs"})


class Tenancy:
    """The wish to be the server of a store.

    ``taken_by`` names the other one as long as the wish was not granted; ``crashes`` counts the servers before this one
    that ended, one after the other, within a minute of their start and without a word. ``unknown`` says why it cannot be
    told whether there is another: then this process only looks, and asks again.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / LOCK
        self._file: IO[bytes] | None = None
        self.taken_by = self.unknown = ""
        self.crashes = 0
        self.claim()

    @property
    def only_reads(self) -> str:
        """Why this process may only look, in a sentence; "" if it may do everything."""
        if self.taken_by:
            return f"This store is served by {self.taken_by} already; here it can only be looked at."
        if self.unknown:
            return f"Whether another server has this store cannot be told ({self.unknown}); it can only be looked at."
        return ""

    def claim(self) -> bool:
        """Try to become the server; True if this is it now, or if the folder lets nobody keep a lock."""
        if self._file is not None:
            return True
        self.taken_by = self.unknown = ""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = open(self._path, "a+b", buffering=0)  # noqa: SIM115 (kept for as long as the server lives)
        except OSError as error:
            if error.errno not in TAKES_NOTHING:
                self.unknown = error.strerror or str(error)
            return not self.unknown  # a disk that takes nothing: whoever opens the store will say so
        try:
            file.seek(0)
            before = file.read().decode(errors="replace")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.taken_by = _told(before)
        except OSError as error:
            if error.errno in KEEPS_NO_LOCKS:
                file.close()
                return True
            self.unknown = error.strerror or str(error)
        if self.only_reads:
            file.close()
            return False
        self.crashes = _crashes(before)
        now = {"pid": os.getpid(), "host": platform.node(), "since": time.time(), "crashes": self.crashes}
        with suppress(OSError):  # the lock is what counts; on a full disk nobody can read whose it is
            file.truncate(0)
            file.write(json.dumps(now).encode())
        self._file = file
        return True

    def close(self) -> None:
        """Let the next one in, and tell it that all was well."""
        if self._file is not None:
            with suppress(OSError):
                self._file.truncate(0)
            self._file.close()
            self._file = None


def network_file_system(root: Path) -> str:
    """The kind of network file system that ``root`` lies on, "" if it is a disk of this machine or nobody ever knows.

    OSError where it cannot be told now.
    """
    try:
        where = str(root.resolve())
        mounts = psutil.disk_partitions(all=True)
        over = [mount for mount in mounts if where == mount.mountpoint or _inside(where, mount.mountpoint)]
        if over:
            kind = str(max(over, key=lambda mount: len(mount.mountpoint)).fstype).lower()
            return kind if kind in NETWORK else ""
    except (OSError, psutil.Error) as error:
        if cannot_tell(error) and not isinstance(error, PermissionError):
            raise
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
    now = time.time()
    return crashes + 1 if now - SHORT_LIFE < since <= now else 0


def _told(text: str) -> str:
    told = from_json(text)
    try:
        since = time.strftime("%H:%M on %d %B", time.localtime(float(told["since"])))
        return f"another server, process {int(told['pid'])} on {line(80)(told['host'])} since {since}"
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return "another server"

"""Files of a run: names that cannot escape, contents that cannot be half written."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import string
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gan_core.failpoints import failpoint
from gan_core.store.records import StoreError

RUN_ID = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
ARTEFACT = re.compile(r"[a-z]{1,32}-[0-9a-f]{32}\.[a-z0-9]{1,8}", re.ASCII)
RESERVED = frozenset({"cache", "data", "datasets", "studies"})  # folders beside those of the runs


def new_run_id() -> str:
    """Such as ``20261122-003117-k3f9x2ab``: local time for people, then 41 random bits.

    Sorting is by ``RunRecord.seq``, never by id: clocks jump.
    """
    letters = string.ascii_lowercase + string.digits
    return time.strftime("%Y%m%d-%H%M%S-") + "".join(secrets.choice(letters) for _ in range(8))


def is_run_id(run_id: object) -> bool:
    """Whether this could name a run. Whether it does, only the index knows."""
    return isinstance(run_id, str) and RUN_ID.fullmatch(run_id) is not None and run_id not in RESERVED


def artefact_name(kind: str, suffix: str, data: bytes) -> str:
    """``<kind>-<first 32 hex digits of the SHA-256 of data>.<suffix>``. ValueError for a malformed kind or suffix."""
    name = f"{kind}-{hashlib.sha256(data).hexdigest()[:32]}.{suffix.removeprefix('.')}"
    if not ARTEFACT.fullmatch(name):
        raise ValueError(f"no artefact can have the kind {kind!r} and the suffix {suffix!r}")
    return name


def is_artefact(name: object) -> bool:
    """Whether this could name an artefact."""
    return isinstance(name, str) and ARTEFACT.fullmatch(name) is not None


def is_whole(path: Path) -> bool:
    """Whether an artefact still holds what its name says."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32] == path.stem.rpartition("-")[2]


def is_temporary(name: str) -> bool:
    """Whether a file of this name is what a crash amid ``write_once`` leaves behind."""
    return re.fullmatch(r"\..+\.[0-9a-f]{8}", name) is not None


def sweep(folder: Path) -> int:
    """Remove what crashes left in ``folder``, which nobody writes to now; returns how many files that was."""
    swept = 0
    with suppress(OSError):
        for file in folder.iterdir():
            if is_temporary(file.name):
                file.unlink(missing_ok=True)
                swept += 1
    return swept


def write_once(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` so that a reader, at any moment, sees the whole file or none. StoreError if it fails."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        # A file of this name has this content already, unless a power cut left it short.
        if path.is_file() and path.stat().st_size == len(data):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            failpoint("artefact.before_rename")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"The file {path.name} cannot be saved: {error.strerror or error}.") from error


def share(names: Iterable[str], source: Path, target: Path) -> None:
    """Let artefacts of ``source`` be found in ``target`` too: as the same file on the disk, else as a copy.

    What is missing or no artefact is left out. StoreError if the disk takes no more.
    """
    for name in names:
        if ARTEFACT.fullmatch(name):
            try:
                _share(source / name, target / name)
            except OSError as error:
                raise StoreError(f"The file {name} cannot be copied: {error.strerror or error}.") from error


def _share(file: Path, twin: Path) -> None:
    if not file.is_file():
        return
    try:
        failpoint("artefact.share")
        os.link(file, twin)
    except OSError:  # another file system, one without hard links, or there is one already, which may be cut short
        write_once(twin, file.read_bytes())


def find(folder: Path, name: object) -> Path:
    """The path of an artefact; StoreError unless ``name`` is well formed and a file in this very ``folder``."""
    if not isinstance(name, str) or not ARTEFACT.fullmatch(name):
        raise StoreError(f"{str(name)[:64]!r} is not the name of a file of a run.")
    path = folder / name
    if not path.is_file() or path.resolve().parent != folder.resolve():
        raise StoreError(f"The file {name} is missing.")
    return path

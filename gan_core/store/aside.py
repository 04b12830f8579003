"""Folders of runs that come in, or go for good: aside, under a name that tells what a kill amid it has left.

The index decides: a folder aside goes to its place where the index has its run, and is removed where it has none.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from gan_core.failpoints import failpoint
from gan_core.store.records import StoreError, reason

ASIDE = ".aside-"
STAGING = ".import-"  # of packs, see engine/exchange/unpacking.py
DAY = 86_400.0  # no import takes that long


def path_of(root: Path, run_id: str) -> Path:
    """Where the folder of a run is while it is aside."""
    return root / f"{ASIDE}{run_id}"


def take_in(root: Path, files: Path, run_ids: Sequence[str], insert: Callable[[], None]) -> None:
    """Move ``files/<run id>/`` to where runs have their files, around ``insert``, which adds their rows: both, or nothing.

    StoreError if a folder is in the way.
    """
    _bring(root, files, run_ids)
    try:
        insert()
    except BaseException:
        _give_up(root, run_ids)
        raise
    for run_id in run_ids:
        with suppress(OSError):  # then the next sweep does it
            _settle(root, run_id)


def purge(root: Path, run_ids: Sequence[str], remove: Callable[[], None]) -> None:
    """Remove the folders of runs for good; ``remove`` takes their rows out and calls `put` in the same transaction."""
    try:
        remove()
    except BaseException:
        for run_id in run_ids:
            with suppress(OSError):
                _settle(root, run_id)
        raise
    for run_id in run_ids:
        left = path_of(root, run_id)  # alone: another run of this id may have come in by now
        try:
            _remove(left)
        except OSError as error:
            raise StoreError(
                f"The run is gone, its folder {left} remains until the next start: {reason(error)}."
            ) from error


def remove_first(root: Path, run_id: str) -> None:
    """Remove the files of a run whose rows go next, at its place and aside. StoreError where files resist."""
    for folder in (root / run_id, path_of(root, run_id)):
        try:
            _remove(folder)
        except OSError as error:
            raise StoreError(f"The files of the run in {folder} cannot be removed: {reason(error)}.") from error


def _remove(folder: Path) -> None:
    failpoint("purge.files")
    with suppress(FileNotFoundError):  # it never saved a file
        shutil.rmtree(folder)


def _bring(root: Path, files: Path, run_ids: Sequence[str]) -> None:
    """Put ``files/<run id>/`` aside, to be settled once the index has the runs. StoreError if a folder is in the way."""
    try:
        for run_id in run_ids:
            if (root / run_id).exists():
                raise StoreError(f"There is a folder {run_id!r} in the store already.")
            if (files / run_id).is_dir():
                failpoint("adopt.move")
                _move(files / run_id, path_of(root, run_id))
    except (OSError, StoreError) as error:
        _give_up(root, run_ids)
        raise error if isinstance(error, StoreError) else StoreError(f"The files cannot be kept: {error}.") from error


def put(root: Path, run_id: str) -> None:
    """Put the folder of a run aside, if it has one. StoreError where it resists."""
    try:
        with suppress(FileNotFoundError):
            _move(root / run_id, path_of(root, run_id))
    except OSError as error:
        raise StoreError(f"The files of the run cannot be moved: {reason(error)}.") from error


def _settle(root: Path, run_id: str) -> None:
    """Give a run the folder that was put aside for it. OSError where there is none, or where it has one already."""
    failpoint("adopt.settle")
    os.rename(path_of(root, run_id), root / run_id)


def _give_up(root: Path, run_ids: Sequence[str]) -> None:
    """Remove what lies aside for these runs, as far as it goes now."""
    for run_id in run_ids:
        shutil.rmtree(path_of(root, run_id), ignore_errors=True)


def sweep(root: Path, known: Callable[[str], bool]) -> int:
    """Put right what kills left aside, and remove what imports left that were killed; returns how many folders it was."""
    swept = 0
    for folder in [path for path in root.iterdir() if path.name.startswith((ASIDE, STAGING))]:
        with suppress(OSError):
            run_id = folder.name.removeprefix(ASIDE)
            if folder.name.startswith(ASIDE) and known(run_id):
                _settle(root, run_id)
            elif folder.name.startswith(ASIDE) or time.time() - folder.stat().st_mtime > DAY:
                shutil.rmtree(folder)
            swept += not folder.exists()
    return swept


def _move(source: Path, target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)  # what a kill left; nobody waits for it
    os.rename(source, target)

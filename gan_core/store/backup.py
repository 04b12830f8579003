"""A copy of a whole store as one file, made while runs train, and the way back."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from gan_core.checkpoints import FILE, MARKS, CheckpointError, CheckpointUnreadable, checkpoints, read, tensors_of
from gan_core.failpoints import failpoint
from gan_core.store import artefacts
from gan_core.store.fields import from_json
from gan_core.store.records import ACTIVE, StoreError
from gan_core.store.schema import connect
from gan_core.store.studies import FOLDER

INDEX = "ganscope.db"
_DATASETS = "datasets"
_NAME = re.compile(
    r"ganscope\.db|[a-z0-9-]{1,64}/(?:[a-z]{1,32}-[0-9a-f]{32}\.[a-z0-9]{1,8}|checkpoints/" + FILE.pattern + ")"
    r"|datasets/[0-9a-f]{8,64}/[a-z]{1,32}\.[a-z]{1,16}"
    r"|studies/[a-z0-9-]{1,64}/[a-z]{1,32}-[0-9a-f]{32}\.[a-z0-9]{1,8}",
    re.ASCII,
)


def backup(root: Path | str, target: Path | str) -> int:
    """Write the store under ``root`` to the zip file ``target``; returns how many files it holds.

    What it holds fits together, whatever is written meanwhile: checkpoints come first, so that none is ahead of the
    index, then one snapshot of the index, then the files that it names, which never change. Left out is what can be made
    or fetched again, and the key of the tickets. StoreError if there is no store, or no room for the copy.
    """
    root, target = Path(root), Path(target)
    if not (root / INDEX).exists():
        raise StoreError(f"There is no store in {root}.")
    draft = target.with_name(f".{target.name}.draft")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            snapshot = Path(folder) / INDEX
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                for run in sorted(path for path in root.iterdir() if artefacts.is_run_id(path.name)):
                    _add_checkpoints(archive, run)
                _snapshot(root / INDEX, snapshot)
                archive.write(snapshot, INDEX, zipfile.ZIP_DEFLATED)
                for path in (
                    *_named_files(snapshot, root),
                    *_of_datasets(root),
                    *_of_studies(root),
                ):
                    with suppress(FileNotFoundError):  # it was missing before
                        archive.write(path, path.relative_to(root).as_posix())
                count = len(archive.namelist())
            with open(draft, "rb") as file:
                os.fsync(file.fileno())
            failpoint("backup.before_rename")
            os.replace(draft, target)
    except OSError as error:
        raise StoreError(f"The backup {target} cannot be written: {error.strerror or error}.") from error
    except sqlite3.Error as error:
        raise StoreError(f"The store {root} cannot be copied: {error}.") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return count


def restore_backup(source: Path | str, root: Path | str) -> int:
    """Make the store under ``root`` from a backup; returns how many files it has. Runs that trained can be resumed.

    Nothing is ever overwritten: StoreError if there is a store already, if the file is no backup, or if there is no room.
    """
    source, root = Path(source), Path(root)
    if (root / INDEX).exists():
        raise StoreError(f"There is a store in {root} already; choose another folder.")
    try:
        root.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            odd = next((entry.filename for entry in entries if not _NAME.fullmatch(entry.filename)), None)
            if odd is not None or INDEX not in archive.namelist():
                raise StoreError(f"{source.name} is not a backup of a store.")
            if sum(entry.file_size for entry in entries) > shutil.disk_usage(root).free:
                raise StoreError(f"There is no room for {source.name} in {root}.")
            # The index last: before it is there, there is no store.
            for entry in sorted(entries, key=lambda entry: entry.filename == INDEX):
                _unpack(archive, entry, root / entry.filename)
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        if isinstance(error, StoreError):
            raise
        said = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"{source} cannot be restored: {said or error}.") from error
    return len(entries)


def _add_checkpoints(archive: zipfile.ZipFile, run: Path) -> None:
    """Those that are whole. One that is dropped while it is read has a newer one in its place: look again."""
    added: set[str] = set()
    for _ in range(3):
        lost = False
        for path in checkpoints(run / "checkpoints"):
            if path.name in added:
                continue
            try:
                tensors, text = read(path)[0], path.read_bytes()
            except CheckpointUnreadable as error:
                raise StoreError(f"The backup would lack a checkpoint: {error}.") from error
            except CheckpointError as error:
                lost = lost or isinstance(error.__cause__, FileNotFoundError)
                continue
            except FileNotFoundError:
                lost = True
                continue
            below = f"{run.name}/checkpoints"
            archive.writestr(f"{below}/{tensors_of(path).name}", tensors)
            archive.writestr(f"{below}/{path.name}", text)
            for file in sorted(path.parent.glob(f"{path.stem}.*")):
                if file.suffix.removeprefix(".") in MARKS:
                    with suppress(FileNotFoundError):  # it was taken away meanwhile
                        archive.write(file, f"{below}/{file.name}")
            added.add(path.name)
        if not lost:
            return


def _snapshot(path: Path, copy: Path) -> None:
    """The index as it is at one moment; nobody trains a run of the copy."""
    with closing(connect(path, only_read=True)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        states = ", ".join(repr(state) for state in sorted(ACTIVE))
        target.execute(f"UPDATE runs SET owner = '{{}}' WHERE status IN ({states})")
        target.execute("UPDATE studies SET owner = '{}'")
        target.commit()


def _named_files(snapshot: Path, root: Path) -> Iterator[Path]:
    with closing(connect(snapshot, only_read=True)) as connection:
        rows = connection.execute("SELECT DISTINCT run, data FROM frames ORDER BY run, rowid").fetchall()
    seen = set()
    for row in rows:
        part = from_json(row["data"])
        name = part.get("file") if isinstance(part, dict) else None
        if isinstance(name, str) and artefacts.ARTEFACT.fullmatch(name) and (row["run"], name) not in seen:
            seen.add((row["run"], name))
            yield root / row["run"] / name


def _of_datasets(root: Path) -> list[Path]:
    """Without what a crash left half written, or somebody else: a backup that holds such a file cannot be restored."""
    files = sorted((root / _DATASETS).glob("*/*"))
    return [path for path in files if _NAME.fullmatch(path.relative_to(root).as_posix())]


def _of_studies(root: Path) -> list[Path]:
    return sorted(path for path in (root / FOLDER).glob("*/*") if artefacts.ARTEFACT.fullmatch(path.name))


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)  # of a restoration that was killed
    try:
        with archive.open(entry) as source, open(draft, "xb") as target:
            shutil.copyfileobj(source, target)
            target.flush()
            failpoint("restore.write")
            os.fsync(target.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)

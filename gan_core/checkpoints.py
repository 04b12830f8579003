"""Checkpoints as files: their names, their seals, how they get onto the disk and which of them stay. No torch.

A checkpoint is two files: ``round-<9 digits>.safetensors`` holds the tensors, ``round-….json`` everything else and the
SHA-256 of both. The JSON is renamed into place last, after everything is on the disk: what has its name is whole.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from gan_core.exhaustion import cannot_tell
from gan_core.failpoints import failpoint

FORMAT = 1
TEMPORARY = ".tmp"
RUN_BYTES = 2 * 2**30  # that the checkpoints of one run may take
SPARE_BYTES = 256 * 2**10  # left on the disk for the index, which must be able to say that it is full
# Of a checkpoint: passed on the way; kept before an onset; best by metrics; pinned by a user.
Mark = Literal["passed", "kept", "best", "pinned"]
MARKS: tuple[Mark, ...] = get_args(Mark)  # deleted in this order when room runs out
FILE = re.compile(rf"round-\d{{9}}\.(?:json|safetensors|{'|'.join(MARKS)})", re.ASCII)
LOST = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO})  # no later attempt will read that
_NAME = re.compile(r"round-(\d{9})\.json")


class CheckpointError(ValueError):
    """A checkpoint that cannot be read; says which file and why."""


class CheckpointUnreadable(CheckpointError):
    """A checkpoint of which nothing can be told at this moment: it may be whole."""


def checkpoints(folder: Path) -> list[Path]:
    """The named checkpoints under ``folder``, oldest first; none where there is no such folder.

    OSError where it cannot be looked into: that is not the same as none.
    """
    return sorted(folder / name for name in _names(folder) if _NAME.fullmatch(name))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def round_of(path: Path) -> int:
    """How many rounds had been played when the checkpoint ``path`` was taken."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise CheckpointError(f"{path.name} is not the name of a checkpoint")
    return int(match[1])


def path_of(folder: Path, round: int) -> Path:
    """Where the checkpoint of a round is, or would be."""
    return folder / f"round-{round:09d}.json"


def tensors_of(path: Path) -> Path:
    """The file with the tensors of the checkpoint ``path``."""
    return path.with_suffix(".safetensors")


def size_of(path: Path) -> int:
    """Bytes that the checkpoint takes on the disk; what is missing takes none."""
    total = 0
    for file in _files(path):
        with suppress(OSError):
            total += file.stat().st_size
    return total


def is_full(error: OSError) -> bool:
    """Whether there was no room on the disk, or none for this user or file."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write(folder: Path, round: int, tensors: bytes, values: Any) -> Path:
    """Put a checkpoint onto the disk; returns its path. OSError if the disk does not take it: then there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(folder, round)
    digest = hashlib.sha256(tensors).hexdigest()
    manifest = {"format": FORMAT, "tensors": tensors_of(path).name, "sha256": digest}
    if path.exists() and not _has(path, digest):
        path.unlink()  # other tensors are about to stand below its name
    if shutil.disk_usage(folder).free < len(tensors) + SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    put(tensors_of(path), tensors)
    failpoint("save.before_manifest")
    put(path, sealed(manifest | {"values": values}))
    return path


def read(path: Path) -> tuple[bytes, Any]:
    """The tensors' bytes and the values of a checkpoint. Raises CheckpointError for a missing, torn or altered file."""
    with _in_a_sentence(path):
        failpoint("checkpoint.read")
        manifest = _unsealed(path)
        return _tensors(path, manifest), manifest["values"]


def files(path: Path) -> dict[str, bytes]:
    """All files of a checkpoint as they are at one moment, by their names. Raises CheckpointError as ``read``."""
    with _in_a_sentence(path):
        failpoint("checkpoint.read")
        content = path.read_bytes()
        found = {path.name: content, tensors_of(path).name: _tensors(path, _opened(path, content))}
        for what in MARKS:
            with suppress(FileNotFoundError):
                found[_marked(path, what).name] = _marked(path, what).read_bytes()
        return found


def _tensors(path: Path, manifest: dict[str, Any]) -> bytes:
    tensors = (path.parent / Path(manifest["tensors"]).name).read_bytes()
    if hashlib.sha256(tensors).hexdigest() != manifest["sha256"]:
        raise CheckpointError(f"{manifest['tensors']} was altered after it was saved (its SHA-256 differs)")
    return tensors


def glance(path: Path) -> None:
    """What can be told of a checkpoint without reading its tensors. Raises CheckpointError where it is not whole."""
    with _in_a_sentence(path):
        failpoint("checkpoint.read")
        file = path.parent / Path(_unsealed(path)["tensors"]).name
        if not file.is_file():
            raise CheckpointError(f"{file.name} is missing")


@contextmanager
def _in_a_sentence(path: Path) -> Iterator[None]:
    """Whatever goes wrong with what is in ``path`` is a CheckpointError."""
    try:
        yield
    except CheckpointError:
        raise
    except MemoryError as error:
        raise CheckpointUnreadable(f"{path.name} cannot be read: out of memory") from error
    except OSError as error:
        # The rest of the path is nobody's business.
        said = error.strerror if error.filename is None else f"{Path(error.filename).name}: {error.strerror}"
        kind = CheckpointError if error.errno in LOST else CheckpointUnreadable
        raise kind(f"{path.name} cannot be read: {said}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        lacking = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise CheckpointError(f"{path.name} cannot be read: {lacking}") from error


def _has(path: Path, sha256: str) -> bool:
    """Whether a checkpoint has these tensors; OSError where that cannot be told, since another answer deletes it."""
    try:
        with _in_a_sentence(path):
            return bool(_unsealed(path)["sha256"] == sha256)
    except CheckpointError as error:
        cause = error.__cause__
        if isinstance(cause, MemoryError):
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from cause
        if cause is not None and cannot_tell(cause):
            raise cause from None
        return False


# Which stay


def mark(path: Path, what: Mark, reason: str, scores: Sequence[float] = ()) -> None:
    """Let a checkpoint stay whatever is written after it; ``reason`` says what for, ``scores`` how good it is."""
    put(_marked(path, what), json.dumps({"reason": reason, "scores": list(scores)}).encode())


def pin(folder: Path, round: int) -> None:
    """Let the checkpoint of a round stay until its mark "pinned" is taken away. CheckpointError where there is none."""
    path = path_of(folder, round)
    if path.is_file():
        mark(path, "pinned", "pinned")
        if path.is_file():
            return
        unmark(path, "pinned")  # it was dropped meanwhile
    known = ", ".join(f"{round_of(path):,}" for path in checkpoints(folder))
    there = f"there are those of round {known}" if known else "none has been saved yet"
    raise CheckpointError(f"There is no checkpoint of round {round:,}; {there}.")


def unmark(path: Path, what: Mark) -> None:
    """Take a mark away; without any it is a checkpoint like the others."""
    _marked(path, what).unlink(missing_ok=True)


def marks(folder: Path, what: Mark) -> dict[int, str]:
    """The rounds of the checkpoints with this mark, each with the reason."""
    return {round_of(path): _reason(path, what) for path in checkpoints(folder) if _marked(path, what).is_file()}


def kept_checkpoints(folder: Path) -> dict[int, str]:
    """The rounds of the checkpoints that are kept for whatever reason, each with the reasons."""
    told: dict[int, list[str]] = {}
    for what in MARKS:
        for round, reason in marks(folder, what).items():
            told.setdefault(round, []).append(reason)
    return {round: ", ".join(filter(None, told[round])) for round in sorted(told)}


@dataclass(frozen=True)
class Saved:
    """A checkpoint in a list: ``bytes`` on the disk, ``kept_for`` what, "" for nothing."""

    round: int
    bytes: int
    kept_for: str
    pinned: bool


def listed(folder: Path) -> list[Saved]:
    """The checkpoints under ``folder``, oldest first."""
    kept, pinned = kept_checkpoints(folder), marks(folder, "pinned")
    rounds = [(round_of(path), size_of(path)) for path in checkpoints(folder)]
    return [Saved(round, size, kept.get(round, ""), round in pinned) for round, size in rounds]


def best_scores(folder: Path, up_to: int) -> tuple[float, ...]:
    """The scores of the best checkpoint until round ``up_to``; () where there is none."""
    best = [round for round in marks(folder, "best") if round <= up_to]
    return _told(path_of(folder, max(best)), "best")[1] if best else ()


def _marked(path: Path, what: Mark) -> Path:
    return path.with_suffix(f".{what}")


def _reason(path: Path, what: Mark) -> str:
    """Why a checkpoint has a mark; one that cannot be read is a mark all the same."""
    try:
        return _told(path, what)[0]
    except (OSError, MemoryError):
        return ""


def _told(path: Path, what: Mark) -> tuple[str, tuple[float, ...]]:
    """Why a checkpoint has a mark, and its scores; nothing where the file is missing or damaged."""
    try:
        told = json.loads(_marked(path, what).read_bytes())
        return str(told["reason"]), tuple(float(score) for score in told.get("scores", ()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        if cannot_tell(error):
            raise  # or a worse state would take the place of the best
        return "", ()


def _rank(path: Path) -> int:
    """How late it goes where there is no room."""
    return max((1 + rank for rank, what in enumerate(MARKS) if _marked(path, what).is_file()), default=0)


def retain(folder: Path, newest: int, up_to: int, most_bytes: int = RUN_BYTES) -> None:
    """Drop what lies above round ``up_to``, and all but the ``newest`` checkpoints; those that are kept stay.

    Where they take more than ``most_bytes`` in all, the oldest go too, those with a mark last; the very newest stays.
    """
    kept = kept_checkpoints(folder)
    # What lies above is the future of a continuation that was abandoned for this one.
    ahead = [path for path in checkpoints(folder) if round_of(path) > up_to]
    others = [path for path in checkpoints(folder) if path not in ahead and round_of(path) not in kept]
    drop([*ahead, *others[:-newest]])
    purge([folder], most_bytes)


def purge(folders: Collection[Path], most_bytes: int, in_use: Collection[Path] = ()) -> int:
    """Drop the oldest checkpoints under ``folders`` until all take ``most_bytes``; returns the bytes that this gave back.

    Those with a mark go last, as in ``MARKS``. The newest of each folder stays in any case, and all that is ``in_use``.
    """
    found: list[tuple[int, float, Path, int]] = []
    total = 0
    for folder in folders:
        paths = checkpoints(folder)
        sizes = [size_of(path) for path in paths]
        total += sum(sizes)
        if folder not in in_use:
            for path, size in zip(paths[:-1], sizes, strict=False):
                with suppress(OSError):
                    found.append((_rank(path), path.stat().st_mtime, path, size))
    given_back = 0
    for *_, path, _size in sorted(found):
        if total - given_back <= most_bytes:
            break
        given_back += drop([path])
    return given_back


def drop(paths: Collection[Path]) -> int:
    """Delete checkpoints; returns how many bytes that gave back. One that cannot be deleted is left for the next time."""
    given_back = 0
    for path in paths:
        size = size_of(path)
        try:
            failpoint("checkpoint.drop")
            for file in _files(path):  # the JSON first: without it there is no checkpoint, never half of one
                file.unlink(missing_ok=True)
        except OSError:
            continue
        given_back += size
    return given_back


def sweep(folder: Path) -> int:
    """Remove what a crash while saving left in ``folder``, which nobody writes to now; returns how many files it was.

    Those are temporary files, and tensors whose JSON was never written.
    """
    swept = 0
    with suppress(OSError):
        names = _names(folder)  # once: what is named and what is not is told from the same look
        named = {Path(name).stem for name in names if _NAME.fullmatch(name)}
        for name in names:
            orphan = not name.endswith(".json") and FILE.fullmatch(name)
            if name.endswith(TEMPORARY) or (orphan and Path(name).stem not in named):
                with suppress(OSError):
                    (folder / name).unlink()
                    swept += 1
    return swept


# Onto the disk


def put(path: Path, data: bytes) -> None:
    """Write, flush to the disk, rename, flush the folder: after this the name holds all of ``data``, or what it held before."""
    temporary = path.with_name(path.name + TEMPORARY)
    failpoint("save.before_temporary")
    try:
        with open(temporary, "wb") as file:
            failpoint("save.write", half=lambda: os.write(file.fileno(), data[: len(data) // 2]))
            file.write(data)
            file.flush()
            failpoint("save.before_fsync")
            os.fsync(file.fileno())
        failpoint("save.before_rename")
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)  # a full disk needs the room
        raise
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sealed(manifest: dict[str, Any]) -> bytes:
    """``manifest`` as JSON with the SHA-256 of everything else in it."""
    return json.dumps({**manifest, "seal": _seal(manifest)}).encode()


def _unsealed(path: Path) -> dict[str, Any]:
    return _opened(path, path.read_bytes())


def _opened(path: Path, content: bytes) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(content)
    if manifest["seal"] != _seal(manifest):
        raise CheckpointError(f"{path.name} was altered after it was saved (its SHA-256 differs)")
    if manifest["format"] != FORMAT:
        raise CheckpointError(f"{path.name} has format {manifest['format']}, this version reads format {FORMAT}")
    return manifest


def _seal(manifest: dict[str, Any]) -> str:
    rest = {name: value for name, value in manifest.items() if name != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _files(path: Path) -> tuple[Path, ...]:
    return path, tensors_of(path), *(_marked(path, what) for what in MARKS)

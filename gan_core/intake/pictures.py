"""From a folder or a zip of pictures to one uint8 tensor, and a list of what could not be used and why."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from gan_core.intake import archive
from gan_core.intake.decode import MAX_BYTES, SUFFIXES, Refusal, Shape, decode
from gan_core.intake.errors import DataError

MIN_IMAGES = 16
MAX_IMAGES = 60_000
MAX_TENSOR = 2 * 2**30
MAX_CLASSES = 1000
MAX_DEPTH = 6
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")

Progress = Callable[[float, str], None]
Entry = tuple[str, bytes | Refusal]


@dataclass(frozen=True)
class Problem:
    """A file that was left out. ``file`` is its name as given: text to show, never a path to open."""

    file: str
    reason: str


@dataclass(frozen=True)
class Images:
    """Decoded pictures ``x`` uint8 (N, C, H, W) ordered by content, so that the same files give the same set.

    ``y`` (N,) and ``class_names`` come from the folders that the files lay in; None and () where there is only one.
    """

    x: np.ndarray
    y: np.ndarray | None
    class_names: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def summary(self) -> str:
        found = len(self.x) + len(self.problems)
        return f"{len(self.x):,} of {found:,} usable"


def from_zip(file: IO[bytes], shape: Shape, *, progress: Progress | None = None) -> Images:
    """The pictures in a zip file. Raises DataError for a file that is no zip or is built to do harm, and as ``_images``."""
    wanted = [entry for entry in archive.entries(file) if not _is_litter(entry.filename)]
    found = ((entry.filename, content) for entry, content in archive.contents(file, wanted))
    return _images(found, len(wanted), shape, progress)


def from_folder(root: Path, folder: str, shape: Shape, *, progress: Progress | None = None) -> Images:
    """The pictures in ``folder``, a path below ``root``. Raises DataError if it is not there, and as ``_images``."""
    place = folder_below(root, folder)
    files = _walk(place)
    found = ((path.relative_to(place).as_posix(), _read(path, root)) for path in files)
    return _images(found, len(files), shape, progress)


def folder_below(root: Path, folder: str) -> Path:
    """``root / folder``, if that is really a folder under ``root``: no ``..``, no absolute path, no link that leads out."""
    refusal = DataError(f"There is no folder {folder[:80]!r} in the data folder.")
    if "\0" in folder or len(folder) > 1000:
        raise refusal
    try:
        top = root.resolve(strict=True)
        place = (top / folder).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise refusal from None
    if not place.is_dir() or not place.is_relative_to(top):
        raise refusal
    return place


def folders_with_images(root: Path, limit: int = 200) -> list[str]:
    """The folders under ``root`` that hold pictures, or whose subfolders do, as paths relative to it."""
    names: set[str] = set()
    for path, below, files in os.walk(root):
        here = Path(path).relative_to(root)
        below[:] = sorted(name for name in below if not name.startswith("."))[:MAX_CLASSES]
        if len(here.parts) >= 3:
            below.clear()
        if any(name.lower().endswith(SUFFIXES) for name in files) and here.parts:
            names.add(here.as_posix())
            if here.parent.parts:
                names.add(here.parent.as_posix())
        if len(names) >= limit:
            break
    return sorted(names)[:limit]


def plain(text: str, limit: int = 40) -> str:
    """Letters, digits, spaces and hyphens of a text: a name that no page can take for markup. May be empty."""
    kept = "".join(
        char if char.isalnum() or char == "-" else " " for char in unicodedata.normalize("NFC", text[: 10 * limit])
    )
    return re.sub(r"\s+", " ", kept).strip()[:limit].strip(" -")


def _images(found: Iterator[Entry], total: int, shape: Shape, progress: Progress | None) -> Images:
    """Decode what is found. Raises DataError for too many or too few pictures."""
    if total > MAX_IMAGES:
        raise DataError(f"{total:,} files are more than the {MAX_IMAGES:,} that one data set may have.")
    if total * shape.channels * shape.size**2 > MAX_TENSOR:
        raise DataError(
            f"{total:,} pictures of {shape.size}×{shape.size} do not fit into {MAX_TENSOR // 2**30} GB; "
            "choose a smaller size."
        )
    kept: list[tuple[str, str, np.ndarray]] = []
    problems = []
    for number, (name, content) in enumerate(found, start=1):
        if progress is not None:
            progress(number / max(1, total), f"reading picture {number:,} of {total:,}")
        try:
            kept.append((_hash(content, name), name, _decoded(name, content, shape)))
        except Refusal as refusal:
            problems.append(Problem(shown(name), str(refusal)))
    if len(kept) < MIN_IMAGES:
        few = f"; the first reason: {problems[0].reason}" if problems else ""
        raise DataError(
            f"{len(kept):,} of {len(kept) + len(problems):,} files are usable pictures, and a data set needs "
            f"{MIN_IMAGES} at least{few}."
        )
    # By content, then by name for files that are copies: never by the order in which a disk or an archive lists them.
    kept.sort(key=lambda item: item[:2])
    y, class_names = _classes([name for _, name, _ in kept])
    x = np.stack([array for _, _, array in kept])
    return Images(x, y, class_names, tuple(sorted(problems, key=lambda problem: problem.file)))


def _decoded(name: str, content: bytes | Refusal, shape: Shape) -> np.ndarray:
    if isinstance(content, Refusal):
        raise content
    if name.lower().endswith(ARCHIVES):
        raise Refusal("an archive inside; it is not opened")
    return decode(content, shape)


def _hash(content: bytes | Refusal, name: str) -> str:
    return hashlib.sha256(content if isinstance(content, bytes) else name.encode("utf-8", "replace")).hexdigest()


def _classes(names: list[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The folder that each file lies in is its class, if there are two or more (and not too many) of them."""
    folders = [PurePosixPath(name.replace("\\", "/")).parent.name for name in names]
    known = sorted(set(folders))
    if not 2 <= len(known) <= MAX_CLASSES:
        return None, ()
    labels: list[str] = []
    for folder in known:
        label = plain(folder) or ("no folder" if not folder else "class")
        again = 2
        while label in labels:
            label, again = f"{plain(folder)} {again}".strip(), again + 1
        labels.append(label)
    index = {folder: number for number, folder in enumerate(known)}
    return np.array([index[folder] for folder in folders], np.int64), tuple(labels)


def shown(name: str, limit: int = 120) -> str:
    """A file's name as text for a table: no control or direction marks, its end kept if it is long."""
    text = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-limit // 2 :]}"


def _is_litter(name: str) -> bool:
    """What systems leave in folders and nobody means: ``.DS_Store``, ``__MACOSX/``, ``Thumbs.db``."""
    parts = name.replace("\\", "/").split("/")
    return parts[-1].startswith("._") or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini") or "__MACOSX" in parts


def _walk(place: Path) -> list[Path]:
    files: list[Path] = []
    for path, below, names in os.walk(place):
        below[:] = [] if len(Path(path).relative_to(place).parts) >= MAX_DEPTH else sorted(below)
        files += (Path(path) / name for name in names if not _is_litter(name))
        if len(files) > MAX_IMAGES:
            break
    return files


def _read(path: Path, root: Path) -> bytes | Refusal:
    try:
        if not path.resolve(strict=True).is_relative_to(root.resolve()):
            return Refusal("a link that leads out of the data folder")
        # Not blocking: opening a pipe that nobody writes to would wait for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return Refusal("not a file")
            return file.read(MAX_BYTES + 1)
    except (OSError, RuntimeError) as error:
        return Refusal(f"cannot be read: {getattr(error, 'strerror', None) or error}")

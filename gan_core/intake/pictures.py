"""From a folder or a zip of pictures to one uint8 tensor, and a list of what could not be used and why."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from gan_core.intake import archive
from gan_core.intake.decode import BACKGROUNDS, MAX_BYTES, Background, Picture, Refusal, Shape, look
from gan_core.intake.errors import DataError
from gan_core.intake.formats import ARCHIVES, SUFFIXES, is_picture, may_be_picture
from gan_core.intake.kinds import KINDS, kinds_level, kinds_of
from gan_core.intake.layout import MAX_DEPTH, Level, Parts, is_litter, layout_of, litter_name
from gan_core.intake.matching import PAIRS, pairs_of
from gan_core.intake.names import names_on_disk, parts_of, shown

MIN_IMAGES = 16
MAX_IMAGES = 60_000
MAX_TENSOR = 2 * 2**30
MAX_FOLDERS = 1000  # of a folder that are looked into for the list of folders
LABELS = "dataset.json"
HEAD = 256  # bytes by which a file without a known name is told
SAID_EVERY = 2000
MOSTLY = 0.5  # of the pictures

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Problem:
    """A file that was left out. ``file`` is its name as given: text to show, never a path to open."""

    file: str
    reason: str


@dataclass(frozen=True)
class Images:
    """Decoded pictures ``x`` uint8 (N, C, H, W) ordered by content, so that the same files give the same set.

    ``y`` (N,) and ``class_names`` come from the folders that the files lay in; None and () where there is only one.
    ``notes`` are sentences about the set as a whole. Of pairs ``x`` are the targets and ``inputs`` (N, C, H, W) what belongs to
    each of them. Of normal pictures and others ``heldout`` are the places of what is asked about, ``masks`` (N, H, W) bool
    what of them is damaged.
    """

    x: np.ndarray
    y: np.ndarray | None
    class_names: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    inputs: np.ndarray | None = None
    heldout: np.ndarray | None = None
    masks: np.ndarray | None = None

    @property
    def summary(self) -> str:
        found = len(self.x) + len(self.problems)
        return f"{len(self.x):,} of {found:,} usable"


@dataclass(frozen=True)
class Brought:
    """All pictures that were found, before it is decided what is a class.

    ``levels`` are the ways to tell, the first of them the one that is taken where nobody chooses; ``names`` has the file
    of each picture, ``background`` what lies under the ``transparent`` ones.
    """

    x: np.ndarray
    names: tuple[str, ...]
    levels: tuple[Level, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    transparent: int = 0
    background: Background = "white"

    def level(self, key: str | None) -> Level:
        """The level of this key, the first one for None. Raises DataError."""
        for level in self.levels:
            if key is None or level.key == key:
                return level
        known = ", ".join(level.key for level in self.levels)
        raise DataError(f"This set has no classes called {shown(str(key), 40)!r}; it has {known}.")

    def chosen(self, key: str | None = None) -> Images:
        """The set with the classes of one level; what has no class there is left out. Raises DataError if too few remain."""
        level = self.level(key)
        if level.key == PAIRS:
            return self._matched()
        if level.key == KINDS:
            return self._of_kinds()
        kept = np.flatnonzero(level.y >= 0)
        if len(kept) < MIN_IMAGES:
            raise DataError(f"{len(kept):,} pictures have a class there, and a data set needs {MIN_IMAGES} at least.")
        notes, problems = self.notes, self.problems
        outside = np.flatnonzero((level.y < 0) & (self.level("none").y >= 0))  # masks are left out everywhere
        if len(outside):
            some = "picture is" if len(outside) == 1 else "pictures are"
            told = f"{len(outside):,} {some} in no class folder and left out ({shown(self.names[outside[0]], 60)})."
            notes = (*notes, told.replace(").", ", …).") if len(outside) > 1 else told)
            beside = [Problem(self.names[index], "in no class folder") for index in outside]
            problems = tuple(sorted((*problems, *beside), key=lambda problem: problem.file))
        whole = len(kept) == len(self.x)
        y = level.y[kept] if level.class_names else None
        x = self.x if whole else self.x[kept]
        if not self.side_by_side:
            return Images(x, y, level.class_names, problems, notes)
        size = x.shape[2]
        given, targets = np.ascontiguousarray(x[..., :size]), np.ascontiguousarray(x[..., size:])
        return Images(targets, y, level.class_names, problems, notes, given)

    @property
    def side_by_side(self) -> bool:
        """Whether each picture is a pair, the input to the left of its target."""
        return bool(self.x.shape[3] == 2 * self.x.shape[2])

    def _matched(self) -> Images:
        """The set as pairs of equal names in two folders, the first folder by name the inputs."""
        given, targets = pairs_of(self.names)
        taken = set(given) | set(targets)
        alone = [Problem(name, "no other of its name") for at, name in enumerate(self.names) if at not in taken]
        problems = tuple(sorted((*self.problems, *alone), key=lambda problem: problem.file))
        return Images(self.x[targets], None, (), problems, self.notes, self.x[given])

    def _of_kinds(self) -> Images:
        """The set as normal pictures to learn from and others to be asked about."""
        found = kinds_of(self.names)
        assert found is not None
        order, y, heldout, masks, told = found.divided(self.x)
        notes = (*self.notes, *told)
        return Images(self.x[order], y, found.names, self.problems, notes, heldout=heldout, masks=masks)


class _Source(Protocol):
    """Where files come from: their names, the bytes of each, its first bytes."""

    where: str

    @property
    def names(self) -> Sequence[str]: ...

    def read(self, index: int, most: int = MAX_BYTES + 1) -> bytes: ...


class _Zip:
    where = "this zip file"

    def __init__(self, file: IO[bytes]) -> None:
        self._entries = archive.entries(file)
        self.names = [entry.filename for entry in self._entries]
        self._archive = zipfile.ZipFile(file)

    def read(self, index: int, most: int = MAX_BYTES + 1) -> bytes:
        return archive.read(self._archive, self._entries[index], most)


class _Folder:
    where = "this folder"

    def __init__(self, root: Path, place: Path) -> None:
        self._root, self._files = root, _walk(place)
        self.names = names_on_disk([path.relative_to(place).as_posix() for path in self._files])

    def read(self, index: int, most: int = MAX_BYTES + 1) -> bytes:
        return _read(self._files[index], self._root, most)


def from_zip(file: IO[bytes], shape: Shape, *, level: str | None = None, progress: Progress | None = None) -> Images:
    """The pictures in a zip file. Raises DataError for a file that is no zip or is built to do harm, and as ``read_zip``."""
    return read_zip(file, shape, progress=progress).chosen(level)


def from_folder(
    root: Path, folder: str, shape: Shape, *, level: str | None = None, progress: Progress | None = None
) -> Images:
    """The pictures in ``folder``, a path below ``root``. Raises DataError if it is not there, and as ``read_folder``."""
    return read_folder(root, folder, shape, progress=progress).chosen(level)


def read_zip(file: IO[bytes], shape: Shape, *, progress: Progress | None = None) -> Brought:
    """All pictures of a zip file. Raises DataError for too many or too few, or such as there is nothing to learn from."""
    return _brought(_Zip(file), shape, progress)


def read_folder(root: Path, folder: str, shape: Shape, *, progress: Progress | None = None) -> Brought:
    """The same of a folder below ``root``."""
    return _brought(_Folder(root, folder_below(root, folder)), shape, progress)


def folder_below(root: Path, folder: str) -> Path:
    """``root / folder``, if that is really a folder under ``root``: no ``..``, no absolute path, no link that leads out."""
    refusal = DataError(f"There is no folder {folder[:80]!r} in the data folder.")
    if len(folder) > 1000:
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
        below[:] = sorted(name for name in below if not is_litter((name,)))[:MAX_FOLDERS]
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


def _brought(source: _Source, shape: Shape, progress: Progress | None) -> Brought:
    wanted, notes = _sorted_out(source, progress)
    if len(wanted) > MAX_IMAGES:
        raise DataError(f"{len(wanted):,} pictures are more than the {MAX_IMAGES:,} that one data set may have.")
    if len(wanted) * shape.channels * shape.size**2 > MAX_TENSOR:
        raise DataError(
            f"{len(wanted):,} pictures of {shape.size}×{shape.size} do not fit into {MAX_TENSOR // 2**30} GB; "
            "choose a smaller size."
        )
    reel = _Reel(source, wanted, shape, progress)
    kept, problems = reel.kept, reel.problems
    if len(kept) < MIN_IMAGES:
        few = f"; the first reason: {problems[0].reason}" if problems else ""
        raise DataError(
            f"{len(kept):,} of {len(kept) + len(problems):,} files are usable pictures, and a data set needs "
            f"{MIN_IMAGES} at least{few}."
        )
    notes += reel.settle()
    # By content, then by name for files that are copies: never by the order in which a disk or an archive lists them.
    kept.sort(key=lambda item: (item.hash, item.name))
    x = np.stack([item.picture.x for item in kept])
    notes += _told_of(x, reel)
    parts = [parts_of(item.name) for item in kept]
    labels = _labels(source, notes)
    layout = layout_of(parts, labels, least=MIN_IMAGES)
    names = tuple(item.name for item in kept)
    levels = (
        layout.levels
        if shape.fit == "pairs"
        else (*kinds_level(names, MIN_IMAGES), *layout.levels, *_pairs_level(names))
    )
    return Brought(
        x,
        names,
        levels,
        tuple(sorted(problems, key=lambda problem: problem.file)),
        (*notes, *layout.notes),
        reel.transparent,
        reel.background,
    )


def _pairs_level(names: Sequence[str]) -> tuple[Level, ...]:
    """The level of pairs of equal names in two folders, where there are enough of them."""
    given, targets = pairs_of(names)
    if len(given) < MIN_IMAGES:
        return ()
    y = np.full(len(names), -1)
    y[[*given, *targets]] = 0
    return (Level(PAIRS, (), y),)


@dataclass
class _Kept:
    index: int
    hash: str
    name: str
    picture: Picture


class _Reel:
    """The pictures that could be decoded, and what the set decides for each of them: white, and the background."""

    def __init__(self, source: _Source, wanted: Sequence[int], shape: Shape, progress: Progress | None) -> None:
        self._source, self._shape, self._progress = source, shape, progress
        self.background: Background = shape.background or "white"
        self.kept: list[_Kept] = []
        self.problems: list[Problem] = []
        for number, index in enumerate(wanted, start=1):
            self._say(number, len(wanted), "reading picture")
            name = source.names[index]
            try:
                content = source.read(index)
                if name.lower().endswith(ARCHIVES):
                    raise Refusal("an archive inside; it is not opened")
                self.kept.append(_Kept(index, hashlib.sha256(content).hexdigest(), name, look(content, shape)))
            except Refusal as refusal:
                self.problems.append(Problem(shown(name), str(refusal)))

    @property
    def transparent(self) -> int:
        return sum(item.picture.transparent for item in self.kept)

    def settle(self) -> list[str]:
        """Decode again what the set as a whole shows in another light; sentences about it."""
        return [*self._scale(), *self._lay()]

    def _scale(self) -> list[str]:
        """Values of more than 8 bits by the largest of the set, where none of its pictures needs all of 16."""
        more = [item for item in self.kept if item.picture.top is not None]
        if not more or any(item.picture.deep for item in more):
            return []
        white = max(item.picture.top or 0.0 for item in more)
        self._again(more, self._shape, white)
        many = "All pictures have" if len(more) == len(self.kept) else f"{len(more):,} of the pictures have"
        return [f"{many} more than 8 bits: the largest value of the set, {white:,.6g}, became white."]

    def _lay(self) -> list[str]:
        """Another background than white, where nobody chose one and next to nothing would be seen on it."""
        through = [item for item in self.kept if item.picture.transparent]
        if self._shape.background is not None:
            return []
        for colour in (*BACKGROUNDS, BACKGROUNDS[0]):
            if colour != self.background:
                self.background = colour
                self._again(through, replace(self._shape, background=colour), None)
            if sum(item.picture.flat for item in through) <= MOSTLY * len(through):
                break
        if self.background == "white":
            return []
        return [
            f"Transparent pictures lie on {self.background}: on white next to nothing of most of them would be seen."
        ]

    def _again(self, items: Sequence[_Kept], shape: Shape, white: float | None) -> None:
        for number, item in enumerate(items, start=1):
            self._say(number, len(items), "reading again picture")
            item.picture = look(self._source.read(item.index), shape, white)

    def _say(self, number: int, total: int, what: str) -> None:
        if self._progress is not None:
            self._progress(number / max(1, total), f"{what} {number:,} of {total:,}")


def _sorted_out(source: _Source, progress: Progress | None) -> tuple[list[int], list[str]]:
    """The files that are pictures, or may be; sentences about what is passed over. Raises DataError where there are none."""
    wanted, litter, others = [], Counter[str](), Counter[str]()
    if not source.names:
        raise DataError(f"There is nothing in {source.where}: it holds no files.")
    for index, name in enumerate(source.names):
        if progress is not None and index % SAID_EVERY == SAID_EVERY - 1:
            progress(0.0, f"looking at name {index + 1:,} of {len(source.names):,}")
        parts = parts_of(name)
        if not parts or is_litter(parts):
            litter[litter_name(parts) if parts else name] += 1
        elif is_picture(name) or may_be_picture(name, _head(source, index)):
            wanted.append(index)
        elif parts[-1] != LABELS:  # of which `_labels` says what is to be said
            others[_suffix(parts[-1])] += 1
    passed = []
    if litter:
        passed.append(f"{litter.total():,} {_files(litter)} of systems and tools ({_listed(litter)})")
    if others:
        passed.append(
            f"{others.total():,} {_files(others)} that {_are(others)} no picture{_s(others)} ({_listed(others)})"
        )
    if not wanted:
        holds = " and ".join(passed) or f"1 file ({LABELS})"
        raise DataError(f"There are no pictures in {source.where}; it holds {holds}.")
    return wanted, [f"Passed over: {' and '.join(passed)}."] if passed else []


def _files(counts: Counter[str]) -> str:
    return "file" if counts.total() == 1 else "files"


def _are(counts: Counter[str]) -> str:
    return "is" if counts.total() == 1 else "are"


def _s(counts: Counter[str]) -> str:
    return "" if counts.total() == 1 else "s"


def _listed(counts: Counter[str], most: int = 4) -> str:
    names = [shown(name, 30) for name, _ in counts.most_common(most)]
    return ", ".join([*names, *(["…"] if len(counts) > most else [])])


def _suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f".{suffix.lower()}" if dot and stem and len(suffix) <= 10 else name


def _head(source: _Source, index: int) -> bytes:
    try:
        return source.read(index, HEAD)
    except Refusal:
        return b""


def _labels(source: _Source, notes: list[str]) -> dict[Parts, str] | None:
    """The labels that a dataset.json tells of the files beside it, as StyleGAN's tools write them."""
    for index, name in enumerate(source.names):
        *folder, last = parts_of(name) or ("",)
        if last != LABELS or is_litter((*folder, last)):
            continue
        try:
            told = json.loads(source.read(index))["labels"]
            pairs = list(told.items() if isinstance(told, Mapping) else told or ())
            labels = {(*folder, *parts_of(file)): _label(label) for file, label in pairs}
        except (ValueError, KeyError, TypeError, RecursionError, AttributeError):  # a Refusal is a ValueError
            notes.append(f"{shown(name)} holds no labels of a kind that is known, and is passed over.")
            continue
        if labels:
            return labels
    return None


def _label(value: object) -> str:
    """A class as a dataset.json has it: a number, a text, or a 1 among zeros."""
    if isinstance(value, list) and value.count(0) == len(value) - 1:
        return str(value.index(1))  # or ValueError, as below
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("no class")
    return str(value)


def _told_of(x: np.ndarray, reel: _Reel) -> list[str]:
    """What is to be said of pictures in which there is little to see. Raises DataError where there is nothing to learn."""
    n = len(x)
    if all(np.array_equal(x[0], other) for other in x[1:]):
        through = f" on {reel.background}; choose another background" if reel.transparent == n else ""
        raise DataError(f"All {n:,} pictures are the same{through}: there is nothing to learn from them.")
    flat = sum(item.picture.flat for item in reel.kept)
    low, high = int(x.min()), int(x.max())
    if high - low < 64:
        return [f"There is little to see: all pixels of all pictures lie between {low} and {high} of 255."]
    if flat > MOSTLY * n:
        return [f"There is little to see: {flat:,} of {n:,} pictures are nearly all of one tone."]
    return []


def _walk(place: Path) -> list[Path]:
    files: list[Path] = []
    for path, below, names in os.walk(place):
        deep = len(Path(path).relative_to(place).parts) >= MAX_DEPTH
        below[:] = [] if deep else sorted(below)
        files += (Path(path) / name for name in names)
        if len(files) > archive.MAX_ENTRIES:
            raise DataError(f"The folder has more than {archive.MAX_ENTRIES:,} files; split it.")
    return files


def _read(path: Path, root: Path, most: int) -> bytes:
    try:
        if not path.resolve(strict=True).is_relative_to(root.resolve()):
            raise Refusal("a link that leads out of the data folder")
        # Not blocking: opening a pipe that nobody writes to would wait for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Refusal("not a file")
            return file.read(most)
    except (OSError, RuntimeError) as error:
        raise Refusal(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None

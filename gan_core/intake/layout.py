"""What the folders of a set of pictures mean: which of them are classes, and which belong to a tool, a system or a split.

All of it is decided from names alone, for the whole set: the outermost folder level that varies is the class, after those
levels that say something else are passed over (``train`` and ``test``, ``images`` beside ``masks``, running numbers, dates).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gan_core.intake.names import class_name, in_order

Parts = tuple[str, ...]

MAX_CLASSES = 1000
MAX_DEPTH = 12  # folders of a path that are looked at
STRAY_SHARE = 0.1  # of the pictures may lie beside the class folders
UNLABELLED_SHARE = 0.5  # may lie in a split that has no class folders

_LITTER_FILES = re.compile(
    r"\._.*|thumbs\.db.*|ehthumbs.*\.db|desktop\.ini|icon\r|picasa\.ini|synophoto_.*|synoindex_.*|~\$.*|.*:zone\.identifier|"
    r".*\.(part|crdownload|tmp|lnk|url)",
    re.IGNORECASE,
)
_LITTER_FOLDERS = frozenset(
    (
        *(
            "__macosx",
            "@eadir",
            "@recycle",
            "@recently-snapshot",
            "#recycle",
            "#snapshot",
            "@tmp",
            "$recycle.bin",
            "recycler",
        ),
        *("system volume information", "lost+found", "lost.dir", "__pycache__", "found.000", "~snapshot"),
    )
)
_HIDDEN = re.compile(r"\.(?!\d+$)")  # ".5" is a number that somebody typed
_SPLIT = re.compile(
    r"(train|training|trainval|val|valid|validation|test|testing|dev|eval|evaluation|holdout|unlabell?ed)"
    r"([ _-]?(set|data|images?|imgs?|pictures|full|\d{4}))?",
    re.IGNORECASE,
)
_SIDE = re.compile(r"(?:train|test|val)[ _-]?([A-Z])")  # trainA, trainB, testA, testB of unpaired translation
_HOLDER = re.compile(
    r"(all[ _-]?)?(images?|imgs?|pics?|pictures?|photos?|jpe?g|jpegimages|png|rgb|raw|data|dataset|files|samples?)"
    r"([ _-]?(set|data|tr|ts|train|val|test|\d+x\d+))?",
    re.IGNORECASE,
)
_MASKS = re.compile(
    r"(.*[ _-])?(masks?|labels?(tr|ts)?|annotations?|annots?|ground[ _-]?truths?|gts?|seg(mentation)?s?(class|object)?|"
    r"segmentation(class|object)(aug|raw)?|trimaps?|depths?|depth[ _-]?maps?|mattes?|alphas?)"
    r"([ _-]?(images?|png|raw|color|train|val|test))?",
    re.IGNORECASE,
)
_MASK_END = re.compile(r"[ _.-](mask|masks|gt|seg|segmentation|label|labels|annotation|matte)(_?\d+)?$", re.IGNORECASE)
_CAMERA = re.compile(r"\d{3}[A-Z0-9_]{5}|\d{6}_[_a-z]|DCIM|Camera( Roll)?", re.ASCII)
_SERIES = re.compile(r"(part|batch|chunk|shard|bucket|disc|volume|vol|page)[ _-]?\d+", re.IGNORECASE)
_DATE = re.compile(
    r"(photos (from|of) |fotos (von|aus) |photos de )?(19|20)\d\d([-_. ]?(0[1-9]|1[0-2])([-_. ]?([0-2]\d|3[01]))?)?([ _-].*)?",
    re.IGNORECASE,
)
_MONTH = re.compile(r"(0?[1-9]|1[0-2])([ _.-].*)?")
_DAY = re.compile(r"(0?[1-9]|[12]\d|3[01])([ _.-].*)?")
_YEAR = re.compile(r"(19|20)\d\d")
_HEX = re.compile(r"[0-9a-f]{1,3}")
# Nobody counts further, and Python refuses to read some thousand digits.
_LAST_NUMBER = re.compile(r"(?<!\d)(\d{1,18})\D*$")


@dataclass(frozen=True)
class Level:
    """One way to tell classes: ``y`` (N,) int64 is the class of each picture, −1 of those that it leaves out.

    ``key`` is its name in a call: ``labels`` (of a dataset.json), ``folder:1`` (the outermost level that means something),
    ``path:1`` (the outermost folders as they are), ``none``.
    """

    key: str
    class_names: tuple[str, ...]
    y: np.ndarray

    @property
    def counts(self) -> tuple[int, ...]:
        """Pictures per class, in the order of the classes; of all where there are no classes."""
        kept = self.y[self.y >= 0]
        return tuple(np.bincount(kept, minlength=max(1, len(self.class_names))).tolist())

    @property
    def total(self) -> int:
        """The pictures that have a class, or are in a set without any."""
        return int((self.y >= 0).sum())


@dataclass(frozen=True)
class Layout:
    """The ways to tell the classes of a set, the one that is taken first; ``notes`` are sentences about the rest."""

    levels: tuple[Level, ...]
    notes: tuple[str, ...]


def is_litter(parts: Sequence[str]) -> bool:
    """What systems and tools leave beside pictures and nobody means: ``.DS_Store``, ``@eaDir``, ``.ipynb_checkpoints``."""
    return any(_HIDDEN.match(part) or part.lower() in _LITTER_FOLDERS for part in parts) or (
        bool(parts) and _LITTER_FILES.fullmatch(parts[-1]) is not None
    )


def litter_name(parts: Sequence[str]) -> str:
    """The part of a name by which it is litter."""
    return next((part for part in parts if _HIDDEN.match(part) or part.lower() in _LITTER_FOLDERS), parts[-1])


def layout_of(files: Sequence[Parts], labels: Mapping[Parts, str] | None = None, *, least: int = 1) -> Layout:
    """What the folders of pictures mean; ``labels`` are those that a file of the set itself tells.

    Masks of other pictures are left out, unless fewer than ``least`` pictures would remain.
    """
    files = [parts if len(parts) <= MAX_DEPTH else (*parts[:MAX_DEPTH], parts[-1]) for parts in files]
    labels = (
        None
        if labels is None
        else {(*parts[:-1][:MAX_DEPTH], parts[-1]): label for parts, label in labels.items() if parts}
    )
    masks, notes, few = _masks(files), [], False
    if masks:
        where = next((files[index][-2] for index in sorted(masks) if len(files[index]) > 1), "")
        told = (
            f"{len(masks):,} pictures{f' in “{class_name(where)}”' if where else ''} are masks of the ones beside them"
        )
        few = len(files) - len(masks) < least
        notes.append(f"{told}; without them there would be too few, so they stay." if few else f"{told}, and left out.")
    pictures = [index for index in range(len(files)) if index not in masks]
    tree = _Tree([files[index] for index in pictures])
    levels: list[Level] = []
    notes += tree.notes()

    def add(key: str, values: Iterable[tuple[int, str | None]]) -> Level | None:
        level = _level(key, len(files), values)
        if level is None or any(_same(level, other) for other in levels):
            return None
        levels.append(level)
        return level

    first = None
    if labels is not None:
        first = add("labels", ((index, labels.get(files[index])) for index in range(len(files))))
        if first is not None and first.total < (1 - UNLABELLED_SHARE) * len(files):
            first = None
    for depth in range(max(map(len, tree.meant), default=0)):
        column = [parts[depth] if len(parts) > depth else None for parts in tree.meant]
        level = add(f"folder:{depth + 1}", zip(pictures, column, strict=True))
        if first is None and level is not None and _is_class(column, tree) and level.total >= least:
            first = level
    for depth in range(max((len(parts) - 1 for parts in files), default=0)):
        add(
            f"path:{depth + 1}",
            ((i, parts[depth] if len(parts) - 1 > depth else None) for i, parts in enumerate(files)),
        )
    nothing = np.zeros(len(files), np.int64)
    nothing[[] if few else sorted(masks)] = -1
    none = Level("none", (), nothing)
    ordered = [
        *([first] if first else [none]),
        *(level for level in levels if level is not first),
        *([none] if first else []),
    ]
    return Layout(tuple(ordered), tuple(notes))


def _level(key: str, size: int, values: Iterable[tuple[int, str | None]]) -> Level | None:
    """A level by what each picture is called in it; None where there is nothing to tell, or too much."""
    told = {index: value for index, value in values if value is not None}
    known = set(told.values())
    if not 2 <= len(known) <= MAX_CLASSES:
        return None
    names: dict[str, str] = {}  # of each value, all of them different
    for value in in_order(known):
        name, again = class_name(value) or "unnamed", 2
        unique = name
        while unique in names.values():
            unique, again = f"{name} {again}", again + 1
        names[value] = unique
    ordered = in_order(names.values())
    place = {name: number for number, name in enumerate(ordered)}
    y = np.full(size, -1, np.int64)
    for index, value in told.items():
        y[index] = place[names[value]]
    return Level(key, tuple(ordered), y)


def _same(level: Level, other: Level) -> bool:
    return level.class_names == other.class_names and np.array_equal(level.y, other.y)


def _is_class(column: Sequence[str | None], tree: _Tree) -> bool:
    """Whether a level is taken for classes unless somebody says otherwise."""
    values = Counter(value for value in column if value is not None)
    apart = sum(value is None and split for value, split in zip(column, tree.in_split, strict=True))
    stray = sum(value is None for value in column) - apart
    few = stray <= max(1, STRAY_SHARE * len(column)) and apart <= UNLABELLED_SHARE * len(column)
    return few and not tree.are_dates(values)


class _Tree:
    """The folders of the pictures: ``meant`` are the parts of each picture's path that may tell a class.

    ``in_split`` says which of them lie in a split (``train``, ``val``), where one without classes is nothing strange.
    """

    def __init__(self, files: Sequence[Parts]) -> None:
        self._below: dict[Parts, set[str]] = defaultdict(set)
        self._inside: dict[Parts, list[str]] = defaultdict(list)
        for parts in files:
            for depth, part in enumerate(parts[:-1]):
                self._below[parts[:depth]].add(part)
            for depth in range(1, len(parts)):
                self._inside[parts[:depth]].append(parts[-1])
        self._stems = {folder: list(map(_stem, names)) for folder, names in self._inside.items()}
        self._meaning: dict[Parts, dict[str, str | None]] = {}
        self._splits: set[Parts] = set()
        self._outside: set[Parts] = set()
        self._series: list[str] = []
        for folder, names in self._below.items():
            self._meaning[folder] = self._meaning_of(folder, names)
        self.meant = [self._meant(parts) for parts in files]
        self.in_split = [any(parts[:depth] in self._splits for depth in range(1, len(parts))) for parts in files]

    def notes(self) -> list[str]:
        if not self._series:
            return []
        some = ", ".join(class_name(name) for name in in_order(set(self._series))[:3])
        return [
            f"Folders that only count or name a camera are no classes ({some}{', …' if len(self._series) > 3 else ''})."
        ]

    def are_dates(self, names: Mapping[str, int]) -> bool:
        """Whether all names are dates of photographs: with a month, of a year that holds months, or such a month or day."""
        if not all(map(_DATE.fullmatch, names)):
            homes = [folder for folder, inside in self._below.items() if not inside.isdisjoint(names)]
            in_years = bool(homes) and all(any(map(_YEAR.fullmatch, folder[-2:])) for folder in homes)
            return in_years and all(map(_DAY.fullmatch, names))
        if not all(re.fullmatch(r"\d{4}", name) for name in names):
            return True
        months = [below for folder, inside in self._below.items() if folder and folder[-1] in names for below in inside]
        return bool(months) and all(_MONTH.fullmatch(name) or _DATE.fullmatch(name) for name in months)

    def _meant(self, parts: Parts) -> Parts:
        kept: list[str] = []
        for depth, part in enumerate(parts[:-1]):
            if parts[: depth + 1] in self._outside:
                break
            meaning = self._meaning[parts[:depth]].get(part, part)
            if meaning is not None and not (depth and part == parts[depth - 1]):
                kept.append(meaning)
        return tuple(kept)

    def _meaning_of(self, folder: Parts, names: set[str]) -> dict[str, str | None]:
        """What each folder below one says of a class, None for nothing."""
        splits = {name for name in names if _SPLIT.fullmatch(name)}
        if splits == names or self._alike(folder, splits):
            self._splits |= {(*folder, name) for name in splits}
            self._outside |= {(*folder, name) for name in names - splits}
            return dict.fromkeys(splits)
        sides = {name: found[1] for name in names if (found := _SIDE.fullmatch(name))}
        if len(sides) == len(names) and len(set(sides.values())) > 1:
            return dict(sides)
        if all(map(_HOLDER.fullmatch, names)) and len(names) == 1:
            return dict.fromkeys(names)
        if self._counts(folder, names):
            self._series += sorted(names)
            return dict.fromkeys(names)
        return {}

    def _alike(self, folder: Parts, splits: set[str]) -> bool:
        """Whether splits have the same folders inside, as those of a training and a test set have."""
        inside = [self._below.get((*folder, name), set()) for name in sorted(splits)]
        return any(len(a & b) * 2 > max(len(a), len(b)) for a, b in pairwise(inside))

    def _counts(self, folder: Parts, names: set[str]) -> bool:
        """Whether folders are a series: running numbers like those of the files inside, parts, folders of a camera."""
        if all(map(_CAMERA.fullmatch, names)) or all(map(_SERIES.fullmatch, names)):
            return True
        stems = {name: self._stems[(*folder, name)] for name in names}
        above = "".join(part for part in folder if _HEX.fullmatch(part))
        if all(map(_HEX.fullmatch, names)) and all(
            re.fullmatch(r"[0-9a-f-]{16,}", stem) and stem.startswith((name, above + name))
            for name, inside in stems.items()
            for stem in inside
        ):
            return True
        return self._numbered(stems)

    def _numbered(self, stems: Mapping[str, Sequence[str]]) -> bool:
        """Whether each folder's number, or range, is the one that the numbers of its files say."""
        spans = []
        for name, inside in stems.items():
            number = re.fullmatch(r"(\d{3,18})", name) or re.fullmatch(r"(\d{1,18})[-_](\d{1,18})", name)
            numbers = [int(found[1]) for stem in inside if (found := _LAST_NUMBER.search(stem))]
            if number is None or len(numbers) != len(inside):
                return False
            last = int(number[2]) if number.re.groups > 1 else None
            spans.append(_Span(int(number[1]), last, min(numbers), max(numbers)))
        spans.sort(key=lambda span: span.start)
        if any(first.most >= second.least for first, second in pairwise(spans)):
            return False  # the files of each folder begin anew, as those of classes do
        if all(span.end is not None for span in spans):
            return all(span.start <= span.least and span.most <= (span.end or 0) for span in spans)
        ends = [*(span.start for span in spans[1:]), spans[-1].most + 1]
        if all(span.start <= span.least and span.most < end for span, end in zip(spans, ends, strict=True)):
            return len(spans) > 1 or spans[0].start == 0
        # How many numbers a folder holds: a power of ten, or what the first number of another folder says.
        sizes = {*(10**power for power in range(1, 7)), *(span.least // span.start for span in spans if span.start)}
        return any(
            all(span.least // size == span.start == span.most // size for span in spans) for size in sizes if size
        )


@dataclass(frozen=True)
class _Span:
    """The number of a folder (or its range), and the least and the most of the numbers of its files."""

    start: int
    end: int | None
    least: int
    most: int


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _masks(files: Sequence[Parts]) -> set[int]:
    """The pictures that are masks of others: of the same name in a folder beside them, or called ``…_mask`` in the same."""
    places: dict[Parts, set[str]] = defaultdict(set)
    for parts in files:
        places[parts[:-1]].add(_stem(parts[-1]).lower())
    by_name: dict[str, set[Parts]] = defaultdict(set)
    for folder, stems in places.items():
        for stem in stems:
            by_name[stem].add(folder)
    folders = {folder for folder in places if any(map(_MASKS.fullmatch, folder))}
    of_masks = {folder for folder in folders if _beside(folder, places, by_name)}
    found = set()
    for index, parts in enumerate(files):
        stem = _stem(parts[-1]).lower()
        bare = _MASK_END.sub("", stem)
        if parts[:-1] in of_masks or (bare != stem and bare in places[parts[:-1]]):
            found.add(index)
    return found if len(found) < len(files) else set()


def _beside(folder: Parts, places: Mapping[Parts, set[str]], by_name: Mapping[str, set[Parts]]) -> bool:
    """Whether the files of a folder of masks have the names of pictures in one folder beside it, which holds pictures."""
    depths = [depth for depth, part in enumerate(folder) if _MASKS.fullmatch(part)]

    def of_pictures(home: Parts, depth: int) -> bool:
        return len(home) > depth and home[:depth] == folder[:depth] and _holds(home[depth])

    known = 0
    for stem in places[folder]:
        homes = (by_name.get(_MASK_END.sub("", stem), set()) | by_name[stem]) - {folder}
        known += any(of_pictures(home, depth) for home in homes for depth in depths)
    return 2 * known >= len(places[folder])


def _holds(part: str) -> bool:
    """Whether a folder is called after the pictures in it."""
    return (_HOLDER.fullmatch(part) or _SPLIT.fullmatch(part)) is not None

"""Pictures that were read and are not kept yet: what a person looks at before it is decided what is a class."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from gan_core.engine.showing.pictures import png
from gan_core.intake.apart import Cancel, Reading, read_apart
from gan_core.intake.decode import Background
from gan_core.intake.errors import DataError
from gan_core.intake.layout import Level
from gan_core.intake.matching import PAIRS, pairs_of
from gan_core.intake.pictures import Brought, Problem, Progress

MOST_SEEN = 4
STRIP = 7  # pictures of a class
SHEET, ACROSS = 48, 12  # pictures of a set without classes, and of them in a row
SIDE, SPACE = 64, 4  # pixels of a picture at most, and between two


@dataclass(frozen=True)
class Request:
    """What is to be read, a zip ``file`` or a folder, and how: so that it can be read again on another background."""

    what: str
    title: str
    origin: str
    details: dict[str, Any]
    file: IO[bytes] | None = None

    def read(self, progress: Progress, cancel: Cancel) -> Seen:
        """Read it in a process of its own. Raises DataError, Cancelled."""
        with read_apart(self.what, self.file, self.details, progress=progress, cancel=cancel) as reading:
            return Seen(self, _opened(reading))

    def close(self) -> None:
        if self.file is not None:
            self.file.close()

    def on(self, background: Background | None) -> Request:
        """The same on another background."""
        details = {**self.details, "shape": {**self.details["shape"], "background": background}}
        return Request(self.what, self.title, self.origin, details, self.file)


@dataclass(frozen=True)
class Seen:
    """What a request found; the pictures are in a file that goes with this object."""

    request: Request
    brought: Brought

    def strip(self, level: Level, number: int) -> bytes:
        """The first pictures of a class of a level beside each other, as PNG."""
        members = np.flatnonzero(level.y == number)
        return _sheet(self.brought.x, members[:STRIP], STRIP)

    def sheet(self, level: Level) -> bytes:
        """Pictures of the whole set, as PNG."""
        members = np.flatnonzero(level.y >= 0)
        if level.key == PAIRS:
            given, targets = pairs_of(self.brought.names)
            members = np.array([place for pair in zip(given, targets, strict=True) for place in pair][:SHEET])
            return _sheet(self.brought.x, members, ACROSS)
        return _sheet(self.brought.x, members[:: max(1, len(members) // SHEET)][:SHEET], ACROSS)


class Waiting:
    """What was seen and is not kept yet, by the key of who looks at it; of many, only the last ones."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Seen | None:
        return self._seen.get(key)

    def put(self, key: str, seen: Seen) -> None:
        with self._lock:
            gone = [self._seen.pop(key)] if key in self._seen else []
            self._seen[key] = seen
            while len(self._seen) > MOST_SEEN:
                gone.append(self._seen.popitem(last=False)[1])
        for other in gone:
            if other.request.file is not seen.request.file:
                other.request.close()

    def take(self, key: str) -> Seen:
        """Raises DataError where it is gone."""
        seen = self._seen.get(key)
        if seen is None:
            raise DataError("What was read is no longer here; read it again.")
        return seen

    def drop(self, key: str) -> None:
        with self._lock:
            seen = self._seen.pop(key, None)
        if seen is not None:
            seen.request.close()

    def clear(self) -> None:
        for key in list(self._seen):
            self.drop(key)


def _opened(reading: Reading) -> Brought:
    found = reading.found
    y = np.load(reading.folder / "y.npy", allow_pickle=False)
    levels = zip(found["levels"], y, strict=True)
    return Brought(
        x=_in_a_file(reading.folder / "x.npy"),
        names=tuple(json.loads((reading.folder / "names.json").read_bytes())),
        levels=tuple(Level(level["key"], tuple(level["class_names"]), row) for level, row in levels),
        problems=tuple(Problem(**problem) for problem in found["problems"]),
        notes=tuple(found["notes"]),
        transparent=found["transparent"],
        background=found["background"],
    )


def _in_a_file(path: Path) -> np.ndarray:
    """The array of a file, which is moved to where it is gone as soon as nobody looks at the array."""
    with tempfile.TemporaryDirectory(prefix="ganscope-") as folder:
        place = shutil.move(path, Path(folder) / "x.npy")
        return np.load(place, mmap_mode="c", allow_pickle=False)  # an open file stays where its name does not


def _sheet(x: np.ndarray, chosen: np.ndarray, columns: int) -> bytes:
    """The chosen pictures in rows, as PNG; between them the page is seen."""
    side = min(SIDE, x.shape[-2])
    width = side * x.shape[-1] // x.shape[-2]  # twice as wide of pairs side by side
    columns = min(max(1, columns * side // width), len(chosen))
    rows = -(-len(chosen) // columns)
    sheet = Image.new("RGBA", (columns * (width + SPACE) - SPACE, rows * (side + SPACE) - SPACE))
    for place, picture in enumerate(x[chosen]):
        whole = Image.fromarray(picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0).copy())
        small = whole.resize((width, side), Image.Resampling.BOX)
        sheet.paste(small, (place % columns * (width + SPACE), place // columns * (side + SPACE)))
    return png(np.asarray(sheet))

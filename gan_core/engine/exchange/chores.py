"""Work that someone waits for, in a thread of its own: downloads, reading pictures that were brought, scoring a code."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from gan_core.data import DataError, places, published, shelf
from gan_core.engine.exchange.brought import Request, Seen, Waiting
from gan_core.engine.exchange.scoring_apart import score_apart
from gan_core.intake import pictures, points
from gan_core.intake.apart import Cancel, read_apart
from gan_core.intake.decode import Background, Fit, Shape
from gan_core.intake.errors import Cancelled
from gan_core.intake.pictures import Progress

log = logging.getLogger(__name__)

Work = Callable[[Progress, Cancel], str]

MEGABYTE = 10**6
POLL_SECONDS = 0.3
MAX_BUSY = 4


@dataclass(frozen=True)
class TableColumn:
    """A column of a table: what it ``holds`` in a word, how many ``numbers``, its ``first`` cells as written."""

    name: str
    holds: str
    numbers: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class TableView:
    """A table before it is taken: ``suggested`` are its two columns of numbers, None where there are more, or fewer."""

    columns: tuple[TableColumn, ...]
    rows: int
    suggested: tuple[str, ...] | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


class Chore:
    """One piece of work.

    ``progress`` is (share, sentence); at the end ``result`` names a data set, or ``error`` says in a sentence why not.
    """

    def __init__(self, title: str, work: Work, closing: threading.Event) -> None:
        self.title = title
        self.progress = (0.0, "beginning")
        self.result: str | None = None
        self.error: str | None = None
        self._cancelled = threading.Event()
        self._closing = closing
        self._thread = threading.Thread(target=self._run, args=(work,), name=f"chore-{title}", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        return self._thread.is_alive()

    def cancel(self) -> None:
        self._cancelled.set()

    def wait(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    def _run(self, work: Work) -> None:
        try:
            self.result = work(self._report, lambda: self._cancelled.is_set() or self._closing.is_set())
        except DataError as error:
            self.error = str(error)
        except Exception as error:  # a chore must not take its page with it
            log.exception("%s", self.title)
            self.error = f"{type(error).__name__}: {error}"[:300]

    def _report(self, share: float, sentence: str) -> None:
        self.progress = (min(1.0, max(0.0, share)), sentence)


class Chores:
    """Chores by key, one at a time for each; data sets are kept beside the runs of the store at ``root``."""

    def __init__(self, root: Path) -> None:
        places.use_store(root)
        self._chores: dict[str, Chore] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._waiting = Waiting()

    def get(self, key: str) -> Chore | None:
        """The chore under this key that was begun last, whether it is done or not."""
        return self._chores.get(key)

    def forget(self, key: str) -> None:
        """Let go of a chore that is done, its result or error having been seen."""
        with self._lock:
            if key in self._chores and not self._chores[key].busy:
                del self._chores[key]

    def download(self, name: str) -> Chore:
        """Fetch a published data set; a second call while it is under way gives the same chore."""
        return self._begin(f"download:{name}", published.PUBLISHED[name].title, partial(_download, name))

    def keep_zip(
        self,
        key: str,
        file: IO[bytes],
        title: str,
        size: int,
        channels: int,
        fit: Fit,
        *,
        background: Background | None = None,
        level: str | None = None,
    ) -> Chore:
        """Read the pictures of a zip file and put them on the shelf as ``own:…``, the chore's result.

        ``level`` is what a class is (``folder:1``, ``labels``, ``none``, see ``Level``), None what the folders say.
        """
        return self._keep(key, _zip(file, title, Shape(size, channels, fit, background)), level)

    def keep_folder(
        self,
        key: str,
        folder: str,
        title: str,
        size: int,
        channels: int,
        fit: Fit,
        *,
        background: Background | None = None,
        level: str | None = None,
    ) -> Chore:
        """Read the pictures of a folder below the data folder and put them on the shelf."""
        return self._keep(key, _folder(folder, title, Shape(size, channels, fit, background)), level)

    def look_at_zip(self, key: str, file: IO[bytes], title: str, size: int, channels: int, fit: Fit) -> Chore:
        """Read the pictures of a zip file, to be ``seen`` under the key before they are kept; the result is the key."""
        return self._look(key, _zip(file, title, Shape(size, channels, fit)))

    def look_at_folder(self, key: str, folder: str, title: str, size: int, channels: int, fit: Fit) -> Chore:
        """The same for a folder below the data folder."""
        return self._look(key, _folder(folder, title, Shape(size, channels, fit)))

    def look_again(self, key: str, background: Background | None) -> Chore:
        """Read what was seen once more, on another background. Raises DataError where it is gone."""
        return self._look(key, self._waiting.take(key).request.on(background))

    def seen(self, key: str) -> Seen | None:
        """What was read under this key and is not kept yet."""
        return self._waiting.get(key)

    def keep_seen(self, key: str, title: str, level: str | None = None) -> Chore:
        """Put what was seen on the shelf, with the classes of a level. Raises DataError where it is gone."""
        seen = self._waiting.take(key)

        def work(progress: Progress, cancel: Cancel) -> str:
            progress(0.5, "keeping the pictures")
            name = shelf.keep(title or seen.request.title, seen.brought.chosen(level), seen.request.origin).name
            self._waiting.drop(key)
            return name

        return self._begin(key, title, work)

    def leave(self, key: str) -> None:
        """Let go of what was seen; nothing is kept."""
        self._waiting.drop(key)

    def disentangle(self, run_id: str, at: int | None = None) -> Chore:
        """Score the code of a run, see `disentangle`; the result is its JSON, the key ``disentangle:<run id>``."""
        return self._score("disentangle", run_id, at)

    def copying(self, run_id: str, at: int | None = None) -> Chore:
        """Look for copies among the samples of a run, see `copies`; the result is its JSON, the key ``copying:<run id>``."""
        return self._score("copying", run_id, at)

    def _score(self, what: str, run_id: str, at: int | None) -> Chore:
        def work(progress: Progress, cancel: Cancel) -> str:
            return json.dumps(score_apart(what, places.store_root(), run_id, at, progress, cancel))

        return self._begin(f"{what}:{run_id}", f"{what} of {run_id}", work)

    def look_at_table(self, content: bytes) -> TableView:
        """The columns of a table before it is taken. Raises DataError."""
        with read_apart("table", io.BytesIO(content), {"take": False}) as reading:
            found = reading.found
        columns = tuple(TableColumn(**{**column, "first": tuple(column["first"])}) for column in found["columns"])
        taken = tuple(found["suggested"]) if found["suggested"] else None
        return TableView(columns, found["rows"], taken, tuple(found["notes"]), tuple(found["warnings"]))

    def keep_table(self, content: bytes, title: str, columns: Sequence[str] | None = None) -> shelf.Own:
        """Put the points in two columns of a table on the shelf; ``columns`` says which, by name or from 1.

        Raises DataError, also where a table has more than two columns of numbers and nobody said which.
        """
        wanted = {"take": True, "columns": None if columns is None else list(columns)}
        with read_apart("table", io.BytesIO(content), wanted) as reading:
            told = reading.found
            found = points.Points(
                np.load(reading.folder / "x.npy", allow_pickle=False),
                tuple(pictures.Problem(**problem) for problem in told["problems"]),
                *(tuple(told[name]) for name in ("columns", "notes", "warnings")),
            )
        return shelf.keep(title, found, "a table")

    def keep_painting(self, cells: np.ndarray, title: str) -> shelf.Own:
        """Put the points of a painted density on the shelf. Raises DataError."""
        return shelf.keep(title, points.from_painting(cells), "a painting")

    def own(self, name: str) -> shelf.Own | None:
        """The card of somebody's own data set, None if it is not there."""
        try:
            return shelf.find(name)
        except DataError:
            return None

    def folders(self) -> list[str]:
        """The folders of images below the data folder, by the names that ``keep_folder`` takes."""
        return pictures.folders_with_images(places.data_root())

    @property
    def data_folder(self) -> Path:
        return places.data_root().resolve()

    def delete(self, name: str) -> None:
        """Delete a set of somebody's own, or the files of a published one. Raises DataError."""
        if name in published.PUBLISHED:
            published.remove(name)
        else:
            shelf.delete(name)

    def close(self) -> None:
        """Ask all chores to end. A download cannot be asked: its thread ends with the process, and its part is kept."""
        self._closing.set()
        self._waiting.clear()

    def _keep(self, key: str, request: Request, level: str | None) -> Chore:
        def work(progress: Progress, cancel: Cancel) -> str:
            with closing(request):
                found = request.read(progress, cancel).brought.chosen(level)
            return shelf.keep(request.title, found, request.origin).name

        return self._begin(key, request.title, work)

    def _look(self, key: str, request: Request) -> Chore:
        def work(progress: Progress, cancel: Cancel) -> str:
            try:
                seen = request.read(progress, cancel)
            except DataError:
                if request.file is not self._file_of(key):
                    request.close()
                raise
            self._waiting.put(key, seen)
            return key

        return self._begin(key, request.title, work)

    def _file_of(self, key: str) -> IO[bytes] | None:
        seen = self._waiting.get(key)
        return None if seen is None else seen.request.file

    def _begin(self, key: str, title: str, work: Work) -> Chore:
        with self._lock:
            chore = self._chores.get(key)
            if chore is None or not chore.busy:
                if sum(other.busy for other in self._chores.values()) >= MAX_BUSY:
                    raise DataError(f"{MAX_BUSY} pieces of such work are under way already; try again in a minute.")
                chore = self._chores[key] = Chore(title, work, self._closing)
            return chore


def _zip(file: IO[bytes], title: str, shape: Shape) -> Request:
    return Request("zip", title, "a zip file", {"shape": asdict(shape)}, file)


def _folder(folder: str, title: str, shape: Shape) -> Request:
    wanted = {"shape": asdict(shape), "root": str(places.data_root().resolve()), "folder": folder}
    return Request("folder", title, "a folder", wanted)


def _download(name: str, progress: Progress, cancel: Cancel) -> str:
    """torchvision shows its progress to a terminal only, so the size of what has come is read off the disk."""
    total = published.PUBLISHED[name].size
    failed: list[Exception] = []

    def fetch() -> None:
        try:
            published.download(name)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=fetch, name=f"download-{name}", daemon=True)
    thread.start()
    while thread.is_alive():
        came = published.downloaded_bytes(name)
        sentence = f"{came / MEGABYTE:,.1f} of {total / MEGABYTE:,.1f} MB"
        progress(came / total, sentence if came < total else "checking and unpacking")
        if cancel():
            raise Cancelled("The download was cancelled.")
        thread.join(POLL_SECONDS)
    if failed:
        raise failed[0]
    return name

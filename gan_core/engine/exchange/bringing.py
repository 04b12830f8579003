"""Data sets that are brought from Python or a terminal: points of a table, pictures of a folder or of a zip file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from gan_core.data import shelf
from gan_core.data.places import use_store
from gan_core.engine.exchange.brought import Request
from gan_core.engine.exchange.chores import Chores
from gan_core.intake.decode import Shape
from gan_core.store import default_root


def bring_table(
    file: Path | str, columns: Sequence[str] | None = None, *, name: str = "", store: Path | str | None = None
) -> shelf.Own:
    """Keep the points in two columns of a table as a data set; ``name`` of the result is what a config calls it.

    ``columns`` names the two, or counts them from 1; a table of two columns of numbers needs none. Raises DataError,
    which says what the columns are where nobody said which; OSError for a file that cannot be opened.
    """
    content = Path(file).read_bytes()
    return Chores(default_root() if store is None else Path(store)).keep_table(
        content, name or Path(file).stem, columns
    )


def bring_pictures(
    path: Path | str,
    *,
    size: int = 32,
    colour: bool = False,
    level: str | None = None,
    name: str = "",
    store: Path | str | None = None,
    progress: Callable[[float, str], None] = lambda share, sentence: None,
) -> shelf.Own:
    """Keep the pictures of a folder or a zip file as a data set; ``name`` of the result is what a config calls it.

    Each becomes ``size`` × ``size`` pixels. What a class is the folders say, or ``level``: ``folder:1``, ``labels``, ``none``,
    or ``kinds`` for normal pictures and others in ``normal/``, ``test/<kind>/`` and ``masks/<kind>/``. Raises DataError, a
    sentence; OSError for what is not there.
    """
    use_store(default_root() if store is None else Path(store))
    request = _request(Path(path), name or Path(path).resolve().stem, Shape(size, 3 if colour else 1))
    with closing(request):
        found = request.read(progress, lambda: False).brought.chosen(level)
    return shelf.keep(request.title, found, request.origin)


def _request(path: Path, title: str, shape: Shape) -> Request:
    wanted = {"shape": asdict(shape)}
    if path.is_dir():
        place = path.resolve()
        return Request("folder", title, "a folder", {**wanted, "root": str(place.parent), "folder": place.name})
    return Request("zip", title, "a zip file", wanted, path.open("rb"))

"""Commands that write a run or a comparison as a file, and take in packs and tables."""

from __future__ import annotations

import argparse
import io
import mimetypes
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any
from zipfile import is_zipfile

from gan_core import api
from gan_core.cli.terminal import StatusLine, tell, to_json
from gan_core.engine import DataError, film
from gan_core.engine.comparing.variants import look_up
from gan_core.engine.exchange.packs import write_pack
from gan_core.engine.exchange.tensorboard import event_files
from gan_core.engine.exchange.unpacking import read_pack
from gan_core.store import RunStore, StoreError, must_be_there


def export(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    with RunStore(options.store) as store:
        _, runs = look_up(store, options.what)
        text = options.to or f"{options.what}.zip"
        path = Path(text)
        if names_a_folder(text):
            return _export_folder(path, event_files(store, options.what), runs)
        write = EXPORTS.get(path.suffix.lower())
        if write is None:
            raise StoreError(f"{path.name} is none of the files that can be written: {', '.join(EXPORTS)}.")
        data = io.BytesIO()
        write(store, options.what, data, options)
    _write(path, data.getvalue())
    print(to_json({"file": str(path), "bytes": len(data.getvalue()), "runs": runs}))
    return 0


def names_a_folder(text: str) -> bool:
    """Whether a name is that of a folder: one that is there, one with a slash at its end, one without the ending of a file.

    ``tb-2026.11.28`` and ``run.v2`` end in nothing that a file is called by.
    """
    path = Path(text)
    if text.endswith(("/", os.sep)) or path.is_dir() or not path.suffix:
        return True
    return path.suffix.lower() not in EXPORTS and mimetypes.MimeTypes().guess_type(path.name)[0] is None


def _report_page(store: RunStore, what: str) -> bytes:
    from gan_core.ui.report import report  # Plotly takes a second

    return report(store, what).encode()


def _export_folder(folder: Path, files: dict[str, bytes], runs: list[str]) -> int:
    for name, data in files.items():
        try:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder} cannot be made: {error.strerror}.") from error
        _write(folder / name, data)
    print(to_json({"folder": str(folder), "files": list(files), "runs": runs}))
    return 0


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error


EXPORTS: dict[str, Callable[[RunStore, str, IO[bytes], argparse.Namespace], Any]] = {
    ".zip": lambda store, what, file, options: write_pack(store, what, file, with_checkpoints=options.checkpoints),
    ".gif": lambda store, what, file, options: file.write(film(store, what)),
    ".html": lambda store, what, file, options: file.write(_report_page(store, what)),
}
"""What ``export`` writes, by the ending of the file's name."""


def take_in(options: argparse.Namespace) -> int:
    """What ``import`` does."""
    try:
        file = options.file.open("rb")
    except OSError as error:
        raise DataError(f"{options.file} cannot be read: {error.strerror}.") from error
    with file, RunStore(options.store) as store:
        came = read_pack(store, file, copies=options.copies)
    print(to_json({"comparison": came.comparison, "runs": list(came.runs)}))
    return 0


def bring(options: argparse.Namespace) -> int:
    """Keep a table or pictures as a data set; prints its name and what was left out as JSON."""
    try:
        if options.file.is_dir() or is_zipfile(options.file):
            return _bring_pictures(options)
        kept = api.bring_table(options.file, options.columns, name=options.name, store=options.store)
    except OSError as error:
        raise DataError(f"{options.file} cannot be read: {error.strerror}.") from None
    for note in (*kept.warnings, *kept.notes):
        tell(f"note: {note}")
    left_out = [asdict(problem) for problem in kept.problems]
    print(to_json({"name": kept.name, "points": kept.count, "columns": list(kept.columns), "left_out": left_out}))
    return 0


def _bring_pictures(options: argparse.Namespace) -> int:
    line = StatusLine()
    kept = api.bring_pictures(
        options.file,
        size=options.size,
        colour=options.colour,
        level=options.level,
        name=options.name,
        store=options.store,
        progress=lambda share, sentence: line.show(f"{share:4.0%} {sentence}"),
    )
    line.end()
    for note in kept.notes:
        tell(f"note: {note}")
    left_out = [asdict(problem) for problem in kept.problems]
    told = {"name": kept.name, "pictures": kept.count, "classes": list(kept.class_names), "left_out": left_out}
    print(to_json(told))
    return 0

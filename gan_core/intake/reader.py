"""The process that reads what somebody brought, see ``apart``: the file on standard input, what it says on standard output.

A line of JSON each: ``{"progress": [share, sentence]}``, at last ``{"found": …}`` or ``{"refused": sentence}``.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image
from safetensors.numpy import load

from gan_core.intake import archive
from gan_core.intake.decode import MAX_PIXELS, Shape
from gan_core.intake.errors import DataError
from gan_core.intake.pictures import MAX_TENSOR, Brought, Progress, read_folder, read_zip
from gan_core.intake.points import from_csv, preview
from gan_core.intake.tables import read_table
from gan_core.intake.text import MAX_BYTES as MAX_TABLE

Task = Callable[[IO[bytes], Path, dict[str, Any], Progress], Any]

NICE = 10
FIRST_TO_GO = "1000"  # what Linux is to think of this process when memory runs out


def _pack(file: IO[bytes], folder: Path, details: dict[str, Any], progress: Progress) -> None:
    """Do with each file of a pack what may crash, hang or burst who reads it. What is merely wrong, the server says."""
    held = []  # in the end all is in memory at once, as in the server
    entries = archive.entries(file)
    with zipfile.ZipFile(file) as pack:
        for number, entry in enumerate(entries, start=1):
            try:
                held.append(_opened(entry.filename, archive.read(pack, entry)))
            except MemoryError:
                raise
            except Exception:  # libraries raise whatever a damaged file makes them
                continue
            finally:
                progress(number / len(entries), "looking into the pack")


def _opened(name: str, content: bytes) -> object:
    """What stays in memory of a file of a pack."""
    if name.endswith(".json"):
        return json.loads(content)
    if name.endswith(".safetensors"):
        load(content)
    elif name.endswith(".png"):
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            if picture.width * picture.height <= MAX_PIXELS:
                picture.load()
    return None


def _zip(file: IO[bytes], folder: Path, details: dict[str, Any], progress: Progress) -> dict[str, Any]:
    return _left(read_zip(file, Shape(**details["shape"]), progress=progress), folder)


def _folder(file: IO[bytes], folder: Path, details: dict[str, Any], progress: Progress) -> dict[str, Any]:
    root, shape = Path(details["root"]), Shape(**details["shape"])
    return _left(read_folder(root, details["folder"], shape, progress=progress), folder)


def _table(file: IO[bytes], folder: Path, details: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """The columns of a table, to be looked at; with ``take``, the points in two of them."""
    content = file.read(MAX_TABLE + 1)
    if not details["take"]:
        return preview(read_table(content))
    found = from_csv(content, details["columns"])
    np.save(folder / "x.npy", found.points)
    return {name: value for name, value in asdict(found).items() if name != "points"}


def _left(found: Brought, folder: Path) -> dict[str, Any]:
    """Leave pictures and classes as arrays in the folder, and the names of the files; the rest is said."""
    np.save(folder / "x.npy", found.x)
    np.save(folder / "y.npy", np.stack([level.y for level in found.levels]))
    (folder / "names.json").write_text(json.dumps(found.names))
    return {
        "levels": [{"key": level.key, "class_names": level.class_names} for level in found.levels],
        "problems": [asdict(problem) for problem in found.problems],
        "notes": found.notes,
        "transparent": found.transparent,
        "background": found.background,
    }


TASKS: dict[str, Task] = {"pack": _pack, "zip": _zip, "folder": _folder, "table": _table}


def _say(**words: object) -> None:
    print(json.dumps(words), flush=True)


def _limit(memory: int, seconds: int) -> None:
    """From now on this process may have so many bytes more, and so many seconds of the processor."""
    os.nice(NICE)
    with suppress(OSError):  # not every system has it
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    bounds = {
        resource.RLIMIT_AS: pages * resource.getpagesize() + memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: MAX_TENSOR + 2**20,
        resource.RLIMIT_CORE: 0,
    }
    for what, bound in bounds.items():
        resource.setrlimit(what, (bound, bound))


def main() -> None:
    asked = json.loads(sys.argv[1])
    _limit(asked["memory"], asked["seconds"])
    try:
        found = TASKS[asked["what"]](
            sys.stdin.buffer,
            Path(asked["folder"]),
            asked["details"],
            lambda share, sentence: _say(progress=[share, sentence]),
        )
        _say(found=found)
        return
    except DataError as error:
        _say(refused=str(error))
        return
    except MemoryError:
        pass  # until it is over, what was read is held by its traceback, and nothing can be said
    _say(refused=f"Reading this file takes more than {asked['memory'] / 2**30:.2g} GB of memory.")


if __name__ == "__main__":
    main()

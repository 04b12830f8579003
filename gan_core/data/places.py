"""Where data lies on this machine: a folder for what people bring, and one for what was made of it."""

from __future__ import annotations

import os
from pathlib import Path

_store: Path | None = None


def use_store(root: Path) -> None:
    """Keep data sets beside the runs of the store at ``root``, from now on in this process."""
    global _store
    _store = Path(root)


def store_root() -> Path:
    return _store or Path(os.environ.get("GANSCOPE_STORE", "runs"))


def data_root() -> Path:
    """The folder of downloads and of people's own folders of images: ``GANSCOPE_DATA``, or ``data`` in the store."""
    given = os.environ.get("GANSCOPE_DATA")
    return Path(given).expanduser() if given else store_root() / "data"


def shelf_root() -> Path:
    """The folder of decoded sets of one's own."""
    return store_root() / "datasets"

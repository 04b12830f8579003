"""Which store, and what is taken out of it and put back."""

from __future__ import annotations

from pathlib import Path

from gan_core.engine import default_root
from gan_core.store import Deleted, RunStore


def open_store(store: Path | str | None) -> RunStore:
    return RunStore(default_root() if store is None else store)


def delete(*whats: str, store: Path | str | None = None) -> None:
    """Put runs and comparisons into the bin, all of them or none. Raises RunNotFound, StoreError while one is active."""
    with open_store(store) as opened:
        opened.bin.delete(whats)


def deleted(*, store: Path | str | None = None) -> list[Deleted]:
    """What is in the bin, the last deleted first."""
    with open_store(store) as opened:
        return opened.bin.listed()


def restore_run(what: str, *, store: Path | str | None = None) -> None:
    """Take a run or a comparison back from the bin. Raises RunNotFound."""
    with open_store(store) as opened:
        opened.bin.restore(what)


def purge(what: str, *, store: Path | str | None = None) -> None:
    """Remove a run or a comparison that is in the bin for good. Raises RunNotFound, StoreError for one that is not there."""
    with open_store(store) as opened:
        opened.bin.purge(what)

"""Where a store is."""

from __future__ import annotations

import os
from pathlib import Path

from gan_core.store.records import StoreError


def default_root() -> Path:
    """Where runs are kept: ``GANSCOPE_STORE``, or ``runs`` in the working directory."""
    return Path(os.environ.get("GANSCOPE_STORE", "runs"))


def must_be_there(root: Path) -> None:
    """Raise StoreError where there is no store, for who does not want to make one."""
    if not (root / "ganscope.db").exists():
        raise StoreError(f"There is no store in {root}.")

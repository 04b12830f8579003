"""What is wrong with a store, found out beside everything else."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from gan_core.store import Fault, fsck
from gan_core.store.tenancy import network_file_system

log = logging.getLogger(__name__)


class Health:
    """The quick part of ``fsck``, done once at the start in a thread of its own: no page waits for it."""

    def __init__(self, root: Path, *, at_once: bool = True) -> None:
        self._root = root
        self._faults: tuple[Fault, ...] = ()
        self._thread = threading.Thread(target=self._look if at_once else lambda: None, name="health", daemon=True)
        self._thread.start()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was found so far; looked for anew by ``look_again``."""
        return self._faults

    def wait(self, timeout: float | None = None) -> tuple[Fault, ...]:
        """What is found, once the look is over."""
        self._thread.join(timeout)
        return self._faults

    def look_again(self) -> tuple[Fault, ...]:
        """Look now, in the caller's thread."""
        self._look()
        return self._faults

    def _look(self) -> None:
        try:
            self._faults = (*_place(self._root), *fsck(self._root, thorough=False))
        except Exception:
            log.exception("the store could not be looked over")
            return
        if self._faults:
            log.warning("%d faults in the store; the first: %s", len(self._faults), self._faults[0])


def _place(root: Path) -> list[Fault]:
    kind = network_file_system(root)
    if not kind:
        return []
    return [
        Fault(
            f"The store lies on a network file system ({kind}), on which SQLite can lose what it was told to keep.",
            path=str(root),
            repair="keep it on a disk of this machine: GANSCOPE_STORE says where",
        )
    ]

"""Housekeeping: unwritten rows, other processes' runs, orphans, quota."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Container
from contextlib import suppress

from gan_core.engine.showing.gallery import Gallery
from gan_core.engine.showing.recorder import Recorder
from gan_core.engine.upkeep.quota import Quota
from gan_core.store import RunStore, StoreError
from gan_core.store.reserve import DISK_FULL, is_full
from gan_core.store.tenancy import Tenancy

log = logging.getLogger(__name__)

MOST_CRASHES = 3  # at the start, one after the other: then a server does nothing by itself
ORPHANS_SECONDS = 10.0  # between two looks for runs whose process, another one, is gone


class Housekeeping:
    """What is due in a store beside the runs that train here, whose ids are ``active``.

    ``tenancy`` is that of a server, ``behind`` are the recorders of runs that have ended and are not all written,
    ``forget_cards`` is called when this server takes over the store of another.
    """

    def __init__(
        self,
        store: RunStore,
        tenancy: Tenancy | None,
        gallery: Gallery,
        active: Container[str],
        behind: list[Recorder],
        forget_cards: Callable[[], None],
    ) -> None:
        self._store, self._tenancy, self._gallery = store, tenancy, gallery
        self._active, self._behind, self._forget_cards = active, behind, forget_cards
        self._quota = Quota()
        self._orphans_due = time.monotonic() + ORPHANS_SECONDS

    @property
    def safe_mode(self) -> bool:
        """Whether the servers before this one ended again and again as soon as they had begun."""
        return self._tenancy is not None and self._tenancy.crashes >= MOST_CRASHES

    def begin(self) -> None:
        """What the crashes of others left is put right, where this lab may write."""
        if not self._store.only_reads:
            self._store.interrupt_orphans(self._active)
            if not self.safe_mode:
                self._store.sweep()

    def tend(self) -> None:
        """What is not about the runs that train here."""
        for recorder in list(self._behind):
            recorder.catch_up()
            if not recorder.behind:
                self._behind.remove(recorder)
        self._gallery.refresh()
        if time.monotonic() >= self._orphans_due:
            self._orphans_due = time.monotonic() + ORPHANS_SECONDS
            with suppress(StoreError):
                self._take_over()
                if self._store.only_reads == DISK_FULL and not is_full(self._store.root):
                    self._store.begin_to_write()
                    self.begin()
                if not self._store.only_reads:
                    for run_id in self._store.interrupt_orphans(self._active):
                        self._gallery.changed(run_id)
                    self._quota.tend(self._store, self._active)

    def _take_over(self) -> None:
        """Serve the store once the server that had it is gone."""
        if self._tenancy is not None and self._store.only_reads and self._tenancy.only_reads and self._tenancy.claim():
            log.warning("the other server is gone; this one serves the store now")
            self._store.begin_to_write()
            self.begin()
            self._forget_cards()

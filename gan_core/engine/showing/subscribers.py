"""Who is told when something has changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Subscribers:
    """Callbacks without arguments, in the order in which they came. Safe to use from any thread; ``what`` is for the log."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._callbacks)

    def add(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Returns what ends it, which may be called again."""
        with self._lock:
            self._callbacks.append(callback)

        def unsubscribe() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return unsubscribe

    def tell(self) -> None:
        for callback in list(self._callbacks):
            try:
                callback()
            except Exception:  # one viewer's trouble must not silence the others
                log.exception("a viewer of %s could not be told", self._what)

"""From a thread that has news to all who wait for them on the event loop, with one call into the loop for all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol
from weakref import WeakKeyDictionary


class Source(Protocol):
    """What has news now and then: it calls back at once, from any thread, until it is told to stop."""

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]: ...


class Bells:
    """A bell for each source that somebody listens to. To be used on one event loop alone.

    To wake a loop from another thread costs as much as a message does, so all viewers of a run are woken by one call.
    """

    def __init__(self) -> None:
        self._bells: WeakKeyDictionary[Source, _Bell] = WeakKeyDictionary()

    @contextlib.contextmanager
    def listening(self, source: Source) -> Iterator[asyncio.Event]:
        """An event that is set whenever ``source`` has news, as long as the context lasts."""
        bell = self._bells.setdefault(source, _Bell())
        news = asyncio.Event()
        bell.listeners.add(news)
        if len(bell.listeners) == 1:
            bell.begin(source)
        try:
            yield news
        finally:
            bell.listeners.remove(news)
            if not bell.listeners:
                bell.end()


class _Bell:
    def __init__(self) -> None:
        self.listeners: set[asyncio.Event] = set()
        self.end: Callable[[], None] = lambda: None

    def begin(self, source: Source) -> None:
        loop = asyncio.get_running_loop()

        def call() -> None:  # from the thread that has the news
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server is going down
                loop.call_soon_threadsafe(self._ring)

        self.end = source.subscribe(call)

    def _ring(self) -> None:
        for news in self.listeners:
            news.set()

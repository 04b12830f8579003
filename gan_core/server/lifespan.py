"""Start and stop. The lab is opened here, once per process, and closed before the process ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import FrameType
from typing import Any

from anyio import to_thread

from gan_core import engine
from gan_core.exhaustion import brace
from gan_core.server import live
from gan_core.server.connections import Connections, Limits

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0005
"""How long a thread that computes may keep the interpreter while a page waits; Python's own 5 ms are paid many times a page."""
CLOSE_TIMEOUT = 9.0
"""Seconds for the runs to write their checkpoints; after a SIGTERM the process is gone in less than ten."""
CONNECTION_GRACE = 2.0
"""Seconds that connections get to end once the lab is closed, as far as the time allows."""
TEND_SECONDS = 30.0
"""Seconds between two looks at what browsers that are gone have left."""
LAST_GRACE = 0.5
"""Seconds they get in any case."""


def open_lab_for_visitors() -> engine.Lab:
    """The process's lab, whose runs shall begin at once and not share an interpreter with the pages."""
    lab = engine.open_lab()
    lab.keep_spare()
    return lab


def lifespan(
    open_lab: Callable[[], Any] = open_lab_for_visitors,
    close_lab: Callable[[float], None] = engine.close_lab,
    warm_up: Callable[[], None] = engine.warm_up,
    *,
    tend: Callable[[], object] = lambda: None,
    timeout: float = CLOSE_TIMEOUT,
) -> Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]:
    """A lifespan for `st.App` that opens the lab and closes it, with ``timeout`` seconds for the runs to save.

    ``tend`` is called now and then, in the thread of the event loop.
    """

    @asynccontextmanager
    async def around(app: Any) -> AsyncIterator[dict[str, Any]]:
        sys.setswitchinterval(SWITCH_SECONDS)
        brace()
        Connections(Limits.of_this_process()).watch(asyncio.get_running_loop())
        lab = await to_thread.run_sync(open_lab)
        await to_thread.run_sync(live.warm)
        _freeze()
        threading.Thread(target=_warm, args=(warm_up,), name="warming", daemon=True).start()
        closing = Closing(close_lab, timeout)
        restore = closing.watch_signals()
        tending = asyncio.create_task(_tend(tend))
        try:
            yield {"lab": lab}
        finally:
            tending.cancel()
            await to_thread.run_sync(closing.close)
            restore()

    return around


async def _tend(tend: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(TEND_SECONDS)
        try:
            tend()
        except Exception:
            log.exception("What is tended now and then could not be; it is tried again.")


def _warm(warm_up: Callable[[], None]) -> None:
    """Beside the first page, which need not wait for it."""
    try:
        warm_up()
    except Exception:
        log.exception("What the first run needs could not be prepared; the run itself will say why.")
    _freeze()


def _freeze() -> None:
    """All that start-up made stays: the collector need not walk it ever again (a pass costs 0.1 s of every thread's time)."""
    gc.collect()
    gc.freeze()


class Closing:
    """Closes the lab once, whoever asks first: the end of the lifespan, or a signal.

    uvicorn waits for every connection before it ends the lifespan. A connection whose other end has gone to sleep (a
    laptop whose lid was closed) never ends, and the server would wait for it until it is killed, with the runs not saved.
    So the signal begins the closing at once, in a thread, and the process ends at the deadline if uvicorn still waits.
    """

    def __init__(self, close_lab: Callable[[float], None], timeout: float) -> None:
        self._close_lab = close_lab
        self._timeout = timeout
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._close_lab(self._timeout)

    def watch_signals(self) -> Callable[[], None]:
        """Chain onto the handlers of SIGTERM and SIGINT; returns what undoes it."""
        if threading.current_thread() is not threading.main_thread():
            return lambda: None  # only the main thread may set handlers (tests run the lifespan elsewhere)
        undo = [self._chain(number) for number in (signal.SIGTERM, signal.SIGINT)]

        def restore() -> None:
            for step in undo:
                step()

        return restore

    def _chain(self, number: signal.Signals) -> Callable[[], None]:
        before = signal.getsignal(number)

        def on_signal(received: int, frame: FrameType | None) -> None:
            threading.Thread(target=self._close_then_exit, name="closing", daemon=True).start()
            if callable(before):
                before(received, frame)

        def restore() -> None:
            if signal.getsignal(number) is on_signal:
                signal.signal(number, before)

        signal.signal(number, on_signal)
        return restore

    def _close_then_exit(self) -> None:
        started = time.monotonic()
        try:
            self.close()
        except Exception:
            log.exception("The lab did not close cleanly.")
        left = self._timeout + LAST_GRACE - (time.monotonic() - started)
        time.sleep(max(LAST_GRACE, min(CONNECTION_GRACE, left)))
        log.warning("Some connections did not end; the server stops without them.")
        os._exit(0)

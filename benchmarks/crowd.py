"""Viewers without browsers: the sockets that a page of the application holds, and the reruns that it asks for."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

CURVE = "D.loss"
AS_A_BROWSER: dict[str, Any] = {"max_size": None, "ping_interval": None, "open_timeout": 120}
"""A browser takes a message of any size, and does not ask on a socket whether the other end is there. It is
patient with a slow machine to which thirty come at once."""


@dataclass
class Viewer:
    """One browser's worth of traffic, without the browser: ``run`` is watched, and ``pages`` are opened one after the other,
    each for ``stay`` seconds, the last for good. ``last`` is the newest point of ``CURVE`` that came: round and value;
    ``drawn`` counts the pages and fragments that came whole.
    """

    server: str
    run: str
    ticket: str
    pages: Sequence[str] = ("watch",)
    stay: float = 0.0
    bytes: int = 0
    last: tuple[int, float] = (-1, float("nan"))
    drawn: int = 0
    faults: list[str] = field(default_factory=list)

    async def watch(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for part in (self._session(tasks), self._class(), *([self._live()] if self.run else [])):
                    tasks.create_task(part)
        except ExceptionGroup as group:  # the bench says so in the end; the others go on
            self.faults += [f"{type(error).__name__}: {error}" for error in group.exceptions]

    async def _session(self, tasks: asyncio.TaskGroup) -> None:
        """The page's Streamlit session: one rerun to open it, and those that its fragments ask for."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
        from websockets.asyncio.client import connect

        timers: dict[str, asyncio.Task[None]] = {}
        page = self.pages[0]
        async with connect(f"ws://{self.server}/_stcore/stream", subprotocols=["streamlit"], **AS_A_BROWSER) as socket:

            async def rerun(fragment: str = "") -> None:
                asked = BackMsg()
                asked.rerun_script.query_string = f"run={self.run}" if self.run else ""
                asked.rerun_script.page_name = page
                if fragment:
                    asked.rerun_script.fragment_id = fragment
                    asked.rerun_script.is_auto_rerun = True
                await socket.send(asked.SerializeToString())

            async def again_and_again(fragment: str, interval: float) -> None:
                while True:
                    await asyncio.sleep(interval)
                    await rerun(fragment)

            async def wander() -> None:
                nonlocal page
                for page in self.pages:  # noqa: B007 (what `rerun` asks for)
                    while timers:
                        timers.popitem()[1].cancel()
                    await rerun()
                    await asyncio.sleep(self.stay)

            tasks.create_task(wander())
            async for data in socket:
                assert isinstance(data, bytes)
                self.bytes += len(data)
                message = ForwardMsg.FromString(data)
                if message.WhichOneof("type") == "auto_rerun":
                    wanted = message.auto_rerun
                    if wanted.fragment_id not in timers:
                        timers[wanted.fragment_id] = tasks.create_task(
                            again_and_again(wanted.fragment_id, wanted.interval)
                        )
                elif message.WhichOneof("type") == "script_finished":
                    self.drawn += 1
                    if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                        self.faults.append(f"the page {page!r} does not compile")
                elif message.delta.new_element.WhichOneof("type") == "exception":
                    self.faults.append(f"the page {page!r} shows {message.delta.new_element.exception.message[:200]}")

    async def _live(self) -> None:
        from json import loads

        from websockets.asyncio.client import connect

        async with connect(f"ws://{self.server}/live/{self.run}?ticket={self.ticket}", **AS_A_BROWSER) as socket:
            async for data in socket:
                self.bytes += len(data)
                curve = loads(data)["tracks"].get("turns", {}).get(CURVE)
                if curve and curve["x"]:
                    self.last = curve["x"][-1], curve["y"][-1]

    async def _class(self) -> None:
        from websockets.asyncio.client import connect

        cookie = {"Cookie": await asyncio.to_thread(name_from, self.server)}
        async with connect(f"ws://{self.server}/class/live", additional_headers=cookie, **AS_A_BROWSER) as socket:
            async for data in socket:
                self.bytes += len(data)


def name_from(server: str) -> str:
    """The cookie that the first page gives a browser; its server counts many of this address."""
    with urllib.request.urlopen(f"http://{server}/") as answer:
        cookies = answer.headers.get_all("Set-Cookie", [])
    return next(text.partition(";")[0] for text in cookies if text.startswith("ganscope_viewer="))


class Visits(Protocol):
    """Whoever comes to a server."""

    async def watch(self) -> None:
        """All that it does, until it is dismissed."""


class Crowd:
    """Viewers in an event loop of their own thread, who come and go; or others, of whom nothing is counted here."""

    def __init__(self, viewers: Sequence[Visits] = ()) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        self._tasks: dict[int, Future[None]] = {}
        self.viewers: list[Any] = []
        for viewer in viewers:
            self.admit(viewer)

    @property
    def bytes(self) -> int:
        return sum(viewer.bytes for viewer in self.viewers)

    @property
    def faults(self) -> list[str]:
        return [fault for viewer in self.viewers for fault in viewer.faults]

    def until_all_are_there(self, seconds: float) -> None:
        """Wait until every viewer has its page and, of a run, a point. Raises TimeoutError after so many seconds."""
        deadline = time.monotonic() + seconds
        while missing := sum(not (one.drawn and (one.last[0] >= 0 or not one.run)) for one in self.viewers):
            if self.faults or time.monotonic() > deadline:
                raise TimeoutError(
                    f"{missing} of {len(self.viewers)} viewers have no page yet; faults: {self.faults[:3]}"
                )
            time.sleep(0.1)

    def admit(self, viewer: Visits) -> None:
        self.viewers.append(viewer)
        self._tasks[id(viewer)] = asyncio.run_coroutine_threadsafe(viewer.watch(), self._loop)

    def dismiss(self, viewer: Visits) -> None:
        """It closes its sockets, as a tab that is closed."""
        self.viewers.remove(viewer)
        self._tasks.pop(id(viewer)).cancel()

    def close(self) -> None:
        for viewer in list(self.viewers):
            self.dismiss(viewer)
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _watch(self) -> None:
        # Browsers have machines of their own: those that stand for them take no time from what is measured. Linux alone
        # knows the priority of a thread.
        with suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        self._loop.run_forever()

    async def _leave(self) -> None:
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left, timeout=5)

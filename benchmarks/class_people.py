"""Who comes to a class: students who speak the protocol of the pages without a browser, and some who do what they may not."""

from __future__ import annotations

import asyncio
import json
import random
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from benchmarks.crowd import AS_A_BROWSER, name_from

PAGES = (
    "",
    "train",
    "watch",
    "compare",
    "runs",
    "data",
    "library",
    "collapse",
    "theory",
    "lessons",
    "classroom",
    "latent",
)
THINKS = (2.0, 12.0)  # seconds between two things that a student does
GONE = (5.0, 60.0)  # seconds without a network
PRESSES, WANDERS, WRITES, RELOADS, IS_CUT = (
    0.40,
    0.25,
    0.05,
    0.12,
    0.08,
)  # of what a student does; the rest is to look on
SLOW_SECONDS = 30.0  # after which a page is said not to have come
LEFT_ALONE = ("Leave the class", "End the class")  # what would end the lesson of whoever presses it


STREAM, STREAMLIT, CLASS = "/_stcore/stream", ("streamlit",), "/class/live"


class Told:
    """What all of them met."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.seconds: list[tuple[float, float]] = []
        """When a page came, and after how many seconds."""
        self.began = time.monotonic()

    def drawn(self, student: Student, broken: bool) -> None:
        if student.asked_at:
            self.seconds.append((time.monotonic() - self.began, time.monotonic() - student.asked_at))
            if self.seconds[-1][1] > SLOW_SECONDS:
                self.fault(f"the page {student.page!r} took more than {SLOW_SECONDS:.0f} s")
        student.asked_at = 0.0
        if broken:
            self.fault(f"the page {student.page!r} does not compile")

    def fault(self, what: str) -> None:
        self.faults[what[:300]] += 1

    def let_in(self, how: str) -> None:
        self.fault(f"somebody was let in {how}")


class Cut(Exception):
    """The network of a student is gone."""


class Student:
    """One browser: its session, its socket of the class, and what it does."""

    def __init__(self, server: str, number: int, seed: int, told: Told) -> None:
        self.server = server
        self.told = told
        self.rng = random.Random(1000 * seed + number)
        self.page = self.rng.choice(PAGES)
        self.cookie = ""
        self.buttons: dict[str, tuple[str, str, bool]] = {}
        """By id: kind, label, whether it may be pressed."""
        self.poll = 0
        self.asked_at = 0.0
        self.stream: Any = None
        self.bell: Any = None

    async def watch(self) -> None:
        """From one loss of the network to the next, until the lesson is over."""
        await asyncio.sleep(self.rng.uniform(0, 20))
        while True:
            try:
                self.cookie = self.cookie or await asyncio.to_thread(name_from, self.server)
                async with asyncio.TaskGroup() as tasks:
                    for part in (self._session(), self._class(), self._does()):
                        tasks.create_task(part)
            except ExceptionGroup as group:
                if not any(isinstance(error, Cut) for error in group.exceptions):
                    self.told.fault(f"{type(group.exceptions[0]).__name__}: {group.exceptions[0]}")
            self.stream = self.bell = None
            self.asked_at = 0.0
            await asyncio.sleep(self.rng.uniform(*GONE))

    async def _session(self) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        async with self._connect(STREAM, STREAMLIT) as socket:
            self.stream = socket
            await self.rerun()
            async for data in socket:
                message = ForwardMsg.FromString(data)  # type: ignore[arg-type]
                kind = message.WhichOneof("type")
                if kind == "delta":
                    self._met(message.delta.new_element)
                elif kind == "script_finished":
                    self.told.drawn(self, message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR)

    def _met(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        if kind in ("button", "checkbox"):
            widget = getattr(element, kind)
            self.buttons[widget.id] = (kind, widget.label, not widget.disabled)
        elif kind == "exception":
            self.told.fault(f"the page {self.page!r} shows {element.exception.message[:200]}")

    def _connect(self, path: str, protocols: Sequence[str] | None = None, **headers: str) -> Any:
        """A socket of this browser."""
        from websockets.asyncio.client import connect

        own = {"Cookie": self.cookie} | headers
        return connect(f"ws://{self.server}{path}", subprotocols=protocols, additional_headers=own, **AS_A_BROWSER)  # type: ignore[arg-type]

    async def rerun(self, widget: str = "", kind: str = "") -> None:
        """Ask for the page, as it is after something was pressed."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        asked = BackMsg()
        asked.rerun_script.page_name = self.page
        if widget:
            state = asked.rerun_script.widget_states.widgets.add(id=widget)
            if kind == "button":
                state.trigger_value = True
            else:
                state.bool_value = self.rng.random() < 0.5
        else:
            self.buttons.clear()
        self.asked_at = time.monotonic()
        await self.stream.send(asked.SerializeToString())

    async def _class(self) -> None:
        async with self._connect(CLASS) as socket:
            self.bell = socket
            async for data in socket:
                poll = json.loads(data).get("poll")
                if poll and poll["number"] != self.poll and poll["counts"] is None:
                    self.poll = poll["number"]
                    await asyncio.sleep(self.rng.uniform(0, 8))
                    await self.say(do="answer", poll=self.poll, option=self.rng.randrange(3))

    async def say(self, **asked: Any) -> None:
        if self.bell is not None:
            await self.bell.send(json.dumps(asked))

    async def _does(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(*THINKS))
            if self.stream is None:
                continue
            chance = self.rng.random()
            for share, act in (
                (PRESSES, self._press),
                (WANDERS, self._wander),
                (WRITES, self._write),
                (RELOADS, self._reload),
                (IS_CUT, self._lose_the_network),
            ):
                if chance < share:
                    await act()
                    break
                chance -= share

    async def _press(self) -> None:
        free = [(one, kind) for one, (kind, label, may) in self.buttons.items() if may and label not in LEFT_ALONE]
        if free:
            self.told.count["buttons pressed"] += 1
            await self.rerun(*self.rng.choice(free))

    async def _wander(self) -> None:
        self.page = self.rng.choice(PAGES)
        self.told.count["pages opened"] += 1
        await self.rerun()

    async def _write(self) -> None:
        self.told.count["notes sent"] += 1
        await self.say(do="note", text=f"What is {self.rng.randrange(1000)}?")

    async def _reload(self) -> None:
        self.told.count["reloads"] += 1
        await self.stream.close()
        raise Cut

    async def _lose_the_network(self) -> None:
        self.told.count["networks lost"] += 1
        for socket in filter(None, (self.stream, self.bell)):
            socket.transport.abort()
        raise Cut


class Unruly(Student):
    """One who does what nobody may, as quickly as the server lets it."""

    async def watch(self) -> None:
        ways: tuple[Callable[[], Awaitable[None]], ...] = (
            *(self._guess_keys, self._upload, self._flood, self._make_names_up, self._send_halves, self._send_much),
            *(self._come_from_elsewhere, self._press_what_is_disabled),
        )
        while True:
            self.cookie = self.cookie or await asyncio.to_thread(name_from, self.server)
            way = self.rng.choice(ways)
            self.told.count["attacks"] += 1
            with suppress(Exception):  # refused, cut off, or told to wait
                async with asyncio.timeout(60):
                    await way()
            await asyncio.sleep(self.rng.uniform(0, 3))

    async def _asks(self, method: str, path: str, body: bytes, **headers: str) -> int:
        request = urllib.request.Request(
            f"http://{self.server}{path}", data=body, method=method, headers={"Cookie": self.cookie, **headers}
        )

        def ask() -> int:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)

        try:
            return await asyncio.to_thread(ask)
        except urllib.error.HTTPError as error:
            return error.code

    async def _guess_keys(self) -> None:
        for number in range(20):
            if await self._asks("POST", "/class/teacher/enter", b"guess %d" % number, **{"X-GANscope": "1"}) < 400:
                self.told.let_in("with a wrong key")

    async def _upload(self) -> None:
        for method, path in (("PUT", "/_stcore/upload_file/s/f"), ("DELETE", "/_stcore/upload_file/s/f")):
            if await self._asks(method, path, b"x" * 1000) < 400:
                self.told.let_in(f"to {method} a file")

    async def _flood(self) -> None:
        async with self._connect(CLASS) as socket:
            for number in range(300):
                await socket.send(json.dumps({"do": "note", "text": f"me {number}"}))
                await socket.send(json.dumps({"do": "answer", "poll": self.poll, "option": number % 3}))
                await socket.send(json.dumps({"do": "end"}))
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    async for data in socket:
                        self.poll = ((json.loads(data).get("poll") or {}).get("number")) or self.poll

    async def _make_names_up(self) -> None:
        for number in range(50):
            with suppress(Exception):
                async with self._connect(CLASS, Cookie=f"ganscope_viewer=made-up-{number}.{'A' * 43}"):
                    self.told.let_in("with a made-up name")

    async def _send_halves(self) -> None:
        host, _, port = self.server.partition(":")
        halves = [await asyncio.open_connection(host, int(port)) for _ in range(30)]
        for _, writer in halves:
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        await asyncio.sleep(self.rng.uniform(5, 25))
        for _, writer in halves:
            writer.close()

    async def _send_much(self) -> None:
        for path, protocols in ((CLASS, None), (STREAM, STREAMLIT)):
            with suppress(Exception):
                async with self._connect(path, protocols) as socket:
                    await socket.send(b"\xff" * 2_000_000)
                    await socket.recv()

    async def _come_from_elsewhere(self) -> None:
        for origin in ("http://evil.example", "http://localhost:1"):
            with suppress(Exception):
                async with self._connect(STREAM, STREAMLIT, Origin=origin):
                    self.told.let_in(f"from {origin}")

    async def _press_what_is_disabled(self) -> None:
        """Every button of a page, whether or not it may be pressed; the server asks for the right where something is done."""
        self.page = self.rng.choice(PAGES)
        session = asyncio.create_task(self._session())
        try:
            await asyncio.sleep(3)
            for widget, (kind, label, _) in list(self.buttons.items()):
                if label not in LEFT_ALONE:
                    await self.rerun(widget, kind)
                    await asyncio.sleep(0.3)
        finally:
            session.cancel()
            self.asked_at = 0.0

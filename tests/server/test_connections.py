"""Connections are bounded, over real sockets of the server that the application has: in time, in number, and by address."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from gan_core.server import connections
from gan_core.server.access import THIS_MACHINE
from gan_core.server.connections import Connections, Guard, KeepRoom, Limits

FOREVER = 3600.0
PATIENT = Limits(head_seconds=FOREVER, body_seconds=FOREVER, taken_seconds=FOREVER)
HALF = b"GET / HTTP/1.1\r\nHost: x\r\nX: "
WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
TEACHER = b"GET / HTTP/1.1\r\nHost: x\r\nCookie: teacher=1\r\n\r\n"


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} bytes")


async def endless(request: Request) -> StreamingResponse:
    async def much() -> Any:
        while True:
            yield b"x" * 1_000_000
            await asyncio.sleep(0)

    return StreamingResponse(much())


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


class Served:
    def __init__(self, port: int, all_of_them: Connections, loop: asyncio.AbstractEventLoop) -> None:
        self.port, self.connections, self.loop = port, all_of_them, loop

    def open(self, sent: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        """A connection from an address of this machine over which this was sent."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=(source, 0))
        made.sendall(sent)
        return made

    def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            time.sleep(0.01)


def ended(line: socket.socket) -> bool:
    """Waits until the other end has closed, and reads what it said before."""
    try:
        while line.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


def drip(line: socket.socket) -> None:
    """Sends a byte now and then until the other end has closed."""
    with contextlib.suppress(ConnectionError):
        while True:
            line.sendall(b"x")
            time.sleep(0.01)


def status(line: socket.socket, until: str = "") -> int:
    """The status of the answer, once this text of it was read."""
    answer = line.recv(65536)
    while until.encode() not in answer:
        answer += line.recv(65536)
    return int(answer.split()[1])


@contextmanager
def serving(limits: Limits) -> Iterator[Served]:
    app = Starlette(
        routes=[
            Route("/", page, methods=["GET", "POST"]),
            Route("/endless", endless),
            WebSocketRoute("/echo", echo),
        ],
        middleware=[
            Middleware(KeepRoom, teaches=lambda scope: b"teacher=1" in dict(scope["headers"]).get(b"cookie", b""))
        ],
    )
    all_of_them = Connections(limits)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, ws="websockets-sansio", log_level="error"))
        loops: list[asyncio.AbstractEventLoop] = []

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            all_of_them.watch(loops[0])
            await server.serve([listening])

        thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Served(listening.getsockname()[1], all_of_them, loops[0])
        server.should_exit = server.force_exit = True
        thread.join()


@pytest.fixture(autouse=True)
def _addresses_of_this_machine_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.2 stands for another machine."""
    monkeypatch.setattr(connections, "network_of", str)


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET", HALF, WHOLE + HALF, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"],
    ids=["nothing", "a word", "half a head", "a second half", "no end of a head"],
)
def test_a_request_that_does_not_arrive_ends_its_connection(sent: bytes) -> None:
    with serving(Limits(head_seconds=0.2, body_seconds=FOREVER)) as served, served.open(sent) as line:
        assert ended(line)
        served.until(lambda: len(served.connections) == 0)


def test_a_head_that_comes_byte_by_byte_ends_its_connection() -> None:
    with serving(Limits(head_seconds=0.3)) as served, served.open(HALF) as line:
        drip(line)


@pytest.mark.parametrize("sent", [b"", b"x", b"x" * 100])
def test_a_body_that_does_not_arrive_ends_its_connection(sent: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    limits = Limits(head_seconds=FOREVER, body_seconds=0.2, body_rate=1e6)
    with serving(limits) as served, served.open(head + sent) as line:
        assert ended(line)


def test_a_body_that_comes_byte_by_byte_ends_its_connection() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    with serving(Limits(head_seconds=FOREVER, body_seconds=0.2)) as served, served.open(head) as line:
        drip(line)


def test_who_takes_nothing_of_an_answer_is_dropped() -> None:
    with (
        serving(Limits(head_seconds=FOREVER, taken_seconds=0.2)) as served,
        served.open(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"),
    ):
        served.until(lambda: len(served.connections) == 1)
        served.until(lambda: len(served.connections) == 0)


def test_a_whole_request_is_answered_and_its_body_read() -> None:
    with serving(PATIENT) as served, served.open() as line:
        for size in (0, 3, 1_000_000):
            line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
            assert status(line, f"{size} bytes") == 200


def test_a_websocket_has_no_time_to_keep() -> None:
    """Nobody waits for a head any more, and its connection counts until it ends."""
    with serving(Limits(head_seconds=FOREVER)) as served:
        with connect(f"ws://127.0.0.1:{served.port}/echo") as websocket:
            websocket.send("x" * 100_000)
            assert websocket.recv() == "x" * 100_000
            (guard,) = (one for beside in served.connections._of.values() for one in beside)
            assert guard._patience is not None
            assert guard._patience.cancelled()
            assert not served.connections._waiting
        served.until(lambda: len(served.connections) == 0)


def test_half_sent_requests_make_room_and_the_longest_waiting_first() -> None:
    limits = Limits(in_all=5, kept_for_teacher=3, head_seconds=FOREVER)
    with serving(limits) as served, ExitStack() as lines:
        waiting = [lines.enter_context(served.open(HALF)) for _ in range(8)]
        served.until(lambda: len(served.connections) == 8)
        late = lines.enter_context(served.open(TEACHER))
        assert status(late) == 200
        assert ended(waiting[0])
        waiting[1].sendall(b"\r\n\r\n")  # in the room that is kept for the teacher
        assert status(waiting[1]) == 503


def test_a_full_server_answers_the_teacher_and_nobody_else() -> None:
    limits = Limits(in_all=3, kept_for_teacher=2, head_seconds=FOREVER)
    with serving(limits) as served, ExitStack() as lines:
        for _ in range(3):
            lines.enter_context(connect(f"ws://127.0.0.1:{served.port}/echo"))
        with served.open(WHOLE) as line:
            assert status(line) == 503
            assert ended(line)
        served.until(lambda: len(served.connections) == 3)
        with served.open(TEACHER) as line:
            assert status(line) == 200


def test_one_address_fills_its_own_room_alone() -> None:
    limits = Limits(in_all=20, of_one_address=3, kept_for_teacher=1, head_seconds=FOREVER)
    with serving(limits) as served, ExitStack() as lines:
        mine = [lines.enter_context(served.open(WHOLE, "127.0.0.2")) for _ in range(3)]
        assert [status(line) for line in mine] == [200] * 3
        with served.open(WHOLE, "127.0.0.2") as line:
            assert status(line) == 503
        with served.open(TEACHER, "127.0.0.2") as line:
            assert status(line) == 200
        with served.open(WHOLE, "127.0.0.3") as line:
            assert status(line) == 200


def test_who_has_the_most_makes_room_for_who_has_few() -> None:
    limits = Limits(in_all=6, of_one_address=99, kept_for_teacher=1, head_seconds=FOREVER)
    with serving(limits) as served, ExitStack() as lines:
        teacher = lines.enter_context(upgraded(served, "127.0.0.2", "Cookie: teacher=1"))
        many = [lines.enter_context(upgraded(served, "127.0.0.2")) for _ in range(5)]
        with served.open(WHOLE, "127.0.0.2") as line:  # its own make no room for another of its own
            assert status(line) == 503
        with served.open(WHOLE, "127.0.0.3") as line:
            assert status(line) == 200
        assert ended(many[-1])
        served.until(lambda: len(served.connections) == 5)
        for _ in range(3):
            lines.enter_context(upgraded(served, "127.0.0.4"))
        with served.open(WHOLE, "127.0.0.4") as line:
            assert status(line) == 503
        served.until(lambda: len(served.connections) == 6)
        assert {address: len(beside) for address, beside in served.connections._of.items()} == {
            "127.0.0.2": 3,
            "127.0.0.4": 3,
        }
        teacher.sendall(b"\x89\x80AAAA")  # a ping
        assert teacher.recv(2) == b"\x8a\x00"


def upgraded(served: Served, source: str, header: str = "X: x") -> socket.socket:
    """A WebSocket that is open."""
    head = ["GET /echo HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    head += ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", header, "", ""]
    line = served.open("\r\n".join(head).encode(), source)
    assert status(line) == 101
    return line


def test_the_bounds_leave_handles_to_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for handles, in_all in ((256, 64), (1024, 256), (1 << 20, Limits.in_all), (resource.RLIM_INFINITY, Limits.in_all)):
        monkeypatch.setattr(resource, "getrlimit", lambda kind, handles=handles: (handles, handles))
        limits = Limits.of_this_process()
        assert limits.in_all == in_all
        assert limits.of_one_address < in_all
        assert 0 < limits.kept_for_teacher < in_all


def test_without_a_guard_a_request_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    from starlette.testclient import TestClient

    app = Starlette(routes=[Route("/", page)], middleware=[Middleware(KeepRoom, teaches=lambda scope: False)])
    assert TestClient(app).get("/").status_code == 200
    assert connections.current_peer() == ""
    assert Guard(Connections(PATIENT), asyncio.Protocol).address == ""


class Transport:
    """The end of a connection from an address; ``aborted`` once it was."""

    def __init__(self, address: str = "10.0.0.1") -> None:
        self.address, self.aborted = address, False

    def get_extra_info(self, name: str) -> tuple[str, int]:
        return self.address, 1

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


async def come(all_of_them: Connections, address: str = "10.0.0.1") -> tuple[Guard, Transport]:
    guard, transport = Guard(all_of_them, asyncio.Protocol), Transport(address)
    guard.connection_made(transport)  # type: ignore[arg-type]
    return guard, transport


def test_what_waits_for_a_connection_ends_with_it() -> None:
    async def scene() -> None:
        guard, _ = await come(Connections(PATIENT))
        head = guard._patience
        with guard.answering():
            assert head.cancelled(), "the head of its request has come"
        assert not guard._patience.cancelled(), "the next one is waited for"
        guard.pause_writing()
        first = guard._taking
        guard.resume_writing()
        assert first.cancelled(), "it takes what it is sent again"
        guard.pause_writing()
        guard.connection_lost(None)
        assert guard._patience.cancelled()
        assert guard._taking.cancelled()

    asyncio.run(scene())


def test_of_an_address_that_is_full_who_has_waited_longest_makes_room() -> None:
    async def scene() -> None:
        all_of_them = Connections(Limits(in_all=100, of_one_address=2, kept_for_teacher=0, head_seconds=FOREVER))
        _, elsewhere = await come(all_of_them, "10.0.0.2")
        (first, of_first), (_, of_second) = [await come(all_of_them) for _ in range(2)]
        with first.answering():
            pass  # from now on it waits for less long than the second
        third, of_third = await come(all_of_them)
        assert [one.aborted for one in (elsewhere, of_first, of_second, of_third)] == [False, False, True, False]
        assert len(all_of_them) == 3, "who was ended counts no more, though its end has not been told yet"
        with first.answering(), third.answering():
            _, refused = await come(all_of_them)
            assert [one.aborted for one in (elsewhere, of_first, of_third, refused)] == [False, False, False, True]

    asyncio.run(scene())


def test_a_full_server_takes_room_from_the_largest_address_but_not_from_its_teacher() -> None:
    async def scene() -> None:
        all_of_them = Connections(Limits(in_all=3, of_one_address=3, kept_for_teacher=0, head_seconds=FOREVER))
        many = [await come(all_of_them) for _ in range(3)]
        with ExitStack() as answered:
            for guard, _ in many:
                answered.enter_context(guard.answering())
            many[2][0].teaches = True
            _, other = await come(all_of_them, "10.0.0.2")
            assert [one.aborted for _, one in many] == [False, True, False], "the newest that does not teach"
            assert not other.aborted

    asyncio.run(scene())


@pytest.mark.parametrize(("address", "has_room"), [(THIS_MACHINE, True), ("10.0.0.2", False)])
def test_only_a_proxy_of_this_machine_may_have_more_than_one_address(address: str, has_room: bool) -> None:
    async def scene() -> None:
        all_of_them = Connections(Limits(in_all=10, of_one_address=1, kept_for_teacher=1, head_seconds=FOREVER))
        (first, _), (second, _) = [await come(all_of_them, address) for _ in range(2)]
        assert (first.room(), second.room()) == (has_room, has_room)

    asyncio.run(scene())


def test_who_writes_is_told_when_the_other_end_takes_nothing() -> None:
    async def scene() -> None:
        inner = Mock(asyncio.Protocol)
        guard = Guard(Connections(PATIENT), lambda: inner)
        guard.connection_made(Transport())  # type: ignore[arg-type]
        guard.pause_writing()
        inner.pause_writing.assert_called_once_with()
        guard.resume_writing()
        inner.resume_writing.assert_called_once_with()

    asyncio.run(scene())


def test_a_body_has_its_time_and_what_comes_after_it_all_the_time() -> None:
    async def scene() -> None:
        guard, transport = await come(Connections(Limits(head_seconds=FOREVER, body_seconds=0.0)))
        gone = asyncio.Event()

        async def receive() -> Any:
            if body._bytes:
                await gone.wait()
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"x", "more_body": False}

        body = connections.Body(guard, receive)
        assert (await body())["body"] == b"x"
        asyncio.get_running_loop().call_later(0.05, gone.set)
        await body()
        assert gone.is_set()
        assert not transport.aborted, "an answer may take as long as it likes"
        late = connections.Body(guard, asyncio.Event().wait)  # type: ignore[arg-type]
        assert await late() == {"type": "http.disconnect"}
        assert transport.aborted

    asyncio.run(scene())

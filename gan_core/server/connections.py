"""Bounds on connections, of which uvicorn has none: how long a request may take to arrive, how many there are, and of whom.

uvicorn asks the event loop for a server and gives it a factory of protocols, one for each connection. `Connections.watch`
puts a `Guard` around each of them; `KeepRoom`, a middleware, tells the guard what has become of its request.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan_core.server.access import THIS_MACHINE, network_of, refuse

log = logging.getLogger(__name__)

HANDLES_EACH = 2
"""File handles that a connection may need: its own, and of a file that it is sent."""


@dataclass(frozen=True)
class Limits:
    """A browser opens up to six connections and a socket for each view; a class of forty is behind one address now and then."""

    in_all: int = 600
    of_one_address: int = 400
    kept_for_teacher: int = 32
    head_seconds: float = 10.0
    body_seconds: float = 20.0
    body_rate: float = 2000.0
    """Bytes per second that a body must come with after its first seconds."""
    taken_seconds: float = 60.0
    """How long the other end may take nothing of what is sent to it."""

    @staticmethod
    def of_this_process() -> Limits:
        """As many as there are handles for, half of which are left to the runs."""
        try:
            import resource
        except ImportError:  # not on Windows
            return Limits()
        handles, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if handles == resource.RLIM_INFINITY:
            return Limits()
        in_all = max(32, min(Limits.in_all, handles // (2 * HANDLES_EACH)))
        return Limits(in_all=in_all, of_one_address=in_all * 2 // 3, kept_for_teacher=min(32, in_all // 4))


class Connections:
    """All connections of a server, from the accept to the end."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._of: dict[str, list[Guard]] = {}  # by address, the oldest first
        self._waiting: dict[Guard, None] = {}  # for their request, the longest first
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Guard every connection of the servers that this loop is asked for from now on."""
        create_server = loop.create_server

        async def create(factory: Callable[[], Any], *arguments: Any, **options: Any) -> Any:
            return await create_server(lambda: Guard(self, factory), *arguments, **options)

        loop.create_server = create  # type: ignore[method-assign, assignment]

    def admit(self, guard: Guard) -> bool:
        """Whether there is room for one more. Who has sent no request yet makes room, then who has the most connections."""
        beside = self._of.get(guard.address, [])
        kept = self.limits.kept_for_teacher
        if guard.bounded and len(beside) >= self.limits.of_one_address + kept:
            if not self._drop([one for one in self._waiting if one.address == guard.address]):
                return False
        elif self._count >= self.limits.in_all + kept and not (
            self._drop(list(self._waiting)) or self._drop(self._of_the_largest(guard))
        ):
            return False
        self._of.setdefault(guard.address, []).append(guard)
        self._count += 1
        return True

    def room_for(self, guard: Guard) -> bool:
        """Whether the request of somebody who is not the teacher may be answered: not in the room that is kept for that."""
        if guard.bounded and len(self._of.get(guard.address, [])) > self.limits.of_one_address:
            return False
        return self._count <= self.limits.in_all or self._drop(self._of_the_largest(guard))

    def _of_the_largest(self, guard: Guard) -> list[Guard]:
        """Connections of the address that has the most, the newest first; none if the guard's own address has as many."""
        most = max(self._of.values(), key=len, default=[])
        beside = self._of.get(guard.address, [])
        return [one for one in reversed(most) if not one.teaches] if len(most) > len({*beside, guard}) else []

    def waits(self, guard: Guard, waits: bool) -> None:
        """Whether a connection has sent no whole request."""
        self._waiting.pop(guard, None)
        if waits:
            self._waiting[guard] = None

    def gone(self, guard: Guard) -> None:
        """A connection has ended."""
        self._waiting.pop(guard, None)
        beside = self._of.get(guard.address, [])
        if guard in beside:
            self._count -= 1
            beside.remove(guard)
            if not beside:
                del self._of[guard.address]

    def _drop(self, guards: list[Guard]) -> bool:
        """End the first of these."""
        if not guards:
            return False
        guards[0].abort()
        self.gone(guards[0])
        return True


class Guard(asyncio.Protocol):
    """Stands between a connection and uvicorn's protocol for it, also after that became the one of a WebSocket."""

    def __init__(self, connections: Connections, factory: Callable[[], asyncio.Protocol]) -> None:
        self._connections = connections
        self._factory = factory
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None
        self._requests = 0
        self.address = ""
        self.teaches = False

    @property
    def limits(self) -> Limits:
        return self._connections.limits

    @property
    def bounded(self) -> bool:
        """Whether its address has a bound of its own. A proxy on this machine speaks for many, and is told from nobody here."""
        return self.address != THIS_MACHINE

    # -- what the transport tells ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.address = network_of(str(peer[0])) if peer else ""
        if not self._connections.admit(self):
            self.abort()
            return
        self._inner = self._factory()
        self._wait()
        self._inner.connection_made(cast(asyncio.Transport, Line(self._transport, self)))

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            token = _current.set(self)  # the tasks that answer are made in here
            try:
                self._inner.data_received(data)
            finally:
                _current.reset(token)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        self._taking = asyncio.get_running_loop().call_later(self.limits.taken_seconds, self.abort)
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._stop(self._taking)
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._stop(self._patience)
        self._stop(self._taking)
        self._connections.gone(self)
        if self._inner is not None:
            self._inner.connection_lost(error)

    # -- what the application tells --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def answering(self) -> Any:
        """While a request is answered, or a WebSocket open, nobody waits for its head."""
        self._requests += 1
        self._stop(self._patience)
        self._connections.waits(self, False)
        try:
            yield
        finally:
            self._requests -= 1
            if not self._requests and self._transport is not None and not self._transport.is_closing():
                self._wait()

    def speaks_now(self, protocol: asyncio.Protocol) -> None:
        """uvicorn has put the protocol of WebSockets in the place of the other one."""
        self._inner = protocol

    def room(self) -> bool:
        """Whether this connection may be answered."""
        return self.teaches or self._connections.room_for(self)

    def abort(self) -> None:
        """End the connection at once; what is on its way is lost."""
        if self._transport is not None:
            self._transport.abort()

    def _wait(self) -> None:
        """From now on the head of a request must come within its time, however much of it comes now and then."""
        self._connections.waits(self, True)
        self._patience = asyncio.get_running_loop().call_later(self.limits.head_seconds, self.abort)

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


class Line:
    """A transport as uvicorn sees it: the same, but that a change of protocol happens behind the guard."""

    def __init__(self, transport: asyncio.Transport, guard: Guard) -> None:
        self._transport = transport
        self._guard = guard

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        self._guard.speaks_now(protocol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


_current: ContextVar[Guard | None] = ContextVar("connection", default=None)


def current_peer() -> str:
    """The address at the other end of the connection whose request is answered, whatever its headers say; "" if unknown."""
    guard = _current.get()
    return guard.address if guard is not None else ""


class KeepRoom:
    """Tells the guard of a connection that its request has come, bounds its body's time, and keeps room for the teacher."""

    def __init__(self, app: ASGIApp, teaches: Callable[[Scope], bool]) -> None:
        self.app = app
        self._teaches = teaches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guard = _current.get() if scope["type"] in ("http", "websocket") else None
        if guard is None:
            await self.app(scope, receive, send)
            return
        with guard.answering():
            guard.teaches = self._teaches(scope)
            if not guard.room():
                full = {"error": "Too many connections are open here; close some pages, or come back in a minute."}
                answer = JSONResponse(full, status_code=503, headers={"Connection": "close", "Retry-After": "60"})
                await refuse(answer, scope, receive, send)
                return
            body = Body(guard, receive) if scope["type"] == "http" else receive
            await self.app(scope, body, send)


class Body:
    """What is received of a request: a body that comes more slowly than `Limits` allows ends its connection."""

    def __init__(self, guard: Guard, receive: Receive) -> None:
        self._guard = guard
        self._receive = receive
        self._begun = asyncio.get_running_loop().time()
        self._bytes = 0
        self._arrived = False

    async def __call__(self) -> Message:
        if self._arrived:
            return await self._receive()
        limits = self._guard.limits
        try:
            async with asyncio.timeout_at(self._begun + limits.body_seconds + self._bytes / limits.body_rate):
                message = await self._receive()
        except TimeoutError:
            self._guard.abort()
            return {"type": "http.disconnect"}
        self._bytes += len(message.get("body", b""))
        self._arrived = not message.get("more_body", False)
        return message

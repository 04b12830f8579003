"""The class's own routes: the teacher's door, and one socket per page that tells what the class does.

``/class/teacher``        the page behind the teacher's link; the key stands after ``#``, which no browser sends anywhere
``/class/teacher/enter``  POST: the key, exchanged for a cookie that scripts cannot read
``/class/leave``          POST: the cookie's session ends
``/class/live``           WebSocket: the state of the class at each change; what a page does comes back on it; a page whose
                          visitor teaches by mail offers its voucher as a second subprotocol, which no log has
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from gan_core.server.access import Refused, network_of, refuse
from gan_core.server.bell import Bells
from gan_core.server.classroom import Classroom
from gan_core.server.connections import current_peer
from gan_core.server.roles import OWNER, NotAllowed, RateLimit, Visitor

log = logging.getLogger(__name__)
T = TypeVar("T")

TEACHER_COOKIE, VIEWER_COOKIE = "ganscope_teacher", "ganscope_viewer"
PROTOCOL = "ganscope"
MOST_BODY = 4096
PACE = 0.2
"""Seconds between two states to one page: a burst of changes is told as one."""
SEND_TIMEOUT = 5.0
SOCKETS_PER_SECOND, MESSAGES_PER_SECOND = 10, 20
NONSENSE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What a message raises that makes no sense."""

DOOR = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="robots" content="noindex">
<title>GANscope</title><p id="said">One moment…</p><script nonce="%s">
const key = location.hash.slice(1)
history.replaceState(null, "", location.pathname)
fetch("/class/teacher/enter", {method: "POST", body: key, headers: {"X-GANscope": "1"}}).then(async (answer) => {
  if (answer.ok) location.replace("/")
  else document.getElementById("said").textContent = (await answer.json()).error
})
</script></html>"""


def visitor_of(room: Classroom | None, cookies: Any, voucher: str = "") -> Visitor:
    """Who asks, by the cookies of the request, and by what a page has been given for the socket."""
    if room is None:
        return OWNER
    name = room.names.read(str(cookies.get(VIEWER_COOKIE, "")))
    teaches = room.key.opens(str(cookies.get(TEACHER_COOKIE, ""))) or room.key.vouched(name, voucher)
    return Visitor("teacher" if teaches else "watcher", name)


def class_routes(room_getter: Callable[[], Classroom | None]) -> list[BaseRoute]:
    """The routes over the class that ``room_getter`` returns; all of them are 404 where there is none."""
    doors = ClassRoutes(room_getter)
    return [
        Route("/class/teacher", doors.door),
        Route("/class/teacher/enter", doors.enter, methods=["POST"]),
        Route("/class/leave", doors.leave, methods=["POST"]),
        WebSocketRoute("/class/live", doors.live),
        Route("/class/{path:path}", _nothing_here),
    ]


class ClassRoutes:
    """The handlers; one instance per application."""

    def __init__(self, room_getter: Callable[[], Classroom | None]) -> None:
        self._room_getter = room_getter
        self._bells = Bells()
        self._knocking = RateLimit(SOCKETS_PER_SECOND, 1.0)
        self._talking = RateLimit(MESSAGES_PER_SECOND, 1.0)

    def _room(self) -> Classroom:
        room = self._room_getter()
        if room is None:
            raise LookupError("There is no class on this server.")
        return room

    async def door(self, request: Request) -> Response:
        try:
            self._room()
        except LookupError as error:
            return _said(error)
        nonce = secrets.token_urlsafe(12)
        headers = {
            "Content-Security-Policy": f"default-src 'none'; script-src 'nonce-{nonce}'; connect-src 'self'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
        return HTMLResponse(DOOR % nonce, headers=headers)

    async def enter(self, request: Request) -> Response:
        try:
            room = self._room()
            _must_be_a_script_of_ours(request.headers)
            given = await _short_body(request)
            session = room.key.exchange(given, _address(room, request.scope))
        except (Refused, NotAllowed, LookupError) as error:
            return _said(error)
        log.warning("A teacher has come in.")
        answer = JSONResponse({"role": "teacher"}, headers={"Cache-Control": "no-store"})
        secure = request.url.scheme == "https"
        answer.set_cookie(TEACHER_COOKIE, session, httponly=True, samesite="strict", secure=secure)
        return answer

    async def leave(self, request: Request) -> Response:
        try:
            room = self._room()
            _must_be_a_script_of_ours(request.headers)
        except (Refused, LookupError) as error:
            return _said(error)
        room.key.end(request.cookies.get(TEACHER_COOKIE, ""))
        answer = JSONResponse({"role": "watcher"})
        answer.delete_cookie(TEACHER_COOKIE)
        return answer

    async def live(self, websocket: WebSocket) -> None:
        try:
            room = self._room()
            visitor = _visitor_on(websocket, room)
            if not visitor.id or not self._knocking.take(visitor.id):
                raise Refused("Reload the page.")
            leave = room.enter(visitor)
        except (Refused, NotAllowed, LookupError) as error:
            await refuse(_said(error), websocket.scope, websocket.receive, websocket.send)
            return
        try:
            await websocket.accept(PROTOCOL if PROTOCOL in websocket.scope["subprotocols"] else None)
            with self._bells.listening(room) as news:
                await self._serve(websocket, room, news)
        finally:
            leave()

    async def _serve(self, websocket: WebSocket, room: Classroom, news: asyncio.Event) -> None:
        news.set()
        listener = asyncio.create_task(self._listen(websocket, room))
        try:
            sent = b""
            while not listener.done():
                waiting = asyncio.create_task(news.wait())
                await asyncio.wait({waiting, listener}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                news.clear()
                # The right is looked up at each message: a teacher who has left is a watcher at once.
                state = room.state(_visitor_on(websocket, room))
                if state != sent and not listener.done():
                    async with asyncio.timeout(SEND_TIMEOUT):
                        await websocket.send_bytes(state)
                    sent = state
                await asyncio.sleep(PACE)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            log.debug("A page of the class is gone.", exc_info=True)
        finally:
            listener.cancel()

    async def _listen(self, websocket: WebSocket, room: Classroom) -> None:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            visitor = _visitor_on(websocket, room)
            text = message.get("text") or ""
            if len(text) > MOST_BODY:
                continue
            if not self._talking.take(visitor.id):
                await websocket.send_json({"error": "Too fast: the server did not hear this. Try again."})
                continue
            try:
                obey(room, visitor, json.loads(text))
            except NotAllowed as error:
                await websocket.send_json({"error": str(error)})
            except NONSENSE:
                await websocket.send_json({"error": "The server did not understand this."})


def _visitor_on(websocket: WebSocket, room: Classroom) -> Visitor:
    voucher = next((offered for offered in websocket.scope["subprotocols"] if offered != PROTOCOL), "")
    return visitor_of(room, websocket.cookies, voucher)


def obey(room: Classroom, visitor: Visitor, asked: Any) -> None:
    """What a page asks of the class. Raises NotAllowed, or ValueError, TypeError, KeyError for what makes no sense."""
    match asked["do"]:
        case "look":
            room.look(visitor, asked["at"])
        case "lead":
            room.lead(visitor, _of(bool, asked["on"]))
        case "answer":
            room.answer(visitor, _of(int, asked["poll"]), _of(int, asked["option"]))
        case "reveal":
            room.reveal(visitor)
        case "end":
            room.end_poll(visitor)
        case "note":
            room.write(visitor, _of(str, asked["text"]))
        case "drop":
            room.drop(visitor, _of(int, asked["note"]))
        case _:
            raise ValueError("unknown")


def _of(kind: type[T], given: object) -> T:
    """What was given, if it is of this very kind: a text is no number, and null is no text."""
    if type(given) is not kind:
        raise TypeError(f"not of the kind {kind.__name__}")
    return given


class ClassCookies:
    """Gives each browser of a class its name (a signed cookie), and refuses uploads of all but the teacher."""

    def __init__(self, app: ASGIApp, room_getter: Callable[[], Classroom | None]) -> None:
        self.app = app
        self._room_getter = room_getter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        room = self._room_getter() if scope["type"] in ("http", "websocket") else None
        if room is None:
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        had = connection.cookies.get(VIEWER_COOKIE, "")
        if scope["type"] == "websocket":
            room.names.meet(_address(room, scope), had)  # of an earlier start of the server, whose page is still open
            await self.app(scope, receive, send)
            return
        visitor = visitor_of(room, connection.cookies)
        # Streamlit's own uploads carry no voucher; what is done with a file is asked for again where it is done.
        changes = scope["method"] in ("PUT", "DELETE", "PATCH")
        if changes and visitor.role != "teacher" and not room.key.vouches_for(visitor.id):
            await _said(Refused("Only the teacher may bring data here."))(scope, receive, send)
            return

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if _is_page(connection.headers, message["status"], headers):
                    name = room.names.give(_address(room, scope), had)
                    if name != had:
                        headers.append("Set-Cookie", f"{VIEWER_COOKIE}={name}; HttpOnly; Path=/; SameSite=lax")
            await send(message)

        await self.app(scope, receive, send_named)


def _is_page(asked: Headers, status: int, answer: Headers) -> bool:
    """Also one that the browser has kept, of an earlier day or of a server without a class: its name may be gone."""
    kept = status == 304 and "text/html" in asked.get("accept", "")
    return kept or answer.get("content-type", "").startswith("text/html")


def teaches_here(room: Classroom | None, scope: Scope) -> bool:
    """Whether the cookies of a request are a teacher's."""
    cookies = HTTPConnection(scope).cookies
    visitor = visitor_of(room, cookies)
    return visitor.role == "teacher" or (room is not None and room.key.vouches_for(visitor.id))


def _address(room: Classroom, scope: Scope) -> str:
    """Where a request comes from. Whom a program of this machine speaks for is believed where a proxy is expected."""
    said = network_of(scope["client"][0]) if scope.get("client") else ""
    return said if room.behind_proxy else current_peer() or said


def _must_be_a_script_of_ours(headers: Headers) -> None:
    """A header of our own cannot be set by a form of another site."""
    if headers.get("x-ganscope") != "1":
        raise Refused("This address is for the page of the teacher's link.")


async def _short_body(request: Request) -> str:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY:
            raise Refused("That is too long.")
    return body.decode("utf-8", "replace")


def _said(error: Exception) -> Response:
    status = 404 if isinstance(error, LookupError) else 403
    return JSONResponse({"error": str(error.args[0])}, status_code=status)


async def _nothing_here(request: Request) -> Response:
    return JSONResponse({"error": "There is nothing at this address."}, status_code=404)

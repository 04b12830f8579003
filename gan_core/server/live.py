"""The live routes: the bytes that the recorder built, handed to everyone who watches.

``/live/{run}``                  WebSocket: the snapshot, then one delta per cursor; the same bytes object for every viewer
``/live/{run}/state?since=``     the same by polling, for networks that block WebSockets
``/live/{run}/artefact/{name}``  images and point clouds; content-addressed, so immutable
``/live/recent``                 the latest runs, for the thumbnails
``/assets/plotly-<version>.js``  the chart library
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from anyio import to_thread
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gan_core.engine import current_lab
from gan_core.server.access import Refused, check_ticket, refuse
from gan_core.server.assets import PLOTLY_PATH, nothing_here, plotly, plotly_js
from gan_core.server.bell import Bells, Source
from gan_core.server.tickets import Tickets, open_tickets
from gan_core.store import RunNotFound, StoreError

log = logging.getLogger(__name__)

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", re.ASCII)
ARTEFACT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,150}\.(png|json)", re.ASCII)
CONTENT_TYPES = {"png": "image/png", "json": "application/json"}

PRIVATE_IMMUTABLE = "private, max-age=31536000, immutable"
SEND_TIMEOUT = 5.0
"""Seconds. A viewer that takes nothing for this long is dropped; its browser comes back and gets a snapshot."""
SNAPSHOT_PAUSE = 0.25
"""Seconds between two full snapshots to one viewer: asking more often costs the asker, not the server."""
LOOK_AGAIN = 2.0
"""Seconds without news after which a viewer's task looks whether the run is still active."""
RECENT_AGE = 1.0
"""Seconds that the answer of /live/recent is shared by all who ask."""


class View(Source, Protocol):
    """What a route needs of `gan_core.engine.LiveView`."""

    @property
    def cursor(self) -> int: ...
    @property
    def active(self) -> bool: ...
    def snapshot(self) -> bytes: ...
    def delta(self, since: int) -> bytes | None: ...


def routes(lab_getter: Callable[[], Any] = current_lab) -> list[BaseRoute]:
    """The routes over the lab that ``lab_getter`` returns."""
    live = LiveRoutes(lab_getter)
    return [
        Route("/live/recent", live.guarded(live.recent)),
        WebSocketRoute("/live/{run}", live.stream),
        Route("/live/{run}/state", live.guarded(live.state)),
        Route("/live/{run}/artefact/{name}", live.guarded(live.artefact)),
        Route(PLOTLY_PATH, plotly),
        # Streamlit answers any unknown path with its index page; below these two prefixes that would be a lie.
        Route("/live/{path:path}", nothing_here),
        Route("/assets/{path:path}", nothing_here),
    ]


class LiveRoutes:
    """The handlers; one instance per application."""

    def __init__(self, lab_getter: Callable[[], Any]) -> None:
        self._lab_getter = lab_getter
        self._recent: dict[int, tuple[float, bytes]] = {}
        self._recent_lock = asyncio.Lock()
        self._bells = Bells()

    # -- who may come in ------------------------------------------------------------------------------------------

    def _admit(self, connection: HTTPConnection) -> str:
        """The run id of a request that may see it; `Refused`, or `RunNotFound` for an id that no run can have."""
        run = connection.path_params.get("run", "*")
        check_ticket(self._tickets(), connection.query_params.get("ticket", ""), run)
        if run != "*" and not RUN_ID.fullmatch(run):
            raise RunNotFound(_no_run(run))
        return run

    def _tickets(self) -> Tickets:
        return open_tickets(self._lab_getter().store.root)

    async def _view(self, run: str) -> View:
        # A stored run is read from disk.
        return await to_thread.run_sync(self._lab_getter().view, run)

    def guarded(self, handler: Callable[[Request, str], Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
        """The handler behind the access rules, its errors as one JSON sentence."""

        async def answer(request: Request) -> Response:
            try:
                return await handler(request, self._admit(request))
            except Exception as error:
                return _error_response(error, request.path_params.get("run", ""))

        return answer

    # -- plain requests -------------------------------------------------------------------------------------------

    async def state(self, request: Request, run: str) -> Response:
        text = request.query_params.get("since")
        if text is not None and not re.fullmatch(r"-?[0-9]{1,15}", text, re.ASCII):
            return JSONResponse({"error": "since must be a whole number."}, status_code=400)
        view = await self._view(run)
        body = await _news(view, None if text is None else int(text))
        if body is None:
            return Response(status_code=204, headers={"Cache-Control": "no-store"})
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def artefact(self, request: Request, run: str) -> Response:
        name = request.path_params["name"]
        match = ARTEFACT.fullmatch(name)
        if match is None:
            return JSONResponse({"error": "There is no such file."}, status_code=404)

        path = await to_thread.run_sync(self._lab_getter().store.artefact_path, run, name)
        if not await to_thread.run_sync(path.is_file):
            return JSONResponse({"error": "There is no such file."}, status_code=404)
        return FileResponse(
            path,
            media_type=CONTENT_TYPES[match[1]],
            headers={
                "Cache-Control": PRIVATE_IMMUTABLE,
                "X-Content-Type-Options": "nosniff",
                "Cross-Origin-Resource-Policy": "same-origin",
            },
        )

    async def recent(self, request: Request, run: str) -> Response:
        text = request.query_params.get("limit", "8")
        if not re.fullmatch(r"[0-9]{1,3}", text, re.ASCII) or not 1 <= int(text) <= 100:
            return JSONResponse({"error": "limit must be a whole number from 1 to 100."}, status_code=400)
        body = await self._recent_bytes(int(text))
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def _recent_bytes(self, limit: int) -> bytes:
        async with self._recent_lock:
            made, body = self._recent.get(limit, (-RECENT_AGE, b""))
            if time.monotonic() - made >= RECENT_AGE:
                rows = await to_thread.run_sync(self._lab_getter().recent, limit)
                body = json.dumps({"runs": rows}, separators=(",", ":")).encode()
                self._recent[limit] = (time.monotonic(), body)
            return body

    # -- the stream -----------------------------------------------------------------------------------------------

    async def stream(self, websocket: WebSocket) -> None:
        try:
            view = await self._view(self._admit(websocket))
        except Exception as error:
            response = _error_response(error, websocket.path_params.get("run", ""))
            await refuse(response, websocket.scope, websocket.receive, websocket.send)
            return
        await websocket.accept()
        await Viewer(websocket, view, self._bells).run()


class Viewer:
    """One browser that watches one run. At most one message is on its way to it, so a slow one holds up nobody."""

    def __init__(self, websocket: WebSocket, view: View, bells: Bells) -> None:
        self._websocket = websocket
        self._view = view
        self._bells = bells
        self._news = asyncio.Event()
        self._wants_snapshot = True
        self._gone = False

    async def run(self) -> None:
        with self._bells.listening(self._view) as self._news:
            listener = asyncio.create_task(self._listen())
            try:
                await self._serve()
            except (TimeoutError, WebSocketDisconnect, RuntimeError):
                # Too slow, gone, or closed while sending. The browser reconnects if it still cares.
                log.debug("A viewer left.", exc_info=True)
            finally:
                listener.cancel()

    async def _serve(self) -> None:
        sent: int | None = None
        while not self._gone:
            self._news.clear()
            # Read before the message is built: the message may hold more than `cursor` says, never less.
            # A viewer drops what it already has.
            cursor, last = self._view.cursor, not self._view.active
            if self._wants_snapshot:
                self._wants_snapshot = False
                sent = None
            body = await _news(self._view, sent)
            full = sent is None
            if body is not None:
                async with asyncio.timeout(SEND_TIMEOUT):
                    await self._websocket.send_bytes(body)
                sent = cursor
            if last:
                async with asyncio.timeout(SEND_TIMEOUT):
                    await self._websocket.close(1000)
                return
            if full:
                await asyncio.sleep(SNAPSHOT_PAUSE)
            if not (self._wants_snapshot or self._gone):
                with contextlib.suppress(TimeoutError):  # look now and then whether the run has ended without news
                    async with asyncio.timeout(LOOK_AGAIN):
                        await self._news.wait()

    async def _listen(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self._gone = True
                self._news.set()
                return
            if message.get("text") == "snapshot" or message.get("bytes") == b"snapshot":
                self._wants_snapshot = True
                self._news.set()


async def _news(view: View, since: int | None) -> bytes | None:
    """What is new after ``since``. The shared delta is at hand; a snapshot is put together off the event loop."""
    if since is None or since > view.cursor:  # a cursor from before a restart of the server
        return await to_thread.run_sync(view.snapshot)
    if since >= view.cursor - 1:
        return view.delta(since)
    return await to_thread.run_sync(view.delta, since)


def _error_response(error: Exception, run: str) -> Response:
    if isinstance(error, Refused):
        return JSONResponse({"error": str(error)}, status_code=403)
    if isinstance(error, RunNotFound):
        return JSONResponse({"error": _no_run(run)}, status_code=404)
    if isinstance(error, StoreError):
        return JSONResponse({"error": str(error)}, status_code=404)
    log.error("A live route failed.", exc_info=error)
    return JSONResponse({"error": "The server could not answer; its log says why."}, status_code=500)


def _no_run(run: str) -> str:
    return f"There is no run {run[:60]!r} in this lab." if run else "There is no such run in this lab."


def warm() -> None:
    """Do the slow part of the first request (compressing plotly.js) ahead of it."""
    plotly_js()


__all__: Sequence[str] = ("LiveRoutes", "Viewer", "routes", "warm")

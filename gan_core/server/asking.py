"""The routes of the latent page and of the draw page: recipes in, pictures out.

``/ask/{run}``             WebSocket: each message is a recipe as JSON, with ``round`` and a number ``n``; its answer is that
                             number and JSON. Of one socket only the latest recipe of a lane is answered.
``/ask/{run}/take.{end}`` what a recipe shows, as a file: ``png`` a strip, ``gif`` one picture after the other

Both are for whoever holds a ticket of the run, as the live routes are; they change nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gan_core.engine import current_lab
from gan_core.engine.answering.guide import SUPERSEDED, Guide
from gan_core.engine.latent.recipes import MOST_PICTURE, Wrong
from gan_core.engine.latent.taking import file_of
from gan_core.server.access import Refused, check_ticket, refuse
from gan_core.server.live import CONTENT_TYPES, RUN_ID
from gan_core.server.tickets import open_tickets
from gan_core.store import RunNotFound, StoreError

MOST_MESSAGE = MOST_PICTURE + 20_000  # characters
SEND_TIMEOUT = 5.0
"""Seconds. Who takes nothing for this long is dropped; the page comes back by itself."""
TAKE_SECONDS = 30.0

_guides: dict[Path, Guide] = {}
_lock = threading.Lock()


def guide_of(lab: Any) -> Guide:
    """The one process over a lab's store; it is started by the first question."""
    root = Path(lab.store.root)
    with _lock:
        if root not in _guides:
            _guides[root] = Guide(root)
        return _guides[root]


def close_guides() -> None:
    """End the processes; they would end with this one anyway."""
    with _lock:
        ended = list(_guides.values())
        _guides.clear()
    for guide in ended:
        guide.close()


def asking_routes(
    lab_getter: Callable[[], Any] = current_lab, guide_getter: Callable[[Any], Guide] = guide_of
) -> list[BaseRoute]:
    """The routes over the lab that ``lab_getter`` returns."""
    doors = AskingRoutes(lab_getter, guide_getter)
    return [
        WebSocketRoute("/ask/{run}", doors.ask),
        Route("/ask/{run}/take.{end}", doors.take),
    ]


class AskingRoutes:
    """The handlers; one instance per application."""

    def __init__(self, lab_getter: Callable[[], Any], guide_getter: Callable[[Any], Guide]) -> None:
        self._lab_getter, self._guide_getter = lab_getter, guide_getter
        self._visitors = itertools.count(1)

    def _admit(self, connection: HTTPConnection) -> str:
        run = str(connection.path_params["run"])
        check_ticket(open_tickets(self._lab_getter().store.root), connection.query_params.get("ticket", ""), run)
        if not RUN_ID.fullmatch(run):
            raise RunNotFound(run[:60])
        return run

    async def ask(self, websocket: WebSocket) -> None:
        try:
            run = self._admit(websocket)
        except (Refused, RunNotFound) as error:
            await refuse(_said(error, 403), websocket.scope, websocket.receive, websocket.send)
            return
        await websocket.accept()
        visitor = f"socket {next(self._visitors)}"
        sending = asyncio.Lock()
        answering: set[asyncio.Task[None]] = set()
        try:
            while True:
                text = await websocket.receive_text()
                task = asyncio.create_task(self._answer(websocket, sending, visitor, run, text))
                answering.add(task)
                task.add_done_callback(answering.discard)
        except (WebSocketDisconnect, RuntimeError, KeyError):
            pass  # gone, or spoke bytes
        finally:
            for task in answering:
                task.cancel()

    async def _answer(self, websocket: WebSocket, sending: asyncio.Lock, visitor: str, run: str, text: str) -> None:
        number = 0
        try:
            number, at, recipe = _read(text)
            found = await asyncio.wrap_future(self._guide_getter(self._lab_getter()).ask(visitor, run, at, recipe))
        except (Wrong, StoreError, OSError) as error:
            found = json.dumps({"error": str(error)}).encode()
        if found == SUPERSEDED:
            return
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with sending, asyncio.timeout(SEND_TIMEOUT):
                await websocket.send_text(f"{number} {found.decode()}")

    async def take(self, request: Request) -> Response:
        try:
            run, end = self._admit(request), request.path_params["end"]
            if end not in ("png", "gif"):
                return JSONResponse({"error": "There is no such file."}, status_code=404)
            _, at, recipe = _read(request.query_params.get("recipe", ""))
            visitor = f"file {next(self._visitors)}"
            asked = asyncio.wrap_future(self._guide_getter(self._lab_getter()).ask(visitor, run, at, recipe))
            async with asyncio.timeout(TAKE_SECONDS):
                content = file_of(json.loads(await asked), end)
        except Refused as error:
            return _said(error, 403)
        except ValueError as error:
            return _said(error, 400)
        except (RunNotFound, StoreError, OSError) as error:
            return _said(error, 404)
        name = f"{run}-latent.{end}"
        return Response(
            content,
            media_type=CONTENT_TYPES.get(end, f"image/{end}"),
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )


def _read(text: str) -> tuple[int, int | None, dict[str, Any]]:
    """The number, the round and the recipe of a message. Raises Wrong."""
    try:
        recipe = json.loads(text) if len(text) <= MOST_MESSAGE else None
    except (ValueError, RecursionError):
        recipe = None
    if not isinstance(recipe, dict):
        raise Wrong("A recipe is a short JSON object.")
    number, at = recipe.pop("n", 0), recipe.pop("round", None)
    if type(number) is not int or (at is not None and type(at) is not int):
        raise Wrong("n and round have to be whole numbers.")
    return number, at, recipe


def _said(error: Exception, status: int) -> JSONResponse:
    sentence = str(error) or "No answer came in time."
    return JSONResponse({"error": sentence}, status_code=status, headers={"Cache-Control": "no-store"})

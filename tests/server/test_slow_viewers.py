"""A viewer that reads slowly, over a real socket of the server that the application has."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import connect

from gan_core.server import live
from gan_core.server.live import routes
from gan_core.server.tickets import Tickets

WEIGHT = 2_000_000
"""Bytes of a message: more than the buffers of two ends of a socket hold of a few."""
TICKS = 12


@pytest.fixture
def address(lab: Any) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            Starlette(routes=routes(lambda: lab)), ws="websockets-sansio", ws_ping_interval=None, log_level="error"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(60)


class Slow:
    """A socket whose owner reads when the test says so, and whose system keeps little for it meanwhile."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(60)
        self._socket.connect((parts.hostname, parts.port))
        asked = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        asked += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        self._socket.sendall(f"{asked}Sec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode())
        self._read = self._socket.makefile("rb").read
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._read(1)
        assert head.startswith(b"HTTP/1.1 101")

    def message(self) -> dict[str, Any]:
        header = self._read(10)  # of a message that is longer than 65,535 bytes (RFC 6455)
        found: dict[str, Any] = json.loads(self._read(int.from_bytes(header[2:], "big")))
        return found

    def close(self) -> None:
        self._socket.close()


def test_who_reads_slowly_is_served_less_often_and_nobody_else(
    lab: Any, tickets: Tickets, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SNAPSHOT_PAUSE", 0.0)
    monkeypatch.setattr(live, "SEND_TIMEOUT", 600.0)  # to be dropped is another test, on a busy machine too
    view = lab.views["live-run"]
    told = view._message
    monkeypatch.setattr(view, "_message", lambda *, full: told(full=full).ljust(WEIGHT))
    url = f"{address}/live/live-run?ticket={tickets.mint('live-run')}"
    slow = Slow(url)

    async def scene() -> None:
        async with connect(url, max_size=None) as quick, connect(url, max_size=None) as other:
            for one in (quick, other):
                await one.recv()
            for _ in range(TICKS):
                view.advance()
                for one in (quick, other):
                    assert json.loads(await asyncio.wait_for(one.recv(), 60))["cursor"] == view.cursor

    asyncio.run(scene())
    heard = [slow.message()]
    while heard[-1]["cursor"] < view.cursor:
        heard.append(slow.message())
    slow.close()
    assert len(heard) < TICKS
    assert heard[-1]["full"]

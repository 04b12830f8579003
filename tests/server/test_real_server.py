"""The application as it is served: `streamlit run app.py` in a process of its own, as a class, over real sockets."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ports import free_port
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from gan_core.server.class_mode import LINK_FILE
from gan_core.server.roles import TRIES_IN_ALL

PATHS = ["/", "/watch", "/_stcore/host-config", "/_stcore/health", "/_stcore/script-health-check", "/static/x.js"]
PATHS += ["/live/no/such/place", "/assets/x.js", "/class/teacher", "/media/x.png", "/favicon.png", "/nowhere"]
SOCKETS = ["/_stcore/stream", "/class/live", "/live/some-run"]


@dataclass
class Served:
    port: int
    store: Path

    def head(self, request: str, *headers: str) -> socket.socket:
        """A socket over which the head of a request was sent."""
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        opened.sendall("\r\n".join([f"{request} HTTP/1.1", *headers, "", ""]).encode())
        return opened

    def status(self, path: str, *headers: str) -> int:
        """The status of the answer to GET with these headers; Connection: close is added."""
        with self.head(f"GET {path}", "Connection: close", *headers) as opened:
            return int(opened.makefile("rb").readline().split()[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Served]:
    store = tmp_path_factory.mktemp("served") / "runs"
    log = store.parent / "log"
    port = free_port()
    settings = {"GANSCOPE_STORE": str(store), "GANSCOPE_CLASS": "1", "GANSCOPE_EXECUTOR": "thread"}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with log.open("wb") as told:
        process = subprocess.Popen(command, cwd=root, env=os.environ | settings, stdout=told, stderr=told)
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health").read()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
        yield Served(port, store)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@pytest.mark.parametrize("path", PATHS)
def test_no_route_answers_to_a_foreign_host_or_to_a_page_of_another_port(served: Served, path: str) -> None:
    ours = f"localhost:{served.port}"
    assert served.status(path, f"Host: {ours}") != 403
    assert served.status(path, f"Host: {ours}", f"Origin: http://{ours}") != 403
    for host in ("evil.example", f"evil.example:{served.port}", "localhost.evil.example", ""):
        assert served.status(path, f"Host: {host}") == 403
    for origin in (f"http://localhost:{served.port + 1}", "https://localhost", "http://evil.example", "null"):
        assert served.status(path, f"Host: {ours}", f"Origin: {origin}") == 403


@pytest.mark.parametrize("path", SOCKETS)
def test_no_socket_opens_for_a_foreign_host_or_a_page_of_another_port(served: Served, path: str) -> None:
    url = f"ws://localhost:{served.port}{path}"
    for origin in (f"http://localhost:{served.port + 1}", f"http://127.0.0.1:{served.port}", "http://evil.example"):
        with pytest.raises(InvalidStatus) as refused, connect(url, additional_headers={"Origin": origin}):
            pass
        assert refused.value.response.status_code == 403
        assert b"pages of this site" in refused.value.response.body
    with served.head(
        f"GET {path}",
        f"Host: evil.example:{served.port}",
        f"Origin: http://evil.example:{served.port}",
        *("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
        f"Sec-WebSocket-Key: {'A' * 22}==",
    ) as opened:
        assert opened.makefile("rb").readline().split()[1] == b"403"


def test_the_pages_socket_opens_for_a_page_of_this_site(served: Served) -> None:
    ours = f"localhost:{served.port}"
    with connect(f"ws://{ours}/_stcore/stream", origin=f"http://{ours}", subprotocols=["streamlit"]):
        pass


def test_half_sent_requests_end_and_keep_nobody_out(served: Served) -> None:
    with connect(f"ws://localhost:{served.port}/_stcore/stream", subprotocols=["streamlit"]) as page:
        lines = [socket.create_connection(("127.0.0.1", served.port), timeout=60) for _ in range(60)]
        for number, line in enumerate(lines):
            line.sendall([b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "][number % 3])
        assert served.status("/", f"Host: localhost:{served.port}") == 200
        for line in lines:
            with line, contextlib.suppress(ConnectionError):
                assert line.recv(1) == b""
        # A page that is open, and came before them, has no such time to keep.
        assert page.ping().wait(60)


def test_forged_addresses_are_counted_together_and_lock_nobody_out(served: Served) -> None:
    def enter(key: str, address: str) -> tuple[int, bytes]:
        headers = [
            f"Host: localhost:{served.port}",
            "X-GANscope: 1",
            f"X-Forwarded-For: {address}",
            "Connection: close",
        ]
        with served.head("POST /class/teacher/enter", *headers, f"Content-Length: {len(key)}") as line:
            line.sendall(key.encode())
            answer = line.makefile("rb").read()
        return int(answer.split()[1]), answer

    told = [enter(f"guess {number}", f"10.1.{number}.1") for number in range(TRIES_IN_ALL + 20)]
    assert {status for status, _ in told} == {403}
    assert sum(b"not the teacher's link" in answer for _, answer in told) == TRIES_IN_ALL
    right = (served.store / LINK_FILE).read_text().strip().partition("#")[2]
    assert enter(right, "10.1.1.1")[0] == 200

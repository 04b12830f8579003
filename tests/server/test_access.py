"""What counts as one address, and how a stranger is turned away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gan_core.server.access import THIS_MACHINE, OurSite, Refused, check_site, network_of


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("127.0.0.1", THIS_MACHINE),
        ("127.9.9.9", THIS_MACHINE),
        ("::1", THIS_MACHINE),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:127.0.0.1", THIS_MACHINE),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a name", "a name"),
        ("", ""),
    ],
)
def test_an_address_is_a_host_or_a_network_of_ipv6(host: str, expected: str) -> None:
    assert network_of(host) == expected


@pytest.mark.parametrize(
    ("allowed", "headers"),
    [
        (["*"], {}),
        (["*"], {"host": ":8501"}),
        (["class.example"], {"host": "evilclass.example"}),
        (["*.lab.example"], {"host": "lab.example"}),
        (["*"], {"host": "localhost", "origin": "ftp://localhost"}),
        (["*"], {"host": "localhost", "origin": "localhost"}),
    ],
)
def test_what_only_looks_like_ours_is_refused(allowed: list[str], headers: dict[str, str]) -> None:
    with pytest.raises(Refused):
        check_site(Headers(headers), allowed)


def test_a_star_alone_lets_every_name_in() -> None:
    check_site(Headers({"host": "any.example:8501", "origin": "http://any.example:8501"}), ["*"])


def test_an_address_of_ipv6_may_be_allowed_without_its_brackets() -> None:
    check_site(Headers({"host": "[fd00::1]:8501", "origin": "http://[fd00::1]:8501"}), ["FD00::1"])


@pytest.mark.parametrize("extensions", [{}, {"websocket.http.response": {}}])
def test_a_strange_socket_is_turned_away_whatever_the_server_can_say(extensions: dict[str, Any]) -> None:
    reached: list[str] = []
    said: list[dict[str, Any]] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def asked(host: bytes) -> None:
        scope = {"type": "websocket", "headers": [(b"host", host)], "extensions": extensions}
        await OurSite(inner, lambda: ["class.example"])(scope, receive, send)

    asyncio.run(asked(b"evil.example"))
    assert reached == []
    assert said[0]["type"] == ("websocket.http.response.start" if extensions else "websocket.close")
    assert said[0].get("status", 403) == 403
    asyncio.run(asked(b"class.example:8501"))
    assert reached == ["websocket"]


def test_the_lifespan_is_nobodys_request() -> None:
    app = Starlette(middleware=[Middleware(OurSite, allowed_hosts=list)])
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/").status_code == 404
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://localhost/x"):
            pass

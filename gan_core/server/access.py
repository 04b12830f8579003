"""Who may ask at all: a Host that is ours, an Origin that is the same site; and who may read a run: a ticket for it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from gan_core.server.tickets import Tickets

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")

THIS_MACHINE = "127.0.0.1"

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Refused(Exception):
    """Access denied; the text is the one sentence that the client gets."""


def check_site(headers: Headers, allowed_hosts: Iterable[str]) -> None:
    """Refuse a Host that is not ours (DNS rebinding) and an Origin that is another site (cross-site WebSockets)."""
    host = headers.get("host", "").lower()
    if not _host_allowed(_hostname(host), allowed_hosts):
        raise Refused("This host name is not one that GANscope serves; add it to server.allowedHosts.")
    origin = headers.get("origin")
    if origin is not None and not _same_site(origin.lower(), host):
        raise Refused("Only pages of this site may ask here.")


class OurSite:
    """Refuses strangers on every route, Streamlit's own socket and files included. The first of all middleware."""

    def __init__(self, app: ASGIApp, allowed_hosts: Callable[[], Iterable[str]]) -> None:
        """``allowed_hosts`` adds to localhost, 127.0.0.1 and [::1]."""
        self.app = app
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            try:
                check_site(Headers(scope=scope), self._allowed_hosts())
            except Refused as error:
                await refuse(JSONResponse({"error": str(error)}, status_code=403), scope, receive, send)
                return
        await self.app(scope, receive, send)


async def refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or a WebSocket before it is accepted, with this response and nothing else."""
    if scope["type"] != "websocket":
        await response(scope, receive, send)
        return
    websocket = WebSocket(scope, receive, send)
    if "websocket.http.response" in scope.get("extensions", {}):
        await websocket.send_denial_response(response)
    else:
        await websocket.close()


def network_of(host: str) -> str:
    """An address as far as limits go: of IPv6 the network, in which one host has any number; of this machine `THIS_MACHINE`."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return THIS_MACHINE
    return str(ipaddress.ip_network((address, 64), strict=False) if address.version == 6 else address)


def check_ticket(tickets: Tickets, ticket: str, run: str) -> None:
    """Refuse a request without a valid ticket for the run."""
    if not tickets.valid(ticket, run):
        raise Refused("This page's ticket is missing, wrong or expired; reload the page.")


def _hostname(netloc: str) -> str:
    """The host of ``host:port``, an IPv6 address with its brackets."""
    if netloc.startswith("["):
        return netloc.partition("]")[0] + "]"
    return netloc.partition(":")[0]


def _host_allowed(hostname: str, allowed_hosts: Iterable[str]) -> bool:
    if not hostname:
        return False
    if hostname in LOCAL_HOSTS:
        return True
    for pattern in allowed_hosts:
        allowed = pattern.lower()
        if allowed == "*" or hostname in (allowed, f"[{allowed}]"):
            return True
        if allowed.startswith("*.") and hostname.endswith(allowed[1:]):
            return True
    return False


def _same_site(origin: str, host: str) -> bool:
    """Same host and same port; a port that is the scheme's default may be left out on either side."""
    scheme, separator, netloc = origin.partition("://")
    if not separator or scheme not in _DEFAULT_PORTS:
        return False
    default = _DEFAULT_PORTS[scheme]
    return netloc.removesuffix(default) == host.removesuffix(default)

"""Start and stop: the lab is opened, closed once, and a signal ends the process in time whatever the connections do."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from gan_core.server import lifespan as lifespan_module
from gan_core.server.headers import HEADERS, SecurityHeaders
from gan_core.server.lifespan import lifespan


def opened(open_lab, close_lab, warm_up=lambda: None):
    return lifespan(open_lab, close_lab, warm_up)(None)


@pytest.mark.parametrize("fails", [False, True])
def test_what_the_first_run_needs_is_prepared_beside_the_first_page(fails: bool, caplog) -> None:
    began, go_on = threading.Event(), threading.Event()

    def warm_up() -> None:
        began.set()
        assert go_on.wait(60)
        if fails:
            raise OSError("no digits")

    async def scene() -> None:
        async with opened(lambda: None, lambda timeout: None, warm_up):
            assert began.wait(60), "and the server is up meanwhile"
            go_on.set()
            for thread in threading.enumerate():
                if thread.name == "warming":
                    thread.join(30)

    asyncio.run(scene())
    assert ("no digits" in caplog.text) is fails


def test_what_is_left_is_tended_again_and_again_though_it_fails(monkeypatch) -> None:
    monkeypatch.setattr(lifespan_module, "TEND_SECONDS", 0.001)
    tended: list[threading.Thread] = []
    enough = asyncio.Event()

    def tend() -> None:
        tended.append(threading.current_thread())
        if len(tended) == 3:
            enough.set()
        raise OSError("no handle")

    async def scene() -> None:
        async with lifespan(lambda: None, lambda timeout: None, lambda: None, tend=tend)(None):
            await asyncio.wait_for(enough.wait(), 30)

    asyncio.run(scene())
    assert set(tended) == {threading.current_thread()}


def test_the_lab_is_opened_and_closed_once_with_its_time() -> None:
    calls: list[object] = []
    frozen = gc.get_freeze_count()

    async def scene() -> None:
        async with opened(lambda: calls.append("open") or "the lab", calls.append) as state:
            assert state == {"lab": "the lab"}
            assert calls == ["open"]
            assert gc.get_freeze_count() > frozen

    asyncio.run(scene())
    assert calls == ["open", 9.0]


def test_the_signal_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    async def scene() -> None:
        async with opened(lambda: None, lambda timeout: None):
            assert signal.getsignal(signal.SIGTERM) is not before[0]

    asyncio.run(scene())
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_the_lab_is_closed_when_the_application_fails() -> None:
    closed: list[float] = []

    async def scene() -> None:
        async with opened(lambda: None, closed.append):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        asyncio.run(scene())
    assert closed == [9.0]


SERVER = """
    import asyncio, sys, time
    from gan_core.server.lifespan import lifespan

    def close(timeout):
        time.sleep(0.3)
        print("saved", flush=True)

    async def main():
        async with lifespan(lambda: None, close, lambda: None)(None):
            print("ready", flush=True)
            await asyncio.Event().wait()  # a server that waits for a connection which never ends

    import signal
    signal.signal(signal.{name}, lambda number, frame: None)  # as uvicorn: only takes note
    asyncio.run(main())
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_saves_and_ends_even_if_a_connection_never_does(root: Path, name: str) -> None:
    code = textwrap.dedent(SERVER).replace("{name}", name)
    process = subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, getattr(signal, name))
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert rest == "saved\n"
    assert process.returncode == 0


def test_security_headers_are_on_every_response_and_give_way() -> None:
    async def own(request: object) -> Response:
        return PlainTextResponse("x", headers={"Referrer-Policy": "no-referrer"})

    app = Starlette(routes=[Route("/own", own)], middleware=[Middleware(SecurityHeaders)])
    with TestClient(app) as client:
        for answer in (client.get("/own"), client.get("/missing")):
            assert {name.lower() for name in HEADERS} <= set(answer.headers)
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert client.get("/own").headers["referrer-policy"] == "no-referrer"
        assert len(client.get("/own").headers.get_list("referrer-policy")) == 1

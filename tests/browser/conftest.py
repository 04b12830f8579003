"""A real server in a process of its own, and a real browser."""

from __future__ import annotations

import os
import shutil
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
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Server:
    url: str
    process: subprocess.Popen[bytes]
    store: Path
    log: Path
    settings: dict[str, str]

    def stop(self, timeout: float = 15.0) -> float:
        """SIGTERM; returns the seconds it took to end."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout)
        return time.monotonic() - started

    def start_again(self) -> Server:
        """Another server over the same store."""
        return start_server(self.store, **self.settings)


def browser_path() -> str | None:
    """The browser that the Makefile found, else one on the path, else Playwright's own (None)."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("GANSCOPE_BROWSER") or next((path for name in names if (path := shutil.which(name))), None)


def start_server(store: Path, **settings: str) -> Server:
    """``settings`` are those of the environment: ``executor="thread"`` is GANSCOPE_EXECUTOR."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = store.parent / f"server-{port}.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={
            **os.environ,
            "GANSCOPE_STORE": str(store),
            **{f"GANSCOPE_{name.upper()}": value for name, value in settings.items()},
        },
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    url = f"http://localhost:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).read()
            return Server(url, process, store, log, settings)
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.25)
    process.kill()
    raise AssertionError(f"the server did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, digits_classifier: Path) -> Path:
    """A store with the frozen classifier ready, as `make run` leaves it."""
    root = tmp_path_factory.mktemp("browser") / "runs"
    shutil.copytree(digits_classifier, root / "cache")
    return root


@pytest.fixture(scope="module")
def server(store: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Its runs train in threads, which start in no time, where the module's ``SETTINGS`` do not say otherwise."""
    running = start_server(store, **{"executor": "thread", **getattr(request.module, "SETTINGS", {})})
    yield running
    if running.process.poll() is None:
        running.stop()


# Not for the session: while Playwright is open its event loop runs in this thread, and other tests need their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page at 1280 × 800 that fails the test on any script error, and on any request to another host."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on(
        "request", lambda request: faults.append(f"foreign request: {request.url}") if _foreign(request.url) else None
    )
    yield page
    context.close()
    assert faults == []


def _foreign(url: str) -> bool:
    return not url.startswith(("http://localhost:", "ws://localhost:", "data:", "blob:"))

"""A real server in a process of its own, and a real browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from driving import faults_of
from forking import TEXT, begun
from holding import Hold
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright
from ports import free_port

from gan_core.engine.programs import Program

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "failures"
PATIENCE_MS = 60_000
LAST = 20  # lines of a console or a log that are printed
# Whether Streamlit runs a script, how many elements are of the run before, and each fault that is shown.
SHOWN_FAULTS = """() => [`script ${document.querySelector("[data-testid=stApp]")?.dataset.testScriptState}, stale ${
    document.querySelectorAll("[data-stale=true]").length}`,
  ...[...document.querySelectorAll("[data-testid=stException], [role=alert], [role=dialog]")].map(one => one.innerText.trim())
].filter(Boolean)"""
STREAMLIT = """
import os, sys
from streamlit.web.cli import main
os.dup2(2, 1)
sys.exit(main(sys.argv[1:], prog_name="streamlit"))
"""
CONSOLE: dict[BrowserContext, list[str]] = {}
SERVERS: list[Server] = []
LEFT: list[int] = []  # ports of servers that have ended: what the browser compiled of one's scripts serves the next


@dataclass
class Server:
    url: str
    process: Program
    store: Path
    log: Path
    settings: dict[str, str]
    hold: Hold

    def stop(self, timeout: float = 60.0) -> None:
        """SIGTERM, and wait until it has ended."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout)
        LEFT.append(int(self.url.rpartition(":")[2]))

    def start_again(self) -> Server:
        """Another server over the same store, as a user has it."""
        return start_server(self.store, forked=False, **self.settings)


def browser_path() -> str | None:
    """The browser that the Makefile found, else one on the path, else Playwright's own (None)."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("GANSCOPE_BROWSER") or next((path for name in names if (path := shutil.which(name))), None)


def start_server(store: Path, forked: bool = True, first: str = "", **settings: str) -> Server:
    """``settings`` are those of the environment: ``executor="thread"`` is GANSCOPE_EXECUTOR. Its runs can be held.

    Forked it is there sooner, and may run some Python ``first``; else it starts as a user's, with an interpreter of its own.
    """
    port = free_port(*([LEFT.pop()] if LEFT else []))
    log = store.parent / f"server-{port}.log"
    hold = Hold(store.parent)
    words = ["run", "app.py", "--server.port", str(port)]
    environment = {
        "GANSCOPE_STORE": str(store),
        "GANSCOPE_FAILPOINTS": hold.variable,
        **{f"GANSCOPE_{name.upper()}": value for name, value in settings.items()},
    }
    with log.open("wb") as out:
        process: Program = (
            begun(TEXT, first + STREAMLIT, *words, errors=out, **environment)
            if forked
            else subprocess.Popen(
                [sys.executable, "-m", "streamlit", *words],
                cwd=ROOT,
                env=os.environ | environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        )
    url = f"http://localhost:{port}"
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).read()
            SERVERS.append(Server(url, process, store, log, settings, hold))
            return SERVERS[-1]
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"the server did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, prepared: Callable[[Path], Path]) -> Iterator[Server]:
    """One server for all modules that ask for no ``SETTINGS``; its runs train in threads, which start in no time."""
    running = start_server(prepared(tmp_path_factory.mktemp("shared") / "runs"), executor="thread")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, prepared: Callable[[Path], Path]
) -> Path:
    """The store of this module's server: one of its own where the module has ``SETTINGS``."""
    if not hasattr(request.module, "SETTINGS"):
        return Path(request.getfixturevalue("shared").store)
    return prepared(tmp_path_factory.mktemp("browser") / "runs")


@pytest.fixture(scope="module")
def server(store: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """The module's server; runs of the shared one that a module leaves behind are let go by the next."""
    if not hasattr(request.module, "SETTINGS"):
        yield request.getfixturevalue("shared")
        return
    running = start_server(store, **{"executor": "thread", **request.module.SETTINGS})
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture
def own_server(tmp_path: Path, prepared: Callable[[Path], Path]) -> Iterator[Server]:
    """A server that a test may end, as a user has it."""
    running = start_server(prepared(tmp_path / "runs"), executor="auto", forked=False)
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture
def hold(server: Server) -> Iterator[Hold]:
    """``hold.at(30)``: every run of the server plays to round 30 and waits there, obeying commands."""
    yield server.hold
    server.hold.let_go()


class Browsing:
    """One browser for the modules that follow each other, and a profile in it that each finds as good as new."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._browser: Browser | None = None
        self._profile: BrowserContext | None = None

    @property
    def browser(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            self.close()
            playwright = self._open.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(
                executable_path=browser_path(), args=["--no-sandbox", "--process-per-site"]
            )
            self._open.callback(self._browser.close)
            expect.set_options(timeout=PATIENCE_MS)
            self._browser.new_context = partial(_told, self._browser.new_context)  # type: ignore[method-assign]
        return self._browser

    @property
    def profile(self) -> BrowserContext:
        if self._profile is None:
            self._profile = kept_warm(self.browser.new_context(viewport={"width": 1280, "height": 800}))
        return self._profile

    def forget(self) -> None:
        """What a module left: its contexts, and in the profile its tabs, cookies, permissions and what pages stored."""
        if self._browser is None or not self._browser.is_connected():
            return
        for context in self._browser.contexts:
            if context is not self._profile:
                context.close()
                CONSOLE.pop(context, None)
        if self._profile is not None:
            warm, *left = self._profile.pages
            for page in left:
                page.close()
            self._profile.clear_cookies()
            self._profile.clear_permissions()
            devtools = self._profile.new_cdp_session(warm)
            for server in SERVERS:
                devtools.send("Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": "local_storage"})
            devtools.detach()
            CONSOLE[self._profile].clear()

    def close(self) -> None:
        """While Playwright is open its event loop runs in this thread, and tests without a browser need their own."""
        self._open.close()
        self._browser = self._profile = None
        CONSOLE.clear()


BROWSING = Browsing()


def _told(made: Callable[..., BrowserContext], **options: Any) -> BrowserContext:
    """A new context whose console is kept."""
    context = made(**options)
    context.set_default_timeout(PATIENCE_MS)
    CONSOLE[context] = said = []
    context.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    context.on("weberror", lambda error: said.append(f"script error: {error.error}"))
    return context


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    try:
        yield
    finally:
        if nextitem is None or nextitem.get_closest_marker("browser") is None:
            BROWSING.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield BROWSING.browser
    BROWSING.forget()


def kept_warm(context: BrowserContext) -> BrowserContext:
    """One empty tab keeps the process of all others alive, in which the scripts of the pages are compiled: seconds each."""
    empty = context.new_page()
    empty.route("**", lambda route: route.fulfill(body=""))
    empty.goto("http://localhost")
    return context


@pytest.fixture(scope="module")
def profile(browser: Browser) -> BrowserContext:
    """Whose tabs share cookies and what was loaded once."""
    return BROWSING.profile


@pytest.fixture
def page(profile: BrowserContext, server: Server) -> Iterator[Page]:
    """A tab at 1280 × 800 that fails the test on any script error, and on any request to another host."""
    page = profile.new_page()
    faults = faults_of(page)
    yield page
    page.close()
    assert faults == []


# -- what is kept of a test that failed ---------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and report.when in ("setup", "call"):
        folder = KEPT / re.sub(r"[^\w.-]+", "_", item.nodeid.rpartition("/")[2])
        report.sections.append(("kept of this failure", "\n".join(_keep(folder)) or "nothing"))
        report.sections.append(("what was said last", "\n".join(_said()) or "nothing"))
    return report


def _keep(folder: Path) -> list[str]:
    """The picture, the HTML and the console of each page that is open, and the log of each server that runs."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, (context, said) in enumerate(CONSOLE.items()):
        for page in context.pages:
            name = f"{number}-{context.pages.index(page)}"
            with suppress(Error):
                (folder / f"{name}.html").write_text(f"<!-- {page.url} -->\n{page.content()}", "utf-8")
                page.screenshot(path=folder / f"{name}.png", timeout=10_000)
            (folder / f"{name}.console").write_text("\n".join(said), "utf-8")
    for server in SERVERS:
        if server.process.poll() is None:
            shutil.copy(server.log, folder / server.log.name)
    return [str(path.relative_to(ROOT)) for path in sorted(folder.iterdir())]


def _said() -> list[str]:
    """What a reader of the output alone has of it: the faults that each open page shows, and the last lines of its console and
    of the log of each server that runs."""
    told = []
    for context, said in CONSOLE.items():
        for page in context.pages:
            told.append(page.url)
            with suppress(Error):
                told += page.evaluate(SHOWN_FAULTS)
        told += said[-LAST:]
    for server in SERVERS:
        if server.process.poll() is None:
            told += [server.url, *server.log.read_text("utf-8", "replace").splitlines()[-LAST:]]
    return told

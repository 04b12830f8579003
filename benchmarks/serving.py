"""What every bench with a server shares: the server in a process of its own, a browser, and a sentence about the machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch

ROOT = Path(__file__).resolve().parent.parent
REPLY = "@@"


def parse_or_serve(parser: argparse.ArgumentParser, serve: Callable[[Path, int], None]) -> argparse.Namespace:
    """What the bench is asked for; called as `Dashboard` calls it, it serves instead, and ends with the server."""
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve, options.port)
        sys.exit(0)
    return options


def serve(root: Path, port: int, carry_out: Callable[..., dict[str, Any]]) -> None:
    """`app.py` with a hand on its lab: ``carry_out(do, **details)`` is called in this process for every `Dashboard.ask`."""
    os.environ["GANSCOPE_STORE"] = str(root)
    os.chdir(ROOT)
    from app import app

    threading.Thread(target=_obey, args=(carry_out,), daemon=True).start()
    app.run(config={"server.port": port})


def _obey(carry_out: Callable[..., dict[str, Any]]) -> None:
    for line in sys.stdin:
        try:
            answer = carry_out(**json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(REPLY + json.dumps(answer), flush=True)


def cpu_seconds() -> float:
    """What this process and its children have used so far."""
    process = psutil.Process()
    times = [one.cpu_times() for one in (process, *process.children())]
    return sum(time.user + time.system for time in times)


class Dashboard:
    """The server's process, seen from here."""

    def __init__(self, root: Path, script: str) -> None:
        """``script`` is called with ``--serve ROOT --port PORT``, and calls `serve`."""
        self.port = free_port()
        self._log = open(root / "server.log", "a")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, script, "--serve", str(root), "--port", str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            until_it_answers(self.port, self._process)
        except RuntimeError as error:
            raise RuntimeError(f"{error}; see {self._log.name}") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, do: str, **details: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **details}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith(REPLY):
                answer: dict[str, Any] = json.loads(line[len(REPLY) :])
                if "error" in answer:
                    raise RuntimeError(f"the dashboard could not {do}: {answer['error']}")
                return answer
        raise RuntimeError(f"the dashboard died; see {self._log.name}")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(15)
        self._log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_it_answers(port: int, process: subprocess.Popen[Any]) -> None:
    """Wait for a server. Raises RuntimeError where it ends, or does not answer within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError("the dashboard did not start")


@contextmanager
def application(folder: Path) -> Iterator[str]:
    """The real application in a process of its own, its store under ``folder``; gives its address. Where the block fails, the
    end of the server's log is printed.
    """
    port, log = free_port(), folder / "server.log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env={**os.environ, "GANSCOPE_STORE": str(folder / "runs")},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        until_it_answers(port, server)
        yield f"http://localhost:{port}"
    except Exception:
        print(log.read_text(errors="replace")[-3000:], file=sys.stderr)
        raise
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


class WatchPage:
    """The run's Watch page in a real browser, which must really draw."""

    LAST = """() => {
        const chart = document.querySelector('[data-testid="loss-chart"] .js-plotly-plot')
        const rounds = ((chart && chart.data) || []).map(({ x }) => (x && x.length ? x[x.length - 1] : -1))
        return [Date.now() / 1000, Math.max(-1, ...rounds)]
    }"""

    def __init__(self, browser: Any, url: str) -> None:
        self._page = browser.new_page(viewport={"width": 1280, "height": 900})
        self._url = url

    def open(self) -> None:
        self._page.goto(self._url)
        deadline = time.monotonic() + 60
        while self.last_round_drawn() < 0:
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"the page shows no curve after a minute, but: {self._page.inner_text('body')[:500]}"
                )
            time.sleep(0.2)

    def look(self) -> tuple[float, int]:
        """The browser's time and the last round that is drawn then, -1 for none."""
        at, shown = self._page.evaluate(self.LAST)
        return float(at), int(shown)

    def last_round_drawn(self) -> int:
        return self.look()[1]

    def loaded_at(self) -> float:
        """A moment that changes when the page is loaded again."""
        return float(self._page.evaluate("performance.timeOrigin"))

    def leave(self) -> None:
        self._page.goto("about:blank")

    def close(self) -> None:
        self._page.close()


def find_browser() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("GANSCOPE_BROWSER") or next(filter(None, map(shutil.which, names)), None)
    if not found:
        raise SystemExit("The benchmark needs Chromium or Chrome: install one, or set GANSCOPE_BROWSER to its path.")
    return found


@contextmanager
def open_browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments)
        yield browser
        browser.close()


def signed(command: str, load: list[tuple[float, float, float]]) -> list[str]:
    """The last lines of a document: the command that wrote it, and what it was measured on."""
    return ["", f"`{command}`", "", machine(load), ""]


def machine(load: list[tuple[float, float, float]]) -> str:
    """What it was measured on; ``load`` are the load averages before and after."""
    loads = ", ".join(" ".join(f"{value:.1f}" for value in moment) for moment in load)
    return (
        f"{psutil.cpu_count()} cores ({processor()}), {psutil.virtual_memory().total / 2**30:.0f} GiB; "
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}. "
        f"Load averages (1, 5, 15 minutes) before and after: {loads}."
        + (f" Run with niceness {os.nice(0)}, because other work shared the machine." if os.nice(0) else "")
    )


def processor() -> str:
    """The name of the processor, as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()

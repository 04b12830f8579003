"""A lab in memory: what the routes need of the engine, and nothing that trains."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from gan_core.server.access import OurSite
from gan_core.server.live import routes
from gan_core.server.tickets import Tickets, open_tickets
from gan_core.store import RunNotFound, StoreError

PNG = b"\x89PNG\r\n\x1a\n not really"


class FakeView:
    """A live view whose cursor moves when a test says so."""

    def __init__(self, run: str) -> None:
        self.run, self.cursor, self.active = run, 3, True
        self.last = self._message(full=False)
        self.snapshots = 0
        self.callbacks: list[Callable[[], None]] = []

    def _message(self, *, full: bool) -> bytes:
        return json.dumps({"run": self.run, "cursor": self.cursor, "full": full}).encode()

    def snapshot(self) -> bytes:
        self.snapshots += 1
        return self._message(full=True)

    def delta(self, since: int) -> bytes | None:
        assert since <= self.cursor, "a cursor that this view never had"
        if since == self.cursor:
            return None
        return self.last if since == self.cursor - 1 else self.snapshot()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def advance(self, ticks: int = 1, *, tell: bool = True) -> None:
        for _ in range(ticks):
            self.cursor += 1
            self.last = self._message(full=False)
        if tell:
            for callback in list(self.callbacks):
                callback()


class FakeStore:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[tuple[str, str]] = []

    def artefact_path(self, run_id: str, name: str) -> Path:
        self.asked.append((run_id, name))
        path = self.root / run_id / name
        if not path.is_file():
            raise StoreError(f"The run has no file {name}.")
        return path


class FakeLab:
    def __init__(self, root: Path) -> None:
        self.store = FakeStore(root)
        self.views = {"live-run": FakeView("live-run"), "other": FakeView("other")}
        self.asked: list[str] = []
        self.recent_calls = 0

    def view(self, run_id: str) -> FakeView:
        self.asked.append(run_id)
        if run_id not in self.views:
            raise RunNotFound(run_id)
        return self.views[run_id]

    def recent(self, limit: int = 8) -> list[dict[str, Any]]:
        self.recent_calls += 1
        rows = [
            {"id": run, "name": run, "state": "running", "round": 1, "rounds": 9, "thumb": None} for run in self.views
        ]
        return rows[:limit]


@pytest.fixture
def lab(tmp_path: Path) -> FakeLab:
    (tmp_path / "live-run").mkdir()
    (tmp_path / "live-run" / "grid-abc123.png").write_bytes(PNG)
    (tmp_path / "live-run" / "points-abc123.json").write_text('{"fake": []}')
    (tmp_path / "live-run" / "notes.html").write_text("<script>")
    (tmp_path / "secret.json").write_text("{}")
    return FakeLab(tmp_path)


@pytest.fixture
def tickets(lab: FakeLab) -> Tickets:
    return open_tickets(lab.store.root)


@pytest.fixture
def client(lab: FakeLab) -> Iterator[TestClient]:
    ours = Middleware(OurSite, allowed_hosts=lambda: ["class.example", "*.lab.example"])
    app = Starlette(routes=routes(lambda: lab), middleware=[ours])
    with TestClient(app, base_url="http://localhost:8501") as client:
        yield client

"""The live routes: who gets in, what they get, and that nobody holds up anybody."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from waiting import until

from gan_core.server import live
from gan_core.server.assets import PLOTLY_PATH, plotly_js, script_routes
from gan_core.server.bell import Bells
from gan_core.server.tickets import WINDOW, Tickets

HOSTILE = ["...", "%2e%2e", "a b", "x\x00y", "run'--", "é", "a" * 200, "-rf", ".hidden", "con/../x"]


@pytest.fixture
def ticket(tickets: Tickets) -> str:
    return tickets.mint("live-run")


def connect(client: TestClient, path: str, **extra: Any) -> Any:
    """A socket to localhost: the client of Starlette would say ``testserver``, which is refused before all else."""
    return client.websocket_connect(f"ws://localhost:8501{path}", **extra)


def message(socket: Any) -> dict[str, Any]:
    received: dict[str, Any] = json.loads(socket.receive_bytes())
    return received


# -- polling ------------------------------------------------------------------------------------------------------


def test_state_is_the_snapshot_then_the_delta_then_nothing(client: TestClient, lab: Any, ticket: str) -> None:
    url = f"/live/live-run/state?ticket={ticket}"
    first = client.get(url)
    assert first.status_code == 200
    assert first.json() == {"run": "live-run", "cursor": 3, "full": True}
    assert first.headers["cache-control"] == "no-store"
    assert client.get(f"{url}&since=2").content == lab.views["live-run"].last
    nothing = client.get(f"{url}&since=3")
    assert nothing.status_code == 204
    assert nothing.content == b""
    assert client.get(f"{url}&since=0").json()["full"] is True


def test_a_cursor_from_before_a_restart_gets_the_snapshot(client: TestClient, ticket: str) -> None:
    assert client.get(f"/live/live-run/state?ticket={ticket}&since=900").json()["full"] is True


@pytest.mark.parametrize("since", ["x", "1.5", "", "9" * 40, "1;drop", "１"])
def test_a_since_that_is_no_number_is_said_in_a_sentence(client: TestClient, ticket: str, since: str) -> None:
    answer = client.get("/live/live-run/state", params={"ticket": ticket, "since": since})
    assert answer.status_code == 400
    assert "whole number" in answer.json()["error"]


# -- who gets in --------------------------------------------------------------------------------------------------

PATHS = ["/live/live-run/state", "/live/live-run/artefact/grid-abc123.png", "/live/recent"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", ["none", "forged", "expired", "of another run"])
def test_every_live_route_wants_a_valid_ticket(client: TestClient, tickets: Tickets, path: str, kind: str) -> None:
    bad = {
        "none": "",
        "forged": tickets.mint("live-run")[:-2] + "zz",
        "expired": tickets.mint("live-run", now=time.time() - 3 * WINDOW),
        "of another run": tickets.mint("other"),
    }[kind]
    answer = client.get(path, params={"ticket": bad} if bad else {})
    assert answer.status_code == 403
    assert answer.json()["error"].endswith("reload the page.")
    with pytest.raises(WebSocketDenialResponse) as refused, connect(client, f"/live/live-run?ticket={bad}"):
        pass
    assert refused.value.status_code == 403
    assert "ticket" in refused.value.json()["error"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost:9999",
        "https://localhost",
        "null",
        "localhost:8501",
        "http://localhost:8501.evil.example",
    ],
)
def test_a_page_of_another_site_is_refused(client: TestClient, tickets: Tickets, path: str, origin: str) -> None:
    ticket = tickets.mint("*")
    answer = client.get(path, params={"ticket": ticket}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "this site" in answer.json()["error"]
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        connect(client, f"/live/live-run?ticket={ticket}", headers={"Origin": origin}),
    ):
        pass
    assert refused.value.status_code == 403
    assert "this site" in refused.value.json()["error"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host",
    ["evil.example:8501", "localhost.evil.example", "169.254.1.1", "", "lab.example.evil", "class.example.evil:80"],
)
def test_a_foreign_host_is_refused(client: TestClient, tickets: Tickets, path: str, host: str) -> None:
    """DNS rebinding: the attacker's name resolves to us, and his page is then of the same origin as he says."""
    headers = {"Host": host, "Origin": f"http://{host}"}
    answer = client.get(path, params={"ticket": tickets.mint("*")}, headers=headers)
    assert answer.status_code == 403
    assert "host name" in answer.json()["error"]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8501", "http://localhost:8501"),
        ("127.0.0.1:8501", "http://127.0.0.1:8501"),
        ("[::1]:8501", "http://[::1]:8501"),
        ("class.example", "https://class.example"),
        ("class.example:443", "https://class.example"),
        ("a.lab.example", "http://a.lab.example:80"),
        ("LOCALHOST:8501", "http://localhost:8501"),
        ("localhost:8501", None),
    ],
)
def test_our_own_pages_come_in(client: TestClient, ticket: str, host: str, origin: str | None) -> None:
    headers = {"Host": host} | ({"Origin": origin} if origin else {})
    assert client.get(f"/live/live-run/state?ticket={ticket}", headers=headers).status_code == 200
    with connect(client, f"/live/live-run?ticket={ticket}", headers=headers) as socket:
        assert message(socket)["full"] is True


def test_an_unknown_run_is_a_sentence(client: TestClient, tickets: Tickets) -> None:
    answer = client.get(f"/live/nobody/state?ticket={tickets.mint('*')}")
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is no run 'nobody' in this lab."}
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        connect(client, f"/live/nobody?ticket={tickets.mint('*')}"),
    ):
        pass
    assert refused.value.status_code == 404


@pytest.mark.parametrize("run", HOSTILE)
def test_a_hostile_run_id_never_reaches_the_lab(client: TestClient, lab: Any, tickets: Tickets, run: str) -> None:
    for path in (f"/live/{quote(run, safe='')}/state", f"/live/{quote(run, safe='')}/artefact/grid-abc123.png"):
        answer = client.get(path, params={"ticket": tickets.mint("*")})
        assert answer.status_code == 404
        assert set(answer.json()) == {"error"}
    assert lab.asked == []
    assert lab.store.asked == []


@pytest.mark.parametrize("run", ["..", ".", "", "a/b", "../x", "a\n"])
def test_what_no_client_lets_out_is_no_run_id_either(run: str) -> None:
    assert not live.RUN_ID.fullmatch(run)


def test_a_failure_of_the_lab_is_not_told_to_the_client(
    client: TestClient, lab: Any, ticket: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(run: str) -> None:
        raise OSError("disk /home/teacher/runs is broken")

    monkeypatch.setattr(lab, "view", broken)
    answer = client.get(f"/live/live-run/state?ticket={ticket}")
    assert answer.status_code == 500
    assert "teacher" not in answer.text
    assert "A live route failed." in caplog.text
    assert "disk /home/teacher/runs is broken" in caplog.text


# -- artefacts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"), [("grid-abc123.png", "image/png"), ("points-abc123.json", "application/json")]
)
def test_artefacts_may_be_kept_for_ever(client: TestClient, ticket: str, name: str, kind: str) -> None:
    answer = client.get(f"/live/live-run/artefact/{name}?ticket={ticket}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == kind
    assert "immutable" in answer.headers["cache-control"]
    assert "private" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


HOSTILE_NAMES = [
    *("notes.html", "secret", ".png", "a.png.html", "a.svg", "a.PNG", "-.png", "x" * 300 + ".png"),
    *("..%2fsecret.json", "%2e%2e%2fsecret.json", "a%00.png", "%5c..%5cx.json", "a.png%0a"),
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_artefact_name_never_reaches_the_store(client: TestClient, lab: Any, ticket: str, name: str) -> None:
    answer = client.get(f"/live/live-run/artefact/{name}?ticket={ticket}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error"}
    assert lab.store.asked == []


def test_a_missing_artefact_is_a_sentence(client: TestClient, ticket: str) -> None:
    answer = client.get(f"/live/live-run/artefact/grid-ffffff.png?ticket={ticket}")
    assert answer.status_code == 404
    assert answer.json()["error"].endswith(".")


def test_a_file_that_goes_while_it_is_asked_for_is_a_sentence(
    client: TestClient, lab: Any, ticket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lab.store, "artefact_path", lambda _, name: tmp_path / name)
    answer = client.get(f"/live/live-run/artefact/grid-ffffff.png?ticket={ticket}")
    assert (answer.status_code, answer.json()) == (404, {"error": "There is no such file."})


# -- recent -------------------------------------------------------------------------------------------------------


def test_recent_is_read_once_for_a_whole_class(client: TestClient, lab: Any, tickets: Tickets) -> None:
    url = f"/live/recent?ticket={tickets.mint('*')}"
    answers = [client.get(url) for _ in range(30)]
    assert {len(answer.json()["runs"]) for answer in answers} == {2}
    assert lab.recent_calls <= 2
    assert len(client.get(f"{url}&limit=1").json()["runs"]) == 1


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", ""])
def test_recent_refuses_a_silly_limit(client: TestClient, tickets: Tickets, limit: str) -> None:
    assert client.get("/live/recent", params={"ticket": tickets.mint("*"), "limit": limit}).status_code == 400


def test_a_ticket_for_one_run_does_not_list_the_others(client: TestClient, ticket: str) -> None:
    assert client.get(f"/live/recent?ticket={ticket}").status_code == 403


# -- the stream ---------------------------------------------------------------------------------------------------


def test_a_stream_is_a_snapshot_and_then_each_delta(client: TestClient, lab: Any, ticket: str) -> None:
    view = lab.views["live-run"]
    with connect(client, f"/live/live-run?ticket={ticket}") as socket:
        assert message(socket) == {"run": "live-run", "cursor": 3, "full": True}
        for cursor in (4, 5, 6):
            view.advance()
            assert message(socket) == {"run": "live-run", "cursor": cursor, "full": False}
    until(lambda: not view.callbacks)


def test_a_gap_is_filled_by_a_snapshot(client: TestClient, lab: Any, ticket: str) -> None:
    view = lab.views["live-run"]
    with connect(client, f"/live/live-run?ticket={ticket}") as socket:
        message(socket)
        view.advance(3)
        assert message(socket) == {"run": "live-run", "cursor": 6, "full": True}


def test_a_client_may_ask_for_everything_again(client: TestClient, ticket: str) -> None:
    with connect(client, f"/live/live-run?ticket={ticket}") as socket:
        message(socket)
        socket.send_text("snapshot")
        assert message(socket)["full"] is True
        socket.send_text("rm -rf /")
        socket.send_bytes(b"snapshot")
        assert message(socket)["full"] is True


def test_who_asks_for_a_snapshot_waits_for_no_news(
    client: TestClient, ticket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_AGAIN", 3600.0)
    with connect(client, f"/live/live-run?ticket={ticket}") as socket:
        message(socket)
        time.sleep(2 * live.SNAPSHOT_PAUSE)  # nothing may happen meanwhile
        socket.send_text("snapshot")
        assert message(socket)["full"] is True


def test_a_client_that_asks_all_the_time_gets_few_snapshots(client: TestClient, lab: Any, ticket: str) -> None:
    with connect(client, f"/live/live-run?ticket={ticket}") as socket:
        for _ in range(200):
            socket.send_text("snapshot")
        message(socket)
        message(socket)
        assert lab.views["live-run"].snapshots <= 4


def test_an_ended_run_is_sent_and_closed(client: TestClient, lab: Any, ticket: str) -> None:
    lab.views["live-run"].active = False
    with connect(client, f"/live/live-run?ticket={ticket}") as socket:
        assert message(socket)["full"] is True
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert closed.value.code == 1000


def test_the_last_delta_arrives_before_the_stream_ends(client: TestClient, lab: Any, ticket: str) -> None:
    view = lab.views["live-run"]
    with connect(client, f"/live/live-run?ticket={ticket}") as socket:
        message(socket)
        view.active = False
        view.advance()
        assert message(socket)["cursor"] == 4
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert closed.value.code == 1000
    until(lambda: not view.callbacks)


def test_a_run_that_ends_without_a_word_is_noticed(
    client: TestClient, lab: Any, ticket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_AGAIN", 0.05)
    with connect(client, f"/live/live-run?ticket={ticket}") as socket:
        message(socket)
        lab.views["live-run"].active = False
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert closed.value.code == 1000


# -- many viewers -------------------------------------------------------------------------------------------------


class FakeSocket:
    """A socket as `Viewer` uses it; a slow one takes its messages only when the test lets it."""

    def __init__(self, *, slow: bool = False) -> None:
        self.sent: list[bytes] = []
        self.open = asyncio.Event()
        self.in_flight = self.most_in_flight = 0
        if not slow:
            self.open.set()

    async def send_bytes(self, body: bytes) -> None:
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        await self.open.wait()
        self.sent.append(body)
        self.in_flight -= 1

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def close(self, code: int) -> None:
        return None


async def eventually(condition: Any, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_slow_viewer_holds_up_nobody_and_catches_up_with_a_snapshot(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SNAPSHOT_PAUSE", 0.0)
    view = lab.views["live-run"]

    async def scene() -> None:
        quick, second, slow = FakeSocket(), FakeSocket(), FakeSocket(slow=True)
        bells = Bells()
        tasks = [asyncio.create_task(live.Viewer(one, view, bells).run()) for one in (quick, second, slow)]  # type: ignore[arg-type]
        await eventually(lambda: len(quick.sent) == 1 and len(second.sent) == 1 and slow.in_flight == 1)
        # One call from the thread that records, however many watch.
        assert len(view.callbacks) == 1
        for count in range(2, 7):
            view.advance()
            await eventually(lambda count=count: len(quick.sent) == count and len(second.sent) == count)
        assert slow.sent == []
        assert slow.most_in_flight == 1
        slow.open.set()
        await eventually(lambda: len(slow.sent) == 2)
        assert json.loads(slow.sent[1]) == {"run": "live-run", "cursor": 8, "full": True}
        # The same bytes object for everyone, not a copy for each.
        assert all(one is other for one, other in zip(quick.sent[1:], second.sent[1:], strict=True))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert view.callbacks == []

    asyncio.run(scene())


def test_a_viewer_that_takes_nothing_is_dropped(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SEND_TIMEOUT", 0.05)
    view = lab.views["live-run"]

    async def scene() -> None:
        await asyncio.wait_for(live.Viewer(FakeSocket(slow=True), view, Bells()).run(), 5)  # type: ignore[arg-type]

    asyncio.run(scene())
    assert view.callbacks == []


@pytest.mark.parametrize("fails", [TimeoutError(), WebSocketDisconnect(), RuntimeError("closed")], ids=repr)
def test_a_viewer_who_has_gone_is_left_in_peace(fails: Exception, lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    view = lab.views["live-run"]
    socket = FakeSocket()
    monkeypatch.setattr(socket, "send_bytes", AsyncMock(side_effect=fails))
    asyncio.run(asyncio.wait_for(live.Viewer(socket, view, Bells()).run(), 60))  # type: ignore[arg-type]
    assert view.callbacks == []


# -- plotly.js ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain() -> bytes:
    return plotly_js()[0]


def test_plotly_is_compressed_once_and_kept(client: TestClient, plain: bytes) -> None:
    with client.stream("GET", PLOTLY_PATH, headers={"Accept-Encoding": "br, gzip"}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert gzip.decompress(body) == plain
    assert len(body) < len(plain) / 3
    assert plotly_js()[1] is plotly_js()[1]


def test_plotly_is_compressed_before_anybody_asks() -> None:
    plotly_js.cache_clear()
    live.warm()
    assert plotly_js.cache_info().currsize == 1


@pytest.mark.parametrize("accepted", ["identity", "", "br", "gzip;q=0", "gzip; q=0.0, br"])
def test_plotly_goes_out_plain_to_who_cannot_unzip(client: TestClient, plain: bytes, accepted: str) -> None:
    with client.stream("GET", PLOTLY_PATH, headers={"Accept-Encoding": accepted}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == "identity"
    assert body == plain


def test_each_script_is_served_at_its_path_and_kept() -> None:
    client = TestClient(Starlette(routes=script_routes("/assets/scripts-1", {"live/a.js": "export const a = 1"})))
    answer = client.get("/assets/scripts-1/live/a.js")
    assert answer.text == "export const a = 1"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    for path in ("/assets/scripts-1/live/b.js", "/assets/scripts-1/", "/assets/scripts-1/../live/a.js"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/assets/plotly-0.0.0.js", "/assets/", "/live/", "/live/live-run/nothing", "/live/a/b/c/d"]
)
def test_below_our_prefixes_an_unknown_address_is_404(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is nothing at this address."}


def test_the_component_loads_the_file_that_the_server_serves() -> None:
    from gan_core.ui.live_view import PLOTLY_URL

    assert PLOTLY_URL == PLOTLY_PATH

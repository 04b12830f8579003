"""The teacher's door and the class's socket: who gets in, what goes out, and that the secret stays where it is."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
from collections.abc import Iterator
from typing import Any, ClassVar
from unittest.mock import AsyncMock

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gan_core.server import class_routes as class_routes_module
from gan_core.server import classroom
from gan_core.server.access import OurSite
from gan_core.server.class_routes import (
    MESSAGES_PER_SECOND,
    MOST_BODY,
    NONSENSE,
    SOCKETS_PER_SECOND,
    TEACHER_COOKIE,
    VIEWER_COOKIE,
    ClassCookies,
    ClassRoutes,
    class_routes,
    obey,
    teaches_here,
)
from gan_core.server.classroom import NOTES_EACH, Classroom
from gan_core.server.names import PER_ADDRESS, Names
from gan_core.server.roles import RateLimit, Visitor

OURS = {"X-GANscope": "1"}
LIVE = "ws://class.example:8501/class/live"


async def page(request: Request) -> Response:
    if "if-none-match" in request.headers:
        return Response(status_code=304)
    return HTMLResponse("<p>a page</p>")


@pytest.fixture
def room() -> Classroom:
    return Classroom(link="http://class.example:8501/")


@pytest.fixture
def client(room: Classroom) -> Iterator[TestClient]:
    yield from serve(room)


def served_by(room: Classroom | None) -> Starlette:
    return Starlette(
        routes=[
            *class_routes(lambda: room),
            Route("/", page),
            Route("/_stcore/upload_file/{rest:path}", page, methods=["PUT", "DELETE"]),
        ],
        middleware=[
            Middleware(OurSite, allowed_hosts=lambda: ["class.example"]),
            Middleware(ClassCookies, room_getter=lambda: room),
        ],
    )


def serve(room: Classroom | None) -> Iterator[TestClient]:
    with TestClient(served_by(room), base_url="http://class.example:8501") as client:
        yield client


def come_in(client: TestClient, room: Classroom) -> None:
    assert client.post("/class/teacher/enter", content=room.key.secret, headers=OURS).status_code == 200


def test_the_key_becomes_a_cookie_that_scripts_cannot_read(client: TestClient, room: Classroom, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    door = client.get("/class/teacher")
    assert door.headers["referrer-policy"] == "no-referrer"
    assert "location.replace" in door.text
    answer = client.post("/class/teacher/enter", content=room.key.secret, headers=OURS)
    cookie = next(text for text in answer.headers.get_list("set-cookie") if text.startswith(TEACHER_COOKIE))
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert room.key.opens(client.cookies[TEACHER_COOKIE])
    told = [
        door.text,
        answer.text,
        str(answer.headers),
        str(door.headers),
        caplog.text,
        *map(str, room.__dict__.items()),
    ]
    assert not any(room.key.secret in text for text in told)
    assert "A teacher has come in" in caplog.text
    assert client.post("/class/leave").status_code == 403, "a form of another site ends no session"
    assert room.key._sessions
    assert client.post("/class/leave", headers=OURS).status_code == 200
    assert not room.key._sessions
    assert TEACHER_COOKIE not in client.cookies


def test_guesses_are_refused_and_then_no_longer_looked_at(client: TestClient, room: Classroom) -> None:
    answers = [client.post("/class/teacher/enter", content=f"g{n}", headers=OURS) for n in range(100)]
    assert {answer.status_code for answer in answers} == {403}
    assert "Too many" in answers[-1].json()["error"]
    assert TEACHER_COOKIE not in client.cookies


def test_of_a_long_body_no_more_is_read_than_a_key_could_need(client: TestClient) -> None:
    said = [
        client.post("/class/teacher/enter", content="x" * length, headers=OURS).json()["error"]
        for length in (MOST_BODY, MOST_BODY + 1)
    ]
    assert said == ["This is not the teacher's link of this start of the server.", "That is too long."]


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({}, None),
        ({**OURS, "Host": "evil.example"}, None),
        ({**OURS, "Origin": "http://evil.example"}, None),
        (OURS, "x" * (MOST_BODY + 1)),
    ],
)
def test_another_site_cannot_knock(client: TestClient, room: Classroom, headers: dict[str, str], content: Any) -> None:
    answer = client.post("/class/teacher/enter", content=content or room.key.secret, headers=headers)
    assert answer.status_code == 403
    assert TEACHER_COOKIE not in client.cookies


def test_each_browser_gets_a_name_once(client: TestClient) -> None:
    client.get("/")
    name = client.cookies[VIEWER_COOKIE]
    assert len(name) >= 16
    assert "set-cookie" not in client.get("/").headers


def test_a_browser_that_kept_the_page_and_not_its_name_gets_one(client: TestClient) -> None:
    kept = {"If-None-Match": '"of yesterday"', "Accept": "text/html,application/xhtml+xml"}
    assert client.get("/", headers=kept | {"Accept": "*/*"}).status_code == 304
    assert VIEWER_COOKIE not in client.cookies  # a script or a picture is no page, and many are asked for at once
    client.get("/", headers=kept)
    assert len(client.cookies[VIEWER_COOKIE]) >= 16
    assert "set-cookie" not in client.get("/", headers=kept).headers


def test_one_person_counts_as_few_in_polls_notes_and_viewers(client: TestClient, room: Classroom) -> None:
    room.ask(Visitor("teacher"), "How many?", ["0", "1"])
    answer = json.dumps({"do": "answer", "poll": 1, "option": 1})
    note = json.dumps({"do": "note", "text": "me"})
    with contextlib.ExitStack() as pages:
        for _ in range(10):  # of those that share a name, fewer than may talk at once
            client.cookies.clear()
            client.get("/")
            page = pages.enter_context(client.websocket_connect(LIVE))
            page.receive_bytes()
            for text in (answer, note, "{}"):
                page.send_text(text)
            while "did not understand" not in page.receive().get("text", ""):
                pass  # the state of the class, again and again
        assert room.poll is not None
        assert room.viewers == len(room.poll.answers) == PER_ADDRESS + 1
        assert len(room.notes) <= (PER_ADDRESS + 1) * NOTES_EACH


def test_a_made_up_name_opens_no_socket(client: TestClient) -> None:
    for name in ("ann", "ann.x", "~1234"):
        client.cookies.set(VIEWER_COOKIE, name)
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(LIVE):
            pass


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_the_teacher_uploads(client: TestClient, room: Classroom, method: str) -> None:
    assert client.request(method, "/_stcore/upload_file/s/f").status_code == 403
    come_in(client, room)
    assert client.request(method, "/_stcore/upload_file/s/f").status_code == 200


def test_without_a_class_there_are_no_doors() -> None:
    for client in serve(None):
        assert client.get("/class/teacher").status_code == 404
        assert client.post("/class/teacher/enter", content="x", headers=OURS).status_code == 404
        assert client.post("/class/leave", headers=OURS).status_code == 404
        assert client.get("/class/anything").status_code == 404
        assert "set-cookie" not in client.get("/").headers
        assert client.put("/_stcore/upload_file/s/f").status_code == 200
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(LIVE):
            pass


def test_a_page_hears_each_change_and_a_watcher_leads_nobody(client: TestClient, room: Classroom) -> None:
    client.get("/")
    with client.websocket_connect(LIVE) as socket:
        assert json.loads(socket.receive_bytes())["viewers"] == 1
        for asked in ({"do": "look", "at": {"path": "/runs"}}, {"do": "lead", "on": False}, {"do": "reveal"}):
            socket.send_text(json.dumps(asked))
            assert "Only the teacher" in socket.receive_json()["error"]
        huge = '{"do": "answer", "poll": 1e999, "option": 1}'
        odd = '{"do": "answer", "poll": "x", "option": []}'
        for nonsense in ("[", "[" * MOST_BODY, "{}", '"x"', '{"do": "note"}', odd, huge):
            socket.send_text(nonsense)
            assert socket.receive_json() == {"error": "The server did not understand this."}
        socket.send_text(json.dumps({"do": "note", "text": "why?"}))
        socket.send_text("{}")  # a watcher hears nothing of notes; the answer to this says that it was taken
        assert "error" in socket.receive_json()
        assert [note.text for note in room.notes] == ["why?"]


def test_what_is_too_long_is_not_heard(client: TestClient, room: Classroom) -> None:
    client.get("/")
    with client.websocket_connect(LIVE) as socket:
        socket.receive_bytes()
        socket.send_text(json.dumps({"do": "note", "text": "x" * MOST_BODY}))
        socket.send_text("{}")
        assert socket.receive_json() == {"error": "The server did not understand this."}
    assert room.notes == []


def test_a_page_of_an_earlier_start_has_its_name_again(client: TestClient, room: Classroom) -> None:
    cookie = Names(room.names._key).give("10.0.0.1")
    client.cookies.set(VIEWER_COOKIE, cookie)
    with client.websocket_connect(LIVE) as socket:
        assert json.loads(socket.receive_bytes())["viewers"] == 1
    assert room.names.read(cookie) == cookie.partition(".")[0]


def test_one_page_too_many_is_turned_away(client: TestClient, room: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classroom, "PAGES_EACH", 1)
    client.get("/")
    with client.websocket_connect(LIVE) as socket:
        socket.receive_bytes()
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(LIVE):
            pass


@pytest.fixture
def within_a_second(room: Classroom, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A browser with a name, for which no time passes: what it does counts as done within one second."""
    monkeypatch.setattr(class_routes_module, "RateLimit", functools.partial(RateLimit, clock=lambda: 0.0))
    for client in serve(room):
        client.get("/")
        yield client


def test_who_opens_sockets_too_fast_is_turned_away(within_a_second: TestClient) -> None:
    for _ in range(SOCKETS_PER_SECOND):
        with within_a_second.websocket_connect(LIVE):
            pass
    with pytest.raises(WebSocketDisconnect), within_a_second.websocket_connect(LIVE):
        pass


def test_who_says_too_much_is_told_so_and_not_heard(within_a_second: TestClient, room: Classroom) -> None:
    with within_a_second.websocket_connect(LIVE) as socket:
        socket.receive_bytes()
        for _ in range(MESSAGES_PER_SECOND):
            socket.send_text("{}")
            assert "did not understand" in socket.receive_json()["error"]
        socket.send_text(json.dumps({"do": "note", "text": "one too many"}))
        assert "Too fast" in socket.receive_json()["error"]
    assert room.notes == []


class Page:
    """A socket whose page says nothing; ``fails`` is what comes of sending to it."""

    scope: ClassVar[dict[str, Any]] = {"subprotocols": []}
    cookies: ClassVar[dict[str, str]] = {}

    def __init__(self, fails: Exception | None = None) -> None:
        self.fails = fails
        self.heard: list[bytes] = []

    async def send_bytes(self, state: bytes) -> None:
        if self.fails:
            raise self.fails
        self.heard.append(state)

    async def receive(self) -> Any:
        return await asyncio.Event().wait()


@pytest.mark.parametrize("fails", [TimeoutError(), WebSocketDisconnect(), RuntimeError("closed")], ids=repr)
def test_a_page_that_cannot_be_told_is_left_in_peace(fails: Exception, room: Classroom) -> None:
    doors = ClassRoutes(lambda: room)
    asyncio.run(asyncio.wait_for(doors._serve(Page(fails), room, asyncio.Event()), 60))


def test_a_page_is_told_of_news_and_waits_for_it_with_few_tasks(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_routes_module, "PACE", 0.0)
    asked: list[Visitor] = []

    def state(visitor: Visitor) -> bytes:
        asked.append(visitor)
        return str(len(asked)).encode()

    monkeypatch.setattr(room, "state", state)
    page = Page()

    async def turns(most: int) -> None:
        for _ in range(most):
            await asyncio.sleep(0)

    async def hear() -> None:
        news = asyncio.Event()
        serving = asyncio.create_task(ClassRoutes(lambda: room)._serve(page, room, news))
        for count in range(1, 20):
            await turns(50)
            assert len(page.heard) == len(asked) == count, "nobody asks where there is no news"
            news.set()
        assert len(asyncio.all_tasks()) <= 4  # this one, the one that serves, what listens, what waits
        serving.cancel()

    asyncio.run(hear())


def test_a_page_that_has_left_is_not_listened_to(room: Classroom) -> None:
    page = Page()
    page.receive = left = AsyncMock(side_effect=[{"type": "websocket.disconnect"}, AssertionError("it has left")])
    asyncio.run(ClassRoutes(lambda: room)._listen(page, room))
    assert left.await_count == 1


@pytest.mark.parametrize(
    "asked",
    [
        *({"do": "note", "text": text} for text in (None, 7, True, ["x"], {"x": 1})),
        *({"do": "answer", "poll": number, "option": 0} for number in (None, "1", True, 1.0)),
        *({"do": "answer", "poll": 1, "option": option} for option in (None, "0", False)),
        *({"do": "lead", "on": on} for on in (None, 0, "no")),
        *({"do": "drop", "note": number} for number in (None, "1", True)),
    ],
    ids=str,
)
def test_what_is_of_another_kind_is_not_understood(asked: dict[str, Any], room: Classroom) -> None:
    teacher = Visitor("teacher", "t")
    room.ask(teacher, "How many?", ["0", "1"])
    room.write(Visitor("watcher", "ann"), "why?")
    before = room.state(teacher)
    with pytest.raises(NONSENSE):
        obey(room, teacher, asked)
    assert room.state(teacher) == before


def test_the_teacher_leads_until_the_session_ends(client: TestClient, room: Classroom) -> None:
    client.get("/")
    come_in(client, room)
    with client.websocket_connect(LIVE) as socket:
        assert json.loads(socket.receive_bytes())["viewers"] == 0
        socket.send_text(json.dumps({"do": "look", "at": {"path": "/theory?tab=js"}}))
        assert json.loads(socket.receive_bytes())["position"] == {"path": "/theory?tab=js"}
        room.key.end(client.cookies[TEACHER_COOKIE])
        socket.send_text(json.dumps({"do": "look", "at": {"path": "/runs"}}))
        assert "Only the teacher" in socket.receive_json()["error"]


def test_a_teacher_by_mail_leads_by_a_voucher_until_it_is_withdrawn(client: TestClient, room: Classroom) -> None:
    client.get("/")
    lead = json.dumps({"do": "lead", "on": False})
    name = room.names.read(client.cookies[VIEWER_COOKIE])
    for voucher in ("ganscope", "wrong", room.key.vouch("another browser")):
        with client.websocket_connect(LIVE, ["ganscope", voucher]) as socket:
            assert json.loads(socket.receive_bytes())["viewers"] == 1
            socket.send_text(lead)
            assert "Only the teacher" in socket.receive_json()["error"]
    assert client.put("/_stcore/upload_file/s/f").status_code == 403
    with client.websocket_connect(LIVE, ["ganscope", room.key.vouch(name)]) as socket:
        assert socket.accepted_subprotocol == "ganscope"
        assert json.loads(socket.receive_bytes())["viewers"] == 0
        socket.send_text(lead)
        assert json.loads(socket.receive_bytes())["leading"] is False
        assert client.put("/_stcore/upload_file/s/f").status_code == 200
        room.key.withdraw(name)
        socket.send_text(lead)
        assert "Only the teacher" in socket.receive_json()["error"]
    assert room.key.vouch("") == ""


def test_a_stranger_gets_no_socket(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(LIVE):  # no page was opened: no name
        pass
    client.get("/")
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(LIVE, headers={"Origin": "http://evil.example"}),
    ):
        pass


def test_a_teacher_is_known_by_the_cookies_of_any_request(client: TestClient, room: Classroom) -> None:
    client.get("/")
    name = client.cookies[VIEWER_COOKIE]

    def teaches(**cookies: str) -> bool:
        text = "; ".join(f"{key}={value}" for key, value in cookies.items())
        return teaches_here(room, {"type": "websocket", "headers": [(b"cookie", text.encode())]})

    assert teaches_here(None, {"type": "http", "headers": []})
    assert not teaches()
    assert not teaches(**{VIEWER_COOKIE: name, TEACHER_COOKIE: "made up"})
    assert teaches(**{TEACHER_COOKIE: room.key.exchange(room.key.secret, "a")})
    room.key.vouch(room.names.read(name))
    assert teaches(**{VIEWER_COOKIE: name})


@pytest.mark.parametrize("behind_proxy", [False, True])
def test_only_a_proxy_is_believed_whom_it_speaks_for(behind_proxy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Classroom(behind_proxy=behind_proxy)
    monkeypatch.setattr(class_routes_module, "current_peer", lambda: "127.0.0.1")
    client = TestClient(served_by(room), client=("10.7.7.7", 1))
    for _ in range(PER_ADDRESS + 1):
        client.cookies.clear()
        client.get("/", headers={"Host": "localhost"})
    assert room.names.crowded() == ["10.7.7.7" if behind_proxy else "127.0.0.1"]

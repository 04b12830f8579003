"""The routes of the latent page: who gets in, that answers come to who asked, and what is taken away."""

from __future__ import annotations

import base64
import io
import json
import time
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketDenialResponse
from waiting import until

from gan_core.engine.answering.guide import SUPERSEDED, Unanswered
from gan_core.engine.answering.lanes import lane
from gan_core.engine.showing.pictures import png, tile
from gan_core.server import asking
from gan_core.server.asking import MOST_MESSAGE, asking_routes
from gan_core.server.tickets import WINDOW, Tickets
from gan_core.store import RunNotFound

SHEET = base64.b64encode(png(tile(np.arange(3, dtype=np.uint8).repeat(64).reshape(3, 1, 8, 8) * 100))).decode()


class StandInGuide:
    """Answers with what it was asked; ``replaced`` is what a newer question has replaced, ``gone`` what nobody answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int | None, dict[str, Any]]] = []

    def ask(self, visitor: str, run: str, at: int | None, recipe: dict[str, Any]) -> Future[bytes]:
        lane(recipe)
        self.asked.append((visitor, run, at, recipe))
        future: Future[bytes] = Future()
        if recipe.get("base") == "gone":
            future.set_exception(Unanswered("The process has ended."))
        elif recipe.get("base") == "replaced":
            future.set_result(SUPERSEDED)
        elif recipe.get("base") == "wrong":
            future.set_result(b'{"error": "There is no such class."}')
        else:
            future.set_result(json.dumps({"sheet": SHEET, "columns": 3, "asked": recipe}).encode())
        return future


@pytest.fixture
def guide() -> StandInGuide:
    return StandInGuide()


@pytest.fixture
def pages(lab: Any, guide: Any) -> TestClient:
    return TestClient(Starlette(routes=asking_routes(lambda: lab, lambda lab: guide)), base_url="http://localhost:8501")


def refusals(tickets: Tickets) -> list[str]:
    return [
        "",
        tickets.mint("other"),
        tickets.mint("live-run")[:-2] + "zz",
        tickets.mint("live-run", now=time.time() - 3 * WINDOW),
    ]


def test_nobody_comes_in_without_a_ticket_of_the_run(pages: TestClient, tickets: Tickets, guide: StandInGuide) -> None:
    for ticket in refusals(tickets):
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            pages.websocket_connect(f"/ask/live-run?ticket={ticket}"),
        ):
            pass
        assert refused.value.status_code == 403
        assert (
            pages.get("/ask/live-run/take.png", params={"ticket": ticket, "recipe": '{"do":"grid"}'}).status_code == 403
        )
    with pytest.raises(WebSocketDenialResponse), pages.websocket_connect(f"/ask/a%20b?ticket={tickets.mint('*')}"):
        pass
    assert guide.asked == []


def test_each_socket_is_a_visitor_and_gets_the_answer_with_its_number(
    pages: TestClient, tickets: Tickets, guide: StandInGuide
) -> None:
    url = f"/ask/live-run?ticket={tickets.mint('live-run')}"
    with pages.websocket_connect(url) as first, pages.websocket_connect(url) as second:
        first.send_text('{"do":"move","base":"replaced","n":6}')  # gets no answer
        first.send_text('{"do":"grid","seed":4,"round":120,"n":7}')
        number, _, answer = first.receive_text().partition(" ")
        assert (number, json.loads(answer)["asked"]) == ("7", {"do": "grid", "seed": 4})
        second.send_text(f'{{"do":"drawing","picture":"{"x" * 100_000}","drawn":true,"n":1}}')  # a large drawing
        assert second.receive_text().startswith("1 {")
        for wrong in (
            "no JSON",
            "[1]",
            '{"do":"fly","n":2}',
            '{"do":"grid","n":"x"}',
            '{"a":"' + "x" * MOST_MESSAGE + '"}',
        ):
            second.send_text(wrong)
            assert json.loads(second.receive_text().partition(" ")[2])["error"].endswith(".")
        second.send_text('{"do":"move","base":"gone","n":9}')
        assert second.receive_text() == '9 {"error": "The process has ended."}'
    (one, other) = {visitor for visitor, *_ in guide.asked}
    assert one != other
    assert guide.asked[1][1:] == ("live-run", 120, {"do": "grid", "seed": 4})


@pytest.mark.parametrize(("end", "kind"), [("png", "PNG"), ("gif", "GIF")])
def test_what_is_shown_is_taken_away_as_a_file(pages: TestClient, tickets: Tickets, end: str, kind: str) -> None:
    given = {"ticket": tickets.mint("live-run"), "recipe": '{"do":"way","points":["0","1"]}'}
    file = pages.get(f"/ask/live-run/take.{end}", params=given)
    assert file.headers["content-type"] == f"image/{end}"
    assert file.headers["content-disposition"] == f'attachment; filename="live-run-latent.{end}"'
    with Image.open(io.BytesIO(file.content)) as picture:
        assert picture.format == kind
        assert getattr(picture, "n_frames", 1) == (4 if end == "gif" else 1)
        assert picture.width % 8 in (0, 4)
    assert pages.get("/ask/live-run/take.exe", params=given).status_code == 404
    for base, status in (("wrong", 400), ("gone", 404)):
        answer = pages.get(f"/ask/live-run/take.{end}", params=given | {"recipe": f'{{"do":"move","base":"{base}"}}'})
        assert answer.status_code == status
        assert answer.json()["error"].endswith(".")


FAULTS = [OSError("The disk does not answer."), Unanswered("The process has ended.")]


@pytest.mark.parametrize("error", [*FAULTS, RunNotFound("live-run")], ids=repr)
def test_of_a_file_that_cannot_be_made_it_is_said_why(
    error: Exception, pages: TestClient, tickets: Tickets, guide: StandInGuide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guide, "ask", lambda *asked: failed(error))
    given = {"ticket": tickets.mint("live-run"), "recipe": '{"do":"grid"}'}
    answer = pages.get("/ask/live-run/take.png", params=given)
    assert (answer.status_code, answer.json()) == (404, {"error": str(error)})


def test_of_a_file_that_takes_too_long_it_is_said_so(
    pages: TestClient, tickets: Tickets, guide: StandInGuide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "TAKE_SECONDS", 0.01)
    monkeypatch.setattr(guide, "ask", lambda *asked: Future())
    given = {"ticket": tickets.mint("live-run"), "recipe": '{"do":"grid"}'}
    answer = pages.get("/ask/live-run/take.png", params=given)
    assert (answer.status_code, answer.json()) == (404, {"error": "No answer came in time."})


@pytest.mark.parametrize("error", FAULTS, ids=repr)
def test_a_page_is_told_what_goes_wrong(
    error: Exception, pages: TestClient, tickets: Tickets, guide: StandInGuide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guide, "ask", lambda *asked: failed(error))
    with pages.websocket_connect(f"/ask/live-run?ticket={tickets.mint('live-run')}") as page:
        page.send_text('{"do":"grid","n":3}')
        assert page.receive_text() == f"3 {json.dumps({'error': str(error)})}"


def failed(error: Exception) -> Future[bytes]:
    future: Future[bytes] = Future()
    future.set_exception(error)
    return future


def test_what_was_asked_by_who_has_left_is_not_answered(
    pages: TestClient, tickets: Tickets, guide: StandInGuide, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Future[bytes]] = []

    def ask(*_: object) -> Future[bytes]:
        asked.append(Future())
        return asked[-1]

    monkeypatch.setattr(guide, "ask", ask)
    with pages.websocket_connect(f"/ask/live-run?ticket={tickets.mint('live-run')}") as page:
        page.send_text('{"do":"grid"}')
        until(lambda: asked)
        page.close()
        until(lambda: asked[0].cancelled())


def test_who_speaks_bytes_is_left_in_peace(pages: TestClient, tickets: Tickets) -> None:
    with pages.websocket_connect(f"/ask/live-run?ticket={tickets.mint('live-run')}") as page:
        page.send_bytes(b"{}")


@pytest.mark.parametrize("text", ['{"do":"grid","round":"x"}', '{"do":"grid","round":1.5}', "[" * 5_000])
def test_a_recipe_that_is_none_is_wrong(text: str, pages: TestClient, tickets: Tickets, guide: StandInGuide) -> None:
    given = {"ticket": tickets.mint("live-run"), "recipe": text}
    assert pages.get("/ask/live-run/take.png", params=given).status_code == 400
    assert guide.asked == []


def test_the_processes_that_answer_end_with_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[Path] = []
    monkeypatch.setattr(asking, "Guide", lambda root: SimpleNamespace(close=lambda: ended.append(root)))
    lab = SimpleNamespace(store=SimpleNamespace(root=tmp_path))
    first = asking.guide_of(lab)
    assert asking.guide_of(lab) is first
    asking.close_guides()
    assert ended == [tmp_path]
    assert asking.guide_of(lab) is not first
    asking.close_guides()

"""The document of each page: Streamlit's own, with what has to be known before anything is drawn."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan_core.server.first_page import first_page_routes
from gan_core.ui.first_page import PATHS, PLAIN, SCRIPT, STYLE
from gan_core.ui.shell import TOUR

STREAMLITS_OWN = '<div id="root">'


def test_the_document_of_every_page_brings_style_and_script_and_is_asked_for_anew() -> None:
    client = TestClient(Starlette(routes=first_page_routes(PATHS, PLAIN, STYLE, SCRIPT)))
    assert len(PATHS) == len(TOUR) + 1, "those of the tour, and the cluster's"
    for path in PATHS:
        answer = client.get(path)
        head, _, body = answer.text.partition("</head>")
        assert STYLE in head
        assert SCRIPT in head
        assert STREAMLITS_OWN in body
        assert answer.headers["cache-control"] == "no-cache"
    tag = {"if-none-match": answer.headers["etag"]}
    assert client.get("/", headers=tag).status_code == 304
    other = TestClient(Starlette(routes=first_page_routes(PATHS, PLAIN, STYLE + " ", SCRIPT)))
    assert other.get("/", headers=tag).status_code == 200

"""The document of every page: Streamlit's own, with what a browser has to know before anything is drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

# Streamlit looks for itself below the page's address first, which costs two requests without an answer.
_BACKEND = "window.__streamlit = { BACKEND_BASE_URL: location.origin }"


def first_page_routes(paths: Iterable[str], plain: Path, style: str, script: str) -> list[BaseRoute]:
    """The documents at ``paths``: the file ``plain``, with ``style`` and ``script`` at the end of its head."""

    @lru_cache(maxsize=1)
    def page() -> tuple[str, str]:
        head = f"<style>{style}</style>\n<script>{_BACKEND}\n{script}</script>\n</head>"
        text = plain.read_text("utf-8").replace("</head>", head, 1)
        return text, f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'

    async def answer(request: Request) -> Response:
        text, tag = page()
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="text/html", headers=headers)

    return [Route(path, answer) for path in paths]

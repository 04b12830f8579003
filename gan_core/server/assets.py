"""Scripts that browsers load from here, never from a CDN: compressed once, at addresses that change with their content."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

PLOTLY = distribution("plotly")
PLOTLY_PATH = f"/assets/plotly-{PLOTLY.version}.js"
IMMUTABLE = "public, max-age=31536000, immutable"


@lru_cache(maxsize=1)
def plotly_js() -> tuple[bytes, bytes]:
    """plotly.min.js of the plotly package as it is, and gzipped (4.8 MB and 1.5 MB)."""
    return _packed(Path(str(PLOTLY.locate_file("plotly/package_data/plotly.min.js"))).read_bytes())


async def plotly(request: Request) -> Response:
    """The answer to who asks for the chart library."""
    return _script(request, await to_thread.run_sync(plotly_js))


def script_routes(prefix: str, modules: Mapping[str, str]) -> list[BaseRoute]:
    """The texts of ``modules``, each at its path below ``prefix``."""
    packed = {name: _packed(text.encode()) for name, text in modules.items()}

    async def module(request: Request) -> Response:
        found = packed.get(request.path_params["name"])
        return _script(request, found) if found else await nothing_here(request)

    return [Route(f"{prefix}/{{name:path}}", module)]


async def nothing_here(request: Request) -> Response:
    """The answer to who asks for an unknown address below a prefix of ours; Streamlit would send its index page."""
    return JSONResponse({"error": "There is nothing at this address."}, status_code=404)


def _packed(plain: bytes) -> tuple[bytes, bytes]:
    return plain, gzip.compress(plain, compresslevel=6, mtime=0)


def _script(request: Request, packed: tuple[bytes, bytes]) -> Response:
    plain, zipped = packed
    headers = {
        "Cache-Control": IMMUTABLE,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if _accepts_gzip(request.headers.get("accept-encoding", "")):
        return Response(zipped, media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})
    # `identity` keeps Streamlit's own compression from doing the same work at each request.
    return Response(plain, media_type="text/javascript", headers=headers | {"Content-Encoding": "identity"})


def _accepts_gzip(accept_encoding: str) -> bool:
    for part in accept_encoding.lower().split(","):
        coding, *parameters = (piece.strip() for piece in part.split(";"))
        if coding in ("gzip", "*"):
            return not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
    return False

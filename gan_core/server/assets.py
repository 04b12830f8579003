"""plotly.js from the plotly package, compressed once, with a name that changes with its version. Never a CDN."""

from __future__ import annotations

import gzip
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

PLOTLY_PATH = f"/assets/plotly-{version('plotly')}.js"


@lru_cache(maxsize=1)
def plotly_js() -> tuple[bytes, bytes]:
    """plotly.min.js as it is, and gzipped (4.8 MB and 1.5 MB)."""
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The plotly package is not installed.")
    plain = (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_bytes()
    return plain, gzip.compress(plain, compresslevel=6, mtime=0)

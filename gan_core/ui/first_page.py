"""What the document of a page brings with it: margins, the size of the type, and that nothing is seen half drawn."""

from __future__ import annotations

from pathlib import Path

from streamlit import file_util

from gan_core.ui import scripts
from gan_core.ui.shell import CLUSTER, HOME, TOUR

_HERE = Path(__file__).parent

PLAIN = Path(file_util.get_static_dir()) / "index.html"
PATHS = ["/" if file == HOME else f"/{file.removesuffix('.py')}" for file in [*TOUR, CLUSTER]]
STYLE = (_HERE / "first.css").read_text("utf-8")
SCRIPT = scripts.inlined(["look.js", "first.js"])

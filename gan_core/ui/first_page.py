"""What the document of a page brings with it: margins, the size of the type, and that nothing is seen half drawn."""

from __future__ import annotations

from pathlib import Path

from streamlit import file_util

from gan_core.ui.shell import CLUSTER, HOME, TOUR

_HERE = Path(__file__).parent

PLAIN = Path(file_util.get_static_dir()) / "index.html"
PATHS = ["/" if file == HOME else f"/{file.removesuffix('.py')}" for file in [*TOUR, CLUSTER]]
STYLE = (_HERE / "first.css").read_text("utf-8")
_LOOK, _FIRST = ((_HERE / f"{part}.js").read_text("utf-8") for part in ("look", "first"))
SCRIPT = f"{{\n{_LOOK}\n{_FIRST}\nshowLook(readLook())\nseenOnceWhole()\n}}"

"""The scripts of the pages: ES modules of this folder, which a browser imports from addresses that change with their content.

Streamlit hands a component one text, which cannot import by relative addresses. So that text imports the component's module
from this server, and the module its own. A browser has one instance of each, whichever components of a page import it.

A script that is lost on its way is asked for again for a minute: a browser keeps what became of the text, so that a component
whose one import had failed would not come until the page is loaded anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent

# Each browser has its own words for a script that did not come, and all say it with a TypeError.
_IMPORTING = """const address = `${location.origin}PATH`
let module
for (const pause of [500, 1000, 2000, 4000, 8000, 15000, 30000, 0]) {
  try {
    module = await import(address)
    break
  } catch (error) {
    if (!pause || !(error instanceof TypeError)) throw error
    console.warn(error.message)
    await new Promise((resume) => setTimeout(resume, pause))
  }
}
export default module.default
"""
_IMPORTS = re.compile(r"^import .*\n", re.MULTILINE)
_EXPORTED = re.compile(r"^export (?=function|class|const|let)", re.MULTILINE)


@cache
def modules() -> dict[str, str]:
    """The text of each script, by its path below this folder."""
    return {path.relative_to(FOLDER).as_posix(): path.read_text("utf-8") for path in sorted(FOLDER.rglob("*.js"))}


@cache
def prefix() -> str:
    """The path below which a browser finds them."""
    content = "\0".join(f"{name}\0{text}" for name, text in modules().items())
    return f"/assets/scripts-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def component(name: str, script: str, *styles: str, html: str | None = None) -> Any:
    """The component whose module is ``script``; ``styles`` are joined. All are paths below this folder.

    FileNotFoundError where one is missing.
    """
    if script not in modules():
        raise FileNotFoundError(FOLDER / script)
    return st.components.v2.component(
        f"ganscope_{name}",
        html=(FOLDER / html).read_text("utf-8") if html else None,
        js=_IMPORTING.replace("PATH", f"{prefix()}/{script}"),
        css="\n".join((FOLDER / style).read_text("utf-8") for style in styles) or None,
        isolate_styles=False,  # Plotly's style sheet is the page's
    )


def inlined(scripts: Sequence[str]) -> str:
    """Modules as one classic script, for a document that must not wait for them; they may import from each other alone."""
    texts = (_EXPORTED.sub("", _IMPORTS.sub("", modules()[script])) for script in scripts)
    return "{\n" + "\n".join(texts) + "\n}"

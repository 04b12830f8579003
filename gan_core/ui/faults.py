"""What a visitor sees when a page fails: a number, and who can look it up. Paths and tracebacks are for the log."""

from __future__ import annotations

import logging
import re
import secrets
from pathlib import Path

import streamlit as st

from gan_core.server.class_mode import current_classroom
from gan_core.server.roles import NotAllowed
from gan_core.ui.rights import visitor

log = logging.getLogger(__name__)

_PATH = re.compile(r"(?<![\w/:.])(?:/|~/|[A-Za-z]:\\)[\w.@~+-]+(?:[/\\][^\s'\"`:;,)]*)+")


def tell_fault(error: Exception) -> bool:
    """The handler of `st.App`: True if it has told the visitor, and nothing else is to be shown."""
    if isinstance(error, NotAllowed):
        st.error(str(error), icon=":material/lock:")
        return True
    if current_classroom() is None:
        return False
    number = secrets.token_hex(3)
    log.error("Fault %s.", number, exc_info=error)
    st.error(f"This page failed. The teacher's log says why, under the number {number}.", icon=":material/error:")
    return True


def without_paths(text: str) -> str:
    """The text as this visitor may read it: for a watcher, of a path only the last part."""
    if visitor().role == "teacher":
        return text
    return _PATH.sub(lambda found: Path(found.group().replace("\\", "/")).name, text)

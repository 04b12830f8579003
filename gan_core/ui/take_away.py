"""What can be taken away of a run or a comparison: files, charts, code; and packs that are brought in."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import partial

import streamlit as st

from gan_core.config import ConfigError
from gan_core.engine.exchange.film import film
from gan_core.engine.exchange.packs import write_pack
from gan_core.engine.exchange.reproducing import code
from gan_core.engine.exchange.tensorboard import event_files
from gan_core.engine.exchange.unpacking import read_pack
from gan_core.store import RunStore
from gan_core.ui import scripts
from gan_core.ui.live_view import PLOTLY_URL
from gan_core.ui.report import report
from gan_core.ui.rights import need
from gan_core.ui.shell import COMPARE, action_button, as_typed, lab, said_in_a_sentence, watch

MAX_PACK_MB = 1024
_CHARTS = scripts.component("take_away", "take_away.js", "take_away.css")
_FILES = {
    "Report": ("html", "text/html", ":material/article:", "One file that opens in any browser, also without a network"),
    "Pack": (
        "zip",
        "application/zip",
        ":material/folder_zip:",
        "Settings, curves, pictures and events, to be imported",
    ),
    "Film": (
        "gif",
        "image/gif",
        ":material/movie:",
        "Samples over time; of a comparison, all variants at the same rounds",
    ),
    "TensorBoard": ("tensorboard.zip", "application/zip", ":material/ssid_chart:", "Event files, in a folder per run"),
}


def show(wanted: str) -> None:
    """The section of a run or a comparison, by its id. A file is made when it is asked for."""
    store = lab().store
    section = st.expander("Take it away", icon=":material/download:", key=f"take-away:{wanted}", on_change="rerun")
    if not section.open:
        return
    with section:
        with st.container(horizontal=True, vertical_alignment="center"):
            offers = st.container(horizontal=True, width="content")
            checkpoints = st.toggle(
                "Checkpoints in the pack", key=f"take:{wanted}", help="To go on with the runs elsewhere"
            )
        make: dict[str, Callable[[], bytes]] = {
            "Report": lambda: report(store, wanted).encode(),
            "Pack": partial(_pack, store, wanted, checkpoints),
            "Film": lambda: film(store, wanted),
            "TensorBoard": partial(_tensorboard, store, wanted),
        }
        for label, (ending, mime, icon, told) in _FILES.items():
            offers.download_button(
                label,
                make[label],
                f"{wanted}.{ending}",
                mime,
                key=f"take:{wanted}:{label}",
                help=told,
                icon=icon,
                on_click="ignore",
            )
        _CHARTS(key=f"charts:{wanted}", data={"plotly": PLOTLY_URL})
        try:
            st.code(code(store, wanted), language="python", height=240)
        except ConfigError as error:
            st.caption(f"It cannot be told in Python, for its settings are of another version: {as_typed(str(error))}")


def bring_in() -> None:
    """Take a pack in, and go to see what came."""
    turn = st.session_state.setdefault("pack:turn", 0)  # another key after each: the file leaves the server's memory
    file = st.file_uploader("Pack", type="zip", key=f"pack:{turn}", max_upload_size=MAX_PACK_MB)
    copies = st.toggle("As a copy", key="pack:copies", help="Under new ids, if its runs are here already")
    if action_button("edit", "Import", icon=":material/upload:", disabled=file is None) and file is not None:
        with said_in_a_sentence(), st.spinner("Reading the pack"):
            need("edit")  # before anything of it is read
            came = read_pack(lab().store, file, copies=copies)
            st.session_state["pack:turn"] = turn + 1
            if came.comparison is not None:
                st.switch_page(COMPARE, query_params={"comparison": came.comparison})
            watch(came.runs[0])


def _pack(store: RunStore, wanted: str, with_checkpoints: bool) -> bytes:
    file = io.BytesIO()
    write_pack(store, wanted, file, with_checkpoints=with_checkpoints)
    return file.getvalue()


def _tensorboard(store: RunStore, wanted: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in event_files(store, wanted).items():
            archive.writestr(name, content)
    return file.getvalue()

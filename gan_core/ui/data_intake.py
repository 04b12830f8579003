"""How data comes in: downloads, uploads, a folder, a table, a painting."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from typing import IO

import pandas as pd
import streamlit as st

from gan_core.engine import FITS, Choice, Chore, DataError, Fit, Lab, TableView
from gan_core.ui.data_facts import size_of
from gan_core.ui.data_preview import show_preview
from gan_core.ui.faults import without_paths
from gan_core.ui.painter import painter
from gan_core.ui.rights import may, why_not
from gan_core.ui.shell import action_button, as_typed, said_in_a_sentence

SIZES = (16, 28, 32, 64, 128)
MAX_ZIP_MB = 200
MAX_TABLE_MB = 8


def show_missing(lab: Lab, choice: Choice) -> None:
    """A published set that is not here: fetch it, or put its files there by hand."""
    key = f"download:{choice.name}"
    chore = lab.chores.get(key)
    if chore is not None and chore.busy:
        _show_busy(lab, key)
        return
    if chore is not None and chore.error:
        st.error(without_paths(chore.error), icon=":material/cloud_off:")
    else:
        st.info(without_paths(choice.missing or ""), icon=":material/folder_open:")
    with st.container(horizontal=True):
        if choice.download_size:
            label = "Try again" if chore is not None and chore.error else f"Download ({size_of(choice.download_size)})"
            icon = ":material/download:"
            if action_button("bring", label, key=f"get:{choice.name}", type="primary", icon=icon):
                with said_in_a_sentence():
                    lab.chores.download(choice.name)
                    st.rerun()
        help_text = "After you put the files there"
        if action_button("bring", "Look again", key=f"look:{choice.name}", icon=":material/refresh:", help=help_text):
            lab.chores.forget(key)
            st.rerun()


def just_kept(lab: Lab) -> str | None:
    """The set that has come in since this page was drawn last; asked for before the sets that there are are shown."""
    chore = lab.chores.get(_key())
    if chore is None or chore.busy or not may("bring"):
        return None
    lab.chores.forget(_key())
    st.session_state["intake:error"] = chore.error
    return chore.result if chore.result != _key() else None


def _key() -> str:
    """The name of what this visitor brings among the chores."""
    return f"intake:{st.session_state.setdefault('intake', uuid.uuid4().hex)}"


def show_intake(lab: Lab, *, paints: bool = False) -> str | None:
    """The ways to bring data; returns the name of a table or a painting that has just come in. Where somebody came to paint,
    painting comes first."""
    if reason := why_not("bring"):
        st.info(reason, icon=":material/lock:")
        return None
    key = _key()
    if lab.chores.get(key) is not None:  # under way, or done since `just_kept` asked
        _show_busy(lab, key)
        return None
    told = st.container()  # always there: a word above the tabs must not make new ones of them
    if error := st.session_state.pop("intake:error", None):
        told.error(without_paths(error), icon=":material/error:")
    if (seen := lab.chores.seen(key)) is not None:
        show_preview(lab, key, seen)
        return None
    pictures, folder, table, paint = st.tabs(
        ["Zip of images", "Folder on this machine", "Table of points", "Paint"],
        default="Paint" if paints else None,
        key="intake:tabs",
    )
    with pictures:
        _zip(lab, key)
    with folder:
        _folder(lab, key)
    with table:
        from_table = _table(lab)
    with paint:
        painted = _paint(lab)
    return from_table or painted


def _zip(lab: Lab, key: str) -> None:
    st.caption(
        "PNG, JPEG, WebP, BMP, GIF, TIFF or AVIF. Folders inside become classes, which you see before anything is kept. Every "
        "picture is cut to a square and resized; those that cannot be used are listed with the reason. The data stays on "
        "this machine."
    )
    # Another key after each upload: the browser's copy leaves the server's memory.
    turn = st.session_state.setdefault("intake:turn", 0)
    upload = st.file_uploader("Zip file", type="zip", key=f"zip:{turn}", max_upload_size=MAX_ZIP_MB)
    title, size, channels, fit = _shape("zip")
    if st.button("Read the pictures", key="read:zip", type="primary", disabled=upload is None) and upload is not None:
        with said_in_a_sentence():
            file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the chore closes it
            shutil.copyfileobj(upload, file)
            lab.chores.look_at_zip(key, file, title or upload.name.removesuffix(".zip"), size, channels, fit)
            st.session_state["intake:turn"] = turn + 1
            st.rerun()


def _folder(lab: Lab, key: str) -> None:
    folders = lab.chores.folders()
    if not folders:
        st.info(
            f"There is no folder of images in {lab.chores.data_folder}. Put one there (or start the server with "
            "GANSCOPE_DATA naming another place), and look again.",
            icon=":material/folder_open:",
        )
        if st.button("Look again", key="look:folders", icon=":material/refresh:"):
            st.rerun()
        return
    folder = st.selectbox("Folder", folders, help=f"Below {lab.chores.data_folder}")
    title, size, channels, fit = _shape("folder")
    if st.button("Read the pictures", key="read:folder", type="primary"):
        with said_in_a_sentence():
            lab.chores.look_at_folder(key, folder, title or folder.rpartition("/")[2], size, channels, fit)
            st.rerun()


def _table(lab: Lab) -> str | None:
    st.caption(
        "CSV or text with columns of numbers, as a spreadsheet, an instrument or a script writes it; at least 50 rows. "
        "You see the columns before anything is kept."
    )
    turn = st.session_state.setdefault("table:turn", 0)
    kinds = ["csv", "txt", "tsv", "dat", "asc", "tab", "prn", "xy", "arff", "lvm", "itx"]
    upload = st.file_uploader("Table", type=kinds, key=f"table:{turn}", max_upload_size=MAX_TABLE_MB)
    if upload is None:
        return None
    try:
        columns = _choose_columns(_look(lab, upload.file_id, upload.getvalue()))
        given = upload.name.rpartition(".")[0] or upload.name
        title = st.text_input("Name", max_chars=40, key=f"title:table:{turn}", placeholder=given)
        if st.button("Read the points", key="read:table", type="primary", disabled=columns is None):
            with st.spinner("reading the points…"):
                card = lab.chores.keep_table(upload.getvalue(), title or given, columns)
            st.session_state["table:turn"] = turn + 1
            st.session_state.pop("table:look", None)
            return card.name
    except DataError as error:
        st.error(as_typed(without_paths(str(error))), icon=":material/error:")
    return None


def _look(lab: Lab, file_id: str, content: bytes) -> TableView:
    """The columns of an upload, read once. Raises DataError."""
    known = st.session_state.get("table:look")
    if known is None or known[0] != file_id:
        with st.spinner("looking at the columns…"):
            known = st.session_state["table:look"] = file_id, lab.chores.look_at_table(content)
    view: TableView = known[1]
    return view


def _choose_columns(view: TableView) -> tuple[str, str] | None:
    """The columns with their first rows, and which two of them are x and y; None until both are said."""
    for warning in view.warnings:
        st.warning(as_typed(warning), icon=":material/warning:")
    names = [column.name for column in view.columns if column.numbers]
    if len(names) < 2:
        has = f"only one column of numbers, {names[0]}" if names else "no column of numbers"
        st.error(as_typed(f"The table has {has}, and points need two."), icon=":material/error:")
    elif view.suggested is None:
        st.info(f"{len(names)} columns hold numbers. Choose the two that are x and y.", icon=":material/table_chart:")
    rows = pd.DataFrame({column.name: [column.holds, *column.first] for column in view.columns})
    rows.index = pd.Index(["holds", *(f"row {row}" for row in range(1, len(rows)))])
    st.dataframe(rows, width="stretch", key="table:columns")
    st.caption(as_typed(f"{view.rows:,} rows. Read as {'; '.join(view.notes)}."))
    if len(names) < 2:
        return None
    start = [names.index(name) for name in view.suggested] if view.suggested else [None, None]
    left, right = st.columns(2)
    x = left.selectbox("x", names, start[0], key="table:x", placeholder="choose a column")
    y = right.selectbox("y", names, start[1], key="table:y", placeholder="choose a column")
    if x is None or y is None:
        return None
    if x == y:
        st.error("Choose two different columns.", icon=":material/error:")
        return None
    return x, y


def _paint(lab: Lab) -> str | None:
    st.caption("Paint where points shall be; paint twice for twice as many. Hold shift to erase.")
    title = st.text_input("Name", max_chars=40, key="title:paint", placeholder="my painting")
    cells = painter(key="painter")
    if cells is not None:
        with said_in_a_sentence():
            return lab.chores.keep_painting(cells, title or "my painting").name
    return None


def _shape(scope: str) -> tuple[str, int, int, Fit]:
    title = st.text_input("Name", max_chars=40, key=f"title:{scope}", placeholder="made from the file's name")
    first, second, third = st.columns(3)
    size = first.selectbox("Size", SIZES, 2, format_func=lambda side: f"{side}×{side}", key=f"size:{scope}")
    colour = second.selectbox("Colour", ("RGB", "grey"), key=f"colour:{scope}")
    fit = third.selectbox(
        "Other shapes",
        FITS,
        key=f"fit:{scope}",
        format_func=lambda fit: "two side by side" if fit == "pairs" else fit,
        help="Cut out the middle square, or add black borders; or each file is two pictures side by side, an input to the left "
        "of its target, for the game from picture to picture",
    )
    return title, size, 3 if colour == "RGB" else 1, fit


def _show_busy(lab: Lab, key: str) -> None:
    @st.fragment(run_every=0.5)
    def busy() -> None:
        chore: Chore | None = lab.chores.get(key)
        if chore is None or not chore.busy:
            st.rerun()
        else:
            st.progress(chore.progress[0], text=chore.progress[1])
            if action_button("bring", "Cancel", key=f"cancel:{key}", icon=":material/close:"):
                chore.cancel()

    busy()

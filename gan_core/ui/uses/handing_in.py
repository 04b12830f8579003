"""A study as it is handed in: all that can be taken away of it, the answers, and a page that opens offline."""

from __future__ import annotations

import io
import zipfile
from html import escape

import streamlit as st

from gan_core.engine.studies.computing import asked, findings_of
from gan_core.engine.studies.findings import Findings, Table
from gan_core.engine.studies.taken import as_zip
from gan_core.store import RunStore, StoreError, StudyRecord
from gan_core.ui.hand_in import ANSWER_LENGTH, with_answers
from gan_core.ui.report import POLICY, embedded
from gan_core.ui.shell import lab


def show(study: StudyRecord) -> None:
    """The section of a study: a name, answers, and the file."""
    store = lab().store
    with st.expander("Hand in", icon=":material/assignment_turned_in:"):
        name = st.text_input("Your name", max_chars=120, key=f"hand-in:name:{study.id}")
        answers = st.text_area("Your answers", max_chars=ANSWER_LENGTH, height=180, key=f"hand-in:answers:{study.id}")
        st.download_button(
            "Hand in",
            lambda: hand_in(store, study.id, name=name, answers=answers),
            f"hand-in-{study.id}.zip",
            "application/zip",
            type="primary",
            icon=":material/assignment_turned_in:",
            on_click="ignore",
            key=f"hand-in:{study.id}",
        )


def hand_in(store: RunStore, study_id: str, *, name: str = "", answers: str = "") -> bytes:
    """The zip: ``hand-in.html``, ``answers.md``, and what an export of the study holds. Raises StudyNotFound."""
    file = io.BytesIO(as_zip(store, study_id))
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hand-in.html", with_answers(page_of(store, study_id), name, answers))
        archive.writestr("answers.md", f"# {name or 'Answers'}\n\n{answers}\n")
    return file.getvalue()


def page_of(store: RunStore, study_id: str) -> str:
    """Sentences, tables and pictures as one HTML file without scripts."""
    study = store.studies.read(study_id)
    one, found = asked(study.settings), findings_of(store, study)
    said = [sentence.text for sentence in (*([found.headline] if found.headline else []), *found.sentences)]
    judged = f"<p>{found.comparisons} differences were judged, each at 95 %.</p>" if found.comparisons else ""
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(study.name)}</title>"
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        "<style>body{font:16px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}td,th{padding:.2em .6em;text-align:left}"
        ".quiet{color:#666}</style></head><body><main>"
        f"<h1>{escape(study.name)}</h1><p>{escape(study.status)}: {study.done} of {study.cells} computed. "
        f"{escape(str(study.settings))}</p><ul>{''.join(f'<li>{escape(text)}</li>' for text in said)}</ul>{judged}"
        f"{''.join(map(_table, found.tables))}{_pictures(store, study_id, found)}"
        f"{''.join(f'<p class=quiet>{escape(note)}</p>' for note in one.protocol.notes)}</main></body></html>"
    )


def _table(table: Table) -> str:
    def cell(name: str, value: object) -> str:
        if value is None:
            return ""
        form = table.forms.get(name, "")
        return escape(str(value) if isinstance(value, str) else format(value, form))

    head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{cell(name, value)}</td>' for name, value in zip(table.columns, row, strict=True))}</tr>"
        for row in table.rows
    )
    return f"<h2>{escape(table.title)}</h2><table><tr>{head}</tr>{rows}</table>"


def _pictures(store: RunStore, study_id: str, found: Findings) -> str:
    shown = []
    for board in found.boards:
        shown.append(f"<h2>{escape(board.title)}</h2>")
        for name, caption in board.files:
            try:
                shown.append(
                    f"{embedded(store.studies.file(study_id, name).read_bytes(), caption)}<p>{escape(caption)}</p>"
                )
            except (StoreError, OSError):  # one that is gone
                shown.append(f"<p>The picture “{escape(caption)}” is gone.</p>")
    return "".join(shown)

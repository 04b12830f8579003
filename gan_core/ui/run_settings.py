"""What a run was set to, to read and to copy, and a note to keep with it."""

from __future__ import annotations

import streamlit as st

from gan_core.config import RunConfig, diff
from gan_core.store import RunRecord
from gan_core.ui.rights import may, why_not
from gan_core.ui.shell import copy_as, lab, said_in_a_sentence


def show(run: RunRecord, config: RunConfig) -> None:
    """Both, folded, below everything else of a run's page."""
    settings, note = st.columns(2)
    folded = settings.expander("Settings of this run", icon=":material/tune:", key="settings-of-run", on_change="rerun")
    if folded.open:
        with folded:
            _settings(run, config)
    with note.expander("Notes", icon=":material/note:"), st.form("note", border=False):
        text = st.text_area("Note", run.note, max_chars=4000, label_visibility="collapsed", height=160)
        if st.form_submit_button("Keep", disabled=not may("edit"), help=why_not("edit")):
            with said_in_a_sentence():
                lab().store.update(run.id, note=text)
                st.toast("Kept.")


def _settings(run: RunRecord, config: RunConfig) -> None:
    changed = diff(
        RunConfig.load({"game": config.game} | ({"objective": config.recipe} if config.recipe else {})), config
    )
    rows = [{"setting": field, "value": str(value)} for field, (_, value) in changed.items()]
    st.caption(f"What differs from the {'objective' if config.recipe else 'game'}'s defaults")
    st.dataframe(rows, hide_index=True)
    if run.parent or any(event.kind == "knob" for event in lab().store.events(run.id)):
        st.caption("What was changed while it trained is not in these: the Python under *Take it away* has it all.")
    copy_as(run.config, {field: value for field, (_, value) in changed.items()})

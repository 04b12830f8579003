"""All studies of the store, newest first."""

from __future__ import annotations

import time

import streamlit as st

from gan_core.engine.studies.protocols import PROTOCOLS
from gan_core.store import StudyRecord
from gan_core.ui.deleted import ago
from gan_core.ui.shell import lab


def show() -> None:
    """A table with a link to each; a sentence where there is none."""
    st.subheader("Studies", anchor=False)
    found = lab().store.studies.listed()
    if not found:
        st.caption("None yet. The first study above takes a few minutes, and fills as you watch.")
        return
    st.dataframe(
        [_row(study) for study in found],
        hide_index=True,
        column_config={
            "study": st.column_config.LinkColumn("open", display_text="open"),
            "share": st.column_config.ProgressColumn("computed", min_value=0.0, max_value=1.0, format="percent"),
        },
    )


def _row(study: StudyRecord) -> dict[str, object]:
    protocol = PROTOCOLS.get(study.protocol)
    return {
        "study": f"uses?study={study.id}",
        "name": study.name,
        "question": protocol.title if protocol else study.protocol,
        "state": study.status,
        "share": study.done / max(1, study.cells),
        "begun": ago(max(0.0, time.time() - study.created_at)),
    }

"""What was deleted: the undo, the list of all of it, and what an address says whose run or comparison is in the bin."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from gan_core.store import ComparisonRecord, Deleted, RunRecord, StudyRecord
from gan_core.ui.data_facts import size_of
from gan_core.ui.rights import may
from gan_core.ui.shell import action_button, as_typed, lab, said_in_a_sentence

UNDO_SECONDS = 3600.0
ROWS = 20  # of the list, until more are asked for


def offer_undo() -> None:
    """Take back what was deleted last, then what was deleted before, as long as it was in the last hour.

    The bin is the stack: the undo outlives the page, its tab and the server.
    """
    if not may("edit") or not (newest := lab().store.bin.newest()):
        return
    since = time.time() - newest[0].deleted_at
    if since > UNDO_SECONDS:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        what = _told_of(newest)
        if action_button("edit", "Undo", key="undo", icon=":material/undo:", help=f"Take back {what}"):
            _restore([entry.id for entry in newest])
        st.markdown(f"{as_typed(what[:1].upper() + what[1:])} deleted {ago(since)}.", width="content")


def show_bin() -> None:
    """The list of what is in the bin, for who may take it back: nothing at all where it is empty."""
    if not may("edit") or not (entries := lab().store.bin.listed()):
        return
    section = st.expander(f"Deleted ({len(entries)})", icon=":material/delete:", key="bin", on_change="rerun")
    if not section.open:  # what each frees is read from the disk
        return
    with section:
        sizes = {entry.id: lab().store.bin.frees(entry) for entry in entries}
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Off every list, and whole until it is removed for good.")
            if len(entries) > 1:
                _remove_button("all", "Remove all for good", entries, sum(sizes.values()))
        shown = entries if st.session_state.get("bin:all") else entries[:ROWS]
        for entry in shown:
            _row(entry, sizes[entry.id])
        if len(shown) < len(entries):
            st.button(f"Show all {len(entries)}", key="bin:more", type="tertiary", on_click=_show_all)


def say_deleted(record: RunRecord | ComparisonRecord | StudyRecord) -> bool:
    """On the page of a run, a comparison or a study: whether it was deleted, which is said then, with a way back."""
    if record.deleted_at is None:
        return False
    what = {"RunRecord": "run", "ComparisonRecord": "comparison", "StudyRecord": "study"}[type(record).__name__]
    st.warning(
        f"This {what} was deleted {ago(time.time() - record.deleted_at)}. It is off every list, and whole until it is "
        "removed for good on the Runs page.",
        icon=":material/delete:",
    )
    if action_button("edit", "Take it back", key="take-back", icon=":material/undo:", type="primary"):
        _restore([record.id])
    return True


def ago(seconds: float) -> str:
    """How long ago something was, as people say it."""
    if seconds < 60:
        return "just now"
    for unit, size, least in (("minute", 60, 60), ("hour", 3600, 24), ("day", 86400, float("inf"))):
        count = int(seconds // size)
        if count < least:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    raise AssertionError


def _row(entry: Deleted, size: int) -> None:
    what = f"comparison of {len(entry.runs)} runs" if entry.kind == "comparison" else entry.kind
    with st.container(horizontal=True, vertical_alignment="center", key=f"bin:{entry.id}"):
        page = {"comparison": "compare?comparison", "study": "uses?study", "run": "watch?run"}[entry.kind]
        st.markdown(
            f"[{as_typed(entry.name)}]({page}={entry.id})  \n:small[:gray[{what} · deleted "
            f"{ago(time.time() - entry.deleted_at)} · frees {size_of(size)}]]",
            width="stretch",
        )
        if action_button("edit", "Take back", key=f"back:{entry.id}", icon=":material/undo:", type="tertiary"):
            _restore([entry.id])
        _remove_button(entry.id, "Remove for good", [entry], size)


def _remove_button(key: str, label: str, entries: Sequence[Deleted], size: int) -> None:
    """A button that asks once more."""
    with st.popover(label, icon=":material/delete_forever:"):
        st.markdown(f"This removes {as_typed(_told_of(entries))} from the disk, which cannot be undone.")
        if action_button("edit", f"Remove, free {size_of(size)}", key=f"purge:{key}", type="primary"):
            with said_in_a_sentence():
                for entry in entries:
                    lab().store.bin.purge(entry.id)
                st.rerun()


def _told_of(entries: Sequence[Deleted]) -> str:
    """What was deleted, in a few words: the name where it is one thing."""
    if len(entries) == 1:
        return f"“{entries[0].name}”"
    plurals = {"run": "runs", "comparison": "comparisons", "study": "studies"}
    counts = {kind: sum(entry.kind == kind for entry in entries) for kind in plurals}
    return " and ".join(f"{n} {kind if n == 1 else plurals[kind]}" for kind, n in counts.items() if n)


def _restore(whats: Sequence[str]) -> None:
    with said_in_a_sentence():
        for what in whats:
            lab().store.bin.restore(what)
        st.rerun()


def _show_all() -> None:
    st.session_state["bin:all"] = True

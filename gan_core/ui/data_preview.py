"""What was read and is not kept yet: the classes with counts and a few pictures, and the choices that are left."""

from __future__ import annotations

from base64 import b64encode

import pandas as pd
import streamlit as st

from gan_core.engine import BACKGROUNDS, KINDS, MIN_IMAGES, PAIRS, Lab, Level, Seen
from gan_core.ui.shell import as_typed, said_in_a_sentence

LISTED = 40  # classes with pictures
ROW = 72  # pixels
NAMED = 4  # classes in the name of a choice


def show_preview(lab: Lab, key: str, seen: Seen) -> None:
    """The set as it would be kept; Keep begins the chore under ``key``, Do not keep lets go of it."""
    found = seen.brought
    st.subheader(as_typed(seen.request.title), anchor=False)
    levels = {level.key: level for level in found.levels}
    first, second = st.columns([3, 1])
    chosen = first.selectbox(
        "What is a class",
        list(levels),
        format_func=lambda name: _called(levels[name], first=name == found.levels[0].key),
        key=f"level:{key}:{found.background}",
        disabled=len(levels) == 1,
        help="A level of folders, or the labels that the set brings. The first choice is what the names suggest.",
    )
    if found.transparent:
        _background(lab, key, seen, second)
    level = levels[chosen]
    _facts(seen, level)
    if level.class_names:
        _classes(seen, level)
    else:
        pairs = level.key == PAIRS or found.side_by_side
        kept = "pairs, the input to the left of its target," if pairs else "pictures,"
        st.image(seen.sheet(level), caption=f"Some of the {kept} as they would be kept", output_format="PNG")
    for note in found.notes:
        st.caption(as_typed(note))
    _problems(seen, level)
    _decide(lab, key, seen, level)


def _called(level: Level, *, first: bool) -> str:
    if level.key == PAIRS:
        return f"{level.total // 2:,} pairs of equal names in two folders: the first folder by name holds the inputs"
    if level.key == KINDS:
        kinds = ", ".join(level.class_names[1:][:NAMED])
        return f"Normal pictures to learn from, and others to be asked about: {kinds}"
    if not level.class_names:
        return f"No classes: {level.total:,} pictures of one kind"
    names = level.class_names
    some = f"{', '.join(names[:NAMED])}{', …' if len(names) > NAMED else ''}"
    kind, _, number = level.key.partition(":")
    where = {"labels": "labels of dataset.json", "path": f"folders of level {number}, as they are"}.get(kind, "folders")
    return f"{len(names):,} classes: {some} ({where})"


def _background(lab: Lab, key: str, seen: Seen, place: st.delta_generator.DeltaGenerator) -> None:
    now = seen.brought.background
    wanted = place.selectbox(
        "Background",
        BACKGROUNDS,
        BACKGROUNDS.index(now),
        key=f"background:{key}:{now}",
        help="What lies under transparent parts",
    )
    if wanted != now:
        with said_in_a_sentence():
            lab.chores.look_again(key, wanted)
            st.rerun()


def _facts(seen: Seen, level: Level) -> None:
    left = len(seen.brought.x) - level.total + len(seen.brought.problems)
    counts = level.counts
    cells = st.columns(3)
    cells[0].metric("pictures", f"{level.total:,}")
    cells[1].metric("left out", f"{left:,}")
    if level.class_names:
        per_class = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
        cells[2].metric("in each class", per_class)


def _classes(seen: Seen, level: Level) -> None:
    listed = list(zip(level.class_names, level.counts, strict=True))
    rows = [(name, count, _address(seen.strip(level, number))) for number, (name, count) in enumerate(listed[:LISTED])]
    st.dataframe(
        pd.DataFrame(rows, columns=["class", "pictures", "the first of them"]),
        column_config={
            "class": st.column_config.TextColumn(width=200),
            "pictures": st.column_config.NumberColumn(format="%d", width=80),
            "the first of them": st.column_config.ImageColumn(width=500),
        },
        hide_index=True,
        row_height=ROW,
        width="stretch",
        key="preview:classes",
    )
    if len(listed) > LISTED:
        st.caption(f"The first {LISTED} of {len(listed):,} classes.")


def _address(picture: bytes) -> str:
    return f"data:image/png;base64,{b64encode(picture).decode()}"


def _problems(seen: Seen, level: Level) -> None:
    found = seen.brought
    outside = [found.names[index] for index in range(len(found.x)) if level.y[index] < 0]
    rows = [(problem.file, problem.reason) for problem in found.problems]
    rows += [(name, "in no class here") for name in outside]
    if not rows:
        return
    with st.expander(f"{len(rows):,} left out, and why", icon=":material/warning:"):
        table = pd.DataFrame(rows[:1000], columns=["file", "reason"])
        st.dataframe(table, hide_index=True, width="stretch", key="preview:problems")


def _decide(lab: Lab, key: str, seen: Seen, level: Level) -> None:
    few = level.total < MIN_IMAGES
    if few:
        st.warning(f"A data set needs {MIN_IMAGES} pictures at least; choose another level.", icon=":material/warning:")
    with st.container(horizontal=True):
        if st.button("Keep this set", key="keep:seen", type="primary", icon=":material/check:", disabled=few):
            with said_in_a_sentence():
                lab.chores.keep_seen(key, seen.request.title, level.key)
                st.rerun()
        if st.button("Do not keep it", key="leave:seen", icon=":material/close:"):
            lab.chores.leave(key)
            st.rerun()

"""What a study has found, as it fills: sentences, charts, tables, pictures, and what must stand beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from gan_core.config import ConfigError
from gan_core.engine.studies.computing import asked, findings_of
from gan_core.engine.studies.findings import Board, Findings, Handle, Sentence, Table
from gan_core.engine.studies.taken import STUDY_EXPORTS
from gan_core.store import RunNotFound, StoreError, StudyRecord
from gan_core.ui import deleted
from gan_core.ui.charts import STATIC
from gan_core.ui.rights import pace
from gan_core.ui.shell import (
    USES,
    WATCH,
    action_button,
    as_typed,
    lab,
    said_in_a_sentence,
    say,
)
from gan_core.ui.uses import handing_in
from gan_core.ui.uses.charts import figure, roc

LOOK_SECONDS = 1.5
LOOKS = {
    "good": ("green", ":material/trending_up:"),
    "bad": ("red", ":material/trending_down:"),
    "unknown": ("gray", ":material/help:"),
    "plain": ("blue", ":material/info:"),
}
MIMES = {".csv": "text/csv", ".json": "application/json", ".zip": "application/zip"}
ON_A_ROW = 5  # pictures


def show(study_id: str) -> None:
    """The page of one study; a sentence where there is none."""
    try:
        study = lab().store.studies.read(study_id)
    except (RunNotFound, StoreError) as error:
        say(error)
        st.page_link(USES, label="All studies", icon=":material/arrow_back:")
        return
    st.title(as_typed(study.name), anchor=False)
    if deleted.say_deleted(study):
        return
    st.fragment(_filling, run_every=pace(LOOK_SECONDS) if study.active else None)(study_id, study.active)
    _beside(study)


def _filling(study_id: str, was_active: bool) -> None:
    """What changes while the study is computed."""
    study = lab().store.studies.read(study_id)
    if was_active and not study.active:
        st.rerun()  # once more without the clock
    _state(study)
    try:
        one, found = asked(study.settings), findings_of(lab().store, study)
    except ConfigError as error:
        st.info(f"Its settings are of another version: {as_typed(str(error))}", icon=":material/info:")
        return
    if not study.done:
        st.caption("The first numbers come in a moment." if study.active else "Nothing was computed.")
        return
    if found.headline is not None:
        st.markdown(f"### {_said(found.headline)}")
    for chart, place in zip(found.charts, st.columns(len(found.charts)) if found.charts else (), strict=True):
        with place:
            st.markdown(f"**{as_typed(chart.title)}**")
            st.plotly_chart(figure(chart), config=STATIC, key=f"chart:{study_id}:{chart.title}")
            if chart.note:
                st.caption(as_typed(chart.note))
    _sentences(found)
    for table in found.tables:
        _table(table)
    _boards(study, found)
    if found.comparisons:
        st.caption(_judged(found.comparisons))
    st.caption("  \n".join(as_typed(note) for note in one.protocol.notes))


def _state(study: StudyRecord) -> None:
    """How far it is, and what can be done."""
    told = lab().studies.progress(study.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        if study.active:
            share, sentence = told or (study.done / max(1, study.cells), f"{study.done} of {study.cells}")
            st.progress(min(1.0, share), as_typed(sentence), width="stretch")
            if told is not None and action_button("teach", "Stop", key="study:stop", icon=":material/stop:"):
                with said_in_a_sentence():
                    lab().studies.stop(study.id)
        else:
            st.markdown(f"{study.status.capitalize()}: {study.done} of {study.cells} computed.", width="content")
            if study.done < study.cells and action_button(
                "teach", "Go on", key="study:resume", icon=":material/play_arrow:", type="primary"
            ):
                with said_in_a_sentence():
                    lab().studies.resume(study.id)
                    st.rerun(scope="app")
            if action_button("edit", "Delete", key="study:delete", icon=":material/delete:", type="tertiary"):
                with said_in_a_sentence():
                    lab().store.bin.delete([study.id])
                    st.switch_page(USES)
    if study.message and not study.active:
        st.info(as_typed(study.message), icon=":material/info:")


def _sentences(found: Findings) -> None:
    if found.sentences:
        half = -(-len(found.sentences) // 2)
        for place, part in zip(st.columns(2), (found.sentences[:half], found.sentences[half:]), strict=True):
            place.markdown("\n".join(f"- {_said(sentence)}" for sentence in part))


def _said(sentence: Sentence) -> str:
    colour, icon = LOOKS[sentence.tone]
    text = as_typed(sentence.text)
    return text if sentence.tone == "plain" else f":{colour}[{icon}] {text}"


def _judged(comparisons: int) -> str:
    """What is to be expected of so many calls."""
    if comparisons == 1:
        return "One difference was judged, at 95 %: one of twenty such calls is false where nothing differs."
    return (
        f"{comparisons} differences were judged, each at 95 %: where nothing differs, one of twenty is called falsely, "
        f"here about {comparisons / 20:.1f}."
    )


def _table(table: Table) -> None:
    st.markdown(f"**{as_typed(table.title)}**")
    config = {
        name: st.column_config.NumberColumn(format=f"%{form}")
        for name, form in table.forms.items()
        if name in table.columns
    }
    st.dataframe(
        [dict(zip(table.columns, row, strict=True)) for row in table.rows], hide_index=True, column_config=config
    )
    if table.note:
        st.caption(as_typed(table.note))


def _boards(study: StudyRecord, found: Findings) -> None:
    """Those of no group, then those of the group that is chosen."""
    named = [*(board.group for board in found.boards), *(handle.group for handle in found.handles)]
    groups = list(dict.fromkeys(filter(None, named)))
    chosen = ""
    if len(groups) > 1:
        key = f"group:{study.id}"
        chosen = st.segmented_control("Pictures of", groups, default=groups[0], required=True, key=key)
    shown = ("", chosen or next(iter(groups), ""))
    for board in found.boards:
        if board.group in shown:
            _board(study, board)
    _threshold(study, [handle for handle in found.handles if handle.group in shown])


def _threshold(study: StudyRecord, handles: Sequence[Handle]) -> None:
    """A threshold of held-out normal pictures that is set by hand, and what it does."""
    if not handles:
        return
    st.markdown("**Set the threshold**")
    names = {handle.name: handle for handle in handles}
    key = f"threshold:{study.id}:{handles[0].group}"
    default = max(handles, key=lambda handle: handle.steps[-1][2] / handle.anomalies).name
    picked = st.segmented_control("Score", list(names), default=default, required=True, key=key, format_func=as_typed)
    handle = names.get(picked or default, handles[0])
    rates = [rate for rate, *_ in handle.steps]
    asked: float = float(study.settings.get("alarms", rates[0]))
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        rate = st.select_slider(
            "Normal pictures that may be called anomalous",
            rates,
            min(rates, key=lambda one: abs(one - asked)),
            format_func=lambda one: f"{100 * one:g} %",
            key=f"{key}:{handle.name}",
            help="Set on normal pictures that were kept apart: no anomaly has a part in it. Left and right arrows move it.",
        )
        st.markdown(caught(handle, rate))
        st.caption("The curve is that of all thresholds, of the first seed; the point is the one that is set.")
    with right:
        st.plotly_chart(roc(handle, rate), config=STATIC, key=f"{key}:roc")


def caught(handle: Handle, rate: float) -> str:
    """What a threshold does, in counts."""
    _, normals, anomalies = next(step for step in handle.steps if step[0] == rate)
    return (
        f"{as_typed(handle.name)} catches **{anomalies} of {handle.anomalies}** anomalies, and raises false alarms on "
        f"**{normals} of {handle.normals}** normal pictures, {normals / handle.normals:.1%}; {100 * rate:g} % were set."
    )


def _board(study: StudyRecord, board: Board) -> None:
    """Pictures in rows, or one of them; one whose file is gone is a sentence."""
    st.markdown(f"**{as_typed(board.title)}**")
    files = board.files
    if board.choice:
        names = [caption for _, caption in files]
        wanted = st.segmented_control(
            board.title,
            names,
            default=names[0],
            required=True,
            key=f"board:{study.id}:{board.title}",
            format_func=as_typed,
            label_visibility="collapsed",
        )
        files = tuple(file for file in files if file[1] == wanted) or files[:1]
    columns = st.columns(min(ON_A_ROW, len(files)))
    for place, (name, caption) in enumerate(files):
        with columns[place % len(columns)]:
            try:
                st.image(
                    lab().store.studies.file(study.id, name).read_bytes(),
                    caption=as_typed(caption),
                    output_format="PNG",
                    width="stretch",
                )
            except (StoreError, OSError):  # gone, or no picture any more
                st.caption(f"The picture “{as_typed(caption)}” is gone.")
    if board.note:
        st.caption(as_typed(board.note))


def _beside(study: StudyRecord) -> None:
    """The run that is asked, and what can be taken away."""
    if study.run:
        label = "The run that is asked" + (f", at round {study.settings['at']:,}" if study.settings.get("at") else "")
        st.page_link(WATCH, label=label, icon=":material/monitoring:", query_params={"run": study.run})
    st.page_link(USES, label="All studies", icon=":material/arrow_back:")
    section = st.expander("Take it away", icon=":material/download:", key=f"take-away:{study.id}", on_change="rerun")
    if section.open:
        with section:
            _take_away(study)
    if study.done:
        handing_in.show(study)


def _take_away(study: StudyRecord) -> None:
    with st.container(horizontal=True):
        for ending, write in STUDY_EXPORTS.items():
            st.download_button(
                ending[1:].upper(),
                _writer(write, study.id),
                f"{study.id}{ending}",
                MIMES[ending],
                key=f"study:take:{ending}",
                icon=":material/download:",
                on_click="ignore",
            )
    changed = {name: value for name, value in study.settings.items() if name != "protocol"}
    code = f"from gan_core import study\n\nfound = study({study.protocol!r}, {changed!r})\nprint(found.sentences)"
    st.code(code, language="python", wrap_lines=True)


def _writer(write: Callable[..., bytes], study_id: str) -> Callable[[], bytes]:
    store = lab().store
    return lambda: write(store, study_id)

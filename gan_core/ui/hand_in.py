"""What a student hands in: one zip with the log, the grids, the answers and a report that opens offline; a pack as well."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

import gan_core
from gan_core.engine.exchange.interpolation import strip
from gan_core.engine.exchange.packs import to_json, write_pack
from gan_core.engine.library.history import happenings
from gan_core.engine.showing.parts import STANDING, first_of, kept_as
from gan_core.engine.studies.taken import as_zip
from gan_core.store import RunRecord, RunStore
from gan_core.ui.report import embedded, report
from gan_core.ui.shell import lab

ANSWER_LENGTH = 20_000
CHOSEN = 5
"""Grids that are chosen at first: evenly over the run."""


def show(run: RunRecord) -> None:
    """The section of a run: answers, the rounds whose samples belong to it, and the file."""
    store = lab().store
    with st.expander("Hand in", icon=":material/assignment_turned_in:"):
        rounds = sorted(grids(store, run.id))
        name = st.text_input("Your name", max_chars=120, key=f"hand-in:name:{run.id}")
        answers = st.text_area("Your answers", max_chars=ANSWER_LENGTH, height=180, key=f"hand-in:answers:{run.id}")
        chosen = st.multiselect(
            "Samples at the rounds", rounds, default=spread(rounds), key=f"hand-in:rounds:{run.id}:{bool(rounds)}"
        )
        if run.parent:
            st.caption("This run is a fork: the run that it came from goes in too, for the comparison.")
        st.download_button(
            "Hand in",
            lambda: hand_in(store, run.id, name=name, answers=answers, rounds=chosen),
            f"hand-in-{run.id}.zip",
            "application/zip",
            type="primary",
            icon=":material/assignment_turned_in:",
            on_click="ignore",
            key=f"hand-in:{run.id}",
        )


def hand_in(store: RunStore, run_id: str, *, name: str = "", answers: str = "", rounds: Sequence[int] = ()) -> bytes:
    """The zip: ``hand-in.html``, ``training-log.json``, ``answers.md``, ``grids/``, ``interpolation.png``, and all that a pack
    of the run holds.

    A fork brings ``before.html``, the report of the run that it came from, and its curves in the log; studies that asked the
    run lie in ``studies/``. Raises RunNotFound.
    """
    run = store.run(run_id)
    file = io.BytesIO()
    write_pack(store, run_id, file)
    files = grids(store, run_id)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        way = strip(store, run_id)
        archive.writestr("hand-in.html", with_answers(report(store, run_id), name, answers, way))
        if way is not None:
            archive.writestr("interpolation.png", way)
        archive.writestr("answers.md", f"# {name or 'Answers'}\n\n{answers}\n")
        logged: dict[str, Any] = {"version": gan_core.__version__, "name": name, **log_of(store, run)}
        if run.parent:
            before = store.run(run.parent)
            logged["before"] = log_of(store, before)
            archive.writestr("before.html", report(store, before.id))
        archive.writestr("training-log.json", to_json(logged))
        for study in store.studies.of_run(run_id):
            archive.writestr(f"studies/{study.id}.zip", as_zip(store, study.id))
        for round in sorted(set(rounds) & files.keys()):
            archive.write(store.artefact_path(run_id, files[round]), f"grids/round-{round:07d}.png")
    return file.getvalue()


def log_of(store: RunStore, run: RunRecord) -> dict[str, Any]:
    """Losses round by round, what was measured (coverage among it), the onset of what the verdict says, the settings, and
    what was done to the run while it trained.
    """
    verdict: Mapping[str, Any] = run.summary.get("verdict", {})
    told: dict[str, Any] = {
        "run": run.id,
        "title": run.name,
        "status": run.status,
        "rounds": run.rounds,
        "verdict": verdict.get("state", ""),
        "onset_round": verdict.get("onset_round"),
        "config": run.config,
        "environment": run.environment,
        "done_while_it_trained": [{"round": one.round, "what": one.what} for one in happenings(store, run)],
    }
    for name, wanted in (("turns", "losses"), ("diagnostics", "measured")):
        if name in store.track_names(run.id):
            track = store.track(run.id, name)
            columns = [one for one in track.columns if name == "diagnostics" or one.endswith(".loss")]
            told[wanted] = {"round": track.rounds.tolist()} | {one: track.column(one).tolist() for one in columns}
    return told


def grids(store: RunStore, run_id: str) -> dict[int, str]:
    """The file of the samples of each round that has a picture."""
    seen = {frame.round: (first_of(STANDING, frame.parts) or "", frame.parts) for frame in store.frames(run_id)}
    return {round: parts[name]["file"] for round, (name, parts) in seen.items() if kept_as(name) == "png"}


def spread(rounds: Sequence[int]) -> list[int]:
    """Up to ``CHOSEN`` of the rounds, evenly, the first and the last among them."""
    if len(rounds) <= CHOSEN:
        return list(rounds)
    return [rounds[index * (len(rounds) - 1) // (CHOSEN - 1)] for index in range(CHOSEN)]


def with_answers(html: str, name: str, answers: str, way: bytes | None = None) -> str:
    """The report with the way from noise to noise and the answers at its end, these as typed."""
    told = (
        f"<section><h2>{escape(name) or 'Answers'}</h2><p style='white-space: pre-wrap'>{escape(answers)}</p></section>"
    )
    if way is not None:
        picture = embedded(way, "samples on the way between draws of z")
        note = "<p class='quiet'>In each row z goes from one draw to another.</p>"
        told = f"<section><h2>From one noise to another</h2>{picture}{note}</section>{told}"
    head, end, tail = html.rpartition("</main>" if "</main>" in html else "</body>")
    return f"{head}{told}{end}{tail}"

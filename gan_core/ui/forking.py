"""Forking from the Watch page: the dialog, and the family tree of what was forked from what."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st

from gan_core.about import inside
from gan_core.config import ALL_CURES, ConfigError, GanConfig, RunConfig
from gan_core.engine import DataError, Refused, advice, catalogue
from gan_core.engine.comparing.variants import changes_between
from gan_core.engine.library.lessons import WELL, NextAct
from gan_core.store import RunRecord
from gan_core.ui import sections
from gan_core.ui.forms import ConfigForm, objective_names
from gan_core.ui.shell import action_button, as_typed, lab, said_in_a_sentence, say, watch

NOW = -1


def open_fork_dialog(run_id: str) -> None:
    """Let the page open the dialog when it runs next: a fragment that refreshes itself would close it again."""
    st.session_state["fork:dialog"] = run_id
    st.session_state["fork:click"] = uuid.uuid4().hex
    st.rerun()


def show_fork_dialog(run: RunRecord) -> None:
    """The dialog, until it is closed; called once per run of the page."""
    if st.session_state.get("fork:dialog") == run.id:
        _dialog(run)


def _close() -> None:
    st.session_state.pop("fork:dialog", None)


@st.dialog("Fork from here", width="large", icon=":material/call_split:", on_dismiss=_close)
def _dialog(run: RunRecord) -> None:
    st.markdown(
        "Another run goes on from the exact weights of this one, with what you change below. What cannot go over "
        "(a layer whose shape changes, the memory of another optimiser) begins anew, and its page says so."
    )
    training = lab().view(run.id).status["state"] in ("running", "paused")
    rounds = [*([NOW] if training else []), *reversed(lab().kept_rounds(run.id))]
    if not rounds:
        st.info("No checkpoint of this run has been kept yet.", icon=":material/save:")
        return
    parent, titles = RunConfig.load(run.config), objective_names()
    advised = lab().view(run.id).status["verdict"].get("cures", [])
    cures = cures_for(parent)
    cures = {name: cures[name] for name in [*advised, *cures] if name in cures}
    kept = lab().kept_for(run.id)
    cure = None
    if cures:
        cure = st.pills(
            "A cure",
            list(cures),
            format_func=lambda name: ALL_CURES[name].title,
            key=f"fork:cure:{run.id}",
            help="Those that the verdict names come first; every value can be changed below",
        )
    if cure:
        st.caption(ALL_CURES[cure].idea)
    cured = cures[cure] if cure else parent
    where, what = st.columns([2, 3])
    at = where.selectbox("From", rounds, format_func=lambda round: _place(round, kept), key=f"fork:at:{run.id}")
    base = cured
    if isinstance(cured, GanConfig):
        objective = what.selectbox(
            "Objective",
            list(titles),
            list(titles).index(cured.objective.name) if cured.objective.name in titles else 0,
            format_func=titles.__getitem__,
            key=f"fork:objective:{run.id}" + (f":{cure}" if cure else ""),
        )
        base = cured if objective == cured.objective.name else cured.replace({"objective": objective})
    form = ConfigForm(base, catalogue(), f"fork:{run.id}:{cure}:{base.recipe}")
    sections.of_fork(form, base)
    _begin(run, form, parent, at)


def _begin(run: RunRecord, form: ConfigForm, parent: RunConfig, at: Any) -> None:
    """What the form changes, the button that forks, and whether both are shown."""
    changes: dict[str, Any] = {}
    try:
        changes = changes_between(parent, RunConfig.load(form.settings))
        told = ", ".join(f"{field} = {value}" for field, value in changes.items())
        st.caption(f"Changes: {told or 'nothing; it goes on as its parent would'}")
    except ConfigError as error:
        for problem in form.show_problems(error.problems):
            say(problem)
        return
    together = st.checkbox(
        "Show both side by side, in step",
        value=True,
        key=f"fork:beside:{run.id}",
        help="This run goes on too, if it has rounds left; neither gets more than a few rounds ahead of the other",
    )
    go: dict[str, Any] = {"type": "primary", "icon": ":material/call_split:", "key": f"fork:go:{run.id}"}
    if action_button("teach", "Fork", seen=form.drawn, **go):
        with said_in_a_sentence():
            key = st.session_state["fork:click"]
            child = lab().fork(run.id, changes, at=None if at == NOW else at, key=key)
            _close()
            if not together:
                watch(child)
            lab().side_by_side(run.id, child)
            let_go_on(run.id)
            watch(run.id, beside=child)


def act_button(run: RunRecord, act: NextAct | None) -> None:
    """What the lesson of a run does next, as one button: the fork, and the two side by side. Nothing for other runs.

    ``act`` is ``next_act(run)``, which is the same for as long as the run is: a fragment need not look for it again.

    What this run itself was forked from is stopped then: the story goes on with the other two, and it has their processor.
    """
    if act is None:
        return
    status = lab().view(run.id).status
    if act.if_well and status.get("verdict", {}).get("state") not in WELL:
        return
    played = int(status["round"])
    title = inside(act.change.title)
    when = "" if played >= act.round else f" · from round {act.round:,}"
    if action_button(
        "teach",
        f"{'Break' if act.breaks else 'Cure'} it: {title}{when}",
        key=f"act:{run.id}",
        icon=":material/bolt:" if act.breaks else ":material/healing:",
        help=act.change.idea,
        type="primary",
        disabled=played < act.round,
    ):
        with said_in_a_sentence():
            first = lab().store.family(run.id)[0]
            child = lab().fork(
                run.id, act.change.changes, name=f"{first.name} → {act.change.title}", key=f"act:{run.id}:{title}"
            )
            if run.parent is not None and lab().is_active(run.parent):
                with suppress(Refused):  # it has just ended
                    lab().command(run.parent, "stop")
            lab().side_by_side(run.id, child)
            let_go_on(run.id)
            watch(run.id, beside=child)


def _place(round: int, kept: Mapping[int, str]) -> str:
    reason = kept.get(round, "")
    return "now" if round == NOW else f"round {round:,}" + (f" ({reason})" if reason else "")


def cures_for(parent: RunConfig) -> dict[str, RunConfig]:
    """What a run becomes under each cure that it does not have yet and that can be built."""
    cured: dict[str, RunConfig] = {}
    for name, cure in ALL_CURES.items():
        with suppress(ConfigError, DataError):
            changed = parent.replace(cure.changes)
            advice(changed)  # raises where it cannot be built
            if not cure.holds_in(parent):
                cured[name] = changed
    return cured


def let_go_on(run_id: str) -> None:
    """Let a run train if it can: one that is paused, or one that was stopped."""
    state = lab().view(run_id).status["state"]
    with suppress(Refused):  # it has played all its rounds, or has just ended: it is shown as it is
        if state == "paused":
            lab().command(run_id, "resume")
        elif state in ("stopped", "interrupted", "failed"):
            lab().resume(run_id)


def origin(run: RunRecord, events: Sequence[Any]) -> str | None:
    """Where a fork comes from, what it changed and what began anew, in a sentence or two; None for a run of its own."""
    told = [event for event in events if event.kind == "forked" and event.data.get("parent") == run.parent]
    if run.parent is None or not told:
        return None
    data: Mapping[str, Any] = told[-1].data
    changes = ", ".join(f"{field} = {value}" for field, value in data.get("changes", {}).items()) or "nothing changed"
    name = as_typed(str(data.get("name", run.parent)))
    text = f"Forked from [{name}](watch?run={run.parent}) at round {told[-1].round:,}: {changes}."
    anew = data.get("anew", [])
    return f"{text} Begins anew: {'; '.join(anew)}." if anew else f"{text} Everything else went over exactly."


def family_tree(run: RunRecord, family: Sequence[RunRecord]) -> str:
    """The tree of forks as a Markdown list of links, the run itself bold; "" for a run without relatives."""
    if len(family) < 2:
        return ""
    known = {member.id for member in family}
    children: dict[str | None, list[RunRecord]] = {}
    for member in family:
        children.setdefault(member.parent if member.parent in known else None, []).append(member)
    lines: list[str] = []

    def walk(parent: str | None, depth: int) -> None:
        for member in children.get(parent, []):
            name = as_typed(member.name)
            own = member.id == run.id
            where = f" at round {member.forked_at:,}" if member.forked_at is not None else ""
            beside = "" if own else f" · [beside this one](watch?run={run.id}&beside={member.id})"
            link = f"**{name}**" if own else f"[{name}](watch?run={member.id})"
            lines.append(f"{'    ' * depth}- {link}{where} · {member.status}, {member.rounds:,} rounds{beside}")
            walk(member.id, depth + 1)

    walk(None, 0)
    return "\n".join(lines)

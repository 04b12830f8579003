"""The Collapse Lab's lesson: predict, watch, diagnose, cure, explain; what its keys do, and what its steps show."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from gan_core.config import BREAKS, CURES, preset_config
from gan_core.engine import Refused, dataset_facts
from gan_core.engine.comparing.standings import METRICS
from gan_core.engine.library.lessons import mode_names, outcome
from gan_core.store import ACTIVE, RunNotFound, RunRecord, StoreError
from gan_core.ui import class_poll, collapse_strip, side_by_side
from gan_core.ui.data_facts import draw_points
from gan_core.ui.forking import let_go_on
from gan_core.ui.lesson_value import ANSWERS, LESSONS, Lesson, judged, recommended
from gan_core.ui.live_view import Panel, curves_panel, live_view
from gan_core.ui.rights import pace
from gan_core.ui.shell import THEORY, about_card, lab, said_in_a_sentence, say, ticket

QUESTION = "How many modes will survive?"
RECIPE = "lesson:recipe"
ABOVE = 3.0  # rem of a line above them
ROOM = 14.0  # rem of the window's height that are not the charts', where only the buttons stand above them

# -- what can be done ---------------------------------------------------------------------------------------------


def buttons(lesson: Lesson) -> dict[str, tuple[str, str, bool]]:
    """The buttons of a step by what `obey` calls them: label, icon, and whether the step has it."""
    trains, fixes = bool(lesson.shown) and lesson.step != "explain", bool(lesson.run) and not lesson.fixed
    if lesson.breaks:
        begins = {
            "b": ("Break it [B]", ":material/bolt:", not lesson.run)
            if lesson.healthy
            else ("Start [B]", ":material/play_arrow:", True),
            "c": ("Cure it [C]", ":material/healing:", fixes),
        }
    else:
        begins = {
            "c": ("Collapse [C]", ":material/play_arrow:", not lesson.run),
            "f": ("Fix [F]", ":material/healing:", fixes),
        }
    return begins | {
        "space": ("Pause / go on [Space]", ":material/pause:", trains),
        "previous": ("Back [←]", ":material/arrow_back:", lesson.step != "predict"),
        "next": ("On [→]", ":material/arrow_forward:", lesson.step != lesson.steps[-1]),
    }


def as_chosen(lesson: Lesson) -> Lesson:
    """The lesson with what its widgets say: a key may come before the choice that was made last is in the address."""
    state = st.session_state
    chosen = {
        "guess": state.get(_key("guess", lesson), lesson.guess),
        "which": tuple(state.get(_key("which", lesson), lesson.which)),
        "cure": state.get(_key("cure", lesson), lesson.cure),
    }
    recipe = state.get(RECIPE, lesson.recipe) if lesson.step == "predict" else lesson.recipe
    return replace(lesson, **chosen) if recipe == lesson.recipe else Lesson(recipe)


def _key(choice: str, lesson: Lesson) -> str:
    """Of the widget of a choice, anew for each thing that can be chosen once."""
    told = f":{lesson.guess}" if choice == "guess" else ""
    return f"cure:{lesson.run}" if choice == "cure" else f"{choice}:{lesson.recipe}:{lesson.seed}{told}"


def obey(lesson: Lesson, pressed: str) -> Lesson:
    """What a key or its button does."""
    if pressed in ANSWERS:
        return replace(lesson, guess=int(pressed)) if lesson.step == "predict" else lesson
    if pressed in ("previous", "next"):
        turned = lesson.turned(1 if pressed == "next" else -1)
        return replace(turned, seen=None) if (lesson.step, turned.step) == ("watch", "diagnose") else turned
    actions: dict[str, Callable[[Lesson], Lesson]] = {
        "b": _break if lesson.healthy and lesson.step != "explain" else _collapse,
        "c": _fix if lesson.breaks else _collapse,
        "f": _fix,
        "space": _pause_or_resume,
    }
    with said_in_a_sentence():
        return actions[pressed](lesson)
    return lesson


def diagnosed(lesson: Lesson) -> Lesson:
    """The lesson that counts the modes of the round that is there now; the run may go on, the count does not."""
    try:
        counted = outcome(lab().store, lesson.run) if lesson.run else None
    except (RunNotFound, StoreError):
        return lesson
    return replace(lesson, seen=counted.round if counted else None)


def _collapse(lesson: Lesson) -> Lesson:
    """Begin the run of the lesson, or once more from the start."""
    if lesson.shown:
        return lesson.again() if lesson.step == "explain" else lesson
    config = preset_config(lesson.recipe)
    config = config.replace({"seed": config.seed + lesson.seed})
    key = f"lesson:{st.session_state['lesson']}:{lesson.recipe}:{lesson.seed}"
    run = lab().submit(config, name=lesson.preset.title, tags=("lesson",), key=key)
    return replace(lesson, healthy=run, step="watch") if lesson.breaks else replace(lesson, run=run, step="watch")


def _break(lesson: Lesson) -> Lesson:
    """Fork the run that is well with what breaks it; that one stops, and leaves the processor to its fork."""
    act = lesson.preset.acts[0]
    played = int(lab().view(lesson.healthy).status["round"])
    if lesson.run:
        return lesson
    if played < act.round:
        raise Refused(f"It learns until round {act.round:,} and is at {played:,}: there is nothing to lose yet.")
    name = f"{lesson.preset.title} → {BREAKS[act.change].title}"
    key = f"break:{lesson.healthy}"
    child = lab().fork(lesson.healthy, BREAKS[act.change].changes, name=name, tags=("lesson",), key=key)
    if lab().is_active(lesson.healthy):
        with suppress(Refused):  # it has just ended
            lab().command(lesson.healthy, "stop")
    return replace(lesson, run=child, step="watch")


def _fix(lesson: Lesson) -> Lesson:
    if not lesson.run or lesson.fixed:
        return replace(lesson, step="cure") if lesson.run else lesson
    cure = lesson.cure or recommended(lesson.preset, advised_for(lesson.run))
    status = lab().view(lesson.run).status
    needs = lesson.preset.cured_within or lesson.preset.within - lesson.preset.acts[-1].round
    last = max(status["rounds"], status["round"] + needs)  # however late in the lesson it is
    changes = {**CURES[cure].changes, "schedule.rounds": last}
    name = f"{lesson.preset.title} → {CURES[cure].title}"
    child = lab().fork(lesson.run, changes, name=name, tags=("lesson",), key=f"fix:{lesson.run}:{cure}")
    lab().side_by_side(lesson.run, child)
    let_go_on(lesson.run)
    return replace(diagnosed(lesson) if lesson.seen is None else lesson, cure=cure, fixed=child, step="cure")


def _pause_or_resume(lesson: Lesson) -> Lesson:
    states = {run: str(lab().view(run).status["state"]) for run in lesson.runs}
    command = "pause" if "running" in states.values() else "resume"
    for run, state in states.items():
        if state == {"pause": "running", "resume": "paused"}[command]:
            with suppress(Refused):  # it has just ended
                lab().command(run, command)  # type: ignore[arg-type]
    return lesson


def advised_for(run_id: str) -> tuple[str, ...]:
    """The cures that the verdict on a run names."""
    return tuple(lab().view(run_id).status.get("verdict", {}).get("cures", ()))


# -- the steps ----------------------------------------------------------------------------------------------------


def show(lesson: Lesson) -> Lesson:
    """Draw the step; returns the lesson as its widgets leave it."""
    if lesson.step == "predict":
        return _predict(lesson)
    try:
        run = lab().store.run(lesson.shown)
        fixed = lab().store.run(lesson.fixed) if lesson.fixed else None
    except (RunNotFound, StoreError) as error:
        say(error)
        return lesson.again() if st.button("Begin again", icon=":material/restart_alt:") else lesson
    if lesson.step == "explain":
        return _explain(lesson, run, fixed)
    if lesson.step == "cure":
        return _cure(lesson, run, fixed)
    if lesson.step == "watch":
        if lesson.breaks:
            _again_and_again(lambda: _what_next(lesson), run)
        _live(lesson, run, told=lesson.breaks)
        st.markdown(f"**Look for:** {lesson.preset.seen}")
        return lesson
    if lesson.seen is None:
        lesson = diagnosed(lesson)
    counted = outcome(lab().store, run.id, lesson.seen)
    with st.container(horizontal=True, vertical_alignment="center"):
        if counted is None:
            st.markdown("**Nothing has been counted yet.**")
        else:
            st.markdown(f"**Round {counted.round:,}:** {judged(lesson, counted)}")
        if st.button(
            "Count now", icon=":material/refresh:", key="count", help="Make the diagnosis at the newest round"
        ):
            lesson = diagnosed(lesson)
    _live(lesson, run, lesson.seen)
    return lesson


def _what_next(lesson: Lesson) -> None:
    """What the class is to see of a lesson with acts, and the key that goes on."""
    act = lesson.preset.acts[0]
    if lesson.run:
        st.markdown(f"**{BREAKS[act.change].title}.** {BREAKS[act.change].idea} **C** cures it.")
        return
    played = int(lab().view(lesson.healthy).status["round"])
    told = "**B** breaks it now." if played >= act.round else f"From round {act.round:,} on, **B** breaks it."
    st.markdown(f"A game that is well, as long as nobody touches it. {told}")


def _race(lesson: Lesson, run: RunRecord) -> list[Panel]:
    """The panels of a run; with predictions, how many modes are left over rounds beside them, in the place of the losses."""
    panels = side_by_side.panels_alone(run)
    given = class_poll.guesses(QUESTION)
    levels = [(float(answer), f"{answer}: {count} of the class") for answer, count in given.items()]
    if lesson.guess is not None and str(lesson.guess) not in given:
        levels.append((float(lesson.guess), f"predicted: {lesson.guess}"))
    if not levels:
        return panels
    most = len(_names(lesson.recipe))
    race = curves_panel(
        "race",
        "How many are left",
        ("modes_covered",),
        y_title="modes",
        track="diagnostics",
        y_range=(0, most + 0.5),
        levels=levels,
    )
    return [race if panel["slot"] == "loss-chart" else panel for panel in panels]


def _live(lesson: Lesson, run: RunRecord, at: int | None = None, *, told: bool = False) -> None:
    """The run as it trains, or first as it was at a round; below a line that is ``told``, or not."""
    panels = _race(lesson, run)
    epoch, above = str(run.started_at or ""), 3.2 if at is not None else ABOVE * told
    live_view(
        run.id,
        ticket(run.id),
        panels,
        key=f"lesson:{run.id}:{at}",
        epoch=epoch,
        fits=ROOM + above,
        at=at,
    )


@st.cache_data(show_spinner=False)
def _names(recipe: str) -> tuple[str, ...]:
    return mode_names(preset_config(recipe))


def _predict(lesson: Lesson) -> Lesson:
    names = _names(lesson.recipe)
    story, answer = st.columns([5, 4], gap="large")
    with story:
        recipe = st.selectbox(
            "Recipe",
            list(LESSONS),
            list(LESSONS).index(lesson.recipe),
            format_func=lambda name: LESSONS[name].title,
            key=RECIPE,
        )
        if recipe != lesson.recipe:
            return Lesson(recipe)
        st.markdown(lesson.preset.story)
        st.subheader(lesson.preset.question, anchor=False)
        st.markdown(f"**Look for:** {lesson.preset.seen}")
        told = "From start to cure" if lesson.breaks else "Called after"
        st.caption(
            f"{told} about {lesson.preset.seconds:.0f} seconds of training, as measured on free cores. Seed {lesson.seed}."
        )
        _real_data(lesson)
    with answer, st.container(border=True):
        st.markdown(f"**How many of the {len(names)} will survive?** Type a digit, or choose.")
        guess = st.pills(
            "How many will survive?",
            range(len(names) + 1),
            default=lesson.guess if lesson.guess is not None and lesson.guess <= len(names) else None,
            key=_key("guess", lesson),
            label_visibility="collapsed",
            wrap=True,
        )
        which = st.pills(
            "Which ones? (may stay open)",
            names,
            selection_mode="multi",
            default=[name for name in lesson.which if name in names],
            key=_key("which", lesson),
            wrap=True,
        )
        class_poll.offer(QUESTION, [str(number) for number in range(len(names) + 1)])
    return replace(lesson, guess=guess, which=tuple(which))


def _real_data(lesson: Lesson) -> None:
    """What there is to lose: the modes with their numbers, or the classes."""
    data = preset_config(lesson.recipe).data
    facts = dataset_facts(data.name, lab().classifiers, **data.options)
    if facts.points is not None:
        draw_points(facts, key=f"real:{lesson.recipe}", height=260)
    elif facts.samples is not None:
        st.image(facts.samples, caption="Real samples, a row for each class", output_format="PNG", width=330)


def _state(run: RunRecord) -> str:
    return str(lab().view(run.id).status["state"])


def _again_and_again(draw: Callable[[], None], *runs: RunRecord | None) -> None:
    """Draw now, and while one of these runs trains every other second, without a rerun of the page."""
    active = any(run is not None and _state(run) in ACTIVE for run in runs)
    st.fragment(draw, run_every=pace(1.5) if active else None)()


def _left(run: RunRecord | None, at: int | None = None) -> tuple[str, str]:
    """How many modes are there, and at which round that was counted."""
    counted = outcome(lab().store, run.id, at) if run is not None else None
    if counted is None:
        return "–", ""
    return f"{len(counted.survivors)} of {len(counted.names)}", f"round {counted.round:,}"


def _cure(lesson: Lesson, run: RunRecord, fixed: RunRecord | None) -> Lesson:
    if fixed is not None:
        _compare(lesson, run, fixed)
        return lesson
    effects = {"cures": "", "helps": " (helps only)"}
    cures = lesson.cures
    advised = recommended(lesson.preset, advised_for(run.id))
    cure = st.pills(
        "What shall the fork change?",
        list(cures),
        default=lesson.cure or advised,
        format_func=lambda name: CURES[name].title + effects[cures[name]],
        required=True,
        key=_key("cure", lesson),
        wrap=True,
    )
    key = "C" if lesson.breaks else "F"
    st.markdown(
        f"{CURES[str(cure)].idea} Press **{key}**: a fork goes on from these very weights, beside the run as it is."
    )
    _live(lesson, run)
    return replace(lesson, cure=str(cure))


def _compare(lesson: Lesson, run: RunRecord, fixed: RunRecord) -> None:
    """The collapsed run and its fork, in step: what they make, and how it is spread."""
    change = CURES[lesson.cure or recommended(lesson.preset)]

    def told() -> None:
        left, when = _left(run, lesson.seen)
        after, now = _left(fixed)
        told = f"**Modes: {left} at the diagnosis" + (f" ({when})" if when else "")
        st.markdown(f"{told}, {after} after the fix{f' ({now})' if now else ''}.** {change.title}", help=change.idea)

    _again_and_again(told, run, fixed)
    for column, shown, other in zip(st.columns(2), (run, fixed), (fixed, run), strict=True):
        with column:
            panels = [panel for panel in side_by_side.compact_panels(shown) if panel["slot"] != "loss-chart"]
            key, epoch = f"lesson:beside:{shown.id}", str(shown.started_at or "")
            live_view(shown.id, ticket(shown.id), panels, key=key, epoch=epoch, beside=[other.id])


def _score(lesson: Lesson, run: RunRecord, fixed: RunRecord | None) -> None:
    predicted, survived, after = st.columns(3)
    predicted.metric("Predicted", "–" if lesson.guess is None else lesson.guess)
    survived.metric("Survived", _left(run, lesson.seen)[0])
    now, when = _left(fixed)
    after.metric("After the fix", now, help=f"Counted at {when}" if when else None)
    counted = outcome(lab().store, run.id, lesson.seen)
    if counted is not None:
        st.markdown(judged(lesson, counted))
        class_poll.reveal(QUESTION, str(len(counted.survivors)))
        if told := class_poll.winners(QUESTION, len(counted.survivors)):
            st.markdown(told)
        st.caption(f"Counted at round {counted.round:,}. {METRICS['modes_covered'].about.idea}")


def _explain(lesson: Lesson, run: RunRecord, fixed: RunRecord | None) -> Lesson:
    last = fixed or run
    st.fragment(lambda: collapse_strip.show(last), run_every=pace(4.0) if _state(last) in ACTIVE else None)()
    score, why = st.columns([4, 5], gap="large")
    with score, st.container(border=True):
        _again_and_again(lambda: _score(lesson, run, fixed), run, fixed)
        verdict = lab().view(run.id).status.get("verdict", {})
        if verdict.get("sentence"):
            st.markdown(
                f"**{verdict.get('title', '')}, round {verdict.get('round', run.rounds):,}:** {verdict['sentence']}"
            )
        st.page_link(
            THEORY, label="The theory behind it", icon=":material/school:", query_params={"tab": "discriminator"}
        )
        st.page_link(THEORY, label="One cause at a time", icon=":material/tune:", query_params={"tab": "causes"})
        key = "B" if lesson.breaks else "C"
        again = st.button(f"Once more, with the next seed [{key}]", icon=":material/restart_alt:", key="again")
    with why, st.container(border=True):
        change = CURES[lesson.cure or recommended(lesson.preset)]
        st.subheader(change.title, anchor=False)
        st.markdown(change.idea)
        about_card(change.about)
    return lesson.again() if again else lesson

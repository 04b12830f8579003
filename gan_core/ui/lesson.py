"""The Collapse Lab's lesson: predict, watch, diagnose, cure, explain. What it knows is a value, kept in the page's address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import streamlit as st

from gan_core.config import CURES, PRESETS, Preset, preset_config
from gan_core.engine import Refused, dataset_facts
from gan_core.engine.comparing.standings import METRICS
from gan_core.engine.library.lessons import Outcome, mode_names, outcome
from gan_core.store import ACTIVE, RunNotFound, RunRecord, StoreError
from gan_core.ui import class_poll, side_by_side
from gan_core.ui.data_facts import draw_points
from gan_core.ui.forking import let_go_on
from gan_core.ui.live_view import live_view
from gan_core.ui.rights import pace
from gan_core.ui.shell import THEORY, TRAIN, about_card, lab, said_in_a_sentence, say, ticket

STEPS = {"predict": "Predict", "watch": "Watch", "diagnose": "Diagnose", "cure": "Cure", "explain": "Explain"}
LESSONS: dict[str, Preset] = {
    name: preset for name, preset in PRESETS.items() if preset.kind == "collapse" and "cures" in preset.cures.values()
}
QUESTION = "How many modes will survive?"
ANSWERS = tuple("0123456789")
RECIPE = "lesson:recipe"
ROOM = 14.0  # rem of the window's height that are not the charts', where only the buttons stand above them


@dataclass(frozen=True)
class Lesson:
    """Where the lesson is. ``guess`` is how many modes the class expects to survive, ``which`` are those it names;
    ``run`` is the run that collapses, ``fixed`` its fork with the change-set ``cure``; ``seen`` is the round at which the
    diagnosis was made, and the round whose modes the lesson counts from then on."""

    recipe: str
    step: str = "predict"
    guess: int | None = None
    which: tuple[str, ...] = ()
    seed: int = 0
    run: str = ""
    cure: str = ""
    fixed: str = ""
    seen: int | None = None

    @property
    def preset(self) -> Preset:
        return LESSONS[self.recipe]

    @property
    def steps(self) -> list[str]:
        """The steps that can be gone to: beyond the first there must be a run."""
        return list(STEPS) if self.run else ["predict"]

    @property
    def runs(self) -> list[str]:
        """The runs of the lesson, as far as there are any."""
        return [run for run in (self.run, self.fixed) if run]

    @property
    def keys(self) -> list[str]:
        """The keys that do something now; the others stay what they are for whatever has the focus."""
        if not self.run:
            return ["c", *ANSWERS]
        return ["space" if self.step != "explain" else "c", *([] if self.fixed else ["f"]), "previous", "next"]

    def turned(self, by: int) -> Lesson:
        """A step on or back, as far as there are any."""
        steps = self.steps
        return replace(self, step=steps[max(0, min(len(steps) - 1, steps.index(self.step) + by))])

    def again(self) -> Lesson:
        """The same lesson from the start, with the next seed: other modes will survive."""
        return Lesson(self.recipe, seed=self.seed + 1)


def read(query: Mapping[str, str]) -> Lesson:
    """The lesson that an address tells of; what makes no sense there is left out."""
    names = list(LESSONS)
    recipe = query.get("recipe", names[0])
    recipe = recipe if recipe in LESSONS else names[0]
    guess, seed, seen = (query.get(name, "") for name in ("guess", "seed", "seen"))
    cure = query.get("cure", "")
    lesson = Lesson(
        recipe,
        guess=int(guess) if guess.isdecimal() and len(guess) < 4 else None,
        which=tuple(part for part in query.get("which", "").split("~") if part),
        seed=int(seed) if seed.isdecimal() and len(seed) < 9 else 0,
        run=query.get("run", ""),
        seen=int(seen) if query.get("run") and seen.isdecimal() and len(seen) < 13 else None,
        cure=cure if cure in LESSONS[recipe].cures else "",
        fixed=query.get("fixed", "") if query.get("run") else "",
    )
    step = query.get("step", "predict")
    return replace(lesson, step=step if step in lesson.steps else "predict")


def write(lesson: Lesson) -> dict[str, str]:
    """The lesson as an address."""
    told = {
        "recipe": lesson.recipe,
        "step": lesson.step,
        "guess": "" if lesson.guess is None else str(lesson.guess),
        "which": "~".join(lesson.which),
        "seed": str(lesson.seed) if lesson.seed else "",
        "run": lesson.run,
        "seen": "" if lesson.seen is None else str(lesson.seen),
        "cure": lesson.cure,
        "fixed": lesson.fixed,
    }
    return {name: value for name, value in told.items() if value}


def recommended(preset: Preset, advised: tuple[str, ...] = ()) -> str:
    """The cure to try first: one that the verdict advises and that was measured to cure this recipe, else its first."""
    works = [name for name, effect in preset.cures.items() if effect == "cures"]
    return next((name for name in advised if name in works), works[0])


def judged(lesson: Lesson, counted: Outcome) -> str:
    """The prediction against what was counted, in a sentence or two."""
    left, names = len(counted.survivors), counted.names
    told = f"{left} of {len(names)} survived: {', '.join(counted.survivors) or 'none'}."
    if lesson.guess is None and not lesson.which:
        return f"{told} Nothing was predicted."
    said = []
    if lesson.guess is not None:
        off = abs(lesson.guess - left)
        said.append(f"Predicted: {lesson.guess}. " + ("Exactly right." if off == 0 else f"Off by {off}."))
    if lesson.which:
        right = [name for name in lesson.which if name in counted.survivors]
        said.append(f"Of the {len(lesson.which)} that were named, {len(right)} survived.")
    return " ".join([told, *said])


# -- what can be done ---------------------------------------------------------------------------------------------


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
    actions: dict[str, Callable[[Lesson], Lesson]] = {"c": _collapse, "f": _fix, "space": _pause_or_resume}
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
    if lesson.run:
        return lesson.again() if lesson.step == "explain" else lesson
    config = preset_config(lesson.recipe)
    config = config.replace({"seed": config.seed + lesson.seed})
    key = f"lesson:{st.session_state['lesson']}:{lesson.recipe}:{lesson.seed}"
    run = lab().submit(config, name=lesson.preset.title, tags=("lesson",), key=key)
    return replace(lesson, run=run, step="watch")


def _fix(lesson: Lesson) -> Lesson:
    if not lesson.run or lesson.fixed:
        return replace(lesson, step="cure") if lesson.run else lesson
    cure = lesson.cure or recommended(lesson.preset, advised_for(lesson.run))
    status = lab().view(lesson.run).status
    last = max(status["rounds"], status["round"] + lesson.preset.cured_within)  # however late in the lesson it is
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
        run = lab().store.run(lesson.run)
        fixed = lab().store.run(lesson.fixed) if lesson.fixed else None
    except (RunNotFound, StoreError) as error:
        say(error)
        return lesson.again() if st.button("Begin again", icon=":material/restart_alt:") else lesson
    if lesson.step == "explain":
        return _explain(lesson, run, fixed)
    if lesson.step == "cure":
        return _cure(lesson, run, fixed)
    if lesson.step == "watch":
        _live(run)
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
    _live(run, lesson.seen)
    return lesson


def _live(run: RunRecord, at: int | None = None) -> None:
    """The run as it trains, or first as it was at a round."""
    panels = side_by_side.panels_alone(run)
    epoch = str(run.started_at or "")
    live_view(
        run.id,
        ticket(run.id),
        panels,
        key=f"lesson:{run.id}:{at}",
        epoch=epoch,
        fits=ROOM if at is None else ROOM + 3.2,
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
        st.caption(
            f"Called after about {lesson.preset.seconds:.0f} seconds, as measured on two free cores. Seed {lesson.seed}."
        )
        for name, preset in PRESETS.items():
            if preset.acts:
                label = f"Or break a healthy run live: {preset.title.lower()}"
                st.page_link(TRAIN, label=label, icon=":material/bolt:", query_params={"preset": name})
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
        st.image(facts.samples, caption="Real samples, a row for each class", width=230)


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
    cures = lesson.preset.cures
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
    st.markdown(
        f"{CURES[str(cure)].idea} Press **F**: a fork goes on from these very weights, beside the run as it is."
    )
    _live(run)
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
        st.caption(f"Counted at round {counted.round:,}. {METRICS['modes_covered'].about.idea}")


def _explain(lesson: Lesson, run: RunRecord, fixed: RunRecord | None) -> Lesson:
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
        again = st.button("Once more, with the next seed [C]", icon=":material/restart_alt:", key="again")
    with why, st.container(border=True):
        change = CURES[lesson.cure or recommended(lesson.preset)]
        st.subheader(change.title, anchor=False)
        st.markdown(change.idea)
        about_card(change.about)
    return lesson.again() if again else lesson

"""The Collapse Lab: the lesson is a value in the address, keys and buttons do the same, and it can be played twice."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from holding import Hold
from opening import button, open_page
from streamlit.testing.v1 import AppTest
from waiting import until

from gan_core.config import BREAKS, CURES, PRESETS, Act, RunConfig, preset_config
from gan_core.engine import Lab
from gan_core.engine.library.lessons import Outcome, outcome
from gan_core.training import resolve
from gan_core.ui import class_poll
from gan_core.ui import lesson as lessons
from gan_core.ui.lesson import obey
from gan_core.ui.lesson_value import LESSONS, STEPS, Lesson, cures_of, judged, read, recommended, write

FIRST = "ring-collapse"
BROKEN = next(iter(LESSONS))


def test_an_address_holds_the_whole_lesson() -> None:
    lesson = Lesson(FIRST, "cure", 3, ("1", "off ~ mode"[:3]), 4, "run-1", "r1", "run-2", 40)
    assert read(write(lesson)) == lesson
    assert read({}) == Lesson(BROKEN)
    broken = Lesson(BROKEN, "watch", run="run-2", healthy="run-1")
    assert read(write(broken)) == broken
    assert write(Lesson(FIRST)) == {"recipe": FIRST, "step": "predict"}


@pytest.mark.parametrize(
    "query",
    [
        {"recipe": "no-such"},
        {"step": "explain"},  # there is no run to explain
        {"guess": "-1", "seed": "1e9", "cure": "no-such", "fixed": "run-2"},
        {"guess": "9999999", "seed": "9" * 30, "step": "<script>"},
    ],
)
def test_what_makes_no_sense_in_an_address_is_left_out(query: dict[str, str]) -> None:
    known = FIRST if "recipe" not in query else BROKEN
    assert read({"recipe": FIRST, **query}) == Lesson(known)


def test_arrows_go_through_the_steps_that_there_are() -> None:
    begun = Lesson(FIRST)
    assert obey(begun, "next") == begun == obey(begun, "previous")
    lesson = replace(begun, run="run-1")
    seen = [lesson.step]
    for _ in range(6):
        lesson = obey(lesson, "next")
        seen.append(lesson.step)
    assert seen == [*STEPS, "explain", "explain"]
    assert obey(lesson, "previous").step == "cure"


def test_a_digit_is_the_prediction_until_the_run_has_begun() -> None:
    assert obey(Lesson(FIRST), "3").guess == 3
    assert obey(Lesson(FIRST, "watch", run="run-1", guess=3), "5").guess == 3


def test_only_keys_that_do_something_are_taken() -> None:
    begun = Lesson(FIRST, "watch", run="run-1")
    assert set(Lesson(FIRST).keys) == {"c", *"0123456789"}
    assert set(begun.keys) == {"space", "f", "previous", "next"}
    done = replace(begun, fixed="run-2", step="explain")
    assert set(done.keys) == {"c", "previous", "next"}
    assert obey(done, "c") == done.again()
    well = Lesson(BROKEN, "watch", healthy="run-1")
    assert set(Lesson(BROKEN).keys) == {"b", *"0123456789"}
    assert set(well.keys) == {"space", "b", "previous", "next"}
    assert well.steps == ["predict", "watch"]
    broken = replace(well, run="run-2")
    assert set(broken.keys) == {"space", "c", "previous", "next"}
    done = replace(broken, fixed="run-3", step="explain")
    assert set(done.keys) == {"b", "previous", "next"}
    assert obey(done, "b") == done.again()


def test_once_more_means_another_seed() -> None:
    assert Lesson(FIRST, "explain", 3, ("1",), 4, "run-1", "r1", "run-2").again() == Lesson(FIRST, seed=5)


@pytest.mark.parametrize("recipe", LESSONS)
def test_the_cure_that_is_tried_first_was_measured_to_cure(recipe: str) -> None:
    preset = LESSONS[recipe]
    assert preset.question
    assert preset.seen
    for advised in ((), tuple(reversed(cures_of(preset))), ("no-such",)):
        cure = recommended(preset, advised)
        assert cures_of(preset)[cure] == "cures"
        resolve(preset_config(recipe, CURES[cure].changes))
    works = [name for name, effect in cures_of(preset).items() if effect == "cures"]
    assert recommended(preset, ("no-such", works[-1])) == works[-1]


@pytest.mark.parametrize(
    ("guess", "which", "told"),
    [
        (2, (), "Predicted: 2. Exactly right."),
        (5, (), "Predicted: 5. Off by 3."),
        (None, ("b", "c", "d"), "Of the 3 that were named, 1 survived."),
        (None, (), "Nothing was predicted."),
    ],
)
def test_the_prediction_is_counted(guess: int | None, which: tuple[str, ...], told: str) -> None:
    counted = Outcome(9, ("a", "b", "c", "d"), ("a", "b"))
    text = judged(Lesson(FIRST, guess=guess, which=which), counted)
    assert text.startswith("2 of 4 survived: a, b.")
    assert told in text


# -- the page -----------------------------------------------------------------------------------------------------


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab in which a lesson's runs last 40 rounds."""
    monkeypatch.setattr(lessons, "preset_config", lambda name: preset_config(name, {"schedule.rounds": 40}))
    return lab


def visit(**query: str) -> AppTest:
    return open_page("collapse", **{"recipe": FIRST, **query})


def press(app: AppTest, name: str) -> AppTest:
    button(app, f"do:{name}").click().run()
    assert [error.message for error in app.exception] == []
    return app


def said(app: AppTest, name: str) -> str:
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def step(app: AppTest) -> str:
    return said(app, "step")


def test_the_whole_lesson_twice_in_a_row(lab: Lab) -> None:
    app = visit()
    for seed in range(2):
        assert any("?" in heading.value for heading in app.subheader)
        assert len(app.get("plotly_chart")) == 1, "the modes that may be named"
        press(app, "c")
        assert step(app) == "watch"
        run = said(app, "run")
        assert RunConfig.load(lab.store.run(run).config).seed == seed
        lab.wait(run, timeout=60)
        press(app, "next")
        assert step(app) == "diagnose"
        assert any("survived" in text.value for text in app.markdown)
        press(app, "f")
        assert step(app) == "cure"
        fixed = said(app, "fixed")
        child = lab.store.run(fixed)
        assert (child.parent, child.forked_at) == (run, 40)
        fork = RunConfig.load(child.config)
        assert fork.objective != RunConfig.load(lab.store.run(run).config).objective
        assert fork.schedule.rounds == 40 + LESSONS[FIRST].cured_within, (
            "late as it is, it gets all that a cure may need"
        )
        lab.command(fixed, "stop") if lab.is_active(fixed) else None
        lab.wait(fixed, timeout=60)
        press(app, "next")
        assert step(app) == "explain"
        assert [metric.label for metric in app.metric] == ["Predicted", "Survived", "After the fix"]
        app.button(key="again").click().run()
        assert not app.exception
        assert step(app) == "predict"
    assert len(lab.store.runs()) == 4


def test_a_lesson_counts_at_the_diagnosis_and_then_no_more(lab: Lab, hold: Hold) -> None:
    hold.at(25)
    app = press(visit(), "c")
    run = said(app, "run")
    until(lambda: lab.view(run).status["round"] == 25, "round 25")
    until(lambda: (found := outcome(lab.store, run)) is not None and found.round == 25, "a count")
    press(app, "next")
    assert (step(app), said(app, "seen")) == ("diagnose", "25")
    counted = outcome(lab.store, run)
    hold.let_go()
    lab.wait(run, timeout=60)
    assert outcome(lab.store, run).round == 40
    app.run()
    told = f"**Round 25:** {judged(Lesson(FIRST), counted)}"
    assert told in [text.value for text in app.markdown]
    press(press(app, "next"), "next")
    assert step(app) == "explain"
    assert (app.metric[1].label, app.metric[1].value) == (
        "Survived",
        f"{len(counted.survivors)} of {len(counted.names)}",
    )
    press(press(app, "previous"), "previous")
    app.button(key="count").click().run()
    assert said(app, "seen") == "40"


def test_space_pauses_and_goes_on(lab: Lab, hold: Hold) -> None:
    hold.at(5)
    app = press(visit(), "c")
    run = said(app, "run")
    for state in ("running", "paused", "running"):
        until(lambda state=state: lab.view(run).status["state"] == state, state)
        press(app, "space")
    lab.command(run, "stop")
    assert lab.wait(run, timeout=60).status == "stopped"


def test_a_run_that_is_gone_is_said_and_the_lesson_can_begin_again(lab: Lab) -> None:
    app = visit(run="no-such-run", step="watch")
    assert app.error[0].value.startswith("There is no run")
    app.button[-1].click().run()
    assert step(app) == "predict"


def test_a_healthy_run_is_broken_and_cured_by_two_keys(lab: Lab, monkeypatch: pytest.MonkeyPatch, hold: Hold) -> None:
    small = {
        "model.generator.widths": [8],
        "model.discriminator.widths": [8],
        "data.batch_size": 8,
        "schedule.rounds": 30,
    }
    preset = replace(
        PRESETS["ring-mlp"], kind="lesson", question="?", acts=(Act(4, "generator_ahead"), Act(6, "r1")), within=9
    )
    monkeypatch.setitem(LESSONS, BROKEN, preset)
    monkeypatch.setattr(lessons, "preset_config", lambda name: preset_config("ring-mlp", small))
    monkeypatch.setattr(lessons, "_names", lambda recipe: tuple("12345678"))
    hold.at(3)
    app = press(visit(recipe=BROKEN), "b")
    healthy = said(app, "healthy")
    assert step(app) == "watch"
    assert not [one for one in app.button if one.key == "do:c"], "there is nothing to cure"
    until(lambda: lab.view(healthy).status["round"] == 3, "round 3")
    press(app, "b")
    assert "nothing to lose yet" in app.error[0].value
    hold.at(5)
    until(lambda: lab.view(healthy).status["round"] == 5, "round 5")
    press(app, "b")
    broken = said(app, "run")
    assert lab.wait(healthy, timeout=60).status == "stopped", "its fork has the processor"
    assert lab.store.run(broken).parent == healthy
    assert BREAKS["generator_ahead"].holds_in(RunConfig.load(lab.store.run(broken).config))
    press(app, "c")
    assert step(app) == "cure"
    fixed = said(app, "fixed")
    assert lab.store.run(fixed).parent == broken
    assert CURES["r1"].holds_in(RunConfig.load(lab.store.run(fixed).config))
    for run in (broken, fixed):
        lab.command(run, "stop")
        lab.wait(run, timeout=60)
    press(app, "next")
    app.button(key="again").click().run()
    assert (step(app), said(app, "seed")) == ("predict", "1")


def of_a_class(monkeypatch: pytest.MonkeyPatch, question: str, **given: int) -> None:
    """The class has answered a question."""
    poll = SimpleNamespace(question=question, options=tuple(given), counts=list(given.values()))
    monkeypatch.setattr(class_poll, "current_classroom", lambda: SimpleNamespace(poll=poll))


def test_who_guessed_nearest_is_said_with_how_many_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    of_a_class(monkeypatch, "How many?", **{"0": 0, "2": 4, "4": 3, "8": 9})
    assert class_poll.guesses("How many?") == {"2": 4, "4": 3, "8": 9}
    assert class_poll.winners("How many?", 3) == "Nearest of 16 guesses: 2 (4) and 4 (3)."
    assert class_poll.winners("How many?", 7) == "Nearest of 16 guesses: 8 (9)."
    assert class_poll.winners("Another?", 3) == ""


def test_guesses_stand_on_the_count_of_modes_in_the_place_of_the_losses(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lab.submit(preset_config(FIRST, {"schedule.rounds": 1}))
    lab.wait(run, timeout=60)
    record = lab.store.run(run)
    slots = [panel["slot"] for panel in lessons._race(Lesson(FIRST), record)]
    assert slots == ["points", "histogram", "loss-chart"]
    of_a_class(monkeypatch, lessons.QUESTION, **{"2": 4, "5": 1})
    *_, race = lessons._race(Lesson(FIRST, guess=3), record)
    assert race["slot"] == "race"
    assert race["levels"] == [[2.0, "2: 4 of the class"], [5.0, "5: 1 of the class"], [3.0, "predicted: 3"]]
    assert race["figure"]["layout"]["yaxis"]["range"] == [0, 8.5]

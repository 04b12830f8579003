"""The lessons inside the application are the files of docs/classroom, step by step."""

from __future__ import annotations

import re
from typing import Any

import pytest
from opening import open_page
from streamlit.testing.v1 import AppTest

from gan_core.config import PRESETS, TEMPLATES, Comparison, RunConfig, parse_seeds, parse_vary, preset_config
from gan_core.engine import Lab, catalogue
from gan_core.ui import course_page
from gan_core.ui.course import FOLDER, Command, Question, courses, linked, read_command, read_course
from gan_core.ui.course_page import step_of
from gan_core.ui.shell import TOUR
from gan_core.ui.theory_tabs import TABS

TEXT = """# 7. A title

**10 minutes.** What for.

## First (5 minutes)

Before the list.

1. Start `ring-mlp`, then `nothing-known`.
   *Ask before Start:* why? *Answer:* because.
   *Ask:* and
   then?
2. Look at **it** (`/theory?tab=js`), at `/library` and [the next](2-reading-losses.md), not [this](../results/recipes.md).
   ```sh
   python -m gan_core compare --base ring-mlp+r1 --set objective=wgan --vary seed=1,2 --seeds 0-3
   python -m gan_core train --preset ring-mlp --set schedule.rounds=9
   ```
   Go on.
   *Ask:* who? *Answer:* they.

After the list.
"""


def test_a_file_is_read_as_steps() -> None:
    course = read_course("7", TEXT)
    assert course.title == "7. A title"
    assert [step.section for step in course.steps] == ["", *["First (5 minutes)"] * 3]
    assert [step.presets for step in course.steps] == [(), (), ("ring-mlp",), ()]
    assert course.steps[2].text == "Start `ring-mlp`, then `nothing-known`."
    assert course.steps[2].questions == (Question("why?", "because."), Question("and\nthen?", ""))
    assert course.steps[3].text.startswith("Look at **it**, at and [the next](lessons?lesson=2), not this.\nGo on.")
    assert course.steps[3].text.endswith("Go on.\n\nAfter the list.")
    assert course.steps[3].questions == (Question("who?", "they."),)
    assert course.steps[3].places == (("theory", {"tab": "js"}), ("library", {}))
    assert course.steps[3].commands == (
        Command("compare", "ring-mlp+r1", seeds="0-3", settings=("objective=wgan",), vary=("seed=1,2",)),
        Command("train", "ring-mlp", settings=("schedule.rounds=9",)),
    )


@pytest.mark.parametrize(
    "line", ["ls", "python -m gan_core runs", "python -m gan_core train --quiet x", "python -m gan_core train --set"]
)
def test_a_command_that_no_page_can_do_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="no page"):
        read_command(line)


def test_every_word_of_the_files_is_in_a_step() -> None:
    assert list(courses()) == [str(number) for number in range(1, 11)]
    for name, course in courses().items():
        (path,) = FOLDER.glob(f"{name}-*.md")
        parts = [course.title]
        for step in course.steps:
            parts += [step.section, step.text, *(f"{one.ask} {one.answer}" for one in step.questions)]
        told = " ".join(" ".join(parts).split())
        text = re.sub(r"^\s*```sh\n.*?```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        assert "```" not in text
        for piece in re.split(
            r"\*(?:Ask(?: [\w ]+)?|Answer):\*|^(?:#+|\d+\.)\s|\n\n", linked(text), flags=re.MULTILINE
        ):
            assert " ".join(piece.split()) in told, (name, piece)


def test_every_button_of_a_lesson_leads_somewhere() -> None:
    kinds = set()
    for course in courses().values():
        assert any(step.presets for step in course.steps)
        for step in course.steps:
            for page, query in step.places:
                assert f"{page}.py" in TOUR
                assert query.get("tab", "causes") in TABS
                assert query.get("preset", "ring-mlp") in PRESETS
                kind, _, part = query.get("part", "losses:hinge").partition(":")
                assert part in catalogue()[kind]
            for command in step.commands:
                kinds.add(command.kind)
                base = preset_config(command.base or "ring-mlp", course_page._changes(command.settings))
                if command.template:
                    TEMPLATES[command.template].comparison(base, parse_seeds(command.seeds))
                elif command.vary:
                    Comparison.load(
                        {"base": base, "variants": parse_vary(command.vary), "seeds": parse_seeds(command.seeds)}
                    )
                else:
                    assert command.settings
    assert kinds == {"train", "compare"}


def test_no_step_tells_the_way_through_menus() -> None:
    for course in courses().values():
        for step in course.steps:
            assert "›" not in step.text


@pytest.mark.parametrize(
    ("told", "index"), [("", 0), ("0", 0), ("2", 1), ("999", -1), ("-1", 0), ("٣", 2), ("x" * 99, 0)]
)
def test_an_address_names_a_step(told: str, index: int) -> None:
    course = courses()["3"]
    assert step_of(course, told) == range(len(course.steps))[index]


def test_the_page_goes_on_and_starts_what_the_step_names(lab: Lab) -> None:
    app = open_page("lessons", lesson="1")
    text = courses()["1"].steps[0].text
    assert any(text == element.value for element in app.markdown)
    app.button[1].click().run()
    assert app.query_params["step"] == "2"
    at = next(number for number, step in enumerate(courses()["1"].steps, 1) if step.presets)
    app = open_page("lessons", lesson="1", step=str(at))
    next(button for button in app.button if button.label.startswith("Start")).click().run()
    (run,) = lab.store.runs()
    assert app.query_params["run"] == run.id
    lab.command(run.id, "stop")


def labelled(app: AppTest, label: str) -> Any:
    return next(button for button in app.button if button.label.startswith(label))


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def test_the_answers_come_one_by_one_when_they_are_asked_for(lab: Lab) -> None:
    at = next(n for n, step in enumerate(courses()["2"].steps, 1) if sum(bool(q.answer) for q in step.questions) == 2)
    first, second = (question.answer for question in courses()["2"].steps[at - 1].questions)
    app = open_page("lessons", lesson="2", step=str(at))
    assert "What does D answer at these lines?" in said(app)
    assert first[1:] not in said(app)
    labelled(app, "Answer").click().run()
    assert first[1:] in said(app)
    assert second[1:] not in said(app)
    labelled(app, "Answer").click().run()
    assert second[1:] in said(app)
    assert not [button for button in app.button if button.label.startswith("Answer")]
    labelled(app, "On").click().run()
    assert first[1:] not in said(app)


def test_an_exercise_is_started_with_its_settings(lab: Lab) -> None:
    at = next(n for n, step in enumerate(courses()["2"].steps, 1) if step.commands)
    app = open_page("lessons", lesson="2", step=str(at))
    labelled(app, "Start").click().run()
    (run,) = lab.store.runs()
    lab.command(run.id, "stop")
    config = RunConfig.load(lab.store.run(run.id).config)
    assert (config.objective.name, config.schedule.rounds) == ("ls_gan", 1000)


def test_a_lesson_is_where_it_was_left(lab: Lab) -> None:
    app = open_page("lessons", lesson="3", step="4")
    app.query_params.clear()  # as a link of the navigation does
    app.run()
    assert (one(app, "lesson"), one(app, "step")) == ("3", "4")
    app.query_params["lesson"] = "1"
    del app.query_params["step"]
    app.run()
    assert "step" not in app.query_params


def one(app: AppTest, name: str) -> str:
    found = app.query_params[name]
    return found[0] if isinstance(found, list) else found


def test_a_step_that_names_a_tab_of_the_board_shows_its_figure(lab: Lab) -> None:
    app = open_page("lessons", lesson="4", step="7")
    step = courses()["4"].steps[6]
    (tab,) = [query["tab"] for page, query in step.places if page == "theory"]
    (settings,) = [one for one in app.expander if one.label.startswith(TABS[tab].title)]
    assert settings.button or settings.markdown
    assert not app.exception


def test_what_is_started_beside_a_figure_takes_its_place_for_a_while(lab: Lab) -> None:
    at = next(
        n
        for n, step in enumerate(courses()["3"].steps, 1)
        if step.presets and ("theory", {"tab": "causes"}) in step.places
    )
    app = open_page("lessons", lesson="3", step=str(at))
    assert figures(app) == 1
    labelled(app, "Start").click().run()
    (run,) = lab.store.runs()
    lab.command(run.id, "stop")
    assert (one(app, "run"), one(app, "beside"), figures(app)) == (run.id, "run", 0)
    app.segmented_control[0].set_value("figure").run()
    assert figures(app) == 1
    labelled(app, "Back").click().run()
    assert "beside" not in app.query_params


def figures(app: AppTest) -> int:
    return sum(expander.label.endswith("settings, and what to see") for expander in app.expander)

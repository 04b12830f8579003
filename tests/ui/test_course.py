"""The lessons inside the application are the files of docs/classroom, step by step."""

from __future__ import annotations

import re

import pytest
from opening import open_page

from gan_core.config import PRESETS
from gan_core.engine import Lab
from gan_core.ui.course import FOLDER, courses, linked, read_course
from gan_core.ui.course_page import step_of
from gan_core.ui.shell import TOUR

TEXT = """# 7. A title

**10 minutes.** What for.

## First (5 minutes)

Before the list.

1. Start `ring-mlp`, then `nothing-known`.
   Go on.
2. Look at `/theory?tab=js` and [the next](2-reading-losses.md), not [this](../results/recipes.md).

After the list.
"""


def test_a_file_is_read_as_steps() -> None:
    course = read_course("7", TEXT)
    assert course.title == "7. A title"
    assert [step.section for step in course.steps] == ["", *["First (5 minutes)"] * 3]
    assert [step.presets for step in course.steps] == [(), (), ("ring-mlp",), ()]
    assert course.steps[2].text == "Start `ring-mlp`, then `nothing-known`.\nGo on."
    assert course.steps[3].text.startswith(
        "Look at [open](<theory?tab=js>) and [the next](lessons?lesson=2), not this."
    )
    assert course.steps[3].text.endswith("After the list.")


def test_every_word_of_the_files_is_in_a_step() -> None:
    assert len(courses()) == len(list(FOLDER.glob("[0-9]-*.md"))) == 5
    for name, course in courses().items():
        (path,) = FOLDER.glob(f"{name}-*.md")
        told = " ".join([course.title, *(f"{step.section} {step.text}" for step in course.steps)])
        for paragraph in linked(path.read_text("utf-8")).splitlines():
            words = re.sub(r"^(#+|\d+\.)\s+", "", paragraph.strip())
            assert words in told, (name, words)


def test_every_lesson_can_be_started_and_links_to_pages_that_are() -> None:
    for course in courses().values():
        named = [name for step in course.steps for name in step.presets]
        assert set(named) <= PRESETS.keys()
        assert named
        for step in course.steps:
            for page in re.findall(r"\]\(<(\w+)", step.text):
                assert f"{page}.py" in TOUR


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

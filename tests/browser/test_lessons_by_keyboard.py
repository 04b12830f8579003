"""Five lessons given from start to end with a keyboard: every answer, every button, and back by the navigation each time."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import is_in_state, press, press_key, redrawn, run_of, settled, view
from holding import Hold
from playwright.sync_api import Locator, Page, expect

from gan_core.ui.course import Step, courses

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

LEADS = re.compile("Start: |Show on |Open ")
PICTURE = ".gs-panel canvas, .gs-panel img.gs-grid, .gs-panel .js-plotly-plot"


def main(page: Page) -> Locator:
    return page.get_by_test_id("stMain")


def labels_of(page: Page) -> list[str]:
    """What the buttons of a step say that start or lead somewhere."""
    return main(page).get_by_role("button").filter(has_text=LEADS).all_inner_texts()


def leads_of(step: Step) -> int:
    return len(step.presets) + len(step.places) + len(step.commands)


def back_to_the_lesson(page: Page, at: str) -> None:
    press(page.get_by_role("link", name="Lessons").first)
    page.wait_for_url(re.compile(rf"/lessons\?.*{at}(&|$)"))
    settled(page)


def is_whole(page: Page) -> None:
    """A page that says what it is and no error."""
    settled(page)
    expect(main(page).get_by_role("heading").first).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)


def start(page: Page, button: Locator, at: str) -> None:
    """The run of a step is seen beside it; it is ended where its buttons are."""
    before = page.url
    with redrawn(page):
        press(button)
    page.wait_for_function("before => location.href !== before && location.search.includes('run=')", arg=before)
    run = run_of(page)
    expect(view(page, run).locator(PICTURE).first).to_be_visible()
    press(main(page).get_by_role("link", name="buttons and everything measured"))
    page.wait_for_url(re.compile(rf"/watch\?.*run={run}"))
    settled(page)
    is_in_state(page, "running", run)
    press(main(page).get_by_role("button", name="Stop"))
    is_in_state(page, "stopped", run)
    back_to_the_lesson(page, at)


@pytest.mark.parametrize("lesson", ["1", "2", "3", "4", "5"])
def test_a_lesson_from_start_to_end(lesson: str, page: Page, server: Any, hold: Hold) -> None:
    steps = courses()[lesson].steps
    page.set_viewport_size({"width": 1280, "height": 720})
    hold.at(2)
    page.goto(f"{server.url}/lessons?lesson={lesson}")
    settled(page)
    for number, step in enumerate(steps, 1):
        at = f"step={number}"
        expect(main(page).get_by_text(f"Step {number} of {len(steps)}")).to_be_visible()
        answers = [question.answer for question in step.questions if question.answer]
        for told in range(1, len(answers) + 1):
            press_key(page, "a", "a")
            expect(main(page).locator(".st-key-lesson-answers").get_by_test_id("stMarkdown")).to_have_count(told)
        expect(main(page).get_by_role("button", name="Answer")).to_have_count(0)
        labels = labels_of(page)
        assert len(labels) == leads_of(step), "a button for each run, place and comparison that the text names"
        for index, label in enumerate(labels):
            button = main(page).get_by_role("button").filter(has_text=LEADS).nth(index)
            if "Start: " in label:
                start(page, button, at)
                continue
            press(button)
            page.wait_for_url(lambda url: "/lessons" not in url)
            is_whole(page)
            if "Compare" in label:
                expect(main(page).get_by_role("button", name=re.compile(r"Start \d+ runs"))).to_be_enabled()
            back_to_the_lesson(page, at)
        if number < len(steps):
            press_key(page, "ArrowRight", "next")
            page.wait_for_url(re.compile(rf"step={number + 1}(&|$)"))
    expect(main(page).get_by_role("button", name=re.compile(r"On \["))).to_be_disabled()
    press_key(page, "ArrowLeft", "previous")
    page.wait_for_url(re.compile(rf"step={len(steps) - 1}(&|$)"))

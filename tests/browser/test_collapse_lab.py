"""The lesson on collapse as it is given in class: a projector of 1280 × 720, and a keyboard only."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import comes_to, is_in_state, press_key, run_of, settled, view
from holding import Hold
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

FITS = "() => [...document.querySelectorAll('.gs-chart')].every(chart => chart.getBoundingClientRect().bottom <= innerHeight)"

PLANES = (
    "() => [...document.querySelectorAll('.gs-points .bglayer .bg')].map(plane => plane.getBoundingClientRect().height)"
)
HIGH = f"least => {{ const planes = ({PLANES})(); return planes.length && planes.every(height => height >= least) }}"


def test_the_lesson_needs_no_mouse(page: Page, server: Any, hold: Hold) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    hold.at(30)
    page.goto(f"{server.url}/collapse?recipe=ring-collapse")
    settled(page)
    expect(page.get_by_role("button", name="Collapse [C]")).to_be_visible()
    expect(page.get_by_text("How many of the 8 will survive?").first).to_be_visible()
    expect(page.locator(".stPlotlyChart .annotation-text")).to_have_text(list("12345678"))  # what it may name
    press_key(page, "3", "3")
    page.wait_for_url(re.compile("guess=3"))
    press_key(page, "c", "c")
    page.wait_for_url(re.compile("step=watch.*run="))
    run = run_of(page)
    comes_to(page, run, 30)
    is_in_state(page, "running")
    points = page.get_by_test_id("points")
    numbers = points.locator(".annotation-text").filter(has_text=re.compile(r"^\d$"))  # beside counts at the edges
    expect(numbers).to_have_text(list("12345678"))
    expect(view(page, run).get_by_test_id("race").locator(".annotation-text")).to_contain_text(["predicted: 3"])
    press_key(page, "Space", "space")
    is_in_state(page, "paused")
    page.wait_for_function(FITS)  # a class sees the charts whole, without scrolling
    page.wait_for_function(HIGH, arg=420)
    press_key(page, "ArrowRight", "next")
    page.wait_for_url(re.compile("step=diagnose"))
    expect(page.get_by_text("Predicted: 3. ")).to_be_visible()
    press_key(page, "f", "f")
    page.wait_for_url(re.compile("step=cure.*fixed="))
    pair = (run, run_of(page, "fixed"))
    for one in pair:
        expect(view(page, one).get_by_test_id("points")).to_be_visible()
        is_in_state(page, "running", one)
    page.wait_for_function(FITS)
    page.wait_for_function(HIGH, arg=325)
    stands_on_the_stage(page, pair)
    press_key(page, "ArrowRight", "next")
    page.wait_for_url(re.compile("step=explain"))
    expect(page.get_by_text("After the fix").first).to_be_visible()
    press_key(page, "ArrowLeft", "previous")
    page.wait_for_url(re.compile("step=cure"))
    for one in pair:
        is_in_state(page, "running", one)
    press_key(page, "Space", "space")
    for one in pair:
        is_in_state(page, "paused", one)


def stands_on_the_stage(page: Page, pair: tuple[str, str]) -> None:
    """One key shows the points of both runs and nothing else, the arrows move the time, and Escape brings the page back."""
    page.keyboard.press("s")
    bar = page.get_by_test_id("stage-bar")
    expect(bar.get_by_test_id("timeline")).to_be_visible()
    page.wait_for_function(HIGH, arg=450)
    for one in pair:
        expect(view(page, one).get_by_test_id("histogram")).to_be_hidden()
        expect(view(page, one).get_by_test_id("verdict-state")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("runs => runs.every(run => window.__ganscope[run].selected !== null)", arg=list(pair))
    assert "step=cure" in page.url  # not a step of the lesson back
    page.keyboard.press("ArrowDown")
    for one in pair:
        expect(view(page, one).get_by_test_id("histogram")).to_be_visible()
        expect(view(page, one).get_by_test_id("points")).to_be_hidden()
    page.keyboard.press("<")
    expect(page.get_by_test_id("stage-speed")).to_have_text("1/2 ×")
    page.keyboard.press("Escape")
    expect(bar).to_have_count(0)
    for one in pair:
        expect(view(page, one).get_by_test_id("points")).to_be_visible()
        expect(view(page, one).get_by_test_id("timeline")).to_be_visible()

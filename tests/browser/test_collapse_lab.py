"""The lesson on collapse as it is given in class: a projector of 1280 × 720, and a keyboard only."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def press_until(page: Page, key: str, address: str) -> None:
    """Press a key that may be pressed twice, until the address says that it was heard."""
    deadline = time.monotonic() + 90
    while not re.search(address, page.url):
        assert time.monotonic() < deadline, page.url
        page.keyboard.press(key)
        page.wait_for_timeout(300)


def test_the_lesson_needs_no_mouse(page: Page, server: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.set_default_timeout(90_000)
    expect.set_options(timeout=90_000)
    page.goto(f"{server.url}/collapse")
    page.get_by_role("button", name="Collapse [C]").wait_for()
    expect(page.get_by_text("How many of the 8 will survive?").first).to_be_visible()
    expect(page.locator(".stPlotlyChart .annotation-text")).to_have_text(list("12345678"))  # what it may name
    press_until(page, "3", "guess=3")  # keys are listened to once the page has settled
    page.keyboard.press("c")
    page.wait_for_url(re.compile("step=watch.*run="))
    state = page.get_by_test_id("state")
    expect(state).to_have_text("running")
    points = page.get_by_test_id("points")
    expect(points.locator(".annotation-text")).to_have_text(list("12345678"))
    page.keyboard.press("Space")
    expect(state).to_have_text("paused")
    for chart in page.locator(".gs-chart").all():
        box = chart.bounding_box()
        assert box
        assert box["y"] + box["height"] <= 720, "a class sees the charts whole, without scrolling"
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("step=diagnose"))
    expect(page.get_by_text("Predicted: 3")).to_be_visible()
    page.keyboard.press("f")
    page.wait_for_url(re.compile("step=cure.*fixed="))
    expect(page.get_by_test_id("points")).to_have_count(2)
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("step=explain"))
    expect(page.get_by_text("After the fix").first).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile("step=cure"))
    page.get_by_test_id("state").first.wait_for()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("state").first).to_have_text("paused")
    expect(page.get_by_test_id("state").last).to_have_text("paused")

"""The board in a real browser: films move by keyboard, without the server, and the address follows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import focus, heard, settled
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

POINT = """() => { const trace = document.querySelector('.gf-chart').data?.[4]; return trace?.x?.length ? trace.x[0] : null }"""


def test_two_gaussians_are_dragged_apart_by_keyboard(page: Page, server: Any) -> None:
    page.goto(f"{server.url}/theory?tab=discriminator&theta=3")
    settled(page)
    caption, slider = page.get_by_test_id("film-caption"), page.get_by_test_id("film-slider")
    expect(caption).to_contain_text("distance 3.00")
    page.wait_for_function(f"() => ({POINT})() === 3")  # a function: the page lets no expression be evaluated again
    focus(slider)
    page.keyboard.press("ArrowRight")
    expect(caption).to_contain_text("distance 3.10")
    page.wait_for_function(f"() => ({POINT})() === 3.1")
    page.wait_for_url(re.compile("theta=3.1"))
    page.keyboard.press("Home")
    expect(caption).to_contain_text("the game is worth −1.386")
    with heard(page.get_by_test_id("film-play")) as said:
        page.keyboard.press("Space")
        expect(caption).to_contain_text("distance 6.00")
    assert any(one.startswith("pause|") for one in said)
    page.wait_for_url(re.compile("theta=6"))
    page.reload()
    expect(caption).to_contain_text("distance 6.00")

"""What G's loss asks of the pixels, laid over its samples in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import focus
from playwright.sync_api import Page, expect

from gan_core.config import preset_config
from gan_core.engine import Lab

pytestmark = pytest.mark.browser

COLOURED = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  return data.some((value, i) => i % 4 === 0 && value !== data[i + 2])
}"""


@pytest.fixture(scope="module")
def run(store: Any) -> str:
    """Twenty rounds of digits that have been played."""
    with Lab(store) as lab:
        looks = {"diagnostics.every": 10, "diagnostics.samples": 100, "diagnostics.budget": 1.0}
        run = lab.submit(preset_config("digits-mlp", {"schedule.rounds": 20, "device": "cpu", **looks}))
        assert lab.wait(run, 120).status == "finished"
    return run


def test_the_push_is_laid_over_the_first_samples_when_asked(page: Page, server: Any, run: str) -> None:
    page.goto(f"{server.url}/watch?run={run}")
    toggle, grid, push = (page.get_by_test_id(f"samples-{name}") for name in ("push-toggle", "image", "push"))
    expect(grid).to_be_visible()
    expect(push).to_be_hidden()
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(push).to_be_visible()
    expect(grid).to_be_hidden()
    expect(push).to_have_attribute("aria-label", re.compile("the first 8 samples at round 20,"))
    page.wait_for_function(COLOURED, arg=push.element_handle())
    assert push.evaluate("canvas => [canvas.width, canvas.height]") == [4 * 30 - 2, 2 * 30 - 2]
    note = page.get_by_test_id("samples").locator(".gs-note")
    expect(note).to_contain_text("What G's loss asks of the pixels")
    focus(page.get_by_test_id("slider"))
    page.keyboard.press("Home")
    expect(push).to_have_attribute("data-round", "0")
    toggle.click()
    expect(grid).to_be_visible()
    expect(note).not_to_contain_text("pixels")

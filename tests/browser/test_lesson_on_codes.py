"""The lesson on codes as it is given in class: a projector of 1280 × 720, and a keyboard only."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import focus, is_in_state, press, press_key, redrawn, run_of, settled, view
from holding import Hold
from playwright.sync_api import Locator, Page, expect

from gan_core.ui.course import courses

pytestmark = pytest.mark.browser

LESSON = "6"


def labelled(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMain").get_by_role("button", name=label)


def test_the_lesson_on_codes_needs_no_mouse(page: Page, server: Any, hold: Hold) -> None:
    steps = courses()[LESSON].steps
    page.set_viewport_size({"width": 1280, "height": 720})
    hold.at(2)
    page.goto(f"{server.url}/lessons?lesson={LESSON}")
    settled(page)
    press_key(page, "ArrowRight", "next")
    page.wait_for_url(re.compile("step=2"))
    expect(page.get_by_text("what do you guess to be wrong by least?")).to_be_visible()
    press_key(page, "a", "a")
    expect(page.get_by_text("it depends on how the mistake is counted")).to_be_visible()
    press(labelled(page, "Show on Theory: Why blur"))
    page.wait_for_url(re.compile("theory.*tab=blur"))
    caption, slider = page.get_by_test_id("film-caption"), page.get_by_test_id("film-slider")
    expect(caption).to_contain_text("L1 black")
    focus(slider)
    page.keyboard.press("End")
    expect(caption).to_contain_text("L1 white")
    page.wait_for_url(re.compile("p=1"))

    at = next(number for number, step in enumerate(steps, 1) if "digits-vae-2d" in step.presets)
    page.goto(f"{server.url}/lessons?lesson={LESSON}&step={at}")
    settled(page)
    with redrawn(page):
        press(labelled(page, "Start: A VAE of digits"))
    run = run_of(page)
    is_in_state(page, "running", run)
    expect(view(page, run).get_by_test_id("samples").locator("canvas, img").first).to_be_visible()
    press_key(page, "ArrowRight", "next")
    page.wait_for_url(re.compile(f"step={at + 1}.*run={run}"))
    at = next(number for number, step in enumerate(steps, 1) if any(c.template == "games" for c in step.commands))
    while f"step={at}" not in page.url:
        press_key(page, "ArrowRight", "next")
    press(labelled(page, "Open in Compare: GAN, VAE, autoencoder"))
    page.wait_for_url(re.compile("/compare"))
    expect(page.get_by_role("button", name="Start 6 runs")).to_be_visible()
    page.goto(f"{server.url}/watch?run={run}")
    settled(page)
    is_in_state(page, "running", run)
    page.keyboard.press("p")  # nothing trains beside the next test
    is_in_state(page, "paused", run)

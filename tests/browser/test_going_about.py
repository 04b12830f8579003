"""Going about the pages: Back leaves a page, the navigation leads back to where one was, the keys are announced."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import press_key, redrawn, settled
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def go(page: Page, title: str) -> None:
    """Another page by its link in the navigation."""
    page.get_by_test_id("stTopNavLink").filter(has_text=title).click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    settled(page)


def test_back_leaves_the_page_whatever_was_chosen_on_it(page: Page, server: Any) -> None:
    page.goto(server.url)
    settled(page)
    go(page, "Library")
    page.wait_for_url(re.compile("part="))
    go(page, "Theory")
    page.wait_for_url(re.compile("tab="))
    for tab in ("Checkerboards", "Algorithm 1"):
        with redrawn(page):
            page.get_by_text(tab, exact=True).first.click()
    page.wait_for_url(re.compile("tab=algorithm"))
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Library")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="GANscope")).to_be_visible()


def test_a_lesson_is_given_by_keyboard_and_is_where_it_was_left(page: Page, server: Any) -> None:
    page.goto(f"{server.url}/lessons")
    settled(page)
    press_key(page, "ArrowRight", "next")
    expect(page.get_by_text("What is frozen while D moves?")).to_be_visible()
    answer = page.get_by_text("only D's weights step")
    expect(answer).to_have_count(0)
    press_key(page, "a", "a")
    expect(answer).to_be_visible()
    page.get_by_role("button", name="Show on Theory").click()
    page.wait_for_url(re.compile("theory.*tab=algorithm"))
    expect(page.get_by_text("The loop that every run here plays")).to_be_visible()
    go(page, "Lessons")
    page.wait_for_url(re.compile("lesson=1.*step=2"))
    expect(answer).to_be_visible()
    go(page, "Collapse Lab")
    press_key(page, "5", "5")
    page.wait_for_url(re.compile("guess=5"))
    go(page, "Lessons")
    go(page, "Collapse Lab")
    page.wait_for_url(re.compile("guess=5"))


def test_the_keys_are_announced(page: Page, server: Any) -> None:
    page.goto(f"{server.url}/library")
    settled(page)
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("everything larger, smaller")

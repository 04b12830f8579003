"""Fork a run from its Watch page in a real browser, and see parent and child side by side."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import comes_to, focus, run_of, settled, shows_round, view
from holding import Hold
from playwright.sync_api import Page, expect

from gan_core.config import preset_config
from gan_core.engine import Lab

pytestmark = pytest.mark.browser

FITS = """() => [...document.querySelectorAll('.gs-root[data-compact] [data-testid=points]')]
  .every(chart => chart.getBoundingClientRect().bottom <= innerHeight)"""
HIGH = """() => { const planes = [...document.querySelectorAll('.gs-points .bglayer .bg')]
  return planes.length === 2 && planes.every(plane => plane.getBoundingClientRect().height >= 330) }"""
ROUNDS = 60
PLAYED = 80  # of the child


@pytest.fixture(scope="module")
def parent(store: Any) -> str:
    """A run on the ring that has played all its rounds."""
    with Lab(store) as lab:
        config = preset_config("ring-mlp", {"schedule.rounds": ROUNDS, "diagnostics.every": 20, "device": "cpu"})
        run = lab.submit(config, name="the parent")
        assert lab.wait(run, 60).status == "finished"
    return run


def test_fork_from_watch_and_see_both(page: Page, server: Any, parent: str, hold: Hold) -> None:
    hold.at(PLAYED)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{server.url}/watch?run={parent}")
    settled(page)
    page.get_by_role("button", name="Fork from here").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Objective").click()
    page.get_by_role("option", name="LS GAN").click()
    expect(dialog.get_by_text("Changes: objective = ls_gan")).to_be_visible()
    settled(page)
    dialog.get_by_role("button", name="Fork", exact=True).click()
    page.wait_for_url("**beside=*")
    child = run_of(page, "beside")
    comes_to(page, child, PLAYED)
    settled(page)

    expect(page.locator(".gs-root[data-compact]")).to_have_count(2)
    page.wait_for_function(FITS)
    page.wait_for_function(HIGH)
    for run in (parent, child):
        board = view(page, run)
        assert board.get_by_test_id("loss-chart").locator(".gs-chart").is_hidden(), "folded, for the pictures' room"
        for slot in ("points", "histogram"):
            box = board.get_by_test_id(slot).bounding_box()
            assert box
            assert box["y"] + box["height"] <= 720, slot
            assert box["x"] + box["width"] <= 1280, slot

    when = page.get_by_test_id("when")
    focus(page.get_by_test_id("slider").first)
    page.keyboard.press("Home")
    for index in (0, 1):  # a round that is chosen in one is chosen in both
        expect(when.nth(index)).to_have_text(re.compile("^round 0 "))

    page.goto(f"{server.url}/watch?run={child}")
    expect(page.get_by_text("Forked from the parent at round 60: objective = ls_gan")).to_be_visible()
    expect(when).to_have_text(re.compile("^round"))
    shows_round(page, child, PLAYED)
    settled(page)
    plot = page.get_by_test_id("loss-chart").locator(".nsewdrag").first
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    expect(when).to_have_text(re.compile(r"^round \d+, seen at 20$"))  # a pointer on a curve is a pointer into the past
    expect(page.get_by_test_id("histogram").locator(".gs-aside")).to_contain_text("round 20 ")
    page.mouse.move(5, 5)
    expect(when).not_to_have_text(re.compile("seen at"))
    page.get_by_text("Family of forks").click()
    expect(page.get_by_role("link", name="the parent", exact=True).last).to_be_visible()

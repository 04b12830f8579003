"""Settings, the slider, one class and the table of runs in a real browser; where a run trains makes no difference to them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import LINE, focus, redrawn, run_of, settled, shows_round, start_card, stop
from holding import Hold
from playwright.sync_api import Page, expect
from waiting import until

from gan_core.config import preset_config
from gan_core.engine import Lab
from gan_core.store import RunStore

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def run(store: Any) -> str:
    """A run on a line that has been played."""
    with Lab(store) as lab:
        run = lab.submit(preset_config("gaussian-1d", {"schedule.rounds": 5, "device": "cpu"}))
        assert lab.wait(run, 120).status == "finished"
    return run


def test_the_slider_shows_what_was_seen_then(page: Page, server: Any, hold: Hold) -> None:
    hold.at(30)
    run = start_card(page, server.url, LINE)
    shows_round(page, run, 30)
    when, slider = page.get_by_test_id("when"), page.get_by_test_id("slider")
    expect(slider).to_have_attribute("max", "1")
    focus(slider)
    page.keyboard.press("Home")
    expect(when).to_have_text(re.compile("^round 0 "))
    hold.at(60)
    shows_round(page, run, 60)
    expect(slider).to_have_attribute("max", "2")
    expect(when).to_have_text(re.compile("^round 0 "))  # it stays while newer frames arrive
    page.get_by_test_id("live").click()
    expect(when).to_have_text(re.compile("^round 50"))
    stop(page)


def test_the_train_page_says_what_is_wrong_beside_the_field(page: Page, server: Any) -> None:
    page.goto(f"{server.url}/train?preset=digits-dcgan")
    settled(page)
    widths = page.get_by_role("textbox", name="widths").first
    start = page.get_by_role("button", name="Start", exact=True)
    widths.fill("32, 16, 8")
    with redrawn(page):
        widths.press("Enter")
    told = page.get_by_text("which does not come out even")
    expect(told).to_have_count(2)  # beside the field, and above Start with the name of the field
    expect(told.first).to_be_visible()
    expect(told.last).to_contain_text("model.generator: ")
    expect(start).to_be_disabled()
    widths.fill("32, 16")
    with redrawn(page):
        widths.press("Enter")
    expect(start).to_be_enabled()


def test_one_class_of_a_conditional_run_can_be_looked_at(page: Page, server: Any, hold: Hold) -> None:
    hold.at(30)
    page.goto(f"{server.url}/train?preset=digits-conditional")
    settled(page)
    expect(page.get_by_text("Class y beside it, one-hot").first).to_be_visible()  # the layers, before it starts
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/watch?run=*")
    shows_round(page, run_of(page), 30)
    classes = page.get_by_role("group", name="Class to look at").get_by_role("button")
    expect(classes).to_have_count(11)
    all_of_them, three = page.get_by_test_id("samples-image"), page.get_by_test_id("samples-class")
    expect(all_of_them).to_be_visible()
    classes.nth(4).click()
    expect(three).to_be_visible()
    expect(three).to_have_attribute("aria-label", re.compile("8 generated samples of class 3 at round"))
    expect(all_of_them).to_be_hidden()
    row = "canvas => { const d = canvas.getContext('2d').getImageData(0, 0, 28, 28).data; return Array.from(d).join() }"

    def look_at(label: int) -> str:
        classes.nth(label + 1).click()
        expect(three).to_have_attribute("aria-label", re.compile(f"class {label} at"))
        return str(three.evaluate(row))

    assert look_at(3) != look_at(7)
    classes.nth(0).click()
    expect(all_of_them).to_be_visible()
    expect(three).to_be_hidden()
    stop(page)


def test_runs_can_be_filtered_tagged_deleted_and_brought_back(page: Page, server: Any, run: str) -> None:
    with RunStore(server.store) as store:
        count = len(store.runs())
    page.goto(f"{server.url}/runs")
    settled(page)
    expect(page.get_by_text(f"{count} of {count} runs")).to_be_visible()
    page.get_by_role("textbox", name="Filter").fill(run)
    with redrawn(page):
        page.get_by_role("textbox", name="Filter").press("Enter")
    expect(page.get_by_text(f"1 of {count} runs")).to_be_visible()
    assert f"filter={run}" in page.url
    table = page.get_by_test_id("stDataFrame")
    expect(table.locator("canvas tbody tr")).to_have_count(1)  # what the canvas says in words: this one run is drawn
    with redrawn(page):
        table.click(position={"x": 18, "y": 60})
    with redrawn(page):
        page.get_by_role("button", name="Delete 1").click()
    expect(page.get_by_text("deleted just now.")).to_be_visible()
    with RunStore(server.store) as store:
        assert len(store.runs()) == count - 1
    with redrawn(page):
        page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(f"of {count} runs")).to_be_visible()


def test_a_press_on_a_page_that_is_gone_starts_nothing(page: Page, server: Any) -> None:
    """What the server has drawn anew is held back, so the press is on the page before."""
    waiting: list[Any] = []
    held = False

    def connect(line: Any) -> None:
        there = line.connect_to_server()
        there.on_message(lambda message: waiting.append((line, message)) if held else line.send(message))

    page.route_web_socket(re.compile("_stcore/stream"), connect)
    page.goto(f"{server.url}/train?preset=gaussian-1d")
    drawn = settled(page)
    with RunStore(server.store) as store:
        before = {record.id for record in store.runs()}
        held = True
        page.get_by_role("combobox", name="Objective").click()
        page.get_by_role("option", name="LS GAN").click()
        page.get_by_role("button", name="Start", exact=True).click()
        until(lambda: waiting, "the server draws the page anew")
        held = False
        for line, message in waiting:
            line.send(message)
        expect(page.get_by_text("The page changed while you pressed Start")).to_be_visible()
        settled(page, drawn)
        assert {record.id for record in store.runs()} == before

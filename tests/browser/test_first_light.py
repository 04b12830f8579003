"""What a new user does first, in a real browser: start the default card, look, zoom, reload, pause, resume, stop."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import POINTS, is_in_state, press_stop, redrawn, run_of, settled, shows_round
from holding import Hold
from playwright.sync_api import Browser, Page, expect
from waiting import until

from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.store import RunStore

pytestmark = pytest.mark.browser
SETTINGS = {"executor": "auto"}  # as a user has it

BARS = (
    """() => document.querySelector('[data-testid=histogram] .js-plotly-plot')?.data?.some(trace => trace.y?.length)"""
)
RANGE = "() => document.querySelector('[data-testid=loss-chart] .js-plotly-plot')?._fullLayout?.xaxis.range.map(Number)"
LAST = """() => { const curve = document.querySelector('[data-testid=loss-chart] .js-plotly-plot')?.data?.[0]
  return curve?.x?.length ? [curve.x.at(-1), curve.y.at(-1)] : null }"""
LINE = 3  # the card of the smallest run


def start_card(page: Page, url: str, index: int = 0, clicks: int = 1) -> str:
    page.goto(url)
    settled(page)
    page.get_by_role("button", name="Start", exact=True).nth(index).click(click_count=clicks)
    page.wait_for_url("**/watch?run=*")
    return run_of(page)


def stop(page: Page, *others: Page) -> None:
    """Stop the run of the page, and see it everywhere."""
    press_stop(page)
    for one in (page, *others):
        is_in_state(one, "stopped")


@pytest.fixture(scope="module")
def line(browser: Browser, server: Any) -> str:
    """Sixty rounds of a run on a line that has been watched, and stopped."""
    page = browser.new_context().new_page()
    server.hold.at(60)
    run = start_card(page, server.url, LINE)
    shows_round(page, run, 60)
    stop(page)
    page.context.close()
    server.hold.let_go()
    return run


def test_first_light(page: Page, server: Any, hold: Hold) -> None:
    hold.at(30)
    with RunStore(server.store) as store:
        before = {record.id for record in store.runs()}
    run = start_card(page, server.url, clicks=2)  # a double click is one run
    shows_round(page, run, 30)
    page.wait_for_function(BARS)
    expect(page.get_by_test_id("samples-image")).to_be_visible()
    expect(page.get_by_text("Change while running")).to_be_visible()  # though the page was opened before it ran
    with RunStore(server.store) as store:
        assert {record.id for record in store.runs()} - before == {run}

    chart = page.get_by_test_id("loss-chart").locator(".nsewdrag").first
    settled(page)
    chart.hover()  # which waits until the chart stands still, and nothing lies over it
    box = chart.bounding_box()
    assert box
    whole = page.evaluate(RANGE)
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.55, steps=8)
    page.mouse.up()
    page.wait_for_function(
        f"whole => {{ const [from, to] = ({RANGE})(); return from > whole[0] && to < whole[1] }}", arg=whole
    )
    zoomed = page.evaluate(RANGE)
    for round in (40, 50, 60):
        hold.at(round)
        shows_round(page, run, round)
        assert page.evaluate(RANGE) == zoomed

    mounts = page.evaluate("run => window.__ganscope[run].mounts", run)
    looked = page.get_by_test_id("histogram").locator(".gs-aside")
    expect(looked).not_to_contain_text("round 60 ")
    with redrawn(page):
        page.get_by_role("button", name="Sample now").click()
    expect(looked).to_contain_text("round 60 ")
    assert page.evaluate("run => window.__ganscope[run].mounts", run) == mounts  # a rerun of the page rebuilds nothing
    assert page.evaluate(RANGE) == zoomed

    page.reload()
    shows_round(page, run, 60)
    is_in_state(page, "running")

    page.get_by_role("button", name="Pause").click()
    is_in_state(page, "paused")
    hold.at(90)  # it may play on, but for the pause
    page.get_by_role("button", name="Round", exact=True).click()
    shows_round(page, run, 61)
    is_in_state(page, "paused")
    assert page.evaluate(POINTS, run) == 61
    page.get_by_role("button", name="Resume").click()
    shows_round(page, run, 90)
    stop(page)
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


def test_a_run_outlives_its_tab_and_two_tabs_show_the_same(
    page: Page, browser: Browser, server: Any, hold: Hold
) -> None:
    hold.at(30)
    run = start_card(page, server.url, LINE)
    shows_round(page, run, 30)
    page.goto("about:blank")
    hold.at(60)
    with RunStore(server.store) as store:
        until(lambda: len(store.track(run).rounds) == 60, "the run went on without a tab")
    second = browser.new_context().new_page()
    for tab in (page, second):
        tab.goto(f"{server.url}/watch?run={run}")
        shows_round(tab, run, 60)
    stop(page, second)
    for tab in (page, second):
        tab.wait_for_function(f"() => ({LAST})()?.[0] === 60")
    assert page.evaluate(LAST) == second.evaluate(LAST)
    second.context.close()


def test_the_slider_shows_what_was_seen_then(page: Page, server: Any, hold: Hold) -> None:
    hold.at(30)
    run = start_card(page, server.url, LINE)
    shows_round(page, run, 30)
    when, slider = page.get_by_test_id("when"), page.get_by_test_id("slider")
    expect(slider).to_have_attribute("max", "1")
    slider.focus()
    page.keyboard.press("Home")
    expect(when).to_have_text(re.compile("^round 0 "))
    hold.at(60)
    shows_round(page, run, 60)
    expect(slider).to_have_attribute("max", "2")
    expect(when).to_have_text(re.compile("^round 0 "))  # it stays while newer frames arrive
    page.get_by_test_id("live").click()
    expect(when).to_have_text(re.compile("^round 50"))
    stop(page)


def test_watching_does_not_change_the_numbers(server: Any, line: str) -> None:
    """A run that was watched, played again without a server or a viewer, has the same scalars."""
    columns = ["D.loss", "G.loss", "D.grad_norm", "G.grad_norm"]
    with RunStore(server.store) as store:
        watched = store.run(line)
        expected = store.track(line, "turns", columns=columns)
    config = RunConfig.load(watched.config).replace({"schedule.rounds": 60})
    with Lab(server.store.parent / "alone") as lab:
        alone = lab.submit(config)
        assert lab.wait(alone).status == "finished"
        actual = lab.store.track(alone, "turns", columns=columns)
    assert len(actual.rounds) == len(expected.rounds) == 60
    assert actual.values.tobytes() == expected.values.tobytes()


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


def test_runs_can_be_filtered_tagged_deleted_and_brought_back(page: Page, server: Any, line: str) -> None:
    with RunStore(server.store) as store:
        count = len(store.runs())
    page.goto(f"{server.url}/runs")
    settled(page)
    expect(page.get_by_text(f"{count} of {count} runs")).to_be_visible()
    page.get_by_role("textbox", name="Filter").fill(line)
    with redrawn(page):
        page.get_by_role("textbox", name="Filter").press("Enter")
    expect(page.get_by_text(f"1 of {count} runs")).to_be_visible()
    assert f"filter={line}" in page.url
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


def test_a_restarted_server_lists_every_run_and_says_what_was_interrupted(browser: Browser, server: Any) -> None:
    """Last, because it ends the module's server: SIGTERM with a page open and a run training."""
    page = browser.new_context().new_page()
    server.hold.at(30)
    run = start_card(page, server.url, index=1)
    shows_round(page, run, 30)
    server.stop()
    assert server.process.returncode in (0, -15)
    with RunStore(server.store) as store:
        assert (store.run(run).status, store.run(run).rounds) == ("interrupted", 30)
        assert store.track(run).rounds.tolist() == list(range(1, 31))
    again = server.start_again()
    try:
        page.goto(f"{again.url}/watch?run={run}")
        shows_round(page, run, 30)
        is_in_state(page, "interrupted")
        again.hold.at(35)
        page.get_by_role("button", name="Continue").click()
        shows_round(page, run, 35)
        is_in_state(page, "running")
        stop(page)
    finally:
        page.context.close()
        again.stop()

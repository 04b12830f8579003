"""What a new user does first, in a real browser: start the default card, look, zoom, reload, pause, resume, stop."""

from __future__ import annotations

import re
from typing import Any

import pytest
from driving import LINE, POINTS, is_in_state, redrawn, settled, shows_round, start_card, stop, view
from holding import Hold
from playwright.sync_api import BrowserContext, Page, Route, expect
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
# Milliseconds for which the page that came last was not seen.
UNSEEN = "performance.getEntriesByName('gk-coming').at(-1).duration"


def test_first_light(page: Page, server: Any, hold: Hold) -> None:
    hold.at(6)
    with RunStore(server.store) as store:
        before = {record.id for record in store.runs()}
    run = start_card(page, server.url, clicks=2)  # a double click is one run
    shows_round(page, run, 6)
    page.wait_for_function(BARS)
    expect(page.get_by_test_id("samples-image")).to_be_visible()
    expect(page.get_by_text("Knobs", exact=True)).to_be_visible()  # though the page was opened before it ran
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
    for round in (8, 10, 12):
        hold.at(round)
        shows_round(page, run, round)
        assert page.evaluate(RANGE) == zoomed

    mounts = page.evaluate("run => window.__ganscope[run].mounts", run)
    looked = page.get_by_test_id("histogram").locator(".gs-aside")
    expect(looked).not_to_contain_text("round 12 ")
    with redrawn(page):
        page.get_by_role("button", name="Sample now").click()
    expect(looked).to_contain_text("round 12 ")
    assert page.evaluate("run => window.__ganscope[run].mounts", run) == mounts  # a rerun of the page rebuilds nothing
    assert page.evaluate(RANGE) == zoomed

    page.reload()
    shows_round(page, run, 12)
    is_in_state(page, "running")

    page.get_by_role("button", name="Pause").click()
    is_in_state(page, "paused")
    hold.at(18)  # it may play on, but for the pause
    page.get_by_role("button", name="Round", exact=True).click()
    shows_round(page, run, 13)
    is_in_state(page, "paused")
    assert page.evaluate(POINTS, run) == 13
    page.get_by_role("button", name="Resume").click()
    shows_round(page, run, 18)
    stop(page)
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


def test_a_view_stays_whose_script_came_after_a_rerun_of_the_page(page: Page, server: Any, hold: Hold) -> None:
    """Streamlit calls the view for each of the two, and cleans up after the first call last. A page waits with being seen."""
    hold.at(30)
    held: list[Route] = []
    script = re.compile(r"/live/view\.js$")
    page.route(script, lambda route: held.append(route))
    with page.expect_request(script):
        run = start_card(page, server.url, LINE)
    settled(page)
    assert page.evaluate(UNSEEN) > 4000, "it is seen without its view only once that takes long"
    for knobs in (True, False):
        with redrawn(page):
            page.get_by_text("Knobs", exact=True).click()
        assert page.get_by_label("Knobs", exact=True).is_checked() == knobs
    assert view(page, run).count() == 0
    for route in held:
        route.continue_()
    shows_round(page, run, 30)
    expect(view(page, run)).to_be_visible()
    stop(page)


def test_a_view_comes_whose_scripts_were_lost_on_their_way(page: Page, server: Any, hold: Hold) -> None:
    hold.at(30)
    lost = []

    def lose_once(route: Route) -> None:
        if (name := route.request.url.rpartition("/")[2]) in lost:
            route.continue_()
        else:
            lost.append(name)
            route.abort()

    page.route(re.compile(r"/live/(view|store)\.js$"), lose_once)  # the component's own, and one that this imports
    run = start_card(page, server.url, LINE)
    shows_round(page, run, 30)
    assert sorted(lost) == ["store.js", "view.js"]
    stop(page)


def test_a_run_outlives_its_tab_and_is_the_same_for_two_tabs_or_none(
    page: Page, profile: BrowserContext, server: Any, hold: Hold
) -> None:
    """Played again without a server or a viewer, a run that was watched has the same scalars."""
    hold.at(30)
    run = start_card(page, server.url, LINE)
    shows_round(page, run, 30)
    page.goto("about:blank")
    hold.at(60)
    with RunStore(server.store) as store:
        until(lambda: len(store.track(run).rounds) == 60, "the run went on without a tab")
    second = profile.new_page()
    for tab in (page, second):
        tab.goto(f"{server.url}/watch?run={run}")
        shows_round(tab, run, 60)
    hold.at(90)
    for tab in (page, second):
        shows_round(tab, run, 90)
    stop(page, second)
    for tab in (page, second):
        tab.wait_for_function(f"() => ({LAST})()?.[0] === 90")
    assert page.evaluate(LAST) == second.evaluate(LAST)
    second.close()

    columns = ["D.loss", "G.loss", "D.grad_norm", "G.grad_norm"]
    with RunStore(server.store) as store:
        config = RunConfig.load(store.run(run).config).replace({"schedule.rounds": 90})
        watched = store.track(run, "turns", columns=columns)
    with Lab(server.store.parent / "alone") as lab:
        alone = lab.submit(config)
        assert lab.wait(alone).status == "finished"
        actual = lab.store.track(alone, "turns", columns=columns)
    assert len(actual.rounds) == len(watched.rounds) == 90
    assert actual.values.tobytes() == watched.values.tobytes()


def test_a_restarted_server_lists_every_run_and_says_what_was_interrupted(page: Page, own_server: Any) -> None:
    """SIGTERM with a page open and a run training."""
    own_server.hold.at(6)
    run = start_card(page, own_server.url, index=1)
    shows_round(page, run, 6)
    own_server.stop()
    assert own_server.process.returncode in (0, -15)
    with RunStore(own_server.store) as store:
        assert (store.run(run).status, store.run(run).rounds) == ("interrupted", 6)
        assert store.track(run).rounds.tolist() == list(range(1, 7))
    again = own_server.start_again()
    try:
        page.goto(f"{again.url}/watch?run={run}")
        shows_round(page, run, 6)
        is_in_state(page, "interrupted")
        again.hold.at(8)
        page.get_by_role("button", name="Continue").click()
        shows_round(page, run, 8)
        is_in_state(page, "running")
        stop(page)
    finally:
        again.stop()

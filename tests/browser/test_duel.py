"""A duel in a real browser: started from the page, one slider for all columns, and a link that opens the same view."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from driving import heard, redrawn, settled
from playwright.sync_api import Browser, Locator, Page, expect

from gan_core.engine.comparing.curves import smooth

pytestmark = pytest.mark.browser

# What is scrolled out of sight is not drawn: slider, columns and curves are all looked at.
TALL = {"width": 1280, "height": 2000}
CURVES = """() => { const chart = document.querySelector('[data-testid=curves-over-seeds] .js-plotly-plot')
  const plain = values => Array.from(values?._inputArray ?? values ?? [])
  return chart && JSON.stringify([chart._fullLayout.xaxis.title.text, chart._fullLayout.yaxis.type,
    chart.data.map(trace => [trace.name ?? '', plain(trace.x), plain(trace.y)])]) }"""


def columns(page: Page) -> Locator:
    return page.locator(".gs-root[data-led]")


def all_show(page: Page, round: int) -> None:
    """The pictures of all columns are of this round."""
    expect(columns(page)).to_have_count(3)
    for column in columns(page).all():
        expect(column.get_by_test_id("points").locator(".gs-aside")).to_have_text(f"round {round}")


def sorted_by_the_best(page: Page) -> bool:
    """Whether the board has the runs by how much each covers at the round that is shown, the most first."""
    ranking = page.get_by_test_id("board").locator(".gs-ranking").first
    reads = ranking.locator(".gs-reads").all_inner_texts()
    values = [float(value) for value in reads]
    return len(values) == 3 and values == sorted(values, reverse=True)


def fill(page: Page, label: str, value: str) -> None:
    page.get_by_label(label, exact=True).fill(value)
    with redrawn(page):
        page.keyboard.press("Enter")


# What a view does about news and about a wish, in the moment after a press anywhere on the page.
AFTER_A_PRESS = """() => {
  const { view } = window.__ganscope.lead
  cancelAnimationFrame(view.frame)
  Object.assign(view, { frame: null, resting: null, restsUntil: 0 })
  window.dispatchEvent(new PointerEvent("pointerdown"))
  view.drawSoon()
  const waits = [view.frame === null, view.resting !== null]
  view.drawSoon(true)
  return [...waits, view.frame !== null]
}"""

# When a chart is given back to Plotly whose panel goes while it is drawn: [before, after] the drawing has ended.
GIVEN_BACK = """async () => {
  const panel = window.__ganscope.lead.view.panels.find(panel => panel.chart)
  const pause = () => new Promise(resolve => setTimeout(resolve, 5))
  let end, given = 0
  panel.start({ newPlot: () => new Promise(resolve => (end = resolve)), purge: () => (given += 1) })
  panel.destroy()
  for (let turn = 0; turn < 10; turn += 1) await pause()
  const before = given
  end()
  while (!given) await pause()
  return [before, given]
}"""


def test_a_duel_from_the_page_and_its_link(page: Page, browser: Browser, server: Any) -> None:
    page.set_viewport_size(TALL)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{server.url}/compare")
    settled(page)
    fill(page, "Seeds", "7")
    expect(page.get_by_role("button", name="Start 3 runs")).to_be_visible()
    fill(page, "Rounds", "40")
    page.get_by_role("button", name="Start 3 runs").click()
    page.wait_for_url(re.compile(r"[?&]comparison="))
    settled(page)
    expect(columns(page)).to_have_count(3)
    for column in columns(page).all():
        expect(column.get_by_test_id("state")).to_have_text("finished", timeout=240_000)
        expect(column.get_by_test_id("rounds")).to_have_text("round 40 of 40")
    expect(columns(page).first.locator(".gs-key span")).to_have_text(["D loss", "G loss"])
    expect(page.get_by_text("all columns show the same samples")).to_be_visible()
    expect(page.get_by_text("Over all seeds")).to_be_visible()
    expect(page.get_by_text("As far as they are now")).to_have_count(0)  # it was drawn anew when all had ended

    slider = page.get_by_test_id("slider").first
    slider.press("Home")
    all_show(page, 0)
    slider.press("ArrowRight")
    all_show(page, 25)
    assert sorted_by_the_best(page)
    page.set_viewport_size({"width": 1280, "height": 600})  # where columns and slider have no room together
    columns(page).first.get_by_test_id("points").scroll_into_view_if_needed()
    expect(slider).to_be_in_viewport()
    page.get_by_test_id("next").first.click()
    all_show(page, 40)
    page.get_by_test_id("previous").first.click()
    all_show(page, 25)
    page.set_viewport_size(TALL)
    page.get_by_role("radio", name="images", exact=True).click()
    page.get_by_label("Measure", exact=True).select_option("Effective modes")
    expect(page.get_by_test_id("curves-over-seeds").locator(".ytitle")).to_have_text("Effective modes")
    page.get_by_test_id("overlay").scroll_into_view_if_needed()
    expect(page.get_by_test_id("overlay").locator(".gs-title")).to_have_text("Effective modes, this seed")
    page.get_by_label("log y", exact=True).click()
    page.get_by_label("Smoothing", exact=True).fill("0.6")
    page.wait_for_url(
        re.compile("(?=.*axis=images)(?=.*logy=true)(?=.*smooth=0.6)(?=.*metric=effective_modes)(?=.*round=25)")
    )
    all_show(page, 25)
    expect(page.get_by_test_id("curves-over-seeds").locator(".xtitle")).to_have_text("images that D has seen")
    # One seed: a mean as it is and a smoothed one per variant.
    page.wait_for_function(
        f"() => {{ const [, y, traces] = JSON.parse(({CURVES})() || '[]'); return y === 'log' && traces.length === 6 }}"
    )
    shown = page.evaluate(CURVES)
    traces = json.loads(shown)[2]
    for (_, _, raw), (_, _, smoothed) in zip(traces[::2], traces[1::2], strict=True):
        assert smoothed == pytest.approx(smooth(np.array(raw), 0.6).tolist())

    link = page.url
    with heard(page.get_by_test_id("copy-link")) as said:
        page.get_by_test_id("copy-link").click()
        page.wait_for_function("async link => await navigator.clipboard.readText() === link", arg=link)
        page.wait_for_function(
            "element => element.told.length > 1", arg=page.get_by_test_id("copy-link").element_handle()
        )
    assert "|Copied" in said
    context = browser.new_context(viewport=TALL)
    other = context.new_page()
    other.goto(link)
    all_show(other, 25)
    other.wait_for_function(f"shown => ({CURVES})() === shown", arg=shown)
    settled(other)
    assert other.url == link
    context.close()
    assert page.evaluate(AFTER_A_PRESS) == [True, True, True]
    assert page.evaluate(GIVEN_BACK) == [0, 1]

"""Boxes: pictures are the largest thing on a projector; on every page nothing moves, is cut off, or covers something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from driving import settled
from filled_store import Kept, fill
from playwright.sync_api import BrowserContext, Page
from test_every_page import CUT, NAMED, PAGES, SHOWN

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]
SIZES = [(1280, 720), (1440, 900), (1920, 1080)]
PLANES = "() => [...document.querySelectorAll('.gs-points .bglayer .bg')].map((plane) => plane.getBoundingClientRect().height)"
TILES = """() => [...document.querySelectorAll('.gs-panel[data-span=large] :is(img.gs-grid, canvas.gs-grid)')]
  .map((tile) => tile.getBoundingClientRect().height)"""
PHONE = (390, 844)
LARGER = "sessionStorage.setItem('ganscope.look', JSON.stringify({ size: 1, contrast: false }))"
# What the browser counts as moved, without anybody's doing: https://web.dev/articles/cls
SHIFTS = """window.shifts = []
new PerformanceObserver((list) => window.shifts.push(...list.getEntries().filter((entry) => !entry.hadRecentInput)))
  .observe({ type: 'layout-shift', buffered: true })"""
MOVED = """() => {
  let worst = 0, session = null
  for (const { value, startTime: at } of window.shifts) {
    const goes_on = session && at - session.last < 1000 && at - session.first < 5000
    session = { sum: value + (goes_on ? session.sum : 0), first: goes_on ? session.first : at, last: at }
    worst = Math.max(worst, session.sum)
  }
  return worst
}"""
WIDER = "() => (main => main.scrollWidth - main.clientWidth)(document.querySelector('[data-testid=stMain]'))"
# What comes after the page: views, and what a process of the server answers.
VIEW = ".gs-root[data-begun]"
COMES = {
    **dict.fromkeys(("watch", "watch points", "watch a line", "a comparison", "diagnose", "a lesson"), VIEW),
    "latent": ".gl-root[data-ready=true]",
    "draw": ".gd-both canvas",
}
# Controls, titles of panels and what a board says: each is pressed or read, so that none may lie over another.
OVERLAPS = """() => {
  const boxOf = (part) => { // of a title its words: Streamlit gives it room below, which the next row may take
    const words = document.createRange()
    words.selectNodeContents(part)
    return (part.matches('h1') ? words : part).getBoundingClientRect()
  }
  const seen = (part) => part.checkVisibility({ visibilityProperty: true, opacityProperty: true })
  const one_of = 'button:not([tabindex="-1"]), input[type=range], a[data-testid], h1, .gs-chip, .gs-title, .gs-ranking span'
  const parts = [...document.querySelectorAll(`[data-testid=stMain] :is(${one_of})`)].filter(seen)
    .map((part) => [part, boxOf(part)]).filter(([, box]) => box.width > 3 && box.height > 3)
  const named = (part) => part.textContent.slice(0, 40) || part.outerHTML.slice(0, 90)
  const found = []
  parts.forEach(([one, a], index) => parts.slice(index + 1).forEach(([other, b]) => {
    if (one.contains(other) || other.contains(one)) return
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left)
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
    if (across > 3 && down > 3) found.push(`${named(one)} | ${named(other)}`)
  }))
  return found
}"""
# What takes room of the page with nothing in it: how far a part goes on below the last thing that can be seen there.
EMPTY = """() => [...document.querySelectorAll('.stMain .stElementContainer')].flatMap((part) => {
  const { top, bottom } = part.getBoundingClientRect()
  const says = (one) => [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim())
  const things = [...part.querySelectorAll('*')].filter((one) => !one.childElementCount || one.matches('svg') || says(one))
  const boxes = things.map((one) => one.getBoundingClientRect()).filter((box) => box.height)
  const last = Math.max(top, ...boxes.map((box) => box.bottom))
  return bottom - last > 150 ? [`${Math.round(bottom - last)} px of ${part.className}`] : []
})"""
# Words that reach out of the box of their panel, and room in it that its picture does not take.
STICKS_OUT = """() => [...document.querySelectorAll('.gs-panel')].flatMap((panel) => {
  const right = panel.getBoundingClientRect().right + 2
  const says = (one) => !one.childElementCount && one.textContent.trim() && one.checkVisibility() && !one.closest('.gs-spoken')
  const words = [...panel.querySelectorAll(':not(svg, svg *)')].filter(says)
  const out = words.filter((one) => one.getBoundingClientRect().right > right)
  return out.map((one) => `${one.textContent} of ${panel.dataset.testid}`)
})"""
LOOSE = """() => [...document.querySelectorAll('.gs-panel.gs-grid .gs-body')].flatMap((body) => {
  const heights = [...body.querySelectorAll('.gs-grid')].map((picture) => picture.getBoundingClientRect().height)
  const highest = Math.max(...heights, 0) // none of a panel out of sight
  const room = body.getBoundingClientRect().height - highest
  return highest && room > 100 ? [`${Math.round(room)} px around a picture`] : []
})"""
# Words of a chart that reach out of its picture, where nothing is drawn.
CUT_IN_CHARTS = """() => [...document.querySelectorAll('[data-testid=stMain] .main-svg text')].filter((text) => {
  const chart = text.closest('.main-svg').getBoundingClientRect()
  const box = text.getBoundingClientRect()
  const seen = text.textContent.trim() && box.width && chart.width && text.checkVisibility({ visibilityProperty: true })
  const across = Math.max(chart.left - box.left, box.right - chart.right)
  return seen && Math.max(across, chart.top - box.top, box.bottom - chart.bottom) > 3
}).map((text) => `${text.textContent} in ${text.closest('.gs-panel, .js-plotly-plot').textContent.slice(0, 30)}`)"""
# Titles of axes that do not stand beside their axis: over what is drawn, or far from it.
ASTRAY = """() => [...document.querySelectorAll('[data-testid=stMain] .js-plotly-plot')].flatMap((chart) => {
  const plots = [...chart.querySelectorAll('.nsewdrag')].map((plot) => plot.getBoundingClientRect())
  return [...chart.querySelectorAll('.xtitle, .ytitle, .x2title, .y2title')].filter((title) => {
    const box = title.getBoundingClientRect()
    if (!box.width || !plots.length) return false
    const [across, down] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2]
    const inside = plots.some((plot) => across > plot.left && across < plot.right && down > plot.top && down < plot.bottom)
    const reach = Math.max(60, 5 * Math.min(box.width, box.height))
    const near = plots.some(({ left, right, top, bottom }) =>
      Math.max(left - box.right, box.left - right, top - box.bottom, box.top - bottom) < reach)
    return inside || !near
  }).map((title) => title.textContent)
})"""
BELOW = """() => { const { bottom } = document.querySelector('.gs-points .gs-chart').getBoundingClientRect()
  return bottom - innerHeight }"""


@pytest.fixture(scope="module")
def kept(store: Path) -> Kept:
    return fill(store)


def open_whole(page: Page, server: Any, ids: dict[str, str], name: str) -> None:
    """Open a page, and wait until all that belongs to it is there."""
    page.goto(f"{server.url}/{PAGES[name].format_map(ids)}")
    settled(page)
    if name in COMES:
        page.locator(COMES[name]).first.wait_for()
    page.wait_for_function(SHOWN)
    page.wait_for_function(NAMED)


def tab_of(profile: BrowserContext, size: tuple[int, int], scheme: Scheme = "light", larger: bool = False) -> Page:
    """A tab in which nothing is shown yet."""
    page = profile.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    if larger:
        page.add_init_script(LARGER)
    return page


@pytest.fixture
def look(profile: BrowserContext, server: Any, kept: Kept) -> Iterator[Callable[[str, tuple[int, int]], Page]]:
    """Opens a page in a tab of its own, and returns it once all views on it are there."""
    tabs = []

    def open_page(name: str, size: tuple[int, int]) -> Page:
        tabs.append(tab_of(profile, size))
        open_whole(tabs[-1], server, kept.ids, name)
        return tabs[-1]

    yield open_page
    for tab in tabs:
        tab.close()


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_plane_of_a_run_is_large_and_whole(size: tuple[int, int], look: Any) -> None:
    page = look("watch points", size)
    (plane,) = page.evaluate(PLANES)
    assert plane >= 420 * max(1, 0.95 * size[1] / 720)
    assert page.evaluate(BELOW) <= 0, "it is seen without scrolling"


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_picture_of_a_run_and_the_tiles_of_a_comparison_are_large(size: tuple[int, int], look: Any) -> None:
    assert look("watch", size).evaluate(TILES)[0] >= 420
    assert all(plane >= 300 for plane in look("a comparison", size).evaluate(PLANES))


def faults_of_boxes(
    profile: BrowserContext,
    server: Any,
    ids: dict[str, str],
    size: tuple[int, int],
    scheme: Scheme,
    larger: bool,
    names: Any,
) -> list[str]:
    """What is wrong with the boxes of these pages, each opened in a tab of its own."""
    found = []
    for name in names:
        page = tab_of(profile, size, scheme, larger)
        page.add_init_script(SHIFTS)
        said: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text) if message.type == "error" else None)
        page.on(
            "response",
            lambda answer, said=said: said.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
        )
        open_whole(page, server, ids, name)
        moved = page.evaluate(MOVED)
        said += [f"moved by {moved:.2f}"] if moved > 0.1 else []
        said += [f"wider than the window by {wider:.0f}"] if (wider := page.evaluate(WIDER)) > 2 else []
        said += [f"over each other: {pair}" for pair in page.evaluate(OVERLAPS)]
        said += [f"outside: {text}" for text in page.evaluate(STICKS_OUT)]
        said += [f"empty: {part}" for part in page.evaluate(EMPTY) + page.evaluate(LOOSE)]
        said += [f"astray: {title}" for title in page.evaluate(ASTRAY)]
        said += [f"cut: {text}" for text in page.evaluate(CUT) + page.evaluate(CUT_IN_CHARTS)]
        found += [f"{name}: {one}" for one in said]
        page.close()
    return found


UNDER = """() => { const { left, width } = document.querySelector('[data-testid=loss-chart] .nsewdrag').getBoundingClientRect()
  const [first, last] = document.querySelector('[data-testid=loss-chart] .js-plotly-plot')._fullLayout.xaxis.range
  return [left + width / 4, first + (last - first) / 4] }"""


@pytest.mark.slow
@pytest.mark.parametrize("larger", [False, True], ids=["usual type", "larger type"])
def test_the_round_under_a_pointer_is_the_one_that_is_shown(
    larger: bool, profile: BrowserContext, server: Any, kept: Kept
) -> None:
    page, run = tab_of(profile, (1440, 900), larger=larger), kept.ids["digits"]
    open_whole(page, server, kept.ids, "watch")
    page.locator("[data-testid=loss-chart] .main-svg").first.wait_for()
    across, round = page.evaluate(UNDER)
    box = page.locator("[data-testid=loss-chart] .nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(across, box["y"] + box["height"] / 2)
    page.wait_for_function("run => window.__ganscope[run].view.hovered !== null", arg=run)
    assert abs(page.evaluate("run => window.__ganscope[run].view.hovered", run) - round) <= 2
    page.close()


@pytest.mark.parametrize("size", [SIZES[0], PHONE], ids=str)
def test_nothing_moves_or_is_covered(size: tuple[int, int], profile: BrowserContext, server: Any) -> None:
    assert faults_of_boxes(profile, server, {}, size, "light", False, ["home", "theory", "collapse", "lessons"]) == []


@pytest.mark.slow
@pytest.mark.parametrize("larger", [False, True], ids=["usual type", "larger type"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [*SIZES, PHONE], ids=str)
def test_nothing_moves_or_is_covered_on_any_page(
    size: tuple[int, int], scheme: Scheme, larger: bool, profile: BrowserContext, server: Any, kept: Kept
) -> None:
    pages = [name for name in PAGES if name != "classroom"]  # this server has no class
    assert faults_of_boxes(profile, server, kept.ids, size, scheme, larger, pages) == []

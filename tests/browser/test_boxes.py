"""How large the pictures are at the sizes of a projector: what carries the lesson is the largest thing on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import settled
from filled_store import Kept, fill
from playwright.sync_api import Browser, Page
from test_every_page import PAGES, SHOWN

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = [(1280, 720), (1440, 900), (1920, 1080)]
PLANES = "() => [...document.querySelectorAll('.gs-points .bglayer .bg')].map((plane) => plane.getBoundingClientRect().height)"
TILES = """() => [...document.querySelectorAll('.gs-panel[data-span=large] :is(img.gs-grid, canvas.gs-grid)')]
  .map((tile) => tile.getBoundingClientRect().height)"""
BELOW = """() => { const { bottom } = document.querySelector('.gs-points .gs-chart').getBoundingClientRect()
  return bottom - innerHeight }"""


@pytest.fixture(scope="module")
def kept(store: Path) -> Kept:
    return fill(store)


@pytest.fixture
def look(browser: Browser, server: Any, kept: Kept) -> Iterator[Callable[[str, tuple[int, int]], Page]]:
    """Opens a page in a window of its own, and returns it once all views on it are there."""
    contexts = []

    def open_page(name: str, size: tuple[int, int]) -> Page:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{server.url}/{PAGES[name].format_map(kept.ids)}")
        settled(page)
        page.wait_for_function(SHOWN)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_plane_of_a_run_is_large_and_whole(size: tuple[int, int], look: Any) -> None:
    page = look("watch points", size)
    (plane,) = page.evaluate(PLANES)
    assert plane >= 420 * max(1, 0.95 * size[1] / 720)
    assert page.evaluate(BELOW) <= 0, "it is seen without scrolling"


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_picture_of_a_run_and_the_tiles_of_a_comparison_are_large(size: tuple[int, int], look: Any) -> None:
    assert look("watch", size).evaluate(TILES)[0] >= 420
    assert all(plane >= 300 for plane in look("a comparison", size).evaluate(PLANES))

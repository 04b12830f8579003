"""What a browser test waits for: a page that is drawn whole, a key that is heard, a run that shows a round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator, Page, expect

from gan_core.server.class_mode import LINK_FILE

# Streamlit says whether a script runs and which elements are of the run before; the page counts how often it was drawn.
_DRAWN = """after => {
  if (document.documentElement.classList.contains('gk-coming')) return false // it is there, and is not seen yet
  const app = document.querySelector('[data-testid=stApp]')
  const drawn = Number(getComputedStyle(document.documentElement).getPropertyValue('--drawn'))
  return app?.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-stale=true]') && drawn > after && drawn
}"""
_DRAWN_TO = """run => {
  for (const panel of window.__ganscope?.[run]?.view.panels || [])
    for (const { column, index } of panel.bindings || [])
      if (column === 'D.loss' && panel.ready) return panel.chart.data[index].x.at(-1) ?? -1
  return -1
}"""
POINTS = "run => window.__ganscope?.[run]?.points('D.loss') || 0"


def settled(page: Page, after: int = 0) -> int:
    """Wait until the page is drawn whole and no script runs; returns how often it was drawn, which is more than ``after``."""
    return int(page.wait_for_function(_DRAWN, arg=after).json_value())


def is_foreign(url: str) -> bool:
    """Whether a request goes to another host than the server's."""
    return not url.startswith(("http://localhost:", "ws://localhost:", "data:", "blob:", "file:"))


def faults_of(page: Page) -> list[str]:
    """Script errors and requests to other hosts, from now on."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on("request", lambda sent: faults.append(f"foreign request: {sent.url}") if is_foreign(sent.url) else None)
    return faults


def enter_as_teacher(page: Page, server: Any) -> None:
    """By the link that the teacher of the class has."""
    _, _, door = (server.store / LINK_FILE).read_text().strip().partition("/class/teacher")
    page.goto(f"{server.url}/class/teacher{door}")
    page.wait_for_url(f"{server.url}/")
    settled(page)


@contextmanager
def redrawn(page: Page) -> Iterator[None]:
    """What is done inside has the page drawn anew; afterwards only the new one is there."""
    before = settled(page)
    yield
    settled(page, before)


def press_key(page: Page, key: str, heard_as: str) -> None:
    """Press a presenter's key once the page hears it, and wait for the page that comes of it."""
    page.locator(f'[data-hears~="{heard_as}"]').wait_for(state="attached")
    with redrawn(page):
        page.keyboard.press(key)


def focus(control: Locator) -> None:
    """Give a control the focus, which it takes once the page is seen."""
    expect(control).to_be_visible()
    control.focus()
    expect(control).to_be_focused()


def press(control: Locator) -> None:
    """Press a control with the keyboard: it must take the focus by itself."""
    focus(control)
    control.press("Enter")


def view(page: Page, run: str) -> Locator:
    """The live view of a run."""
    return page.locator(f'.gs-root[data-run="{run}"]')


def comes_to(page: Page, run: str, round: int) -> None:
    """Wait until the view of a run, which may show no losses, has come to this round and shows a frame."""
    page.wait_for_function(
        """([run, round]) => { const view = window.__ganscope?.[run]?.view
          return view?.store.status?.round >= round && view.shown !== null }""",
        arg=[run, round],
    )


def shows_round(page: Page, run: str, round: int) -> None:
    """Wait until the view of a run has come to this round, and D's loss is drawn to there."""
    page.wait_for_function(
        f"([run, round]) => window.__ganscope?.[run]?.view.store.status?.round >= round && ({_DRAWN_TO})(run) >= round",
        arg=[run, round],
    )


def is_in_state(page: Page, state: str, run: str = "") -> None:
    """Wait until the view says so: of ``run``, else of the only run."""
    expect((view(page, run) if run else page).get_by_test_id("state")).to_have_text(state)


def press_stop(page: Page) -> None:
    """Ours: while a script runs, Streamlit has a button of that name in its header."""
    page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()


LINE = 3  # the card of the smallest run


def start_card(page: Page, url: str, index: int = 0, clicks: int = 1) -> str:
    """Press Start on a card of the home page; returns the run that it started."""
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


def run_of(page: Page, name: str = "run") -> str:
    """The run that the address names."""
    match = re.search(rf"[?&]{name}=([a-z0-9-]+)", page.url)
    assert match, page.url
    return match[1]


@contextmanager
def heard(locator: Locator) -> Iterator[list[str]]:
    """All that an element says inside, its text and its label, however briefly; complete afterwards."""
    told: list[str] = []
    element = locator.element_handle()
    element.evaluate("""element => {
      const said = () => `${element.getAttribute('aria-label') || ''}|${element.textContent}`
      element.told = [said()]
      new MutationObserver(() => element.told.push(said())).observe(
        element, { attributes: true, childList: true, characterData: true, subtree: true })
    }""")
    yield told
    told.extend(element.evaluate("element => element.told"))

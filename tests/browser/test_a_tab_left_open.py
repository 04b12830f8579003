"""A tab that stays open outlives its tickets: its stream, its pictures and the cards of its runs are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from driving import faults_of
from playwright.sync_api import BrowserContext, Page, Response, expect

from gan_core.config import preset_config
from gan_core.engine import Lab

pytestmark = pytest.mark.browser
SETTINGS = {"ticket_seconds": "6"}  # a day of the tab is twelve seconds

READY = "run => window.__ganscope?.[run]?.view.store.frames.length > 0"
TICKET = "run => window.__ganscope[run].view.data.ticket"
IS_OVER = "ticket => Number(ticket.split('.')[0]) * 1000 < Date.now()"  # one clock: the server is on this machine
STATUS = "async ([path, ticket]) => (await fetch(`${path}ticket=${ticket}`, { cache: 'no-store' })).status"
OPENS = f"async ([run, path]) => (await ({STATUS})([path, ({TICKET})(run)])) === 200"
# The connection is made anew, as after it was lost, with the ticket that the page has by then.
CONNECTS = "run => window.__ganscope[run].view.connection.connect()"
IS_ANSWERED = "run => ['live', 'polling', 'done'].includes(window.__ganscope[run].view.connection.state)"
# Nothing that the page is brought reaches a computer that sleeps; awake, it finds that its ticket is refused. Each time that
# Streamlit brings something it also hands over how to ask. On a slow machine this ticket may have been found too old before.
SLEEPS = """([run, first]) => { const { view } = window.__ganscope[run]
  const update = view.update.bind(view)
  let { ask } = view
  window.asked = window.missed = false
  view.update = data => { if (window.asked) update(data); else window.missed = true }
  const asks = (name, value) => { window.asked ||= name === "stale"; ask(name, value) }
  Object.defineProperty(view, "ask", { get: () => asks, set: (handed) => { ask = handed } })
  view.data = { ...view.data, ticket: first }
  view.stale = ""
  view.connection.ticket = first }"""


def until(page: Page, holds: str, argument: Any = None) -> None:
    """Wait for something on the page to be true; the page allows Playwright no polling of its own."""
    while not page.evaluate(holds, argument):
        page.wait_for_timeout(50)


@pytest.fixture(scope="module")
def run(store: Path) -> str:
    """A run on the ring that has ended: it is shown for as long as somebody looks."""
    with Lab(store, executor="thread") as lab:
        made = lab.submit(preset_config("ring-mlp", {"schedule.rounds": 10, "diagnostics.every": 5}))
        assert lab.wait(made, 120).status == "finished"
    return made


@dataclass
class Left:
    """Tabs that were opened together and stay open: each waits while the others do."""

    watch: Page
    home: Page
    runs: Page
    first: str = ""
    """The ticket that the view of the run had first."""
    cards: set[str] = field(default_factory=set)
    pictures: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def left(profile: BrowserContext, server: Any, run: str) -> Iterator[Left]:
    tabs = Left(profile.new_page(), profile.new_page(), profile.new_page())
    faults = [faults_of(tab) for tab in (tabs.watch, tabs.home, tabs.runs)]
    tabs.home.on("response", lambda answer: _note(answer, "/live/recent", tabs.cards))
    tabs.runs.on("response", lambda answer: _note(answer, "/artefact/", tabs.pictures))
    tabs.watch.goto(f"{server.url}/watch?run={run}")
    tabs.home.goto(server.url)
    tabs.runs.goto(f"{server.url}/runs")
    until(tabs.watch, READY, run)
    tabs.first = str(tabs.watch.evaluate(TICKET, run))
    yield tabs
    assert faults == [[], [], []]


def _note(answer: Response, path: str, answered: set[str]) -> None:
    if path in answer.url and answer.status == 200:
        answered.add(answer.url)


def test_a_page_is_given_another_ticket_before_its_own_is_over(left: Left, run: str) -> None:
    page, state = left.watch, f"/live/{run}/state?"
    until(page, IS_OVER, left.first)
    assert page.evaluate(STATUS, [state, left.first]) == 403
    until(page, OPENS, [run, state])
    picture = page.evaluate("run => window.__ganscope[run].view.store.frames.at(-1).parts.points.file", run)
    until(page, OPENS, [run, f"/live/{run}/artefact/{picture}?"])
    page.evaluate(CONNECTS, run)
    until(page, IS_ANSWERED, run)


def test_a_page_that_slept_through_the_life_of_its_ticket_asks_for_another(left: Left, run: str) -> None:
    page = left.watch
    until(page, IS_OVER, left.first)
    page.evaluate(SLEEPS, [run, left.first])
    until(page, "() => window.missed || window.asked")  # a page that looked meanwhile, on its own, has asked
    page.evaluate(CONNECTS, run)
    until(page, IS_ANSWERED, run)
    assert page.evaluate("() => window.asked")
    assert page.evaluate(TICKET, run) != left.first


def test_the_cards_of_a_page_left_open_are_asked_for_with_new_tickets(left: Left) -> None:
    while len(left.cards) < 3:
        left.home.wait_for_timeout(100)
    expect(left.home.get_by_test_id("run-card")).to_be_visible()


def test_the_pictures_of_the_runs_table_are_asked_for_with_new_tickets(left: Left) -> None:
    while len(left.pictures) < 3:
        left.runs.wait_for_timeout(100)

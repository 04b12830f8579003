"""A tab that stays open outlives its tickets: its stream, its pictures and the cards of its runs are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

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
IS_ANSWERED = "run => ['live', 'done'].includes(window.__ganscope[run].view.connection.state)"
# Nothing that the page is brought reaches a computer that sleeps; awake, it finds that its ticket is refused.
SLEEPS = """([run, first]) => { const { view } = window.__ganscope[run]
  const update = view.update.bind(view), ask = view.ask.bind(view)
  window.asked = false
  view.update = data => { if (window.asked) update(data) }
  view.ask = (name, value) => { window.asked ||= name === "stale"; ask(name, value) }
  view.data = { ...view.data, ticket: first }
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


def watch_until_the_ticket_is_over(page: Page, server: Any, run: str) -> str:
    """The first ticket of a page that stays open."""
    page.goto(f"{server.url}/watch?run={run}")
    until(page, READY, run)
    first = str(page.evaluate(TICKET, run))
    until(page, IS_OVER, first)
    return first


def test_a_page_is_given_another_ticket_before_its_own_is_over(page: Page, server: Any, run: str) -> None:
    first = watch_until_the_ticket_is_over(page, server, run)
    state = f"/live/{run}/state?"
    assert page.evaluate(STATUS, [state, first]) == 403
    until(page, OPENS, [run, state])
    picture = page.evaluate("run => window.__ganscope[run].view.store.frames.at(-1).parts.points.file", run)
    until(page, OPENS, [run, f"/live/{run}/artefact/{picture}?"])
    page.evaluate(CONNECTS, run)
    until(page, IS_ANSWERED, run)


def test_a_page_that_slept_through_the_life_of_its_ticket_asks_for_another(page: Page, server: Any, run: str) -> None:
    first = watch_until_the_ticket_is_over(page, server, run)
    page.evaluate(SLEEPS, [run, first])
    page.evaluate(CONNECTS, run)
    until(page, IS_ANSWERED, run)
    assert page.evaluate("() => window.asked")
    assert page.evaluate(TICKET, run) != first


def test_the_cards_of_a_page_left_open_are_asked_for_with_new_tickets(page: Page, server: Any, run: str) -> None:
    answered = set()
    page.on(
        "response",
        lambda answer: answered.add(answer.url) if "/live/recent" in answer.url and answer.status == 200 else None,
    )
    page.goto(server.url)
    expect(page.get_by_test_id("run-card")).to_be_visible()
    while len(answered) < 3:
        page.wait_for_timeout(100)
    expect(page.get_by_test_id("run-card")).to_be_visible()


def test_the_pictures_of_the_runs_table_are_asked_for_with_new_tickets(page: Page, server: Any, run: str) -> None:
    shown = set()
    page.on("response", lambda answer: shown.add(answer.url) if "/artefact/" in answer.url and answer.ok else None)
    page.goto(f"{server.url}/runs")
    while len(shown) < 3:
        page.wait_for_timeout(100)

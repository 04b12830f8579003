"""Every page, opened once in one store: usable by all, sentences whole, numbers one, and what people type only text."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from driving import enter_as_teacher, faults_of, settled
from filled_store import HOSTILE, Kept, fill
from playwright.sync_api import BrowserContext, Page, expect
from websockets.sync.client import connect

from gan_core.metrics.histograms import modes_covered
from gan_core.ui.shell import TOUR

pytestmark = pytest.mark.browser
SETTINGS = {"class": "1"}

# Pages of honest runs: every property is looked at. Those of the tour stand under the name of their file.
PAGES = {
    "home": "",
    "train": "train",
    "train a ring": "train?preset=ring-mlp",
    "watch": "watch?run={digits}",
    "watch points": "watch?run={ring}",
    "watch a line": "watch?run={line}",
    "compare": "compare",
    "latent": "latent?run={digits}",
    "draw": "draw?judge={digits}",
    "uses": "uses",
    "a study": "uses?study={study}",
    "a comparison": "compare?comparison={duel}",
    "runs": "runs",
    "data": "data",
    "points": "data?data=ring",
    "library": "library",
    "theory": "theory",
    "collapse": "collapse",
    "diagnose": "collapse?recipe=ring-collapse&step=diagnose&run={collapse}&seen=40",
    "explain": "collapse?recipe=ring-collapse&step=explain&run={collapse}&seen=40",
    "lessons": "lessons",
    "a lesson": "lessons?lesson=3&run={digits}",
    "classroom": "classroom",
}
QUERIES = (
    "run",
    "beside",
    "comparison",
    "data",
    "part",
    "preset",
    "tab",
    "cause",
    "from",
    "objective",
    "lesson",
    "study",
)
ASKED = "&".join(f"{name}={quote(HOSTILE[0])}" for name in QUERIES)
# Pages that show what somebody typed, or that an address asks for it.
HOSTILE_PAGES = {
    "watch what is hostile": "watch?run={hostile-digits}",
    "a hostile failure": "watch?run={hostile-failed}",
    "hostile side by side": "watch?run={hostile}&beside={hostile-beside}",
    "a hostile comparison": "compare?comparison={hostile-duel}&losses=true",
    "a hostile study": "uses?study={hostile-study}",
    "a hostile lesson": "lessons?lesson=3&run={hostile-digits}",
    "train from what is hostile": "train?from={hostile-digits}",
    **{
        f"{page} of a hostile address": f"{page}?{ASKED}"
        for page in ("watch", "compare", "data", "library", "train", "theory", "collapse", "uses")
    },
}
LOOKED_AT = ("watch", "watch points", "diagnose")  # at one round and then another
SHORT, TALL = {"width": 1280, "height": 800}, {"width": 1280, "height": 2400}

DECIMAL = re.compile(r"(?<![\w.,])\d[\d,]*\.\d+(?![\w.])")
FORECAST = re.compile(r"\b[Aa]bout \d[\d.,]*\s(?:s|seconds|min|minutes|h|hours)\b")
BASIS = re.compile(r"measured|\btook\b|its budget")
COUNT = re.compile(r"(\d+ of \d+)(?= (?:modes|classes) hold| survived)|^(\d+ of \d+)$", re.MULTILINE)

# What can be read: text of what is shown, without code, formulas and what somebody types.
READ = """() => {
  const left = 'pre, code, input, textarea, svg, .katex, [data-testid=stDataFrame], [data-testid=stHeader]'
  const words = []
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) words.push(node.textContent.trim())
    else if (node.nodeType === Node.ELEMENT_NODE && !node.matches(left))
      if (getComputedStyle(node).display === 'contents' || node.checkVisibility()) node.childNodes.forEach(walk)
  }
  walk(document.querySelector('[data-testid=stMain]'))
  return words.filter(Boolean).join('\\n')
}"""
# A sentence is cut where what holds it hides a part of it.
CUT = """() => [...document.querySelectorAll('[data-testid=stMain] *')].filter((element) => {
  const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.textContent)
  if (texts.join(' ').trim().split(/\\s+/).length < 4 || !element.checkVisibility()) return false
  if (element.closest('pre, code, svg, .gs-spoken, [data-baseweb=select], .stMultiSelect')) return false // or scrolls
  for (let holder = element, up = 0; holder && up < 4; holder = holder.parentElement, up++) {
    const { overflowX, overflowY, clipPath, display } = getComputedStyle(holder)
    if (clipPath !== 'none') return false // for those who hear the page
    if (display === 'inline') continue
    if (overflowX === 'hidden' && holder.scrollWidth > holder.clientWidth + 1) return true
    if (overflowY === 'hidden' && holder.scrollHeight > holder.clientHeight + 3) return true
  }
  return false
}).map((element) => element.textContent)"""
# Every view has shown a frame with all that belongs to it. Where a panel lies says its box: a view hears of that later.
SHOWN = """() => {
  const lies = (panel) => {
    const { height, top, bottom } = panel.element.getBoundingClientRect()
    return height && bottom > 1 && top < innerHeight - 1
  }
  const views = Object.entries(window.__ganscope || {}).filter(([name]) => name !== 'lead').map(([, { view }]) => view)
  if (document.querySelector('[class*=st-key-run-view-]:not(:has(.gs-root))')) return false
  return document.querySelectorAll('.gs-root:not([data-leads])').length === views.length && views.every((view) =>
    view.shown !== null && !view.fetching && view.panels.every((panel) =>
      panel.wait.hidden || !(view.inSight(panel) || lies(panel))))
}"""
ROUNDS = """() => [...document.querySelectorAll('.gs-root:not([data-leads])')].map((root) => [
  root.dataset.run,
  [...root.querySelectorAll('.gs-panel[data-round]')].map((panel) =>
    [panel.dataset.testid, Number(panel.dataset.round), panel.querySelector('.gs-aside').textContent]),
])"""
LOOK = "round => { for (const { view } of Object.values(window.__ganscope || {})) view.select(round, true) }"


def everywhere(round: int) -> str:
    """That all views look at this round, and their panels show the newest frame until then."""
    return f"""Object.entries(window.__ganscope).every(([name, {{ view }}]) => name === 'lead' || (view.selected === {round} &&
      view.shown > {round} - 10 && view.shown <= {round} && !view.drawing && !view.frame &&
      view.panels.every((panel) => !panel.element.dataset.round || Number(panel.element.dataset.round) === view.shown)))"""


HERE = """() => document.querySelector('.gk-help') && document.querySelector('.gr-root[data-connection=live]')
  && !document.querySelector('[data-testid=stSkeleton]')
  && [...document.querySelectorAll('.stPlotlyChart')].every(chart => chart.querySelector('.main-svg'))"""
NAMED = """() => [...document.querySelectorAll('.gs-chart, .gf-chart')].every(chart => chart.querySelector('.main-svg'))
  && [...document.querySelectorAll('[data-testid=stImage] img')].every(image => image.hasAttribute('alt'))"""
CHECK = "() => axe.run(document, { resultTypes: ['violations'], preload: false })"
COUNTS = "run => window.__ganscope[run].view.part('histogram').value.counts"
INJECTED = """() => [window.pwned ? 'a script ran' : '', ...[...document.querySelectorAll(
  '[onerror], [onload], [ontoggle], iframe[srcdoc], [src*="evil.example"], base[href*="evil.example"], a[href^="javascript:" i]'
)].map(node => node.outerHTML), ...[...document.querySelectorAll('style')].map(s => s.textContent)
  .filter(text => text.includes('evil.example'))].filter(Boolean)"""


@dataclass
class Seen:
    """What was seen on a page."""

    injected: list[str]
    disturbed: list[str]
    text: str = ""
    cut: list[str] = field(default_factory=list)
    inaccessible: list[str] = field(default_factory=list)
    shown: tuple[int, list[int]] = (0, [])
    """Of the view of a collapse: the round, and what the histogram counts there."""
    rounds: dict[int, list[Any]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def kept(store: Path) -> Kept:
    return fill(store)


class Walk:
    """One tab, in which each page is opened once, when it is first asked for."""

    def __init__(self, page: Page, url: str, kept: Kept) -> None:
        self.page, self._url, self._ids = page, url, kept.ids
        self._seen: dict[str, Seen | Exception] = {}
        self._disturbed = faults_of(page)
        page.on("dialog", lambda dialog: self._disturbed.append(f"dialog: {dialog.message}"))

    def at(self, name: str) -> Seen:
        """What is seen on a page; raises what kept it from being opened, each time."""
        if name not in self._seen:
            try:
                self._seen[name] = self._look(name)
            except Exception as error:
                self._seen[name] = error
        seen = self._seen[name]
        if isinstance(seen, Exception):
            raise seen
        return seen

    def open(self, name: str, scheme: Literal["light", "dark"] = "light") -> None:
        """Go to a page, and wait until all of it is there."""
        # A colour that is on its way counts as what it is.
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.page.set_viewport_size(TALL)
        self.page.goto(f"{self._url}/{(PAGES | HOSTILE_PAGES)[name].format_map(self._ids)}")
        settled(self.page)
        self.page.wait_for_function(HERE)
        if name in PAGES:
            self.page.wait_for_function(SHOWN)
        if name == "home":
            expect(self.page.get_by_test_id("run-card")).to_have_count(8)
        if name == "classroom":
            self.page.get_by_role("button", name="Notes (4)").click()
            expect(self.page.get_by_text(HOSTILE[3])).to_be_visible()

    def disturbed(self) -> list[str]:
        """Scripts that failed and hosts that were asked since this was last asked."""
        told = [*self._disturbed]
        self._disturbed.clear()
        return told

    def inaccessible(self) -> list[str]:
        """What axe-core finds on the page once all of it is there."""
        self.page.set_viewport_size(SHORT)
        settled(self.page)
        self.page.wait_for_function(NAMED)
        self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate(CHECK)["violations"]
        serious = [fault for fault in found if fault["impact"] in ("serious", "critical")]
        return [
            f"{fault['id']}: {node['failureSummary']} {node['html']}" for fault in serious for node in fault["nodes"]
        ]

    def _look(self, name: str) -> Seen:
        self.open(name)
        seen = Seen(self.page.evaluate(INJECTED), [])
        if name in PAGES:
            seen.text, seen.cut = self.page.evaluate(READ), self.page.evaluate(CUT)
            if name == "diagnose":
                run = self._ids["collapse"]
                shown = self.page.evaluate("run => window.__ganscope[run].view.shown", run)
                seen.shown = shown, self.page.evaluate(COUNTS, run)
            if name in LOOKED_AT:
                seen.rounds = {round: self._at_round(round) for round in (20, 60)}
            seen.inaccessible = self.inaccessible()
        seen.disturbed = self.disturbed()
        return seen

    def _at_round(self, round: int) -> list[Any]:
        self.page.evaluate(LOOK, round)
        self.page.wait_for_function(f"() => ({SHOWN})() && {everywhere(round)}")
        return list(self.page.evaluate(ROUNDS))


@pytest.fixture(scope="module")
def walk(profile: BrowserContext, server: Any, kept: Kept) -> Iterator[Walk]:
    """The teacher's tab, in a class that was asked something hostile and has written hostile notes."""
    made = Walk(profile.new_page(), server.url, kept)
    made.page.set_viewport_size(TALL)
    enter_as_teacher(made.page, server)
    write_notes(server)
    made.page.goto(f"{server.url}/classroom")
    made.page.get_by_role("textbox", name="Question to the class").fill(HOSTILE[0])
    made.page.get_by_role("textbox", name="Answers, separated by commas").fill(",".join(HOSTILE[:3]))
    made.page.get_by_role("button", name="Ask", exact=True).click()
    expect(made.page.get_by_test_id("poll")).to_contain_text(HOSTILE[0])
    made.page.get_by_role("button", name="Reveal").click()
    expect(made.page.get_by_test_id("poll").get_by_text("0 answers")).to_be_visible()
    yield made
    made.page.close()


def write_notes(server: Any) -> None:
    """As a student does."""
    with urllib.request.urlopen(server.url) as answer:
        given = [text.partition(";")[0] for text in answer.headers.get_all("Set-Cookie")]
    url = f"{server.url.replace('http', 'ws')}/class/live"
    with connect(url, additional_headers={"Cookie": "; ".join(given)}) as student:
        for text in HOSTILE[:4]:
            student.send(json.dumps({"do": "note", "text": text}))
        student.send("{}")
        while "understand" not in str(student.recv()):
            pass


def test_no_page_of_the_tour_is_left_out() -> None:
    assert {file.removesuffix(".py") for file in TOUR} <= set(PAGES)


def says_no_script_and_asks_nobody(name: str, seen: Seen) -> None:
    assert (seen.injected, seen.disturbed) == ([], [])


def is_usable_by_everybody(name: str, seen: Seen) -> None:
    assert seen.inaccessible == []


def says_whole_sentences(name: str, seen: Seen) -> None:
    assert len(seen.text) > 60
    assert seen.cut == []
    assert not re.search(r"item\(s\)|[^ ]NaN|undefined|\b1 seeds\b", seen.text)


def says_rounded_numbers(name: str, seen: Seen) -> None:
    found = DECIMAL.findall(seen.text)
    assert [one for one in found if len(one.replace(",", "").replace(".", "").lstrip("0")) > 4] == []


def says_on_what_a_forecast_rests(name: str, seen: Seen) -> None:
    promised = [line for line in seen.text.splitlines() if FORECAST.search(line)]
    assert [line for line in promised if not BASIS.search(line)] == []
    assert promised or name not in ("train", "compare", "home", "collapse"), "no forecast at all"


def counts_modes_once(name: str, seen: Seen) -> None:
    counts = {said or alone for said, alone in COUNT.findall(seen.text)}
    if name.startswith(("watch", "diagnose")) and name != "watch a line":
        assert len(counts) == 1, "one count of modes"
    assert not re.search(r"\d\.\d+ of \d+ (?:modes|classes)\b", seen.text), "what is not counted is not called modes"


def shows_one_round(name: str, seen: Seen) -> None:
    for round, views in seen.rounds.items():
        for run, panels in views:
            assert len(panels) >= 2, run
            (shown,) = {at for _, at, _ in panels}
            assert round - 10 < shown <= round
            assert {told.split(" · ")[0] for _, _, told in panels} == {f"round {shown}"}
    assert list(seen.rounds) == [20, 60]


def counts_as_its_histogram_does(name: str, seen: Seen) -> None:
    shown, counts = seen.shown
    assert shown == 40
    assert f"Round 40:\n{modes_covered(counts)} of 8 survived" in seen.text
    assert f"{modes_covered(counts)} of 8 modes hold 1 %" in seen.text or "modes hold" not in seen.text


OF_HONEST = (
    is_usable_by_everybody,
    says_whole_sentences,
    says_rounded_numbers,
    says_on_what_a_forecast_rests,
    counts_modes_once,
)


def all_that_holds() -> Iterator[Any]:
    """Each page with each of its properties, page by page: a page that is shown is that of the test that runs."""
    for name in (*PAGES, *HOSTILE_PAGES):
        holds: list[Callable[[str, Seen], None]] = [says_no_script_and_asks_nobody]
        holds += OF_HONEST if name in PAGES else ()
        holds += [shows_one_round] if name in LOOKED_AT else []
        holds += [counts_as_its_histogram_does] if name == "diagnose" else []
        yield from (pytest.param(name, one, id=f"{name}-{one.__name__}") for one in holds)


@pytest.mark.parametrize(("name", "holds"), list(all_that_holds()))
def test_a_page(name: str, holds: Callable[[str, Seen], None], walk: Walk) -> None:
    holds(name, walk.at(name))


COLOURS = "getComputedStyle(document.querySelector('.stApp')).colorScheme"


def test_the_list_of_keys_is_usable_by_everybody(walk: Walk) -> None:
    walk.open("runs")
    assert walk.page.evaluate(COLOURS) == "light"
    walk.page.keyboard.press("?")
    expect(walk.page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert walk.inaccessible() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_usable_by_everybody_in_the_dark(name: str, walk: Walk) -> None:
    walk.open(name, "dark")
    assert walk.page.evaluate(COLOURS) == "dark"
    assert walk.inaccessible() == []


def test_no_file_that_is_taken_away_runs_what_somebody_typed(kept: Kept, walk: Walk, tmp_path: Path) -> None:
    for name, text in kept.files.items():
        (tmp_path / name).write_text(text, "utf-8")
        walk.page.goto(f"file://{tmp_path / name}")
        expect(walk.page.locator("h1").first).to_be_visible()
        assert HOSTILE[0] in walk.page.content().replace("&lt;", "<").replace("&gt;", ">")
        assert (walk.page.evaluate(INJECTED), walk.disturbed()) == ([], []), name

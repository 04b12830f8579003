"""Every page over a store of small runs: one count of modes, one round for all panels, no sentence cut, no needless digits."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from driving import settled
from playwright.sync_api import Page

from gan_core.config import Comparison, preset_config
from gan_core.engine import Lab
from gan_core.metrics.histograms import modes_covered

SETTINGS = {"executor": "thread"}
TINY = {
    "schedule.rounds": 60,
    "diagnostics.every": 20,
    "diagnostics.samples": 200,
    "diagnostics.budget": 1.0,
    "model.generator.widths": [16],
    "model.discriminator.widths": [16],
    "device": "cpu",
}
RUNS = {"ring": "ring-mlp", "line": "gaussian-1d", "digits": "digits-mlp", "collapse": "ring-collapse"}
PAGES = {
    "home": "",
    "train": "train?preset=ring-mlp",
    "watch points": "watch?run={ring}",
    "watch a line": "watch?run={line}",
    "watch digits": "watch?run={digits}",
    "compare": "compare",
    "a comparison": "compare?comparison={duel}",
    "runs": "runs",
    "data": "data?set=ring",
    "library": "library",
    "theory": "theory",
    "predict": "collapse",
    "diagnose": "collapse?recipe=ring-collapse&step=diagnose&run={collapse}&seen=40",
    "explain": "collapse?recipe=ring-collapse&step=explain&run={collapse}&seen=40",
    "lessons": "lessons",
}
DECIMAL = re.compile(r"(?<![\w.,])\d[\d,]*\.\d+(?![\w.])")
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
  if (element.closest('pre, code, svg, .gs-spoken, [data-baseweb=select]')) return false
  for (let holder = element, up = 0; holder && up < 4; holder = holder.parentElement, up++) {
    const { overflowX, overflowY, clipPath, display } = getComputedStyle(holder)
    if (clipPath !== 'none') return false // for those who hear the page
    if (display === 'inline') continue
    if (overflowX === 'hidden' && holder.scrollWidth > holder.clientWidth + 1) return true
    if (overflowY === 'hidden' && holder.scrollHeight > holder.clientHeight + 3) return true
  }
  return false
}).map((element) => element.textContent)"""
# Every view has shown a frame with all that belongs to it.
SHOWN = """() => {
  const views = Object.entries(window.__ganscope || {}).filter(([name]) => name !== 'lead').map(([, { view }]) => view)
  return document.querySelectorAll('.gs-root:not([data-leads])').length === views.length && views.every((view) =>
    view.shown !== null && !view.fetching && view.panels.every((panel) => !view.inSight(panel) || panel.wait.hidden))
}"""
ROUNDS = """() => [...document.querySelectorAll('.gs-root:not([data-leads])')].map((root) => [
  root.dataset.run,
  [...root.querySelectorAll('.gs-panel[data-round]')].map((panel) =>
    [panel.dataset.testid, Number(panel.dataset.round), panel.querySelector('.gs-aside').textContent]),
])"""
LOOK = "round => { for (const { view } of Object.values(window.__ganscope || {})) view.select(round, true) }"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """The ids of what the store holds."""
    return {}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, digits_classifier: Path, made: dict[str, str]) -> Path:
    root = tmp_path_factory.mktemp("words") / "runs"
    shutil.copytree(digits_classifier, root / "cache")
    with Lab(root, executor="thread", tick=0.05) as lab:
        for name, preset in RUNS.items():
            made[name] = lab.submit(preset_config(preset).replace(TINY), name=f"the {name} that is read")
            assert lab.wait(made[name], 120).status == "finished"
        base = preset_config("ring-mlp").replace(TINY).to_dict()
        variants = [{"name": "NS", "changes": {}}, {"name": "LS", "changes": {"objective.loss": "least_squares"}}]
        duel = lab.compare(Comparison.load({"base": base, "variants": variants, "seeds": [0, 1], "rounds": 60}))
        for member in lab.store.comparison(duel).members:
            assert lab.wait(member.run, 120).status == "finished"
        made["duel"] = duel
    return root


def open_at(page: Page, server: Any, made: dict[str, str], name: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 2400})
    page.goto(f"{server.url}/{PAGES[name].format(**made)}")
    settled(page)
    if page.locator(".gs-root").count():
        page.wait_for_function(SHOWN)


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_says_is_whole_and_rounded(name: str, page: Page, server: Any, made: dict[str, str]) -> None:
    open_at(page, server, made, name)
    text = page.evaluate(READ)
    assert len(text) > 60
    assert page.evaluate(CUT) == []
    long = [number for number in DECIMAL.findall(text) if len(number.replace(",", "").replace(".", "").lstrip("0")) > 4]
    assert long == []
    assert not re.search(r"item\(s\)|[^ ]NaN|undefined|\b1 seeds\b", text)
    counts = {said or alone for said, alone in COUNT.findall(text)}
    if name.startswith(("watch", "diagnose")) and name != "watch a line":
        assert len(counts) == 1, "one count of modes"
    assert not re.search(r"\d\.\d+ of \d+ (?:modes|classes)\b", text), "what is not counted is not called modes"


def everywhere(round: int) -> str:
    """That all views look at this round, and their panels show the newest frame until then."""
    return f"""Object.entries(window.__ganscope).every(([name, {{ view }}]) => name === 'lead' || (view.selected === {round} &&
      view.shown > {round} - 10 && view.shown <= {round} && !view.drawing && !view.frame &&
      view.panels.every((panel) => !panel.element.dataset.round || Number(panel.element.dataset.round) === view.shown)))"""


@pytest.mark.parametrize("name", ["watch points", "watch digits", "diagnose"])
def test_all_panels_show_the_round_that_is_looked_at(name: str, page: Page, server: Any, made: dict[str, str]) -> None:
    open_at(page, server, made, name)
    for round in (20, 60):
        page.evaluate(LOOK, round)
        page.wait_for_function(f"() => ({SHOWN})() && {everywhere(round)}")
        for run, panels in page.evaluate(ROUNDS):
            assert len(panels) >= 2, run
            (shown,) = {at for _, at, _ in panels}
            assert round - 10 < shown <= round
            assert {told.split(" · ")[0] for _, _, told in panels} == {f"round {shown}"}


def test_the_count_is_that_of_the_histogram_of_the_round(page: Page, server: Any, made: dict[str, str]) -> None:
    open_at(page, server, made, "diagnose")
    counts = page.evaluate("run => window.__ganscope[run].view.part('histogram').value.counts", made["collapse"])
    assert page.evaluate("run => window.__ganscope[run].view.shown", made["collapse"]) == 40
    told = page.evaluate(READ)
    assert f"Round 40:\n{modes_covered(counts)} of 8 survived" in told
    assert f"{modes_covered(counts)} of 8 modes hold 1 %" in told or "modes hold" not in told

"""A class in real browsers: every page can be used by everybody, and a watcher follows the teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from gan_core.config import Comparison, preset_config
from gan_core.engine import Lab
from gan_core.server.class_mode import LINK_FILE
from gan_core.ui.shell import COMPARE, HOME, LESSONS, TOUR, WATCH

pytestmark = pytest.mark.browser
SETTINGS = {"class": "1"}

SETTLED = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && document.querySelector('.gk-help') && document.querySelector('.gr-root[data-connection=live]')
  && [...document.querySelectorAll('.gs-chart, .gf-chart, .stPlotlyChart')].every(chart => chart.querySelector('.main-svg'))"""
CHECK = (
    """rules => axe.run(document, { resultTypes: ['violations'], preload: false, ...(rules && { runOnly: rules }) })"""
)


@dataclass
class Kept:
    run: str
    comparison: str


@pytest.fixture(scope="module")
def kept(store: Any) -> Kept:
    """A run of digits and a comparison that have been played."""
    small = {"device": "cpu", "diagnostics.every": 10, "diagnostics.samples": 100, "diagnostics.budget": 1.0}
    two = [{"name": name, "changes": {"objective": name}} for name in ("ns_gan", "ls_gan")]
    base = preset_config("ring-mlp", {**small, "data.batch_size": 32})
    with Lab(store, executor="thread") as lab:
        run = lab.submit(preset_config("digits-mlp", {"schedule.rounds": 20, **small}), name="digits")
        comparison = lab.compare(Comparison.load({"base": base, "variants": two, "seeds": [0, 1], "rounds": 20}))
        for one in (run, *lab.members(comparison)):
            assert lab.wait(one, 120).status == "finished"
    return Kept(run, comparison)


@pytest.fixture
def teacher(page: Page, server: Any) -> Page:
    """A page that the teacher's link has opened."""
    _, _, door = (server.store / LINK_FILE).read_text().strip().partition("/class/teacher")
    page.goto(f"{server.url}/class/teacher{door}")
    page.wait_for_url(f"{server.url}/")
    return page


def serious_faults(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe-core finds on the page as it stands; ``rules`` of it, or all."""
    page.wait_for_function(SETTLED)
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(CHECK, rules)["violations"]
    serious = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    return [f"{fault['id']}: {node['failureSummary']} {node['html']}" for fault in serious for node in fault["nodes"]]


def test_no_page_has_a_serious_fault_of_accessibility(kept: Kept, teacher: Page, server: Any) -> None:
    queries = {WATCH: f"run={kept.run}", COMPARE: f"comparison={kept.comparison}", LESSONS: f"lesson=3&run={kept.run}"}
    paths = [f"{'' if file == HOME else file.removesuffix('.py')}?{queries.get(file, '')}" for file in TOUR]
    teacher.emulate_media(reduced_motion="reduce")  # a colour that is on its way counts as what it is
    faults: dict[str, list[str]] = {}
    for path in paths:
        teacher.emulate_media(color_scheme="light")
        teacher.goto(f"{server.url}/{path}")
        faults[f"{path} in light"] = serious_faults(teacher)
        teacher.emulate_media(color_scheme="dark")
        teacher.wait_for_function("() => getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark'")
        faults[f"{path} in dark"] = serious_faults(teacher, ["color-contrast"])
    teacher.keyboard.press("?")
    faults["the list of keys"] = serious_faults(teacher)
    assert {place: found for place, found in faults.items() if found} == {}

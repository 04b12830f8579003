"""What people type is text in a real browser: no script of it runs and no request leaves, on any page or in any file."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from websockets.sync.client import connect

from gan_core.config import Comparison, preset_config
from gan_core.engine import Lab
from gan_core.server.class_mode import LINK_FILE
from gan_core.ui.hand_in import hand_in
from gan_core.ui.report import report
from gan_core.ui.shell import COMPARE, HOME, LESSONS, TOUR, TRAIN, WATCH

pytestmark = pytest.mark.browser
SETTINGS = {"class": "1"}

RUN = "window.pwned=1"
HOSTILE = (
    f"<img src=//evil.example/a onerror={RUN}>",
    f'"><script>{RUN}</script>',
    f"</script><script>{RUN}</script>",
    f"'-({RUN})-'<svg onload={RUN}>",
    f"![x](//evil.example/b.png)[y](javascript:{RUN})",
    f"<style>@import '//evil.example/c'</style><iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"$\\href{{javascript:{RUN}}}{{x}}$ <a href=javascript:{RUN}>z</a>",
    f"</textarea></title><base href=//evil.example/><details open ontoggle={RUN}>",
)
ALL = " ".join(HOSTILE)
QUERIES = ("run", "beside", "comparison", "data", "part", "preset", "tab", "cause", "from", "objective", "lesson")
INJECTED = """() => [window.pwned ? 'a script ran' : '', ...[...document.querySelectorAll(
  '[onerror], [onload], [ontoggle], iframe[srcdoc], [src*="evil.example"], base[href*="evil.example"], a[href^="javascript:" i]'
)].map(node => node.outerHTML), ...[...document.querySelectorAll('style')].map(s => s.textContent)
  .filter(text => text.includes('evil.example'))].filter(Boolean)"""
SETTLED = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && document.querySelector('.gr-root[data-connection=live]') && !document.querySelector('[data-testid=stSkeleton]')
  && [...document.querySelectorAll('.stPlotlyChart')].every(chart => chart.querySelector('.main-svg'))"""


@dataclass
class Kept:
    runs: list[str]
    comparison: str
    files: dict[str, str]


@pytest.fixture(scope="module")
def kept(store: Path) -> Kept:
    """Runs of which everything that a person or an imported pack may say is hostile, and the files that tell of them."""
    small = {"device": "cpu", "diagnostics.every": 5, "diagnostics.samples": 32, "schedule.rounds": 5}
    base = preset_config("ring-mlp", {**small, "data.batch_size": 16})
    variants = [{"name": HOSTILE[0][:60], "changes": {}}, {"name": HOSTILE[4][:60], "changes": {"objective": "ls_gan"}}]
    with Lab(store, executor="thread") as lab:
        comparison = lab.compare(Comparison.load({"base": base, "variants": variants, "seeds": [0]}), name=HOSTILE[2])
        runs = lab.members(comparison)
        assert {lab.wait(run, 120).status for run in runs} == {"finished"}
        for state in ("finished", "failed"):  # of digits, as from a pack
            config = preset_config("digits-mlp", small).model_dump(mode="json")
            runs.append(lab.store.create(f"digits-{state}", name=HOSTILE[0], config=config).id)
            losses = np.array([[1.4, 0.7], [1.3, 0.8]])
            lab.store.append(runs[-1], "turns", ["D.loss", "G.loss"], np.array([1, 5]), losses)
            lab.store.add_frame(runs[-1], 5, {"histogram": {"counts": [*range(11)], "n": 55}})
            lab.store.update(runs[-1], status=state, rounds=5, message=ALL, traceback=ALL)
        for run, text in zip(runs, HOSTILE, strict=False):
            lab.store.update(run, name=text, note=ALL, tags=[one[:40] for one in HOSTILE])
            lab.store.add_event(run, 0, "reference", {"class_names": [*HOSTILE, "8", "9"]})
            lab.store.add_event(run, 5, "note", {"text": ALL, "sentence": ALL})
        lab.store.flush()
        with zipfile.ZipFile(io.BytesIO(hand_in(lab.store, runs[-2], name=HOSTILE[1], answers=ALL))) as archive:
            handed_in = archive.read("hand-in.html").decode()
        files = {f"{run}.html": report(lab.store, run) for run in (comparison, *runs[-2:])}
    return Kept(runs, comparison, {**files, "hand-in.html": handed_in})


@pytest.fixture
def faults() -> list[str]:
    """What scripts did and what was asked of other hosts, on any page of the context."""
    return []


@pytest.fixture
def context(browser: Browser, faults: list[str]) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(120_000)
    context.on(
        "request", lambda sent: faults.append(sent.url) if urlsplit(sent.url).hostname == "evil.example" else None
    )
    context.on("dialog", lambda dialog: faults.append(dialog.message))
    expect.set_options(timeout=120_000)
    yield context
    context.close()


def looked_at(page: Page, faults: list[str]) -> list[str]:
    """What came of hostile text on a page that is drawn."""
    told = [*page.evaluate(INJECTED), *faults]
    faults.clear()
    return told


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


def test_no_page_takes_what_somebody_typed_for_its_own(
    kept: Kept, server: Any, context: BrowserContext, faults: list[str]
) -> None:
    page = context.new_page()
    door = (server.store / LINK_FILE).read_text().strip().partition("/class/teacher")[2]
    page.goto(f"{server.url}/class/teacher{door}")
    page.wait_for_url(f"{server.url}/")
    write_notes(server)
    page.goto(f"{server.url}/classroom")
    page.get_by_role("textbox", name="Question to the class").fill(HOSTILE[0])
    page.get_by_role("textbox", name="Answers, separated by commas").fill(",".join(HOSTILE[:3]))
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name="Notes (4)").click()
    expect(page.get_by_test_id("poll")).to_contain_text(HOSTILE[0])
    expect(page.get_by_text(HOSTILE[3])).to_be_visible()
    page.get_by_role("button", name="Reveal").click()
    expect(page.get_by_test_id("poll").get_by_text("0 answers")).to_be_visible()
    found = {"classroom": looked_at(page, faults)}

    queries = {
        WATCH: f"run={kept.runs[-2]}",
        COMPARE: f"comparison={kept.comparison}&losses=true",
        LESSONS: f"lesson=3&run={kept.runs[-2]}",
        TRAIN: f"from={kept.runs[-2]}",
    }
    asked = "&".join(f"{name}={quote(HOSTILE[0])}" for name in QUERIES)
    paths = [f"{'' if file == HOME else file.removesuffix('.py')}?{queries.get(file, '')}" for file in TOUR]
    paths += [f"watch?run={kept.runs[-1]}", f"watch?run={kept.runs[0]}&beside={kept.runs[1]}"]
    paths += [f"{page}?{asked}" for page in ("watch", "compare", "data", "library", "train", "theory", "collapse")]
    for path in paths:
        page.goto(f"{server.url}/{path}")
        page.wait_for_function(SETTLED)
        found[path] = looked_at(page, faults)

    assert {path: told for path, told in found.items() if told} == {}


def test_no_file_that_is_taken_away_runs_what_somebody_typed(
    kept: Kept, context: BrowserContext, faults: list[str], tmp_path: Path
) -> None:
    for name, text in kept.files.items():
        (tmp_path / name).write_text(text, "utf-8")
        page = context.new_page()
        page.goto(f"file://{tmp_path / name}")
        expect(page.locator("h1").first).to_be_visible()
        assert HOSTILE[0] in page.content().replace("&lt;", "<").replace("&gt;", ">")
        assert looked_at(page, faults) == [], name

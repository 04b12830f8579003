"""What is taken away: a report that draws its charts without a network, a pack that looks the same in an empty store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from driving import settled
from playwright.sync_api import Browser, Page, expect

from gan_core.config import Comparison
from gan_core.engine import Lab
from gan_core.engine.comparing import standings
from gan_core.engine.exchange.packs import write_pack
from gan_core.ui.report import report

pytestmark = pytest.mark.browser
SETTINGS = {"executor": "thread"}  # a server of its own: its store is empty

BASE = {
    "data": {"name": "ring", "batch_size": 8},
    "model": {"generator": {"widths": [4]}, "discriminator": {"widths": [4]}},
    "diagnostics": {"samples": 32},
    "device": "cpu",
}
TWO = [{"name": "NS", "changes": {}}, {"name": "LS", "changes": {"objective": "ls_gan"}}]


@dataclass
class Taken:
    comparison: str
    sentences: list[str]
    pack: Path
    report: Path


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    """A small comparison of another store, as a pack and as a report."""
    root = tmp_path_factory.mktemp("taken")
    with Lab(root / "runs", tick=0.05, executor="thread") as lab:
        asked = Comparison.load({"base": BASE, "variants": TWO, "seeds": [0, 1], "rounds": 8})
        made = lab.compare(asked, name="taken away")
        for member in lab.store.comparison(made).members:
            assert lab.wait(member.run, 60).status == "finished"
        with (root / "pack.zip").open("wb") as file:
            write_pack(lab.store, made, file)
        (root / "report.html").write_text(report(lab.store, made), "utf-8")
        found = standings.read_standings(lab.store, made)
        metric = standings.measures(found)[0]
        told = standings.verdicts(found, metric, standings.read_floors(lab.store, found).get(metric))
        yield Taken(made, told, root / "pack.zip", root / "report.html")


def test_the_report_draws_its_charts_from_disk_without_a_network(browser: Browser, taken: Taken) -> None:
    context = browser.new_context()
    context.set_offline(True)
    page = context.new_page()
    faults: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(taken.report.as_uri())
    charts = page.locator("figure div[id]")
    expect(charts).not_to_have_count(0)
    for chart in charts.all():
        expect(chart.locator(".main-svg").first).to_be_visible()
        expect(chart.locator(".trace").first).to_be_attached()
    for sentence in taken.sentences:
        expect(page.get_by_text(sentence, exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.locator("button[data-format=svg]").first.click()
    assert Path(download.value.path()).read_bytes().startswith(b"<svg")
    assert faults == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}
    context.close()


def test_a_pack_looks_the_same_in_an_empty_store(page: Page, server: Any, taken: Taken) -> None:
    page.goto(f"{server.url}/runs")
    settled(page)
    page.get_by_text("Import a pack").click()
    page.locator("input[type=file]").set_input_files(taken.pack)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="taken away")).to_be_visible()
    assert f"comparison={taken.comparison}" in page.url
    for sentence in taken.sentences:
        expect(page.get_by_text(sentence, exact=True)).to_be_visible()
    expect(page.get_by_text("At round 0 all columns show the same samples")).to_be_visible()
    settled(page)
    page.get_by_text("Take it away").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Pack", exact=True).click()
    assert Path(download.value.path()).read_bytes() == taken.pack.read_bytes()
    expect(page.get_by_test_id("chart-to-save").locator("option", has_text="NS: Losses")).to_be_attached()
    page.get_by_test_id("chart-to-save").select_option("NS: Losses")
    for kind, beginning in (("png", b"\x89PNG"), ("svg", b"<svg")):
        page.get_by_test_id(f"save-{kind}").click()
        link = page.get_by_test_id("saved-chart")
        expect(link).to_have_text(f"ns-losses.{kind}")
        with page.expect_download(lambda file, kind=kind: file.suggested_filename == f"ns-losses.{kind}") as download:
            link.click()
        assert Path(download.value.path()).read_bytes().startswith(beginning)

"""Takes the pictures of the README from a real server and a real browser: `python docs/screenshots.py`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(ROOT / "tests")]

from conftest import browser_path, start_server

from gan_core.api import prepare_classifier
from gan_core.config import RunConfig, preset_config
from gan_core.engine import Lab

IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1280, 860


def picture(
    browser: Browser, url: str, name: str, *, theme: str = "light", wait: float = 6.0, whole: bool = False
) -> None:
    """Open ``url``, let it settle, and save what is seen; ``whole`` makes the window as tall as the page."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=theme)
    page = context.new_page()
    page.goto(url)
    page.wait_for_timeout(wait * 1000)
    if whole:
        height = page.get_by_test_id("stMain").evaluate("element => element.scrollHeight")
        page.set_viewport_size({"width": WIDTH, "height": height + 10})
        page.wait_for_timeout(1500)
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png")
    context.close()


def start_card(browser: Browser, url: str, index: int) -> str:
    page = browser.new_page()
    page.goto(url)
    page.get_by_role("button", name="Start", exact=True).nth(index).click()
    page.wait_for_url("**/watch?run=*")
    address = page.url
    page.close()
    return address


def lesson(browser: Browser, url: str) -> str:
    """A lesson of the Collapse Lab up to its cure; returns its address."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.goto(f"{url}/collapse?recipe=ring-collapse&guess=2")
    page.get_by_role("button", name="Collapse [C]").click()
    page.wait_for_timeout(30_000)
    page.get_by_role("button", name="Fix [F]").click()
    page.wait_for_timeout(12_000)
    address = page.url
    page.close()
    return address


def duel(browser: Browser, url: str) -> str:
    """The comparison that the Compare page proposes; returns its address."""
    page = browser.new_page()
    page.goto(f"{url}/compare")
    page.get_by_role("button", name="Start", exact=False).first.click()
    page.wait_for_url("**/compare?comparison=*")
    address = page.url
    page.close()
    return address


def staged(browser: Browser, url: str) -> None:
    """A run on the stage."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark")
    page.goto(url)
    page.locator(".gs-points .main-svg").first.wait_for()
    page.keyboard.press("s")
    page.get_by_test_id("stage-bar").wait_for()
    page.wait_for_timeout(3000)
    page.screenshot(path=IMAGES / "stage.png")
    print("docs/images/stage.png")
    page.close()


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Path(folder) / "runs"
        with Lab(store) as lab:
            prepare_classifier(lab, RunConfig())
            inked = lab.submit(preset_config("digits-sketch"), name="Thin strokes, inked")
            lab.wait(inked)
        server = start_server(store, forked=False)
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        try:
            picture(browser, f"{server.url}/train?preset=digits-dcgan", "train", wait=12)
            picture(browser, f"{server.url}/theory?tab=dirac", "theory", wait=10)
            picture(browser, f"{server.url}/data", "data", theme="dark", wait=9, whole=True)
            ring = start_card(browser, server.url, 2)
            picture(browser, ring, "watch-ring", theme="dark", wait=25, whole=True)
            staged(browser, ring)
            picture(browser, f"{server.url}/draw?run={inked}&ex=3", "draw", wait=15)
            digits = start_card(browser, server.url, 0)
            picture(browser, digits, "watch-digits", wait=100, whole=True)
            start_card(browser, server.url, 3)
            picture(browser, server.url, "home", wait=8)
            picture(browser, f"{server.url}/runs", "runs", wait=6)
            server.stop()
            server = server.start_again()  # what was running has made room
            picture(browser, lesson(browser, server.url), "collapse", wait=8)
            server.stop()
            server = server.start_again()
            picture(browser, duel(browser, server.url), "compare", wait=60)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()

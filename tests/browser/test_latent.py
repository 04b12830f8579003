"""The Latent page in a browser: two samples and the way between them, by pointer and by keys, and a digit that is drawn."""

from __future__ import annotations

from typing import Any

import pytest
from driving import focus, settled
from playwright.sync_api import Page, expect

from gan_core.config import preset_config
from gan_core.engine import Lab

pytestmark = pytest.mark.browser
TINY = {
    "schedule.rounds": 2,
    "model.generator.widths": [8],
    "model.discriminator.widths": [8],
    "diagnostics.samples": 32,
    "device": "cpu",
}
PIXELS = "canvas => canvas.toDataURL()"


@pytest.fixture(scope="module")
def walked(store: Any) -> str:
    with Lab(store, executor="thread", tick=0.05) as lab:
        run = lab.submit(preset_config("digits-mlp").replace(TINY))
        assert lab.wait(run, 60).status == "finished"
    return run


def test_walking_through_a_latent_space(page: Page, walked: str, server: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{server.url}/latent?run={walked}&p=")
    settled(page)
    page.locator(".gl-root[data-ready=true]").wait_for()
    page.get_by_test_id("sample-3").click()
    page.get_by_test_id("sample-3").press("ArrowRight")
    expect(page.get_by_test_id("sample-4")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".gl-line")).to_have_count(2)

    here = page.get_by_role("img", name="here, on the sphere")
    expect(here).to_have_attribute("data-shown", "1")
    before = here.evaluate(PIXELS)
    slider = page.get_by_test_id("way-slider")
    focus(slider)
    slider.press("End")
    end = page.get_by_test_id("sample-4").locator("canvas").evaluate(PIXELS)
    page.wait_for_function("([canvas, end]) => canvas.toDataURL() === end", arg=[here.element_handle(), end])
    assert end != before, "the way has ended at the sample that was chosen second"
    page.wait_for_function("() => location.search.includes('p=3%2C4') && location.search.includes('t=1')")

    page.get_by_role("tab", name="Way").press("ArrowRight")
    expect(page.get_by_role("tab", name="Arithmetic")).to_be_focused()
    page.get_by_role("tab", name="Find a picture").click()
    expect(page.get_by_text("after 100 steps", exact=True)).to_be_visible()
    first = page.get_by_role("img", name="the picture").evaluate(PIXELS)
    pad = page.get_by_test_id("pad")
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 70, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 70, box["y"] + 120)
    page.mouse.up()
    page.wait_for_function(
        "first => { const one = document.querySelector('.gl-named .gl-picture'); return one && one.toDataURL() !== first }",
        arg=first,
    )
    expect(page.get_by_text("Mean squared error")).to_be_visible()

    with page.expect_download() as taken:
        page.get_by_role("tab", name="Way").click()
        page.get_by_role("link", name="Film (GIF)").click()
    assert taken.value.path().read_bytes().startswith(b"GIF8")
